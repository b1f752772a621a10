"""What one payment window was asked to be: where its outcome goes, and which methods it offers.

The ledger knows the payment; this is only the window's own manner, and forgetting it loses no money. A window that
nobody remembers (opened by a control, or before a restart) still works, but tells its outcome to nobody and cannot be
confirmed from the browser.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from dojang.emulator.asking import Ask, flag, listed, number, obj, text, title
from dojang.emulator.ledger import Checkout, LedgerRefusal
from dojang.emulator.words import method_symbol

__all__ = ["OFFERED", "Language", "OpenType", "Window", "Windows", "origin_of", "read_request"]

OpenType = Literal["iframe", "popup", "redirect"]
"""How a shop's page shows the window."""

Language = Literal["ko", "en"]
"""The languages the window speaks."""

OFFERED = ("card", "vbank", "kakao", "phone")
"""The methods that the chooser shows when the shop names none."""

_REMEMBERED_MAX = 10_000
_LOCAL_NAMES = re.compile(r"[A-Za-z0-9.\-\[\]:]+")


@dataclass(frozen=True, slots=True)
class Window:
    """One payment window.

    Attributes:
        open_type: How the shop's page shows it.
        methods: What the buyer may choose from.
        application_id: The public key it was opened with; a confirmation from the browser must bring the same.
        origin: The page that opened it, the only one to hear of its outcome; "" when none said so.
        redirect_url: Where the buyer lands in redirect mode.
        confirm_only_rest_api: Whether the browser may not confirm.
        language: The language it begins in.
    """

    open_type: OpenType = "redirect"
    methods: tuple[str, ...] = OFFERED
    application_id: str = ""
    origin: str = ""
    redirect_url: str = ""
    confirm_only_rest_api: bool = True
    language: Language = "ko"


class Windows:
    """The windows opened by shops' pages; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._by_receipt: OrderedDict[str, Window] = OrderedDict()

    def remember(self, receipt_id: str, window: Window) -> None:
        """Keep how a receipt's window was opened."""
        self._by_receipt[receipt_id] = window
        while len(self._by_receipt) > _REMEMBERED_MAX:
            self._by_receipt.popitem(last=False)

    def find(self, receipt_id: str, methods: tuple[str, ...] = OFFERED) -> Window:
        """How a receipt's window was opened; one with these `methods` and no page behind it if nobody knows."""
        return self._by_receipt.get(receipt_id) or Window(methods=methods)


def origin_of(url: str) -> str:
    """The origin of an http or https address; "" when it is none, or not fit for a header."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _LOCAL_NAMES.fullmatch(parts.netloc):
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _wrong(sentence: str) -> LedgerRefusal:
    return LedgerRefusal("INVALID_REQUEST_PARAMS", sentence)


def read_request(ask: Ask, origin: str) -> tuple[Checkout, Window]:
    """The options of `Bootpay.requestPayment` as a checkout of the ledger and the window around it.

    Only what Bootpay lets a browser say is read: no status, no receipt id, no sandbox flag, no webhook address.

    Args:
        ask: The options as JSON or as a form.
        origin: The page that asks, as its browser says.

    Raises:
        LedgerRefusal: A value is missing or makes no sense.
    """
    extra = Ask(body=obj(ask, "extra") or {})
    key = title(ask, "client_key") or title(ask, "application_id")
    if not key:
        raise LedgerRefusal("APP_KEY_NOT_FOUND", "client_key 또는 application_id 값이 필요합니다.")
    price = number(ask, "price")
    if price is None:
        raise _wrong("price 값이 필요합니다.")
    redirect_url = title(ask, "redirect_url") or title(extra, "redirect_url")
    if redirect_url and not origin_of(redirect_url):
        raise _wrong("redirect_url은 http:// 또는 https:// 주소여야 합니다.")
    open_type = title(extra, "open_type", "iframe")
    if open_type not in get_args(OpenType):
        raise _wrong("extra.open_type은 iframe, popup, redirect 중 하나여야 합니다.")
    if open_type == "redirect" and not redirect_url:
        raise _wrong("redirect 방식에는 redirect_url 값이 필요합니다.")
    methods = _methods(ask)
    locale = title(ask, "locale") or title(extra, "locale")
    checkout = Checkout(
        order_id=text(ask, "order_id"),
        order_name=text(ask, "order_name"),
        price=price,
        tax_free=number(ask, "tax_free") or 0,
        currency=title(ask, "currency", "KRW"),
        pg=title(ask, "pg") or None,
        method=methods[0] if len(methods) == 1 else None,
        metadata=ask.given("metadata"),
        user=obj(ask, "user"),
        separately_confirmed=flag(extra, "separately_confirmed"),
        escrow=flag(extra, "escrow"),
        extra={
            "deposit_expiration": title(extra, "deposit_expiration") or None,
            "webhook_delay_duration": extra.given("webhook_delay_duration"),
            "enable_error_webhook": flag(extra, "enable_error_webhook"),
            "common_event_webhook": flag(extra, "common_event_webhook"),
        },
    )
    window = Window(
        open_type=open_type,  # type: ignore[arg-type]  # one of the three, checked above
        methods=methods,
        application_id=key,
        origin=origin_of(origin),
        redirect_url=redirect_url,
        confirm_only_rest_api=flag(extra, "confirm_only_rest_api"),
        language="en" if locale.lower().startswith("en") else "ko",
    )
    return checkout, window


def _methods(ask: Ask) -> tuple[str, ...]:
    """What the shop offers: one method, a list of them, or whatever there is."""
    named = listed(ask, "method") or [ask.given("method")]
    if named == [None]:
        return OFFERED
    symbols = [method_symbol(name) if isinstance(name, str) else None for name in named]
    if None in symbols:
        raise _wrong("method 값을 알 수 없습니다.")
    return tuple(dict.fromkeys(symbol for symbol in symbols if symbol is not None))
