"""The controls at `/emulator/`: for whoever runs the emulator, never for the shop's own code.

A mistake is answered with one sentence: `{"error": "…"}`, 400 for bad input and 404 for what is not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dojang.emulator.books import Json, Receipt, Webhook
from dojang.emulator.faces import iso, read_time, v2_receipt
from dojang.emulator.faults import Fault
from dojang.emulator.ledger import Checkout, Ledger, LedgerRefusal
from dojang.emulator.running import Emulator

__all__ = ["routes"]

Control = Callable[[Emulator, Request], Awaitable[object]]


def routes(emulator: Emulator) -> list[Route]:
    """The controls of `emulator`."""

    def control(method: str, path: str, does: Control) -> Route:
        return Route(f"/emulator/{path}", partial(_answered, emulator, does), methods=[method])

    return [
        control("POST", "checkouts", _open_checkout),
        control("GET", "receipts", _receipts),
        control("GET", "receipts/{receipt_id}", _receipt),
        control("POST", "receipts/{receipt_id}/{step}", _step),
        control("GET", "webhooks", _webhooks),
        control("POST", "webhooks/{webhook_id}/resend", _resend),
        control("GET", "clock", _clock),
        control("POST", "clock", _move_clock),
        control("GET", "faults", _faults),
        control("POST", "faults", _add_fault),
        control("DELETE", "faults", _clear_faults),
        control("POST", "reset", _reset),
        Route("/emulator/{rest:path}", _nothing_here, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]


async def _answered(emulator: Emulator, does: Control, request: Request) -> Response:
    try:
        data = await does(emulator, request)
    except LedgerRefusal as refusal:
        missing = refusal.error_code in ("RC_NOT_FOUND", "NOT_FOUND")
        body = {"error": refusal.message, "error_code": refusal.error_code}
        return _json(404 if missing else 400, body)
    return _json(200, data)


def _json(status: int, data: object) -> Response:
    # Whoever steers the emulator does so from a terminal, whose next prompt begins on a line of its own.
    return Response(msgspec.json.encode(data) + b"\n", status, media_type="application/json")


async def _nothing_here(_: Request) -> Response:
    return _json(404, {"error": "there is no such control"})


def _wrong(sentence: str) -> LedgerRefusal:
    return LedgerRefusal("INVALID_REQUEST_PARAMS", sentence)


async def _body(request: Request) -> Json:
    """The body's fields; an empty body has none."""
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _wrong("the body must be JSON") from None
    if not isinstance(body, dict):
        raise _wrong("the body must be a JSON object")
    return body


T = TypeVar("T")


def _read(body: Json, type_: type[T]) -> T:
    try:
        return msgspec.convert(body, type_)
    except msgspec.ValidationError as error:
        raise _wrong(str(error)) from None


# Checkouts and receipts


async def _open_checkout(emulator: Emulator, request: Request) -> object:
    body = await _body(request)
    with emulator.changing() as ledger:
        if "receipt" in body:
            loaded = body["receipt"]
            if not isinstance(loaded, dict) or len(body) > 1:
                raise _wrong("receipt must be a whole receipt, and nothing beside it")
            receipt = ledger.load_receipt(loaded)
        else:
            renamed = {("order_name" if key == "name" else key): value for key, value in body.items()}
            receipt = ledger.open_checkout(_read(renamed, Checkout))
        return {
            "receipt_id": receipt.receipt_id,
            "order_id": receipt.order_id,
            "status": receipt.status,
            "gateway_url": ledger.rules.gateway_url,
        }


async def _receipts(emulator: Emulator, _: Request) -> object:
    with emulator.changing() as ledger:
        return ledger.receipts()


async def _receipt(emulator: Emulator, request: Request) -> object:
    with emulator.changing() as ledger:
        return ledger.receipt(request.path_params["receipt_id"], user=True)


def _price(body: Json) -> int | float | None:
    price = body.get("price")
    if price is None:
        return None
    if isinstance(price, bool) or not isinstance(price, int | float):
        raise _wrong("price must be a number")
    return price


Step = Callable[[Ledger, str, Json], Receipt]

STEPS: dict[str, Step] = {
    "approve": lambda ledger, id_, _: ledger.approve(id_),
    "decline": lambda ledger, id_, body: ledger.decline(id_, str(body.get("message") or "카드 한도초과")),
    "close": lambda ledger, id_, _: ledger.close(id_),
    "issue": lambda ledger, id_, _: ledger.issue(id_),
    "deposit": lambda ledger, id_, _: ledger.deposit(id_),
    "revert": lambda ledger, id_, _: ledger.revert(id_),
    "cancel": lambda ledger, id_, body: ledger.outside_cancel(id_, _price(body)),
    "set": lambda ledger, id_, body: ledger.tamper(id_, body),
}


async def _step(emulator: Emulator, request: Request) -> object:
    step = request.path_params["step"]
    does = STEPS.get(step)
    if does is None:
        raise LedgerRefusal("NOT_FOUND", f"there is no step {step}; one of {', '.join(STEPS)}")
    body = await _body(request)
    with emulator.changing() as ledger:
        return v2_receipt(does(ledger, request.path_params["receipt_id"], body), ledger.rules)


# Webhooks


def _webhook_view(webhook: Webhook) -> Json:
    return {
        "id": webhook.id,
        "receipt_id": webhook.receipt_id,
        "generation": webhook.generation,
        "type": webhook.type,
        "url": webhook.url,
        "content_type": "application/x-www-form-urlencoded" if webhook.form else "application/json",
        "body": webhook.body,
        "created_at": iso(webhook.created_at),
        "due_at": iso(webhook.due_at) if webhook.verdict == "pending" else None,
        "attempts": [
            {
                "at": iso(attempt.at),
                "status": attempt.status,
                "answer": attempt.answer,
                "error": attempt.error,
            }
            for attempt in webhook.attempts
        ],
        "verdict": webhook.verdict,
    }


async def _webhooks(emulator: Emulator, request: Request) -> object:
    if "wait" in request.query_params:
        if request.query_params["wait"] != "idle":
            raise _wrong("wait can only be idle")
        if not await asyncio.to_thread(emulator.wait_idle, 30.0):
            raise _wrong("webhooks are still being sent after 30 seconds")
    with emulator.changing() as ledger:
        return [_webhook_view(webhook) for webhook in ledger.state.webhooks.values()]


async def _resend(emulator: Emulator, request: Request) -> object:
    webhook_id = request.path_params["webhook_id"]
    with emulator.changing() as ledger:
        webhook = ledger.resend(webhook_id)
        if webhook is None:
            raise LedgerRefusal("NOT_FOUND", f"there is no webhook {webhook_id}")
        return _webhook_view(webhook)


# Time


def _clock_view(ledger: Ledger) -> Json:
    return {"now": iso(ledger.now()), "frozen": ledger.state.frozen_at is not None}


async def _clock(emulator: Emulator, _: Request) -> object:
    with emulator.changing() as ledger:
        return _clock_view(ledger)


async def _move_clock(emulator: Emulator, request: Request) -> object:
    body = await _body(request)
    if set(body) not in ({"advance_s"}, {"now"}):
        raise _wrong('the clock takes {"advance_s": seconds} or {"now": time}')
    with emulator.changing() as ledger:
        if "now" in body:
            at = read_time(body["now"])
            if at is None:
                raise _wrong("now must be a time such as 2026-01-31T12:00:00+09:00")
            ledger.set_now(at)
        else:
            seconds = body["advance_s"]
            number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not number or not isinstance(seconds, int | float) or not 0 <= seconds <= 10 * 365 * 86400:
                raise _wrong("advance_s must be a number of seconds, at least 0 and at most ten years")
            ledger.advance(seconds)
        return _clock_view(ledger)


# Faults and forgetting


async def _faults(emulator: Emulator, _: Request) -> object:
    return emulator.faults.list


async def _add_fault(emulator: Emulator, request: Request) -> object:
    fault = _read(await _body(request), Fault)
    emulator.faults.add(fault)
    return fault


async def _clear_faults(emulator: Emulator, _: Request) -> object:
    emulator.faults.clear()
    return {"faults": []}


async def _reset(emulator: Emulator, _: Request) -> object:
    emulator.reset()
    return {"success": True}
