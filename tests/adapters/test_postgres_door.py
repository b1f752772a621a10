"""Opening a PostgreSQL store: clear about servers, users and schemas it cannot use, and silent about passwords."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dojang.adapters.postgres import PostgresBackend
from dojang.adapters.postgres_door import connection_settings
from dojang.adapters.queries import migrations
from dojang.core.delivery import DeliveryState
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.errors import ConfigError, DojangError, StoreUnavailable
from dojang.ports import Notice, OrderFilter

from .postgres_server import LOCKED, Road, fresh_schema, own_server, server_conninfo

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
SECRET = "p-ä$$w0rd"


@pytest.fixture
def conninfo() -> Iterator[str]:
    """An empty schema on a real server."""
    with fresh_schema(server_conninfo()) as address:
        yield address


@pytest.fixture
def locked(conninfo: str) -> Iterator[str]:
    """The address for a user with a password and without any permission, who is gone afterwards."""
    user = _user(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'")
        try:
            yield make_conninfo(conninfo, user=user, password=SECRET)
        finally:
            db.execute(f"DROP OWNED BY {user}")
            db.execute(f"DROP ROLE {user}")


def _refused(address: str, **more: Any) -> DojangError:
    with pytest.raises(DojangError) as raised:
        PostgresBackend(address, **more)
    return raised.value


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://shop:{SECRET}/x@127.0.0.1/shop",
        f"postgresql://shop:{SECRET}@x@127.0.0.1:1/shop",
        f"postgresql://shop:{SECRET}@127.0.0.1:1/shop?{SECRET}=1",
        f"postgresql://shop:12:{SECRET}@[::1/shop",
        f"postgresql://shop:12/{SECRET}@127.0.0.1/shop",
        "postgresql://",
    ],
)
def test_an_address_that_cannot_be_read_names_the_way_out_and_no_part_of_the_password(address: str) -> None:
    """A password with an @ or a / in it: libpq would quote it, dojang says how to write it."""
    error = _refused(address)

    assert isinstance(error, ConfigError)
    assert "percent-encoded" in str(error)
    assert SECRET not in str(error)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """It may be there later, and its password is nobody's business."""
    error = _refused(f"postgresql://shop:{quote(SECRET)}@127.0.0.1:1/shop")

    assert isinstance(error, StoreUnavailable)
    assert "Connection refused" in str(error)
    assert SECRET not in str(error)


def test_a_database_that_does_not_exist_is_named(conninfo: str) -> None:
    """A person must mend the address."""
    error = _refused(make_conninfo(conninfo, dbname="nowhere"))

    assert isinstance(error, ConfigError)
    assert 'database "nowhere" does not exist' in str(error)


def test_a_wrong_password_is_refused_and_not_repeated(locked: str) -> None:
    """The server's words name the user; the password is in no message."""
    wrong = SECRET + "!"
    try:
        psycopg.connect(locked, password=wrong).close()
    except psycopg.OperationalError:
        error = _refused(make_conninfo(locked, password=wrong))
    else:
        pytest.skip("the server that DOJANG_TEST_POSTGRES names lets everybody in without a password")

    assert isinstance(error, ConfigError)
    assert f'password authentication failed for user "{_user(locked)}"' in str(error)
    assert SECRET not in str(error)


def test_a_user_who_may_not_create_tables_is_told_what_to_do(conninfo: str, locked: str) -> None:
    """Migrating needs more permission than running."""
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute(f"GRANT USAGE ON SCHEMA {_schema(conninfo)} TO {_user(conninfo)}")
    error = _refused(locked)

    assert isinstance(error, ConfigError)
    assert "Run `dojang migrate` as a user that may create tables" in str(error)


def test_a_user_who_may_only_use_the_tables_can_run(conninfo: str, locked: str) -> None:
    """Where the schema is up to date, opening asks for no permission to change it."""
    PostgresBackend(conninfo).close()
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute(f"GRANT USAGE ON SCHEMA {_schema(conninfo)} TO {_user(conninfo)}")
        db.execute(
            f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {_schema(conninfo)} TO {_user(conninfo)}"
        )
    with closing(PostgresBackend(locked)) as backend:
        found = backend.load(OrderId("o1"))

    assert found is None


def test_a_search_path_without_a_schema_is_told(conninfo: str) -> None:
    """Nothing is put where nobody meant it to be."""
    error = _refused(make_conninfo(conninfo, options="-csearch_path=nowhere"))

    assert isinstance(error, ConfigError)
    assert "no schema of the search path exists" in str(error)


@pytest.mark.parametrize("level", ["off", "local", "remote_write"])
def test_an_address_that_would_let_payments_be_forgotten_is_refused(conninfo: str, level: str) -> None:
    """What is answered must be on disk."""
    options = f"{conninfo_to_dict(conninfo)['options']} -c synchronous_commit={level}"
    error = _refused(make_conninfo(conninfo, options=options))

    assert isinstance(error, ConfigError)
    assert f"synchronous_commit is {level}" in str(error)


def test_commits_are_on_disk_whatever_the_users_default_is(conninfo: str, locked: str) -> None:
    """A database tuned for speed elsewhere is still safe here, and at the isolation the queries are written for."""
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute(f"ALTER ROLE {_user(conninfo)} SET synchronous_commit = off")
        db.execute(f"ALTER ROLE {_user(conninfo)} SET default_transaction_isolation = 'serializable'")
        db.execute(f"GRANT USAGE, CREATE ON SCHEMA {_schema(conninfo)} TO {_user(conninfo)}")
    with closing(PostgresBackend(locked)) as backend, backend._pool.connection() as db:
        settings = db.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')"
        ).fetchone()

    assert ("on", "read committed") == settings


def test_a_database_that_may_not_be_migrated_names_the_way_out(conninfo: str) -> None:
    """Where migrating at start is not wanted, the sentence says what to run."""
    error = _refused(conninfo, migrate=False)

    assert isinstance(error, ConfigError)
    assert "not up to date: run `dojang migrate` (`dojang migrate`로 갱신해 주세요)" in str(error)


def test_a_schema_is_brought_up_to_date_once(conninfo: str) -> None:
    """The first opening makes the schema; afterwards there is nothing to do."""
    names = [name for _, name, _ in migrations("postgres")]
    with closing(PostgresBackend(conninfo)) as first, closing(PostgresBackend(conninfo)) as second:
        again, version = second.migrate(), second.version

    assert (names, [], []) == (first.ran, second.ran, again)
    assert len(names) == version


def test_migrators_at_once_run_each_migration_once(conninfo: str) -> None:
    """Eight servers start on an empty schema: each migration runs in exactly one of them."""
    ran: list[str] = []
    start = threading.Barrier(8)

    def open_it() -> None:
        start.wait(30)
        with closing(PostgresBackend(conninfo)) as backend:
            ran.extend(backend.ran)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(name for _, name, _ in migrations("postgres")) == sorted(ran)


def _later_release(conninfo: str, serves_from: int) -> None:
    PostgresBackend(conninfo).close()
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute("ALTER TABLE dojang_orders ADD COLUMN novelty text")
        db.execute(
            "INSERT INTO dojang_migrations (number, name, serves_from) VALUES (999, 'later', %s)",
            (serves_from,),
        )


def test_the_next_releases_schema_still_serves_this_one(conninfo: str) -> None:
    """While servers are upgraded one by one, an old one may restart on what a new one has already migrated."""
    _later_release(conninfo, serves_from=1)
    with closing(PostgresBackend(conninfo)) as backend:
        assert (999, []) == (backend.version, backend.migrate())
        assert backend.load(OrderId("o1")) is None


def _every_method(backend: PostgresBackend, number: int) -> None:
    """What a server does all day, with an order of its own."""
    order_id, receipt_id = OrderId(f"o{number}"), ReceiptId(f"{number:024x}")
    later = NOW + timedelta(seconds=1)
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    record, _ = backend.register(Order(id=order_id, price=Money(1000), name="양말"), event, NOW)
    assert backend.claim_checks(NOW, later, 10)
    assert backend.reschedule(record, None)
    assert backend.load(order_id, receipt_id) == replace(record, due_at=None)
    receipt = Receipt(id=receipt_id, order_id=order_id, status=ReceiptStatus.PAID, price=1000)
    backend.commit(record, observe(record, receipt, Rules(), NOW, "buyer"))
    assert 2 == len(backend.history(order_id))
    assert backend.orders(OrderFilter()).records
    assert backend.orders(OrderFilter(state="paid")).records
    (owed,) = backend.claim_deliveries(NOW, later, 10)
    assert [owed] == list(backend.deliveries(order_id))
    assert not backend.claim_deliveries(NOW, later, 10, money_back_only=True)
    assert backend.retry_delivery(owed.id, NOW)
    (again,) = backend.claim_deliveries(NOW, later, 10)
    assert backend.settle_delivery(replace(again, state=DeliveryState.SETTLED))
    backend.receive(Notice(receipt_id=receipt_id), NOW, NOW)
    (stored,) = backend.claim_notices(NOW, later, 10)
    assert backend.settle_notice(stored, "settled")
    assert backend.notices(1)
    assert backend.now()


def test_a_running_server_survives_the_next_releases_columns(conninfo: str) -> None:
    """Every table grows while it works, on connections whose statements are prepared: no method notices."""
    with closing(PostgresBackend(conninfo, connections_max=1)) as backend:
        # psycopg prepares what it has been asked five times.
        for number in range(8):
            _every_method(backend, number)
        with psycopg.connect(conninfo, autocommit=True) as db:
            tables = db.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            ).fetchall()
            for (table,) in tables:
                db.execute(f"ALTER TABLE {table} ADD COLUMN novelty text DEFAULT 'new'")
        for number in range(8, 10):
            _every_method(backend, number)

    assert {"orders", "receipts", "events", "deliveries", "inbox", "migrations"} == {
        table.removeprefix("dojang_") for (table,) in tables
    }


def test_a_schema_that_no_longer_serves_this_release_is_left_alone(conninfo: str) -> None:
    """An old release never writes into a schema it does not know."""
    _later_release(conninfo, serves_from=999)
    error = _refused(conninfo)

    assert isinstance(error, ConfigError)
    assert "migrated by a newer dojang: upgrade dojang" in str(error)


def test_every_migration_says_which_releases_it_serves() -> None:
    """Numbers follow each other, and no file forgets the line that a rolling upgrade depends on."""
    found = migrations("postgres")

    assert list(range(1, len(found) + 1)) == [number for number, _, _ in found]
    assert all(script.count("-- serves from: ") == 1 for _, _, script in found)


def test_what_the_address_says_wins_but_for_what_safety_needs() -> None:
    """A shop may choose its own time-outs; the encoding and the order of the options are ours."""
    settings = connection_settings(
        "postgresql://h1,h2/shop?connect_timeout=9&target_session_attrs=any&client_encoding=LATIN1"
        "&options=-cstatement_timeout%3D1",
        5.0,
    )

    assert ("9", "any", "UTF8") == (
        settings["connect_timeout"],
        settings["target_session_attrs"],
        settings["client_encoding"],
    )
    assert str(settings["options"]).endswith("-c synchronous_commit=on -cstatement_timeout=1")


def test_of_several_servers_the_one_that_takes_writes_is_used() -> None:
    """The address names a server that only reads first, as after a fail-over: dojang goes on to the next."""
    reads_only, writes = own_server(), own_server()
    with psycopg.connect(reads_only.conninfo, autocommit=True) as db:
        db.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        db.execute("SELECT pg_reload_conf()")
    roads = [Road(reads_only.conninfo), Road(writes.conninfo)]
    ports = ",".join(str(conninfo_to_dict(road.conninfo)["port"]) for road in roads)
    try:
        address = make_conninfo(roads[1].conninfo, host="127.0.0.1,127.0.0.1", port=ports)
        with closing(PostgresBackend(address)) as backend:
            _every_method(backend, 1)
        asked = [road.trips > 0 for road in roads]
    finally:
        for road in roads:
            road.close()
        reads_only.close()
        writes.close()

    assert [True, True] == asked


def test_a_store_shows_no_password(locked: str, conninfo: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither its own text nor what is logged while it works holds the password."""
    with psycopg.connect(conninfo, autocommit=True) as db:
        db.execute(f"GRANT USAGE, CREATE ON SCHEMA {_schema(conninfo)} TO {_user(conninfo)}")
    caplog.set_level("DEBUG", logger="psycopg")
    with closing(PostgresBackend(locked)) as backend:
        backend.load(OrderId("o1"))
        shown = repr(backend) + str(backend)

    assert caplog.text
    assert SECRET not in shown + caplog.text


def _user(conninfo: str) -> str:
    """A name of this test's own: the server may have other guests."""
    return LOCKED + _schema(conninfo).rpartition("_")[2]


def _schema(conninfo: str) -> str:
    return str(conninfo_to_dict(conninfo)["options"]).partition("=")[2]
