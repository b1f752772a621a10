"""A process that dies over a table leaves nothing half done; and the store by its address."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import pytest

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.drive import run
from dojang.entry.settings import read_settings
from dojang.entry.wiring import blocking_world, migrated, open_backend, store_name
from dojang.errors import ConfigError
from dojang.usecases.register_order import Registered, register_order

from .dynamodb_local import KEYS, REGION, fresh_backend, fresh_name, server_endpoint

pytestmark = pytest.mark.xdist_group("dynamodb")

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
RECEIPT = ReceiptId("a" * 24)


@pytest.fixture
def backend() -> Iterator[DynamoDBBackend]:
    """An empty store."""
    with closing(fresh_backend()) as backend:
        yield backend


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
