"""What Bootpay's answers become: every status, amount and doubt of both generations, and what is sent to get them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dojang.adapters.gateway import GatewayV2
from dojang.adapters.gateway_v1 import GatewayV1
from dojang.bootpay.answers import result_of
from dojang.bootpay.call import Answer, Call, Encoding
from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.drive import run
from dojang.errors import NotSent, OutcomeUnknown, Refused

T = TypeVar("T")

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"
V2 = ReceiptId("645c58be755e270022e1e8db")
V1 = ReceiptId("5df6e67d4f74b4002a77e0eb")
OTHER = "000000000000000000000000"
KST = timezone(timedelta(hours=9))
STATUSES = ReceiptStatus


@dataclass
class Wire:
    """Sends nothing: records each call and reads the next scripted answer as the client would."""

    script: list[Answer | Exception] = field(default_factory=list)
    calls: list[Call[Any]] = field(default_factory=list)
    within: list[float] = field(default_factory=list)

    async def __call__(self, call: Call[T], within_s: float, /) -> T:
        self.calls.append(call)
        self.within.append(within_s)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return result_of(call, answer)


def said(body: object, status: int = 200) -> Answer:
    """An answer with this JSON."""
    return Answer(status, json.dumps(body).encode())


def sample(name: str) -> dict[str, Any]:
    """A recorded body."""
    body: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return body


def v2(**changed: object) -> Answer:
    """The recorded card payment of generation 2, changed; None takes a field away."""
    body = sample("v2_receipt_card_paid") | changed
    return said({name: value for name, value in body.items() if value is not None})


def v1(**changed: object) -> Answer:
    """The recorded payment of generation 1, changed; None takes a field away."""
    body = sample("v1_receipt_paid")
    data = body["data"] | {"receipt_id": V1} | changed
    return said(body | {"data": {name: value for name, value in data.items() if value is not None}})


def looked_up_v2(answer: Answer, receipt_id: ReceiptId = V2) -> Receipt | None:
    """What generation 2 says of a receipt."""
    return run(GatewayV2(Wire([answer])).look_up(receipt_id, 5))


def looked_up_v1(answer: Answer, receipt_id: ReceiptId = V1) -> Receipt | None:
    """What generation 1 says of a receipt."""
    return run(GatewayV1(Wire([answer])).look_up(receipt_id, 5))


def found(receipt: Receipt | None) -> Receipt:
    """The receipt, which must be there."""
    assert receipt is not None
    return receipt


# --- statuses ------------------------------------------------------------------------------------------------------

MEANING_V2 = {
    0: STATUSES.WAITING,
    1: STATUSES.PAID,
    2: STATUSES.AWAITING_APPROVAL,
    4: STATUSES.APPROVING,
    5: STATUSES.AWAITING_DEPOSIT,
    11: STATUSES.NOT_A_PAYMENT,
    12: STATUSES.NOT_A_PAYMENT,
    20: STATUSES.CANCELLED,
    40: STATUSES.WAITING,
    41: STATUSES.WAITING,
    42: STATUSES.NOT_A_PAYMENT,
    50: STATUSES.WAITING,
    60: STATUSES.NOT_A_PAYMENT,
    61: STATUSES.NOT_A_PAYMENT,
    -2: STATUSES.FAILED,
    -3: STATUSES.ACCOUNT_CANCELLED,
    -4: STATUSES.FAILED,
    -11: STATUSES.FAILED,
    -40: STATUSES.FAILED,
    -60: STATUSES.FAILED,
    -61: STATUSES.FAILED,
}
MEANING_V1 = {
    0: STATUSES.WAITING,
    1: STATUSES.PAID,
    2: STATUSES.AWAITING_APPROVAL,
    3: STATUSES.APPROVING,
    11: STATUSES.NOT_A_PAYMENT,
    20: STATUSES.CANCELLED,
    -1: STATUSES.FAILED,
    -2: STATUSES.FAILED,
    -3: STATUSES.ACCOUNT_CANCELLED,
    -11: STATUSES.FAILED,
    -20: STATUSES.PAID,
    -30: STATUSES.APPROVING,
}
UNDOCUMENTED = {"2": (-100, -20, -30, -1, 3, 6, 13, 21, 99, 10**6), "1": (-100, -4, 4, 5, 12, 40, 42, 60, 99)}


def test_the_tables_here_are_the_documented_ones() -> None:
    """No documented number is left out below, and none is made up."""
    documented = {
        generation: {
            row["status"] for row in json.loads((SAMPLES / f"{generation}_status_codes.json").read_bytes())
        }
        for generation in ("v1", "v2")
    }

    assert {"v1": set(MEANING_V1), "v2": set(MEANING_V2)} == documented


@pytest.mark.parametrize(("number", "meaning"), MEANING_V2.items())
def test_each_status_of_generation_2_has_one_meaning(number: int, meaning: ReceiptStatus) -> None:
    """Nothing but 1 is money, and the number itself is kept."""
    receipt = found(looked_up_v2(v2(status=number)))

    assert (meaning, number) == (receipt.status, receipt.number)


@pytest.mark.parametrize(("number", "meaning"), MEANING_V1.items())
def test_each_status_of_generation_1_has_one_meaning(number: int, meaning: ReceiptStatus) -> None:
    """A cancel that failed (-20) leaves the money here; one on its way (-30) has decided nothing."""
    receipt = found(looked_up_v1(v1(status=number)))

    assert (meaning, number) == (receipt.status, receipt.number)


@pytest.mark.parametrize("number", UNDOCUMENTED["2"])
def test_a_number_unknown_to_generation_2_is_unknown(number: int) -> None:
    """What nobody documented is neither money nor its end."""
    assert STATUSES.UNKNOWN is found(looked_up_v2(v2(status=number))).status


@pytest.mark.parametrize("number", UNDOCUMENTED["1"])
def test_a_number_unknown_to_generation_1_is_unknown(number: int) -> None:
    """The numbers of the other generation mean nothing here."""
    assert STATUSES.UNKNOWN is found(looked_up_v1(v1(status=number))).status


@pytest.mark.parametrize("number", [1, 20])
def test_a_partly_cancelled_payment_is_still_paid(number: int) -> None:
    """Bootpay's pages say 1 in one place and 20 in another: as long as something is left, it is paid."""
    second = found(looked_up_v2(v2(status=number, cancelled_price=500)))
    first = found(looked_up_v1(v1(status=number, cancelled_price=1000)))

    assert (STATUSES.PAID, 500, 700) == (second.status, second.cancelled, second.remaining)
    assert (STATUSES.PAID, 1000, 2000) == (first.status, first.cancelled, first.remaining)
    assert (number, number) == (second.number, first.number)


@pytest.mark.parametrize("cancelled", [0, 1200, 1300])
def test_status_20_with_nothing_or_everything_cancelled_is_cancelled(cancelled: int) -> None:
    """Only an amount strictly between says that something is left."""
    receipt = found(looked_up_v2(v2(status=20, cancelled_price=cancelled)))

    assert (STATUSES.CANCELLED, 0) == (receipt.status, receipt.remaining)


def test_a_cancelled_body_of_2018_is_cancelled() -> None:
    """It names no amount that went back."""
    body = v1(status=20, cancelled_price=None, cancelled_tax_free=None, tax_free=None)

    assert STATUSES.CANCELLED is found(looked_up_v1(body)).status


@pytest.mark.parametrize("number", [2, 4, -2, 0, 99])
def test_an_amount_cancelled_makes_nothing_else_paid(number: int) -> None:
    """Only status 20 is mended by its amounts."""
    assert STATUSES.PAID is not found(looked_up_v2(v2(status=number, cancelled_price=500))).status


@pytest.mark.parametrize(("written", "number"), [("1", 1), (1.0, 1), ("20", 20), ("-20", -20)])
def test_a_status_may_be_written_oddly(written: object, number: int) -> None:
    """Text and 1.0 are documented oddities."""
    assert number == found(looked_up_v2(v2(status=written))).number


# --- virtual accounts ----------------------------------------------------------------------------------------------


def test_generation_1_tells_a_deposit_from_an_approval_by_its_method() -> None:
    """Status 2 is "approve me" for a card and "pay into this account" for vbank; the buyer's name stays behind."""
    body = sample("v1_receipt_vbank_waiting")
    receipt = found(looked_up_v1(said(body), ReceiptId(body["data"]["receipt_id"])))

    assert STATUSES.AWAITING_DEPOSIT is receipt.status
    assert Account(bank_name="기업은행", number="T0309260001169", holder="한국사이버결제") == receipt.account
    assert body["data"]["payment_data"]["username"] not in repr(receipt)


@pytest.mark.parametrize("number", [number for number in MEANING_V1 if number != 2])
def test_only_status_2_of_a_virtual_account_awaits_a_deposit(number: int) -> None:
    """All other numbers mean for vbank what they mean for a card."""
    assert MEANING_V1[number] is found(looked_up_v1(v1(status=number, method="vbank"))).status


def test_a_virtual_account_without_a_number_is_none() -> None:
    """There is nothing to pay into yet."""
    receipt = found(looked_up_v1(v1(status=2, method="vbank", payment_data={"bankname": "기업은행"})))

    assert (STATUSES.AWAITING_DEPOSIT, None) == (receipt.status, receipt.account)


def test_generation_2_names_the_account_without_the_buyer() -> None:
    """`sender_name` is the buyer; holder and expiry are the bank's."""
    body = sample("v2_receipt_vbank_issued")
    receipt = found(looked_up_v2(said(body), ReceiptId(body["receipt_id"])))

    assert STATUSES.AWAITING_DEPOSIT is receipt.status
    assert (
        Account(
            bank_name="기업",
            bank_code="003",
            number="12345678901234",
            holder="나이스페이",
            expires_at=datetime(2026, 5, 23, 23, 59, 59, tzinfo=KST),
        )
        == receipt.account
    )
    assert body["vbank_data"]["sender_name"] not in repr(receipt)


# --- amounts, currency, sandbox, times -----------------------------------------------------------------------------


def test_a_receipt_of_generation_2_is_narrowed_to_what_is_judged_by() -> None:
    """Every field, none of the card."""
    answer = v2(price=1200, tax_free=200, cancelled_price=300, cancelled_tax_free=100)

    assert Receipt(
        id=V2,
        order_id="TEST_ORDER_ID",
        status=STATUSES.PAID,
        price=1200,
        tax_free=200,
        cancelled=300,
        cancelled_tax_free=100,
        currency="KRW",
        sandbox=True,
        method="card",
        purchased_at=datetime(2023, 5, 11, 11, 54, 22, tzinfo=KST),
        number=1,
    ) == looked_up_v2(answer)


def test_a_receipt_of_generation_1_is_narrowed_to_what_is_judged_by() -> None:
    """`unit` is the currency in lower case, a time without offset is Korean, and sandbox is not said."""
    body = sample("v1_receipt_partially_cancelled")

    assert Receipt(
        id=V1,
        order_id="1576461949",
        status=STATUSES.PAID,
        price=3000,
        tax_free=1500,
        cancelled=1000,
        cancelled_tax_free=500,
        currency="KRW",
        sandbox=None,
        method="card_rebill_rest",
        purchased_at=datetime(2019, 12, 16, 2, 5, 50, tzinfo=UTC),
        number=1,
    ) == looked_up_v1(said(body))


def test_a_body_of_2018_has_neither_tax_nor_cancel() -> None:
    """What it does not name is nothing."""
    body = sample("v1_receipt_paid_blog")
    receipt = found(looked_up_v1(said(body), ReceiptId(body["data"]["receipt_id"])))

    assert (3000, 0, 0, 0) == (receipt.price, receipt.tax_free, receipt.cancelled, receipt.cancelled_tax_free)


@pytest.mark.parametrize(
    ("written", "currency", "price", "minor"),
    [
        (None, "KRW", 1200, 1200),
        ("", "KRW", 1200, 1200),
        ("KRW", "KRW", 1200.0, 1200),
        ("krw", "KRW", 1200, 1200),
        ("USD", "USD", 12.34, 1234),
        ("usd", "USD", 12, 1200),
    ],
)
def test_currency_says_what_the_price_means(
    written: str | None, currency: str, price: float, minor: int
) -> None:
    """Missing and empty mean won, lower case is alike, and dollars are kept in cents."""
    second = found(looked_up_v2(v2(currency=written, price=price)))
    first = found(looked_up_v1(v1(unit=written, price=price, tax_free=0)))

    assert (currency, minor) == (second.currency, second.price)
    assert (currency, minor) == (first.currency, first.price)


@pytest.mark.parametrize(("written", "sandbox"), [(True, True), (False, False), (None, False), (1, True)])
def test_generation_2_says_whether_it_is_a_test(written: object, sandbox: bool) -> None:
    """What does not say so is real money."""
    assert sandbox is found(looked_up_v2(v2(sandbox=written))).sandbox


def test_what_was_not_yet_paid_has_no_time_of_payment() -> None:
    """An empty time is none."""
    assert found(looked_up_v2(v2(purchased_at=None, status=0))).purchased_at is None
    assert found(looked_up_v1(v1(purchased_at="", status=0))).purchased_at is None


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59+09:00", "0001-01-01T00:00:00+09:00"])
def test_a_moment_that_means_never_is_none(never: str) -> None:
    """The end of the calendar stands for "no deadline" in many a system; added to, it leads out of it."""
    bank = sample("v2_receipt_vbank_issued")["vbank_data"] | {"expired_at": never}
    receipt = found(looked_up_v2(v2(purchased_at=never, vbank_data=bank)))

    assert receipt.account is not None
    assert (None, None) == (receipt.purchased_at, receipt.account.expires_at)


@pytest.mark.parametrize(
    "changed",
    [
        {"price": -1},
        {"price": 1200.5},
        {"price": 10**16},
        {"price": "many"},
        {"price": None},
        {"cancelled_price": -500},
        {"cancelled_price": 0.1},
        {"tax_free": -1},
        {"cancelled_tax_free": 1e300},
        {"status": "paid"},
        {"status": None},
        {"receipt_id": None},
        {"receipt_id": "x"},
        {"order_id": None},
        {"purchased_at": "yesterday"},
    ],
)
def test_what_makes_no_sense_is_doubt_and_nothing_else(changed: dict[str, object]) -> None:
    """A senseless amount, status, id or time of either generation is an unusable answer, never a foreign exception."""
    with pytest.raises(OutcomeUnknown):
        looked_up_v2(v2(**changed))
    with pytest.raises(OutcomeUnknown):
        looked_up_v1(v1(**changed))


@pytest.mark.parametrize("method", ["confirm", "cancel"])
def test_a_senseless_answer_to_moving_money_is_doubt(method: str) -> None:
    """The money may have moved all the same."""
    for answer in (v2(price=-1), v2(receipt_id="x"), v2(price=2 * 10**15), v2(receipt_id=OTHER)):
        gateway = GatewayV2(Wire([answer]))
        with pytest.raises(OutcomeUnknown):
            run(gateway.confirm(V2, 5) if method == "confirm" else gateway.cancel(V2, 5, cancel_id="c"))


def test_generation_2_must_say_what_was_cancelled() -> None:
    """A receipt that is silent about it must not look uncancelled."""
    with pytest.raises(OutcomeUnknown):
        looked_up_v2(v2(cancelled_price=None))


def test_an_amount_beyond_all_orders_is_doubt() -> None:
    """The client takes fifteen digits of major units; as cents they are more than an order may have."""
    with pytest.raises(OutcomeUnknown, match="makes no sense"):
        looked_up_v2(v2(currency="USD", price=999_999_999_999_999))


# --- whose answer it is --------------------------------------------------------------------------------------------


def test_an_answer_about_another_receipt_is_no_answer() -> None:
    """Whatever it says, it says nothing about ours."""
    with pytest.raises(OutcomeUnknown, match="another receipt"):
        looked_up_v2(v2(receipt_id=OTHER))
    with pytest.raises(OutcomeUnknown, match="another receipt"):
        looked_up_v1(v1(receipt_id=OTHER))


def test_the_case_of_an_id_is_no_difference() -> None:
    """Hexadecimal is the same in capitals."""
    assert V2 == found(looked_up_v2(v2(receipt_id=V2.upper()))).id


@pytest.mark.parametrize("code", ["RC_NOT_FOUND", "RC_PAYMENT_NOT_FOUND"])
@pytest.mark.parametrize("status", [404, 400, 200])
def test_a_receipt_unknown_to_generation_2_is_none(code: str, status: int) -> None:
    """By its code, under whatever status it comes; for an order that is an empty list."""
    answer = said({"error_code": code, "message": "x"}, status)

    assert looked_up_v2(answer) is None
    assert [] == list(run(GatewayV2(Wire([answer])).look_up_order(OrderId("o"), 5)))


def test_a_receipt_unknown_to_generation_1_is_none() -> None:
    """404 and any code, as HTTP status or only inside the envelope."""
    body = sample("v1_error_receipt_not_found")

    assert looked_up_v1(said(body, 404)) is None
    assert looked_up_v1(said(body, 200)) is None


def test_a_404_of_another_code_is_unknown_too() -> None:
    """Bootpay's own 404 speaks of what was asked for."""
    assert looked_up_v2(said({"error_code": "NOT_FOUND", "message": "x"}, 404)) is None


@pytest.mark.parametrize("body", [b"", b"<html>nginx</html>", b"{}", b"[]", b"null"])
def test_a_404_without_a_code_is_not_bootpays_word(body: bytes) -> None:
    """A proxy's 404 or a wrong address must not make a paid receipt look as if it never was."""
    for ask in (
        lambda: looked_up_v2(Answer(404, body)),
        lambda: looked_up_v1(Answer(404, body)),
        lambda: run(GatewayV2(Wire([Answer(404, body)])).look_up_order(OrderId("o"), 5)),
    ):
        with pytest.raises(Refused):
            ask()


@pytest.mark.parametrize(("code", "status"), [("APP_KEY_NOT_FOUND", 401), ("PG_DOWN", 503), ("X", 400)])
def test_any_other_refusal_goes_on_as_it_is(code: str, status: int) -> None:
    """Wrong keys say nothing about a receipt."""
    answer = said({"error_code": code, "message": "x"}, status)
    with pytest.raises(Refused, match=code):
        looked_up_v2(answer)
    with pytest.raises(Refused, match=code):
        run(GatewayV2(Wire([answer])).look_up_order(OrderId("o"), 5))
    with pytest.raises(Refused):
        looked_up_v1(said(sample("v1_error_unauthorized"), 401))


@pytest.mark.parametrize("trouble", [NotSent("x"), OutcomeUnknown("x")])
def test_trouble_on_the_way_goes_on_as_it_is(trouble: Exception) -> None:
    """No answer is not "unknown receipt"."""
    for gateway in (GatewayV2(Wire([trouble])), GatewayV1(Wire([trouble]))):
        with pytest.raises(type(trouble)):
            run(gateway.look_up(V2, 5))


# --- what is asked -------------------------------------------------------------------------------------------------


def test_what_each_method_asks() -> None:
    """Path, body and the time that is left, for both generations."""
    second, first = Wire([v2(), said([]), v2()]), Wire([v1(), said(sample("v1_submit_response")), v1()])
    run(GatewayV2(second).look_up(V2, 1))
    run(GatewayV2(second).look_up_order(OrderId("a:b~1"), 2))
    run(GatewayV2(second).confirm(V2, 3))
    run(GatewayV1(first).look_up(V1, 4))
    run(GatewayV1(first).confirm(V1, 5))

    assert [
        ("GET", f"receipt/{V2}", None, False),
        ("GET", "lookup/order/a%3Ab~1", None, False),
        ("POST", "confirm", {"receipt_id": V2}, True),
    ] == [(call.method, call.path, call.body, call.moves_money) for call in second.calls]
    assert [
        ("GET", f"receipt/{V1}", None, False),
        ("POST", "submit.json", {"receipt_id": V1}, True),
        ("GET", f"receipt/{V1}", None, False),
    ] == [(call.method, call.path, call.body, call.moves_money) for call in first.calls]
    assert ([1, 2, 3], [4, 5, 5]) == (second.within, first.within)
    assert ({2}, {1}) == (
        {call.generation for call in second.calls},
        {call.generation for call in first.calls},
    )


def test_every_receipt_of_an_order_is_told() -> None:
    """One order may have been tried several times; ids differ and that is as it should be."""
    answer = said([json.loads(v2().body), json.loads(v2(receipt_id=OTHER, status=-4).body)])
    receipts = run(GatewayV2(Wire([answer])).look_up_order(OrderId("o"), 5))

    assert [(V2, STATUSES.PAID), (OTHER, STATUSES.FAILED)] == [(each.id, each.status) for each in receipts]


@pytest.mark.parametrize(
    "odd", [{"price": -1}, {"price": None}, {"price": "1000.5"}, {"cancelled_price": None}, {"status": "x"}]
)
def test_one_senseless_receipt_of_an_order_hides_no_other(odd: dict[str, Any]) -> None:
    """It is told as unknown: it never pays, and the order does not expire over it."""
    answer = said([json.loads(v2(receipt_id=OTHER, **odd).body), json.loads(v2().body)])
    receipts = run(GatewayV2(Wire([answer])).look_up_order(OrderId("o"), 5))

    assert [(OTHER, STATUSES.UNKNOWN, "o"), (V2, STATUSES.PAID, receipts[1].order_id)] == [
        (each.id, each.status, each.order_id) for each in receipts
    ]


def test_a_listed_receipt_without_an_id_is_doubt_about_the_list() -> None:
    """It could be the one that paid, and nobody could look it up."""
    answer = said([json.loads(v2().body), json.loads(v2(receipt_id="x").body)])
    with pytest.raises(OutcomeUnknown):
        run(GatewayV2(Wire([answer])).look_up_order(OrderId("o"), 5))


def test_generation_1_cannot_look_up_an_order() -> None:
    """It answers nothing and asks nothing."""
    wire = Wire()

    assert ([], []) == (list(run(GatewayV1(wire).look_up_order(OrderId("o"), 5))), wire.calls)


ACCOUNT = {"bank_account": "110-1", "bank_username": "홍길동", "bank_code": "004"}
CANCELS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({}, {}, {}),
    ({"amount": 1500}, {"cancel_price": 1500}, {"price": 1500}),
    (
        {"amount": 1500, "tax_free": 500},
        {"cancel_price": 1500, "cancel_tax_free": 500},
        {"price": 1500, "tax_free": 500},
    ),
    # Without an amount all that is left goes back, its tax-free part included: Bootpay knows how much that is.
    ({"tax_free": 500}, {}, {}),
    (
        {"amount": 1234, "tax_free": 1, "currency": "USD"},
        {"cancel_price": Decimal("12.34"), "cancel_tax_free": Decimal("0.01")},
        {"price": Decimal("12.34"), "tax_free": Decimal("0.01")},
    ),
    ({"amount": 1200, "currency": "USD"}, {"cancel_price": 12}, {"price": 12}),
    ({"reason": "변심"}, {"cancel_message": "변심"}, {"reason": "변심"}),
    (
        {"refund_account": ACCOUNT},
        {"refund": ACCOUNT},
        {"refund": {"account": "110-1", "accountholder": "홍길동", "bankcode": "004"}},
    ),
]


@pytest.mark.parametrize(("asked", "second", "first"), CANCELS)
def test_a_cancel_says_how_much_of_what_goes_where(
    asked: dict[str, Any], second: dict[str, Any], first: dict[str, Any]
) -> None:
    """Minor units become what each generation writes, under its own names, and the id travels with them."""
    wire2, wire1 = Wire([v2()]), Wire([said(sample("v1_cancel_response")), v1()])
    run(GatewayV2(wire2).cancel(V2, 5, cancel_id="c-1", **asked))
    run(GatewayV1(wire1).cancel(V1, 5, cancel_id="c-1", **asked))

    assert {"receipt_id": V2, "cancel_id": "c-1", "cancel_username": "dojang", **second} == wire2.calls[
        0
    ].body
    assert {"receipt_id": V1, "cancel_id": "c-1", "name": "dojang", **first} == wire1.calls[0].body
    assert ("cancel", "cancel.json") == (wire2.calls[0].path, wire1.calls[0].path)
    assert (True, True) == (wire2.calls[0].moves_money, wire1.calls[0].moves_money)
    assert (Encoding.JSON if "refund" in first else Encoding.FORM) is wire1.calls[0].encoding


def test_the_answer_to_a_cancel_of_generation_1_is_the_receipt_read_back() -> None:
    """What the call itself answers knows no currency and no status; it is never judged by."""
    wire = Wire([said(sample("v1_cancel_response")), v1(status=20, cancelled_price=3000)])
    receipt = run(GatewayV1(wire).cancel(V1, 5, cancel_id="c-1"))

    assert (STATUSES.CANCELLED, 3000) == (receipt.status, receipt.cancelled)


# --- generation 1: done, but not read back -------------------------------------------------------------------------

DOUBTS: dict[str, Answer | Exception] = {
    "not sent": NotSent("no time was left"),
    "no answer": OutcomeUnknown("silence"),
    "refused": said(sample("v1_error_unauthorized"), 401),
    "refused by a proxy": Answer(404, b"<html>"),
    "unknown receipt": said(sample("v1_error_receipt_not_found"), 404),
    "another receipt": v1(receipt_id=OTHER),
    "senseless": v1(price=-1),
    "garbage": Answer(200, b"<html>"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
@pytest.mark.parametrize("method", ["confirm", "cancel"])
def test_what_was_done_and_cannot_be_read_back_is_doubt(method: str, doubt: str) -> None:
    """The money has moved: neither `NotSent` nor `Refused` may be told, or somebody would take it for undone."""
    done = said(sample("v1_submit_response" if method == "confirm" else "v1_cancel_response"))
    wire = Wire([done, DOUBTS[doubt]])
    gateway = GatewayV1(wire)

    with pytest.raises(OutcomeUnknown):
        run(gateway.confirm(V1, 5) if method == "confirm" else gateway.cancel(V1, 5, cancel_id="c"))
    assert 2 == len(wire.calls)


@pytest.mark.parametrize("trouble", [NotSent("x"), OutcomeUnknown("x"), Refused("-1", "x", http_status=404)])
@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("method", ["confirm", "cancel"])
def test_moving_money_that_fails_is_told_as_it_is_and_nothing_more_is_sent(
    method: str, generation: int, trouble: Exception
) -> None:
    """Once, and a refusal is never turned into "unknown receipt"."""
    wire = Wire([trouble])
    gateway = GatewayV2(wire) if generation == 2 else GatewayV1(wire)

    with pytest.raises(type(trouble)):
        run(gateway.confirm(V1, 5) if method == "confirm" else gateway.cancel(V1, 5, cancel_id="c"))
    assert 1 == len(wire.calls)
