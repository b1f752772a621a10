"""Calling a person, and what the person decides.

Rule 1: a person is called with a question, and decides under a name and with a reason; a decision closes the questions
about one receipt, or those about no receipt, and no other.
Rule 2: held money pays for the order only if it is the price, and goes back only by the outbox.
Rule 3: a decision that cannot be is refused in a sentence, and changes nothing.
Rule 4: after a decision the order is looked at once more: much may have happened while it waited for a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dojang.core.decision import Accepted, Answer, Decision, Draft, Pending
from dojang.core.delivery import Delivery, Lane
from dojang.core.order import Order, ReceiptId
from dojang.core.payment import (
    Fate,
    OtherReceipt,
    Payment,
    Question,
    Record,
    State,
    What,
    shown_state,
    was_paid,
)
from dojang.core.receipt import Receipt
from dojang.core.values import replace
from dojang.core.verification import Reason

__all__ = ["give_up_delivery", "held_money", "needs_attention", "resolve_attention"]


def needs_attention(record: Record, now: datetime, reason: str) -> Decision:
    """Nothing the machine may do alone can finish this: call a person."""
    draft = Draft(record, now, "dojang")
    about = {} if record.payment.receipt_id is None else {"receipt_id": str(record.payment.receipt_id)}
    draft.attention(reason, **about)
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
    """What a person decides, or one sentence (in English and Korean) why that cannot be.

    Args:
        record: The order.
        resolution: `accept` (held money pays for the order), `return` (held money goes back) or `dismiss` (nothing is
            to be done). Held money may be returned or accepted later as well, when no question is open any more.
        now: The moment.
        who: `person:<name>`.
        reason: Why, in the person's words.
        receipt_id: Which receipt; may be left out where only one can be meant.
        spread: See `next_check`.
        seen: The held receipt as Bootpay shows it now; what it no longer holds cannot be accepted, and what came
            through a virtual account cannot be returned.
    """
    draft = Draft(record, now, who, spread)
    if resolution == "dismiss":
        return _dismissed(draft, receipt_id, reason)
    other = held_money(record.payment, receipt_id)
    if isinstance(other, str):
        holds = any(known.fate is Fate.HELD for known in record.payment.others)
        return other if holds or record.payment.state is State.ATTENTION else _nothing_asked(draft)
    if resolution == "return":
        if seen is not None and seen.method == "vbank":
            return (
                "A deposit on a virtual account cannot be sent back without the buyer's own account: settle it with "
                "the buyer, by your bank or Bootpay's admin pages, then dismiss. (가상계좌 입금은 구매자의 환불 계좌 "
                "없이 돌려줄 수 없습니다. 은행이나 부트페이 관리자에서 구매자와 정리한 뒤 dismiss 하세요.)"
            )
        _decide(draft, _back(record.payment), other.receipt_id, resolution, reason)
        draft.step(
            What.SURPLUS_FOUND,
            receipt_id=str(other.receipt_id),
            price=other.price,
            reason=other.reason,
            fate=Fate.OWED_BACK.value,
        )
        draft.owe_back(other.receipt_id, other.reason)
        return _decided(draft, record.payment, other.receipt_id, Pending())
    impossible = _why_not_accepted(record, other, seen)
    if impossible:
        return impossible
    _decide(
        draft,
        State.PAID,
        other.receipt_id,
        resolution,
        reason,
        price=record.order.price.minor,
        paid_at=((seen.purchased_at if seen else None) or now).isoformat(),
        method=seen.method if seen else "",
    )
    draft.claim(other.receipt_id)
    draft.tell("order.paid")
    answer = Accepted(state="paid", receipt_id=other.receipt_id)
    return _decided(draft, record.payment, other.receipt_id, answer)


def _dismissed(draft: Draft, receipt_id: ReceiptId | None, reason: str) -> Decision | str:
    payment = draft.payment
    if payment.state is not State.ATTENTION:
        return _nothing_asked(draft)
    asked = {question.receipt_id for question in payment.questions}
    if receipt_id is None and None not in asked and len(asked) == 1:
        (receipt_id,) = asked
    if receipt_id not in asked and payment.questions:
        if receipt_id is None:
            return (
                "More than one receipt waits for a decision: name the one that is meant. "
                "(결정을 기다리는 영수증이 여러 개입니다. receipt_id를 지정해 주세요.)"
            )
        return "Nothing is to be decided about that receipt. (해당 영수증에 대해 결정할 것이 없습니다.)"
    _decide(draft, _back(payment), receipt_id, "dismiss", reason)
    return _decided(draft, payment, receipt_id, Pending())


def _nothing_asked(draft: Draft) -> str:
    shown = shown_state(draft.order, draft.payment)
    return (
        f"The order does not wait for a decision; it is {shown}. "
        f"(결정을 기다리는 주문이 아닙니다. 현재 상태: {shown})"
    )


def _back(payment: Payment) -> State:
    """Where the order goes on; it stays where it is if no person had been called."""
    if payment.state is not State.ATTENTION:
        return payment.state
    before = payment.before or State.OPEN
    # An intent that was interrupted is not taken up again; what it was about is looked at like any receipt.
    return {State.CONFIRMING: State.OPEN, State.CANCELLING: State.PAID}.get(before, before)


def _decide(
    draft: Draft, to: State, receipt_id: ReceiptId | None, resolution: str, reason: str, **more: object
) -> None:
    about = {} if receipt_id is None else {"receipt_id": str(receipt_id)}
    if draft.payment.before is State.CONFIRMING:
        # What the receipt of the interrupted approval would pay, should it turn out that it does.
        more = {"price": draft.order.price.minor, **more}
    draft.step(What.RESOLVED, to=to.value, resolution=resolution, reason=reason, **about, **more)


def _decided(draft: Draft, before: Payment, about: ReceiptId | None, answer: Answer) -> Decision:
    """The other questions are asked again, and whatever came while the person decided is looked at now."""
    for question in before.questions:
        if question.receipt_id != about:
            more = {} if question.receipt_id is None else {"receipt_id": str(question.receipt_id)}
            draft.attention(question.reason, **more)
    return replace(draft.done(answer), due_at=draft.now + _LOOK_AFTER)


_LOOK_AFTER = timedelta(seconds=1)


def _why_not_accepted(record: Record, other: OtherReceipt, seen: Receipt | None) -> str:
    """Why held money cannot pay for the order; empty where it can."""
    payment = record.payment
    if was_paid(payment):
        return (
            "The order is paid for by another receipt already: return this one. "
            "(이미 다른 영수증으로 결제된 주문입니다. 이 돈은 돌려주세요.)"
        )
    if payment.state is State.CONFIRMING:
        return (
            "Another receipt of the order is being approved right now: decide when that is over. "
            "(다른 영수증이 승인 중입니다. 승인이 끝난 뒤에 결정해 주세요.)"
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
    return ""


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
            which = ", ".join(other.receipt_id for other in held)
            return (
                f"More than one receipt is held: name the one that is meant of {which}. "
                f"(보류된 영수증이 여러 개입니다. receipt_id를 지정해 주세요: {which})"
            )


def _still_holds(seen: Receipt, order: Order) -> bool:
    price = order.price
    fits = (seen.order_id, seen.currency, seen.remaining, seen.tax_free)
    return fits == (order.id, price.currency, price.minor, order.tax_free)


def give_up_delivery(record: Record, delivery: Delivery, now: datetime, words: str) -> Decision:
    """Something owed could not be handed over in all its attempts: a person must look."""
    draft = Draft(record, now, "dojang")
    told = {"delivery_id": delivery.id, "words": words[:200]}
    if delivery.lane is Lane.MONEY_BACK:
        draft.attention("money_back_failed", receipt_id=str(delivery.data["receipt_id"]), **told)
    elif (
        draft.payment.state not in _MONEY_MAY_COME
        and Question(reason=_DELIVERY_FAILED) not in draft.payment.questions
    ):
        # Telling a shop that cannot be told would only be owed in vain.
        draft.step(What.ATTENTION, reason=_DELIVERY_FAILED, **told)
    return draft.done(Pending())


_DELIVERY_FAILED = "delivery_failed"
# A notice that nobody took must not keep the buyer's money from counting: `order.paid` is tried anew by itself.
_MONEY_MAY_COME = (State.OPEN, State.AWAITING_DEPOSIT)
