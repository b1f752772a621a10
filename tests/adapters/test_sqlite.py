"""SQLite as the embedded default: durable, shared by processes, and clear about files it cannot use."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dojang.adapters.sqlite import SqliteBackend
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, State, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.errors import ConfigError, StoreUnavailable
from dojang.testing import StoreContract

from .contenders import contend

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
RECEIPT = ReceiptId("a" * 24)


class TestSqlite(StoreContract):
    """A real file."""

    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[SqliteBackend]:
        backend = SqliteBackend(tmp_path / "dojang.db")
        yield backend
        backend.close()


def _register(backend: SqliteBackend, order_id: str = "o1") -> None:
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    order = Order(id=OrderId(order_id), price=Money(1000), name="양말")
    backend.register(order, event, NOW)


def _pay(backend: SqliteBackend, order_id: str = "o1", receipt_id: ReceiptId = RECEIPT) -> None:
    record = backend.load(OrderId(order_id), receipt_id)
    assert record is not None
    receipt = Receipt(id=receipt_id, order_id=order_id, status=ReceiptStatus.PAID, price=1000)
    backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))


def test_processes_that_open_an_empty_file_at_once_all_succeed(tmp_path: Path) -> None:
    """The first start of several workers migrates once; nobody finds a half-made schema."""
    assert [[0, 0, 0]] * 16 == contend(("sqlite", str(tmp_path / "dojang.db")), "claim")


def test_every_commit_is_flushed_to_disk(tmp_path: Path) -> None:
    """WAL with synchronous=FULL: what was acknowledged survives the loss of power."""
    backend = SqliteBackend(tmp_path / "dojang.db")
    mode = backend._db.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = backend._db.execute("PRAGMA synchronous").fetchone()[0]
    backend.close()

    assert ("wal", 2) == (mode, synchronous)


def test_a_large_file_is_read_where_the_system_keeps_it(tmp_path: Path) -> None:
    """Not copied page by page: up to two gigabytes of it are mapped."""
    backend = SqliteBackend(tmp_path / "dojang.db")
    mapped = backend._db.execute("PRAGMA mmap_size").fetchone()
    backend.close()

    assert (2_000_000_000,) == mapped


_KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from dojang.adapters.sqlite import SqliteBackend
from dojang.core.observation import observe
from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
backend = SqliteBackend(sys.argv[1])
record = backend.load(OrderId("o1"))
receipt = Receipt(id=ReceiptId("a" * 24), order_id="o1", status=ReceiptStatus.PAID, price=1000)
backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_commit_survives_a_process_killed_right_after_it(tmp_path: Path) -> None:
    """No good-bye, no closing: what was committed is there for the next process."""
    path = tmp_path / "dojang.db"
    backend = SqliteBackend(path)
    _register(backend)
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path)], timeout=60, check=False)
    record = backend.load(OrderId("o1"), RECEIPT)
    owed = backend.deliveries(OrderId("o1"))
    history = backend.history(OrderId("o1"))
    backend.close()

    assert -signal.SIGKILL == killed.returncode
    assert record is not None
    assert (State.PAID, "o1", 1, 2) == (record.payment.state, record.claimed_by, len(owed), len(history))


def test_a_transaction_cut_off_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """A fault after the state was written and before the rest undoes the state as well."""
    backend = SqliteBackend(tmp_path / "dojang.db")
    _register(backend)
    backend._db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(StoreUnavailable):
        _pay(backend)
    record = backend.load(OrderId("o1"), RECEIPT)
    history = backend.history(OrderId("o1"))
    backend.close()

    assert record is not None
    assert (State.OPEN, None, 1) == (record.payment.state, record.claimed_by, len(history))


@pytest.mark.parametrize("sql", ["UPDATE events SET who = 'x'", "DELETE FROM events"])
def test_history_refuses_every_change(tmp_path: Path, sql: str) -> None:
    """Even somebody with the file in their hands is stopped by the schema."""
    backend = SqliteBackend(tmp_path / "dojang.db")
    _register(backend)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        backend._db.execute(sql)
    events = backend.history(OrderId("o1"))
    backend.close()

    assert ["shop"] == [event.who for event in events]


def test_an_empty_file_is_brought_up_to_date_once(tmp_path: Path) -> None:
    """The first migration makes the schema; the second time there is nothing to do."""
    backend = SqliteBackend(tmp_path / "dojang.db", migrate=True)
    again = backend.migrate()
    version = backend.version
    backend.close()

    assert [] == again
    assert version >= 1


def test_an_old_file_that_may_not_be_migrated_names_the_way_out(tmp_path: Path) -> None:
    """Where migrating at start is not wanted, the sentence says what to run."""
    path = tmp_path / "dojang.db"

    with pytest.raises(ConfigError, match=r"dojang\.db is not up to date: run `dojang migrate` \(.*갱신해"):
        SqliteBackend(path, migrate=False)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """An old release never writes into a schema it does not know."""
    path = tmp_path / "dojang.db"
    SqliteBackend(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=999")
    db.close()

    with pytest.raises(ConfigError, match="written by a newer dojang: upgrade dojang"):
        SqliteBackend(path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """A setting that names the wrong file is a sentence, not a destroyed file."""
    path = tmp_path / "notes.txt"
    path.write_text("회의록\n" * 1000, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"notes\.txt cannot be opened: file is not a database"):
        SqliteBackend(path)

    assert "회의록\n" * 1000 == path.read_text(encoding="utf-8")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The sentence names the file that could not be made."""
    with pytest.raises(ConfigError, match=r"nowhere/dojang\.db cannot be opened"):
        SqliteBackend(tmp_path / "nowhere" / "dojang.db")


def test_a_busy_file_is_unavailable_and_nothing_is_stored(tmp_path: Path) -> None:
    """Another process in the middle of a long transaction: an error that says to try later."""
    path = tmp_path / "dojang.db"
    backend = SqliteBackend(path, busy_timeout_s=0.05)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        _register(backend)
    blocker.execute("ROLLBACK")
    blocker.close()
    stored = backend.load(OrderId("o1"))
    backend.close()

    assert stored is None
