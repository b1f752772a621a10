"""Connections whose read timeout is for the whole answer, head and body, however slowly its bytes trickle in.

urllib3 and the standard library start their read timeout anew at every read: a receiver that sends a byte now and then
would hold whoever waits for it for hours.
"""

from __future__ import annotations

import http.client
import io
import socket
import time

import urllib3.connection

__all__ = ["TimedHTTPConnection", "TimedHTTPSConnection"]


class _TimedReader(io.RawIOBase):
    """What a socket receives until its timeout, counted from now, is over."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        # The socket's own file keeps it open where the answer says that the connection ends with it.
        self._file = sock.makefile("rb", buffering=0)
        self._ends_at = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]  # BufferedReader hands a memoryview
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedAnswer(http.client.HTTPResponse):
    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))

    def begin(self) -> None:
        super().begin()
        # urllib3 writes what it cannot read of a head into the log, with the whole URL, which may hold a secret.
        self.msg.defects.clear()
        self.msg.set_payload("")


class TimedHTTPConnection(urllib3.connection.HTTPConnection):
    """A plain connection."""

    response_class = _TimedAnswer


class TimedHTTPSConnection(urllib3.connection.HTTPSConnection):
    """A connection under TLS."""

    response_class = _TimedAnswer
