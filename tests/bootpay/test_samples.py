"""Every recorded body of generation 2 is decoded by its type, and its fields are what they should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dojang.bootpay import Receipt, ReceiptStatus
from dojang.bootpay.endpoints import (
    authentication,
    automatic_transfer,
    billing_keys,
    cash_receipts,
    easy_pay,
    escrow,
    payments,
    subscriptions,
    tokens,
)
from dojang.bootpay.wire import Wire

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"
ID = "645c58be755e270022e1e8db"

RECEIPT = payments.receipt(ID).read
READERS: dict[str, Callable[[bytes], Any]] = {
    "authentication_request_response": authentication.resend_authentication(ID).read,
    "automatic_transfer_request_response": RECEIPT,
    "billing_key_destroy_response": billing_keys.destroy_billing_key(ID).read,
    "billing_key_lookup_bank": automatic_transfer.publish_automatic_transfer(ID).read,
    "billing_key_lookup_card": billing_keys.billing_key_of_receipt(ID).read,
    "cancel_response_full": payments.cancel(ID).read,
    "cancel_response_partial": payments.cancel(ID).read,
    "cash_receipt_cancel_response": cash_receipts.cancel_cash_receipt(ID).read,
    "cash_receipt_issue_response": cash_receipts.publish_cash_receipt(ID, identity_no="1").read,
    "certificate_response": authentication.certificate(ID).read,
    "lookup_order_response": payments.lookup_order("o").read,
    "receipt_approval_failed": RECEIPT,
    "receipt_bank_paid": RECEIPT,
    "receipt_cancelled": RECEIPT,
    "receipt_card_paid": payments.confirm(ID).read,
    "receipt_confirm_pending": RECEIPT,
    "receipt_escrow_shipping": escrow.start_shipping(ID, tracking_number="1", delivery_corp="한진").read,
    "receipt_kakao_money_paid": RECEIPT,
    "receipt_partially_cancelled": RECEIPT,
    "receipt_phone_paid": RECEIPT,
    "receipt_vbank_issued": RECEIPT,
    "receipt_vbank_paid": RECEIPT,
    "receipt_waiting": RECEIPT,
    "receipt_with_user_data": RECEIPT,
    "reserve_cancel_response": subscriptions.cancel_reserved_payment(ID).read,
    "reserve_lookup_response": subscriptions.reserved_payment(ID).read,
    "reserve_response": subscriptions.reserve_payment(
        ID, order_id="o", order_name="n", price=1, reserve_execute_at="2026-06-01T00:00:00+09:00"
    ).read,
    "subscribe_payment_response": subscriptions.pay_with_billing_key(
        ID, order_id="o", order_name="n", price=1
    ).read,
    "token_response": tokens.request_token(application_id="a", private_key="p").read,
    "user_token_response": easy_pay.request_user_token("u").read,
    "wallets_response": easy_pay.wallets("u").read,
}

# Bodies of another kind: errors and webhooks have tests of their own, the rest is never an answer to a call.
ELSEWHERE = ("error_", "webhook_")
NO_ANSWERS = {"js_events", "redirect_query", "status_codes", "shipping_start_request"}


def load(name: str) -> bytes:
    return (SAMPLES / f"v2_{name}.json").read_bytes()


def test_every_answer_has_a_type() -> None:
    """No recorded answer of generation 2 is left out."""
    recorded = {path.stem.removeprefix("v2_") for path in SAMPLES.glob("v2_*.json")}
    answers = {name for name in recorded if not name.startswith(ELSEWHERE)} - NO_ANSWERS

    assert answers == READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_every_field_of_every_answer(name: str) -> None:
    """Each field of the body is there under its own name with its own value, and nothing is lost in `raw`."""
    body = json.loads(load(name), parse_float=Decimal)
    value = READERS[name](load(name))

    if isinstance(body, list):
        assert len(body) == len(value)
        for element, decoded in zip(body, value, strict=True):
            agree(element, decoded, complete=True)
    else:
        agree(body, value, complete=True)


def agree(body: dict[str, Any], value: Wire, *, complete: bool) -> None:
    """Field by field, nested objects included."""
    if complete:
        assert body == value.raw
    for name, wire in body.items():
        decoded = getattr(value, name)
        if isinstance(decoded, Wire):
            agree(wire, decoded, complete=False)
        elif isinstance(decoded, datetime):
            assert datetime.fromisoformat(wire) == decoded
            assert decoded.utcoffset() == timedelta(hours=9)
        else:
            assert wire == decoded
            assert not isinstance(wire, Decimal)


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"lookup_order_response", "wallets_response"}))
def test_null_and_unknown_fields_change_nothing(name: str) -> None:
    """Optional fields may be null or missing, new ones may appear, and sub-objects may grow too."""
    body = json.loads(load(name))
    kind = type(READERS[name](load(name)))
    required = {field.name for field in msgspec.structs.fields(kind) if field.required}
    optional = set(kind.__struct_fields__) - required
    wide = {**dict.fromkeys(optional), **{k: body[k] for k in required}, "tomorrow": {"x": [1, None]}}
    narrow = {k: body[k] for k in required}

    both = READERS[name](json.dumps(wide).encode()), READERS[name](json.dumps(narrow).encode())

    assert both[0] == both[1]
    assert {"x": [1, None]} == both[0].raw["tomorrow"]


@pytest.mark.parametrize("price", ["1200", "1200.0", '"1200"', "1.2e3", "1200.00"])
def test_amounts_may_be_written_in_any_way(price: str) -> None:
    """1200, 1200.0 and "1200" are the same amount, and look the same."""
    body = load("receipt_card_paid").replace(b'"price": 1200', b'"price": ' + price.encode())
    receipt: Receipt = RECEIPT(body)

    assert (Decimal(1200), "1200", True) == (receipt.price, str(receipt.price), receipt.price == 1200)


@pytest.mark.parametrize(
    ("wire", "number", "meaning"),
    [
        (b"1", 1, ReceiptStatus.PAID),
        (b"2.0", 2, ReceiptStatus.AWAITING_CONFIRM),
        (b'"11"', 11, ReceiptStatus.BILLING_KEY_ISSUED),
        (b'"2.0"', 2, ReceiptStatus.AWAITING_CONFIRM),
        (b"-15", -15, None),
        (b"777", 777, None),
    ],
)
def test_status_numbers_survive(wire: bytes, number: int, meaning: ReceiptStatus | None) -> None:
    """Any number is kept as it is; documented ones have a meaning."""
    receipt: Receipt = RECEIPT(load("receipt_card_paid").replace(b'"status": 1', b'"status": ' + wire))

    assert (number, meaning) == (receipt.status, receipt.known_status)
    assert type(receipt.status) is int


@pytest.mark.parametrize("status", [b'"paid"', b"1.5", b"null", b"true", b"[]"])
def test_a_status_that_is_no_number_is_refused(status: bytes) -> None:
    """Not a whole number: no status."""
    with pytest.raises(msgspec.ValidationError, match="status"):
        RECEIPT(load("receipt_card_paid").replace(b'"status": 1', b'"status": ' + status))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-20T15:10:02+09:00", "2026-05-20T06:10:02+00:00"),
        ("2026-05-20T15:10:02+0900", "2026-05-20T06:10:02+00:00"),
        ("2026-05-20T06:10:02Z", "2026-05-20T06:10:02+00:00"),
        ("2026-05-20T15:10:02", "2026-05-20T06:10:02+00:00"),
        ("2026-05-20 15:10:02", "2026-05-20T06:10:02+00:00"),
        ("2026-05-20T15:10:02.500+09:00", "2026-05-20T06:10:02.500000+00:00"),
    ],
)
def test_times_are_aware(text: str, expected: str) -> None:
    """Any offset is kept; none means Korean time."""
    body = json.loads(load("receipt_card_paid"))
    receipt: Receipt = RECEIPT(json.dumps({**body, "purchased_at": text}).encode())

    assert receipt.purchased_at is not None
    assert datetime.fromisoformat(expected) == receipt.purchased_at


def test_an_empty_time_is_no_time() -> None:
    """An empty text where a time may be means that it has not happened."""
    body = json.loads(load("receipt_card_paid"))

    assert RECEIPT(json.dumps({**body, "cancelled_at": ""}).encode()).cancelled_at is None


def test_numbers_where_texts_belong() -> None:
    """Gateways write codes as numbers now and then; that must not stop a verification."""
    body = json.loads(load("receipt_card_paid"))
    body["card_data"] |= {"card_quota": 0, "card_approve_no": 49397854, "point": "0"}
    body |= {"metadata": "[]", "tax_free": None, "sandbox": 1, "order_id": 77, "card_data": body["card_data"]}
    receipt: Receipt = RECEIPT(json.dumps(body).encode())
    assert receipt.card_data is not None

    assert ("0", "49397854", {}, 0, True, "77") == (
        receipt.card_data.card_quota,
        receipt.card_data.card_approve_no,
        receipt.metadata,
        receipt.tax_free,
        receipt.sandbox,
        receipt.order_id,
    )


@pytest.mark.parametrize("name", ["receipt_id", "order_id", "price", "cancelled_price", "status"])
def test_a_receipt_must_say_what_judging_needs(name: str) -> None:
    """What a judgement rests on is never guessed: missing or null, it is no receipt."""
    body = json.loads(load("receipt_card_paid"))
    missing = {key: value for key, value in body.items() if key != name}

    for broken in (missing, {**body, name: None}):
        with pytest.raises(msgspec.ValidationError, match=name):
            RECEIPT(json.dumps(broken).encode())


def test_what_is_left_of_a_payment() -> None:
    """Generation 2 sends no remaining amount: it is the price less the running total."""
    assert 700 == RECEIPT(load("receipt_partially_cancelled")).remaining


def test_foreign_amounts_have_cents() -> None:
    """USD keeps two decimals exactly."""
    body = json.loads(load("receipt_card_paid"))
    text = json.dumps({**body, "currency": "USD", "price": "@"}).replace('"@"', "12.10")

    assert Decimal("12.10") == RECEIPT(text.encode()).price


def test_the_service_wallet_is_whatever_it_is() -> None:
    """Bootpay documents no shape: any JSON is kept in `raw`, none of it shown."""
    wallet = easy_pay.service_wallet().read(b'{"balance": 1, "card_no": "4111"}')

    assert ({"balance": 1, "card_no": "4111"}, "ServiceWallet()") == (wallet.raw, repr(wallet))


def test_payment_methods_keep_what_is_unknown() -> None:
    """Only pg and method are guessed at; the rest is in `raw`."""
    (method,) = easy_pay.payment_methods().read(b'[{"pg": "kcp", "method": "card", "x": 1}]')

    assert ("kcp", "card", 1) == (method.pg, method.method, method.raw["x"])
