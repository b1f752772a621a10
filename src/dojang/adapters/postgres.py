"""A store in PostgreSQL: for several servers that share their orders."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from dojang.adapters.postgres_door import (
    ANSWER_SHARE,
    ImpatientConnection,
    connection_settings,
    is_there,
    refusal,
    words,
)
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
from dojang.bootpay.forking import Forking
from dojang.core.decision import Decision
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Event, Payment, Record, shown_state
from dojang.core.values import replace
from dojang.errors import ConfigError, Conflict, StoreUnavailable
from dojang.ports import Notice, OrderFilter, Page, StoredNotice

__all__ = ["PostgresBackend"]

_SQL = named_queries("postgres.sql")
_LATEST = 2**62
_OLDEST_SERVER = 140_000
# Also the advisory lock under which migrations run: "dojang" in ASCII.
_MIGRATING = int.from_bytes(b"dojang", "big")
_MIGRATION_WAITS_S = 60
_SERVES_FROM = re.compile(r"^-- serves from: (\d+)$", re.MULTILINE)
_CLAIMED = "DJ001"
_ATTEMPTS_MAX = 3
# The server undid these by itself, or shut down under them: the very same statement may succeed now.
_PASSING = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
)
_EVENT_COLUMNS = ("order_id", "version", "at", "what", "who", "data")
_DELIVERY_COLUMNS = (
    *("id", "order_id", "seq", "lane", "type", "data", "created_at", "due_at", "attempts", "state"),
    *("last_error", "settled_at"),
)

_Connection: TypeAlias = "psycopg.Connection[TupleRow]"
_Arguments: TypeAlias = Sequence[object] | Mapping[str, object]


class PostgresBackend:
    """A pool of connections; every method is one statement, hence one transaction and one round trip.

    `commit` is one call of a PL/pgSQL function rather than five statements in a pipeline: a pipeline would also be
    one round trip, but its statements cannot look at each other's outcome, so "moved on" would have to be forced
    by an error, and the row lock would be held while the client reads and answers.

    **A lost connection.** Whether its last statement was carried out is then unknown, so every statement here may
    be repeated: a commit carries a token by which a repeat knows that it had been carried out already, a claim
    that nobody heard of runs out, the rest is idempotent. It is repeated a few times on another connection while
    `patience_s` lasts; only then is `StoreUnavailable` raised.

    **Durability.** `synchronous_commit` is on for these connections, whatever the database's default is. Whether
    the server flushes at all (`fsync`) and to how many machines is its operator's choice.

    **Permissions.** Running: SELECT, INSERT, UPDATE on the `dojang_` tables and EXECUTE on the `dojang_`
    functions. `migrate` where it has something to do: CREATE in the schema. Tables are found by the search path
    (`?options=-csearch_path%3Dshop`).

    **Silence.** A server that keeps its connections but no longer answers (a stopped process, a disk that hangs)
    is hung up on within `patience_s`, as if the connection had been lost; only a migration waits for as long as it
    takes. Who had to wait for a connection before that may wait nearly twice as long.

    **Limits.** PostgreSQL 14 or newer, a UTF-8 database. Through PgBouncer only with session pooling and its
    `ignore_startup_parameters = extra_float_digits, options`; the server then knows no limit for a statement or a
    lock, unless `ALTER ROLE … SET statement_timeout` and `lock_timeout` give it one. Not across a `fork`.

    Args:
        conninfo: A `postgresql://` address or libpq's key words; what libpq reads from the environment also counts.
        connections_max: How many connections this process may hold.
        patience_s: How long a method may wait for a connection and for its answer; by default as long as a webhook
            may take.
        migrate: Whether to bring an older or empty database up to date at once.

    Raises:
        ConfigError: If the address is wrong, the server refuses us, or its schema is not one of this release's.
        StoreUnavailable: If the server cannot be reached.

    Attributes:
        connections_max: How many connections this process may hold.
        ran: The migrations that opening it has run.
    """

    def __init__(
        self, conninfo: str, *, connections_max: int = 10, patience_s: float = 4.0, migrate: bool = True
    ) -> None:
        self._patience_s = patience_s
        self._is_forked = False
        self._settings = connection_settings(conninfo, patience_s)
        self.connections_max = connections_max
        with self._direct() as db:
            self._check_server(db)
            self.ran = _migrate(db) if migrate else []
            self._check_version(db)
        self._pool = ConnectionPool(
            connection_class=ImpatientConnection,
            kwargs={**self._settings, "autocommit": True},
            min_size=1,
            max_size=connections_max,
            timeout=patience_s,
            # A failed attempt to connect is repeated for as long as somebody may be waiting for it.
            reconnect_timeout=patience_s,
            name="dojang",
            num_workers=2,
            open=True,
        )
        _forking.add(self)

    def _after_fork(self) -> None:
        self._is_forked = True

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @property
    def version(self) -> int:
        """The number of the last migration the database has seen."""
        with self._direct() as db:
            return _version(db)[0]

    def now(self) -> datetime:
        """What the server's clock shows."""
        at: datetime = self._ask("now", {})[0][0]
        return at

    def migrate(self) -> list[str]:
        """Bring the database up to date; the names of the migrations that ran. Safe from several processes at once."""
        with self._direct() as db:
            return _migrate(db)

    def _direct(self) -> _Connection:
        """A connection of its own, beside the pool, whose errors say what is wrong with the settings."""
        try:
            return psycopg.connect(autocommit=True, **self._settings)  # type: ignore[arg-type]  # libpq's key words
        except psycopg.Error as error:
            raise refusal(error, self._settings) from None

    @staticmethod
    def _check_server(db: _Connection) -> None:
        (row,) = _execute(db, _SQL["introduce"])
        release, encoding, synchronous, schema, _ = row
        if release < _OLDEST_SERVER:
            raise ConfigError(
                f"DOJANG_STORE: PostgreSQL 14 or newer is needed, this one is {release // 10_000}."
            )
        if encoding != "UTF8":
            raise ConfigError(f"DOJANG_STORE: the database's encoding must be UTF8, not {encoding}.")
        if synchronous not in ("on", "remote_apply"):
            raise ConfigError(
                f"DOJANG_STORE: synchronous_commit is {synchronous} for this connection, so a payment could be "
                "forgotten: remove it from the address's options."
            )
        if schema is None:
            raise ConfigError(
                "DOJANG_STORE: no schema of the search path exists or may be used: create it, or mend search_path."
            )

    @staticmethod
    def _check_version(db: _Connection) -> None:
        newest = max(number for number, _, _ in migrations("postgres"))
        version, serves_from = _version(db)
        if serves_from > newest:
            raise ConfigError("DOJANG_STORE: the database was migrated by a newer dojang: upgrade dojang")
        if version < newest:
            raise ConfigError(
                "DOJANG_STORE: the database is not up to date: run `dojang migrate` (`dojang migrate`로 갱신해 주세요)"
            )

    def _ask(self, query: str, arguments: _Arguments) -> list[TupleRow]:
        """Run one statement, again on another connection if this one is lost.

        Raises:
            StoreUnavailable: If it fails; only if the connection was lost to the end may it still have happened.
        """
        until = time.monotonic() + self._patience_s
        attempts = 0
        while True:
            attempts += 1
            db = self._connection(until)
            # Less than the patience, so that after silence there is time to ask another server, or this one again.
            db.answer_by = until if attempts > 1 else time.monotonic() + self._patience_s * ANSWER_SHARE
            try:
                return db.execute(_SQL[query], arguments).fetchall()
            except psycopg.Error as error:
                passing = db.closed or isinstance(error, _PASSING)
                if not passing or attempts == _ATTEMPTS_MAX:
                    if error.sqlstate == _CLAIMED:
                        raise Conflict("a receipt of this order belongs to another order") from None
                    raise StoreUnavailable(f"PostgreSQL failed: {words(error)}") from None
            finally:
                self._pool.putconn(db)

    def _connection(self, until: float) -> ImpatientConnection:
        """A connection that is still there, as far as its socket can tell without asking the server."""
        if self._is_forked:
            raise ConfigError(
                "this PostgreSQL store was opened before the process was forked: open one in each process "
                "(fork 전에 연 저장소입니다. 프로세스마다 새로 열어 주세요)"
            )
        while True:
            try:
                db = self._pool.getconn(until - time.monotonic())
            except PoolTimeout:
                raise StoreUnavailable(
                    "PostgreSQL is not available: no connection became free or could be made "
                    f"within {self._patience_s:g} s"
                ) from None
            except PoolClosed:
                raise StoreUnavailable("the store is closed") from None
            if is_there(db):
                return db
            # The server has gone away since: the pool replaces it. Nothing was sent, so nothing is in doubt.
            db.close()
            self._pool.putconn(db)

    def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """See `Store.register`."""
        payment = Payment()
        _, version, at, what, who, data = event_row(order.id, event)
        order_id, price, currency, tax_free, name, expires_at, metadata = order_row(order)
        ((created, *there),) = self._ask(
            "register",
            {
                "order_id": order_id,
                "price": price,
                "currency": currency,
                "tax_free": tax_free,
                "name": name,
                "expires_at": expires_at,
                "metadata": metadata,
                "created_at": at,
                "shown": shown_state(order, payment),
                "payment": payment_json(payment),
                "version": version,
                "due_at": micros(due_at),
                "what": what,
                "who": who,
                "data": data,
                "token": secrets.token_hex(16),
            },
        )
        if there[0] is not None:
            return record_from(*there), created
        if created:
            record = Record(
                order=order, payment=payment, version=event.version, created_at=event.at, due_at=due_at
            )
            return record, True
        # Somebody else's registration of the same order was committed while this statement ran.
        found = self.load(order.id)
        assert found is not None
        return found, False

    def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """See `Store.load`."""
        rows = self._ask("load", (receipt_id and str(receipt_id), str(order_id)))
        return record_from(*rows[0]) if rows else None

    def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        order_id = record.order.id
        events = [
            dict(zip(_EVENT_COLUMNS, event_row(order_id, event), strict=True)) for event in decision.events
        ]
        owes = [
            dict(zip(_DELIVERY_COLUMNS, _clean(delivery_row(owed)), strict=True)) for owed in decision.owes
        ]
        ((outcome,),) = self._ask(
            "commit",
            (
                str(order_id),
                record.version,
                secrets.token_hex(16),
                payment_json(decision.payment),
                shown_state(record.order, decision.payment),
                decision.version,
                micros(decision.due_at),
                [str(receipt_id) for receipt_id in decision.claims],
                _json(events),
                _json(owes),
            ),
        )
        if outcome != "done":
            raise Conflict(f"order {order_id} has moved on")
        return replace(
            record,
            payment=decision.payment,
            version=decision.version,
            due_at=decision.due_at,
            claimed_by=None,
        )

    def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """See `Store.history`."""
        return [event_from(*row) for row in self._ask("history", (str(order_id),))]

    def orders(self, wanted: OrderFilter, /) -> Page:
        """See `Store.orders`."""
        after_at, after_id = cursor_from(wanted.cursor) or (_LATEST, "")
        rows = self._ask(
            # Two queries, so that each can have the plan that suits it.
            "orders" if wanted.state is None else "orders_in_state",
            {
                "state": wanted.state,
                "created_from": micros(wanted.created_from) or 0,
                "created_to": _LATEST if wanted.created_to is None else micros(wanted.created_to),
                "after_at": after_at,
                "after_id": after_id,
                "limit": wanted.limit + 1,
            },
        )
        found = [record_from(*row) for row in rows]
        page = found[: wanted.limit]
        more = len(found) > wanted.limit
        return Page(page, cursor_of(page[-1].created_at, page[-1].order.id) if more else None)

    def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """See `Store.deliveries`."""
        return [delivery_from(*row) for row in self._ask("deliveries", (str(order_id),))]

    def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """See `Store.claim_deliveries`."""
        query = "claim_money_back" if money_back_only else "claim_deliveries"
        return [delivery_from(*row) for row in self._ask(query, _claim(now, until, limit))]

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
        return bool(self._ask("settle_delivery", _clean(settled)))

    def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """See `Store.retry_delivery`."""
        rows = self._ask("retry_delivery", {"id": _clean((delivery_id,))[0], "now": micros(now)})
        return delivery_from(*rows[0]) if rows else None

    def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """See `Store.receive`."""
        received = (
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
        (row,) = self._ask("receive", _clean(received))
        return notice_from(*row)

    def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.claim_notices`."""
        return [notice_from(*row) for row in self._ask("claim_notices", _claim(now, until, limit))]

    def settle_notice(self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /) -> bool:
        """See `Store.settle_notice`."""
        settled = (outcome, micros(due_at), stored.notice.key, stored.times, stored.attempts)
        return bool(self._ask("settle_notice", _clean(settled)))

    def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.notices`."""
        return [notice_from(*row) for row in self._ask("notices", (limit,))]

    def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """See `Store.reschedule`."""
        return bool(self._ask("reschedule", (micros(due_at), str(record.order.id), record.version)))

    def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """See `Store.claim_checks`."""
        claim = _claim(now, until, limit) | {"first": int(others_first)}
        return [OrderId(row[0]) for row in self._ask("claim_checks", claim)]


_forking: Forking[PostgresBackend] = Forking(PostgresBackend._after_fork)


def _execute(db: _Connection, query: str, arguments: _Arguments | None = None) -> list[TupleRow]:
    """One statement while opening or migrating, where there is no second try.

    Raises:
        StoreUnavailable: If it fails.
    """
    try:
        cursor = db.execute(query, arguments)
        return cursor.fetchall() if cursor.description else []
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigError(
            f"DOJANG_STORE: this PostgreSQL user lacks a permission: {words(error)}. "
            "Run `dojang migrate` as a user that may create tables, then grant this one the use of them."
        ) from None
    except psycopg.Error as error:
        raise StoreUnavailable(f"PostgreSQL failed: {words(error)}") from None


def _version(db: _Connection) -> tuple[int, int]:
    """The last migration, and the oldest release that can work with it, by its own last migration."""
    (row,) = _execute(db, _SQL["introduce"])
    if not row[-1]:
        return 0, 0
    ((version, serves_from),) = _execute(db, _SQL["version"])
    return version, serves_from


def _migrate(db: _Connection) -> list[str]:
    """Run what is missing, each in a transaction of its own, one process at a time."""
    ran = []
    for number, name, script in migrations("postgres"):
        # Where nothing is to be done nobody needs the permission to do it, and nobody waits.
        if _version(db)[0] >= number:
            continue
        serves_from = _SERVES_FROM.search(script)
        assert serves_from is not None, f"{name} does not say which releases it serves"
        try:
            with db.transaction():
                _execute(db, f"SET LOCAL lock_timeout = '{_MIGRATION_WAITS_S}s'")
                _execute(db, "SET LOCAL statement_timeout = 0")
                _execute(db, "SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
                _execute(db, _SQL["migrations"])
                if _version(db)[0] < number:
                    _execute(db, script)
                    _execute(db, _SQL["migrated"], (number, name, int(serves_from[1])))
                    ran.append(name)
        except psycopg.Error as error:  # the commit itself
            raise StoreUnavailable(f"PostgreSQL failed: {words(error)}") from None
    return ran


def _claim(now: datetime, until: datetime, limit: int) -> dict[str, object]:
    return {"now": micros(now), "until": micros(until), "limit": limit}


def _json(rows: Sequence[Mapping[str, object]]) -> str:
    return msgspec.json.encode(rows).decode()


def _clean(row: tuple[object, ...]) -> tuple[object, ...]:
    """Others' words (an error page, a claimed id) may hold what PostgreSQL's text cannot: NUL, half a character."""
    return tuple(
        value.replace("\0", "\ufffd").encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for value in row
    )
