"""A Store is a blocking Backend and a way to call it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from dojang.core.decision import Decision
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Event, Record
from dojang.drive import Caller
from dojang.ports import Notice, OrderFilter, Page, StoredNotice

__all__ = ["AwaitedStore", "Backend"]


class Backend(Protocol):
    """`dojang.ports.Store`, blocking. One method is one transaction; the promises are the port's."""

    def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """See `Store.register`."""
        ...

    def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """See `Store.load`."""
        ...

    def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        ...

    def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """See `Store.history`."""
        ...

    def orders(self, wanted: OrderFilter, /) -> Page:
        """See `Store.orders`."""
        ...

    def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """See `Store.deliveries`."""
        ...

    def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """See `Store.claim_deliveries`."""
        ...

    def settle_delivery(self, delivery: Delivery, /) -> bool:
        """See `Store.settle_delivery`."""
        ...

    def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """See `Store.retry_delivery`."""
        ...

    def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """See `Store.receive`."""
        ...

    def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.claim_notices`."""
        ...

    def settle_notice(self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /) -> bool:
        """See `Store.settle_notice`."""
        ...

    def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.notices`."""
        ...

    def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """See `Store.reschedule`."""
        ...

    def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """See `Store.claim_checks`."""
        ...


class AwaitedStore:
    """A Backend as the port the use cases await."""

    def __init__(self, backend: Backend, call: Caller) -> None:
        self._backend = backend
        self._call = call

    async def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """See `Store.register`."""
        return await self._call(self._backend.register, order, event, due_at)

    async def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """See `Store.load`."""
        return await self._call(self._backend.load, order_id, receipt_id)

    async def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        return await self._call(self._backend.commit, record, decision)

    async def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """See `Store.history`."""
        return await self._call(self._backend.history, order_id)

    async def orders(self, wanted: OrderFilter, /) -> Page:
        """See `Store.orders`."""
        return await self._call(self._backend.orders, wanted)

    async def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """See `Store.deliveries`."""
        return await self._call(self._backend.deliveries, order_id)

    async def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """See `Store.claim_deliveries`."""
        return await self._call(
            self._backend.claim_deliveries, now, until, limit, money_back_only=money_back_only
        )

    async def settle_delivery(self, delivery: Delivery, /) -> bool:
        """See `Store.settle_delivery`."""
        return await self._call(self._backend.settle_delivery, delivery)

    async def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """See `Store.retry_delivery`."""
        return await self._call(self._backend.retry_delivery, delivery_id, now)

    async def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """See `Store.receive`."""
        return await self._call(self._backend.receive, notice, now, due_at)

    async def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.claim_notices`."""
        return await self._call(self._backend.claim_notices, now, until, limit)

    async def settle_notice(
        self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /
    ) -> bool:
        """See `Store.settle_notice`."""
        return await self._call(self._backend.settle_notice, stored, outcome, due_at)

    async def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.notices`."""
        return await self._call(self._backend.notices, limit)

    async def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """See `Store.reschedule`."""
        return await self._call(self._backend.reschedule, record, due_at)

    async def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """See `Store.claim_checks`."""
        return await self._call(self._backend.claim_checks, now, until, limit, others_first=others_first)
