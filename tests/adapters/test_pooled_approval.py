"""The shop is asked beside everything else that blocks, and nobody waits for its word longer than they can."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import closing

import pytest

from dojang.adapters.pooled_approval import PooledApproval
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.ports import Approved, Declined

ORDER = Order(id=OrderId("o-1"), price=Money(1000), name="도장")
RECEIPT = Receipt(
    id=ReceiptId("645c58be755e270022e1e8db"),
    order_id="o-1",
    status=ReceiptStatus.AWAITING_APPROVAL,
    price=1000,
    currency="KRW",
)


class Shop:
    """Thinks until it is let go, or until so many are asking at once."""

    def __init__(self, at_once: int = 0) -> None:
        self.let_go = threading.Event()
        self.meeting = threading.Barrier(at_once) if at_once else None
        self.asked: list[float] = []
        self.answered = 0

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
        """See `Approval.ask`."""
        self.asked.append(within_s)
        if self.meeting is not None:
            self.meeting.wait(10)
        else:
            self.let_go.wait(10)
        self.answered += 1
        return Approved()


def test_as_many_are_asked_at_once_as_there_are_threads() -> None:
    """More than asyncio's own threads would be: one hanging question holds up no other."""
    shop = Shop(at_once=40)

    async def forty() -> list[Approved | Declined]:
        with closing(PooledApproval(shop, threads_max=40)) as approval:
            return await asyncio.gather(*(approval.ask(ORDER, RECEIPT, 10) for _ in range(40)))

    assert [Approved()] * 40 == asyncio.run(forty())


def test_no_free_thread_in_time_is_no_answer_and_nobody_is_asked_later() -> None:
    """No answer refuses, and the shop does not set goods aside for a buyer who has gone."""
    shop = Shop()

    async def two() -> list[Approved | Declined]:
        with closing(PooledApproval(shop, threads_max=1)) as approval:
            first = asyncio.ensure_future(approval.ask(ORDER, RECEIPT, 10))
            await asyncio.sleep(0)
            second = await approval.ask(ORDER, RECEIPT, 0.05)
            shop.let_go.set()
            return [await first, second]

    assert [Approved(), Declined("the shop did not answer in time")] == asyncio.run(two())
    assert 1 == len(shop.asked)


def test_a_question_that_hangs_is_left_in_time() -> None:
    """Whatever holds it up, a name that takes for ever to resolve for instance."""
    shop = Shop()

    async def one() -> Approved | Declined:
        with closing(PooledApproval(shop, threads_max=1)) as approval:
            word = await approval.ask(ORDER, RECEIPT, 0.05)
            shop.let_go.set()
            return word

    assert Declined("the shop did not answer in time") == asyncio.run(one())


def test_waiting_for_a_thread_is_part_of_the_time() -> None:
    """The shop gets what the waiting has left, not all of it anew."""
    shop = Shop()

    async def two() -> None:
        with closing(PooledApproval(shop, threads_max=1)) as approval:
            first = asyncio.ensure_future(approval.ask(ORDER, RECEIPT, 10))
            asyncio.get_running_loop().call_later(0.1, shop.let_go.set)
            await asyncio.gather(first, approval.ask(ORDER, RECEIPT, 10))

    asyncio.run(two())

    assert shop.asked[1] < 9.95


def test_where_a_thread_is_free_the_shop_has_all_the_time_there_is() -> None:
    """Neither none of it nor more than the buyer waits."""
    shop = Shop()
    shop.let_go.set()

    async def one() -> None:
        with closing(PooledApproval(shop, threads_max=1)) as approval:
            await approval.ask(ORDER, RECEIPT, 10)

    asyncio.run(one())

    assert 9 < shop.asked[0] <= 10


def test_closing_waits_for_no_answer_and_takes_back_what_has_not_begun() -> None:
    """The process ends although a shop hangs, and asks it nothing more."""
    shop = Shop()
    approval = PooledApproval(shop, threads_max=1)

    async def two() -> list[object]:
        asking = [asyncio.ensure_future(approval.ask(ORDER, RECEIPT, 10)) for _ in range(2)]
        await asyncio.sleep(0)
        approval.close()
        unanswered = shop.answered
        shop.let_go.set()
        return [unanswered, *await asyncio.gather(*asking, return_exceptions=True)]

    unanswered, first, second = asyncio.run(two())

    assert (0, Approved(), asyncio.CancelledError) == (unanswered, first, type(second))
    assert 1 == len(shop.asked)


def test_a_buyer_who_goes_stays_gone() -> None:
    """Who gives up waiting is not told that the shop declined."""
    shop = Shop()

    async def one() -> None:
        with closing(PooledApproval(shop, threads_max=1)) as approval:
            asking = asyncio.ensure_future(approval.ask(ORDER, RECEIPT, 10))
            await asyncio.sleep(0)
            asking.cancel()
            shop.let_go.set()
            await asking

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(one())


def test_the_question_sees_the_context_of_the_one_who_asked() -> None:
    """What is traced around a request is still around its question to the shop."""
    around: contextvars.ContextVar[str] = contextvars.ContextVar("around", default="nothing")

    class Looking:
        async def ask(self, *_: object) -> Approved | Declined:
            return Declined(around.get())

    async def one() -> Approved | Declined:
        around.set("a request")
        with closing(PooledApproval(Looking(), threads_max=1)) as approval:
            return await approval.ask(ORDER, RECEIPT, 10)

    assert Declined("a request") == asyncio.run(one())
