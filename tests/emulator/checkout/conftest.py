"""An emulator with its window, and shops' pages on another origin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from dojang.emulator.server import EmulatorServer


@pytest.fixture
def emulator() -> Iterator[EmulatorServer]:
    """A pretend Bootpay, empty."""
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    """A plain HTTP client; redirects are answers."""
    with urllib3.PoolManager(retries=False, timeout=10.0) as pool:
        yield pool


@dataclass(frozen=True)
class ShopPage:
    """A page of a shop, on its own origin."""

    url: str


@pytest.fixture
def shop_page() -> Iterator[Callable[[str], ShopPage]]:
    """Serve one HTML page at every path of a fresh origin."""
    servers: list[ThreadingHTTPServer] = []

    def serve(html: str) -> ShopPage:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = html.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return ShopPage(f"http://127.0.0.1:{server.server_address[1]}/")

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
