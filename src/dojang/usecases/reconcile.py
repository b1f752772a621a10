"""Ask Bootpay about everything unfinished: finish or undo what a crash left, find what Bootpay never told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dojang.core.decision import Approve, approval_refused, cancel_refused, expire, needs_attention, observe
from dojang.core.order import OrderId
from dojang.core.payment import Record, State, shown_state
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.schedule import GRACE, next_check
from dojang.errors import BootpayError, Conflict, StoreUnavailable
from dojang.ports import OrderFilter, StoredNotice, World
from dojang.usecases.receive_webhook import look_into
from dojang.usecases.verify import Deadline, settle_receipt

__all__ = ["Change", "ReconcileReport", "reconcile"]

_CLAIM_S = 120.0
_PER_ORDER_S = 20.0
_BATCH = 20
_TRIES = 4
_LOOKS_MAX = 14
# After this long nobody can still be waiting for Bootpay's answer, and the payment gateway has given up as well.
_UNRESOLVED_AFTER = timedelta(minutes=45)
_UNFINISHED = ("open", "awaiting_deposit", "pending", "paid", "partially_cancelled", "expired")


@dataclass(frozen=True, slots=True)
class Change:
    """One order that was not as we believed.

    Attributes:
        order_id: Which.
        before: The state users saw before the check.
        after: The state they see now.
        drift: Whether Bootpay knew something that we should have been told (and not merely time passing).
    """

    order_id: OrderId
    before: str
    after: str
    drift: bool


@dataclass(slots=True)
class ReconcileReport:
    """What one run did.

    Attributes:
        checked: Orders looked at.
        notices: Webhooks looked into.
        calls: Questions to Bootpay.
        changes: Orders that changed.
        errors: Orders or webhooks that could not be checked now and will be again, with the reason.
    """

    checked: int = 0
    notices: int = 0
    calls: int = 0
    changes: list[Change] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)

    @property
    def drift(self) -> list[Change]:
        """The changes that nobody had told us about."""
        return [change for change in self.changes if change.drift]


async def reconcile(
    world: World, *, limit: int = 1_000, everything: bool = False, calls_per_s: float = 20.0
) -> ReconcileReport:
    """Check what is due, or every unfinished and every paid order. Safe to run from many machines at once.

    Args:
        world: The ports.
        limit: At most so many orders and so many webhooks in this run; with `everything` it does not apply.
        everything: Look at every unfinished or paid order now, due or not.
        calls_per_s: Never ask Bootpay faster than this.
    """
    report = ReconcileReport()
    pace_s = 1.0 / calls_per_s
    async for notice in _due_notices(world, limit):
        report.notices += 1
        await _settle_notice(world, notice, report)
        await world.clock.sleep(pace_s)
    orders = _every_order(world) if everything else _due_orders(world, limit)
    async for order_id in orders:
        report.checked += 1
        calls = report.calls
        await _check(world, order_id, report)
        await world.clock.sleep(pace_s * max(1, report.calls - calls))
    return report


async def _due_notices(world: World, limit: int) -> AsyncIterator[StoredNotice]:
    seen = 0
    while seen < limit:
        now = world.clock.now()
        batch = await world.store.claim_notices(
            now, now + timedelta(seconds=_CLAIM_S), min(_BATCH, limit - seen)
        )
        for notice in batch:
            yield notice
        seen += len(batch)
        if not batch:
            return


async def _due_orders(world: World, limit: int) -> AsyncIterator[OrderId]:
    seen = 0
    while seen < limit:
        now = world.clock.now()
        batch = await world.store.claim_checks(
            now, now + timedelta(seconds=_CLAIM_S), min(_BATCH, limit - seen)
        )
        for order_id in batch:
            yield order_id
        seen += len(batch)
        if not batch:
            return


async def _every_order(world: World) -> AsyncIterator[OrderId]:
    cursor = None
    while True:
        page = await world.store.orders(OrderFilter(cursor=cursor, limit=200))
        for record in page.records:
            if shown_state(record.order, record.payment) in _UNFINISHED:
                yield record.order.id
        cursor = page.next_cursor
        if cursor is None:
            return


async def _settle_notice(world: World, stored: StoredNotice, report: ReconcileReport) -> None:
    report.calls += 1
    try:
        outcome = await look_into(world, stored.notice, Deadline(world, _PER_ORDER_S))
    except (BootpayError, Conflict, StoreUnavailable) as error:
        report.errors.append((str(stored.notice.receipt_id), type(error).__name__))
        outcome = ""
    else:
        if not outcome and stored.attempts >= _LOOKS_MAX:
            # Bootpay has been "at work" for hours: a forged notice about an open window, most likely.
            outcome = "not_yet"
    if outcome:
        await world.store.settle_notice(stored.notice, outcome)
    else:
        # Kept until Bootpay answers, asked for ever less often.
        wait_s = min(3_600, 30 * 2 ** min(stored.attempts, 7))
        again = world.clock.now() + timedelta(seconds=wait_s * (1 + 0.2 * world.spread()))
        await world.store.settle_notice(stored.notice, "", again)


async def _check(world: World, order_id: OrderId, report: ReconcileReport) -> None:
    for _ in range(_TRIES):
        before = await world.store.load(order_id)
        if before is None:
            return
        if before.payment.leased(world.clock.now()):
            await _again_later(world, before)
            return
        try:
            after, drift = await _look_at(world, before, report)
            if after.version == before.version:
                await _again_later(world, after)
                return
            report.changes.append(
                Change(
                    order_id,
                    shown_state(before.order, before.payment),
                    shown_state(after.order, after.payment),
                    drift,
                )
            )
        except Conflict:
            continue
        except (BootpayError, StoreUnavailable) as error:
            report.errors.append((str(order_id), type(error).__name__))
        # A claim that is left behind comes due again by itself.
        return


async def _again_later(world: World, record: Record) -> None:
    due_at = next_check(record.order, record.payment, record.created_at, world.clock.now(), world.spread())
    await world.store.reschedule(record, due_at)


async def _look_at(world: World, record: Record, report: ReconcileReport) -> tuple[Record, bool]:
    """The order after a look at every receipt it has, and whether that was news to us."""
    receipts = await _receipts(world, record, report)
    started = record
    deadline = Deadline(world, _PER_ORDER_S)
    for receipt in receipts:
        record = await _settle(world, record, receipt, deadline)
    drift = record.version != started.version and started.payment.state not in (
        State.CONFIRMING,
        State.CANCELLING,
    )
    return await _time_passed(world, record, receipts), drift


async def _receipts(world: World, record: Record, report: ReconcileReport) -> list[Receipt]:
    """The receipt that an intent or a payment is about first, then whatever else Bootpay has under the order's id."""
    report.calls += 1
    found = {
        receipt.id: receipt for receipt in await world.gateway.look_up_order(record.order.id, _PER_ORDER_S)
    }
    bound = record.payment.receipt_id
    if bound is not None:
        # The list may be older than the receipt itself; what money hangs on is asked for by its own id.
        report.calls += 1
        receipt = await world.gateway.look_up(bound, _PER_ORDER_S)
        if receipt is not None:
            found[bound] = receipt
    return sorted(
        found.values(),
        key=lambda receipt: (
            receipt.id != bound,
            receipt.status is not ReceiptStatus.PAID,
            receipt.purchased_at.timestamp() if receipt.purchased_at else 0.0,
            receipt.id,
        ),
    )


async def _settle(world: World, record: Record, receipt: Receipt, deadline: Deadline) -> Record:
    now = world.clock.now()
    payment = record.payment
    if (
        payment.state is State.CONFIRMING
        and payment.receipt_id == receipt.id
        and payment.intended_at is not None
    ):
        young = now - payment.intended_at < timedelta(seconds=world.rules.approve_again_s)
        if young:
            # The shop and the buyer had agreed before the crash: finish it.
            record, _ = await settle_receipt(world, record, receipt, "dojang", deadline)
            return record
        decision = observe(record, receipt, world.rules, now, "dojang", world.spread())
        if isinstance(decision.answer, Approve):
            decision = approval_refused(record, receipt.id, now, "dojang", {"reason": "not_carried_out"})
        elif not decision.events and now - payment.intended_at > _UNRESOLVED_AFTER:
            decision = needs_attention(record, now, "approval_unresolved")
    else:
        decision = observe(record, receipt, world.rules, now, "dojang", world.spread())
    return await world.store.commit(record, decision) if decision.events else record


async def _time_passed(world: World, record: Record, receipts: list[Receipt]) -> Record:
    """What follows from the time alone, after every receipt has been looked at."""
    now = world.clock.now()
    payment = record.payment
    match payment.state:
        case State.CANCELLING if payment.intended_at is not None and not payment.leased(now):
            if now - payment.intended_at > timedelta(seconds=world.rules.approve_again_s):
                # Bootpay's running total has not moved for long enough: it was not carried out.
                words: dict[str, object] = {"undone": True, "code": "not_carried_out"}
                return await world.store.commit(record, cancel_refused(record, now, "dojang", words))
        case State.CONFIRMING if payment.intended_at is not None and not payment.leased(now):
            if now - payment.intended_at > _UNRESOLVED_AFTER and payment.receipt_id not in [
                receipt.id for receipt in receipts
            ]:
                # Bootpay no longer knows the receipt: no look will ever tell whether its money moved.
                return await world.store.commit(record, needs_attention(record, now, "approval_unresolved"))
        case State.OPEN | State.AWAITING_DEPOSIT if _ran_out(record, now):
            approving = (ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN)
            if not any(receipt.status in approving for receipt in receipts):
                return await world.store.commit(record, expire(record, now, world.spread()))
        case _:
            pass
    return record


def _ran_out(record: Record, now: datetime) -> bool:
    expires_at = record.order.expires_at
    return expires_at is not None and now >= expires_at + GRACE
