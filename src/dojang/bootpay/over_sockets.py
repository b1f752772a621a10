"""Requests over sockets: connections kept, every wait bounded, every failure a `Fault`.

The twin of `over_asyncio`; both have one reader of answers. A general HTTP client cannot say whether a failed request
had begun to leave, writes paths, which may hold a billing key, into its log, and is a fifth of a cold start.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
import threading
from collections.abc import Callable

from dojang.bootpay.account import Address
from dojang.bootpay.aside import Aside
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.faults import fault_words
from dojang.bootpay.forking import Forking
from dojang.bootpay.http1 import AnswerReader, written
from dojang.bootpay.tls import shared_tls_context, tls_context

__all__ = ["Connections"]

# A connection that nobody used for this long is not trusted any more: load balancers forget idle ones after a minute,
# some without a word, and a request sent into such silence would end as an unknown outcome.
IDLE_MAX_S = 45.0
_AT_ONCE = 64 * 1024


class Connections:
    """The connections of one client to one server, shared by its threads.

    Args:
        address: The server.
        pool_size: How many requests may be under way at once.
        max_response_bytes: A longer answer is a fault.
        ca_certs: A file that is trusted instead of what the system trusts.
        clock: Seconds that never go back.
        summed_by: The header, in lower case, that holds the CRC-32 of an answer's body, where the server sends one.
    """

    def __init__(
        self,
        address: Address,
        *,
        pool_size: int,
        max_response_bytes: int,
        ca_certs: str | None,
        clock: Callable[[], float],
        summed_by: bytes = b"",
    ) -> None:
        self._address = address
        self._host = address.origin.partition("://")[2]
        self._pool_size = pool_size
        self._max_response_bytes = max_response_bytes
        self._ca_certs = ca_certs
        self._clock = clock
        self._summed_by = summed_by
        self._tls: ssl.SSLContext | None = None
        self._closed = False
        self._begin()
        _forking.add(self)

    def _begin(self) -> None:
        """Without connections; those of before a fork are the other process's, which letting go of them leaves open."""
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(self._pool_size)
        self._connecting = Aside(self._pool_size)
        self._idle: list[tuple[socket.socket, float]] = []

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
            if self._clock() - since <= IDLE_MAX_S and _is_open(connection):
                return connection
            connection.close()

    def _connected(self, step: Transmit) -> socket.socket | Fault:
        """A new connection. Whatever fails in here fails before a single byte of the request."""
        connect_s = _sooner(self._clock, step.connect_s, step.deadline)
        if connect_s <= 0:
            return Fault(left=False, words="the deadline is over", final=True)
        if self._address.scheme == "https" and self._tls is None:
            self._tls = tls_context(self._ca_certs) if self._ca_certs else shared_tls_context()
        try:
            # A timeout is for each address that a name has, once they are found; aside, there is one for all of it.
            return self._connecting.do(
                lambda: self._opened(connect_s), connect_s, too_late=lambda late: late.close()
            )
        except (OSError, ValueError) as error:
            return Fault(left=False, words=f"no connection to {self._host}: {fault_words(error)}")

    def _opened(self, connect_s: float) -> socket.socket:
        host = self._address.host
        connection = socket.create_connection((host, self._address.port), connect_s)
        try:
            # A request goes out whole; waiting for more of it would only be waiting.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._tls.wrap_socket(connection, server_hostname=host) if self._tls else connection
        except BaseException:
            connection.close()
            raise

    def _exchange(self, connection: socket.socket, step: Transmit) -> Answer | Fault:
        read_s = _sooner(self._clock, step.read_s, step.deadline)
        if read_s <= 0:
            self._keep(connection)
            return Fault(left=False, words="the deadline is over", final=True)
        ends_at = self._clock() + read_s
        reader = AnswerReader(self._max_response_bytes, self._summed_by)
        outcome: Answer | Fault | None = None
        try:
            connection.settimeout(read_s)
            connection.sendall(written(step, self._host))
            while outcome is None:
                # One end for head and body, however slowly the bytes trickle in.
                left_s = ends_at - self._clock()
                if left_s <= 0:
                    raise TimeoutError
                connection.settimeout(left_s)
                data = connection.recv(_AT_ONCE)
                outcome = reader.feed(data) if data else reader.end()
        except (OSError, ValueError) as error:
            outcome = Fault(left=True, words=fault_words(error))
        finally:
            if isinstance(outcome, Answer) and reader.reusable:
                self._keep(connection)
            else:
                connection.close()
        return outcome

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((connection, self._clock()))
                return
        connection.close()


_forking: Forking[Connections] = Forking(Connections._begin)


def _is_open(connection: socket.socket) -> bool:
    """Whether the other side has neither hung up nor said anything unasked."""
    if sys.platform == "win32":
        return not any(select.select([connection], [], [], 0))
    # Unlike select, poll has no highest number of a file.
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)


def _sooner(clock: Callable[[], float], seconds: float, deadline: float | None) -> float:
    return seconds if deadline is None else min(seconds, deadline - clock())
