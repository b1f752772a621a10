"""Bootpay hints at a receipt: keep the hint, look the receipt up, then decide as for anybody else.

A webhook is unsigned. Nothing in it is believed but that there may be something to look at.
"""

from __future__ import annotations

from datetime import timedelta

from dojang.core.decision import Pending, observe
from dojang.core.order import OrderId
from dojang.core.payment import State
from dojang.errors import BootpayError, Conflict, InvalidValue, StoreUnavailable
from dojang.ports import Notice, World
from dojang.usecases.verify import Deadline

__all__ = ["look_into", "receive_webhook"]

_WAIT_STEP_S = 0.1
_LOOK_AGAIN_AFTER_S = 30.0


async def receive_webhook(world: World, notice: Notice, *, within_s: float = 4.0) -> str:
    """Make the notice durable, then try to settle it at once.

    When this returns, the notice may be acknowledged: either it is settled, or it is in the inbox and due to be
    looked into again.

    Args:
        world: The ports.
        notice: The webhook, reduced to what it claims.
        within_s: After this the look-up is given up and left to `reconcile`.

    Returns:
        What came of it: `settled`, `order_unknown`, `receipt_unknown`, or empty where it is left for later.

    Raises:
        StoreUnavailable: If the notice could not be kept: it must not be acknowledged.
    """
    deadline = Deadline(world, within_s)
    now = world.clock.now()
    stored = await world.store.receive(notice, now, now + timedelta(seconds=_LOOK_AGAIN_AFTER_S))
    if stored.due_at is None:
        return stored.outcome
    try:
        outcome = await look_into(world, notice, deadline)
        if outcome:
            await world.store.settle_notice(notice, outcome)
    except (BootpayError, Conflict, StoreUnavailable):
        # It is in the inbox and due again: acknowledging it now loses nothing.
        return ""
    return outcome


async def look_into(world: World, notice: Notice, deadline: Deadline) -> str:
    """Look the receipt up and decide. Empty where somebody else is at work on the order or time ran out."""
    while deadline.left_s > 0:
        receipt = await world.gateway.look_up(notice.receipt_id, deadline.left_s)
        if receipt is None:
            return "receipt_unknown"
        try:
            order_id = OrderId(receipt.order_id)
        except InvalidValue:
            return "order_unknown"
        record = await world.store.load(order_id, notice.receipt_id)
        if record is None:
            return "order_unknown"
        if not record.payment.leased(world.clock.now()):
            decision = observe(record, receipt, world.rules, world.clock.now(), "bootpay", world.spread())
            if decision.events:
                await world.store.commit(record, decision)
            unfinished = record.payment.state in (State.CONFIRMING, State.CANCELLING)
            if unfinished and isinstance(decision.answer, Pending):
                # What was begun on this order must be finished before this receipt can be judged.
                return ""
            return "settled"
        # Somebody is about to know more than this look-up did: let them finish, then look again.
        await world.clock.sleep(_WAIT_STEP_S)
    return ""
