"""A Lambda function written for the old library runs unchanged on the stand-in."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .wire.operation import sample
from .wire.recorder import Recorder, recording

RECEIPT = "5afd6be8e13f33616f2876ac"
SHIM = "from dojang.bootpay.legacy import BootpayApi\n"
# What shops copied in 2018: a layer named `lib`, a token, a look at the receipt, then the goods.
HANDLER = """
    from lib.BootpayApi import BootpayApi

    bootpay = BootpayApi('shop-application', 'shop-private-key')


    def handler(event, context):
        token = bootpay.get_access_token()
        if token['status'] == 200:
            answer = bootpay.verify(event['receipt_id'])
            if answer['status'] == 200:
                receipt = answer['data']
                if receipt['status'] == 1 and receipt['price'] == event['price']:
                    return {'paid': True, 'order': receipt['order_id'], 'name': receipt['name']}
        return {'paid': False}
"""

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that hands out the documented token and then says what a test tells it to."""
    with recording() as server:
        server.tokens = {"/request/token": sample("v1_token_response")}
        yield server


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> Handler:
    """The shop's function, its layer `lib` holding nothing but our class, Bootpay's address replaced."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").touch()
    (tmp_path / "lib" / "BootpayApi.py").write_text(SHIM)
    (tmp_path / "shop_function.py").write_text(textwrap.dedent(HANDLER))
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("lib", "lib.BootpayApi"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    from dojang.bootpay.legacy import BootpayApi

    monkeypatch.setattr(BootpayApi, "base_url", {"production": recorder.url})
    spec = importlib.util.spec_from_file_location("shop_function", tmp_path / "shop_function.py")
    assert spec is not None
    assert spec.loader is not None
    function = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(function)
    found: Handler = function.handler
    for name in ("lib", "lib.BootpayApi"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return found


def test_a_paid_receipt_of_2018_is_verified(handler: Handler, recorder: Recorder) -> None:
    """The body of 2018 gives the paid verdict, by a token and a look-up that carries it."""
    recorder.says = (200, sample("v1_receipt_paid_blog"))
    verdict = handler({"receipt_id": RECEIPT, "price": 3000}, None)
    asked = [(one.method, one.target, one.headers.get("authorization", "")[:4]) for one in recorder.heard()]

    assert {"paid": True, "order": "1526557671321", "name": "테스트음식"} == verdict
    assert [("POST", "/request/token", ""), ("GET", f"/receipt/{RECEIPT}", "d694")] == asked


@pytest.mark.parametrize(
    ("name", "status", "price"),
    [
        ("v1_receipt_paid_blog", 200, 2999),
        ("v1_receipt_confirm_pending", 200, 3000),
        ("v1_receipt_cancelled", 200, 3000),
        ("v1_error_receipt_not_found", 404, 3000),
        ("v1_error_unauthorized", 401, 3000),
    ],
)
def test_anything_else_is_not_paid(
    handler: Handler, recorder: Recorder, name: str, status: int, price: int
) -> None:
    """Another price, another status, a refusal: the function gets a dictionary it can read, and says no."""
    recorder.says = (status, sample(name))

    assert {"paid": False} == handler({"receipt_id": RECEIPT, "price": price}, None)


def test_wrong_keys_are_a_refusal_and_no_exception(handler: Handler, recorder: Recorder) -> None:
    """The token's refusal comes back as the envelope it is; nothing is looked up."""
    recorder.tokens = {}
    recorder.says = (401, sample("v1_error_app_not_found"))
    verdict = handler({"receipt_id": RECEIPT, "price": 3000}, None)

    assert ({"paid": False}, ["/request/token"]) == (verdict, [one.path for one in recorder.heard()])


def test_identity_comparisons_of_small_numbers_still_hold(recorder: Recorder) -> None:
    """Old code says `result['status'] is 200`: that held by the interpreter's habit, and still does."""
    from dojang.bootpay.legacy import BootpayApi

    class Aimed(BootpayApi):
        base_url = {"production": recorder.url}  # noqa: RUF012 as its users write it

    recorder.says = (200, sample("v1_receipt_paid_blog"))
    api = Aimed("shop-application", "shop-private-key")
    token, receipt = api.get_access_token(), api.verify(RECEIPT)

    assert (True, True, True) == (
        token["status"] is int("200"),
        receipt["status"] is int("200"),
        receipt["data"]["status"] is int("1"),
    )
