"""As many store calls at once as there are connections, none waiting without end."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from dojang.adapters.pooling import PoolingCaller
from dojang.errors import Conflict, StoreUnavailable


def test_calls_run_at_once_up_to_the_limit() -> None:
    """Four calls that wait for each other all get through with four threads."""
    meeting = threading.Barrier(4)

    async def four() -> list[int]:
        caller = PoolingCaller(4)
        try:
            return sorted(await asyncio.gather(*(caller(meeting.wait, timeout=10) for _ in range(4))))
        finally:
            caller.close()

    assert [0, 1, 2, 3] == asyncio.run(four())


def test_an_error_reaches_the_one_who_asked() -> None:
    """A conflict is an answer like any other."""

    def refuse() -> None:
        raise Conflict("order o1 has moved on")

    async def ask() -> None:
        caller = PoolingCaller(1)
        try:
            await caller(refuse)
        finally:
            caller.close()

    with pytest.raises(Conflict, match="o1"):
        asyncio.run(ask())


def test_a_call_whose_turn_never_comes_is_unavailable_and_never_runs() -> None:
    """All connections are busy for longer than its patience: it is taken back, so nothing of it can be stored."""
    busy, ran = threading.Event(), threading.Event()

    async def ask() -> None:
        caller = PoolingCaller(1, patience_s=0.05)
        first = asyncio.ensure_future(caller(busy.wait, 10))
        await asyncio.sleep(0)
        try:
            with pytest.raises(StoreUnavailable, match="no connection became free in time"):
                await caller(ran.set)
            busy.set()
            assert await first
        finally:
            caller.close()

    asyncio.run(ask())

    assert not ran.is_set()


def test_a_call_that_has_begun_is_waited_for() -> None:
    """Patience is for waiting: what has begun is told as it ends, however long it takes."""
    go = threading.Event()

    async def ask() -> bool:
        caller = PoolingCaller(1, patience_s=0.01)
        asyncio.get_running_loop().call_later(0.05, go.set)
        try:
            return await caller(go.wait, 10)
        finally:
            caller.close()

    assert asyncio.run(ask())


def test_a_closed_caller_is_unavailable() -> None:
    """Nobody would ever answer."""

    async def ask() -> None:
        caller = PoolingCaller(1)
        caller.close()
        await caller(int)

    with pytest.raises(StoreUnavailable, match="closed"):
        asyncio.run(ask())


def test_a_cancelled_task_stays_cancelled() -> None:
    """Who gives up waiting is not told that the store is busy."""

    async def ask() -> None:
        caller = PoolingCaller(1)
        busy = threading.Event()
        first = asyncio.ensure_future(caller(busy.wait, 10))
        second = asyncio.ensure_future(caller(int))
        await asyncio.sleep(0)
        second.cancel()
        try:
            await second
        finally:
            busy.set()
            await first
            caller.close()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask())


def test_a_call_sees_the_context_of_the_one_who_asked() -> None:
    """What is traced around a call is still around it in its thread."""
    around: contextvars.ContextVar[str] = contextvars.ContextVar("around", default="nothing")

    async def ask() -> str:
        caller = PoolingCaller(1)
        around.set("a request")
        try:
            return await caller(around.get)
        finally:
            caller.close()

    assert "a request" == asyncio.run(ask())
