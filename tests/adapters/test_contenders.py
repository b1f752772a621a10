"""Many processes, one store: what is due is given once, one receipt pays once, no won goes back twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dojang.adapters.sqlite import SqliteBackend
from dojang.adapters.store import Backend
from dojang.core.cancellation import WantedCancel
from dojang.core.history import fold
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, State, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.drive import run
from dojang.emulator.ledger import Checkout
from dojang.emulator.server import EmulatorServer
from dojang.ports import Notice
from dojang.usecases.cancel import cancel
from dojang.usecases.verify import verify

from .contenders import CONTENDERS, NOW, RECEIPT, client, contend, world_at


@dataclass
class Shared:
    """A store that other processes can open as well."""

    backend: Backend
    where: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    def contend(self, what: str, *more: str) -> list[Any]:
        """What each of sixteen contenders got."""
        return contend(self.where, what, *more, environment=os.environ | self.environment)

    def register(self, order_id: str = "o1") -> None:
        """An order of 1000."""
        event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop", data={"price": 1000})
        self.backend.register(Order(id=OrderId(order_id), price=Money(1000), name="양말"), event, NOW)

    def pay(self) -> None:
        """The order is paid by the receipt that everybody has."""
        record = self.backend.load(OrderId("o1"))
        assert record is not None
        receipt = Receipt(id=ReceiptId(RECEIPT), order_id="o1", status=ReceiptStatus.PAID, price=1000)
        self.backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))


@contextmanager
def _sqlite(folder: Path) -> Iterator[Shared]:
    path = folder / "dojang.db"
    with closing(SqliteBackend(path)) as backend:
        yield Shared(backend, ("sqlite", str(path)))


@contextmanager
def _postgres(_: Path) -> Iterator[Shared]:
    from dojang.adapters.postgres import PostgresBackend

    from .postgres_server import fresh_schema, server_conninfo

    with fresh_schema(server_conninfo()) as conninfo, closing(PostgresBackend(conninfo)) as backend:
        yield Shared(backend, ("postgres", conninfo))


@contextmanager
def _dynamodb(_: Path) -> Iterator[Shared]:
    from .dynamodb_local import KEYS, REGION, fresh_backend, server_endpoint

    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        with closing(fresh_backend()) as backend:
            yield Shared(backend, ("dynamodb", backend._table, REGION, server_endpoint()), KEYS)


@pytest.fixture(
    params=[
        pytest.param(_sqlite, id="sqlite"),
        pytest.param(_postgres, id="postgres"),
        pytest.param(_dynamodb, id="dynamodb", marks=pytest.mark.xdist_group("dynamodb")),
    ]
)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    """An empty store of each kind."""
    with request.param(tmp_path) as shared:
        yield shared


def test_processes_race_for_one_claim_and_one_wins(shared: Shared) -> None:
    """Sixteen claims from four processes: each thing that is due is given exactly once."""
    shared.register()
    shared.pay()
    shared.register("unpaid")
    shared.backend.receive(Notice(receipt_id=ReceiptId(RECEIPT)), NOW, NOW)
    given = shared.contend("claim")

    assert CONTENDERS == len(given)
    assert (1, 1, 1) == tuple(map(sum, zip(*given, strict=True)))


def test_processes_race_for_one_receipt_and_one_wins(shared: Shared) -> None:
    """Sixteen orders claim one receipt from four processes: one is paid, fifteen are refused."""
    for number in range(CONTENDERS):
        shared.register(f"race{number}")
    results = shared.contend("one_receipt")
    paid = [shared.backend.load(OrderId(f"race{number}")) for number in range(CONTENDERS)]

    assert (15, 1) == (results.count("conflict"), results.count("paid"))
    assert 1 == sum(record is not None and record.payment.state is State.PAID for record in paid)


@pytest.mark.parametrize(("what", "surplus"), [("same_receipt", 0), ("own_receipt", 15)])
def test_sixteen_buyers_of_one_order_are_one_payment_and_one_notice(
    shared: Shared, what: str, surplus: int
) -> None:
    """One receipt sixteen times pays once; of sixteen receipts one pays and fifteen are owed back, each once."""
    shared.register()
    results = shared.contend(what)
    record = shared.backend.load(OrderId("o1"))
    owed = [delivery.type for delivery in shared.backend.deliveries(OrderId("o1"))]
    events = shared.backend.history(OrderId("o1"))

    assert ["observed"] * CONTENDERS == results
    assert record is not None
    assert record.payment == fold(events)
    assert list(range(1, record.version + 1)) == [event.version for event in events]
    assert (1, surplus) == (owed.count("order.paid"), owed.count("money_back"))
    assert surplus == len(record.payment.others)


@pytest.mark.parametrize(("gone", "wanted", "times"), [(999, 1, 1), (0, 300, 3)])
def test_processes_race_for_what_is_left_of_a_refund(
    shared: Shared, gone: int, wanted: int, times: int
) -> None:
    """The last won goes back once, and 300 of 1000 three times, however many want it under keys of their own."""
    shared.register()
    with EmulatorServer() as bootpay, client(bootpay.url) as sender:
        world = world_at(shared.backend, sender)
        with bootpay.changing() as ledger:
            receipt_id = ledger.open_checkout(Checkout(order_id="o1", price=1000)).receipt_id
            ledger.approve(receipt_id)
        run(verify(world, OrderId("o1"), ReceiptId(receipt_id)))
        if gone:
            first = WantedCancel(amount=gone, tax_free=None, reason="환불")
            run(cancel(world, OrderId("o1"), "first", first))
        before = len(bootpay.asked())
        results = shared.contend("refund", bootpay.url, str(wanted))
        sent = sum(asked.endswith("/cancel") for asked in bootpay.asked()[before:])
        truth = bootpay.ledger.find(receipt_id).cancelled_price
    record = shared.backend.load(OrderId("o1"))

    assert record is not None
    assert (times, times) == (results.count("CancelDone"), sent)
    assert 0 == results.count("CancelPending")
    assert gone + times * wanted == truth == record.payment.cancelled
    assert record.payment == fold(shared.backend.history(OrderId("o1")))
