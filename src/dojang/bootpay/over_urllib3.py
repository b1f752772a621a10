"""Requests over urllib3: connections kept, every wait bounded, every failure a `Fault`.

urllib3's connections do what is hard (addresses, TLS, the host's name, liveness). Its pool is not used: it cannot say
whether a failed request had begun to leave, and it writes paths, which may hold a billing key, into its log. The
request is written by hand, which also costs a fifth less than the general way.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Protocol, cast

import urllib3.connection
import urllib3.exceptions
from urllib3.util.wait import wait_for_read

from dojang.bootpay.account import Address
from dojang.bootpay.aside import Aside
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.faults import fault_words
from dojang.bootpay.http1 import written
from dojang.bootpay.tls import shared_tls_context, tls_context

__all__ = ["Connections"]

# A connection that nobody used for this long is not trusted any more: load balancers forget idle ones after a minute,
# some without a word, and a request sent into such silence would end as an unknown outcome.
IDLE_MAX_S = 45.0


class Connections:
    """The connections of one client to Bootpay, shared by its threads."""

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
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(pool_size)
        self._connecting = Aside(pool_size)
        self._idle: list[tuple[_Connection, float]] = []
        self._closed = False

    def transmit(self, step: Transmit) -> Answer | Fault:
        """Put one request on the wire and read its whole answer."""
        patience = _sooner(self._clock, step.connect_s, step.deadline)
        if patience <= 0:
            return Fault(left=False, words="the deadline is over", final=True)
        if not self._free.acquire(timeout=patience):
            return Fault(left=False, words=f"all {self._pool_size} connections are busy")
        try:
            connection = self._take() or self._connected(step)
            if isinstance(connection, Fault):
                return connection
            return self._exchange(connection, step)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close every idle connection; those in use close when their request ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def _take(self) -> _Connection | None:
        """An idle connection that is still alive. The latest used comes first: it is the least likely to be stale.

        This check narrows the chance that a request is sent into a dead connection but cannot exclude it; such a
        request has left for all we can prove, and ends as an unknown outcome.
        """
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if self._clock() - since <= IDLE_MAX_S and _is_open(connection):
                return connection
            connection.close()

    def _connected(self, step: Transmit) -> _Connection | Fault:
        """A new connection. Whatever fails in here fails before a single byte of the request."""
        connect_s = _sooner(self._clock, step.connect_s, step.deadline)
        if connect_s <= 0:
            return Fault(left=False, words="the deadline is over", final=True)
        connection = self._made(connect_s)
        try:
            # urllib3's timeout is for each address that a name has, once they are found.
            self._connecting.do(connection.connect, connect_s, too_late=connection.close)
        except (OSError, ValueError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            connection.close()
            return Fault(left=False, words=f"no connection to {self._address.host}: {fault_words(error)}")
        return connection

    def _made(self, connect_s: float) -> _Connection:
        host, port = self._address.host, self._address.port
        if self._address.scheme == "http":
            return cast("_Connection", urllib3.connection.HTTPConnection(host, port, timeout=connect_s))
        if self._tls is None:
            self._tls = tls_context(self._ca_certs) if self._ca_certs else shared_tls_context()
        return cast(
            "_Connection",
            urllib3.connection.HTTPSConnection(host, port, timeout=connect_s, ssl_context=self._tls),
        )

    def _exchange(self, connection: _Connection, step: Transmit) -> Answer | Fault:
        read_s = _sooner(self._clock, step.read_s, step.deadline)
        if read_s <= 0:
            self._keep(connection)
            return Fault(left=False, words="the deadline is over", final=True)
        ends_at = self._clock() + read_s
        kept = False
        try:
            connection.sock.settimeout(read_s)
            connection.sock.sendall(written(step, self._host))
            # The standard library's response, over a reader that keeps the end: urllib3's own would log the path of
            # an answer with odd headers, and a path may hold a billing key.
            bounded = cast("socket.socket", _Bounded(connection.sock, ends_at, self._clock))
            response = http.client.HTTPResponse(bounded, method=step.method)
            response.begin()
            body = response.read(self._max_response_bytes + 1)
            if len(body) > self._max_response_bytes:
                words = f"the answer is longer than {self._max_response_bytes} bytes"
                return Fault(left=True, words=words, final=True)
            if (
                response.length
            ):  # http.client does not complain about a short body when it is read with a limit
                return Fault(left=True, words="the answer broke off")
            kept = not response.will_close
            return Answer(response.status, body)
        except (OSError, ValueError, http.client.HTTPException, urllib3.exceptions.HTTPError) as error:
            return Fault(left=True, words=fault_words(error))
        finally:
            if kept:
                self._keep(connection)
            else:
                connection.close()

    def _keep(self, connection: _Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((connection, self._clock()))
                return
        connection.close()


def _is_open(connection: _Connection) -> bool:
    """Whether the other side has neither hung up nor said anything unasked.

    As urllib3's own `is_connected`, which its releases before 2 lack: AWS's Python images had those until 2025, and
    what a function packs itself goes before its layer's.
    """
    sock: socket.socket | None = connection.sock
    return sock is not None and not wait_for_read(sock, timeout=0.0)


class _Connection(Protocol):
    """What we use of urllib3's two kinds of connection."""

    sock: socket.socket

    def connect(self) -> None: ...
    def close(self) -> None: ...


class _Bounded:
    """A socket, as far as an answer reads one: head and body against one end, however slowly the bytes trickle in."""

    __slots__ = ("_clock", "_ends_at", "_sock")

    def __init__(self, sock: socket.socket, ends_at: float, clock: Callable[[], float]) -> None:
        self._sock = sock
        self._ends_at = ends_at
        self._clock = clock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._sock, self._ends_at, self._clock))


class _BoundedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, ends_at: float, clock: Callable[[], float]) -> None:
        super().__init__()
        self._sock = sock
        self._ends_at = ends_at
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader hands a memoryview
        left_s = self._ends_at - self._clock()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._sock.recv_into(buffer)


def _sooner(clock: Callable[[], float], seconds: float, deadline: float | None) -> float:
    return seconds if deadline is None else min(seconds, deadline - clock())
