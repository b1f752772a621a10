"""A shop in front of a pretend dojang that answers as told, in the shapes of dojang's own API."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from dojang.entry.demo_shop import ShopOptions, ShopServer

SECRET = "whsec_" + base64.b64encode(b"demo-shop-delivery-secret").decode()

Reply = tuple[int, Mapping[str, object], Mapping[str, str]]


@dataclass
class PretendDojang:
    """What the shop asked, and what it is answered by method and last part of the path."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, object], str]] = field(default_factory=list)
    answers: dict[str, Reply] = field(default_factory=dict)

    def says(self, what: str, status: int, body: Mapping[str, object], **headers: str) -> None:
        """Answer `what` (register, verify or state) so from now on."""
        self.answers[what] = (
            status,
            body,
            {name.replace("_", "-"): value for name, value in headers.items()},
        )

    def reply(self, method: str, path: str, body: dict[str, object], key: str) -> Reply:
        """Answer one request."""
        self.asked.append((method, path, body, key))
        what = {"verify": "verify", "state": "state"}.get(path.rpartition("/")[2], "register")
        if what in self.answers:
            return self.answers[what]
        if what == "register":
            return 201, body | {"state": "open"}, {}
        return 200, {"order_id": path.split("/")[3], "state": "paid"}, {}


@pytest.fixture
def dojang() -> Iterator[PretendDojang]:
    """A pretend dojang: registers everything, finds everything paid, until told otherwise."""
    pretend = PretendDojang()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else {}
            status, said, headers = pretend.reply(
                self.command, self.path, body, self.headers.get("Authorization", "")
            )
            answer = json.dumps(said).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST  # noqa: N815 - the name http.server looks for

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    pretend.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield pretend
    server.shutdown()
    server.server_close()


@pytest.fixture
def shop(dojang: PretendDojang) -> Iterator[ShopServer]:
    """The shop, in front of the pretend dojang."""
    options = ShopOptions(
        dojang_url=dojang.url,
        emulator_url="http://127.0.0.1:9",
        api_key="shop-api-key",
        deliver_secret=SECRET,
        port=0,
    )
    with ShopServer(options) as server:
        yield server


class Visitor:
    """Somebody without a script: pages and forms only, or the JSON the script would send."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool = urllib3.PoolManager(retries=False, timeout=10.0)

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        """Look at a page."""
        return self.pool.request("GET", self.url + path)

    def send(self, path: str, **fields: str) -> urllib3.BaseHTTPResponse:
        """Send a form."""
        return self.pool.request("POST", self.url + path, fields=fields, encode_multipart=False)

    def post(self, path: str, body: object) -> urllib3.BaseHTTPResponse:
        """Send JSON."""
        return self.pool.request("POST", self.url + path, json=body)

    def order(self, good: str = "ink") -> str:
        """Place an order; its number."""
        return str(self.post("/buy", {"good": good}).json()["order_id"])


@pytest.fixture
def visitor(shop: ShopServer) -> Iterator[Visitor]:
    """A visitor of the shop."""
    somebody = Visitor(shop.url)
    yield somebody
    somebody.pool.clear()


@pytest.fixture
def deliver(shop: ShopServer, visitor: Visitor) -> Callable[..., urllib3.BaseHTTPResponse]:
    """Hand a delivery over as dojang signs it."""
    import time

    from standardwebhooks.webhooks import Webhook

    def hand_over(
        order_id: str,
        type_: str = "order.paid",
        *,
        id_: str = "",
        state: str = "paid",
        version: int = 2,
        secret: str = SECRET,
        age_s: int = 0,
    ) -> urllib3.BaseHTTPResponse:
        from datetime import UTC, datetime

        data = {"order_id": order_id, "state": state, "version": version, "price": 12000, "currency": "KRW"}
        body = json.dumps({"type": type_, "timestamp": "2026-11-23T00:00:00Z", "data": data})
        at = datetime.fromtimestamp(int(time.time()) - age_s, UTC)
        id_ = id_ or f"{order_id}:{version}"
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(id_, at, body),
        }
        return visitor.pool.request("POST", shop.url + "/deliveries", body=body.encode(), headers=headers)

    return hand_over
