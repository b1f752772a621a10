"""What the window shows: one page, told by the receipt's status."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import resources

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from dojang.emulator.books import Json, Receipt
from dojang.emulator.checkout.outcome import event_of
from dojang.emulator.checkout.phrases import METHOD_NAMES, date_in, price_in, say
from dojang.emulator.checkout.window import Language, Window, origin_of
from dojang.emulator.rules import Rules
from dojang.emulator.words import METHODS

__all__ = ["STATIC", "View", "error_page", "page", "view_of"]

_PAGES = Environment(
    loader=PackageLoader("dojang.emulator.checkout"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

STATIC = {
    file.name: file.read_bytes()
    for file in resources.files("dojang.emulator.checkout").joinpath("static").iterdir()
    if file.is_file()
}
"""The window's own style and script, and the stand-in for Bootpay's; nothing is fetched from elsewhere."""


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows about a receipt, read while nobody changes it.

    Attributes:
        scene: Which part of the page: choose, account, waiting, paid, cancelled, declined, closed or expired.
        event: What the page that opened the window is told; None while the buyer has not finished.
    """

    receipt_id: str
    scene: str
    shop: str
    order_name: str
    order_id: str
    price: int | float
    currency: str
    method: str
    account: Json
    window: Window
    event: Json | None


def view_of(receipt: Receipt, window: Window, rules: Rules, *, leaving: bool) -> View:
    """What to show of a receipt; `leaving` when the buyer goes while a deposit is still awaited."""
    scene = {0: "choose", 1: "paid", 2: "waiting", 4: "waiting", 5: "account", 20: "cancelled", -3: "expired"}
    event = event_of(receipt, window, rules)
    return View(
        receipt_id=receipt.receipt_id,
        scene="closed" if receipt.closed else scene.get(receipt.status, "declined"),
        shop=rules.company_name,
        order_name=receipt.order_name,
        order_id=receipt.order_id,
        price=receipt.price,
        currency=receipt.currency,
        method=receipt.method_origin,
        account=dict(receipt.details or {}) if receipt.status == 5 else {},
        window=window,
        event=None if receipt.status == 5 and not leaving else event,
    )


def page(view: View, language: Language, *, problem: str = "", status: int = 200) -> HTMLResponse:
    """The window's page."""
    methods = [(symbol, *_names(symbol)) for symbol in view.window.methods]
    chosen = view.method if view.method in view.window.methods else view.window.methods[0]
    html = _PAGES.get_template("window.html").render(
        say=partial(say, language=language),
        language=language,
        view=view,
        methods=methods,
        chosen=chosen,
        price=price_in(view.price, view.currency, language),
        until=date_in(str(view.account.get("expired_at", "")), language),
        event=msgspec.json.encode(view.event).decode() if view.event is not None else "",
        problem=problem,
    )
    return _secured(HTMLResponse(html, status), view.window)


def error_page(title: str, text: str, language: Language, *, status: int) -> HTMLResponse:
    """A page that says in one sentence why there is no window."""
    html = _PAGES.get_template("error.html").render(
        say=partial(say, language=language), language=language, title=title, text=text
    )
    return _secured(HTMLResponse(html, status), Window())


def _names(symbol: str) -> tuple[str, str]:
    if symbol in METHOD_NAMES:
        return METHOD_NAMES[symbol]
    label = METHODS[symbol].label
    return label, label


def _secured(response: HTMLResponse, window: Window) -> HTMLResponse:
    """Only our own style and script, only the shop's page around it, forms only to us and back to the shop."""
    back = origin_of(window.redirect_url)  # browsers hold the redirect after a form to form-action too
    around = window.origin or "'none'"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; "
        f"form-action 'self' {back}; frame-ancestors 'self' {around}".replace(" 'self' 'none'", " 'none'")
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
