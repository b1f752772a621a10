"""The emulator's HTTP face: Bootpay's two generations at their own paths, and the controls beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from dojang.emulator import controls, v1, v2
from dojang.emulator.asking import Ask, Route, read_body
from dojang.emulator.checkout import checkout_routes
from dojang.emulator.faults import Fault
from dojang.emulator.host import Reset
from dojang.emulator.ledger import Ledger, LedgerRefusal
from dojang.emulator.options import EmulatorOptions
from dojang.emulator.running import Emulator

__all__ = ["create_app"]

_HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]


def create_app(
    options: EmulatorOptions | None = None,
    *,
    emulator: Emulator | None = None,
    more: Sequence[BaseRoute] = (),
) -> Starlette:
    """The emulator as an ASGI application; `app.state.emulator` is the emulator itself.

    Args:
        options: How it runs.
        emulator: One made already, instead of options.
        more: Pages to serve besides, asked before Bootpay's own paths.
    """
    running = emulator if emulator is not None else Emulator(options or EmulatorOptions())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running.at_work():
            yield

    app = Starlette(
        routes=[
            *more,
            *controls.routes(running),
            *checkout_routes(running),
            StarletteRoute("/{path:path}", partial(_bootpay, running), methods=_METHODS),
        ],
        lifespan=lifespan,
    )
    app.state.emulator = running
    return app


class _Exchange:
    """One request to Bootpay: what was asked, by whom, and how its generation answers."""

    def __init__(self, emulator: Emulator, request: Request, raw: bytes) -> None:
        self.emulator = emulator
        self.request = request
        self.raw = raw
        self.path = request.url.path
        self.generation = 2 if self.path == "/v2" or self.path.startswith("/v2/") else 1
        self.route, self.ids = _find(self.generation, request.method, self.path)

    def perform(self) -> Response:
        """Do what was asked, or refuse as Bootpay would."""
        try:
            with self.emulator.changing() as ledger:
                return self.answered(self._performed(ledger))
        except LedgerRefusal as refusal:
            return self.refused(refusal)

    def _performed(self, ledger: Ledger) -> object:
        if self.route is None:
            raise LedgerRefusal("NOT_FOUND")
        if self.route.needs != "nothing":
            authorization = self.request.headers.get("authorization", "")
            ledger.admit(authorization, generation=self.generation, basic=self.route.needs == "any")
        ask = Ask(self.ids, dict(self.request.query_params), read_body(self.raw))
        return self.route.answer(ledger, ask)

    def answered(self, data: object) -> Response:
        """A yes in the words of the generation."""
        if self.generation == 2:
            return _json(200, data)
        if isinstance(data, v1.NoData):
            words = {"message": ""} if data.message else {}
            return _json(200, {"status": 200, "code": 0, **words})
        return _json(200, {"status": 200, "code": 0, "message": "", "data": data})

    def refused(self, refusal: LedgerRefusal) -> Response:
        """A no in the words of the generation."""
        body: dict[str, object]
        if self.generation == 2:
            body = {"error_code": refusal.error_code, "message": refusal.message}
            if refusal.pg_error_code is not None:
                body["pg_error_code"] = refusal.pg_error_code
            return _json(refusal.http_status, body)
        status = refusal.v1_status
        body = {"status": status, "code": refusal.v1_code, "message": refusal.message}
        if refusal.pg_error_code is not None:
            body["data"] = {"ResultCode": refusal.pg_error_code, "ResultMsg": refusal.message}
        return _json(status, body)

    # Faults

    async def spoilt(self, fault: Fault) -> ASGIApp:
        """What the client gets when `fault` strikes."""
        match fault.do:
            case "refuse":
                return self._refused_by_fault(fault)
            case "unauthorized":
                return self.refused(_fault_refusal(fault, "TOKEN_KEY_INVALID"))
            case "expire_token":
                with self.emulator.changing() as ledger:
                    ledger.expire_token(self.request.headers.get("authorization", ""))
                return self.perform()
            case "timeout_before":
                return await self._silence(fault)
            case "timeout_after":
                self.perform()
                return await self._silence(fault)
        true = self.perform() if fault.happens_anyway else None
        match fault.do:
            case "critical":
                code = self.route.critical if self.route is not None else "RC_CONFIRM_CRITICAL_FAILED"
                return self.refused(_fault_refusal(fault, code))
            case "reset":
                return Reset()
            case "malformed":
                whole = bytes(true.body) if true is not None else b'{"receipt_id": "'
                return Response(whole[: max(1, len(whole) * 2 // 3)], media_type="application/json")
            case _:
                return Response(_HTML_502, 502, media_type="text/html")

    def _refused_by_fault(self, fault: Fault) -> Response:
        refusal = _fault_refusal(fault, self.route.refusal if self.route is not None else "NOT_FOUND")
        if refusal.error_code == "RC_CONFIRM_FAILED" and fault.effect is not False:
            # A declined approval is final at Bootpay: the receipt says so afterwards.
            try:
                with self.emulator.changing() as ledger:
                    receipt_id = str(read_body(self.raw).get("receipt_id"))
                    if ledger.find(receipt_id).status == 2:
                        ledger.decline(receipt_id, refusal.message)
            except LedgerRefusal:
                pass  # nothing there to decline
        return self.refused(refusal)

    async def _silence(self, fault: Fault) -> ASGIApp:
        """Say nothing until the client gives up; then, or after a long time, break the connection."""
        try:
            async with asyncio.timeout(fault.wait_s(60)):
                while (await self.request.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            pass
        return Reset()


async def _bootpay(emulator: Emulator, request: Request) -> ASGIApp:
    try:
        raw = await request.body()
    except ClientDisconnect:
        return Reset()
    exchange = _Exchange(emulator, request, raw)
    emulator.asked.append(f"{request.method} {exchange.path}")
    for fault in emulator.faults.on_request(request.method, exchange.path):
        if fault.do != "delay":
            return await exchange.spoilt(fault)
        await asyncio.sleep(fault.wait_s(1))
    return exchange.perform()


def _find(generation: int, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    for route in v2.ROUTES if generation == 2 else v1.ROUTES:
        found = route.pattern.fullmatch(path) if route.method == method else None
        if found is not None:
            return route, found.groupdict()
    return None, {}


def _fault_refusal(fault: Fault, code: str) -> LedgerRefusal:
    return LedgerRefusal(
        fault.error_code or code,
        fault.message,
        http_status=fault.http_status,
        pg_error_code=fault.pg_error_code,
    )


def _json(status: int, data: object) -> Response:
    return Response(msgspec.json.encode(data), status, media_type="application/json")
