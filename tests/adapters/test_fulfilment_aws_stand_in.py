"""What is owed, from the order to a consumer of the queue or the bus. A stand-in plays AWS: see `aws_stand_in.py`."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.delivery import Delivery, DeliveryState
from dojang.core.order import Money, Order, OrderId
from dojang.core.rules import Mode, Rules
from dojang.drive import inline, run
from dojang.entry.settings import Settings, read_settings
from dojang.entry.wiring import blocking_world, serving_world
from dojang.ports import HandedOver, Notice, World
from dojang.testing import PretendBootpay, PretendClock
from dojang.usecases.deliver_owed import DeliveryReport, deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.register_order import register_order
from dojang.usecases.verify import verify

from . import aws_stand_in

pytestmark = pytest.mark.xdist_group("aws_stand_in")


def settings_for(arn: str, folder: Path) -> Settings:
    """What a service needs to be told for this destination: no secret."""
    environment = {
        "DOJANG_MODE": "emulator",
        "DOJANG_STORE": f"sqlite:///{folder}/orders.sqlite3",
        "DOJANG_DELIVER_TO": arn,
        "AWS_ENDPOINT_URL": aws_stand_in.address(),
    }
    return read_settings(environment=environment)


class DyingStore(AwaitedStore):
    """A store whose process dies, once, between what was handed over and writing that down."""

    dies = True

    async def settle_delivery(self, delivery: Delivery, /) -> bool:
        """See `Store.settle_delivery`."""
        if self.dies:
            self.dies = False
            raise SystemExit("killed")
        return await super().settle_delivery(delivery)


class Shop:
    """Orders in memory, a pretend Bootpay and clock, and the destination as it is really put together."""

    def __init__(self, arn: str, folder: Path) -> None:
        self.clock = PretendClock()
        self.bootpay = PretendBootpay(self.clock)
        self.backend = MemoryBackend()
        with ExitStack() as stack:
            fulfilment = blocking_world(settings_for(arn, folder), stack).fulfilment
        self.world = World(
            store=AwaitedStore(self.backend, inline),
            gateway=self.bootpay,
            clock=self.clock,
            fulfilment=fulfilment,
            rules=Rules(mode=Mode.EMULATOR),
        )

    def pays(self, order_id: str, *, then_cancels: bool = False) -> None:
        """A buyer pays, and perhaps thinks again."""
        order = Order(id=OrderId(order_id), price=Money(1000), name="양말", metadata={"name": "도장\uffff"})
        run(register_order(self.world, order))
        receipt_id = self.bootpay.pay(order_id, 1000)
        run(verify(self.world, order.id, receipt_id))
        if then_cancels:
            self.bootpay.ledger.outside_cancel(receipt_id)
            notice = Notice(receipt_id=receipt_id, kind="PAYMENT_CANCELLED", cancelled="1000")
            run(receive_webhook(self.world, notice))

    def deliver(self, world: World | None = None) -> DeliveryReport:
        """Hand over what is due."""
        return run(deliver_owed(world or self.world))

    def owed(self, order_id: str) -> list[Delivery]:
        """What an order owes or owed."""
        return list(self.backend.deliveries(OrderId(order_id)))


def ids(messages: list[Mapping[str, Any]]) -> list[str]:
    """By what a consumer knows a message it has seen."""
    return [message["MessageAttributes"]["webhook-id"]["StringValue"] for message in messages]


def test_a_queue_has_what_the_order_owes(tmp_path: Path) -> None:
    """Settled, and there is the message, with the checksum that SQS tells its consumers."""
    arn = aws_stand_in.new_queue()
    shop = Shop(arn, tmp_path)
    shop.pays("o1")
    report = shop.deliver()
    (message,) = aws_stand_in.messages(arn)
    body = json.loads(message["Body"])

    assert ({"order.paid": 1}, 0) == (report.settled, report.failed)
    assert ("order.paid", "o1", "도장\uffff") == (
        body["type"],
        body["data"]["order_id"],
        body["data"]["metadata"]["name"],
    )
    assert ["o1:2:order_paid"] == ids([message])
    assert hashlib.md5(message["Body"].encode()).hexdigest() == message["MD5OfBody"]


@pytest.mark.parametrize(("fifo", "arrivals"), [(False, 2), (True, 1)])
def test_a_crash_after_handing_over_repeats_under_the_same_id(
    fifo: bool, arrivals: int, tmp_path: Path
) -> None:
    """Nobody wrote down that it was handed over, so it is once more; a FIFO queue knows the id and keeps one."""
    arn = aws_stand_in.new_queue(fifo=fifo)
    shop = Shop(arn, tmp_path)
    shop.pays("o1")
    dying = replace(shop.world, store=DyingStore(shop.backend, inline))
    with pytest.raises(SystemExit):
        shop.deliver(dying)
    early = shop.deliver().tried
    shop.clock.advance(91)
    shop.deliver()

    assert 0 == early
    assert ["o1:2:order_paid"] * arrivals == ids(aws_stand_in.messages(arn))
    assert [DeliveryState.SETTLED] == [owed.state for owed in shop.owed("o1")]


def test_a_fifo_queue_has_each_order_in_order(tmp_path: Path) -> None:
    """The cancel never overtakes the payment, also when the first attempt fails; orders do not wait for each other."""
    arn = aws_stand_in.new_queue(fifo=True)
    shop = Shop(arn, tmp_path)
    for order_id in ("o1", "o2"):
        shop.pays(order_id, then_cancels=True)
    plain = shop.world.fulfilment
    assert plain is not None

    class Stumbling:
        """Fails once."""

        failed = False

        async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
            if not self.failed:
                self.failed = True
                return HandedOver(settled=False, words="HTTP 500")
            return await plain.hand_over(delivery, within_s)

    shop.world = replace(shop.world, fulfilment=Stumbling())
    shop.deliver()
    shop.clock.advance(7)
    shop.deliver()
    messages = aws_stand_in.messages(arn)
    # A consumer gets the next message of a group once it has deleted the one before.
    messages += aws_stand_in.messages(arn)
    by_group = {
        group: [
            json.loads(message["Body"])["type"]
            for message in messages
            if message["Attributes"]["MessageGroupId"] == group
        ]
        for group in ("o1", "o2")
    }

    assert {"o1": ["order.paid", "order.cancelled"], "o2": ["order.paid", "order.cancelled"]} == by_group


def test_a_rule_of_the_bus_finds_what_the_order_owes(tmp_path: Path) -> None:
    """By source and type; the id stands in the detail, because EventBridge gives every attempt one of its own."""
    arn = aws_stand_in.new_bus()
    shop = Shop(arn, tmp_path)
    shop.pays("o1")
    report = shop.deliver()
    (message,) = aws_stand_in.messages(arn)
    event = json.loads(message["Body"])

    assert {"order.paid": 1} == report.settled
    assert ("dojang", "order.paid") == (event["source"], event["detail-type"])
    assert ("o1:2:order_paid", "order.paid", "o1") == (
        event["detail"]["id"],
        event["detail"]["type"],
        event["detail"]["data"]["order_id"],
    )
    assert "2026-11-23T05:00:00Z" == event["time"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("sqs:ap-northeast-2:123456789012:nowhere", "HTTP 400 QueueDoesNotExist: there is no such queue"),
        (
            "events:ap-northeast-2:123456789012:event-bus/nowhere",
            "HTTP 400 ResourceNotFoundException: there is no such event bus",
        ),
    ],
)
def test_a_place_that_is_not_there_is_a_failure_like_any_other(
    place: str, words: str, tmp_path: Path
) -> None:
    """Still owed, tried again by the schedule, and a person reads why."""
    shop = Shop(f"arn:aws:{place}", tmp_path)
    shop.pays("o1")
    first = shop.deliver()
    shop.clock.advance(7)
    second = shop.deliver()
    (owed,) = shop.owed("o1")

    assert (1, 1) == (first.failed, second.failed)
    assert (DeliveryState.DUE, words, 2) == (owed.state, owed.last_error, owed.attempts)


@pytest.mark.parametrize("new", [aws_stand_in.new_queue, aws_stand_in.new_bus])
def test_a_server_hands_over_beside_its_event_loop(new: Any, tmp_path: Path) -> None:
    """`dojang serve` calls the same code in threads."""
    arn = new()
    settings = settings_for(arn, tmp_path)
    shop = Shop(arn, tmp_path)
    shop.pays("o1")

    async def serve() -> DeliveryReport:
        async with AsyncExitStack() as stack:
            world = await serving_world(settings, stack)
            return await deliver_owed(replace(world, store=shop.world.store, clock=shop.clock))

    assert {"order.paid": 1} == asyncio.run(serve()).settled
    assert 1 == len(aws_stand_in.messages(arn))
