"""One order that is due: finish or undo what was begun, and find what Bootpay never told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dojang.core.approval import approval_refused
from dojang.core.attention import needs_attention
from dojang.core.cancelling import cancel_refused
from dojang.core.decision import Approve, Decision
from dojang.core.expiry import expire
from dojang.core.observation import observe
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Fate, Record, State, shown_state
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.schedule import GRACE, next_check
from dojang.errors import BootpayError, Conflict
from dojang.ports import World
from dojang.usecases.verify import Deadline, settle_receipt

__all__ = ["Found", "check_order"]

_TRIES = 4
# After this long nobody can still be waiting for Bootpay's answer, and the payment gateway has given up as well.
_UNRESOLVED_AFTER = timedelta(minutes=45)
# An outage of Bootpay's ends sooner; a receipt that cannot be read for so long will not be read tomorrow.
_UNREACHABLE_AFTER = timedelta(hours=24)
# No payment gateway is at work on a checkout for so long; an order does not hang in between for ever.
_AT_WORK_AT_MOST = timedelta(hours=24)


@dataclass(slots=True)
class Found:
    """What one check wrote about its order, whoever else was at it in between.

    Attributes:
        before: The state users saw before; empty while nothing was written.
        after: The state they see now.
        drift: Whether Bootpay knew something that nobody had told us.
        receipt_id: What the order hangs on now, if on any.
    """

    before: str = ""
    after: str = ""
    drift: bool = False
    receipt_id: ReceiptId | None = None

    def note(self, was: Record, now: Record, *, news: bool) -> None:
        """Note one commit of ours."""
        if now.version != was.version:
            self.before = self.before or shown_state(was.order, was.payment)
            self.after = shown_state(now.order, now.payment)
            self.drift = self.drift or news
            self.receipt_id = now.payment.receipt_id


async def check_order(world: World, order_id: OrderId, found: Found, deadline: Deadline) -> None:
    """Look at every receipt of the order, unless somebody's lease holds it, and say when it is due again.

    Args:
        world: The ports.
        order_id: Which.
        found: Filled in, so that what was written before an error is told all the same.
        deadline: How long it may take.

    Raises:
        BootpayError: If Bootpay cannot be asked; the order stays due.
        StoreUnavailable: If the store cannot be used.
    """
    for _ in range(_TRIES):
        record = await world.store.load(order_id)
        if record is None:
            return
        after = record
        if not record.payment.leased(world.clock.now()):
            try:
                after = await _look_at(world, record, found, deadline)
            except Conflict:
                continue
        if after.version == record.version:
            await _again_later(world, after)
        return


async def _again_later(world: World, record: Record) -> None:
    due_at = next_check(record.order, record.payment, record.created_at, world.clock.now(), world.spread())
    await world.store.reschedule(record, due_at)


async def _look_at(world: World, record: Record, found: Found, deadline: Deadline) -> Record:
    """The order after a look at every receipt it has.

    What money hangs on is looked at first, and by its own id: a list may be older than the receipt itself. What cannot
    be had keeps nobody from the rest, and is told at the end.
    """
    missed: list[BootpayError] = []
    bound = record.payment.receipt_id
    own = None if bound is None else await _receipt(world, bound, deadline, missed)
    if own is not None:
        record = await _settle(world, record, own, found, deadline)
    others = await _other_receipts(world, record, bound, deadline, missed)
    for receipt in others:
        try:
            record = await _settle(world, record, receipt, found, deadline)
        except Conflict:
            if not await _pays_elsewhere(world, record, receipt.id):
                raise
    seen = others if own is None else [own, *others]
    record = await _time_passed(world, record, seen, found, missed)
    if missed:
        raise missed[0]
    return record


async def _pays_elsewhere(world: World, record: Record, receipt_id: ReceiptId) -> bool:
    """Whether the receipt is on file for another order: it keeps nobody from the rest of this one's receipts."""
    now = await world.store.load(record.order.id, receipt_id)
    return now is not None and now.version == record.version and now.claimed_by not in (None, record.order.id)


async def _receipt(
    world: World, receipt_id: ReceiptId, deadline: Deadline, missed: list[BootpayError]
) -> Receipt | None:
    try:
        return await world.gateway.look_up(receipt_id, deadline.left_s)
    except BootpayError as error:
        missed.append(error)
        return None


async def _other_receipts(
    world: World, record: Record, bound: ReceiptId | None, deadline: Deadline, missed: list[BootpayError]
) -> list[Receipt]:
    """Whatever else may hold money for the order, the first paid first."""
    try:
        listed = await world.gateway.look_up_order(record.order.id, deadline.left_s)
    except BootpayError as error:
        missed.append(error)
        listed = ()
    found = {receipt.id: receipt for receipt in listed if receipt.id != bound}
    for other in record.payment.others:
        # An account that was set aside may still be paid into, held money may go back by itself, and the first
        # generation has no list.
        if other.fate in (Fate.SET_ASIDE, Fate.HELD) and other.receipt_id not in (bound, *found):
            receipt = await _receipt(world, other.receipt_id, deadline, missed)
            if receipt is not None:
                found[receipt.id] = receipt
    return sorted(
        found.values(),
        key=lambda receipt: (
            receipt.status is not ReceiptStatus.PAID,
            receipt.purchased_at.timestamp() if receipt.purchased_at else 0.0,
            receipt.id,
        ),
    )


async def _settle(world: World, record: Record, receipt: Receipt, found: Found, deadline: Deadline) -> Record:
    now = world.clock.now()
    payment = record.payment
    own = payment.receipt_id == receipt.id
    if payment.state is State.CONFIRMING and own and payment.intended_at is not None:
        if now - payment.intended_at < timedelta(seconds=world.rules.approve_again_s):
            return await _finish_approval(world, record, receipt, found, deadline)
        decision = observe(record, receipt, world.rules, now, "dojang", world.spread())
        if isinstance(decision.answer, Approve):
            decision = approval_refused(record, receipt.id, now, "dojang", {"reason": "not_carried_out"})
        elif not decision.events and now - payment.intended_at > _UNRESOLVED_AFTER:
            decision = needs_attention(record, now, "approval_unresolved")
        return await _commit(world, record, decision, found, news=False)
    decision = observe(record, receipt, world.rules, now, "dojang", world.spread())
    news = True
    if payment.state is State.CANCELLING and own:
        news = any(event.data.get("origin") == "outside" for event in decision.events)
    return await _commit(world, record, decision, found, news=news)


async def _finish_approval(
    world: World, record: Record, receipt: Receipt, found: Found, deadline: Deadline
) -> Record:
    """The shop and the buyer had agreed before the crash: finish it."""
    after, _ = await settle_receipt(world, record, receipt, "dojang", deadline)
    found.note(record, after, news=False)
    return after


async def _time_passed(
    world: World,
    record: Record,
    receipts: Sequence[Receipt],
    found: Found,
    missed: Sequence[BootpayError],
) -> Record:
    """What follows from the time alone, after every receipt has been looked at, or could not be."""
    now = world.clock.now()
    payment = record.payment
    own = next((receipt for receipt in receipts if receipt.id == payment.receipt_id), None)
    decision: Decision | None = None
    # Bootpay may be away for hours: that is no reason to call a person about every order at once.
    unresolved_after = _UNREACHABLE_AFTER if missed else _UNRESOLVED_AFTER
    if payment.leased(now):
        return record
    match payment.state:
        case State.CANCELLING if payment.intended_at is not None and payment.cancel is not None:
            waited = now - payment.intended_at
            untouched = (
                own is not None and own.status is ReceiptStatus.PAID and own.cancelled == payment.cancel.base
            )
            if untouched and waited > timedelta(seconds=world.rules.approve_again_s):
                # Bootpay's running total has not moved for long enough: it was not carried out.
                words: Mapping[str, object] = {"undone": True, "code": "not_carried_out"}
                decision = cancel_refused(record, now, "dojang", words)
            elif not untouched and waited > unresolved_after:
                # The receipt is gone, or nothing that a cancel could have left behind, or it can never be read.
                decision = needs_attention(record, now, "cancel_unresolved")
        case State.CONFIRMING if payment.intended_at is not None and own is None:
            if now - payment.intended_at > unresolved_after:
                # Bootpay no longer knows the receipt or never shows it: no look will tell whether its money moved.
                decision = needs_attention(record, now, "approval_unresolved")
        case State.OPEN | State.AWAITING_DEPOSIT if _ran_out(record, now) and not missed:
            at_work = any(receipt.at_work for receipt in receipts)
            if not at_work or _ran_out(record, now - _AT_WORK_AT_MOST):
                # Should money come of it after so long, it is judged as late money: nothing is lost or forgotten.
                decision = expire(record, now, world.spread())
        case _:
            pass
    return record if decision is None else await _commit(world, record, decision, found, news=False)


async def _commit(world: World, record: Record, decision: Decision, found: Found, *, news: bool) -> Record:
    if not decision.events:
        return record
    after = await world.store.commit(record, decision)
    found.note(record, after, news=news)
    return after


def _ran_out(record: Record, now: datetime) -> bool:
    expires_at = record.order.expires_at
    return expires_at is not None and now >= expires_at + GRACE
