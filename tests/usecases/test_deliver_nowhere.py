"""A process without a destination judges and pays back, and leaves every notice for whoever has one."""

from __future__ import annotations

from dataclasses import replace

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.delivery import DeliveryState
from dojang.core.order import Money, Order, OrderId
from dojang.core.rules import Mode, Rules
from dojang.drive import inline, run
from dojang.ports import World
from dojang.testing import PretendBootpay, PretendClock, PretendShop
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.register_order import register_order
from dojang.usecases.verify import verify


def test_notices_wait_untouched_until_there_is_somewhere_to_deliver_to() -> None:
    """Money owed back goes; the notice costs no attempt meanwhile and goes at once when a destination is set."""
    clock = PretendClock()
    bootpay = PretendBootpay(clock)
    backend = MemoryBackend()
    world = World(
        store=AwaitedStore(backend, inline), gateway=bootpay, clock=clock, rules=Rules(mode=Mode.EMULATOR)
    )
    run(register_order(world, Order(id=OrderId("o1"), price=Money(1000), name="양말")))
    first, second = bootpay.pay("o1", 1000), bootpay.pay("o1", 1000)
    run(verify(world, OrderId("o1"), first))
    run(verify(world, OrderId("o1"), second))
    nowhere = run(deliver_owed(world))
    waiting = [owed for owed in backend.deliveries(OrderId("o1")) if owed.state is DeliveryState.DUE]
    shop = PretendShop()
    somewhere = run(deliver_owed(replace(world, fulfilment=shop)))

    assert ({"money_back": 1}, 0) == (dict(nowhere.settled), nowhere.failed)
    assert {0} == {owed.attempts for owed in waiting}
    assert (len(waiting), "order.paid") == (somewhere.settled.total(), shop.told[0])
