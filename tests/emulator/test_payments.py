"""The ledger's rules about money: what follows what, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from dojang.emulator.books import Receipt
from dojang.emulator.faces import v1_receipt
from dojang.emulator.ledger import Checkout, Ledger, LedgerRefusal, Rules

ACCOUNT: dict[str, object] = {"bank_account": "123", "bank_username": "홍길동", "bank_code": "004"}


def opened(ledger: Ledger, **fields: Any) -> Receipt:
    """An open checkout."""
    return ledger.open_checkout(Checkout(**({"order_id": "o1", "price": 3000} | fields)))


def paid(ledger: Ledger, **fields: Any) -> Receipt:
    """A paid receipt."""
    return ledger.approve(opened(ledger, **fields).receipt_id)


def refused(code: str) -> Any:
    """The block must be refused with this code."""
    return pytest.raises(LedgerRefusal, check=lambda refusal: refusal.error_code == code)


def test_separate_confirmation_takes_two_steps() -> None:
    """0, 2, 1; a second confirmation is refused."""
    ledger = Ledger()
    receipt = opened(ledger, separately_confirmed=True)
    seen = [
        receipt.status,
        ledger.approve(receipt.receipt_id).status,
        ledger.confirm(receipt.receipt_id).status,
    ]

    assert [0, 2, 1] == seen
    with refused("RC_NOT_CONFIRM_READY"):
        ledger.confirm(receipt.receipt_id)


@pytest.mark.parametrize("pg", ["payapp", "payletter", "키움페이"])
def test_some_companies_never_wait_for_the_shop(pg: str) -> None:
    """They approve at once, whatever the shop asked."""
    assert 1 == paid(Ledger(), separately_confirmed=True, pg=pg).status


@pytest.mark.parametrize("step", ["open", "declined", "closed", "waiting", "paid", "cancelled"])
def test_confirm_needs_status_2(step: str) -> None:
    """Anything else is not ready, and stays what it was."""
    ledger = Ledger()
    receipt = opened(ledger)
    steps = {
        "open": [],
        "declined": [ledger.decline],
        "closed": [ledger.close],
        "waiting": [ledger.issue],
        "paid": [ledger.approve],
        "cancelled": [ledger.approve, ledger.cancel],
    }
    for take in steps[step]:
        take(receipt.receipt_id)
    before = receipt.status
    with refused("RC_NOT_CONFIRM_READY"):
        ledger.confirm(receipt.receipt_id)

    assert before == receipt.status


def test_unconfirmed_authorisation_fails_after_its_window() -> None:
    """Half an hour, then -2 and not ready; a second before, it can be confirmed."""
    late, timely = Ledger(), Ledger()
    first = paid(late, separately_confirmed=True)
    second = paid(timely, separately_confirmed=True)
    late.advance(1800)
    timely.advance(1799)

    assert -2 == late.receipt(first.receipt_id)["status"]
    assert 1 == timely.confirm(second.receipt_id).status
    with refused("RC_NOT_CONFIRM_READY"):
        late.confirm(first.receipt_id)


def test_virtual_account_is_issued_then_paid() -> None:
    """0, 5, 1; v1 calls the waiting 2; a deposit can be undone, and made again."""
    ledger = Ledger()
    receipt = ledger.issue(opened(ledger).receipt_id)
    waiting = (receipt.status, v1_receipt(receipt, ledger.rules)["status"])
    ledger.deposit(receipt.receipt_id)
    deposited = receipt.status
    ledger.revert(receipt.receipt_id)

    assert ((5, 2), 1, 5) == (waiting, deposited, receipt.status)
    assert 1 == ledger.deposit(receipt.receipt_id).status
    with refused("INVALID_REQUEST_PARAMS"):
        ledger.deposit(receipt.receipt_id)


def test_virtual_account_ends_at_its_deadline() -> None:
    """Nobody paid by then: -3, and no deposit is taken."""
    ledger = Ledger()
    receipt = opened(ledger, deposit_expires_at="2026-01-02T00:00:00+09:00")
    ledger.issue(receipt.receipt_id)
    ledger.advance(86400)

    assert -3 == ledger.receipt(receipt.receipt_id)["status"]
    with refused("INVALID_REQUEST_PARAMS"):
        ledger.deposit(receipt.receipt_id)


def test_partial_cancels_add_up_to_the_whole() -> None:
    """1 while anything is left, 20 afterwards; then it is cancelled already."""
    ledger = Ledger()
    receipt = paid(ledger)
    seen = [
        (r.status, r.cancelled_price)
        for r in (ledger.cancel(receipt.receipt_id, p).__copy__() for p in (1000, 500, None))
    ]

    assert [(1, 1000), (1, 1500), (20, 3000)] == seen
    with refused("RC_ALREADY_CANCELLED"):
        ledger.cancel(receipt.receipt_id)


@pytest.mark.parametrize("price", [3001, 0, -1, 0.5])
def test_cancel_takes_no_amount_that_is_not_left(price: float) -> None:
    """More than was paid, nothing, less than nothing and half a won are refused; nothing moves."""
    ledger = Ledger()
    receipt = paid(ledger)
    with refused("RC_CANCEL_SERVER_ERROR"):
        ledger.cancel(receipt.receipt_id, price)

    assert 0 == receipt.cancelled_price


def test_cancel_id_counts_once_per_receipt() -> None:
    """A repeated id is refused; the same id on another receipt is another cancel; a refused one may be repeated."""
    ledger = Ledger()
    first, second = paid(ledger), paid(ledger)
    ledger.cancel(first.receipt_id, 1000, cancel_id="c")
    with refused("RC_CANCEL_SERVER_ERROR"):
        ledger.cancel(first.receipt_id, 1000, cancel_id="c")
    with refused("RC_CANCEL_SERVER_ERROR"):
        ledger.cancel(second.receipt_id, 9000, cancel_id="c")
    ledger.cancel(second.receipt_id, 500, cancel_id="c")

    assert (1000, 500) == (first.cancelled_price, second.cancelled_price)


def test_tax_free_part_goes_back_last_unless_said() -> None:
    """Left out, the taxed part goes first; said, it must fit what is left."""
    ledger = Ledger()
    receipt = paid(ledger, tax_free=1000)
    ledger.cancel(receipt.receipt_id, 1500)
    ledger.cancel(receipt.receipt_id, 1000)
    with refused("RC_CANCEL_SERVER_ERROR"):
        ledger.cancel(receipt.receipt_id, 200, tax_free=100)

    assert 500 == receipt.cancelled_tax_free


def test_deposit_goes_back_only_to_an_account() -> None:
    """A virtual account's money needs to know where to go."""
    ledger = Ledger()
    receipt = ledger.deposit(ledger.issue(opened(ledger).receipt_id).receipt_id)
    for wrong in (None, {}, ACCOUNT | {"bank_code": "국민"}, ACCOUNT | {"bank_account": ""}):
        with refused("RC_CANCEL_SERVER_ERROR"):
            ledger.cancel(receipt.receipt_id, refund=wrong)

    assert 20 == ledger.cancel(receipt.receipt_id, refund=ACCOUNT).status


@pytest.mark.parametrize("status", [0, 2, 5, -2])
def test_only_money_taken_can_be_cancelled(status: int) -> None:
    """Open, authorised, waiting and failed receipts have nothing to give back."""
    ledger = Ledger()
    receipt = opened(ledger)
    ledger.tamper(receipt.receipt_id, {"status": status})
    with refused("RC_CANCEL_SERVER_ERROR"):
        ledger.cancel(receipt.receipt_id)

    assert 0 == receipt.cancelled_price


def test_console_cancel_is_told_to_nobody() -> None:
    """The receipt changes, the shop hears nothing; an issued account is taken back."""
    ledger = Ledger(webhook_url="http://shop.example/")
    card, account = paid(ledger), ledger.issue(opened(ledger).receipt_id)
    told = len(ledger.state.webhooks)
    ledger.outside_cancel(card.receipt_id, 1000)
    ledger.outside_cancel(account.receipt_id)

    assert (1, 1000, -3) == (card.status, card.cancelled_price, account.status)
    assert told == len(ledger.state.webhooks)


def test_closed_window_cannot_be_paid_in() -> None:
    """Closing keeps the status and ends the window."""
    ledger = Ledger()
    receipt = ledger.close(opened(ledger).receipt_id)

    assert 0 == receipt.status
    with refused("RC_CLOSE_WINDOW"):
        ledger.approve(receipt.receipt_id)


def test_one_order_id_may_be_paid_twice_in_windows() -> None:
    """Double payments are possible; the look-up lists both, oldest first."""
    ledger = Ledger()
    first = paid(ledger)
    ledger.advance(1)
    second = paid(ledger)

    assert [first.receipt_id, second.receipt_id] == [r["receipt_id"] for r in ledger.lookup_order("o1")]
    assert [] == ledger.lookup_order("o2")


@pytest.mark.parametrize(
    "fields",
    [
        {"price": 0},
        {"price": -1},
        {"price": 1000.5},
        {"tax_free": 3001},
        {"order_id": ""},
        {"order_id": "x" * 256},
        {"method": "cheque"},
        {"currency": "원"},
        {"generation": 3},
        {"receipt_id": "xyz"},
        {"requested_at": "yesterday"},
        {"webhook_url": "ftp://shop.example"},
    ],
)
def test_checkout_that_makes_no_sense_opens_nothing(fields: dict[str, object]) -> None:
    """Bad terms are refused with a sentence and leave nothing behind."""
    ledger = Ledger()
    with refused("INVALID_REQUEST_PARAMS"):
        opened(ledger, **fields)

    assert {} == ledger.state.receipts


def test_dollars_have_cents() -> None:
    """A currency with a smaller coin takes two decimals, and cancels add up exactly."""
    ledger = Ledger()
    receipt = paid(ledger, currency="USD", price=0.3)
    ledger.cancel(receipt.receipt_id, 0.1)
    ledger.cancel(receipt.receipt_id, 0.2)

    assert (20, 0.3) == (receipt.status, receipt.cancelled_price)


def test_sandbox_payments_may_be_cancelled_by_night() -> None:
    """Off by default; switched on, the job cancels them and tells nobody."""
    plain, tidy = Ledger(), Ledger(Rules(sandbox_auto_cancel_s=10800))
    kept, swept = paid(plain, sandbox=True), paid(tidy, sandbox=True)
    for ledger in (plain, tidy):
        ledger.advance(86400)

    assert (1, 20) == (kept.status, swept.status)


def test_tampering_shows_in_both_generations() -> None:
    """What the ledger understands is really changed; the rest is only shown; fields can be left out."""
    ledger = Ledger()
    receipt = paid(ledger)
    ledger.tamper(receipt.receipt_id, {"price": 1, "status": 77, "surprise": [1], "missing": ["currency"]})
    new, old = ledger.receipt(receipt.receipt_id), v1_receipt(receipt, ledger.rules)

    assert (1, 77, [1]) == (new["price"], new["status"], new["surprise"])
    assert (1, 77) == (old["price"], old["status"])
    assert "currency" not in new


def test_tampering_can_show_any_type() -> None:
    """A price as text or null is only a show; the truth beneath can still be cancelled."""
    ledger = Ledger()
    receipt = paid(ledger)
    ledger.tamper(receipt.receipt_id, {"price": "3000"})
    shown = ledger.receipt(receipt.receipt_id)["price"]
    ledger.tamper(receipt.receipt_id, {"price": None})

    assert ("3000", None) == (shown, ledger.receipt(receipt.receipt_id)["price"])
    assert 3000 == ledger.cancel(receipt.receipt_id).cancelled_price


def test_loaded_receipt_lives_on() -> None:
    """A receipt brought along can be cancelled like any other."""
    ledger = Ledger()
    body: dict[str, object] = {
        "receipt_id": "5afd6be8e13f33616f2876ac",
        "order_id": "1526557671321",
        "price": 3000,
        "unit": "krw",
        "status": 1,
        "payment_data": {"s": 1},
        "purchased_at": "2018-05-17 20:48:53",
    }
    receipt = ledger.load_receipt(body)
    ledger.cancel(receipt.receipt_id)

    assert (20, "2018-05-17T20:48:53+09:00") == (
        ledger.receipt(receipt.receipt_id)["status"],
        ledger.receipt(receipt.receipt_id).get("purchased_at"),
    )
