"""Functions of one's own on the layer, in the real runtime: the blog post's with its import line, and the example."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from dojang.emulator.server import EmulatorServer

from .conftest import Buyer
from .runtime import Instance

if TYPE_CHECKING:
    from tests.entry.conftest import Opt

Deploy = Callable[[Mapping[str, str]], Instance]
EXAMPLE = Path(__file__).parents[3] / "examples" / "lambda_stateless.py"

# As it stands in the blog post, `is` included; only its placeholders are filled in.
BLOG = """
from lib.BootpayApi import BootpayApi

bootpay = BootpayApi(
    '{application_id}',
    '{private_key}'
)

result = bootpay.get_access_token()
if result['status'] is 200:
    verify_result = bootpay.verify('{receipt_id}')
    if verify_result['status'] is 200:
        # 원래 주문했던 금액이 일치하는가?
        # 그리고 결제 상태가 완료 상태인가?
        if verify_result['data']['status'] is 1 and verify_result['data']['price'] is price:
            # TODO: 이곳이 상품 지급 혹은 결제 완료 처리를 하는 로직으로 사용하면 됩니다.
            paid = True
"""
# A folder that many functions have, for what is their own.
COUPONS = {"lib/coupons.py": "HALF = 2\n"}
PACKAGE = {"lib/__init__.py": ""}


@pytest.fixture
def deploy(opt: Opt, bootpay: EmulatorServer, tmp_path: Path) -> Iterator[Deploy]:
    """Deploys a function that is made of these files."""
    instances: list[Instance] = []

    def one(files: Mapping[str, str]) -> Instance:
        task = tmp_path / "task"
        for path, code in files.items():
            file = task / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code, encoding="utf-8")
        settings = {
            "BOOTPAY_URL": bootpay.url,
            "BOOTPAY_CLIENT_KEY": "client",
            "BOOTPAY_SECRET_KEY": "secret",
        }
        instances.append(
            Instance(opt.path(task), settings, tmp_path, handler="lambda_function.lambda_handler")
        )
        instances[0].ready()
        return instances[0]

    yield one
    for instance in instances:
        instance.kill()


def _function(receipt_id: str, imports: str = "") -> dict[str, str]:
    """The post's lines in a handler, the import line above it; the goods are `True`."""
    line, _, lines = BLOG.strip().partition("\n\n")
    body = lines.format(application_id="emulator", private_key="emulator", receipt_id=receipt_id)
    parts = [
        "import os",
        imports or line,
        'BootpayApi.base_url = {"production": os.environ["BOOTPAY_URL"]}',
        "def lambda_handler(event, context):",
        "    price, paid = event['price'], False",
        textwrap.indent(body, "    "),
        "    return paid",
    ]
    return {"lambda_function.py": "\n".join(parts)}


@pytest.mark.parametrize("beside", [{}, COUPONS], ids=["alone", "beside a lib of its own"])
def test_the_blog_posts_function_works_unchanged(
    deploy: Deploy, buyer: Buyer, beside: dict[str, str]
) -> None:
    """`from lib.BootpayApi import BootpayApi` and the lines after it do what the post says.

    A folder `lib` of the function's own is found as well: the layer's hides nothing.
    """
    function = _function(buyer.pays("blog-1", 100, approved=True))
    if beside:
        function["lambda_function.py"] = "from lib.coupons import HALF\n" + function["lambda_function.py"]
    instance = deploy(function | beside)

    assert [True, False] == [instance({"price": price}) for price in (100, 99)]


def test_a_price_above_256_is_never_what_is_compared_with_is(deploy: Deploy, buyer: Buyer) -> None:
    """Why the page changes the post's `is` to `==`: a payment of the right price counts as none."""
    instance = deploy(_function(buyer.pays("blog-1", 3000, approved=True)))

    assert instance({"price": 3000}) is False


def test_a_package_lib_of_the_functions_own_hides_the_layers(deploy: Deploy, buyer: Buyer) -> None:
    """With an `__init__.py` in it Python looks nowhere else, as the page says."""
    instance = deploy(_function(buyer.pays("blog-1", 100, approved=True)) | COUPONS | PACKAGE)
    with pytest.raises(HTTPError):
        instance({"price": 100})

    assert "Runtime.ImportModuleError" in instance.log
    assert "No module named 'lib.BootpayApi'" in instance.log


def test_the_class_can_be_imported_past_a_package_lib(deploy: Deploy, buyer: Buyer) -> None:
    """The way out for a function that wants to keep its `__init__.py`."""
    function = _function(
        buyer.pays("blog-1", 100, approved=True), "from dojang.bootpay.legacy import BootpayApi"
    )
    instance = deploy(function | COUPONS | PACKAGE)

    assert instance({"price": 100}) is True


ORDER_ID = "1526557671321"


@pytest.fixture
def example(deploy: Deploy) -> Instance:
    """The example, deployed under the name that the other functions have."""
    code = EXAMPLE.read_text(encoding="utf-8").replace("def handler(", "def lambda_handler(")
    return deploy({"lambda_function.py": code})


def _asking(instance: Instance, receipt_id: str, order_id: str = ORDER_ID) -> dict[str, Any]:
    """What the example answers to a page."""
    answer: dict[str, Any] = instance({"body": json.dumps({"order_id": order_id, "receipt_id": receipt_id})})
    return answer


def test_the_example_judges_for_orders_that_are_kept_elsewhere(example: Instance, buyer: Buyer) -> None:
    """No store and no handler of ours: what fits is paid, another price is not, nonsense is the caller's mistake."""
    receipts = [buyer.pays(ORDER_ID, price, approved=True) for price in (3000, 2999)]
    answers = [_asking(example, receipt_id) for receipt_id in (*receipts, "../x")]

    assert [(200, '{"paid": true}'), (200, '{"paid": false}'), (400, '{"paid": false}')] == [
        (answer["statusCode"], answer["body"]) for answer in answers
    ]


def test_the_example_reads_a_body_in_base64(example: Instance, buyer: Buyer) -> None:
    """A function's own address and a REST API may send a body so."""
    body = json.dumps({"order_id": ORDER_ID, "receipt_id": buyer.pays(ORDER_ID, 3000, approved=True)})
    answers = [
        example({"body": sent, "isBase64Encoded": True})
        for sent in (
            base64.b64encode(body.encode()).decode(),
            "no base64",
            base64.b64encode(b"[" * 99_999).decode(),
        )
    ]

    assert [(200, '{"paid": true}'), (400, '{"paid": false}'), (400, '{"paid": false}')] == [
        (answer["statusCode"], answer["body"]) for answer in answers
    ]


def test_the_example_sends_a_page_back_only_while_nothing_is_known(
    example: Instance, bootpay: EmulatorServer
) -> None:
    """A receipt that nobody has is no payment, wrong keys stay wrong: neither says to ask again; no answer does."""
    receipt_id = "6561a5e0c0ffee0123456789"
    answers = [_asking(example, receipt_id)]
    for fault in ("unauthorized", "html_502"):
        with bootpay.faulty(on="/v2/receipt", do=fault):
            answers.append(_asking(example, receipt_id))

    assert [
        (404, '{"paid": false}', {}),
        (502, '{"paid": null}', {}),
        (503, '{"paid": null}', {"retry-after": "2"}),
    ] == [(answer["statusCode"], answer["body"], answer["headers"]) for answer in answers]
