"""Transactions that share a disk flush are still transactions of their own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dojang.adapters.batching import BatchingCaller
from dojang.adapters.sqlite import SqliteBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import Event, What
from dojang.errors import Conflict, StoreUnavailable
from dojang.testing import StoreContract

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


class OnAnEventLoop:
    """A Backend that goes through an AwaitedStore on an event loop of its own, for any number of threads at once."""

    def __init__(self, path: Path) -> None:
        self.sqlite = SqliteBackend(path)
        self.caller = BatchingCaller(self.sqlite)
        self.store = AwaitedStore(self.sqlite, self.caller)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        awaited = getattr(self.store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(awaited(*args, **kwargs), self.loop).result(timeout=30)

        return call

    def close(self) -> None:
        self.caller.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.sqlite.close()


def _event() -> Event:
    return Event(version=1, at=NOW, what=What.REGISTERED, who="shop")


def _order(order_id: str) -> Order:
    return Order(id=OrderId(order_id), price=Money(1000), name="양말")


class TestSqliteInBatches(StoreContract):
    """SQLite as the server calls it: from an event loop, several transactions per flush."""

    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[OnAnEventLoop]:
        backend = OnAnEventLoop(tmp_path / "dojang.db")
        yield backend
        backend.close()


def test_what_waits_together_is_flushed_together(tmp_path: Path) -> None:
    """While the thread is busy, many registrations gather and cost far fewer commits than there are orders."""
    sqlite = SqliteBackend(tmp_path / "dojang.db")
    caller = BatchingCaller(sqlite)
    store = AwaitedStore(sqlite, caller)
    commits: list[str] = []
    sqlite._db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)

    async def register_many() -> int:
        made = await asyncio.gather(*(store.register(_order(f"o{n}"), _event(), None) for n in range(100)))
        return sum(created for _, created in made)

    created = asyncio.run(register_many())
    caller.close()
    sqlite.close()

    assert created == 100
    assert len(commits) < 50


def test_a_flush_that_fails_is_told_to_everybody_in_it(tmp_path: Path) -> None:
    """Nobody is answered as if stored when the disk gave up after their part had gone well."""
    sqlite = SqliteBackend(tmp_path / "dojang.db")
    caller = BatchingCaller(sqlite)
    store = AwaitedStore(sqlite, caller)

    def disk_full() -> None:
        """What SQLite does by itself on a full disk: it undoes the whole transaction."""
        sqlite._db.execute("ROLLBACK")
        raise StoreUnavailable("disk full")

    async def together() -> list[Any]:
        hold, go = threading.Event(), threading.Event()

        def busy() -> None:
            hold.set()
            go.wait(30)

        first = asyncio.ensure_future(caller(busy))
        await asyncio.to_thread(hold.wait, 30)
        jobs = [
            asyncio.ensure_future(store.register(_order("before"), _event(), None)),
            asyncio.ensure_future(caller(disk_full)),
            asyncio.ensure_future(store.register(_order("after"), _event(), None)),
        ]
        await asyncio.sleep(0)
        go.set()
        await first
        return await asyncio.gather(*jobs, return_exceptions=True)

    results = asyncio.run(together())
    stored = [sqlite.load(OrderId("before")), sqlite.load(OrderId("after"))]
    caller.close()
    sqlite.close()

    assert [StoreUnavailable] * 3 == [type(result) for result in results]
    assert [None, None] == stored


def test_one_that_fails_takes_nobody_with_it(tmp_path: Path) -> None:
    """A conflict in a batch undoes its own writes alone; those before and after it are stored."""
    sqlite = SqliteBackend(tmp_path / "dojang.db")
    caller = BatchingCaller(sqlite)
    store = AwaitedStore(sqlite, caller)

    def conflict() -> None:
        with sqlite.transaction() as db:
            db.execute("INSERT INTO receipts (receipt_id, order_id) VALUES ('r', 'o')")
            raise Conflict("somebody was first")

    results = asyncio.run(
        _together(
            caller,
            lambda: store.register(_order("before"), _event(), None),
            lambda: caller(conflict),
            lambda: store.register(_order("after"), _event(), None),
        )
    )
    stored = [sqlite.load(OrderId("before")), sqlite.load(OrderId("after"))]
    claimed = sqlite._db.execute("SELECT count(*) FROM receipts").fetchone()
    caller.close()
    sqlite.close()

    assert [tuple, Conflict, tuple] == [type(result) for result in results]
    assert [True, True] == [results[0][1], results[2][1]]
    assert None not in stored
    assert (0,) == claimed


def test_who_holds_the_file_is_waited_for_once(tmp_path: Path) -> None:
    """A batch that cannot begin is refused after one patience, not after another for each of its parts."""
    sqlite = SqliteBackend(tmp_path / "dojang.db", busy_timeout_s=0.01)
    begun: list[str] = []
    sqlite._db.set_trace_callback(lambda sql: begun.append(sql) if sql.startswith("BEGIN") else None)
    other = sqlite3.connect(tmp_path / "dojang.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    caller = BatchingCaller(sqlite)
    store = AwaitedStore(sqlite, caller)
    results = asyncio.run(
        _together(
            caller,
            lambda: store.register(_order("o1"), _event(), None),
            lambda: store.register(_order("o2"), _event(), None),
        )
    )
    other.close()
    caller.close()
    sqlite.close()

    assert [StoreUnavailable] * 2 == [type(result) for result in results]
    assert 1 == len(begun)


async def _together(caller: BatchingCaller, *asked: Callable[[], Any]) -> list[Any]:
    """Ask for several things while the thread is busy, so that they become one batch."""
    hold, go = threading.Event(), threading.Event()

    def history() -> None:  # named like a read, so that it opens no transaction
        hold.set()
        go.wait(30)

    first = asyncio.ensure_future(caller(history))
    await asyncio.to_thread(hold.wait, 30)
    jobs = [asyncio.ensure_future(ask()) for ask in asked]
    await asyncio.sleep(0)
    go.set()
    await first
    return await asyncio.gather(*jobs, return_exceptions=True)


def test_a_closed_caller_refuses_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    """After closing nobody would answer, so the question is refused at once; what waited was still answered."""
    sqlite = SqliteBackend(tmp_path / "dojang.db")
    caller = BatchingCaller(sqlite)
    store = AwaitedStore(sqlite, caller)

    async def close_then_ask() -> None:
        await store.register(_order("o1"), _event(), None)
        caller.close()
        await store.load(OrderId("o1"))

    with pytest.raises(StoreUnavailable):
        asyncio.run(close_then_ask())

    assert sqlite.load(OrderId("o1")) is not None
    sqlite.close()
