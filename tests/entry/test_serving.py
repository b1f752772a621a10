"""What runs beside the HTTP API: it finishes what it has in hand when the service ends, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.delivery import Delivery, DeliveryState
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import State
from dojang.core.receipt import Receipt
from dojang.drive import inline, run
from dojang.entry import serving
from dojang.entry.serving import DELIVER_EVERY_S, DELIVERERS, beside, delivering, open_service, reconciling
from dojang.entry.settings import read_settings
from dojang.errors import OutcomeUnknown
from dojang.ports import HandedOver, World
from dojang.testing import PretendBootpay, PretendClock, PretendShop
from dojang.usecases.register_order import register_order
from dojang.usecases.verify import verify
from dojang.web.metrics import Metrics
from dojang.web.routes import WebOptions


class Held:
    """Something that takes until it is let go; the shop's door, or Bootpay's answer."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.began = asyncio.Event()
        self.let_go = asyncio.Event()

    async def hold(self, what: str) -> None:
        """Take until let go."""
        self.begun.append(what)
        self.began.set()
        await self.let_go.wait()

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """A shop that thinks."""
        await self.hold(delivery.id)
        return HandedOver(settled=True)


class HeldBootpay(PretendBootpay):
    """A Bootpay that thinks about every approval."""

    held: Held

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        await self.held.hold(receipt_id)
        return await super().confirm(receipt_id, within_s)


class Service:
    """Two orders in a store, and everything around it."""

    def __init__(self) -> None:
        self.clock = PretendClock()
        self.backend = MemoryBackend()
        self.bootpay = HeldBootpay(self.clock)
        self.world = World(store=AwaitedStore(self.backend, inline), gateway=self.bootpay, clock=self.clock)
        for name in ("o1", "o2"):
            run(register_order(self.world, Order(id=OrderId(name), price=Money(1000), name="양말")))

    def pays(self) -> None:
        """Both are paid, and the shop is owed the news."""
        for name in ("o1", "o2"):
            run(verify(self.world, OrderId(name), self.bootpay.pay(name, 1000)))

    def deliveries(self) -> list[DeliveryState]:
        """How far the news has come."""
        return [owed.state for name in ("o1", "o2") for owed in self.backend.deliveries(OrderId(name))]


async def ended_in_the_middle(
    loop: Callable[[], Awaitable[None]], held: Held, *, let_go: bool = True
) -> asyncio.Task[None]:
    """Cancel a loop while it has something in hand, and let go afterwards."""
    task = asyncio.ensure_future(loop())
    await held.began.wait()
    task.cancel()
    if let_go:
        asyncio.get_running_loop().call_soon(held.let_go.set)
    await asyncio.wait((task,))
    return task


def test_the_delivery_in_hand_is_settled_and_no_other_begun() -> None:
    """The shop's answer is not lost, so it is not told twice; the next one waits for the next process."""
    service = Service()
    service.pays()

    async def story() -> tuple[Held, bool]:
        held = Held()
        world = replace(service.world, fulfilment=held)
        task = await ended_in_the_middle(lambda: delivering(world, Metrics()), held)
        return held, task.cancelled()

    held, cancelled = asyncio.run(story())

    assert (1, True) == (len(held.begun), cancelled)
    assert sorted([DeliveryState.SETTLED, DeliveryState.DUE]) == sorted(service.deliveries())


def test_a_shop_that_never_answers_does_not_hold_the_end_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the attempt is given up like one that crashed: still owed, under the same id."""
    monkeypatch.setattr(serving, "FINISH_WITHIN_S", 0.01)
    service = Service()
    service.pays()

    async def story() -> bool:
        held = Held()
        world = replace(service.world, fulfilment=held)
        return (
            await ended_in_the_middle(lambda: delivering(world, Metrics()), held, let_go=False)
        ).cancelled()

    assert asyncio.run(story())
    assert [DeliveryState.DUE] * 2 == service.deliveries()


class Passing(PretendClock):
    """Time that passes while others go on."""

    async def sleep(self, seconds: float, /) -> None:
        """See `Clock.sleep`."""
        await super().sleep(seconds)
        await asyncio.sleep(0)


def test_money_goes_back_beside_a_shop_that_never_answers() -> None:
    """Many notices are due before it and hold everybody who delivers; the money waits for none of them."""
    service = Service()
    clock = Passing()
    world = replace(service.world, clock=clock)
    for number in range(20):
        order = Order(id=OrderId(f"n{number}"), price=Money(1000), name="양말")
        run(register_order(world, order))
        run(verify(world, order.id, service.bootpay.pay(str(order.id), 1000)))
    clock.advance(1)
    run(verify(world, OrderId("o1"), service.bootpay.pay("o1", 1000)))
    surplus = service.bootpay.pay("o1", 1000)
    run(verify(world, OrderId("o1"), surplus))

    async def story() -> tuple[int, list[str]]:
        held = Held()
        loops = [asyncio.ensure_future(loop()) for loop in beside(replace(world, fulfilment=held), Metrics())]
        for _ in range(1_000):
            await asyncio.sleep(0)
        told = list(held.begun)
        for task in loops:
            task.cancel()
        held.let_go.set()
        await asyncio.wait(loops)
        return service.bootpay.status(surplus), told

    status, told = asyncio.run(story())

    assert (20, 3) == (status, len(told))


def test_the_order_in_hand_is_finished_and_no_other_begun() -> None:
    """Its money is moving: what Bootpay says to that is written down before the service ends."""
    service = Service()

    async def story() -> Held:
        held = service.bootpay.held = Held()
        for name in ("o1", "o2"):
            receipt_id = service.bootpay.agree(name, 1000)
            buyer = asyncio.create_task(verify(service.world, OrderId(name), receipt_id))
            await held.began.wait()
            buyer.cancel()
            held.began.clear()
        service.clock.advance(121)
        await ended_in_the_middle(lambda: reconciling(service.world), held)
        return held

    held = asyncio.run(story())
    states = [
        record.payment.state for name in ("o1", "o2") if (record := service.backend.load(OrderId(name)))
    ]

    # Twice a buyer's process died in the middle; the loop took one of the two up again.
    assert 3 == len(held.begun)
    assert sorted([State.PAID, State.CONFIRMING]) == sorted(states)


def test_what_went_wrong_is_told_before_the_next_one_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """A shop or a Bootpay that hangs does not keep log and counts silent until it has hung on everything."""
    service = Service()
    for name in ("o3", "o4"):
        run(register_order(service.world, Order(id=OrderId(name), price=Money(1000), name="양말")))
    service.pays()
    service.clock.advance(3_600)
    metrics = Metrics()

    class SecondHangs(Held):
        """The first is refused, the second waits."""

        async def hold(self, what: str) -> None:
            """Take until let go, from the second on."""
            if self.begun:
                await super().hold(what)
            self.begun.append(what)

        async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
            """No."""
            await self.hold(delivery.id)
            return HandedOver(settled=False, words="HTTP 503")

        async def look_up_order(self, order_id: OrderId, within_s: float, /) -> list[Receipt]:
            """No answer."""
            await self.hold(order_id)
            raise OutcomeUnknown("no answer")

        async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
            """No answer."""
            await self.hold(receipt_id)
            raise OutcomeUnknown("no answer")

    async def story() -> tuple[dict[tuple[str, ...], int], list[str]]:
        shop, bootpay = SecondHangs(), SecondHangs()
        world = replace(service.world, fulfilment=shop, gateway=bootpay)  # type: ignore[arg-type]
        loops = [asyncio.ensure_future(delivering(world, metrics)), asyncio.ensure_future(reconciling(world))]
        await shop.began.wait()
        await bootpay.began.wait()
        told = metrics.deliveries.counts, [line.getMessage() for line in caplog.records]
        for task in loops:
            task.cancel()
        shop.let_go.set()
        bootpay.let_go.set()
        await asyncio.wait(loops)
        return told

    counts, lines = asyncio.run(story())

    assert (1, 2) == (counts["failed",], len(lines))
    assert ["OutcomeUnknown"] == [
        line.partition(" could not be checked: ")[2] for line in lines if "checked" in line
    ]


class Rest(Exception):
    """A loop has nothing more to do for so many seconds."""


class Resting(PretendClock):
    """Time in which the first rest ends the story; a moment between two looks is none."""

    async def sleep(self, seconds: float, /) -> None:
        """See `Clock.sleep`."""
        if seconds >= DELIVER_EVERY_S:
            raise Rest(seconds)
        await super().sleep(seconds)


def test_each_loop_does_what_is_due_and_then_rests(caplog: pytest.LogCaptureFixture) -> None:
    """News is handed over and counted, an order whose buyer and webhook got lost is found, and nobody spins."""
    service = Service()
    service.pays()
    run(register_order(service.world, Order(id=OrderId("lost"), price=Money(1000), name="양말")))
    service.bootpay.pay("lost", 1000)
    clock, shop, metrics = Resting(), PretendShop(), Metrics()
    clock.advance(3600)
    shop.answers = [HandedOver(settled=False, words="HTTP 503", to="shop.example")]
    world = replace(service.world, clock=clock, fulfilment=shop)

    async def story() -> list[object]:
        rests: list[object] = []
        for loop in beside(world, metrics):
            with pytest.raises(Rest) as rest:
                await asyncio.wait_for(loop(), 10)
            rests += rest.value.args
        return rests

    assert [*[0.5] * (DELIVERERS + 1), 5.0] == asyncio.run(story())
    found = service.backend.load(OrderId("lost"))
    assert found is not None
    assert State.PAID is found.payment.state
    assert {("settled",): 1, ("failed",): 1, ("dead",): 0} == metrics.deliveries.counts
    (line,) = (record.message for record in caplog.records if "failed" in record.message)
    assert "of order o1 to shop.example failed: HTTP 503; next try 20" in line


@pytest.mark.parametrize(
    ("mode", "keys", "compared_with"),
    [
        ("emulator", {}, None),
        ("emulator", {"BOOTPAY_APPLICATION_ID": "app", "BOOTPAY_PRIVATE_KEY": "chosen"}, "chosen"),
        ("live", {"BOOTPAY_APPLICATION_ID": "app", "BOOTPAY_PRIVATE_KEY": "chosen"}, "chosen"),
    ],
)
def test_the_service_is_what_its_settings_say(
    tmp_path: Path, mode: str, keys: dict[str, str], compared_with: str | None
) -> None:
    """Keys, the networks that are believed, what a webhook's key must be, and all the loops beside the API."""
    said = {
        "DOJANG_MODE": mode,
        "DOJANG_STORE": f"sqlite:///{tmp_path}/orders.sqlite3",
        "DOJANG_API_KEYS": "shop-key-0123456789abcdef",
        "DOJANG_TRUSTED_PROXIES": "10.0.0.0/8",
        "DOJANG_WEBHOOK_SOURCES": "192.0.2.0/24",
    }
    settings = read_settings(environment=said | keys, toml=None)

    async def story() -> tuple[object, bool, int]:
        async with AsyncExitStack() as stack:
            app = await open_service(settings, stack)
            inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
            heard: asyncio.Queue[object] = asyncio.Queue()
            living = asyncio.create_task(app({"type": "lifespan"}, inbox.get, heard.put))  # type: ignore[arg-type]
            inbox.put_nowait({"type": "lifespan.startup"})
            await heard.get()
            beside_it = [getattr(task.get_coro(), "__name__", "") for task in asyncio.all_tasks()]
            inbox.put_nowait({"type": "lifespan.shutdown"})
            # A loop that nobody cancels would be waited for without end.
            async with asyncio.timeout(15):
                await living
            return app._api._options, "10.1.2.3" in app._proxies, beside_it.count("keep_running")

    options = WebOptions(
        api_keys=("shop-key-0123456789abcdef",),
        webhook_private_key=compared_with,
        webhook_sources=settings.webhook_sources,
    )

    assert (options, True, DELIVERERS + 2) == asyncio.run(story())
