"""A search for an address that hangs is waited for no longer than there is time, and few threads ever hang."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from dojang.bootpay.aside import Aside
from dojang.errors import NotSent


class Hanging:
    """Looks for names until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = threading.Semaphore(0)
        self.times = 0

    def __call__(self, *_: object, **more: object) -> list[Any]:
        self.times += 1
        self.asked.release()
        self.let_go.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Let go at the end, whatever came before."""
    hanging = Hanging()
    yield hanging
    hanging.let_go.set()


def nothing(*_: object) -> None:
    """Nothing to clear up."""


def test_what_is_done_in_time_is_given_and_what_is_raised_is_raised() -> None:
    """As if it had been called right here."""
    aside = Aside(1)
    with pytest.raises(ZeroDivisionError):
        aside.do(lambda: 7 // 0, 30, too_late=nothing)

    assert 7 == aside.do(lambda: 7, 30, too_late=nothing)


def test_what_hangs_is_left_and_keeps_its_thread(hanging: Hanging) -> None:
    """Two may hang; who comes then waits for a thread within its own time, and begins nothing."""
    aside = Aside(2)
    for _ in range(4):
        with pytest.raises(TimeoutError):
            aside.do(hanging, 0.02, too_late=nothing)
    begun = [hanging.asked.acquire(timeout=30) for _ in range(2)]

    assert ([True, True], 2) == (begun, hanging.times)


def test_what_ends_too_late_is_cleared_up_and_gives_its_thread_back(hanging: Hanging) -> None:
    """A connection that nobody waits for any more is closed; the next one finds a thread."""
    aside, cleared = Aside(1), threading.Event()
    with pytest.raises(TimeoutError):
        aside.do(hanging, 0.02, too_late=lambda _: cleared.set())
    before = cleared.is_set()
    hanging.let_go.set()

    assert (False, True) == (before, cleared.wait(30))
    assert 7 == aside.do(lambda: 7, 30, too_late=nothing)


def test_a_system_without_a_thread_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an error of the system, which callers expect, and with its place given back for when there is one again."""

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    aside = Aside(1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none_left)
        with pytest.raises(OSError, match="no thread"):
            aside.do(lambda: 7, 30, too_late=nothing)

    assert 7 == aside.do(lambda: 7, 30, too_late=nothing)


def test_what_hangs_holds_up_no_end_of_the_process() -> None:
    """A command that has given up on Bootpay's address ends at once."""
    assert Aside(1).do(lambda: threading.current_thread().daemon, 30, too_late=nothing)


def test_no_time_begins_nothing(hanging: Hanging) -> None:
    """Not even a thread."""
    with pytest.raises(TimeoutError):
        Aside(1).do(hanging, 0, too_late=nothing)

    assert 0 == hanging.times


def test_a_name_server_that_is_silent_ends_a_call_in_time(
    caller: Any, receipt_id: str, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocking or on a loop, finding Bootpay's address is a part of the time for a connection; nothing was sent."""
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    caller.make(
        client_key="a", secret_key="b", url="https://bootpay.example", retries=0, connect_timeout_s=0.05
    )

    with pytest.raises(NotSent, match=r"bootpay\.example: no answer in time"):
        caller.do("confirm", receipt_id)
    assert hanging.asked.acquire(timeout=30)


@pytest.mark.parametrize("caller", ["asyncio", "uvloop"], indirect=True)
def test_silent_name_servers_leave_the_loops_own_threads_free(
    caller: Any, receipt_id: str, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries wait in those: however many calls look for Bootpay's address, four threads hang and none of theirs."""
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    caller.make(
        client_key="a", secret_key="b", url="https://bootpay.example", retries=0, connect_timeout_s=0.05
    )

    async def all_fail() -> None:
        calls = [asyncio.ensure_future(caller.client.confirm(receipt_id)) for _ in range(40)]
        failed = await asyncio.gather(*calls, return_exceptions=True)
        assert {NotSent} == {type(error) for error in failed}
        await asyncio.wait_for(asyncio.to_thread(nothing), 30)

    caller.loop.run_until_complete(all_fail())
    begun = [hanging.asked.acquire(timeout=30) for _ in range(4)]

    assert ([True] * 4, 4) == (begun, hanging.times)


def test_every_address_of_a_name_is_tried(
    caller: Any, server: Any, receipt_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the first one; the second one answers."""
    real = socket.getaddrinfo

    def two(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        if host != "localhost":
            return real(host, port, *args, **more)
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*stream, (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    caller.make(client_key="a", secret_key="b", url=server.url.replace("127.0.0.1", "localhost"), retries=0)

    assert receipt_id == caller.do("receipt", receipt_id).receipt_id
