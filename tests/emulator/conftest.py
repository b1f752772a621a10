"""An emulator on loopback, a shop that receives its webhooks, and the recorded bodies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from dojang.emulator.options import EmulatorOptions
from dojang.emulator.rules import Rules
from dojang.emulator.server import EmulatorServer

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"


class Shop:
    """Receives webhooks and answers as told: `answers` are used up first, then `usual` for ever."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.usual = (200, b'{"success": true}')
        self.slow_s = 0.0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                shop.received.append((self.headers["content-type"], body))
                if shop.slow_s:
                    time.sleep(shop.slow_s)
                status, answer = shop.answers.pop(0) if shop.answers else shop.usual
                self.send_response(status)
                if status in (301, 302, 307, 308):
                    self.send_header("location", shop.url)
                self.send_header("content-length", str(len(answer)))
                with suppress(ConnectionError):  # who waited too long has left
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def bodies(self) -> list[dict[str, Any]]:
        """The JSON bodies received so far."""
        return [json.loads(body) for _, body in self.received]

    def close(self) -> None:
        """Stop receiving."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Hands:
    """The controls and an authorised client, as a tester uses them."""

    def __init__(self, server: EmulatorServer) -> None:
        self.server = server
        self.url = server.url
        self.http = requests.Session()
        self.http.auth = ("client", "secret")

    def control(self, method: str, path: str, body: object = None) -> requests.Response:
        """One request to a control."""
        return self.http.request(method, f"{self.url}/emulator/{path}", json=body, timeout=10)

    def open(self, **fields: object) -> str:
        """Open a checkout; its receipt's id."""
        checkout = {"order_id": "o1", "price": 3000, "order_name": "책"} | fields
        answer = self.control("POST", "checkouts", checkout)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["receipt_id"])

    def step(self, receipt_id: str, step: str, **body: object) -> dict[str, Any]:
        """Take a step; the receipt afterwards."""
        answer = self.control("POST", f"receipts/{receipt_id}/{step}", body or None)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def paid(self, **fields: object) -> str:
        """A paid receipt's id."""
        receipt_id = self.open(**fields)
        self.step(receipt_id, "approve")
        return receipt_id

    def webhooks(self) -> list[dict[str, Any]]:
        """Every webhook, once none is under way."""
        return list(self.control("GET", "webhooks?wait=idle").json())

    def v2(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        """One request to the second generation."""
        return self.http.request(method, f"{self.url}/v2/{path}", json=body, timeout=10, **more)


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Any]:
    """Reads a recorded body."""
    return lambda name: json.loads((SAMPLES / name).read_text())


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that acknowledges."""
    shop = Shop()
    yield shop
    shop.close()


@pytest.fixture
def server(shop: Shop) -> Iterator[EmulatorServer]:
    """A fresh emulator whose project's webhooks go to the shop."""
    options = EmulatorOptions(webhook_url=shop.url, seed=7, rules=Rules(webhook_timeout_s=0.5))
    with EmulatorServer(options) as server:
        yield server


@pytest.fixture
def hands(server: EmulatorServer) -> Iterator[Hands]:
    """Hands on that emulator."""
    hands = Hands(server)
    yield hands
    hands.http.close()
