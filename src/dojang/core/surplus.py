"""Money that is not the price of its order: owed back, or held for a person.

Rule 1: what becomes of a receipt's money is decided once; another look or other rules do not decide it again.
Rule 2: money that came through a virtual account is held: there is no card to send it back to.
Rule 3: a receipt of the other mode is noted and left alone; it may be another service's payment.
"""

from __future__ import annotations

from datetime import datetime

from dojang.core.cancelling import REVERTED
from dojang.core.decision import Decision, Draft, Pending, Refusal
from dojang.core.order import ReceiptId, major_units
from dojang.core.payment import Fate, Payment, Record, State, What, was_paid
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import OnMismatch, Rules
from dojang.core.verification import Reason, Rejected, Verdict

__all__ = [
    "AWAITING_DECISION",
    "decided_before",
    "held_money_gone",
    "is_gone",
    "money_returned",
    "rejected",
    "second_money",
    "surplus_found",
]


def second_money(draft: Draft, verdict: Verdict, rules: Rules) -> Decision:
    """The order is paid for, was paid and cancelled, or a person must decide first: this receipt is too many."""
    receipt = verdict.receipt
    if draft.payment.state in (State.CONFIRMING, State.CANCELLING):
        # What was begun is finished first: calling a person now would forget the intent.
        return draft.done(Pending())
    if was_paid(draft.payment) and draft.payment.receipt_id == receipt.id:
        # The receipt that paid, while a person decides: it is compared again afterwards.
        return draft.done(Pending(retry_after_s=30))
    if isinstance(verdict, Rejected) and (
        receipt.status is not ReceiptStatus.PAID or verdict.reason not in _OWED_BACK
    ):
        return rejected(draft, receipt, verdict.reason, rules)
    unknown = _undecided(draft.payment, receipt.id)
    holds_money = receipt.status is ReceiptStatus.PAID and receipt.remaining > 0
    if was_paid(draft.payment):
        if holds_money and unknown:
            surplus_found(draft, receipt, Reason.ORDER_ALREADY_PAID, rules.on_mismatch)
        elif receipt.status is ReceiptStatus.AWAITING_DEPOSIT and draft.payment.other(receipt.id) is None:
            _note(draft, receipt, Reason.ORDER_ALREADY_PAID)
        return draft.done(Refusal(Reason.ORDER_ALREADY_PAID))
    if holds_money and unknown:
        # A person is about to decide on this order: neither count the money nor send it back before that.
        draft.step(
            What.SURPLUS_FOUND,
            receipt_id=str(receipt.id),
            price=receipt.price,
            currency=receipt.currency,
            reason=AWAITING_DECISION,
            fate=Fate.HELD.value,
            paid_at=receipt.purchased_at.isoformat() if receipt.purchased_at else None,
        )
        draft.claim(receipt.id)
    return draft.done(Pending(retry_after_s=30))


def rejected(draft: Draft, receipt: Receipt, reason: Reason, rules: Rules) -> Decision:
    """The receipt does not pay. If its money is with the shop, that money must not be kept."""
    known = draft.payment.other(receipt.id)
    unknown = _undecided(draft.payment, receipt.id)
    if receipt.status is ReceiptStatus.PAID and reason in _OWED_BACK:
        if unknown and receipt.remaining > 0:
            surplus_found(draft, receipt, reason, rules.on_mismatch)
    elif unknown and reason in _NOTED and (known is None or known.fate is Fate.SET_ASIDE):
        _note(draft, receipt, reason)
    return draft.done(Refusal(reason))


def _note(draft: Draft, receipt: Receipt, reason: Reason) -> None:
    """A receipt that does not pay, in the history: one that waits once for each reason, however often it is seen."""
    # An account may still be paid into, and only what is set aside is looked at again where Bootpay has no list.
    waits = receipt.status is ReceiptStatus.AWAITING_DEPOSIT
    known = draft.payment.other(receipt.id)
    if waits and known is not None and known.reason == reason.value:
        return
    draft.step(
        What.RECEIPT_REFUSED,
        receipt_id=str(receipt.id),
        price=receipt.price,
        currency=receipt.currency,
        reason=reason.value,
        status=receipt.number,
        **({"set_aside": True} if waits else {}),
    )
    draft.claim(receipt.id)


_OWED_BACK = frozenset(
    {
        Reason.AMOUNT_MISMATCH,
        Reason.CURRENCY_MISMATCH,
        Reason.TAX_FREE_MISMATCH,
        Reason.ALREADY_CANCELLED,
        Reason.ORDER_ALREADY_PAID,
    }
)
"""With these the shop holds money that is not the price of the order.

A sandbox receipt is not among them: one service must never cancel what may be another service's payment.
"""


_NOTED = frozenset(
    {
        Reason.AMOUNT_MISMATCH,
        Reason.CURRENCY_MISMATCH,
        Reason.TAX_FREE_MISMATCH,
        Reason.SANDBOX_RECEIPT,
        Reason.LIVE_RECEIPT,
        Reason.ALREADY_CANCELLED,
    }
)
"""These are worth a line in the history; a window that was merely closed is not."""


def surplus_found(draft: Draft, receipt: Receipt, reason: Reason, policy: OnMismatch) -> None:
    """Money is with the shop that must not be kept: owe it back, or hold it for a person."""
    # A virtual account has no card to send the money back to; only a person knows where it should go.
    held = policy is OnMismatch.HOLD or receipt.method == "vbank"
    draft.step(
        What.SURPLUS_FOUND,
        receipt_id=str(receipt.id),
        price=receipt.price,
        currency=receipt.currency,
        reason=reason.value,
        fate=(Fate.HELD if held else Fate.OWED_BACK).value,
        paid_at=receipt.purchased_at.isoformat() if receipt.purchased_at else None,
    )
    draft.claim(receipt.id)
    if held:
        draft.attention(reason.value, receipt_id=str(receipt.id))
    else:
        draft.owe_back(receipt.id, reason.value)


def decided_before(payment: Payment, receipt_id: ReceiptId) -> Refusal | Pending | None:
    """What to say of this receipt's money if it is decided that it does not count: held, on its way back, or back.

    It stays so even if the shop's rules change meanwhile: what is owed back must not pay as well.
    """
    known = payment.other(receipt_id)
    if known is None or _undecided(payment, receipt_id):
        return None
    if known.reason in _REASONS:
        return Refusal(Reason(known.reason))
    # A person has decided to send it back; before that has been done, nobody may be told that it was cancelled.
    return Refusal(Reason.ALREADY_CANCELLED) if known.fate is Fate.RETURNED else Pending(retry_after_s=30)


def _undecided(payment: Payment, receipt_id: ReceiptId) -> bool:
    """Whether it is still open what becomes of this receipt's money, should it hold any."""
    known = payment.other(receipt_id)
    if known is None or known.fate in (Fate.SET_ASIDE, Fate.REFUSED):
        return True
    # Held only because a person was to decide on the order first; now that they have, it is judged like any other.
    waited = known.fate is Fate.HELD and known.reason == AWAITING_DECISION
    return waited and payment.state is not State.ATTENTION


AWAITING_DECISION = "awaiting_decision"
"""Why money is held that came while a person was deciding on the order."""
_REASONS = frozenset(reason.value for reason in Reason)


def is_gone(receipt: Receipt) -> bool:
    """Whether the shop certainly has nothing of this receipt's money."""
    return not receipt.at_work and receipt.remaining <= 0


def held_money_gone(draft: Draft, receipt: Receipt) -> Decision:
    """Money that was held for a person has gone without us: by somebody's console, or the bank took it back."""
    went_back = receipt.status in (ReceiptStatus.PAID, ReceiptStatus.CANCELLED)
    if went_back:
        draft.step(
            What.MONEY_RETURNED,
            receipt_id=str(receipt.id),
            amount=receipt.price,
            currency=receipt.currency,
            origin="outside",
        )
        _tell_returned(draft, receipt.id, receipt.price, receipt.currency)
    else:
        # Should it come once more (an account may be paid into again), it is judged anew; where Bootpay has no list
        # to find it in, the note says that there is something to look at.
        draft.step(
            What.RECEIPT_REFUSED,
            receipt_id=str(receipt.id),
            set_aside=True,
            reason=REVERTED,
            status=receipt.number,
        )
    return draft.done(Refusal(Reason.ALREADY_CANCELLED if went_back else Reason.PAYMENT_FAILED))


def _tell_returned(draft: Draft, receipt_id: ReceiptId, amount: int, currency: str) -> None:
    known = draft.record.payment.other(receipt_id)
    draft.tell(
        "order.money_returned",
        receipt_id=str(receipt_id),
        returned=major_units(amount, currency),
        returned_currency=currency,
        reason=known.reason if known else "",
    )


def money_returned(record: Record, receipt_id: ReceiptId, amount: int, now: datetime) -> Decision:
    """A surplus receipt's money has gone back.

    Args:
        record: The order the receipt belongs to.
        receipt_id: The surplus receipt.
        amount: Minor units that went back in all.
        now: The moment.
    """
    draft = Draft(record, now, "dojang")
    known = record.payment.other(receipt_id)
    if known is None or known.fate is not Fate.RETURNED:
        currency = (known.currency if known else "") or record.order.price.currency
        draft.step(What.MONEY_RETURNED, receipt_id=str(receipt_id), amount=amount, currency=currency)
        _tell_returned(draft, receipt_id, amount, currency)
    return draft.done(Pending())
