"""Settings become a world: which adapter is behind which port."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.adapters.shop_door import answer, opened

from dojang import Dojang
from dojang.adapters.gateway import GatewayV2
from dojang.adapters.gateway_v1 import GatewayV1
from dojang.adapters.throttle import LookUpThrottle
from dojang.core.delivery import Delivery, Lane
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Mode, OnMismatch
from dojang.drive import run
from dojang.entry.settings import Settings, read_settings
from dojang.entry.wiring import asking, blocking_world, migrated, open_backend, serving_world, store_name
from dojang.errors import ConfigError, Conflict
from dojang.ports import Approved, Declined, HandedOver, World
from dojang.usecases.register_order import Registered, register_order

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_REFUSED = "is a private address: set DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"


def settings_of(folder: Path, **more: str) -> Settings:
    """Settings for the emulator, with a store in this folder."""
    environment = {"DOJANG_MODE": "emulator", "DOJANG_STORE": f"sqlite:///{folder}/orders.sqlite3"}
    return read_settings(environment=environment | more, toml=None)


async def _registers(world: World) -> bool:
    order = Order(id=OrderId("W-1"), price=Money(3000), name="x")
    return isinstance(await register_order(world, order), Registered)


def test_a_blocking_world_never_suspends(tmp_path: Path) -> None:
    """A use case runs to its end without an event loop."""
    with ExitStack() as stack:
        world = blocking_world(settings_of(tmp_path), stack)
        done = run(_registers(world))

    assert done
    assert world.fulfilment is None
    assert world.approval is None
    assert world.throttle is None


def test_a_serving_world_runs_on_the_loop(tmp_path: Path) -> None:
    """The same use case, awaited; strangers are throttled; everything is closed at the end."""

    async def serve() -> tuple[World, bool]:
        async with AsyncExitStack() as stack:
            world = await serving_world(settings_of(tmp_path), stack)
            return world, await _registers(world)

    world, done = asyncio.run(serve())

    assert done
    assert world.throttle is not None
    assert (tmp_path / "orders.sqlite3").exists()


@pytest.mark.parametrize(("mode", "let_through"), [("live", 1_000), ("sandbox", 1_000), ("emulator", 1_500)])
def test_all_strangers_together_are_held_back_where_bootpay_is_real(
    tmp_path: Path, mode: str, let_through: int
) -> None:
    """Many orders do not get around the limit of one; only a pretend Bootpay has no quota to burn."""

    async def serve() -> int:
        async with AsyncExitStack() as stack:
            world = await serving_world(settings_of(tmp_path, DOJANG_MODE=mode, **_REAL), stack)
            throttle = world.throttle
            assert isinstance(throttle, LookUpThrottle)
            # All at one moment: no token comes back meanwhile, however slow the machine is.
            moment = throttle._all.filled_at
            throttle._monotonic = lambda: moment
            return sum(throttle.take(f"o-{number}") == 0 for number in range(1_500))

    assert let_through == asyncio.run(serve())


def test_the_shop_is_asked_beside_everything_else_that_blocks(tmp_path: Path) -> None:
    """Deliveries to a shop that hangs hold all of asyncio's threads, and a buyer's question does not wait for one."""
    settings = settings_of(
        tmp_path, DOJANG_APPROVE_AT="https://no-such-name.invalid/a", DOJANG_DELIVER_SECRET=WHSEC
    )
    order = Order(id=OrderId("W-1"), price=Money(3000), name="x")
    receipt = Receipt(
        id=ReceiptId("645c58be755e270022e1e8db"), order_id="W-1", status=ReceiptStatus.AWAITING_APPROVAL,
        price=3000, currency="KRW",
    )  # fmt: skip

    async def serve() -> Approved | Declined:
        busy = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            delivery = asyncio.ensure_future(asyncio.to_thread(busy.wait, 30))
            async with AsyncExitStack() as stack:
                world = await serving_world(settings, stack)
                assert world.approval is not None
                try:
                    return await asyncio.wait_for(world.approval.ask(order, receipt, 10), 15)
                finally:
                    busy.set()
                    await delivery

    said = asyncio.run(serve())

    assert (
        Declined("the shop did not answer: no-such-name.invalid has no address: the name was not found")
        == said
    )


def test_a_shop_that_hangs_keeps_no_other_request_waiting(tmp_path: Path) -> None:
    """One buyer's question is open, and another order is registered meanwhile."""
    order = Order(id=OrderId("W-2"), price=Money(3000), name="x")
    receipt = Receipt(
        id=ReceiptId("645c58be755e270022e1e8db"), order_id="W-2", status=ReceiptStatus.AWAITING_APPROVAL,
        price=3000, currency="KRW",
    )  # fmt: skip

    async def serve() -> tuple[bool, bool, type]:
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            shop = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            shop.setblocking(False)
            url = f"http://127.0.0.1:{shop.getsockname()[1]}/a"
            settings = settings_of(tmp_path, DOJANG_APPROVE_AT=url, DOJANG_DELIVER_SECRET=WHSEC)
            world = await serving_world(settings, stack)
            assert world.approval is not None
            asking = asyncio.ensure_future(world.approval.ask(order, receipt, 3))
            asked, _ = await loop.sock_accept(shop)
            registered = await _registers(world)
            still_asking = not asking.done()
            asked.close()
            return registered, still_asking, type(await asking)

    assert (True, True, Declined) == asyncio.run(serve())


def test_destinations_make_a_fulfilment_and_an_approval(tmp_path: Path) -> None:
    """DOJANG_DELIVER_TO and DOJANG_APPROVE_AT, and the shop's own rules, reach the world."""
    settings = settings_of(
        tmp_path,
        DOJANG_DELIVER_TO="https://shop.example/d",
        DOJANG_APPROVE_AT="https://shop.example/a",
        DOJANG_DELIVER_SECRET=WHSEC,
        DOJANG_ON_MISMATCH="hold",
    )
    with ExitStack() as stack:
        world = blocking_world(settings, stack)

    assert world.fulfilment is not None
    assert world.approval is not None
    assert (Mode.EMULATOR, OnMismatch.HOLD) == (world.rules.mode, world.rules.on_mismatch)


_REAL = {"BOOTPAY_CLIENT_KEY": "ck", "BOOTPAY_SECRET_KEY": "sk", "DOJANG_DELIVER_SECRET": WHSEC}
_ORDER = Order(id=OrderId("W-1"), price=Money(3000), name="x")
_RECEIPT = Receipt(
    id=ReceiptId("645c58be755e270022e1e8db"),
    order_id="W-1",
    status=ReceiptStatus.AWAITING_APPROVAL,
    price=3000,
)
_TOLD = Delivery(
    id="W-1:2:order_paid", order_id=_ORDER.id, seq=2, lane=Lane.NOTICE, type="order.paid", data={},
    created_at=datetime(2026, 11, 23, tzinfo=UTC), due_at=datetime(2026, 11, 23, tzinfo=UTC),
)  # fmt: skip


def _told_and_asked(folder: Path, url: str, **more: str) -> tuple[HandedOver, Approved | Declined]:
    """A delivery and a question before an approval, both to one address."""
    settings = settings_of(folder, DOJANG_DELIVER_TO=url, DOJANG_APPROVE_AT=url, **_REAL | more)
    with ExitStack() as stack:
        world = blocking_world(settings, stack)
        assert world.fulfilment is not None
        assert world.approval is not None
        told = run(world.fulfilment.hand_over(_TOLD, 5))
        return told, run(world.approval.ask(_ORDER, _RECEIPT, 5))


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.SANDBOX])
def test_where_money_is_real_this_machine_is_reached_with_permission_only(
    tmp_path: Path, names: dict[str, str], mode: Mode
) -> None:
    """Neither a delivery nor a question knocks at loopback before the setting allows it; then both arrive."""
    names["here.example"] = "127.0.0.1"
    with opened() as door:
        door.script = [answer(200, b'{"approve": true}', "Connection: close")]
        told, asked = _told_and_asked(tmp_path, f"https://here.example:{door.port}/d", DOJANG_MODE=mode)
        knocked = door.connections
        told_then, asked_then = _told_and_asked(
            tmp_path, door.url, DOJANG_MODE=mode, DOJANG_ALLOW_PRIVATE_DESTINATIONS="true"
        )

    assert isinstance(asked, Declined)
    assert (False, True, True) == (told.settled, _REFUSED in told.words, _REFUSED in asked.reason)
    assert 0 == knocked
    assert (HandedOver(settled=True, words="HTTP 200", to="127.0.0.1"), Approved()) == (told_then, asked_then)
    assert 2 == len(door.bodies)


def test_where_nothing_is_real_this_machine_alone_needs_no_permission(
    tmp_path: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The developer's own shop is told at once; another machine of the network is not."""
    with opened() as door:
        door.script = [answer(200, b'{"approve": true}', "Connection: close")]
        near = _told_and_asked(tmp_path, door.url)
    names["there.example"] = "10.0.0.8"
    tried: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda _, address: tried.append(address))
    told, asked = _told_and_asked(tmp_path, "https://there.example/d")

    assert (HandedOver(settled=True, words="HTTP 200", to="127.0.0.1"), Approved()) == near
    assert isinstance(asked, Declined)
    assert (True, True, []) == (_REFUSED in told.words, _REFUSED in asked.reason, tried)


@pytest.mark.parametrize(("generation", "kind"), [("v1", GatewayV1), ("v2", GatewayV2)])
def test_the_generation_chooses_the_gateway(tmp_path: Path, generation: str, kind: type) -> None:
    """BOOTPAY_API decides which of Bootpay's two APIs is asked; no store is opened for that."""
    with ExitStack() as stack:
        gateway = asking(settings_of(tmp_path, BOOTPAY_API=generation), stack)

    assert isinstance(gateway, kind)
    assert [] == list(tmp_path.iterdir())


def test_a_store_is_migrated_once(tmp_path: Path) -> None:
    """The migrations that ran are named; an unmigrated file is not opened for use."""
    settings = settings_of(tmp_path)
    with pytest.raises(ConfigError, match="dojang migrate"):
        open_backend(settings, migrate=False)
    first, again = migrated(settings), migrated(settings)
    open_backend(settings, migrate=False).close()

    assert first
    assert [] == again


def test_a_store_in_no_folder_is_refused(tmp_path: Path) -> None:
    """A mistyped folder is not made."""
    with pytest.raises(ConfigError, match="folder"):
        migrated(settings_of(tmp_path / "missing"))


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("sqlite:///x.sqlite3", "sqlite:///x.sqlite3"),
        ("postgresql://u:p@db:5432/shop", "postgresql://db:5432/shop"),
        ("postgres://u:p%40x@db/shop?sslmode=require", "postgresql://db/shop"),
        ("postgresql://u:p@w/rd@db/shop", "postgresql://…"),
    ],
)
def test_what_is_shown_of_a_store_holds_no_password(store: str, shown: str) -> None:
    """Host and database help; what might be part of a password is left out."""
    assert shown == store_name(store)


def test_the_embedded_service_says_which_term_differs(tmp_path: Path) -> None:
    """Who registers other terms under the same id is told in English and Korean what is not the same."""
    with Dojang(mode="emulator", store=f"sqlite:///{tmp_path}/orders.sqlite3") as dojang:
        dojang.register("A-1", price=3000, name="x")
        with pytest.raises(Conflict) as refused:
            dojang.register("A-1", price=4000, name="x")

    assert "price differs (" in str(refused.value)
    assert "다른 항목: price)" in str(refused.value)
