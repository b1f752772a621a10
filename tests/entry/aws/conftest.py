"""The Lambda function in this process: real settings, a real store file, the pretend Bootpay, recorded events."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dojang.emulator.server import EmulatorServer
from dojang.emulator.windows import Checkout
from dojang.entry.aws import Function

SAMPLES = Path(__file__).parents[2] / "samples" / "aws"
KEY = "shop-key-0123456789abcdef"
WHSEC = "whsec_" + "c2VjcmV0" * 4
FACES = ["rest_api", "http_api_v1", "http_api", "function_url", "load_balancer", "load_balancer_multi"]
"""The samples that are HTTP requests."""


def sample(name: str) -> dict[str, Any]:
    """A fresh copy of a recorded event."""
    event: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return event


def request_event(
    face: str,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The event with which this face would bring this request."""
    event = sample(face)
    text = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
    event["body"] = text
    if "rawPath" in event:
        stage = event["requestContext"]["stage"]
        event["rawPath"] = path if stage == "$default" else f"/{stage}{path}"
        event["requestContext"]["http"] |= {"method": method, "path": event["rawPath"]}
    else:
        event["httpMethod"] = method
        event["path"] = f"/prod{path}" if face == "http_api_v1" else path
        if event.get("pathParameters"):
            event["pathParameters"] = {"proxy": path.removeprefix("/")}
    for name, value in (headers or {}).items():
        if event.get("headers") is not None:
            event["headers"][name] = value
        if event.get("multiValueHeaders") is not None:
            event["multiValueHeaders"][name] = [value]
    return event | more


@dataclass
class Context:
    """What Lambda tells about an invocation."""

    left_ms: int = 30_000
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        """As much as the test says."""
        return self.left_ms


@dataclass
class Deployed:
    """A function that is deployed."""

    environment: dict[str, str]
    out: io.StringIO = field(default_factory=io.StringIO)
    function: Function = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, **changes: str) -> None:
        """A new process of it."""
        self.environment |= changes
        self.function = Function(self.environment, out=self.out)
        self.function.prepare()

    def __call__(self, event: object, *, left_ms: int = 30_000) -> Any:
        """Invoke it; whatever it answers must survive JSON."""
        return json.loads(json.dumps(self.function(event, Context(left_ms))))

    def asks(self, face: str, method: str, path: str, body: object = None, **more: Any) -> Any:
        """Ask it over HTTP; the answer with its body read as JSON."""
        left_ms = more.pop("left_ms", 30_000)
        answer = self(request_event(face, method, path, body, **more), left_ms=left_ms)
        answer["json"] = json.loads(answer["body"])
        return answer

    def registers(self, order_id: str, price: int = 3000) -> None:
        """Put an order on file."""
        done = self({"action": "register", "order_id": order_id, "price": price, "name": "커피"})
        assert 201 == done["status"], done

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Everything written, each line as JSON."""
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log."""
        return [line for line in self.lines if "_aws" not in line]

    def counted(self, metric: str, **dimensions: str) -> float:
        """The sum of a metric over all invocations."""
        return sum(
            line[metric]
            for line in self.lines
            if metric in line and dimensions.items() <= line.items() and "_aws" in line
        )


class Buyer:
    """Opens the payment window and agrees, or does not."""

    def __init__(self, bootpay: EmulatorServer) -> None:
        self._bootpay = bootpay

    def pays(self, order_id: str, price: int = 3000, *, approved: bool = False, **more: Any) -> str:
        """Agrees; the money moves when the server approves, or at once if `approved`."""
        terms = {"method": "card", "separately_confirmed": not approved, "webhook_url": ""} | more
        with self._bootpay.changing() as ledger:
            receipt_id = ledger.open_checkout(Checkout(order_id=order_id, price=price, **terms)).receipt_id
            ledger.approve(receipt_id)
        return receipt_id


class Door:
    """Where the shop takes deliveries."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                door.received.append({"id": self.headers["webhook-id"], **body})
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/deliveries"
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def types(self) -> list[tuple[str, str]]:
        """What was delivered: the order and what became of it."""
        return [(message["data"]["order_id"], message["type"]) for message in self.received]

    def close(self) -> None:
        """Take no more."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


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
def buyer(bootpay: EmulatorServer) -> Buyer:
    """Somebody who pays."""
    return Buyer(bootpay)


@pytest.fixture
def door() -> Iterator[Door]:
    """The shop's door."""
    door = Door()
    yield door
    door.close()


@pytest.fixture
def deployed(bootpay: EmulatorServer, door: Door, tmp_path: Path) -> Iterator[Deployed]:
    """A function with a store of its own, which delivers to the shop's door."""
    function = Deployed(
        {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": bootpay.url,
            "DOJANG_STORE": f"sqlite:///{tmp_path}/orders.sqlite3",
            "DOJANG_API_KEYS": KEY,
            "DOJANG_DELIVER_TO": door.url,
            "DOJANG_DELIVER_SECRET": WHSEC,
            "AWS_LAMBDA_FUNCTION_NAME": "dojang",
        }
    )
    yield function
    function.function.forget()
