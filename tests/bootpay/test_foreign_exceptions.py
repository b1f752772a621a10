"""Nothing that asyncio or the system can raise gets past the transports."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any

import pytest

from dojang.bootpay.account import Address
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.over_asyncio import Session
from dojang.bootpay.over_sockets import Connections

SYSTEM = [
    ConnectionRefusedError,
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    TimeoutError,
    OSError,
    socket.gaierror,
    ssl.SSLError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    ssl.SSLCertVerificationError,
    ValueError,
    UnicodeError,
]
STEP = Transmit("POST", "/v2/confirm", {}, b"{}", 1.0, 1.0, None)
ADDRESS = Address.of("http://127.0.0.1:9")


def instance(kind: type[BaseException]) -> BaseException:
    """An instance without its constructor's demands, holding a text that must never come out."""
    error = kind.__new__(kind)
    error.args = ("SECRET-TEXT",)
    return error


def connections() -> Connections:
    return Connections(ADDRESS, pool_size=1, max_response_bytes=100, ca_certs=None, clock=time.monotonic)


def session(address: Address = ADDRESS) -> Session:
    return Session(address, pool_size=1, max_response_bytes=100_000, ca_certs=None, clock=time.monotonic)


@pytest.mark.parametrize("kind", SYSTEM, ids=lambda kind: kind.__name__)
def test_whatever_connecting_raises_never_left(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a connection is made nothing has been sent."""

    def connect(*_: object) -> None:
        raise instance(kind)

    monkeypatch.setattr(socket, "create_connection", connect)
    fault = connections().transmit(STEP)

    assert isinstance(fault, Fault)
    assert not fault.left
    assert "SECRET" not in fault.words


@pytest.mark.parametrize("kind", SYSTEM, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("moment", ["sending", "reading"])
def test_whatever_sending_raises_may_have_left(
    moment: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a request is being written, nobody can prove that nothing arrived; the connection is not used again."""

    class Breaking:
        def settimeout(self, seconds: float) -> None: ...
        def setsockopt(self, *_: object) -> None: ...

        def close(self) -> None:
            closed.append(self)

        def sendall(self, data: bytes) -> None:
            if moment == "sending":
                raise instance(kind)

        def recv(self, size: int) -> bytes:
            raise instance(kind)

    closed: list[Breaking] = []
    monkeypatch.setattr(socket, "create_connection", lambda *_: Breaking())
    line = connections()
    fault = line.transmit(STEP)

    assert isinstance(fault, Fault)
    assert fault.left
    assert "SECRET" not in fault.words
    assert [] == line._idle
    assert 1 == len(closed)


@pytest.mark.parametrize("kind", SYSTEM, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("moment", ["setting", "greeting"])
def test_a_connection_that_is_not_finished_is_closed(
    moment: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails between the connection and the first byte of the request never left, and leaves nothing open."""

    class Opening:
        def setsockopt(self, *_: object) -> None:
            if moment == "setting":
                raise instance(kind)

        def close(self) -> None:
            closed.append(self)

    def greet(*_: object, **__: object) -> None:
        raise instance(kind)

    closed: list[Opening] = []
    monkeypatch.setattr(socket, "create_connection", lambda *_: Opening())
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", greet)
    secure = Connections(
        Address.of("https://127.0.0.1:9"),
        pool_size=1,
        max_response_bytes=100,
        ca_certs=None,
        clock=time.monotonic,
    )
    fault = secure.transmit(STEP)

    assert isinstance(fault, Fault)
    assert not fault.left
    assert "SECRET" not in fault.words
    assert 1 == len(closed)


@pytest.mark.parametrize("kind", SYSTEM, ids=lambda kind: kind.__name__)
def test_whatever_connecting_on_a_loop_raises_never_left(kind: type[BaseException]) -> None:
    """The same on an event loop: no connection, nothing sent."""

    async def transmit() -> object:
        async def create_connection(*args: object, **settings: object) -> None:
            raise instance(kind)

        asyncio.get_running_loop().create_connection = create_connection  # type: ignore[method-assign,assignment]
        return await session().transmit(STEP)

    fault = asyncio.run(transmit())

    assert isinstance(fault, Fault)
    assert not fault.left
    assert "SECRET" not in fault.words


@pytest.mark.parametrize("kind", [*SYSTEM, RuntimeError], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("moment", ["sending", "reading"])
def test_whatever_sending_on_a_loop_raises_may_have_left(moment: str, kind: type[Exception]) -> None:
    """The same on an event loop, whether the transport refuses to write or loses the connection."""

    class Breaking:
        def __init__(self, protocol: Any) -> None:
            self.protocol = protocol

        def write(self, data: bytes) -> None:
            if moment == "sending":
                raise instance(kind)
            self.protocol.connection_lost(instance(kind))

        def abort(self) -> None: ...

        def is_closing(self) -> bool:
            return False

    async def transmit() -> tuple[object, Session]:
        async def create_connection(make: Any, *args: object, **settings: object) -> tuple[Breaking, object]:
            protocol = make()
            protocol.connection_made(Breaking(protocol))
            return Breaking(protocol), protocol

        asyncio.get_running_loop().create_connection = create_connection  # type: ignore[method-assign,assignment]
        line = session()
        return await line.transmit(STEP), line

    fault, line = asyncio.run(transmit())

    assert isinstance(fault, Fault)
    assert fault.left
    assert "SECRET" not in fault.words
    assert [] == line._idle


def test_whoever_gives_up_leaves_no_answer_behind_for_the_next_one(server: Any) -> None:
    """A cancelled request takes its connection with it: the next one gets its own answer on a new one."""
    server.script.append(server.silence)

    async def give_up_and_ask_again() -> object:
        line = session(Address.of(server.url))
        asking = asyncio.create_task(line.transmit(Transmit("GET", "/first", {}, None, 1.0, 5.0, None)))
        while not server.seen:  # noqa: ASYNC110 - the server is a thread, and has no event to await
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        answer = await line.transmit(Transmit("GET", "/second", {}, None, 1.0, 5.0, None))
        await line.close()
        return answer

    answer = asyncio.run(give_up_and_ask_again())

    assert isinstance(answer, Answer)
    assert [1, 2] == [seen.connection for seen in server.seen]


def test_a_busy_pool_on_a_loop_never_left(server: Any) -> None:
    """The same on an event loop: who waits for a connection has sent nothing."""
    server.script.append(server.silence)

    async def two_at_once() -> object:
        line = session(Address.of(server.url))
        first = asyncio.create_task(line.transmit(Transmit("GET", "/", {}, None, 1.0, 5.0, None)))
        await asyncio.sleep(0)
        fault = await line.transmit(Transmit("GET", "/", {}, None, 0.01, 1.0, None))
        await line.close()
        assert Fault(left=True, words="the connection was closed without an answer") == await first
        return fault

    assert Fault(left=False, words="all 1 connections are busy") == asyncio.run(two_at_once())


def test_a_busy_pool_never_left(server: Any) -> None:
    """No free connection in time: nothing was sent."""
    line = Connections(
        Address.of(server.url), pool_size=1, max_response_bytes=100, ca_certs=None, clock=time.monotonic
    )
    line._free.acquire()
    fault = line.transmit(Transmit("GET", "/", {}, None, 0.01, 1.0, None))

    assert Fault(left=False, words="all 1 connections are busy") == fault
