"""A shop at its command line: every command really runs, against a real file and the pretend Bootpay."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Semaphore, Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from dojang.emulator.server import EmulatorServer
from dojang.emulator.windows import Checkout
from dojang.entry.cli import app


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass
class Shell:
    """Types commands into a folder of its own."""

    folder: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, **environment: str) -> Ended:
        """Type `dojang` and these words."""
        env = {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": self.url,
            "DOJANG_STORE": f"sqlite:///{self.file}",
            "COLUMNS": "200",
        }
        env |= self.environment | environment
        result = CliRunner().invoke(app, list(words), env=env)
        return Ended(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: str) -> Any:
        """What a command that is fine prints as JSON."""
        ended = self(*words, "--format", "json")
        assert 0 == ended.code, ended.err
        return ended.data

    @property
    def file(self) -> Path:
        """The store."""
        return self.folder / "orders.sqlite3"

    def rows(self, table: str) -> int:
        """How many rows a table of the store has; none where there is no store."""
        if not self.file.exists():
            return 0
        with closing(sqlite3.connect(self.file)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture(scope="session")
def _emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def bootpay(_emulator: EmulatorServer) -> Iterator[EmulatorServer]:
    """A pretend Bootpay that remembers nothing of the test before."""
    _emulator.reset()
    yield _emulator
    _emulator.emulator.faults.clear()


@pytest.fixture
def dojang(bootpay: EmulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line in an empty folder, with nothing set but what a test sets."""
    for name in list(os.environ):
        if name.startswith(("DOJANG_", "BOOTPAY_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, bootpay.url)


@pytest.fixture
def unreachable() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class Buyer:
    """Opens the payment window and agrees, or does not."""

    def __init__(self, bootpay: EmulatorServer) -> None:
        self._bootpay = bootpay

    def opens(self, order_id: str, price: int = 3000, **more: Any) -> str:
        """Opens the window; the receipt's id."""
        with self._bootpay.changing() as ledger:
            checkout = Checkout(order_id=order_id, price=price, **({"method": "card"} | more))
            return ledger.open_checkout(checkout).receipt_id

    def pays(self, order_id: str, price: int = 3000, **more: Any) -> str:
        """Agrees; the money moves when the server approves, unless `separately_confirmed` is False."""
        receipt_id = self.opens(order_id, price, **({"separately_confirmed": True} | more))
        with self._bootpay.changing() as ledger:
            ledger.approve(receipt_id)
        return receipt_id


@pytest.fixture
def buyer(bootpay: EmulatorServer) -> Buyer:
    """Somebody who pays."""
    return Buyer(bootpay)


class Door:
    """Where the shop takes deliveries."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.knocked = Event()
        # While it is clear, whoever has come waits for an answer.
        self.answers = Event()
        self.answers.set()
        self.waiting = Semaphore(0)
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                door.received.append(json.loads(body))
                door.waiting.release()
                door.answers.wait(30)
                self.send_response(door.status)
                self.send_header("content-length", "0")
                self.end_headers()
                door.knocked.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/deliveries"
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def door(dojang: Shell) -> Iterator[Door]:
    """The shop's door, which every command knows about."""
    door = Door()
    dojang.environment |= {"DOJANG_DELIVER_TO": door.url, "DOJANG_DELIVER_SECRET": "whsec_" + "c2VjcmV0" * 4}
    yield door
    door.close()
