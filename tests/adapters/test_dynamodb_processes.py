"""Many processes, one table: what is due is given once, one receipt pays once; and the store by its address."""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import pytest

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.core.history import fold
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, State, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.drive import run
from dojang.entry.settings import read_settings
from dojang.entry.wiring import blocking_world, migrated, open_backend, store_name
from dojang.errors import ConfigError
from dojang.ports import Notice
from dojang.usecases.register_order import Registered, register_order

from .dynamodb_local import KEYS, REGION, fresh_backend, fresh_name, server_endpoint

pytestmark = pytest.mark.xdist_group("dynamodb")

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
RECEIPT = ReceiptId("a" * 24)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that open nothing."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def backend() -> Iterator[DynamoDBBackend]:
    """An empty store."""
    with closing(fresh_backend()) as backend:
        yield backend


def _register(backend: DynamoDBBackend, order_id: str = "o1") -> None:
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop", data={"price": 1000})
    backend.register(Order(id=OrderId(order_id), price=Money(1000), name="양말"), event, NOW)


def _pay(backend: DynamoDBBackend, order_id: str = "o1", receipt_id: ReceiptId = RECEIPT) -> None:
    record = backend.load(OrderId(order_id), receipt_id)
    assert record is not None
    receipt = Receipt(id=receipt_id, order_id=order_id, status=ReceiptStatus.PAID, price=1000)
    backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))


_CONTENDERS = """
import sys, threading
from datetime import datetime, timedelta, UTC
from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.core.observation import observe
from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.errors import Conflict

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
table, endpoint, first, what = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
backend = DynamoDBBackend(table, "ap-northeast-2", endpoint, patience_s=60)
said = []

def claim(number):
    return [len(f(NOW, LATER, 10)) for f in (
        backend.claim_deliveries, backend.claim_notices, backend.claim_checks)]

def observed(order_id, receipt):
    # As a use case does it: who meets a conflict loads again and decides again.
    for _ in range(100):
        record = backend.load(OrderId(order_id), ReceiptId(receipt))
        seen = Receipt(id=ReceiptId(receipt), order_id=order_id, status=ReceiptStatus.PAID, price=1000)
        try:
            return type(backend.commit(record, observe(record, seen, Rules(), NOW, "buyer"))).__name__
        except Conflict:
            continue

def one_receipt(number):
    record = backend.load(OrderId(f"race{number}"))
    receipt = Receipt(id=ReceiptId("a" * 24), order_id=record.order.id, status=ReceiptStatus.PAID, price=1000)
    try:
        backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))
    except Conflict:
        return "conflict"
    return "paid"

def same_receipt(number):
    return observed("o1", "a" * 24)

def own_receipt(number):
    return observed("o1", f"{number:024x}")

def contend(number):
    start.wait()
    said.append(globals()[what](number))

start = threading.Barrier(5)
threads = [threading.Thread(target=contend, args=(first + n,)) for n in range(4)]
for thread in threads: thread.start()
print("ready", flush=True)
sys.stdin.readline()
start.wait()
for thread in threads: thread.join()
print(said)
"""


def _contend(backend: DynamoDBBackend, what: str) -> list[Any]:
    """Sixteen contenders, four in each of four processes; what each one got."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CONTENDERS, backend._table, server_endpoint(), str(first), what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | KEYS,
            text=True,
        )
        for first in (0, 4, 8, 12)
    ]
    for process in processes:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [got for process in processes for got in literal_eval(process.communicate(timeout=120)[0])]


def test_processes_race_for_one_claim_and_one_wins(backend: DynamoDBBackend) -> None:
    """Sixteen claims from four processes: each thing that is due is given exactly once."""
    _register(backend)
    _pay(backend)
    _register(backend, "unpaid")
    backend.receive(Notice(receipt_id=RECEIPT), NOW, NOW)
    given = _contend(backend, "claim")

    assert 16 == len(given)
    assert (1, 1, 1) == tuple(map(sum, zip(*given, strict=True)))


def test_processes_race_for_one_receipt_and_one_wins(backend: DynamoDBBackend) -> None:
    """Sixteen orders claim one receipt from four processes: one is paid, fifteen are refused."""
    for number in range(16):
        _register(backend, f"race{number}")
    results = _contend(backend, "one_receipt")
    paid = [backend.load(OrderId(f"race{number}")) for number in range(16)]

    assert (15, 1) == (results.count("conflict"), results.count("paid"))
    assert 1 == sum(record is not None and record.payment.state is State.PAID for record in paid)


@pytest.mark.parametrize(("what", "surplus"), [("same_receipt", 0), ("own_receipt", 15)])
def test_sixteen_buyers_of_one_order_are_one_payment_and_one_notice(
    backend: DynamoDBBackend, what: str, surplus: int
) -> None:
    """One receipt sixteen times pays once; of sixteen receipts one pays and fifteen are owed back, each once."""
    _register(backend)
    results = _contend(backend, what)
    record = backend.load(OrderId("o1"))
    owed = [delivery.type for delivery in backend.deliveries(OrderId("o1"))]
    events = backend.history(OrderId("o1"))

    assert ["Record"] * 16 == results
    assert record is not None
    assert record.payment == fold(events)
    assert list(range(1, record.version + 1)) == [event.version for event in events]
    assert (1, surplus) == (owed.count("order.paid"), owed.count("money_back"))
    assert surplus == len(record.payment.others)


_SPENDING = """
import sys
from datetime import datetime, UTC
from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
backend = DynamoDBBackend(sys.argv[1], "ap-northeast-2", sys.argv[2])
for number in range(10_000):
    order = Order(id=OrderId(f"o{number}"), price=Money(1000), name="x")
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop", data={"price": 1000})
    record, _ = backend.register(order, event, NOW)
    receipt = Receipt(
        id=ReceiptId(f"{number:024x}"), order_id=order.id, status=ReceiptStatus.PAID, price=1000
    )
    backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))
    print(number, flush=True)
"""


def test_a_process_killed_anywhere_leaves_nothing_half_done(backend: DynamoDBBackend) -> None:
    """What it said is stored is stored; what it was about to store is there as a whole or not at all."""
    said = -1
    process = subprocess.Popen(
        [sys.executable, "-c", _SPENDING, backend._table, server_endpoint()],
        stdout=subprocess.PIPE,
        env=os.environ | KEYS,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(20):
        said = int(process.stdout.readline())
    process.kill()
    said = max([said, *map(int, process.communicate()[0].split())])
    found = []
    for number in range(said + 3):
        record = backend.load(OrderId(f"o{number}"), ReceiptId(f"{number:024x}"))
        if record is not None:
            steps, owed = len(backend.history(record.order.id)), len(backend.deliveries(record.order.id))
            found.append((record.payment.state.value, record.claimed_by, steps, owed))
    whole = [("paid", OrderId(f"o{number}"), 2, 1) for number in range(said + 1)]

    # Beyond what it said there may be one order more, registered or paid.
    assert whole == found[: said + 1]
    assert found[said + 1 :] in ([], [("open", None, 1, 0)], [("paid", OrderId(f"o{said + 1}"), 2, 1)])


# By its address


def _settings(table: str) -> Any:
    store = f"dynamodb://{table}?region={REGION}&endpoint={server_endpoint()}&shards=3"
    return read_settings(environment={"DOJANG_MODE": "emulator", "DOJANG_STORE": store})


def test_a_table_named_in_the_settings_is_made_by_migrating_and_used_by_a_world() -> None:
    """`dojang migrate` makes it, once; opening alone never does, for a table costs money."""
    settings = _settings(name := fresh_name())
    with closing(open_backend(settings)) as unmade, pytest.raises(ConfigError, match="dojang migrate"):
        _ = unmade.version
    first, again = migrated(settings), migrated(settings)
    with ExitStack() as stack:
        world = blocking_world(settings, stack)
        order = Order(id=OrderId("o1"), price=Money(1000), name="양말")
        done = run(register_order(world, order))

    assert ([f"table {name}"], []) == (first, again)
    assert isinstance(done, Registered)
    assert settings.store == store_name(settings.store)
