"""The window's addresses, and how a browser's request becomes a step of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dojang.emulator.asking import Ask, read_body, title
from dojang.emulator.books import Receipt
from dojang.emulator.checkout.outcome import event_of, redirect_to
from dojang.emulator.checkout.pages import STATIC, View, error_page, page, view_of
from dojang.emulator.checkout.phrases import say
from dojang.emulator.checkout.steps import take
from dojang.emulator.checkout.window import OFFERED, Language, Window, Windows, read_request
from dojang.emulator.ledger import Ledger, LedgerRefusal
from dojang.emulator.running import Emulator

__all__ = ["checkout_routes"]

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}

# Any shop's page may ask; nothing here is guarded by a cookie, so any origin is as good as none.
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = _ANY_ORIGIN | {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "600",
}


class _Desk(NamedTuple):
    """Where windows are opened: the emulator, and what is remembered of each window."""

    emulator: Emulator
    windows: Windows


def checkout_routes(emulator: Emulator) -> list[Route]:
    """The payment window of `emulator`, and the stand-in for Bootpay's browser script."""
    desk = _Desk(emulator, Windows())
    window = "/checkout/{receipt_id:str}"
    return [
        Route("/js/bootpay.js", partial(_static, "bootpay.js"), methods=["GET"]),
        *(
            Route(f"/checkout/static/{name}", partial(_static, name), methods=["GET"])
            for name in STATIC
            if name != "bootpay.js"
        ),
        Route("/v2/request/payment", partial(_request, desk), methods=["POST"]),
        Route(window, partial(_show, desk), methods=["GET"]),
        Route(window, partial(_step, desk), methods=["POST"]),
        Route(f"{window}/close", partial(_answered, desk, _close), methods=["POST"]),
        Route(f"{window}/confirm", partial(_answered, desk, _confirm), methods=["POST"]),
        *(
            Route(path, _preflight, methods=["OPTIONS"])
            for path in ("/v2/request/payment", f"{window}/close", f"{window}/confirm")
        ),
    ]


async def _static(name: str, _: Request) -> Response:
    media_type = _TYPES[name.rpartition(".")[2]]
    return Response(STATIC[name], media_type=media_type, headers={"Cache-Control": "no-cache"})


async def _preflight(_: Request) -> Response:
    return Response(status_code=204, headers=_PREFLIGHT)


def _json(status: int, data: object) -> Response:
    body = msgspec.json.encode(data)
    return Response(body, status, media_type="application/json", headers=_ANY_ORIGIN)


def _refused(refusal: LedgerRefusal) -> Response:
    return _json(refusal.http_status, {"error_code": refusal.error_code, "message": refusal.message})


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


async def _asked(request: Request) -> Ask:
    """The request's fields, form or JSON.

    Raises:
        LedgerRefusal: It is neither.
    """
    try:
        return Ask(body=read_body(await request.body()))
    except RecursionError:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "요청이 너무 깊이 중첩되어 있습니다.") from None


# Opening


async def _request(desk: _Desk, request: Request) -> Response:
    """The page's options: a window for the script, or, from a plain form, the window itself."""
    form = _is_form(request)
    try:
        ask = await _asked(request)
        checkout, window = read_request(ask, request.headers.get("origin", ""))
        with desk.emulator.changing() as ledger:
            _known(ledger, window.application_id)
            receipt = ledger.open_checkout(checkout)
            desk.windows.remember(receipt.receipt_id, window)
    except LedgerRefusal as refusal:
        if form:
            return error_page(say("request_title", "ko"), refusal.message, "ko", status=refusal.http_status)
        return _refused(refusal)
    path = f"/checkout/{receipt.receipt_id}"
    return (
        RedirectResponse(path, 303) if form else _json(200, {"receipt_id": receipt.receipt_id, "path": path})
    )


def _known(ledger: Ledger, application_id: str) -> None:
    """Only the project's own public key opens a window, when the emulator was told which that is."""
    right = {ledger.keys.client_key, ledger.keys.application_id} - {""}
    if right and application_id not in right:
        raise LedgerRefusal("APP_KEY_NOT_FOUND")


# The window


def _payment(desk: _Desk, ledger: Ledger, request: Request) -> tuple[Receipt, Window]:
    ledger.tick()
    receipt = ledger.find(request.path_params["receipt_id"])
    if receipt.kind != "payment":
        raise LedgerRefusal("RC_NOT_FOUND")
    # A window opened by a control offers everything, its own method included.
    methods = tuple(dict.fromkeys((receipt.method_origin, *OFFERED)))
    return receipt, desk.windows.find(receipt.receipt_id, methods)


def _language(word: object, window: Window) -> Language:
    return "en" if word == "en" else "ko" if word == "ko" else window.language


def _missing(language: Language) -> Response:
    return error_page(say("not_found_title", language), say("not_found_text", language), language, status=404)


async def _show(desk: _Desk, request: Request) -> Response:
    query = request.query_params
    try:
        with desk.emulator.changing() as ledger:
            receipt, window = _payment(desk, ledger, request)
            view = view_of(receipt, window, ledger.rules, leaving="leave" in query)
    except LedgerRefusal:
        return _missing("en" if query.get("lang") == "en" else "ko")
    return page(view, _language(query.get("lang"), window))


async def _step(desk: _Desk, request: Request) -> Response:
    """What the buyer pressed; then the page again, or back to the shop."""
    try:
        ask = await _asked(request)
    except LedgerRefusal:
        ask = Ask()
    step, problem, status = title(ask, "step"), "", 200
    try:
        with desk.emulator.changing() as ledger:
            receipt, window = _payment(desk, ledger, request)
            language = _language(ask.given("lang"), window)
            try:
                receipt = take(ledger, receipt.receipt_id, window, step, title(ask, "method"))
            except LedgerRefusal as refusal:
                problem = refusal.message if language == "ko" else say("not_possible", "en")
                status = refusal.http_status
            leaving = step == "close"
            view = view_of(receipt, window, ledger.rules, leaving=leaving)
            back = _way_back(receipt, view)
    except LedgerRefusal:
        return _missing("en" if ask.given("lang") == "en" else "ko")
    if problem:
        return page(view, language, problem=problem, status=status)
    if back:
        return RedirectResponse(back, 303)
    leave = "&leave=1" if leaving else ""
    return RedirectResponse(f"/checkout/{receipt.receipt_id}?lang={language}{leave}", 303)


def _way_back(receipt: Receipt, view: View) -> str:
    """Where a buyer who came by redirect goes now; "" while the window is not done or nobody waits elsewhere."""
    if view.window.open_type != "redirect" or not view.window.redirect_url or view.event is None:
        return ""
    return redirect_to(receipt, view.window, view.event)


# The script


_Does = Callable[[Ledger, Receipt, Window, Ask], None]


async def _answered(desk: _Desk, does: _Does, request: Request) -> Response:
    try:
        ask = await _asked(request)
        with desk.emulator.changing() as ledger:
            receipt, window = _payment(desk, ledger, request)
            does(ledger, receipt, window, ask)
            return _json(200, event_of(receipt, window, ledger.rules))
    except LedgerRefusal as refusal:
        return _refused(refusal)


def _close(ledger: Ledger, receipt: Receipt, _window: Window, _ask: Ask) -> None:
    """The buyer shut the window from outside; the answer is what had happened by then."""
    ledger.close(receipt.receipt_id)


def _confirm(ledger: Ledger, receipt: Receipt, window: Window, ask: Ask) -> None:
    """The page confirms, where the shop left that to the page and the page is the one that opened the window.

    Raises:
        LedgerRefusal: It may not, or there is nothing to confirm.
    """
    key = title(ask, "client_key") or title(ask, "application_id")
    if window.confirm_only_rest_api or key != window.application_id:
        raise LedgerRefusal("RC_NOT_CONFIRM_READY")
    ledger.confirm(receipt.receipt_id)
