"""Requests on an event loop: connections kept, every wait bounded, every failure a `Fault`.

A general HTTP client does much that one fixed server never needs (redirects, cookies, decoding, tracing), and under
load that was a third of all the time a verification took.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

from dojang.bootpay.account import Address
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.faults import fault_words
from dojang.bootpay.http1 import AnswerReader, written
from dojang.bootpay.tls import tls_context
from dojang.errors import ConfigError

__all__ = ["Session"]

# As in over_sockets: an idle connection older than this is not trusted.
_IDLE_MAX_S = 45.0
_CLOSING_MAX_S = 1.0
# Whoever asks a name server that is silent hangs for half a minute. In threads of their own, so that the loop's few,
# where everything else blocks, stay free.
_RESOLVING_MAX = 4

_IN_TIME = Fault(left=True, words="no answer in time")
_OUT_OF_TIME = Fault(left=False, words="the deadline is over", final=True)


class Session:
    """The connections of one client to Bootpay, shared by the tasks of one event loop."""

    def __init__(
        self,
        address: Address,
        *,
        pool_size: int,
        max_response_bytes: int,
        ca_certs: str | None,
        clock: Callable[[], float],
    ) -> None:
        self._address = address
        self._host = address.origin.partition("://")[2]
        self._pool_size = pool_size
        self._max_response_bytes = max_response_bytes
        self._ca_certs = ca_certs
        self._clock = clock
        self._tls: ssl.SSLContext | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Semaphore(pool_size)
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._resolving = ThreadPoolExecutor(_RESOLVING_MAX, thread_name_prefix="dojang-resolving")
        self._closed = False

    async def transmit(self, step: Transmit) -> Answer | Fault:
        """Put one request on the wire and read its whole answer."""
        loop = self._own_loop()
        if step.deadline is not None and step.deadline <= self._clock():
            return _OUT_OF_TIME
        if self._free.locked():
            try:
                async with asyncio.timeout(self._sooner(step.connect_s, step.deadline)):
                    await self._free.acquire()
            except TimeoutError:
                return Fault(left=False, words=f"all {self._pool_size} connections are busy")
        else:
            await self._free.acquire()  # does not wait
        try:
            connection = self._take() or await self._connected(loop, step)
            if isinstance(connection, Fault):
                return connection
            return await self._exchange(loop, connection, step)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Close every connection; who still waits for an answer learns that it broke off."""
        self._closed = True
        self._resolving.shutdown(wait=False, cancel_futures=True)
        self._idle.clear()
        going = [connection.gone for connection in self._open]
        for connection in list(self._open):
            connection.abort()
        if going:
            await asyncio.wait(going, timeout=_CLOSING_MAX_S)

    def _take(self) -> _Connection | None:
        """An idle connection that is still alive. The latest used comes first: it is the least likely to be stale."""
        while self._idle:
            connection = self._idle.pop()
            if connection.alive and self._clock() - connection.idle_since <= _IDLE_MAX_S:
                return connection
            connection.abort()
        return None

    async def _connected(self, loop: asyncio.AbstractEventLoop, step: Transmit) -> _Connection | Fault:
        """A new connection. Whatever fails in here fails before a single byte of the request."""
        patience = self._sooner(step.connect_s, step.deadline)
        if patience <= 0:
            return _OUT_OF_TIME
        secure = self._address.scheme == "https"
        if secure and self._tls is None:
            self._tls = tls_context(self._ca_certs)
        try:
            async with asyncio.timeout(patience):
                return await self._opened(loop, self._tls if secure else None)
        except (OSError, ValueError) as error:
            return Fault(left=False, words=f"no connection to {self._host}: {fault_words(error)}")

    async def _opened(self, loop: asyncio.AbstractEventLoop, tls: ssl.SSLContext | None) -> _Connection:
        """To the first address that takes it. Without an end: the caller sets one, for all of it."""
        host, port = self._address.host, self._address.port
        search = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        failed: OSError = socket.gaierror(f"{host} has no address")
        for *_, there in await loop.run_in_executor(self._resolving, search):
            try:
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop, self._open, self._max_response_bytes),
                    str(there[0]),
                    port,
                    ssl=tls,
                    server_hostname=host if tls else None,
                )
            except OSError as error:
                failed = error
            else:
                return connection
        raise failed

    async def _exchange(
        self, loop: asyncio.AbstractEventLoop, connection: _Connection, step: Transmit
    ) -> Answer | Fault:
        read_s = self._sooner(step.read_s, step.deadline)
        if read_s <= 0:
            self._keep(connection)
            return _OUT_OF_TIME
        timer = loop.call_later(read_s, connection.fail, _IN_TIME)
        try:
            outcome = await connection.ask(written(step, self._host))
        except (OSError, ValueError, RuntimeError) as error:
            # A transport may refuse to write; whether something left before is unknown.
            outcome = Fault(left=True, words=fault_words(error))
        except BaseException:
            connection.abort()  # whoever gave up must not leave an answer behind for the next one
            raise
        finally:
            timer.cancel()
        if isinstance(outcome, Answer) and connection.reusable:
            self._keep(connection)
        else:
            connection.abort()
        return outcome

    def _keep(self, connection: _Connection) -> None:
        if self._closed:
            connection.abort()
            return
        connection.idle_since = self._clock()
        self._idle.append(connection)

    def _sooner(self, seconds: float, deadline: float | None) -> float:
        return seconds if deadline is None else min(seconds, deadline - self._clock())

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ConfigError(
                "an AsyncBootpay belongs to the event loop that first used it: make one for each loop"
            )
        return loop


class _Connection(asyncio.Protocol):
    """One connection; carries one request at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, among: set[_Connection], max_response_bytes: int
    ) -> None:
        self.idle_since = 0.0
        self.gone: asyncio.Future[None] = loop.create_future()
        self.reusable = False
        self._loop = loop
        self._among = among
        self._max_response_bytes = max_response_bytes
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._asking: asyncio.Future[Answer | Fault] | None = None

    @property
    def alive(self) -> bool:
        """Whether nothing is known against it. Nothing can prove that a request would arrive."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> asyncio.Future[Answer | Fault]:
        """Write a request; the future's result is what comes back."""
        assert self._transport is not None
        self._reader = AnswerReader(self._max_response_bytes)
        self._asking = self._loop.create_future()
        self._transport.write(request)
        return self._asking

    def fail(self, fault: Fault) -> None:
        """Stop waiting for the answer."""
        self._tell(fault, reusable=False)
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        # uvloop's transports keep the promises of asyncio.Transport without being any.
        self._transport = cast("asyncio.Transport", transport)
        self._among.add(self)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._reader is None:
            self.abort()  # nobody asked: what else it would say cannot be trusted either
            return
        outcome = self._reader.feed(data)
        if outcome is not None:
            self._tell(outcome, reusable=self._reader.reusable)

    def eof_received(self) -> None:
        """See `asyncio.Protocol`: the transport closes itself after this."""
        if self._reader is not None:
            self._tell(self._reader.end(), reusable=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._among.discard(self)
        if self._reader is not None:
            self._tell(
                self._reader.end() if exc is None else Fault(left=True, words=fault_words(exc)),
                reusable=False,
            )
        if not self.gone.done():
            self.gone.set_result(None)

    def _tell(self, outcome: Answer | Fault, *, reusable: bool) -> None:
        self._reader = None
        self.reusable = reusable
        if self._asking is not None and not self._asking.done():
            self._asking.set_result(outcome)
