"""PostgreSQL for several servers: the port's promises, one round trip each, and what is left when things break."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from dojang.adapters.clock import SystemClock, sleep_on_loop
from dojang.adapters.pooling import PoolingCaller
from dojang.adapters.postgres import PostgresBackend
from dojang.adapters.queries import named_queries
from dojang.adapters.store import AwaitedStore
from dojang.core.delivery import DeliveryState
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, Record, State, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.errors import Conflict, StoreUnavailable
from dojang.ports import Notice, OrderFilter, StoredNotice, World
from dojang.testing import PretendBootpay, PretendClock, StoreContract
from dojang.web.http import Request
from dojang.web.routes import Api, WebOptions

from .contenders import contend
from .postgres_server import OwnServer, Road, fresh_schema, own_server, server_conninfo

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
RECEIPT = ReceiptId("a" * 24)


@pytest.fixture
def conninfo() -> Iterator[str]:
    """An empty schema on a real server."""
    with fresh_schema(server_conninfo()) as address:
        yield address


@pytest.fixture
def backend(conninfo: str) -> Iterator[PostgresBackend]:
    """An empty store on a real server."""
    with closing(PostgresBackend(conninfo)) as backend:
        yield backend


@pytest.fixture
def road(conninfo: str) -> Iterator[Road]:
    """A way to the server that a test can watch and cut."""
    road = Road(conninfo)
    yield road
    road.close()


class TestPostgres(StoreContract):
    """A real server, a schema of its own for each test."""

    @pytest.fixture
    def backend(self, backend: PostgresBackend) -> PostgresBackend:
        return backend


def _register(backend: PostgresBackend, order_id: str = "o1") -> Record:
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    order = Order(id=OrderId(order_id), price=Money(1000), name="양말")
    return backend.register(order, event, NOW)[0]


def _pay(backend: PostgresBackend, order_id: str = "o1", receipt_id: ReceiptId = RECEIPT) -> Record:
    record = backend.load(OrderId(order_id), receipt_id)
    assert record is not None
    receipt = Receipt(id=receipt_id, order_id=order_id, status=ReceiptStatus.PAID, price=1000)
    return backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))


def _admin(conninfo: str) -> psycopg.Connection[Any]:
    return psycopg.connect(conninfo, autocommit=True)


# Several processes


def test_processes_that_open_an_empty_schema_at_once_migrate_it_once(conninfo: str) -> None:
    """The first start of several servers: one makes the schema, nobody finds it half-made."""
    given = contend(("postgres", conninfo), "claim")
    with _admin(conninfo) as db:
        numbers = db.execute("SELECT number FROM dojang_migrations").fetchall()

    assert [[0, 0, 0]] * 16 == given
    assert len(numbers) == len(set(numbers))


_KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from dojang.adapters.postgres import PostgresBackend
from dojang.core.observation import observe
from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
backend = PostgresBackend(sys.argv[1])
record = backend.load(OrderId("o1"))
receipt = Receipt(id=ReceiptId("a" * 24), order_id="o1", status=ReceiptStatus.PAID, price=1000)
backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_commit_survives_a_process_killed_right_after_it(conninfo: str, backend: PostgresBackend) -> None:
    """No good-bye, no closing: what was committed is there for the next process."""
    _register(backend)
    killed = subprocess.run([sys.executable, "-c", _KILLED, conninfo], timeout=60, check=False)
    record = backend.load(OrderId("o1"), RECEIPT)

    assert -signal.SIGKILL == killed.returncode
    assert record is not None
    assert (State.PAID, "o1") == (record.payment.state, record.claimed_by)
    assert (1, 2) == (len(backend.deliveries(OrderId("o1"))), len(backend.history(OrderId("o1"))))


# Round trips


def test_every_method_is_one_round_trip(road: Road) -> None:
    """The network is asked once: for a registration, a look, a commit with all it owes, and everything else."""
    with closing(PostgresBackend(road.conninfo)) as backend:
        record = _register(backend, "warm")
        # A lone connection from here on: everything that follows takes the same road.
        paid = observe(
            replace(record, order=replace(record.order, id=OrderId("o1"))),
            Receipt(id=RECEIPT, order_id="o1", status=ReceiptStatus.PAID, price=1000),
            Rules(),
            NOW,
            "buyer",
        )
        notice = Notice(receipt_id=RECEIPT)
        heard = StoredNotice(notice=notice, received_at=NOW)
        calls: dict[str, Callable[[], Any]] = {
            "register": lambda: _register(backend),
            "register again": lambda: _register(backend),
            "load": lambda: backend.load(OrderId("o1"), RECEIPT),
            "commit": lambda: backend.commit(
                replace(record, order=replace(record.order, id=OrderId("o1"))), paid
            ),
            "history": lambda: backend.history(OrderId("o1")),
            "orders": lambda: backend.orders(OrderFilter(state="paid")),
            "deliveries": lambda: backend.deliveries(OrderId("o1")),
            "claim_deliveries": lambda: backend.claim_deliveries(NOW, LATER, 10),
            "settle_delivery": lambda: backend.settle_delivery(paid.owes[0]),
            "retry_delivery": lambda: backend.retry_delivery(paid.owes[0].id, NOW),
            "receive": lambda: backend.receive(notice, NOW, NOW),
            "claim_notices": lambda: backend.claim_notices(NOW, LATER, 10),
            "settle_notice": lambda: backend.settle_notice(heard, "settled"),
            "notices": lambda: backend.notices(10),
            "reschedule": lambda: backend.reschedule(record, LATER),
            "claim_checks": lambda: backend.claim_checks(NOW, LATER, 10),
        }
        # The pool opens connections in a thread of its own: let that end before anything is counted.
        seen = -1
        while seen != road.trips:
            seen = road.trips
            time.sleep(0.2)
        trips = {}
        for name, call in calls.items():
            before = road.trips
            call()
            trips[name] = road.trips - before
        stored = backend.load(OrderId("o1"))

    assert dict.fromkeys(calls, 1) == trips
    assert stored is not None
    assert State.PAID is stored.payment.state


# What is left when things break


def test_a_commit_whose_answer_is_lost_is_done_once_and_said_so(road: Road) -> None:
    """The line goes dead after the server has committed: the repeat finds its own token, not a conflict."""
    with closing(PostgresBackend(road.conninfo)) as backend:
        _register(backend)
        road.lose_answer_to = b"dojang_commit_1"
        paid = _pay(backend)
        stored = backend.load(OrderId("o1"))

        assert 1 == road.losses
        assert paid == stored
        assert 2 == len(backend.history(OrderId("o1")))
        assert 1 == len(backend.deliveries(OrderId("o1")))


def test_a_registration_whose_answer_is_lost_is_still_the_first(road: Road) -> None:
    """The repeat of a registration is told that it made the order, as the lost answer had said."""
    with closing(PostgresBackend(road.conninfo)) as backend:
        road.lose_answer_to = b"INSERT INTO dojang_orders"
        event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
        order = Order(id=OrderId("o1"), price=Money(1000), name="양말")
        record, created = backend.register(order, event, NOW)

        assert 1 == road.losses
        assert (True, record) == (created, backend.load(OrderId("o1")))
        assert [event] == list(backend.history(OrderId("o1")))


def test_another_processs_commit_is_never_taken_for_ones_own(backend: PostgresBackend) -> None:
    """Two processes decide the very same thing at the very same moment: one of them is refused."""
    record = _register(backend)
    receipt = Receipt(id=RECEIPT, order_id="o1", status=ReceiptStatus.PAID, price=1000)
    decision = observe(record, receipt, Rules(), NOW, "buyer")
    backend.commit(record, decision)

    with pytest.raises(Conflict):
        backend.commit(record, decision)


def test_connections_lost_while_idle_are_not_noticed_by_the_next_call(
    conninfo: str, backend: PostgresBackend
) -> None:
    """A server that restarted or hung up in the meantime costs nobody an error, however many were open."""
    _register(backend)
    opened = [backend._pool.getconn() for _ in range(backend.connections_max)]
    for connection in opened:
        backend._pool.putconn(connection)
    with _admin(conninfo) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
        )
    record = backend.load(OrderId("o1"))

    assert record is not None


def test_a_cut_line_is_mended_by_the_next_call(road: Road) -> None:
    """The network in between dropped every connection: the next call makes a new one."""
    with closing(PostgresBackend(road.conninfo)) as backend:
        _register(backend)
        road.cut()
        record = _pay(backend)

        assert State.PAID is record.payment.state


@pytest.fixture
def own() -> Iterator[OwnServer]:
    """A server that this test alone uses."""
    server = own_server()
    yield server
    server.close()


def test_a_server_that_dies_in_the_middle_of_a_commit_leaves_nothing_half_done(own: OwnServer) -> None:
    """The state was written, the deliveries were not yet: unavailable, and after the restart as if never begun."""
    with closing(PostgresBackend(own.conninfo, patience_s=3)) as backend:
        _register(backend)
        blocker, watcher = _admin(own.conninfo), _admin(own.conninfo)
        blocker.execute("BEGIN; LOCK TABLE dojang_deliveries IN EXCLUSIVE MODE")
        ended: list[BaseException] = []

        def pay() -> None:
            try:
                _pay(backend)
            except StoreUnavailable as error:
                ended.append(error)

        paying = threading.Thread(target=pay)
        paying.start()
        _until(
            lambda: (
                watcher.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%commit%'"
                ).fetchone()
                == (1,)
            )
        )
        own.crash()
        paying.join(30)
        own.start()
        record = backend.load(OrderId("o1"), RECEIPT)
        history, owed = backend.history(OrderId("o1")), backend.deliveries(OrderId("o1"))
        again = _pay(backend)

    assert [StoreUnavailable] == [type(error) for error in ended]
    assert record is not None
    assert (State.OPEN, None, 1, 0) == (record.payment.state, record.claimed_by, len(history), len(owed))
    assert State.PAID is again.payment.state


def _until(done: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not done():
        assert time.monotonic() < give_up, "what was waited for never came"


def test_a_server_that_stands_still_is_unavailable_and_nobody_waits_without_end(own: OwnServer) -> None:
    """It confirms every packet and answers none: an error within the patience, on old connections and on new ones."""
    with closing(PostgresBackend(own.conninfo, patience_s=1)) as backend:
        _register(backend)
        own.halt()
        waited_s = []
        calls: list[Callable[[], object]] = [
            lambda: backend.load(OrderId("o1")),
            lambda: backend.receive(Notice(receipt_id=RECEIPT), NOW, NOW),
            lambda: PostgresBackend(make_conninfo(own.conninfo, connect_timeout=2), patience_s=1),
        ]
        for call in calls:
            before = time.monotonic()
            with pytest.raises(StoreUnavailable):
                call()
            waited_s.append(time.monotonic() - before)
        own.go_on()
        paid = _pay(backend)

    assert 4 > max(waited_s)
    assert State.PAID is paid.payment.state


def test_a_webhook_while_the_server_stands_still_is_told_to_come_again(own: OwnServer) -> None:
    """As `dojang serve` asks the store: 503 at about the time that a webhook has, instead of silence."""
    with closing(PostgresBackend(own.conninfo)) as backend, closing(PoolingCaller(4)) as caller:
        world = World(
            store=AwaitedStore(backend, caller),
            gateway=PretendBootpay(PretendClock()),
            clock=SystemClock(sleep_on_loop),
        )
        _register(backend)
        body = f'{{"receipt_id": "{RECEIPT}", "webhook_type": "PAYMENT_COMPLETED"}}'.encode()
        webhook = Request(
            "POST", "/webhooks/bootpay", headers={"content-type": "application/json"}, body=body
        )
        own.halt()
        before = time.monotonic()
        answer = asyncio.run(Api(world, WebOptions()).handle(webhook))
        waited_s = time.monotonic() - before
        own.go_on()

    assert (503, True) == (answer.status, "retry-after" in answer.headers)
    assert 6 > waited_s


def test_a_commit_that_a_halted_server_carries_out_later_is_done_once_and_said_so(own: OwnServer) -> None:
    """We hang up on it in doubt; it goes on and commits what it had been sent: the repeat finds its own token."""
    with closing(PostgresBackend(own.conninfo, connections_max=1, patience_s=4)) as backend:
        record = _register(backend)
        receipt = Receipt(id=RECEIPT, order_id="o1", status=ReceiptStatus.PAID, price=1000)
        decision = observe(record, receipt, Rules(), NOW, "buyer")
        paid: list[Record] = []
        paying = threading.Thread(target=lambda: paid.append(backend.commit(record, decision)))
        own.halt()
        paying.start()
        # Only who has hung up asks for another connection.
        _until(lambda: backend._pool.get_stats().get("requests_waiting") == 1)
        own.go_on()
        paying.join(30)
        stored = backend.load(OrderId("o1"))

        assert [stored] == paid
        assert 2 == len(backend.history(OrderId("o1")))
        assert 1 == len(backend.deliveries(OrderId("o1")))


def test_an_exhausted_pool_is_unavailable_within_its_patience(conninfo: str) -> None:
    """Nobody waits for a connection without end."""
    with closing(PostgresBackend(conninfo, connections_max=1, patience_s=0.2)) as backend:
        taken = backend._pool.getconn(5)
        before = time.monotonic()
        with pytest.raises(
            StoreUnavailable, match=r"no connection became free or could be made within 0\.2 s"
        ):
            _register(backend)
        waited_s = time.monotonic() - before
        backend._pool.putconn(taken)

        assert 0.2 <= waited_s < 3
        assert backend.load(OrderId("o1")) is None
        assert State.OPEN is _register(backend).payment.state


def test_a_lock_held_too_long_is_unavailable_and_nothing_is_stored(conninfo: str) -> None:
    """Somebody at a console holds a table: an error that says to try later, and no half a commit."""
    with closing(PostgresBackend(conninfo, patience_s=0.3)) as backend, _admin(conninfo) as blocker:
        _register(backend)
        blocker.execute("BEGIN; LOCK TABLE dojang_deliveries IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            _pay(backend)
        blocker.execute("ROLLBACK")
        record = backend.load(OrderId("o1"), RECEIPT)

        assert record is not None
        assert (State.OPEN, None) == (record.payment.state, record.claimed_by)


_LOCKED_ROW: dict[str, tuple[str, Callable[[PostgresBackend], list[str]]]] = {
    "orders to check": (
        "dojang_orders WHERE order_id = 'o1'",
        lambda backend: [str(order_id) for order_id in backend.claim_checks(NOW, LATER, 10)],
    ),
    "orders to compare": (
        "dojang_orders WHERE order_id = 'o1'",
        lambda backend: [str(order_id) for order_id in backend.claim_checks(NOW, LATER, 10)],
    ),
    "notices for the shop": (
        "dojang_deliveries WHERE order_id = 'o1'",
        lambda backend: [str(owed.order_id) for owed in backend.claim_deliveries(NOW, LATER, 10)],
    ),
    "money back": (
        "dojang_deliveries WHERE order_id = 'o1'",
        lambda backend: [
            str(owed.order_id) for owed in backend.claim_deliveries(NOW, LATER, 10, money_back_only=True)
        ],
    ),
    "webhooks": (
        "dojang_inbox WHERE order_id = 'o1'",
        lambda backend: [stored.notice.order_id for stored in backend.claim_notices(NOW, LATER, 10)],
    ),
}
"""One row of each kind of due work, and whose work a claim finds."""


@pytest.mark.parametrize("kind", _LOCKED_ROW)
def test_a_row_that_somebody_holds_keeps_no_other_from_being_claimed(conninfo: str, kind: str) -> None:
    """A slow commit or a console on one order: who looks for due work passes it by and takes the rest."""
    row, claimed = _LOCKED_ROW[kind]
    with closing(PostgresBackend(conninfo, patience_s=1)) as backend, _admin(conninfo) as holder:
        for number, order_id in enumerate(("o1", "o2")):
            _register(backend, order_id)
            backend.receive(Notice(receipt_id=ReceiptId(f"{number:024x}"), order_id=order_id), NOW, NOW)
            if kind != "orders to check":
                _pay(backend, order_id, ReceiptId(f"a{number:023x}"))
                _pay(backend, order_id, ReceiptId(f"b{number:023x}"))
        holder.execute("UPDATE dojang_orders SET due_at = %s", (int(NOW.timestamp() * 1_000_000),))
        holder.execute(f"BEGIN; SELECT FROM {row} FOR UPDATE")
        others = claimed(backend)
        holder.execute("ROLLBACK")
        afterwards = claimed(backend)

    assert {"o2"} == set(others)
    assert {"o1"} == set(afterwards)


def test_a_statement_that_takes_too_long_is_given_up_by_the_server_itself(conninfo: str) -> None:
    """The server says so before we would hang up: nothing is in doubt, and nothing goes on behind our back."""
    with closing(PostgresBackend(conninfo, patience_s=3)) as backend, _admin(conninfo) as db:
        _register(backend)
        db.execute("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_sleep(60);
                RETURN NEW;
            END $$;
            CREATE TRIGGER slow BEFORE INSERT ON dojang_deliveries FOR EACH ROW EXECUTE FUNCTION slow();
        """)
        with pytest.raises(StoreUnavailable, match="statement timeout"):
            _pay(backend)
        record = backend.load(OrderId("o1"), RECEIPT)

    assert record is not None
    assert (State.OPEN, None) == (record.payment.state, record.claimed_by)


def test_receipts_are_claimed_in_one_order_whatever_order_they_come_in(conninfo: str) -> None:
    """Two commits that claim the same two receipts the other way round never wait for each other in a circle."""
    first, second = ReceiptId("a" * 24), ReceiptId("b" * 24)
    claim = "INSERT INTO dojang_receipts (receipt_id, order_id) VALUES (%s, 'o2')"
    with closing(PostgresBackend(conninfo, patience_s=30)) as backend, _admin(conninfo) as other:
        record = _register(backend)
        _register(backend, "o2")
        receipt = Receipt(id=first, order_id="o1", status=ReceiptStatus.PAID, price=1000)
        decision = replace(observe(record, receipt, Rules(), NOW, "buyer"), claims=(second, first))
        # Who waits for nobody is never stopped by this, however slow the machine is. It is less than the second after
        # which the server would end a circle itself, and the commit would be repeated as if nothing had been.
        other.execute("SET lock_timeout = '0.3s'")
        other.execute("BEGIN")
        other.execute(claim, (first,))
        paid: list[Record] = []
        paying = threading.Thread(target=lambda: paid.append(backend.commit(record, decision)))
        paying.start()
        waits = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND application_name = current_setting('application_name')"
        )
        with _admin(conninfo) as watcher:
            _until(lambda: watcher.execute(waits).fetchone() == (1,))
        other.execute(claim, (second,))
        other.execute("ROLLBACK")
        paying.join(30)

    assert [State.PAID] == [record.payment.state for record in paid]


def test_a_closed_store_is_unavailable(conninfo: str) -> None:
    """A call that comes after the end is told so."""
    backend = PostgresBackend(conninfo)
    backend.close()

    with pytest.raises(StoreUnavailable, match="the store is closed"):
        backend.load(OrderId("o1"))


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_statement_that_the_server_undid_is_repeated(
    conninfo: str, backend: PostgresBackend, sqlstate: str
) -> None:
    """A deadlock or a serialization failure the first time is nobody's business."""
    _register(backend)
    with _admin(conninfo) as db:
        db.execute(f"""
            CREATE SEQUENCE tries;
            CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('tries') = 1 THEN RAISE EXCEPTION 'once' USING ERRCODE = '{sqlstate}'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER once BEFORE INSERT ON dojang_deliveries FOR EACH ROW EXECUTE FUNCTION once();
        """)

    assert State.PAID is _pay(backend).payment.state


@pytest.mark.parametrize("sqlstate", ["40001", "23505", "53100", "XX001", "22P02"])
def test_every_other_failure_is_unavailable_and_tells_no_value(
    conninfo: str, backend: PostgresBackend, sqlstate: str
) -> None:
    """A full disk, a broken page, a constraint: one exception of ours, without the rows that were to be stored."""
    _register(backend)
    with _admin(conninfo) as db:
        db.execute(f"""
            CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}', DETAIL = 'Failing row contains (secret)';
            END $$;
            CREATE TRIGGER never BEFORE INSERT ON dojang_deliveries FOR EACH ROW EXECUTE FUNCTION never();
        """)
    with pytest.raises(StoreUnavailable, match=sqlstate) as raised:
        _pay(backend)
    record = backend.load(OrderId("o1"), RECEIPT)

    assert "secret" not in str(raised.value)
    assert record is not None
    assert (State.OPEN, None) == (record.payment.state, record.claimed_by)


def test_others_words_with_characters_no_database_takes_are_kept_as_far_as_they_can_be(
    backend: PostgresBackend,
) -> None:
    """An error page with a NUL in it must not keep a delivery from being rescheduled."""
    _register(backend)
    _pay(backend)
    (claimed,) = backend.claim_deliveries(NOW, LATER, 10)
    settled = backend.settle_delivery(replace(claimed, state=DeliveryState.DEAD, last_error="a\0b\ud800c"))
    heard = backend.receive(Notice(receipt_id=RECEIPT, kind="k\0", order_id="\ud800"), NOW, NOW)

    assert settled
    assert ["a\ufffdb?c"] == [owed.last_error for owed in backend.deliveries(OrderId("o1"))]
    assert ("k\ufffd", "?") == (heard.notice.kind, heard.notice.order_id)


# The schema


@pytest.mark.parametrize("table", ["dojang_events", "dojang_receipts"])
@pytest.mark.parametrize("change", ["UPDATE {} SET order_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_and_claims_refuse_every_change(
    conninfo: str, backend: PostgresBackend, table: str, change: str
) -> None:
    """Even somebody with the database in their hands is stopped by the schema."""
    _register(backend)
    _pay(backend)
    with _admin(conninfo) as db, pytest.raises(psycopg.Error, match=f"{table} is append-only"):
        db.execute(change.format(table))

    assert 2 == len(backend.history(OrderId("o1")))


_SQL = named_queries("postgres.sql")


def _plan(db: psycopg.Connection[Any], query: str, **arguments: object) -> str:
    with psycopg.ClientCursor(db) as cursor:
        cursor.execute(f"EXPLAIN {_SQL[query]}", arguments)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_due_work_is_found_by_index_among_a_hundred_thousand_orders(
    conninfo: str, backend: PostgresBackend
) -> None:
    """What a claim and a page cost does not grow with what is on file."""
    at = int(NOW.timestamp() * 1_000_000)
    with _admin(conninfo) as db:
        db.execute(f"""
            INSERT INTO dojang_orders
            SELECT 'o' || n, 1000, 'KRW', 0, 'x', NULL, '{{}}', {at} + n,
                   CASE WHEN n % 100 = 0 THEN 'attention' ELSE 'paid' END, '{{}}', 2, {at} + n
            FROM generate_series(1, 100000) AS n;
            INSERT INTO dojang_deliveries
            SELECT 'd' || n, 'o' || n, 2, 'notice', 'order.paid', '{{}}', {at}, {at} + n, 0,
                   CASE WHEN n % 2 = 0 THEN 'due' ELSE 'settled' END, '', NULL
            FROM generate_series(1, 100000) AS n;
            INSERT INTO dojang_inbox
            SELECT 'k' || n, 'r', 2, '', '', '', '', {at}, 1, {at} + n, 0, '' FROM generate_series(1, 100000) AS n;
            ANALYZE dojang_orders, dojang_deliveries, dojang_inbox;
        """)
        claim = {"now": at + 50_000, "until": at + 10**6, "limit": 20}
        page = {
            "created_from": 0,
            "created_to": 2**62,
            "after_at": 2**62,
            "after_id": "",
            "limit": 51,
            "state": "attention",
        }
        plans = {
            "dojang_deliveries_due": _plan(db, "claim_deliveries", **claim),
            "dojang_inbox_due": _plan(db, "claim_notices", **claim),
            "dojang_orders_due": _plan(db, "claim_checks", **claim, first=0),
            "dojang_orders_by_age": _plan(db, "orders", **page),
            "dojang_orders_by_state": _plan(db, "orders_in_state", **page),
        }

    assert set() == {index for index, plan in plans.items() if index not in plan}
    assert "dojang_deliveries_waiting" in plans["dojang_deliveries_due"]
    assert [] == [plan for plan in plans.values() if "Seq Scan" in plan]
