"""What follows from looking at a receipt.

Rule 1: whoever looks (a buyer's return, a webhook, a reconciliation) decides by the same function.
Rule 2: money that must not be kept is owed back, or held for a person; never silently kept.
Rule 3: what is on file is answered without a look.
"""

from __future__ import annotations

from datetime import datetime

from dojang.core.cancelling import DOUBTS, compare_paid, end_cancel
from dojang.core.decision import Accepted, Answer, Approve, Decision, Draft, Pending, Refusal
from dojang.core.deposit import account_issued, set_account_aside
from dojang.core.expiry import is_late
from dojang.core.order import ReceiptId
from dojang.core.payment import Fate, Question, Record, State, What
from dojang.core.receipt import Receipt
from dojang.core.rules import LatePayment, OnMismatch, Rules
from dojang.core.surplus import (
    decided_before,
    held_money_gone,
    is_gone,
    rejected,
    second_money,
    surplus_found,
)
from dojang.core.verification import (
    AwaitsApproval,
    AwaitsDeposit,
    NotYet,
    Reason,
    Rejected,
    Verdict,
    Verified,
    judge,
)

__all__ = ["observe", "recall"]


def recall(record: Record, receipt_id: ReceiptId) -> Answer | None:
    """The answer that is already on file, so that asking again costs no call to Bootpay."""
    if record.claimed_by is not None and record.claimed_by != record.order.id:
        return Refusal(Reason.RECEIPT_ALREADY_USED)
    payment = record.payment
    known = payment.other(receipt_id)
    if known is not None and known.fate is not Fate.SET_ASIDE and known.reason in _FINAL:
        return Refusal(Reason(known.reason))
    if payment.receipt_id == receipt_id:
        if payment.state is State.PAID:
            return Accepted(state="paid", receipt_id=receipt_id, replayed=True)
        if payment.state is State.CANCELLED:
            return Refusal(Reason.ALREADY_CANCELLED)
        if (
            payment.state is State.ATTENTION
            and payment.before is State.PAID
            and not any(question.reason in DOUBTS for question in payment.questions)
        ):
            # A person is called for something else; that this receipt paid is not in doubt.
            return Accepted(state="paid", receipt_id=receipt_id, replayed=True)
    return None


# A shop's "no" may turn into a "yes" and a failed payment may be looked at again; these never change.
_FINAL = frozenset(
    {
        Reason.AMOUNT_MISMATCH,
        Reason.CURRENCY_MISMATCH,
        Reason.TAX_FREE_MISMATCH,
        Reason.SANDBOX_RECEIPT,
        Reason.LIVE_RECEIPT,
        Reason.ALREADY_CANCELLED,
        Reason.ORDER_ALREADY_PAID,
        Reason.ORDER_EXPIRED,
    }
)


def observe(
    record: Record, receipt: Receipt, rules: Rules, now: datetime, who: str, spread: float = 0.0
) -> Decision:
    """Decide what a look at one receipt of this order changes.

    The caller has made sure that no live lease is in the way. An `Approve` answer changes nothing: whoever may
    move money goes on with `intend_approval`; everybody else leaves it.
    """
    draft = Draft(record, now, who, spread)
    if record.claimed_by is not None and record.claimed_by != record.order.id:
        return draft.done(Refusal(Reason.RECEIPT_ALREADY_USED))
    verdict = judge(record.order, receipt, rules.mode)
    if isinstance(verdict, Rejected) and verdict.reason is Reason.ORDER_MISMATCH:
        hangs = record.payment.receipt_id == receipt.id and record.payment.state in _HANGS_ON_ITS_RECEIPT
        question = Question(reason=Reason.ORDER_MISMATCH.value, receipt_id=receipt.id)
        let_be = hangs and question in record.payment.dismissed
        if hangs and not let_be:
            # What the order's money hangs on now names another order: nothing a machine may sort out.
            draft.attention(Reason.ORDER_MISMATCH.value, receipt_id=str(receipt.id))
        # Where a person has let that be, what goes back of it still concerns this order: it has paid for it.
        if not let_be or record.payment.state not in (State.PAID, State.CANCELLING):
            return draft.done(Refusal(Reason.ORDER_MISMATCH))
    known = record.payment.other(receipt.id)
    if known is not None and known.fate is Fate.HELD and is_gone(receipt):
        return held_money_gone(draft, receipt)
    if record.payment.receipt_id == receipt.id:
        match record.payment.state:
            case State.PAID | State.CANCELLED:
                return compare_paid(draft, receipt)
            case State.CANCELLING:
                return end_cancel(draft, receipt, rules)
            case State.CONFIRMING:
                return _end_approval(draft, verdict, rules)
            case _:
                pass
    match record.payment.state:
        case State.OPEN | State.AWAITING_DEPOSIT | State.EXPIRED:
            return _first_money(draft, verdict, rules)
        case _:
            return second_money(draft, verdict, rules)


_HANGS_ON_ITS_RECEIPT = frozenset({State.AWAITING_DEPOSIT, State.CONFIRMING, State.PAID, State.CANCELLING})


def _first_money(draft: Draft, verdict: Verdict, rules: Rules) -> Decision:
    """No receipt pays for the order yet: does this one?"""
    receipt = verdict.receipt
    decided = decided_before(draft.payment, receipt.id)
    if decided is not None:
        return draft.done(decided)
    match verdict:
        case Verified():
            if is_late(draft, receipt):
                return _late_money(draft, receipt, rules)
            return _paid(draft, receipt)
        case AwaitsApproval():
            if is_late(draft, receipt) and (
                draft.payment.state is State.EXPIRED or rules.late_payment is not LatePayment.ACCEPT
            ):
                return draft.done(Refusal(Reason.ORDER_EXPIRED))
            return draft.done(Approve(receipt))
        case AwaitsDeposit(account=account):
            if draft.payment.state is State.EXPIRED:
                return draft.done(Refusal(Reason.ORDER_EXPIRED))
            return account_issued(draft, receipt, account)
        case NotYet():
            return draft.done(Pending())
        case Rejected(reason=reason):
            _no_longer_awaited(draft, receipt)
            return rejected(draft, receipt, reason, rules)


def _no_longer_awaited(draft: Draft, receipt: Receipt) -> None:
    """What this account brought does not pay, so no deposit is awaited on it any more."""
    if draft.payment.state is State.AWAITING_DEPOSIT and draft.payment.receipt_id == receipt.id:
        draft.step(What.ACCOUNT_WITHDRAWN, receipt_id=str(receipt.id), status=receipt.number)


def _paid(draft: Draft, receipt: Receipt) -> Decision:
    if draft.payment.state is State.AWAITING_DEPOSIT and draft.payment.receipt_id != receipt.id:
        set_account_aside(draft, "replaced")
    draft.step(
        What.PAID,
        receipt_id=str(receipt.id),
        price=receipt.price,
        paid_at=(receipt.purchased_at or draft.now).isoformat(),
        method=receipt.method,
    )
    draft.claim(receipt.id)
    draft.tell("order.paid")
    return draft.done(Accepted(state="paid", receipt_id=receipt.id))


def _late_money(draft: Draft, receipt: Receipt, rules: Rules) -> Decision:
    if rules.late_payment is not LatePayment.ACCEPT:
        _no_longer_awaited(draft, receipt)
    match rules.late_payment:
        case LatePayment.ACCEPT:
            return _paid(draft, receipt)
        case LatePayment.CANCEL:
            surplus_found(draft, receipt, Reason.ORDER_EXPIRED, OnMismatch.CANCEL)
        case LatePayment.HOLD:
            surplus_found(draft, receipt, Reason.ORDER_EXPIRED, OnMismatch.HOLD)
    return draft.done(Refusal(Reason.ORDER_EXPIRED))


def _end_approval(draft: Draft, verdict: Verdict, rules: Rules) -> Decision:
    """The receipt whose approval is under way, looked at: paid, refused, or still open."""
    receipt = verdict.receipt
    match verdict:
        case Verified():
            # The shop agreed to the approval in time; how long Bootpay took for it is not the buyer's fault.
            return _paid(draft, receipt)
        case AwaitsApproval():
            return draft.done(Approve(receipt))
        case NotYet():
            return draft.done(Pending())
        case AwaitsDeposit(account=account):
            # Approving a virtual account issues it: no money moved, and none was refused either.
            draft.step(
                What.APPROVAL_REFUSED,
                receipt_id=str(receipt.id),
                reason="awaiting_deposit",
                status=receipt.number,
            )
            return account_issued(draft, receipt, account)
        case Rejected(reason=reason):
            draft.step(
                What.APPROVAL_REFUSED, receipt_id=str(receipt.id), reason=reason.value, status=receipt.number
            )
            return rejected(draft, receipt, reason, rules)
