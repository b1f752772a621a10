"""Bootpay hints at a receipt: keep the hint, look the receipt up, then decide as for anybody else.

A webhook is unsigned. Nothing in it is believed but that there may be something to look at.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation

from dojang.core.decision import Pending
from dojang.core.observation import observe
from dojang.core.order import OrderId, major_units
from dojang.core.payment import Record, State
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.errors import BootpayError, Conflict, InvalidValue, StoreUnavailable
from dojang.ports import Notice, World
from dojang.usecases.verify import Deadline

__all__ = ["look_into", "receive_webhook"]

_WAIT_STEP_S = 0.1
_LOOK_AGAIN_AFTER_S = 30.0
_AT_WORK = frozenset({ReceiptStatus.WAITING, ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN})
_UNENDED = frozenset({ReceiptStatus.AWAITING_APPROVAL, ReceiptStatus.AWAITING_DEPOSIT})


async def receive_webhook(world: World, notice: Notice, *, within_s: float = 4.0) -> str:
    """Make the notice durable, then try to settle it at once.

    When this returns, the notice may be acknowledged: either it is settled, or it is in the inbox and due to be
    looked into again.

    Args:
        world: The ports.
        notice: The webhook, reduced to what it claims.
        within_s: After this the look-up is given up and left to `reconcile`.

    Returns:
        What came of it, as `look_into` tells it.

    Raises:
        StoreUnavailable: If the notice could not be kept: it must not be acknowledged.
    """
    deadline = Deadline(world, within_s)
    now = world.clock.now()
    # A repeat of one that ended too early, by a forged notice for example, counts: it is due again from here on.
    stored = await world.store.receive(notice, now, now + timedelta(seconds=_LOOK_AGAIN_AFTER_S))
    if stored.outcome == "settled":
        return stored.outcome
    try:
        outcome = await look_into(world, notice, deadline)
        if outcome:
            # If it came again meanwhile, nothing is written: this look may have been too early for the repeat.
            await world.store.settle_notice(stored, outcome)
    except (BootpayError, Conflict, StoreUnavailable):
        # It is in the inbox and due again: acknowledging it now loses nothing.
        return ""
    return outcome


async def look_into(world: World, notice: Notice, deadline: Deadline) -> str:
    """Look the receipt up and decide.

    Returns:
        `settled`; `settled_so_far` where a repeat may be about more; `not_yet` where the receipt does not show (yet)
        what the notice claims; `order_unknown`; `receipt_unknown`; or empty where Bootpay or somebody else is still
        at work, or time ran out.
    """
    # The order is loaded before the look-up, so that a decision made meanwhile is noticed: the notice's own word
    # for the order is only a guess that saves the second look-up.
    order_id = _order_id(notice.order_id)
    while deadline.left_s > 0:
        record = await _settled_down(world, order_id, notice, deadline) if order_id else None
        if record is not None and record.payment.leased(world.clock.now()):
            return ""
        receipt = await world.gateway.look_up(notice.receipt_id, deadline.left_s)
        if receipt is None:
            return "receipt_unknown"
        named = _order_id(receipt.order_id)
        if named is None:
            return "order_unknown"
        if named != order_id:
            order_id = named
            if await world.store.load(order_id, notice.receipt_id) is None:
                return "order_unknown"
            continue
        if record is None:
            return "order_unknown"
        return await _decide(world, record, receipt, notice)
    return ""


def _order_id(text: str) -> OrderId | None:
    try:
        return OrderId(text)
    except InvalidValue:
        return None


async def _settled_down(world: World, order_id: OrderId, notice: Notice, deadline: Deadline) -> Record | None:
    """The order once nobody is at work on it, or as it is when time runs out."""
    while True:
        record = await world.store.load(order_id, notice.receipt_id)
        if record is None or not record.payment.leased(world.clock.now()) or deadline.left_s <= _WAIT_STEP_S:
            return record
        # Somebody is about to know more than a look-up would tell: let them finish, then look.
        await world.clock.sleep(_WAIT_STEP_S)


async def _decide(world: World, record: Record, receipt: Receipt, notice: Notice) -> str:
    decision = observe(record, receipt, world.rules, world.clock.now(), "bootpay", world.spread())
    if decision.events:
        await world.store.commit(record, decision)
    unfinished = record.payment.state in (State.CONFIRMING, State.CANCELLING)
    if unfinished and isinstance(decision.answer, Pending):
        # What was begun on this order must be finished before this receipt can be judged.
        return ""
    if receipt.status in _AT_WORK:
        # Before anything else: the history knows nothing of it yet, and the first generation has no list to find it in.
        return ""
    if record.payment.state is State.ATTENTION and isinstance(decision.answer, Pending):
        # A person decides first, and then the order is looked at; should this be repeated, it counts again.
        return "not_yet"
    if receipt.status in _UNENDED or _claims_more(notice, receipt):
        return "not_yet"
    # Generation 1 does not say how much went back, so that the next cancel's notice is, word for word, this one.
    # Neither does any of a deposit that came once more, after the bank took the first one back.
    deposit = receipt.method == "vbank" and receipt.remaining == receipt.price > 0
    told_apart = (notice.generation != 1 or notice.cancelled) and not deposit
    return "settled" if told_apart else "settled_so_far"


def _claims_more(notice: Notice, receipt: Receipt) -> bool:
    """Whether the notice tells of a cancel that the receipt does not show."""
    try:
        return Decimal(notice.cancelled or 0) > Decimal(str(major_units(receipt.cancelled, receipt.currency)))
    except InvalidOperation:
        return False
