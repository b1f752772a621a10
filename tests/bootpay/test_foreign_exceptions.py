"""Nothing that urllib3, aiohttp or the system can raise gets past the transports."""

from __future__ import annotations

import asyncio
import http.client
import inspect
import socket
import ssl
import time
from types import ModuleType, TracebackType
from typing import Any

import aiohttp.client_exceptions
import pytest
import urllib3.connection
import urllib3.exceptions

from dojang.bootpay.account import Address
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.over_aiohttp import Session
from dojang.bootpay.over_urllib3 import Connections

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


def raised_by(module: ModuleType, root: type[BaseException]) -> list[type[BaseException]]:
    """Every exception a module defines that is neither a warning nor about websockets."""
    found = [
        value for _, value in inspect.getmembers(module, inspect.isclass) if issubclass(value, Exception)
    ]
    return [kind for kind in found if not issubclass(kind, Warning) and not kind.__name__.startswith("WS")]


URLLIB3 = [
    *raised_by(urllib3.exceptions, Exception),
    *raised_by(http.client, http.client.HTTPException),
    *SYSTEM,
]
AIOHTTP = [*raised_by(aiohttp.client_exceptions, Exception), *SYSTEM]


def instance(kind: type[BaseException]) -> BaseException:
    """An instance without its constructor's demands, holding a text that must never come out."""
    error = kind.__new__(kind)
    error.args = ("SECRET-TEXT",)
    return error


def connections() -> Connections:
    return Connections(ADDRESS, pool_size=1, max_response_bytes=100, ca_certs=None, clock=time.monotonic)


@pytest.mark.parametrize("kind", URLLIB3, ids=lambda kind: kind.__name__)
def test_whatever_connecting_raises_never_left(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a connection is made nothing has been sent."""

    def connect(self: object) -> None:
        raise instance(kind)

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", connect)
    fault = connections().transmit(STEP)

    assert isinstance(fault, Fault)
    assert not fault.left
    assert "SECRET" not in fault.words


@pytest.mark.parametrize("kind", URLLIB3, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("moment", ["sending", "reading"])
def test_whatever_sending_raises_may_have_left(
    moment: str, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a request is being written, nobody can prove that nothing arrived; the connection is not used again."""

    class Breaking:
        def settimeout(self, seconds: float) -> None: ...
        def close(self) -> None: ...

        def sendall(self, data: bytes) -> None:
            if moment == "sending":
                raise instance(kind)

        def recv_into(self, buffer: memoryview) -> int:
            raise instance(kind)

    def connect(self: Any) -> None:
        self.sock = Breaking()

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", connect)
    line = connections()
    fault = line.transmit(STEP)

    assert isinstance(fault, Fault)
    assert fault.left
    assert "SECRET" not in fault.words
    assert [] == line._idle


@pytest.mark.parametrize("kind", AIOHTTP, ids=lambda kind: kind.__name__)
def test_whatever_aiohttp_raises_is_a_fault(kind: type[BaseException]) -> None:
    """Its errors are told apart by whether it raises them before it writes."""

    class Broken:
        async def __aenter__(self) -> None:
            raise instance(kind)

        async def __aexit__(
            self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
        ) -> None: ...

    class FakeSession:
        def request(self, *args: object, **kwargs: object) -> Broken:
            return Broken()

    async def transmit() -> object:
        session = Session(ADDRESS, pool_size=1, max_response_bytes=100, ca_certs=None, clock=time.monotonic)
        session._session = FakeSession()  # type: ignore[assignment]
        session._loop = asyncio.get_running_loop()
        return await session.transmit(STEP)

    fault = asyncio.run(transmit())
    before = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)

    assert isinstance(fault, Fault)
    assert fault.left == (not issubclass(kind, before))
    assert "SECRET" not in fault.words


def test_a_busy_pool_never_left(server: Any) -> None:
    """No free connection in time: nothing was sent."""
    line = Connections(
        Address.of(server.url), pool_size=1, max_response_bytes=100, ca_certs=None, clock=time.monotonic
    )
    line._free.acquire()
    fault = line.transmit(Transmit("GET", "/", {}, None, 0.01, 1.0, None))

    assert Fault(left=False, words="all 1 connections are busy") == fault
