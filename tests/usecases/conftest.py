"""A whole shop for each test: a store, a pretend Bootpay, a pretend receiver and a clock; audited afterwards."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.sqlite import SqliteBackend
from dojang.adapters.store import AwaitedStore, Backend
from dojang.core.delivery import Delivery
from dojang.core.history import fold
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Payment, State
from dojang.core.receipt import Receipt
from dojang.core.rules import Rules
from dojang.drive import inline, run
from dojang.ports import Notice, OrderFilter, World
from dojang.testing import PretendBootpay, PretendClock, PretendShop
from dojang.usecases.deliver_owed import DeliveryReport, deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.reconcile import ReconcileReport, reconcile
from dojang.usecases.register_order import register_order
from dojang.usecases.verify import Verification, verify

T = TypeVar("T")


class Unlisted:
    """A gateway of the first generation: receipts by their own id only."""

    def __init__(self, bootpay: PretendBootpay) -> None:
        self._bootpay = bootpay

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """Nothing."""
        return ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bootpay, name)


class Shop:
    """Everything a scenario needs, with the use cases as plain calls."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.clock = PretendClock()
        self.bootpay = PretendBootpay(self.clock)
        self.receiver = PretendShop()
        self.rules = Rules()
        self.asks_before_approval = False
        self.delivers = True

    @property
    def world(self) -> World:
        """The ports as they are wired now."""
        return World(
            store=AwaitedStore(self.backend, inline),
            gateway=self.bootpay,
            clock=self.clock,
            fulfilment=self.receiver if self.delivers else None,
            approval=self.receiver if self.asks_before_approval else None,
            rules=self.rules,
        )

    @property
    def unlisted(self) -> World:
        """The same with the first generation of Bootpay's API, which has no list of an order's receipts."""
        return replace(self.world, gateway=Unlisted(self.bootpay))

    def run(self, coroutine: Coroutine[object, None, T]) -> T:
        """Drive a use case to its end; nothing here needs an event loop."""
        return run(coroutine)

    def order(
        self, order_id: str = "o1", price: int = 1000, expires_in_s: float | None = None, **more: Any
    ) -> Order:
        """Register an order."""
        expires_at: datetime | None = None
        if expires_in_s is not None:
            expires_at = self.clock.now() + timedelta(seconds=expires_in_s)
        order = Order(id=OrderId(order_id), price=Money(price), name="양말", expires_at=expires_at, **more)
        self.run(register_order(self.world, order))
        return order

    def verify(self, receipt_id: ReceiptId, order_id: str = "o1", within_s: float = 20.0) -> Any:
        """The buyer is back: the answer, or what stood in its place."""
        told = self.run(verify(self.world, OrderId(order_id), receipt_id, within_s=within_s))
        return told.answer if isinstance(told, Verification) else told

    def hear(
        self, receipt_id: ReceiptId, kind: str = "PAYMENT_COMPLETED", order_id: str = "o1", **more: Any
    ) -> str:
        """A webhook arrives."""
        notice = Notice(receipt_id=receipt_id, kind=kind, order_id=order_id, **more)
        return self.run(receive_webhook(self.world, notice))

    def deliver(self) -> DeliveryReport:
        """Hand over what is due now."""
        return self.run(deliver_owed(self.world))

    def reconcile(self) -> ReconcileReport:
        """Check what is due now."""
        return self.run(reconcile(self.world))

    def payment(self, order_id: str = "o1") -> Payment:
        """Where an order stands."""
        record = self.backend.load(OrderId(order_id))
        assert record is not None
        return record.payment

    def state(self, order_id: str = "o1") -> State:
        """The state of an order."""
        return self.payment(order_id).state

    def whats(self, order_id: str = "o1") -> list[str]:
        """The kinds of event in an order's history."""
        return [event.what.value for event in self.backend.history(OrderId(order_id))]

    def owed(self, order_id: str = "o1") -> list[Delivery]:
        """Everything an order owes or owed."""
        return list(self.backend.deliveries(OrderId(order_id)))

    def audit(self) -> None:
        """What must hold after every scenario."""
        receipts = {receipt["receipt_id"]: receipt for receipt in self.bootpay.ledger.receipts()}
        for record in self.backend.orders(OrderFilter(limit=200)).records:
            events = self.backend.history(record.order.id)

            assert list(range(1, record.version + 1)) == [event.version for event in events]
            assert record.payment == fold(events)
            assert len(self.owed(record.order.id)) == len({owed.id for owed in self.owed(record.order.id)})
            if record.payment.state is State.PAID and record.payment.receipt_id in receipts:
                assert record.order.price.minor == receipts[record.payment.receipt_id]["price"]
        for receipt in receipts.values():
            assert 0 <= receipt["cancelled_price"] <= receipt["price"]


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop over each store."""
    backend = MemoryBackend() if request.param == "memory" else SqliteBackend(tmp_path / "dojang.db")
    shop = Shop(backend)
    yield shop
    shop.audit()
    backend.close()
