"""Billing keys, what is booked on them, who people are, and the papers beside the money."""

from __future__ import annotations

from typing import Any

import pytest

from dojang.emulator.books import Receipt
from dojang.emulator.ledger import Charge, Checkout, Issuance, Ledger, LedgerRefusal, Person


def refused(code: str) -> Any:
    """The block must be refused with this code."""
    return pytest.raises(LedgerRefusal, check=lambda refusal: refusal.error_code == code)


def key(ledger: Ledger, **fields: Any) -> Receipt:
    """A billing key from card data."""
    asked = Issuance(**({"pg": "nicepay", "order_name": "구독", "subscription_id": "s1"} | fields))
    return ledger.issue_card_key(asked, "5570420412341074", "31", "12")


def charge(receipt: Receipt, **fields: Any) -> Charge:
    """A charge on that key."""
    asked = {"billing_key": receipt.billing_key, "order_id": "m1", "order_name": "구독", "price": 29000}
    return Charge(**(asked | fields))


def test_reservation_charges_at_its_own_time() -> None:
    """Moving the clock far beyond executes it as of its moment, and tells the address it named."""
    ledger = Ledger()
    issued = key(ledger)
    at = ledger.now() + 3600
    reserve = ledger.reserve(charge(issued, feedback_url="http://shop.example/"), at)
    ledger.advance(86400)
    receipt = ledger.find(str(reserve.receipt_id))

    assert (1, 1, at) == (reserve.status, receipt.status, receipt.purchased_at)
    assert ["http://shop.example/"] == [hook.url for hook in ledger.state.webhooks.values()]


def test_destroyed_key_fails_its_reservations() -> None:
    """They stay booked when the key goes, cannot be taken back, and fail at their time."""
    ledger = Ledger()
    issued = key(ledger)
    reserve = ledger.reserve(charge(issued), ledger.now() + 60)
    ledger.destroy_key(issued.billing_key)
    with refused("SUBSCRIBE_BK_EXPIRED"):
        ledger.cancel_reserve(reserve.reserve_id)
    ledger.advance(60)

    assert (-11, 2, None) == (issued.status, reserve.status, reserve.receipt_id)


def test_ten_reservations_wait_on_one_key() -> None:
    """The eleventh is refused until one is done or taken back."""
    ledger = Ledger()
    issued = key(ledger)
    booked = [ledger.reserve(charge(issued, order_id=f"m{n}"), ledger.now() + 60) for n in range(10)]
    with refused("INVALID_REQUEST_PARAMS"):
        ledger.reserve(charge(issued, order_id="m10"), ledger.now() + 60)
    ledger.cancel_reserve(booked[0].reserve_id)

    assert 0 == ledger.reserve(charge(issued, order_id="m10"), ledger.now() + 60).status
    with refused("INVALID_REQUEST_PARAMS"):
        ledger.cancel_reserve(booked[0].reserve_id)


def test_order_id_is_charged_once() -> None:
    """Unlike in windows, a key never pays one order id twice, not even cancelled in between."""
    ledger = Ledger()
    issued = key(ledger)
    first = ledger.charge(charge(issued))
    ledger.cancel(first.receipt_id)
    with refused("RC_CONFIRM_FAILED"):
        ledger.charge(charge(issued))

    assert [20] == [receipt["status"] for receipt in ledger.lookup_order("m1")]


@pytest.mark.parametrize("quota", ["1", "13", "x", "3"])
def test_instalments_have_rules(quota: str) -> None:
    """One month is none, twelve is the most, and small amounts are paid at once."""
    ledger = Ledger()
    with refused("INVALID_REQUEST_PARAMS"):
        ledger.charge(charge(key(ledger), quota=quota))

    assert "03" == (ledger.charge(charge(key(ledger), quota="3", price=50000)).details or {})["card_quota"]


def test_price_of_an_issuance_is_charged_at_once() -> None:
    """The key comes with its first payment; a repeated subscription id issues nothing."""
    ledger = Ledger()
    issued = key(ledger, price=1000)
    with refused("RC_CONFIRM_FAILED"):
        key(ledger, price=1000)

    assert 1 == ledger.find(issued.charge_receipt_id).status
    assert 1 == len(ledger.state.billing_keys)


@pytest.mark.parametrize(
    ("month", "year", "code"), [("13", "31", "RC_INVALID_EXP_MONTH"), ("12", "25", "RC_CONFIRM_FAILED")]
)
def test_card_must_be_valid(month: str, year: str, code: str) -> None:
    """A thirteenth month is no month, a past one is no card."""
    asked = Issuance(pg="nicepay", order_name="구독", subscription_id="s1")
    with refused(code):
        Ledger().issue_card_key(asked, "5570420412341074", year, month)


def test_window_issues_a_key() -> None:
    """40, then 11 when the buyer agrees; declined it is -40; a payment's receipt has no key."""
    ledger = Ledger()
    agreed = ledger.open_checkout(Checkout(subscription_id="s1"))
    declined = ledger.open_checkout(Checkout(subscription_id="s2"))
    before = agreed.status
    ledger.approve(agreed.receipt_id)
    ledger.decline(declined.receipt_id)

    assert (40, 11, -40) == (before, agreed.status, declined.status)
    assert agreed.billing_key == ledger.billing_of_receipt(agreed.receipt_id)["billing_key"]
    payment = ledger.open_checkout(Checkout(order_id="o", price=1000))
    with refused("RC_NOT_SUBSCRIBE"):
        ledger.billing_of_receipt(payment.receipt_id)


def test_key_is_shown_to_its_owner() -> None:
    """Another buyer's id finds nothing."""
    ledger = Ledger()
    issued = key(ledger, user={"id": "u1"})

    assert 11 == ledger.billing_of_key(issued.billing_key, user_id="u1")["status"]
    with refused("RC_NOT_FOUND"):
        ledger.billing_of_key(issued.billing_key, user_id="u2")


def person(**fields: Any) -> Person:
    """Somebody to identify."""
    asked = {
        "pg": "danal",
        "method": "auth",
        "authentication_id": "a1",
        "username": "홍길동",
        "identity_no": "0505054",
        "carrier": "SKT",
        "phone": "01012345678",
    }
    return Person(**(asked | fields))


def test_identity_check_lasts_half_an_hour() -> None:
    """Asked too late, and read too late: expired both."""
    ledger = Ledger()
    slow, quick = (ledger.request_authentication(person(authentication_id=id_)) for id_ in ("a1", "a2"))
    ledger.confirm_authentication(quick.receipt_id, "123456")
    ledger.advance(1801)

    assert {"birth": "2005-05-05", "gender": 0}.items() <= (quick.authentication or {}).items()
    with refused("AUTH_EXPIRED"):
        ledger.confirm_authentication(slow.receipt_id, "123456")
    with refused("AUTH_EXPIRED"):
        ledger.certificate(quick.receipt_id)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("pg", "", "AUTH_NEED_PG_METHOD"),
        ("carrier", "AT&T", "AUTH_CONFIRM_READY_FAILED"),
        ("phone", "1234", "AUTH_CONFIRM_READY_FAILED"),
        ("identity_no", "90", "AUTH_CONFIRM_READY_FAILED"),
    ],
)
def test_identity_check_needs_a_person(field: str, value: str, code: str) -> None:
    """Data that can belong to nobody are refused."""
    with refused(code):
        Ledger().request_authentication(person(**{field: value}))


def test_cash_receipt_needs_a_deposit_without_one() -> None:
    """Cards have none, deposits have one at most, and numbers must be somebody's."""
    ledger = Ledger()
    card = ledger.approve(ledger.open_checkout(Checkout(order_id="o1", price=1000)).receipt_id)
    bank = ledger.approve(ledger.open_checkout(Checkout(order_id="o2", price=1000, method="bank")).receipt_id)
    ledger.publish_cash_receipt(bank.receipt_id, "01012345678", "지출증빙")

    assert 2 == (bank.cash_receipt_data or {})["cash_receipt_type"]
    for receipt in (card, bank):
        with refused("RC_CASH_RECEIPT_FAILED"):
            ledger.publish_cash_receipt(receipt.receipt_id, "01012345678", "소득공제")
