"""A store in one SQLite file: the embedded default, for one machine and any number of its processes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from dojang.adapters.queries import migrations, named_queries
from dojang.adapters.rows import (
    cursor_from,
    cursor_of,
    delivery_from,
    delivery_row,
    event_from,
    event_row,
    micros,
    notice_from,
    order_row,
    payment_json,
    record_from,
)
from dojang.core.decision import Decision
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Event, Payment, Record, shown_state
from dojang.core.values import replace
from dojang.errors import ConfigError, Conflict, StoreUnavailable
from dojang.ports import Notice, OrderFilter, Page, StoredNotice

__all__ = ["SqliteBackend"]

_SQL = named_queries("sqlite.sql")
_LATEST = 2**62
_UNFINISHED, _SETTLED = 0, 1


class SqliteBackend:
    """One connection, one lock, every method one transaction that is on disk when it returns.

    WAL with `synchronous=FULL`: a commit survives the loss of power. Several processes may share the file on a
    local disk (not on a network share); a writer waits up to `busy_timeout_s` for another one.

    Args:
        path: The file; `:memory:` for a database that ends with this object.
        busy_timeout_s: How long to wait for another process's transaction.
        migrate: Whether to bring an older or empty file up to date at once.

    Raises:
        ConfigError: If the file cannot be opened, is no database, or is newer than this release.
    """

    def __init__(self, path: str | Path, *, busy_timeout_s: float = 5.0, migrate: bool = True) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._indivisible = False
        database: sqlite3.Connection | None = None
        try:
            database = self._db = sqlite3.connect(
                str(path),
                timeout=busy_timeout_s,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=64,
            )
            _patiently(lambda: self._db.execute("PRAGMA journal_mode=WAL"), busy_timeout_s)
            self._db.execute("PRAGMA synchronous=FULL")
            # Whoever commits when the log is full copies it into the file and waits for that: rarely, then (16 MB).
            self._db.execute("PRAGMA wal_autocheckpoint=4000")
            self._db.execute("PRAGMA cache_size=-32000")  # up to 32 MB, taken only as they are used
            # Pages of a large file are looked at where the system keeps them, not copied. A disk that fails ends the
            # process then, which is what every step here is made for; the file is never written this way.
            self._db.execute("PRAGMA mmap_size=2000000000")
        except sqlite3.Error as error:
            if database is not None:
                database.close()
            raise ConfigError(f"the SQLite file {path} cannot be opened: {error}") from None
        try:
            if migrate:
                self.migrate()
            self._check_version(path)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @property
    def version(self) -> int:
        """The number of the last migration the file has seen."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def migrate(self) -> list[str]:
        """Bring the file up to date; the names of the migrations that ran. Safe from several processes at once."""
        ran = []
        for number, name, script in migrations("sqlite"):
            with self.transaction():
                if self.version < number:
                    for statement in _statements(script):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version={number}")
                    ran.append(name)
        return ran

    def _check_version(self, path: str | Path) -> None:
        newest = max(number for number, _, _ in migrations("sqlite"))
        if self.version > newest:
            raise ConfigError(f"the SQLite file {path} was written by a newer dojang: upgrade dojang")
        if self.version < newest:
            raise ConfigError(
                f"the SQLite file {path} is not up to date: run `dojang migrate` (`dojang migrate`로 갱신해 주세요)"
            )

    @contextmanager
    def transaction(self, *, indivisible: bool = False) -> Iterator[sqlite3.Connection]:
        """All or nothing. Inside another one it is a part that can fail alone.

        Args:
            indivisible: Those inside this one are no parts: if one fails, all do. Cheaper, where none is likely to.

        Raises:
            StoreUnavailable: If SQLite fails; nothing of this transaction is stored.
        """
        with self._lock:
            if self._indivisible:
                # Whatever goes wrong here ends the outermost transaction, and with it this one.
                try:
                    yield self._db
                except sqlite3.Error as error:
                    raise StoreUnavailable(f"SQLite failed: {error}") from None
                return
            begin, end, undo = (
                ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
                if self._depth == 0
                else ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part")
            )
            if self._depth > 0 and not self._db.in_transaction:
                # A full disk undoes the whole transaction; a part begun now would be committed all by itself.
                raise StoreUnavailable("SQLite gave up the transaction that this is a part of")
            try:
                self._db.execute(begin)
            except sqlite3.Error as error:
                raise StoreUnavailable(f"SQLite is not available: {error}") from None
            self._depth += 1
            self._indivisible = indivisible
            try:
                yield self._db
                self._db.execute(end)
            except BaseException as error:
                if self._db.in_transaction:
                    for statement in undo.split("; "):
                        self._db.execute(statement)
                if isinstance(error, sqlite3.Error):
                    raise StoreUnavailable(f"SQLite failed: {error}") from None
                raise
            finally:
                self._depth -= 1
                self._indivisible = False

    def _read(self, query: str, arguments: Sequence[object] | dict[str, object]) -> list[tuple[object, ...]]:
        """One statement sees one state of the database, so a read needs no transaction of its own."""
        with self._lock:
            try:
                return self._db.execute(_SQL[query], arguments).fetchall()
            except sqlite3.Error as error:
                raise StoreUnavailable(f"SQLite failed: {error}") from None

    def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """See `Store.register`."""
        payment = Payment()
        at = micros(event.at)
        shown = shown_state(order, payment)
        row = (*order_row(order), at, shown, payment_json(payment), event.version, micros(due_at))
        with self.transaction() as db:
            if db.execute(_SQL["register"], row).rowcount == 1:
                db.execute(_SQL["append"], event_row(order.id, event))
                record = Record(
                    order=order, payment=payment, version=event.version, created_at=event.at, due_at=due_at
                )
                return record, True
            there = self.load(order.id)
        assert there is not None
        return there, False

    def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """See `Store.load`."""
        rows = self._read("load", (receipt_id and str(receipt_id), str(order_id)))
        return record_from(*rows[0]) if rows else None  # type: ignore[arg-type]  # the columns are the query's

    def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        order_id = record.order.id
        advanced = (
            payment_json(decision.payment),
            shown_state(record.order, decision.payment),
            decision.version,
            micros(decision.due_at),
            str(order_id),
            record.version,
        )
        with self.transaction() as db:
            if db.execute(_SQL["advance"], advanced).rowcount != 1:
                raise Conflict(f"order {order_id} has moved on")
            for receipt_id in decision.claims:
                claim = (str(receipt_id), str(order_id))
                if db.execute(_SQL["claim"], claim).rowcount != 1:
                    owner = db.execute(_SQL["owner"], claim[:1]).fetchone()
                    if owner != (str(order_id),):
                        raise Conflict(f"a receipt of order {order_id} belongs to another order")
            db.executemany(_SQL["append"], [event_row(order_id, event) for event in decision.events])
            db.executemany(_SQL["owe"], [delivery_row(owed) for owed in decision.owes])
        return replace(
            record,
            payment=decision.payment,
            version=decision.version,
            due_at=decision.due_at,
            claimed_by=None,
        )

    def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """See `Store.history`."""
        rows = self._read("history", (str(order_id),))
        return [event_from(*row) for row in rows]  # type: ignore[arg-type]  # the columns are the query's

    def orders(self, wanted: OrderFilter, /) -> Page:
        """See `Store.orders`."""
        after_at, after_id = cursor_from(wanted.cursor) or (_LATEST, "")
        rows = self._read(
            "orders",
            {
                "state": wanted.state,
                "created_from": micros(wanted.created_from) or 0,
                "created_to": _LATEST if wanted.created_to is None else micros(wanted.created_to),
                "after_at": after_at,
                "after_id": after_id,
                "limit": wanted.limit + 1,
            },
        )
        found = [record_from(*row) for row in rows]  # type: ignore[arg-type]  # the columns are the query's
        page = found[: wanted.limit]
        more = len(found) > wanted.limit
        return Page(page, cursor_of(page[-1].created_at, page[-1].order.id) if more else None)

    def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """See `Store.deliveries`."""
        rows = self._read("deliveries", (str(order_id),))
        return [delivery_from(*row) for row in rows]  # type: ignore[arg-type]  # the columns are the query's

    def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """See `Store.claim_deliveries`."""
        query = _SQL["claim_money_back" if money_back_only else "claim_deliveries"]
        claim = {"now": micros(now), "until": micros(until), "limit": limit}
        with self.transaction() as db:
            claimed = [delivery_from(*row) for row in db.execute(query, claim).fetchall()]
        return sorted(claimed, key=lambda delivery: (delivery.created_at, delivery.seq))

    def settle_delivery(self, delivery: Delivery, /) -> bool:
        """See `Store.settle_delivery`."""
        settled = (
            delivery.state.value,
            micros(delivery.due_at),
            delivery.last_error,
            micros(delivery.settled_at),
            delivery.id,
            delivery.attempts,
        )
        with self.transaction() as db:
            return db.execute(_SQL["settle_delivery"], settled).rowcount == 1

    def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """See `Store.retry_delivery`."""
        # Half a character, as a terminal may hand over: it is nobody's id, and SQLite's driver would fail on it.
        delivery_id = delivery_id.encode("utf-8", "replace").decode()
        with self.transaction() as db:
            db.execute(_SQL["retry_delivery"], (micros(now), delivery_id))
            row = db.execute(_SQL["delivery"], (delivery_id,)).fetchone()
        return delivery_from(*row) if row else None

    def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """See `Store.receive`."""
        row = (
            notice.key,
            str(notice.receipt_id),
            notice.generation,
            notice.kind,
            notice.cancelled,
            notice.order_id,
            notice.source,
            micros(now),
            micros(due_at),
        )
        with self.transaction() as db:
            return notice_from(*db.execute(_SQL["receive"], row).fetchall()[0])

    def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.claim_notices`."""
        claim = {"now": micros(now), "until": micros(until), "limit": limit}
        with self.transaction() as db:
            return [notice_from(*row) for row in db.execute(_SQL["claim_notices"], claim).fetchall()]

    def settle_notice(self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /) -> bool:
        """See `Store.settle_notice`."""
        settled = (outcome, micros(due_at), stored.notice.key, stored.times, stored.attempts)
        with self.transaction() as db:
            return db.execute(_SQL["settle_notice"], settled).rowcount == 1

    def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.notices`."""
        rows = self._read("notices", (limit,))
        return [notice_from(*row) for row in rows]  # type: ignore[arg-type]  # the columns are the query's

    def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """See `Store.reschedule`."""
        with self.transaction() as db:
            moved = (micros(due_at), str(record.order.id), record.version)
            return db.execute(_SQL["reschedule"], moved).rowcount == 1

    def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """See `Store.claim_checks`."""
        claim = {"now": micros(now), "until": micros(until), "limit": limit}
        with self.transaction() as db:
            for turn in (_SETTLED, _UNFINISHED) if others_first else (_UNFINISHED, _SETTLED):
                claimed = db.execute(_SQL["claim_checks"], claim | {"turn": turn}).fetchall()
                if claimed:
                    break
        return [OrderId(row[0]) for row in claimed]


def _statements(script: str) -> Iterator[str]:
    """Split a script where SQLite itself says that a statement is complete (triggers hold semicolons)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        if not statement and (not line.strip() or line.startswith("--")):
            continue
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _patiently(do: Callable[[], object], within_s: float) -> None:
    """Switching to WAL does not wait for other processes by itself."""
    until = time.monotonic() + within_s
    while True:
        try:
            do()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
