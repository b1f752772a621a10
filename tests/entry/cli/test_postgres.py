"""The command line and the server on a PostgreSQL store: the same words, the same codes, and no password anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.adapters.postgres_server import address_of, fresh_schema, server_conninfo

from dojang.core.order import OrderId, ReceiptId
from dojang.entry.settings import read_settings
from dojang.entry.wiring import serving_world, store_name
from dojang.usecases.verify import verify

if TYPE_CHECKING:
    from conftest import Buyer, Shell

SECRET = "p@ss/w0rd#1"


@pytest.fixture
def store(dojang: Shell) -> Iterator[str]:
    """`DOJANG_STORE` for an empty schema, set for every command of the test."""
    with fresh_schema(server_conninfo()) as conninfo:
        store = address_of(conninfo, SECRET)
        dojang.environment["DOJANG_STORE"] = store
        yield store


def test_a_payments_whole_story_is_told_by_commands(dojang: Shell, buyer: Buyer, store: str) -> None:
    """Migrate, register, verify, list, show and examine: on PostgreSQL as on a file."""
    before = dojang("orders", "list")
    migrated = dojang.json("migrate")
    again = dojang.json("migrate")
    dojang.json("orders", "add", "A-1", "--price", "3000", "--name", "양말")
    receipt_id = buyer.pays("A-1")
    verified = dojang.json("verify", "A-1", receipt_id)
    listed = dojang.json("orders", "list")
    history = dojang.json("orders", "history", "A-1")
    examined = dojang("doctor", "--fold")

    assert 2 == before.code
    assert "run `dojang migrate`" in before.err
    assert (["postgres_001_start.sql"], []) == (migrated["migrations"][:1], again["migrations"])
    assert "paid" == verified["state"]
    assert ["A-1"] == [order["order_id"] for order in listed["orders"]]
    assert "registered" == history["events"][0]["what"]
    assert 0 == examined.code, examined.err
    assert "1 orders folded" in examined.out
    assert not dojang.file.exists()


def test_the_servers_clock_is_compared(dojang: Shell, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are between servers that share it: more than they allow for is a warning."""
    dojang("migrate")
    right = dojang("doctor", "--format", "json")
    monkeypatch.setattr("dojang.entry.cli.doctor._now", lambda: datetime.now(UTC) - timedelta(seconds=10))
    wrong = dojang("doctor", "--format", "json")
    told = [
        (check["verdict"], "behind PostgreSQL's: where clocks differ" in check["words"])
        for ended in (right, wrong)
        for check in ended.data["checks"]
        if check["check"] == "store clock"
    ]

    assert [("ok", False), ("warn", True)] == told


def test_no_command_shows_the_stores_password(dojang: Shell, store: str) -> None:
    """Neither where the store is named, nor where it cannot be reached."""
    lost = f"postgresql://shop:{quote(SECRET, safe='')}@127.0.0.1:1/shop"
    said = [
        dojang("migrate"),
        dojang("doctor"),
        dojang("migrate", DOJANG_STORE=lost),
        dojang("doctor", DOJANG_STORE=lost),
    ]

    assert 0 == said[0].code
    assert 0 != said[2].code
    assert "Connection refused" in said[2].err
    for ended in said:
        assert SECRET not in ended.out + ended.err
        assert quote(SECRET, safe="") not in ended.out + ended.err


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        (
            "postgresql://shop:s3cret@db.example:5432/shop?options=-cx%3Ds3cret",
            "postgresql://db.example:5432/shop",
        ),
        ("postgres://shop@db/shop", "postgresql://db/shop"),
        ("postgresql://shop:s3/cret@db/shop", "postgresql://…"),
        ("postgresql://shop:s3@cret@db/shop", "postgresql://…"),
        ("postgresql://db/shop?password=s3cret", "postgresql://db/shop"),
        ("sqlite:///orders.sqlite3", "sqlite:///orders.sqlite3"),
    ],
)
def test_a_store_is_named_without_its_password(store: str, shown: str) -> None:
    """What might hold a part of the password is not shown at all."""
    assert shown == store_name(store)


def test_a_server_verifies_on_postgresql(dojang: Shell, buyer: Buyer, store: str) -> None:
    """Forty buyers at once on one event loop: each is answered from the pool, and paid once."""
    dojang.json("migrate")
    receipts = {}
    for number in range(40):
        dojang.json("orders", "add", f"B-{number}", "--price", "3000", "--name", "양말")
        receipts[OrderId(f"B-{number}")] = ReceiptId(buyer.pays(f"B-{number}"))
    settings = read_settings(
        environment={"DOJANG_MODE": "emulator", "BOOTPAY_URL": dojang.url, "DOJANG_STORE": store}
    )

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            world = await serving_world(settings, stack)
            await asyncio.gather(*(verify(world, *pair) for pair in receipts.items()))

    asyncio.run(serve())
    listed = dojang.json("orders", "list", "--state", "paid", "--limit", "100")

    assert 40 == len(listed["orders"])
