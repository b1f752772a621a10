"""What generation 1 refuses to send, and how the rest travels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dojang.bootpay import v1
from dojang.bootpay.async_client import AsyncBootpay
from dojang.bootpay.call import Auth, Call, Encoding
from dojang.bootpay.client import Bootpay
from dojang.bootpay.v1 import billing, payments
from dojang.errors import ConfigError, InvalidValue, OutcomeUnknown, Refused

from .wire.operation import sample
from .wire.recorder import Recorder, recording

RECEIPT = "5df6e67d4f74b4002a77e0eb"
KEY = "5ec37382dfea2e001a7f1e10"
LEGACY = {"application_id": "an-application", "private_key": "aPrivateKey="}
CHARGE = {"billing_key": KEY, "item_name": "아이템", "price": 3000, "order_id": "order-1"}
KST = timezone(timedelta(hours=9))


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that hands out the documented token and then says what a test tells it to."""
    with recording() as server:
        server.tokens = {"/request/token": sample("v1_token_response")}
        yield server


BY_ID: list[Callable[[str], Call[Any]]] = [
    payments.verify,
    payments.certificate,
    payments.submit,
    payments.cancel,
    billing.billing_payment,
    billing.cancel_reserved_payment,
    billing.destroy_billing_key,
]


@pytest.mark.parametrize("function", BY_ID, ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    "bad", ["", "../billing_key/x", RECEIPT + "\n", RECEIPT[:-1], "g" * 24, "ａ" * 24, None, 1]
)
def test_an_id_that_is_none_makes_no_call(function: Callable[[str], Call[Any]], bad: Any) -> None:
    """Ids are 24 hexadecimal characters or nothing is sent; the sentence does not repeat the value."""
    with pytest.raises(InvalidValue) as caught:
        function(bad)

    assert not bad or str(bad).strip() not in str(caught.value)


@pytest.mark.parametrize(
    "bad", [0, -1, True, "1,000", "1e3", 1000.5, float("nan"), Decimal("inf"), 10**16, b"1"]
)
def test_a_price_that_is_none_makes_no_call(bad: Any) -> None:
    """What moves is an exact amount of won above nothing."""
    calls: list[Callable[[], object]] = [
        lambda: payments.cancel(RECEIPT, bad),
        lambda: payments.request_payment_link(order_id="1", price=bad, name="아이템"),
        lambda: billing.pay_with_billing_key(**CHARGE | {"price": bad}),  # type: ignore[arg-type]  # on purpose
        lambda: billing.reserve_payment(**CHARGE | {"price": bad}, execute_at=1),  # type: ignore[arg-type]  # same
    ]
    for call in calls:
        with pytest.raises(InvalidValue):
            call()


@pytest.mark.parametrize("price", [1000, 1000.0, "1000", "1000.00", Decimal("1E+3")])
def test_an_amount_travels_as_a_whole_number(price: Any) -> None:
    """Every spelling of a thousand won travels as 1000."""
    call = payments.cancel(RECEIPT, price)

    assert {"receipt_id": RECEIPT, "price": 1000} == call.body


def test_the_tax_free_part_is_a_part() -> None:
    """More tax-free than price is refused before anything is sent."""
    with pytest.raises(InvalidValue, match="tax_free 1001 must not be more than price 1000"):
        payments.cancel(RECEIPT, 1000, tax_free=1001)


def test_dollars_may_have_cents() -> None:
    """The currency decides how fine an amount may be; it does not travel."""
    call = payments.cancel(RECEIPT, "10.5", currency="USD")

    assert {"receipt_id": RECEIPT, "price": Decimal("10.50")} == call.body


@pytest.mark.parametrize("quota", [1, 13, -1, True, "3", 2.0])
def test_instalments_bootpay_refuses_are_refused_here(quota: Any) -> None:
    """A lump sum is 0, otherwise 2 to 12 months."""
    with pytest.raises(InvalidValue, match="quota must be"):
        billing.pay_with_billing_key(**CHARGE, quota=quota)  # type: ignore[arg-type]  # a table of keywords


@pytest.mark.parametrize("moment", [1530106173, datetime.fromtimestamp(1530106173, KST)])
def test_a_reservation_is_made_in_unix_seconds(moment: datetime | int) -> None:
    """An aware time and its Unix seconds are the same moment."""
    call = billing.reserve_payment(**CHARGE, execute_at=moment)  # type: ignore[arg-type]  # a table of keywords

    assert call.body is not None
    assert (1530106173, "oneshot") == (call.body["execute_at"], call.body["scheduler_type"])


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), 1530106173000, 0, True, "1530106173", 1.5])  # noqa: DTZ001
def test_a_moment_with_two_readings_is_refused(moment: Any) -> None:
    """A time without a zone is nine hours off somewhere; milliseconds are a slip."""
    with pytest.raises(InvalidValue, match="execute_at"):
        billing.reserve_payment(**CHARGE, execute_at=moment)  # type: ignore[arg-type]  # a table of keywords


def test_a_body_is_a_form_until_a_form_would_lose_something() -> None:
    """Flat bodies travel as the official library sends them; nested ones as JSON."""
    account = v1.RefundAccount(account="6756010101234", accountholder="홍길동", bankcode="088")
    flat, nested = payments.cancel(RECEIPT, 1000), payments.cancel(RECEIPT, 1000, refund=account)

    assert (Encoding.FORM, Encoding.JSON) == (flat.encoding, nested.encoding)
    assert nested.body is not None
    assert {"account": "6756010101234", "accountholder": "홍길동", "bankcode": "088"} == nested.body["refund"]


def test_typed_lines_and_plain_ones_travel_alike() -> None:
    """`Item` and a dictionary give the same request; cents survive."""
    typed = v1.Item(item_name="아이템", qty=1, unique="item-1", price=Decimal("10.5"))
    plain = {"item_name": "아이템", "qty": 1, "unique": "item-1", "price": Decimal("10.50")}
    calls = [
        payments.request_payment_link(order_id="1", price=1000, name="아이템", items=[line])
        for line in (typed, plain)
    ]

    assert calls[0].body == calls[1].body


@pytest.mark.parametrize("bad", [{"qty": 0}, {"qty": True}, {"price": -1}, {"item_name": " "}])
def test_a_line_that_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    """No quantity below one, no negative price, no name of blanks."""
    with pytest.raises(InvalidValue):
        v1.Item(**{"item_name": "아이템", "qty": 1, "unique": "1", "price": 1000} | bad)


CALLS: list[Call[Any]] = [
    payments.request_token("application", "private"),
    payments.verify(RECEIPT),
    payments.submit(RECEIPT),
    payments.cancel(RECEIPT, refund={"account": "6756010101234"}),
    billing.destroy_billing_key(KEY),
    billing.billing_payment(RECEIPT),
    billing.pay_with_billing_key(**CHARGE),  # type: ignore[arg-type]  # a table of keywords
    billing.request_billing_key(
        pg="nicepay",
        order_id="1",
        item_name="정기결제",
        card_no="9000200000001000",
        card_pw="37",
        expire_year="24",
        expire_month="03",
        identify_number="900101",
        user_info=v1.UserInfo(username="홍길동", phone="01012345678"),
    ),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.label)
def test_a_call_shows_no_secret(call: Call[Any]) -> None:
    """Neither keys, ids, card data nor the buyer are in a call's `repr`; it says method and path."""
    shown = f"{call!r} {call}"
    secrets = ["private", RECEIPT, KEY, "6756010101234", "9000200000001000", "홍길동", "900101"]

    assert ([], True) == ([secret for secret in secrets if secret in shown], call.label in shown)


def test_what_is_given_is_not_shown_either() -> None:
    """The buyer and the refund account are hidden in `repr`."""
    buyer = v1.UserInfo(username="홍길동", phone="01012345678")
    account = v1.RefundAccount(account="6756010101234", accountholder="홍길동", bankcode="088")

    assert ("UserInfo()", "RefundAccount(bankcode='088')") == (repr(buyer), repr(account))


def test_only_reads_and_the_token_may_be_repeated() -> None:
    """Whatever may move money, or change anything, is sent once."""
    repeatable = {call.label for call in CALLS if call.may_repeat}

    assert {
        "POST request/token",
        "GET receipt/{receipt_id}",
        "GET subscribe/billing/{receipt_id}",
    } == repeatable


def test_every_call_of_this_generation_says_so() -> None:
    """Address, token and envelope follow from it; only the token call carries no token."""
    assert ({1}, ["POST request/token"]) == (
        {call.generation for call in CALLS},
        [call.label for call in CALLS if call.auth is Auth.NONE],
    )


def test_the_blocking_client_verifies(recorder: Recorder) -> None:
    """`client.v1.verify` fetches the token once, and carries it bare."""
    recorder.says = (200, sample("v1_receipt_paid_blog"))
    with Bootpay(**LEGACY, url=recorder.url) as client:
        receipts = [client.v1.verify(RECEIPT), client.v1.verify(RECEIPT)]
    heard = recorder.heard()

    assert [Decimal(3000)] * 2 == [receipt.price for receipt in receipts]
    assert ["/request/token", f"/receipt/{RECEIPT}", f"/receipt/{RECEIPT}"] == [one.path for one in heard]
    assert "d694" == heard[1].headers["authorization"][:4]


def test_the_asyncio_client_verifies(recorder: Recorder) -> None:
    """`await client.v1.verify` gives the same receipt."""
    recorder.says = (200, sample("v1_receipt_paid_blog"))

    async def verify() -> v1.Receipt:
        async with AsyncBootpay(**LEGACY, url=recorder.url) as client:
            return await client.v1.verify(RECEIPT)

    receipt = asyncio.run(verify())

    assert (Decimal(3000), "1526557671321") == (receipt.price, receipt.order_id)


def test_basic_keys_alone_are_refused_with_the_way_out(recorder: Recorder) -> None:
    """This generation knows tokens only: the sentence names the pair that is missing, nothing is sent."""
    client = Bootpay(client_key="a-client", secret_key="a-secret", url=recorder.url)
    with client, pytest.raises(ConfigError, match="application_id and private_key"):
        client.v1.verify(RECEIPT)

    assert [] == recorder.heard()


def test_a_refused_token_is_renewed_once(recorder: Recorder) -> None:
    """A 401 buys one new token and asks once more; then the refusal stands."""
    recorder.says = (401, sample("v1_error_unauthorized"))
    with Bootpay(**LEGACY, url=recorder.url) as client, pytest.raises(Refused):
        client.v1.cancel(RECEIPT)
    paths = [request.path for request in recorder.heard()]

    assert ["/request/token", "/cancel.json", "/request/token", "/cancel.json"] == paths


def test_a_cancel_that_ends_in_a_500_is_unknown(recorder: Recorder) -> None:
    """Money may have moved back: one request, and an error that says to look first."""
    recorder.says = (500, sample("v1_error_cancel_already"))
    client = Bootpay(**LEGACY, url=recorder.url)
    with client, pytest.raises(OutcomeUnknown, match="look it up before repeating"):
        client.v1.cancel(RECEIPT)

    assert 1 == [request.path for request in recorder.heard()].count("/cancel.json")
