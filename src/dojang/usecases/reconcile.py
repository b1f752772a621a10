"""Ask Bootpay about everything unfinished: finish or undo what a crash left, find what Bootpay never told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import State
from dojang.core.schedule import after_doubt
from dojang.core.values import Value, replace
from dojang.errors import BootpayError, Conflict, StoreError, StoreUnavailable
from dojang.ports import OrderFilter, StoredNotice, World
from dojang.usecases.check_order import Found, check_order
from dojang.usecases.paced import PacedGateway
from dojang.usecases.receive_webhook import look_into
from dojang.usecases.verify import Deadline

__all__ = ["Change", "ReconcileReport", "reconcile"]

_CLAIM_S = 120.0
_PER_ORDER_S = 20.0
# Webhooks and orders take turns, so the last of these is finished after four looks: within its claim, however slow
# Bootpay is. One at a time would ask DynamoDB's index twice as often for each order.
_BATCH = 2
# Of the claims of orders: ever so many unfinished ones must not keep the others from being compared at all.
_OTHERS_FIRST = 0.1
_PAGE = 200
_LOOKS_MAX = 14
_AT_WORK = "at_work"
# With less time than this left, a bounded run begins nothing new: there would be no time to finish it.
_TIME_FOR_ONE_S = 5.0


class Change(Value, kw_only=False):
    """One order that was not as we believed.

    Attributes:
        order_id: Which.
        before: The state users saw before the check.
        after: The state they see now.
        drift: Whether Bootpay knew something that nobody had told us; what the machine itself had begun, or time
            passing, is none.
        receipt_id: What the order hangs on now, if on any.
    """

    order_id: OrderId
    before: str
    after: str
    drift: bool
    receipt_id: ReceiptId | None = None


@dataclass(slots=True)
class ReconcileReport:
    """What one run did.

    Attributes:
        checked: Orders looked at; those that could not be are among the failures alone.
        notices: Webhooks looked into, counted likewise.
        calls: Questions to Bootpay.
        changes: Orders that a check changed.
        failures: Orders or webhooks that could not be checked now and will be again, with what went wrong.
        more: Whether the run ended by its limit or its time, or was stopped, so that something may be left.
        next_cursor: Where a run over everything goes on, if it ended early.
    """

    checked: int = 0
    notices: int = 0
    calls: int = 0
    changes: list[Change] = field(default_factory=list)
    failures: list[tuple[str, BootpayError | StoreError]] = field(default_factory=list)
    more: bool = False
    next_cursor: str | None = None

    @property
    def idle(self) -> bool:
        """Whether there was nothing to look at."""
        return not (self.checked or self.notices or self.failures or self.more)

    @property
    def drift(self) -> list[Change]:
        """The changes that nobody had told us about."""
        return [change for change in self.changes if change.drift]

    @property
    def errors(self) -> list[tuple[str, str]]:
        """The failures by the names of their kinds, which quote nothing."""
        return [(id_, type(error).__name__) for id_, error in self.failures]


async def reconcile(
    world: World,
    *,
    limit: int = 1_000,
    everything: bool = False,
    within_s: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
    cursor: str | None = None,
    told: Callable[[ReconcileReport], None] = lambda _: None,
) -> ReconcileReport:
    """Check what is due, or every order. Safe to run from many machines at once.

    Bootpay is asked at the world's pace: runs that share a world share it too.

    Args:
        world: The ports.
        limit: At most so many orders and so many webhooks in this run; with `everything` it does not apply to orders.
        everything: Look at every order now, due or not: a second payment may have come to any of them.
        within_s: End about then, whatever is left; `more` of the report tells.
        stopped: Asked before each order or webhook; once it is true, the run ends as if its time were over. What it
            had claimed and not come to is due again when the claim is over.
        cursor: With `everything`: `next_cursor` of the run before.
        told: Hears what each look did as soon as it has ended: with a slow Bootpay a run takes hours, and a store
            that is away ends it with an error.
    """
    report = ReconcileReport()
    gateway = PacedGateway(world.gateway, world.clock, world.pace)
    world = replace(world, gateway=gateway)
    time = _Time(world, within_s, stopped)
    notices = _due_notices(world, limit, time, report)
    orders = (
        _every_order(world, cursor, time, report) if everything else _due_orders(world, limit, time, report)
    )
    # In turn: webhooks can be forged by the hundred, and must not keep an order from its check.
    while True:
        notice, order_id = await anext(notices, None), await anext(orders, None)
        if notice is not None:
            with _one_look(report, told, gateway) as look:
                await _settle_notice(world, notice, look, time)
        if order_id is not None:
            with _one_look(report, told, gateway) as look:
                await _check(world, order_id, look, time)
        if notice is None and order_id is None:
            break
    report.calls = gateway.calls
    return report


@contextmanager
def _one_look(
    report: ReconcileReport, told: Callable[[ReconcileReport], None], gateway: PacedGateway
) -> Iterator[ReconcileReport]:
    """What one look does, for whoever is told of each, and as a part of the whole."""
    look, before = ReconcileReport(), gateway.calls
    try:
        yield look
    finally:
        look.calls = gateway.calls - before
        report.notices += look.notices
        report.checked += look.checked
        report.changes += look.changes
        report.failures += look.failures
        told(look)


class _Time:
    """How long this run may go on."""

    def __init__(self, world: World, within_s: float | None, stopped: Callable[[], bool]) -> None:
        self._world = world
        self.stopped = stopped
        # Waiting for one's turn is no time lost to Bootpay.
        self._one_s = _PER_ORDER_S + 4 * world.pace.every_s
        self._deadline = None if within_s is None else Deadline(world, within_s)
        # What a bounded run claims and does not come to would be nobody's until the claim is over.
        self.batch = _BATCH if within_s is None else 1

    @property
    def over(self) -> bool:
        """Whether nothing new may be begun."""
        out_of_time = self._deadline is not None and self._deadline.left_s < _TIME_FOR_ONE_S
        return out_of_time or self.stopped()

    def for_one(self) -> Deadline:
        """How long one order or webhook may take."""
        left_s = self._one_s if self._deadline is None else min(self._one_s, self._deadline.left_s)
        return Deadline(self._world, left_s)


async def _due_notices(
    world: World, limit: int, time: _Time, report: ReconcileReport
) -> AsyncIterator[StoredNotice]:
    seen = 0
    while seen < limit and not time.over:
        now = world.clock.now()
        batch = await world.store.claim_notices(
            now, now + timedelta(seconds=_CLAIM_S), min(time.batch, limit - seen)
        )
        if not batch:
            return
        for notice in batch:
            if time.stopped():
                break
            yield notice
        seen += len(batch)
    report.more = True


async def _due_orders(
    world: World, limit: int, time: _Time, report: ReconcileReport
) -> AsyncIterator[OrderId]:
    seen = 0
    while seen < limit and not time.over:
        now = world.clock.now()
        batch = await world.store.claim_checks(
            now,
            now + timedelta(seconds=_CLAIM_S),
            min(time.batch, limit - seen),
            others_first=world.spread() >= 1 - _OTHERS_FIRST,
        )
        if not batch:
            return
        for order_id in batch:
            if time.stopped():
                break
            yield order_id
        seen += len(batch)
    report.more = True


async def _every_order(
    world: World, cursor: str | None, time: _Time, report: ReconcileReport
) -> AsyncIterator[OrderId]:
    while True:
        page = await world.store.orders(OrderFilter(cursor=cursor, limit=_PAGE))
        for place, record in enumerate(page.records):
            if time.over:
                if place > 0:
                    # Only the store knows how its cursors look: ask for the one after what has been done.
                    page = await world.store.orders(OrderFilter(cursor=cursor, limit=place))
                    cursor = page.next_cursor
                report.more, report.next_cursor = True, cursor
                return
            yield record.order.id
        cursor = page.next_cursor
        if cursor is None:
            return


async def _settle_notice(world: World, stored: StoredNotice, report: ReconcileReport, time: _Time) -> None:
    outcome, seen = "", ""
    try:
        outcome = await look_into(world, stored.notice, time.for_one())
    except (BootpayError, Conflict, StoreUnavailable) as error:
        report.failures.append((str(stored.notice.receipt_id), error))
    else:
        report.notices += 1
        seen = _AT_WORK
        if not outcome and stored.attempts >= _LOOKS_MAX and stored.outcome == _AT_WORK:
            # Bootpay was at work at the look before as well, hours after the notice came: a forged one about an open
            # window, most likely. Looks that failed tell nothing.
            outcome = "not_yet"
    if outcome:
        await world.store.settle_notice(stored, outcome)
    else:
        # Kept until Bootpay answers, asked for ever less often.
        wait_s = min(3_600, 30 * 2 ** min(stored.attempts, 7))
        again = world.clock.now() + timedelta(seconds=wait_s * (1 + 0.2 * world.spread()))
        await world.store.settle_notice(stored, seen, again)


async def _check(world: World, order_id: OrderId, report: ReconcileReport, time: _Time) -> None:
    found = Found()
    try:
        await check_order(world, order_id, found, time.for_one())
    except BootpayError as error:
        report.failures.append((str(order_id), error))
        await _put_off(world, order_id)
    except StoreUnavailable as error:
        # A claim that is left behind comes due again by itself.
        report.failures.append((str(order_id), error))
    else:
        report.checked += 1
    if found.after:
        report.changes.append(Change(order_id, found.before, found.after, found.drift, found.receipt_id))


async def _put_off(world: World, order_id: OrderId) -> None:
    """An order that cannot be looked at is tried ever less often, so that it does not take others' turn.

    Where money may be moving it stays due as claimed: that ends by itself, with a person if need be.
    """
    with suppress(StoreUnavailable):
        record = await world.store.load(order_id)
        if record is None or record.payment.state in (State.CONFIRMING, State.CANCELLING):
            return
        since = record.payment.since or record.payment.paid_at or record.created_at
        await world.store.reschedule(record, after_doubt(since, world.clock.now()))
