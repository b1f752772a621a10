"""A store in memory: for tests, simulations and trying things out. Nothing survives the process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from dojang.adapters.rows import cursor_from, cursor_of, micros
from dojang.core.decision import Decision
from dojang.core.delivery import Delivery, DeliveryState, Lane
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Event, Payment, Record, shown_state
from dojang.core.schedule import is_unfinished
from dojang.core.values import replace
from dojang.errors import Conflict
from dojang.ports import Notice, OrderFilter, Page, StoredNotice

__all__ = ["MemoryBackend"]


class MemoryBackend:
    """Keeps everything in dictionaries under one lock, so that each method is one transaction."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[OrderId, Record] = {}
        self._events: dict[OrderId, list[Event]] = {}
        self._claims: dict[ReceiptId, OrderId] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._inbox: dict[str, StoredNotice] = {}

    def close(self) -> None:
        """Nothing to close."""

    def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """See `Store.register`."""
        with self._lock:
            there = self._records.get(order.id)
            if there is not None:
                return there, False
            record = Record(
                order=order, payment=Payment(), version=event.version, created_at=event.at, due_at=due_at
            )
            self._records[order.id] = record
            self._events[order.id] = [event]
            return record, True

    def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """See `Store.load`."""
        with self._lock:
            record = self._records.get(order_id)
            if record is None or receipt_id is None:
                return record
            return replace(record, claimed_by=self._claims.get(receipt_id))

    def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        order_id = record.order.id
        with self._lock:
            there = self._records.get(order_id)
            if there is None or there.version != record.version:
                raise Conflict(f"order {order_id} has moved on")
            if any(self._claims.get(receipt_id, order_id) != order_id for receipt_id in decision.claims):
                raise Conflict(f"a receipt of order {order_id} belongs to another order")
            committed = replace(
                record,
                payment=decision.payment,
                version=decision.version,
                due_at=decision.due_at,
                claimed_by=None,
            )
            self._records[order_id] = committed
            self._events[order_id].extend(decision.events)
            self._claims.update(dict.fromkeys(decision.claims, order_id))
            for owed in decision.owes:
                self._deliveries.setdefault(owed.id, owed)
            return committed

    def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """See `Store.history`."""
        with self._lock:
            return tuple(self._events.get(order_id, ()))

    def orders(self, wanted: OrderFilter, /) -> Page:
        """See `Store.orders`."""
        after = cursor_from(wanted.cursor)
        with self._lock:
            found = [
                record
                for record in self._records.values()
                if (wanted.state is None or shown_state(record.order, record.payment) == wanted.state)
                and (wanted.created_from is None or record.created_at >= wanted.created_from)
                and (wanted.created_to is None or record.created_at < wanted.created_to)
                and (after is None or (micros(record.created_at) or 0, str(record.order.id)) < after)
            ]
        found.sort(key=lambda record: (record.created_at, record.order.id), reverse=True)
        page = found[: wanted.limit]
        more = len(found) > wanted.limit
        return Page(page, cursor_of(page[-1].created_at, page[-1].order.id) if more else None)

    def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """See `Store.deliveries`."""
        with self._lock:
            found = [delivery for delivery in self._deliveries.values() if delivery.order_id == order_id]
        return sorted(found, key=lambda delivery: (delivery.seq, delivery.lane))

    def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """See `Store.claim_deliveries`."""
        with self._lock:
            leads: dict[object, Delivery] = {}
            for delivery in self._deliveries.values():
                if delivery.state is DeliveryState.DUE:
                    lane: object = delivery.id
                    if delivery.lane is Lane.NOTICE:
                        lane = (delivery.order_id, delivery.lane.value)
                    if lane not in leads or delivery.seq < leads[lane].seq:
                        leads[lane] = delivery
            due = sorted(
                (
                    delivery
                    for delivery in leads.values()
                    if delivery.due_at <= now and (delivery.lane is Lane.MONEY_BACK or not money_back_only)
                ),
                key=lambda delivery: (delivery.due_at, delivery.id),
            )
            claimed = [
                replace(delivery, due_at=until, attempts=delivery.attempts + 1) for delivery in due[:limit]
            ]
            self._deliveries.update({delivery.id: delivery for delivery in claimed})
            return claimed

    def settle_delivery(self, delivery: Delivery, /) -> bool:
        """See `Store.settle_delivery`."""
        with self._lock:
            there = self._deliveries.get(delivery.id)
            if there is None or there.state is not DeliveryState.DUE or there.attempts != delivery.attempts:
                return False
            self._deliveries[delivery.id] = replace(
                there,
                state=delivery.state,
                due_at=delivery.due_at,
                last_error=delivery.last_error,
                settled_at=delivery.settled_at,
            )
            return True

    def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """See `Store.retry_delivery`."""
        with self._lock:
            there = self._deliveries.get(delivery_id)
            if there is None:
                return None
            if there.state is not DeliveryState.SETTLED:
                there = replace(there, state=DeliveryState.DUE, due_at=now, last_error="")
                self._deliveries[delivery_id] = there
            return there

    def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """See `Store.receive`."""
        with self._lock:
            there = self._inbox.get(notice.key)
            if there is None:
                there = StoredNotice(notice=notice, received_at=now, due_at=due_at)
            elif there.outcome == "settled":
                there = replace(there, times=there.times + 1)
            else:
                there = replace(
                    there, times=there.times + 1, due_at=there.due_at or due_at, attempts=0, outcome=""
                )
            self._inbox[notice.key] = there
            return there

    def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.claim_notices`."""
        with self._lock:
            due = sorted(
                (there.due_at, key)
                for key, there in self._inbox.items()
                if there.due_at is not None and there.due_at <= now
            )
            claimed = []
            for _, key in due[:limit]:
                there = self._inbox[key]
                self._inbox[key] = replace(there, due_at=until, attempts=there.attempts + 1)
                claimed.append(self._inbox[key])
            return claimed

    def settle_notice(self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /) -> bool:
        """See `Store.settle_notice`."""
        with self._lock:
            there = self._inbox.get(stored.notice.key)
            if there is None or (there.times, there.attempts) != (stored.times, stored.attempts):
                return False
            self._inbox[stored.notice.key] = replace(there, outcome=outcome, due_at=due_at)
            return True

    def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.notices`."""
        with self._lock:
            return sorted(self._inbox.values(), key=lambda there: there.received_at, reverse=True)[:limit]

    def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """See `Store.reschedule`."""
        with self._lock:
            there = self._records.get(record.order.id)
            if there is None or there.version != record.version:
                return False
            self._records[record.order.id] = replace(there, due_at=due_at)
            return True

    def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """See `Store.claim_checks`."""
        with self._lock:
            due = sorted(
                (is_unfinished(record.payment) is others_first, record.due_at, order_id)
                for order_id, record in self._records.items()
                if record.due_at is not None and record.due_at <= now
            )
            claimed = [order_id for turn, _, order_id in due[:limit] if turn == due[0][0]]
            for order_id in claimed:
                self._records[order_id] = replace(self._records[order_id], due_at=until)
            return claimed
