"""Bodies are shaped as recorded: the same keys present, null or absent in each state, of the same types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dojang.emulator import v1, v2
from dojang.emulator.asking import Ask
from dojang.emulator.books import Receipt
from dojang.emulator.faces import v1_receipt, v2_receipt
from dojang.emulator.ledger import Checkout, Issuance, Ledger, Person

Sample = Callable[[str], Any]


def shape(value: object) -> object:
    """The keys and types of a body; all numbers are one type."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return "number"


def opened(ledger: Ledger, **fields: Any) -> Receipt:
    """An open checkout with merchant data, as in the recordings."""
    return ledger.open_checkout(
        Checkout(**({"order_id": "o1", "price": 1200, "metadata": {"id": 1}} | fields))
    )


def paid(ledger: Ledger, **fields: Any) -> Receipt:
    """A paid receipt."""
    return ledger.approve(opened(ledger, **fields).receipt_id)


def deposited(ledger: Ledger, **fields: Any) -> Receipt:
    """A virtual account with its deposit."""
    return ledger.deposit(ledger.issue(opened(ledger, method="vbank", **fields).receipt_id).receipt_id)


def part_cancelled(ledger: Ledger, **fields: Any) -> Receipt:
    """A receipt of which 500 went back."""
    return ledger.cancel(paid(ledger, **fields).receipt_id, 500)


def shipped(ledger: Ledger) -> Receipt:
    """An escrow payment on its way."""
    return ledger.start_shipping(
        paid(ledger, escrow=True).receipt_id, tracking_number="1", delivery_corp="한진"
    )


V2_STATES: dict[str, Callable[[Ledger], Receipt]] = {
    "v2_receipt_waiting.json": opened,
    "v2_receipt_confirm_pending.json": lambda ledger: paid(ledger, separately_confirmed=True),
    "v2_receipt_card_paid.json": paid,
    "v2_receipt_phone_paid.json": lambda ledger: paid(ledger, method="휴대폰"),
    "v2_receipt_bank_paid.json": lambda ledger: paid(ledger, method="bank", metadata={}),
    "v2_receipt_kakao_money_paid.json": lambda ledger: paid(ledger, method="kakao"),
    "v2_receipt_vbank_issued.json": lambda ledger: ledger.issue(opened(ledger, method="vbank").receipt_id),
    "v2_receipt_vbank_paid.json": deposited,
    "v2_receipt_approval_failed.json": lambda ledger: ledger.decline(opened(ledger).receipt_id),
    "v2_receipt_cancelled.json": lambda ledger: ledger.cancel(paid(ledger).receipt_id),
    "v2_cancel_response_full.json": lambda ledger: ledger.cancel(paid(ledger).receipt_id),
    "v2_receipt_partially_cancelled.json": part_cancelled,
    "v2_cancel_response_partial.json": part_cancelled,
    "v2_receipt_escrow_shipping.json": shipped,
}


@pytest.mark.parametrize("name", V2_STATES)
def test_v2_receipt_has_the_recorded_shape_and_status(name: str, sample: Sample) -> None:
    """Each state of a receipt, as the second generation shows it."""
    ledger = Ledger()
    seen = v2_receipt(V2_STATES[name](ledger), ledger.rules)

    assert shape(sample(name)) == shape(seen)
    assert sample(name)["status"] == seen["status"]
    assert sample(name)["status_locale"] == seen["status_locale"]


def test_buyer_is_shown_only_when_asked_for(sample: Sample) -> None:
    """`lookup_user_data` adds the buyer."""
    ledger = Ledger()
    buyer = {"id": "u", "username": "홍길동", "email": "a@example.com", "phone": "01012345678"}
    receipt_id = paid(ledger, user=buyer).receipt_id

    assert shape(sample("v2_receipt_with_user_data.json")) == shape(ledger.receipt(receipt_id, user=True))
    assert "user" not in ledger.receipt(receipt_id)


V1_STATES: dict[str, Callable[[Ledger], Receipt]] = {
    "v1_receipt_confirm_pending.json": lambda ledger: paid(ledger, separately_confirmed=True, metadata=None),
    "v1_receipt_paid.json": lambda ledger: paid(ledger, metadata=None),
    "v1_receipt_vbank_waiting.json": lambda ledger: ledger.issue(opened(ledger, metadata=None).receipt_id),
    "v1_receipt_vbank_paid.json": lambda ledger: deposited(ledger, metadata=None),
    "v1_receipt_cancelled.json": lambda ledger: ledger.cancel(paid(ledger, metadata=None).receipt_id),
    "v1_receipt_partially_cancelled.json": lambda ledger: part_cancelled(ledger, metadata=None),
}


@pytest.mark.parametrize("name", V1_STATES)
def test_v1_receipt_has_the_recorded_shape_and_status(name: str, sample: Sample) -> None:
    """The same receipts with the first generation's face and numbers."""
    ledger = Ledger()
    seen = v1_receipt(V1_STATES[name](ledger), ledger.rules)
    payment_data = seen["payment_data"]
    assert isinstance(payment_data, dict)
    recorded = sample(name)["data"]
    if "card_code" not in recorded["payment_data"]:
        payment_data.pop("card_code", None)  # some payment companies name it, some do not

    assert shape(recorded) == shape(seen)
    assert recorded["status"] == seen["status"]


@pytest.mark.parametrize("name", ["v1_receipt_paid_blog.json", "v1_receipt_vbank_paid.json"])
def test_old_receipt_loaded_is_shown_exactly(name: str, sample: Sample) -> None:
    """A recorded v1 body loaded into the ledger is read back value for value."""
    ledger = Ledger()
    receipt = ledger.load_receipt(sample(name)["data"])

    assert sample(name)["data"] == v1_receipt(receipt, ledger.rules)


@pytest.mark.parametrize("name", ["v2_receipt_card_paid.json", "v2_receipt_cancelled.json"])
def test_new_receipt_loaded_is_shown_exactly(name: str, sample: Sample) -> None:
    """A recorded v2 body loaded into the ledger is read back value for value."""
    ledger = Ledger()
    receipt = ledger.load_receipt(sample(name))

    assert sample(name) == v2_receipt(receipt, ledger.rules)


def key(ledger: Ledger, **fields: Any) -> Receipt:
    """A billing key from card data."""
    asked = Issuance(**({"pg": "nicepay", "order_name": "구독", "subscription_id": "s1"} | fields))
    return ledger.issue_card_key(asked, "5570420412341074", "31", "12")


def account_key(ledger: Ledger) -> Receipt:
    """A billing key waiting for an account holder's consent."""
    asked = Issuance(pg="nicepay", order_name="구독", subscription_id="s1", price=1000)
    return ledger.request_account_key(asked, bank="국민은행", account="1234567890", holder="홍길동")


def answer_of(ledger: Ledger, method: str, path: str, **body: object) -> object:
    """What an endpoint answers, without its wires."""
    routes = v2.ROUTES if path.startswith("/v2/") else v1.ROUTES
    for route in routes:
        found = route.pattern.fullmatch(path)
        if found is not None and route.method == method:
            return route.answer(ledger, Ask(found.groupdict(), {}, body))
    raise AssertionError(path)


def test_v2_billing_bodies_have_the_recorded_shapes(sample: Sample) -> None:
    """Keys for cards and accounts, the charge, and the three bodies of a reservation."""
    ledger = Ledger()
    card = key(ledger)
    charge = {
        "billing_key": card.billing_key,
        "order_id": "m1",
        "order_name": "구독",
        "price": 29000,
        "user": {"username": "홍길동", "phone": "01012345678"},
        "reserve_execute_at": "2026-06-01T00:00:00+09:00",
    }
    account = account_key(ledger)
    transfer = v2_receipt(account, ledger.rules)
    paid_now = answer_of(ledger, "POST", "/v2/subscribe/payment", **charge)
    booked = answer_of(ledger, "POST", "/v2/subscribe/payment/reserve", **charge)
    assert isinstance(booked, dict)
    reserve = f"/v2/subscribe/payment/reserve/{booked['reserve_id']}"

    assert shape(sample("v2_billing_key_lookup_card.json")) == shape(ledger.billing(card))
    assert shape(sample("v2_automatic_transfer_request_response.json")) == shape(transfer)
    ledger.publish_account_key(account.receipt_id)
    assert shape(sample("v2_billing_key_lookup_bank.json")) == shape(ledger.billing(account))
    assert shape(sample("v2_subscribe_payment_response.json")) == shape(paid_now)
    assert shape(sample("v2_reserve_response.json")) == shape(booked)
    assert shape(sample("v2_reserve_lookup_response.json")) == shape(answer_of(ledger, "GET", reserve))
    assert shape(sample("v2_reserve_cancel_response.json")) == shape(answer_of(ledger, "DELETE", reserve))
    gone = answer_of(ledger, "DELETE", f"/v2/subscribe/billing_key/{card.billing_key}")
    assert shape(sample("v2_billing_key_destroy_response.json")) == shape(gone)


def test_v2_other_bodies_have_the_recorded_shapes(sample: Sample) -> None:
    """Tokens, identity checks, cash receipts, look-up by order."""
    ledger = Ledger()
    keys = {"application_id": "a", "private_key": "b"}
    person = Person(
        pg="danal",
        method="auth",
        authentication_id="a1",
        username="홍길동",
        identity_no="900101",
        carrier="SKT",
        phone="01012345678",
    )
    asked = ledger.request_authentication(person)
    cash = {"order_id": "c1", "order_name": "책", "identity_no": "01012345678", "price": 1000}
    issued = answer_of(ledger, "POST", "/v2/request/cash/receipt", **cash)
    assert isinstance(issued, dict)
    ledger.cancel(paid(ledger).receipt_id)
    paid(ledger)
    orders = answer_of(ledger, "GET", "/v2/lookup/order/o1")

    assert shape(sample("v2_token_response.json")) == shape(
        answer_of(ledger, "POST", "/v2/request/token", **keys)
    )
    assert shape(sample("v2_user_token_response.json")) == shape(
        answer_of(ledger, "POST", "/v2/request/user/token", user_id="u")
    )
    waiting = ledger.certificate_view(asked)
    assert shape(sample("v2_authentication_request_response.json")) == shape(waiting)
    known = answer_of(ledger, "POST", "/v2/authenticate/confirm", receipt_id=asked.receipt_id, otp="123456")
    assert shape(sample("v2_certificate_response.json")) == shape(known)
    assert shape(sample("v2_cash_receipt_issue_response.json")) == shape(issued)
    assert shape(sample("v2_cash_receipt_cancel_response.json")) == shape(
        answer_of(ledger, "DELETE", f"/v2/request/cash/receipt/{issued['receipt_id']}")
    )
    assert shape(sample("v2_lookup_order_response.json")) == shape(orders)


def test_v1_bodies_have_the_recorded_shapes(sample: Sample) -> None:
    """Token, cancel, submit, billing and certificate inside the first generation's envelope."""
    ledger = Ledger()

    def recorded(name: str) -> object:
        return shape(sample(name)["data"])

    token = answer_of(ledger, "POST", "/request/token", application_id="a", private_key="b")
    assert recorded("v1_token_response.json") == shape(token)
    pending = paid(ledger, separately_confirmed=True)
    assert recorded("v1_submit_response.json") == shape(
        answer_of(ledger, "POST", "/submit.json", receipt_id=pending.receipt_id)
    )
    assert recorded("v1_cancel_response.json") == shape(
        answer_of(ledger, "POST", "/cancel.json", receipt_id=pending.receipt_id)
    )
    card = {"card_no": "5570420412341074", "card_pw": "12", "expire_year": "31", "expire_month": "12"}
    issued = answer_of(
        ledger,
        "POST",
        "/request/card_rebill.json",
        **card,
        pg="nicepay",
        order_id="k",
        item_name="구독",
        identify_number="900101",
    )
    assert isinstance(issued, dict)
    assert recorded("v1_card_rebill_response.json") == shape(issued)
    charge = {"billing_key": issued["billing_key"], "order_id": "m", "item_name": "구독", "price": "3000"}
    assert recorded("v1_subscribe_billing_response.json") == shape(
        answer_of(ledger, "POST", "/subscribe/billing.json", **charge)
    )
    assert recorded("v1_subscribe_reserve_response.json") == shape(
        answer_of(ledger, "POST", "/subscribe/billing/reserve.json", **charge, execute_at="1900000000")
    )
    person = ledger.approve(ledger.open_checkout(Checkout(authentication_id="a1")).receipt_id)
    assert recorded("v1_certificate_response.json") == shape(
        answer_of(ledger, "GET", f"/certificate/{person.receipt_id}")
    )
    assert recorded("v1_user_token_response.json") == shape(
        answer_of(ledger, "POST", "/request/user/token.json", user_id="u")
    )


def test_v2_webhook_bodies_have_the_recorded_shapes(sample: Sample) -> None:
    """Each event's body: the receipt of that moment and its type."""
    ledger = Ledger(webhook_url="http://shop.example/")
    noisy = {"enable_error_webhook": True, "common_event_webhook": True}
    ledger.cancel(paid(ledger).receipt_id)
    part_cancelled(ledger)
    deposited(ledger)
    ledger.decline(opened(ledger, extra=noisy).receipt_id)
    paid(ledger, client_sdk="4.3.4")
    opened(ledger, extra=noisy)
    ledger.advance(1800)
    bodies = [hook.body for hook in ledger.state.webhooks.values()]
    names = [
        "v2_webhook_payment_completed.json",
        "v2_webhook_cancelled.json",
        "v2_webhook_payment_completed.json",
        "v2_webhook_partial_cancelled_status1.json",
        "v2_webhook_virtual_account_issued.json",
        "v2_webhook_virtual_account_deposited.json",
        "v2_webhook_confirm_failed.json",
        "v2_webhook_legacy_no_type.json",
        "v2_webhook_expired.json",
    ]

    assert [shape(sample(name)) for name in names] == [shape(body) for body in bodies]
    assert [sample(name).get("webhook_type") for name in names] == [
        body.get("webhook_type") for body in bodies
    ]
    assert [sample(name)["status"] for name in names] == [body["status"] for body in bodies]


def test_v1_webhook_bodies_have_the_recorded_shapes(sample: Sample) -> None:
    """The old feedback as a form carries the private key and the count of repetitions; as JSON it does not."""
    ledger = Ledger(webhook_url="http://shop.example/")
    ledger.cancel(paid(ledger, generation=1, metadata=None).receipt_id)
    paid(ledger, generation=1, metadata=None, content_type="json")
    deposited(ledger, generation=1, metadata=None)
    bodies = [hook.body for hook in ledger.state.webhooks.values()]
    names = [
        "v1_webhook_form_parsed.json",
        "v1_webhook_cancelled_form_parsed.json",
        "v1_webhook_json.json",
        "v1_webhook_vbank_deposit_form_parsed.json",
    ]

    assert [shape(sample(name)) for name in names] == [shape(body) for body in bodies]
