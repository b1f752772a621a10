"""A server on loopback that writes down every request and answers with what it was told to answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["Recorded", "Recorder", "recording"]


@dataclass(frozen=True)
class Recorded:
    """One request exactly as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target up to its question mark, still quoted."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters, unquoted, in order."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True, strict_parsing=False)

    @property
    def fields(self) -> dict[str, Any]:
        """The body's fields. It is read as what it is, not as what its label claims."""
        if not self.body:
            return {}
        try:
            document = json.loads(self.body)
        except ValueError:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)
            grouped: dict[str, list[str]] = {}
            for name, value in pairs:
                grouped.setdefault(name, []).append(value)
            return {name: values[0] if len(values) == 1 else values for name, values in grouped.items()}
        if not isinstance(document, dict):
            raise TypeError(f"a Bootpay body is an object, not {type(document).__name__}")
        return document

    @property
    def form(self) -> str:
        """What the body really is, whatever its Content-Type says: `json`, `form` or `empty`."""
        if not self.body:
            return "empty"
        return "json" if self.body.lstrip().startswith(b"{") else "form"


@dataclass
class Recorder:
    """What one server has heard, and what it says next."""

    url: str
    requests: list[Recorded] = field(default_factory=list)
    tokens: dict[str, bytes] = field(default_factory=dict)
    says: tuple[int, bytes] = (200, b"{}")
    adds: dict[str, str] = field(default_factory=dict)
    connections: int = 0

    def answer_to(self, path: str) -> tuple[int, bytes]:
        """A token to whoever asks for one, otherwise what was set last."""
        return (200, self.tokens[path]) if path in self.tokens else self.says

    def heard(self) -> list[Recorded]:
        """The requests since the last time somebody asked."""
        heard, self.requests[:] = list(self.requests), []
        return heard


@contextmanager
def recording() -> Iterator[Recorder]:
    """A recorder that listens on a free port of the loopback address until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            recorder.connections += 1

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Recorded(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            recorder.requests.append(request)
            status, body = recorder.answer_to(request.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in recorder.adds.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 the names http.server calls

        def log_message(self, *args: object) -> None:
            """Say nothing: the requests hold keys."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder = Recorder(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
