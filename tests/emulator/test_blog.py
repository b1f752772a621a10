"""The blog post's flow, end to end: an old Lambda function, our stand-in for its library, the pretend Bootpay."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest
import urllib3

from dojang.bootpay.legacy import BootpayApi
from dojang.emulator.server import EmulatorServer

# The flow of the blog post in our own words, but for one character: `==` where the post compares with `is`.
FUNCTION = """
from lib.BootpayApi import BootpayApi

api = BootpayApi("rest-application-id", "private-key")


def lambda_handler(event, context):
    if api.get_access_token()["status"] {op} 200:
        checked = api.verify(event["receipt_id"])
        if checked["status"] {op} 200:
            paid = checked["data"]
            if paid["status"] {op} 1 and paid["price"] {op} event["price"]:
                return "paid"
    return "not paid"
"""


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorServer]:
    """The pretend Bootpay with the blog's own receipt in it, and `lib.BootpayApi` pointing there."""
    with EmulatorServer() as running:
        opened = {
            "receipt_id": "5afd6be8e13f33616f2876ac",
            "order_id": "1526557671321",
            "price": 3000,
            "order_name": "테스트음식",
            "generation": 1,
            "pg": "kcp",
            "method": "card",
        }
        pool = urllib3.PoolManager()
        assert pool.request("POST", f"{running.url}/emulator/checkouts", json=opened).status < 300
        approved = f"{running.url}/emulator/receipts/{opened['receipt_id']}/approve"
        assert pool.request("POST", approved, json={}).status == 200
        monkeypatch.setattr(BootpayApi, "base_url", {"production": running.url})
        library = types.ModuleType("lib")
        module = types.ModuleType("lib.BootpayApi")
        module.BootpayApi = BootpayApi  # type: ignore[attr-defined]  # the name the function imports
        monkeypatch.setitem(sys.modules, "lib", library)
        monkeypatch.setitem(sys.modules, "lib.BootpayApi", module)
        yield running


def run(operator: str, price: object) -> str:
    """Run the function as its author wrote it, comparing with `operator`."""
    namespace: dict[str, object] = {}
    exec(compile(FUNCTION.format(op=operator), "lambda_function.py", "exec"), namespace)
    handler = namespace["lambda_handler"]
    assert callable(handler)
    return str(handler({"receipt_id": "5afd6be8e13f33616f2876ac", "price": price}, None))


@pytest.mark.usefixtures("emulator")
def test_the_blogs_own_receipt_is_paid() -> None:
    """Price 3000, order 1526557671321: the flow says paid through our transport."""
    assert run("==", 3000) == "paid"


@pytest.mark.usefixtures("emulator")
def test_another_price_is_not_paid() -> None:
    """One won less is another price."""
    assert run("==", 2999) == "not paid"


@pytest.mark.usefixtures("emulator")
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_comparing_with_is_rejects_a_genuine_payment() -> None:
    """Two equal numbers above 256 are two objects: why README says that `is` must become `==`."""
    assert run("is", int("3000")) == "not paid"


def test_the_emulator_shows_the_body_of_2018(emulator: EmulatorServer) -> None:
    """What the function sees agrees with the body the blog post prints, field by field."""
    api = BootpayApi("rest-application-id", "private-key")
    api.get_access_token()
    body = api.verify("5afd6be8e13f33616f2876ac")["data"]
    printed = {
        "receipt_id": "5afd6be8e13f33616f2876ac",
        "order_id": "1526557671321",
        "name": "테스트음식",
        "price": 3000,
        "unit": "krw",
        "pg": "kcp",
        "method": "card",
        "pg_name": "KCP",
        "method_name": "카드결제",
        "status": 1,
    }

    assert printed == {name: body[name] for name in printed}
