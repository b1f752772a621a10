"""Counts what is asked of DynamoDB and what that consumes: a relay that any client may stand behind."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

__all__ = ["Relay", "relay"]

_TELLS = {
    "BatchGetItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
}


@dataclass
class Relay:
    """What has passed.

    Attributes:
        url: Its address.
        calls: The operations, in order.
        units: The capacity units they consumed, indexes included, as DynamoDB tells it.
    """

    url: str = ""
    calls: list[str] = field(default_factory=list)
    units: float = 0.0

    def taken(self) -> tuple[tuple[str, ...], float]:
        """What has passed since this was asked last."""
        taken = (tuple(self.calls), self.units)
        self.calls, self.units = [], 0.0
        return taken


@contextmanager
def relay(endpoint: str) -> Iterator[Relay]:
    """A relay in front of a DynamoDB Local, which does not look at signatures."""
    counted = Relay()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Pass it on with the wish to be told the price."""
            body = self.rfile.read(int(self.headers["content-length"]))
            operation = self.headers["x-amz-target"].rpartition(".")[2]
            if operation in _TELLS:
                body = json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode()
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("host", "content-length", "connection", "accept-encoding")
            }
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(endpoint, body, headers, method="POST"), timeout=10
                ) as answer:
                    status, told, fields = answer.status, answer.read(), answer.headers
            except urllib.error.HTTPError as refusal:
                status, told, fields = refusal.code, refusal.read(), refusal.headers
            counted.calls.append(operation)
            counted.units += _units(json.loads(told))
            self.send_response(status)
            for name, value in fields.items():
                if name.lower() not in (
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "date",
                    "server",
                ):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    counted.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield counted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _units(answer: dict[str, Any]) -> float:
    told = answer.get("ConsumedCapacity", [])
    tables = told if isinstance(told, list) else [told]
    return sum(float(table["CapacityUnits"]) for table in tables)
