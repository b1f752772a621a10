"""Every condition that makes a payment acceptable, and every refusal when one is not met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.core.rules import Mode
from dojang.core.verification import (
    AwaitsApproval,
    AwaitsDeposit,
    NotYet,
    Reason,
    Rejected,
    Verified,
    judge,
)

ORDER = Order(id=OrderId("o1"), price=Money(1000), tax_free=300, name="양말")
PAID = Receipt(
    id=ReceiptId("a" * 24), order_id="o1", status=ReceiptStatus.PAID, price=1000, tax_free=300, sandbox=False
)


def test_a_receipt_that_fits_in_every_term_pays() -> None:
    """Right order, price, tax-free part, currency, mode, nothing cancelled, and paid."""
    assert Verified(PAID) == judge(ORDER, PAID)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"order_id": "o2"}, Reason.ORDER_MISMATCH),
        ({"order_id": "O1"}, Reason.ORDER_MISMATCH),
        ({"order_id": "o1 "}, Reason.ORDER_MISMATCH),
        ({"order_id": ""}, Reason.ORDER_MISMATCH),
        ({"price": 999}, Reason.AMOUNT_MISMATCH),
        ({"price": 1001}, Reason.AMOUNT_MISMATCH),
        ({"price": 0}, Reason.AMOUNT_MISMATCH),
        ({"price": 100_000}, Reason.AMOUNT_MISMATCH),
        ({"currency": "USD"}, Reason.CURRENCY_MISMATCH),
        ({"currency": "krw"}, Reason.CURRENCY_MISMATCH),
        ({"tax_free": 299}, Reason.TAX_FREE_MISMATCH),
        ({"tax_free": 301}, Reason.TAX_FREE_MISMATCH),
        ({"tax_free": 0}, Reason.TAX_FREE_MISMATCH),
        ({"cancelled": 1}, Reason.ALREADY_CANCELLED),
        ({"cancelled": 1000}, Reason.ALREADY_CANCELLED),
        ({"cancelled_tax_free": 1}, Reason.ALREADY_CANCELLED),
        ({"sandbox": True}, Reason.SANDBOX_RECEIPT),
        ({"status": ReceiptStatus.CANCELLED}, Reason.ALREADY_CANCELLED),
        ({"status": ReceiptStatus.FAILED}, Reason.PAYMENT_FAILED),
        ({"status": ReceiptStatus.ACCOUNT_CANCELLED}, Reason.PAYMENT_FAILED),
        ({"status": ReceiptStatus.NOT_A_PAYMENT}, Reason.PAYMENT_FAILED),
    ],
)
def test_one_term_that_does_not_fit_is_enough(change: dict[str, object], reason: Reason) -> None:
    """Each single difference is refused, with its own reason."""
    receipt = replace(PAID, **change)  # type: ignore[arg-type]

    assert Rejected(receipt, reason) == judge(ORDER, receipt)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.EMULATOR])
@pytest.mark.parametrize(
    "status", [ReceiptStatus.PAID, ReceiptStatus.AWAITING_APPROVAL, ReceiptStatus.AWAITING_DEPOSIT]
)
def test_a_test_payment_is_no_payment(mode: Mode, status: ReceiptStatus) -> None:
    """In production a sandbox receipt is refused at every stage, before approval too."""
    receipt = replace(PAID, sandbox=True, status=status)

    assert Rejected(receipt, Reason.SANDBOX_RECEIPT) == judge(ORDER, receipt, mode)


def test_a_real_payment_is_refused_where_only_tests_count() -> None:
    """A sandbox service must not hand out goods for money it does not book."""
    assert Rejected(PAID, Reason.LIVE_RECEIPT) == judge(ORDER, PAID, Mode.SANDBOX)
    sandbox = replace(PAID, sandbox=True)
    assert Verified(sandbox) == judge(ORDER, sandbox, Mode.SANDBOX)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_receipt_that_does_not_say_is_taken_at_its_word(mode: Mode) -> None:
    """The first generation has no sandbox flag: its absence is no refusal in either mode."""
    receipt = replace(PAID, sandbox=None)

    assert Verified(receipt) == judge(ORDER, receipt, mode)


@pytest.mark.parametrize("status", [ReceiptStatus.WAITING, ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN])
def test_what_is_not_decided_at_bootpay_is_not_decided_here(status: ReceiptStatus) -> None:
    """An open window, a gateway at work, a number nobody documented: not paid, look again."""
    receipt = replace(PAID, status=status)

    assert NotYet(receipt) == judge(ORDER, receipt)


def test_a_receipt_that_waits_for_approval_is_judged_by_every_term_first() -> None:
    """Only what fits may be approved: a wrong price is refused before money moves."""
    waiting = replace(PAID, status=ReceiptStatus.AWAITING_APPROVAL)

    assert AwaitsApproval(waiting) == judge(ORDER, waiting)
    for change in ({"price": 999}, {"price": 1001}, {"tax_free": 0}, {"currency": "USD"}, {"cancelled": 1}):
        assert isinstance(judge(ORDER, replace(waiting, **change)), Rejected)  # type: ignore[arg-type]


def test_a_virtual_account_is_judged_by_every_term_first() -> None:
    """An account over the wrong price is refused before anybody pays into it."""
    account = Account(bank_name="기업", number="123")
    issued = replace(PAID, status=ReceiptStatus.AWAITING_DEPOSIT, account=account)

    assert AwaitsDeposit(issued, account) == judge(ORDER, issued)
    assert isinstance(judge(ORDER, replace(issued, price=1)), Rejected)


@pytest.mark.parametrize("status", list(ReceiptStatus))
def test_only_paid_pays(status: ReceiptStatus) -> None:
    """Of all the places a checkout may stand, one counts as paid."""
    verdict = judge(ORDER, replace(PAID, status=status))

    assert isinstance(verdict, Verified) == (status is ReceiptStatus.PAID)


@pytest.mark.parametrize("status", list(ReceiptStatus))
def test_another_orders_receipt_is_refused_wherever_it_stands(status: ReceiptStatus) -> None:
    """Whose receipt it is comes before everything else."""
    receipt = replace(PAID, order_id="o2", status=status)

    assert Rejected(receipt, Reason.ORDER_MISMATCH) == judge(ORDER, receipt)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence_in_both_languages(reason: Reason) -> None:
    """A buyer never reads a code."""
    assert reason.sentence_en.endswith(".")
    assert any("가" <= letter <= "힣" for letter in reason.sentence_ko)
