"""A shop's door on loopback that answers as it is told and remembers what it was sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Door:
    """Answers each request with the next scripted bytes, or the last ones; None closes without a word.

    What is scripted as a function is called while the request waits, and gives the answer. Once a caller has gone,
    `left` is set.
    """

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    script: list[bytes | Callable[[], bytes] | None] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dojang?shop=1"

    def headers(self, number: int = -1) -> dict[str, str]:
        """The headers of one request, names in lower case."""
        lines = self.heads[number].split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def serve(self) -> None:
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._welcome, args=(conn,), daemon=True).start()

    def _welcome(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError), conn:
            self._talk(self.tls.wrap_socket(conn, server_side=True) if self.tls else conn)
        self.left.set()

    def _talk(self, conn: socket.socket) -> None:
        with conn, conn.makefile("rb") as lines:
            while head := _head(lines):
                self.heads.append(head)
                self.bodies.append(lines.read(int(self.headers().get("content-length", "0"))))
                answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if callable(answer):
                    answer = answer()
                if answer is None:
                    return
                if answer == SILENCE:
                    self.closing.wait(5)
                    return
                if isinstance(answer, Slowly):
                    conn.sendall(answer[: answer.at_once])
                    for byte in answer[answer.at_once :]:
                        if self.closing.wait(0.02):
                            return
                        conn.sendall(bytes([byte]))
                    return
                conn.sendall(answer)


SILENCE = b"silence"


class Slowly(bytes):
    """An answer whose first bytes come at once, the rest one at a time, and then the end."""

    at_once = 0


def answer(status: int, body: bytes = b"", *more: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _head(lines: object) -> str:
    found: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return "\r\n".join(found)
        found.append(text)
    return ""


@contextlib.contextmanager
def opened(tls: ssl.SSLContext | None = None, at: str = "127.0.0.1") -> Iterator[Door]:
    """A door that is open for a while."""
    door = Door(socket.create_server((at, 0)), tls, [answer(200)])
    thread = threading.Thread(target=door.serve, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.closing.set()
        door.listener.shutdown(socket.SHUT_RDWR)
        door.listener.close()
