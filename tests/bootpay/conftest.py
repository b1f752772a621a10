"""A small HTTP server that does what it is told, and both clients to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dojang.bootpay import AsyncBootpay, Bootpay

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"
RECEIPT_ID = "645c58be755e270022e1e8db"
Play = Callable[[socket.socket, "Seen"], bool]
"""Answers one request on a socket; True keeps the connection."""


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedServer:
    """Plays its script one request at a time, then `otherwise` for ever."""

    listener: socket.socket
    seen: list[Seen] = field(default_factory=list)
    script: list[Play] = field(default_factory=list)
    routes: dict[str, Play] = field(default_factory=dict)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)
    open_sockets: list[socket.socket] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def targets(self) -> list[str]:
        return [f"{seen.method} {seen.target}" for seen in self.seen]

    def arrived(self, count: int) -> bool:
        """Whether exactly so many requests arrived; waits for those that the sender has already given up."""
        until = time.monotonic() + 5
        while len(self.seen) < count and time.monotonic() < until:
            time.sleep(0.005)
        return count == len(self.seen)

    # --- what it can be told to do --------------------------------------------------------------------------------

    def json(self, status: int, body: object, **headers: str) -> Play:
        return self.answer(
            status, json.dumps(body).encode(), **{"Content-Type": "application/json", **headers}
        )

    def sample(self, name: str, status: int = 200) -> Play:
        return self.answer(status, (SAMPLES / f"{name}.json").read_bytes())

    def answer(self, status: int, body: bytes, **headers: str) -> Play:
        def play(conn: socket.socket, seen: Seen) -> bool:
            head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n"
            head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
            conn.sendall(head.encode() + b"\r\n" + body)
            return headers.get("Connection") != "close"

        return play

    def raw(self, *pieces: bytes) -> Play:
        def play(conn: socket.socket, seen: Seen) -> bool:
            for piece in pieces:
                conn.sendall(piece)
            return False

        return play

    def silence(self, conn: socket.socket, seen: Seen) -> bool:
        """Never answers."""
        self.ended.wait(10)
        return False

    def trickle(self, conn: socket.socket, seen: Seen) -> bool:
        """Answers so slowly that no single wait is long, but the whole is."""
        conn.sendall(b"HTTP/1.1 200 OK\r\n")
        while not self.ended.wait(0.03):
            try:
                conn.sendall(b"X: y\r\n")
            except OSError:
                break
        return False

    def close(self, conn: socket.socket, seen: Seen) -> bool:
        return False

    def reset(self, conn: socket.socket, seen: Seen) -> bool:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def sell_tokens(self) -> None:
        """Sell the tokens T-1, T-2 and so on, to both generations."""
        numbers = itertools.count(1)

        def v2(conn: socket.socket, seen: Seen) -> bool:
            return self.json(200, {"access_token": f"T-{next(numbers)}", "expire_in": 1800})(conn, seen)

        def v1(conn: socket.socket, seen: Seen) -> bool:
            data = {"token": f"T-{next(numbers)}", "server_time": 1527569986, "expired_at": 1527571765}
            return self.json(200, {"status": 200, "code": 0, "message": "", "data": data})(conn, seen)

        self.routes["POST /v2/request/token"] = v2
        self.routes["POST /request/token"] = v1

    # --- the machinery --------------------------------------------------------------------------------------------

    def serve(self) -> None:
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self.open_sockets.append(conn)
            threading.Thread(target=self._talk, args=(conn, number), daemon=True).start()

    def _talk(self, conn: socket.socket, number: int) -> None:
        if self.tls is not None:
            try:
                conn = self.tls.wrap_socket(conn, server_side=True)
            except OSError:
                conn.close()
                return
        with conn, conn.makefile("rb") as reader:
            try:
                while (seen := self._read(reader, number)) is not None:
                    with self.lock:
                        self.seen.append(seen)
                        play = self.routes.get(f"{seen.method} {seen.target.partition('?')[0]}")
                        if play is None:
                            play = self.script.pop(0) if self.script else self.sample("v2_receipt_card_paid")
                    if not play(conn, seen):
                        return
            except (OSError, ValueError):  # the client went away, or did not speak HTTP
                return

    def _read(self, reader: Any, number: int) -> Seen | None:
        line = reader.readline()
        if not line.strip():
            return None
        method, target, _ = line.decode().split()
        headers: dict[str, str] = {}
        while (line := reader.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", "0")))
        return Seen(method, target, headers, body, number)

    def drop_everybody(self) -> None:
        """Close all connections from this side, as a server does with idle ones."""
        for conn in self.open_sockets:
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server on loopback."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    scripted = ScriptedServer(listener)
    thread = threading.Thread(target=scripted.serve, daemon=True)
    thread.start()
    yield scripted
    scripted.ended.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    scripted.drop_everybody()
    thread.join(5)


class Caller:
    """One face for both clients: `caller.do("receipt", id)` waits for the result, whichever client it is."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pauses: list[float] = []
        self.clients: list[Any] = []
        self.loop = None if kind == "blocking" else _loop(kind)
        self.client: Any = None

    def make(self, **settings: Any) -> Any:
        settings.setdefault("jitter", lambda: 1.0)
        if self.loop:

            async def sleep(seconds: float) -> None:
                self.pauses.append(seconds)

            self.client = AsyncBootpay(sleep=sleep, **settings)
        else:
            self.client = Bootpay(sleep=self.pauses.append, **settings)
        self.clients.append(self.client)
        return self.client

    def do(self, method: str, *args: Any, client: Any = None, **kwargs: Any) -> Any:
        result = getattr(client or self.client, method)(*args, **kwargs)
        return self.loop.run_until_complete(result) if self.loop else result

    def do_many(self, many: int, method: str, *args: Any) -> list[Any]:
        """The same call from many threads, or many tasks, at once."""
        if self.loop:

            async def together() -> list[Any]:
                return await asyncio.gather(*(getattr(self.client, method)(*args) for _ in range(many)))

            return self.loop.run_until_complete(together())
        results: list[Any] = []
        start = threading.Barrier(many)

        def one() -> None:
            start.wait()
            results.append(getattr(self.client, method)(*args))

        threads = [threading.Thread(target=one) for _ in range(many)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def close(self) -> None:
        for client in self.clients:
            result = client.close()
            if self.loop:
                self.loop.run_until_complete(result)
        if self.loop:
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()


def _loop(kind: str) -> asyncio.AbstractEventLoop:
    return pytest.importorskip("uvloop").new_event_loop() if kind == "uvloop" else asyncio.new_event_loop()


@pytest.fixture(params=["blocking", "asyncio", "uvloop"])
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Both clients, the second on both event loops, one after the other."""
    made = Caller(request.param)
    yield made
    made.close()


@pytest.fixture
def basic(caller: Caller, server: ScriptedServer) -> Caller:
    """A client with Basic keys only, quick to lose patience."""
    caller.make(client_key="CK-1", secret_key="SK-1", url=server.url, connect_timeout_s=1, read_timeout_s=0.5)
    return caller


@pytest.fixture
def legacy(caller: Caller, server: ScriptedServer) -> Caller:
    """A client with the legacy pair only; the server sells tokens T-1, T-2 and so on."""
    caller.make(application_id="APP-1", private_key="PK-1", url=server.url, read_timeout_s=2)
    server.sell_tokens()
    return caller


@pytest.fixture
def both(caller: Caller, server: ScriptedServer) -> Caller:
    """A client with both pairs; the server sells tokens T-1, T-2 and so on."""
    caller.make(
        client_key="CK-1",
        secret_key="SK-1",
        application_id="APP-1",
        private_key="PK-1",
        url=server.url,
        read_timeout_s=2,
    )
    server.sell_tokens()
    return caller


@pytest.fixture
def receipt_id() -> str:
    """A receipt id of Bootpay's form."""
    return RECEIPT_ID


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    """The bytes of a recorded body by its file name."""
    return lambda name: (SAMPLES / name).read_bytes()


@pytest.fixture
def closed_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
