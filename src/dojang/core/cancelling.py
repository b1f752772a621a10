"""Money of a paid order goes back: by a cancel of the shop's, or found to have gone back from outside.

Rule 1: the intent is written down before money moves; how much may be cancelled, `cancellation` says.
Rule 2: Bootpay's running total tells what became of a cancel; nothing is concluded from silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dojang.core.decision import Accepted, Answer, Decision, Draft, Pending, Refusal
from dojang.core.payment import CancelRequest, Payment, Question, Record, State, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.core.values import replace
from dojang.core.verification import Reason

if TYPE_CHECKING:
    # Not at runtime: every verification reads this module, and a cold function waits for what it reads.
    from dojang.core.cancellation import CancelTerms, WantedCancel

__all__ = [
    "AMBIGUOUS",
    "DOUBTS",
    "REVERTED",
    "cancel_refused",
    "compare_paid",
    "end_answered_cancel",
    "end_cancel",
    "end_refused_cancel",
    "intend_cancel",
]


def intend_cancel(
    record: Record,
    terms: CancelTerms,
    wanted: WantedCancel,
    key: str,
    rules: Rules,
    now: datetime,
    spread: float = 0.0,
) -> Decision:
    """Write down, before money moves back, that this much is about to be cancelled.

    Args:
        record: An order in `paid`.
        terms: What `terms_of` allowed.
        wanted: What was asked for; its refund account is not written down.
        key: What `key_of` made of the caller's idempotency key.
        rules: Their `lease_s` says how long nobody else acts.
        now: The moment.
        spread: See `next_check`.
    """
    draft = Draft(record, now, "shop", spread)
    left_before = any(before.key == key and before.left for before in record.payment.requests)
    draft.step(
        What.CANCEL_INTENDED,
        receipt_id=str(record.payment.receipt_id),
        cancel_id=key,
        fingerprint=wanted.fingerprint,
        amount=terms.amount,
        tax_free=terms.tax_free,
        reason=wanted.reason,
        lease_until=(now + timedelta(seconds=rules.lease_s)).isoformat(),
        **({"left_before": True} if left_before else {}),
    )
    return draft.done(Pending())


def cancel_refused(record: Record, now: datetime, who: str, words: Mapping[str, object]) -> Decision:
    """The cancel was certainly not carried out: the payment stands as before.

    Args:
        record: An order in `cancelling`.
        now: The moment.
        who: Who found out.
        words: Bootpay's `code` and `words`; `undone: True` where the same key may be tried again.
    """
    draft = Draft(record, now, who)
    draft.step(What.CANCEL_REFUSED, receipt_id=str(record.payment.receipt_id), **words)
    return draft.done(Pending())


def end_answered_cancel(record: Record, receipt: Receipt, now: datetime, who: str) -> Decision | None:
    """Bootpay said that it is done: what has gone back beyond it, somebody else had sent back before.

    Args:
        record: An order in `cancelling`.
        receipt: The receipt that pays, as Bootpay's answer shows it.
        now: The moment.
        who: Who had asked for the cancel.

    Returns:
        None where the running total shows no more than this cancel: then any look at the receipt tells.
    """
    draft = Draft(record, now, who)
    intent, total = draft.payment.cancel, _total(receipt)
    if intent is None or total is None or total <= intent.base + intent.amount:
        return None
    ours = replace(receipt, cancelled_tax_free=draft.payment.cancelled_tax_free + intent.tax_free)
    _cancelled(draft, ours, intent.base + intent.amount, origin="shop")
    _cancelled(draft, receipt, total, origin="outside")
    return draft.done(Pending())


def end_refused_cancel(
    record: Record, receipt: Receipt, now: datetime, who: str, words: Mapping[str, object]
) -> Decision:
    """Bootpay said no in so many words; the receipt tells what has gone back all the same.

    Args:
        record: An order in `cancelling`.
        receipt: The receipt that pays, looked up after the refusal.
        now: The moment.
        who: Who had asked for the cancel.
        words: Bootpay's `code` and `words`.
    """
    draft = Draft(record, now, who)
    intent = draft.payment.cancel
    assert intent is not None
    total = _total(receipt)
    if total is None or total < intent.base:
        return draft.done(Pending())
    wanted = intent.base + intent.amount
    if total == wanted and (intent.left_before or total == receipt.price):
        # An earlier attempt under this very cancel_id had its effect, or nothing is left to send back.
        _cancelled(draft, receipt, total, origin="shop")
        return draft.done(Pending())
    if total == wanted or (total > wanted and intent.left_before):
        # An attempt under this cancel_id may be among it, and be why this one is refused: an earlier one, or one that
        # the store has forgotten, as after its restoration. As well it may all be somebody else's.
        _cancelled_by_somebody(draft, receipt, total)
        return draft.done(Pending())
    draft.step(What.CANCEL_REFUSED, receipt_id=str(receipt.id), **words)
    if total > intent.base:
        _cancelled(draft, receipt, total, origin="outside")
    return draft.done(Pending())


def end_cancel(draft: Draft, receipt: Receipt, rules: Rules) -> Decision:
    """A cancel whose outcome was unknown: the running total tells."""
    intent = draft.payment.cancel
    assert intent is not None
    total = _total(receipt)
    if total is None or total <= intent.base:
        return draft.done(Pending())
    if total < intent.base + intent.amount:
        begun = draft.payment.intended_at or draft.now
        if draft.now - begun < timedelta(seconds=rules.approve_again_s):
            # Somebody else's cancel shows already; ours may still be on its way.
            return draft.done(Pending())
        # Less than ours has gone back: that was somebody else's cancel, and ours was not carried out.
        draft.step(What.CANCEL_REFUSED, receipt_id=str(receipt.id), undone=True, code="cancelled_outside")
        _cancelled(draft, receipt, total, origin="outside")
        return draft.done(Accepted(state="paid", receipt_id=receipt.id))
    if total == intent.base + intent.amount:
        _cancelled(draft, receipt, total, origin="shop")
    else:
        _cancelled_by_somebody(draft, receipt, total)
    return draft.done(Accepted(state="paid", receipt_id=receipt.id))


def _cancelled_by_somebody(draft: Draft, receipt: Receipt, total: int) -> None:
    """More has gone back than ours, so somebody else's is among it: whether ours is, no sum can tell."""
    _cancelled(draft, receipt, total, origin="outside")
    if draft.payment.state is State.PAID:
        draft.attention(AMBIGUOUS, receipt_id=str(receipt.id))


def _total(receipt: Receipt) -> int | None:
    """What has gone back in all, where the receipt can tell."""
    match receipt.status:
        case ReceiptStatus.CANCELLED:
            return receipt.price
        case ReceiptStatus.PAID:
            return receipt.cancelled
        case _:
            return None


AMBIGUOUS = "cancel_ambiguous"
"""Why a person is called where no sum can tell whose cancel it was."""


def _late_effect(payment: Payment, amount: int, price: int) -> CancelRequest | None:
    """The shop's own cancel that this may be: given up or in doubt, though it had left us."""
    # Were it a console's after all, the shop is told of a cancel that somebody has made: never of two.
    late = [request for request in payment.requests if _may_come_late(request)]
    exact = next((request for request in late if request.amount == amount), None)
    if exact is not None or payment.cancelled + amount < price:
        return exact
    # A whole cancel names no amount: where a console has taken a part by then, it takes the rest.
    return next((request for request in late if _whole(request, price)), None)


def _may_come_late(request: CancelRequest) -> bool:
    """Whether it left us once, and nobody waits for it any more."""
    return request.left and request.outcome in ("undone", "unknown", "refused_repeat")


def _whole(request: CancelRequest, price: int) -> bool:
    """Whether an attempt of it that left has named no amount."""
    return price in (request.amount, request.most)


def _in_doubt(payment: Payment, amount: int, price: int, late: CancelRequest | None) -> list[str]:
    """The keys of the cancels that may be among what went back and cannot be told from it: they never leave again."""
    everything = payment.cancelled + amount >= price
    return [
        request.key
        for request in payment.requests
        if (
            # Where nothing is left, ours is among it, unless it was all another one of ours that came late.
            request.outcome == "in_flight" and (late is not None or not everything)
        )
        or (
            # A whole cancel takes what others have left: any of them may have come before it.
            _may_come_late(request)
            and request is not late
            and (late is None or everything)
            and (request.amount <= amount or (everything and _whole(request, price)))
        )
    ]


REVERTED = "payment_reverted"
"""Why a person is called where paid money is no longer there although nobody cancelled it."""
DOUBTS = frozenset({REVERTED, Reason.ORDER_MISMATCH.value})
"""Reasons for which a person is called about the very receipt that pays."""


def compare_paid(draft: Draft, receipt: Receipt) -> Decision:
    """The receipt that pays, seen again: was money returned from outside, or the deposit taken back?"""
    payment = draft.payment
    replay: Answer = (
        Refusal(Reason.ALREADY_CANCELLED)
        if payment.state is State.CANCELLED
        else Accepted(state="paid", receipt_id=receipt.id, replayed=True)
    )
    if payment.state is State.CANCELLED:
        return draft.done(replay)
    total = _total(receipt)
    if total is not None:
        over = DOUBTS if receipt.order_id == draft.order.id else {REVERTED}
        ended = [q.reason for q in payment.dismissed if q.reason in over and q.receipt_id == receipt.id]
        if ended:
            draft.step(What.STANDS_AGAIN, receipt_id=str(receipt.id), reasons=ended)
        if total > payment.cancelled:
            _cancelled(draft, receipt, total, origin="outside")
            if draft.payment.state is State.CANCELLED:
                replay = Refusal(Reason.ALREADY_CANCELLED)
        return draft.done(replay)
    if receipt.at_work:
        return draft.done(replay)
    if Question(reason=REVERTED, receipt_id=receipt.id) in payment.dismissed:
        return draft.done(replay)
    # Paid money does not turn back into a waiting account or a failure unless somebody reversed it.
    draft.attention(REVERTED, receipt_id=str(receipt.id), status=receipt.number)
    return draft.done(Pending())


def _cancelled(draft: Draft, receipt: Receipt, total: int, *, origin: str) -> None:
    price = draft.order.price.minor
    amount = total - draft.payment.cancelled
    late = _late_effect(draft.payment, amount, price) if origin == "outside" else None
    what = What.CANCELLED if total >= price else What.PARTIALLY_CANCELLED
    doubted = _in_doubt(draft.payment, amount, price, late) if origin == "outside" else []
    origin = "shop" if late else origin
    draft.step(
        what,
        receipt_id=str(receipt.id),
        cancelled=total,
        cancelled_tax_free=draft.order.tax_free if total >= price else receipt.cancelled_tax_free,
        amount=amount,
        origin=origin,
        **({} if late is None else {"cancel_id": late.key}),
        **({"in_doubt": doubted} if doubted else {}),
    )
    kind = "order.cancelled" if what is What.CANCELLED else "order.partially_cancelled"
    draft.tell(kind, origin=origin)
