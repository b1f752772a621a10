"""Serving the emulator: an ASGI application on aiohttp's HTTP server.

An ordinary ASGI server is made never to break a connection; this one must be able to, in the middle of anything,
because that is what it is here to show. The application asks for it with the message `dojang.reset`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from dojang.errors import ConfigError

__all__ = ["Reset", "listening"]

BODY_LIMIT = 1024 * 1024  # what aiohttp reads at most without being told otherwise


class Reset:
    """An answer that is none: the connection is broken."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Break it."""
        await send({"type": "dojang.reset"})


class _Exchange:
    """One request and its answer, between aiohttp and ASGI."""

    def __init__(self, request: web.BaseRequest, body: bytes) -> None:
        self.request = request
        self.unread: bytes | None = body
        self.response: web.StreamResponse | None = None
        self.gone = asyncio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        if self.unread is not None:
            body, self.unread = self.unread, None
            return {"type": "http.request", "body": body, "more_body": False}
        # A client that leaves cancels the whole exchange; only our own reset ends the wait here.
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if self.gone.is_set():
            return
        match message["type"]:
            case "http.response.start":
                self.response = web.StreamResponse(status=message["status"])
                for name, value in message.get("headers", ()):
                    self.response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
            case "http.response.body":
                assert self.response is not None
                if not self.response.prepared:
                    await self.response.prepare(self.request)
                await self.response.write(message.get("body", b""))
                if not message.get("more_body", False):
                    await self.response.write_eof()
            case "dojang.reset":
                self.reset()

    def reset(self) -> None:
        """Close the connection so that the client's system reports a reset, not an end."""
        self.gone.set()
        transport = self.request.transport
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _scope(request: web.BaseRequest, app: Starlette) -> Scope:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.rel_url.path,
        "raw_path": request.rel_url.raw_path.encode("latin-1"),
        "query_string": request.rel_url.raw_query_string.encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": tuple(peer[:2]) if peer else None,
        "server": None,
        "app": app,
    }


@asynccontextmanager
async def listening(
    app: Starlette, host: str, port: int, *, called: str = "the emulator"
) -> AsyncIterator[str]:
    """Serve `app` for as long as this lasts; gives the address. A sentence about the address says who is `called` so.

    Raises:
        ConfigError: The address is taken or not ours.
    """

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.json_response({"error": f"a body may have {BODY_LIMIT} bytes"}, status=413)
        exchange = _Exchange(request, body)
        await app(_scope(request, app), exchange.receive, exchange.send)
        return exchange.response if exchange.response is not None else web.Response()

    async with app.router.lifespan_context(app):
        server = web.Server(
            answer,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=60,
        )
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(f"{called} cannot listen on {host}:{port}: {error.strerror}") from error
            bound = runner.addresses[0][1]
            yield f"http://{host}:{bound}"
        finally:
            await runner.cleanup()
