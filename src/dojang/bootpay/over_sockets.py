"""Requests over sockets that block: connections kept, every wait bounded, every failure a `Fault`.

One fixed server needs little of what a general HTTP library does, and importing one takes longer than importing the
whole client: a cold function waits for it. What is hard is Python's own: addresses, TLS, the host's name.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable

from dojang.bootpay.account import Address
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.faults import fault_words
from dojang.bootpay.http1 import AnswerReader, written
from dojang.bootpay.tls import tls_context

__all__ = ["Connections"]

# A connection that nobody used for this long is not trusted any more: load balancers forget idle ones after a minute,
# some without a word, and a request sent into such silence would end as an unknown outcome.
IDLE_MAX_S = 45.0
_PIECE = 64 * 1024


class Connections:
    """The connections of one client to one server, shared by its threads."""

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
        self._idle: list[tuple[socket.socket, float]] = []
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

    def _take(self) -> socket.socket | None:
        """An idle connection that is still alive. The latest used comes first: it is the least likely to be stale.

        This check narrows the chance that a request is sent into a dead connection but cannot exclude it; such a
        request has left for all we can prove, and ends as an unknown outcome.
        """
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if self._clock() - since <= IDLE_MAX_S and _is_silent(connection):
                return connection
            connection.close()

    def _connected(self, step: Transmit) -> socket.socket | Fault:
        """A new connection. Whatever fails in here fails before a single byte of the request."""
        connect_s = _sooner(self._clock, step.connect_s, step.deadline)
        if connect_s <= 0:
            return Fault(left=False, words="the deadline is over", final=True)
        secure = self._address.scheme == "https"
        if secure and self._tls is None:
            self._tls = tls_context(self._ca_certs)
        plain: socket.socket | None = None
        try:
            plain = socket.create_connection((self._address.host, self._address.port), timeout=connect_s)
            # A request is one piece; nothing is gained by waiting for a second one.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return plain
            return self._tls.wrap_socket(plain, server_hostname=self._address.host)
        except (OSError, ValueError) as error:
            if plain is not None:
                plain.close()
            return Fault(left=False, words=f"no connection to {self._address.host}: {fault_words(error)}")

    def _exchange(self, connection: socket.socket, step: Transmit) -> Answer | Fault:
        read_s = _sooner(self._clock, step.read_s, step.deadline)
        if read_s <= 0:
            self._keep(connection)
            return Fault(left=False, words="the deadline is over", final=True)
        ends_at = self._clock() + read_s
        reader = AnswerReader(self._max_response_bytes)
        kept = False
        try:
            connection.settimeout(read_s)
            connection.sendall(written(step, self._host))
            outcome = self._read(connection, reader, ends_at)
            kept = isinstance(outcome, Answer) and reader.reusable
        except (OSError, ValueError) as error:
            return Fault(left=True, words=fault_words(error))
        finally:
            if kept:
                self._keep(connection)
            else:
                connection.close()
        return outcome

    def _read(self, connection: socket.socket, reader: AnswerReader, ends_at: float) -> Answer | Fault:
        """Head and body against one end, however slowly the bytes trickle in."""
        while True:
            left_s = ends_at - self._clock()
            if left_s <= 0:
                raise TimeoutError
            connection.settimeout(left_s)
            piece = connection.recv(_PIECE)
            outcome = reader.feed(piece) if piece else reader.end()
            if outcome is not None:
                return outcome

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((connection, self._clock()))
                return
        connection.close()


def _is_silent(connection: socket.socket) -> bool:
    """Whether nothing is known against an idle connection: whoever says something unasked, or hangs up, is readable."""
    try:
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return False
        if not hasattr(select, "poll"):
            return not select.select([connection], [], [], 0)[0]
        watch = select.poll()
        watch.register(connection, select.POLLIN)
        return not watch.poll(0)
    except (OSError, ValueError):
        return False


def _sooner(clock: Callable[[], float], seconds: float, deadline: float | None) -> float:
    return seconds if deadline is None else min(seconds, deadline - clock())
