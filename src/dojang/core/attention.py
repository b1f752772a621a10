"""Calling a person, and what the person decides.

Rule 1: a person is called with a reason, and decides under a name and with a reason.
Rule 2: held money pays for the order only if it is the price, and goes back only by the outbox.
Rule 3: a decision that cannot be is refused in a sentence, and changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from dojang.core.decision import Accepted, Decision, Draft, Pending
from dojang.core.delivery import Delivery, Lane
from dojang.core.order import Order, ReceiptId
from dojang.core.payment import Fate, OtherReceipt, Payment, Record, State, What, shown_state, was_paid
from dojang.core.receipt import Receipt
from dojang.core.surplus import AWAITING_DECISION
from dojang.core.verification import Reason

__all__ = ["give_up_delivery", "held_money", "needs_attention", "resolve_attention"]


def needs_attention(record: Record, now: datetime, reason: str) -> Decision:
    """Nothing the machine may do alone can finish this: call a person."""
    draft = Draft(record, now, "dojang")
    draft.attention(reason)
    return draft.done(Pending())


def resolve_attention(
    record: Record,
    resolution: str,
    now: datetime,
    who: str,
    reason: str,
    receipt_id: ReceiptId | None = None,
    spread: float = 0.0,
    *,
    seen: Receipt | None = None,
) -> Decision | str:
    """A person's way out of `attention`, or one sentence (in English and Korean) why it is none.

    Args:
        record: The order.
        resolution: `accept` (held money pays for the order), `return` (held money goes back) or `dismiss` (the order
            goes on where it was interrupted).
        now: The moment.
        who: `person:<name>`.
        reason: Why, in the person's words.
        receipt_id: Which held receipt; may be left out where only one is held.
        spread: See `next_check`.
        seen: The held receipt as Bootpay shows it now; what it no longer holds cannot be accepted.
    """
    payment = record.payment
    if payment.state is not State.ATTENTION:
        shown = shown_state(record.order, payment)
        return (
            f"The order does not wait for a decision; it is {shown}. "
            f"(결정을 기다리는 주문이 아닙니다. 현재 상태: {shown})"
        )
    before = payment.before or State.OPEN
    # An intent that was interrupted is not taken up again; what it was about is looked at like any receipt.
    back = {State.CONFIRMING: State.OPEN, State.CANCELLING: State.PAID}.get(before, before)
    draft = Draft(record, now, who, spread)
    if resolution == "dismiss":
        draft.step(What.RESOLVED, to=back.value, resolution=resolution, reason=reason)
        return draft.done(Pending())
    other = held_money(payment, receipt_id)
    if isinstance(other, str):
        return other
    if resolution == "return":
        draft.step(
            What.RESOLVED,
            to=back.value,
            resolution=resolution,
            reason=reason,
            receipt_id=str(other.receipt_id),
        )
        draft.step(
            What.SURPLUS_FOUND,
            receipt_id=str(other.receipt_id),
            price=other.price,
            reason=other.reason,
            fate=Fate.OWED_BACK.value,
        )
        draft.owe_back(other.receipt_id, other.reason)
        _call_again(draft, other.receipt_id)
        return draft.done(Pending())
    if was_paid(payment):
        return (
            "The order is paid for by another receipt already: return this one. "
            "(이미 다른 영수증으로 결제된 주문입니다. 이 돈은 돌려주세요.)"
        )
    if other.price != record.order.price.minor or other.reason == Reason.CURRENCY_MISMATCH:
        return (
            "The held amount is not the price of the order: return it. "
            "(보류된 금액이 주문 금액과 다릅니다. 돌려주세요.)"
        )
    if seen is not None and not _still_holds(seen, record.order):
        return (
            "Bootpay no longer shows the price of the order on that receipt: look again. "
            "(부트페이의 해당 영수증에 주문 금액이 남아 있지 않습니다. 다시 확인해 주세요.)"
        )
    draft.step(
        What.RESOLVED,
        to=State.PAID.value,
        resolution=resolution,
        reason=reason,
        receipt_id=str(other.receipt_id),
        paid_at=((seen.purchased_at if seen else None) or now).isoformat(),
        method=seen.method if seen else "",
    )
    draft.claim(other.receipt_id)
    draft.tell("order.paid")
    _call_again(draft, other.receipt_id)
    return draft.done(Accepted(state="paid", receipt_id=other.receipt_id))


def _call_again(draft: Draft, decided: ReceiptId) -> None:
    """An order does not leave `attention` over the head of other money that is still held."""
    looked_at = draft.done(Pending()).due_at is not None
    for other in draft.payment.others:
        # What came while the person decided is judged by itself at the next look, if there is one.
        by_itself = other.reason == AWAITING_DECISION and looked_at
        dismissed = other.reason in draft.payment.dismissed
        if other.fate is Fate.HELD and other.receipt_id != decided and not by_itself and not dismissed:
            draft.attention(other.reason, receipt_id=str(other.receipt_id))
            return


def held_money(payment: Payment, receipt_id: ReceiptId | None) -> OtherReceipt | str:
    """The receipt a person decides on, or one sentence why it is not clear which.

    Args:
        payment: Its receipts.
        receipt_id: Which one; None where only one is held.
    """
    held = [
        other
        for other in payment.others
        if other.fate is Fate.HELD and (receipt_id is None or other.receipt_id == receipt_id)
    ]
    match held:
        case [other]:
            return other
        case []:
            return "No such money is held. (보류된 돈이 없습니다.)"
        case _:
            return (
                "More than one receipt is held: name the one that is meant. "
                "(보류된 영수증이 여러 개입니다. receipt_id를 지정해 주세요.)"
            )


def _still_holds(seen: Receipt, order: Order) -> bool:
    price = order.price
    fits = (seen.order_id, seen.currency, seen.remaining, seen.tax_free)
    return fits == (order.id, price.currency, price.minor, order.tax_free)


def give_up_delivery(record: Record, delivery: Delivery, now: datetime, words: str) -> Decision:
    """Something owed could not be handed over in all its attempts: a person must look."""
    draft = Draft(record, now, "dojang")
    if delivery.lane is Lane.MONEY_BACK:
        if draft.payment.reason != _MONEY_BACK_FAILED:
            draft.attention(_MONEY_BACK_FAILED, delivery_id=delivery.id, words=words[:200])
    elif draft.payment.state is not State.ATTENTION:
        # Telling a shop that cannot be told would only be owed in vain.
        draft.step(What.ATTENTION, reason="delivery_failed", delivery_id=delivery.id, words=words[:200])
    return draft.done(Pending())


_MONEY_BACK_FAILED = "money_back_failed"
