"""The window a payment begins in: what the shop may ask for, and what is refused before anything happens."""

from __future__ import annotations

import re

import msgspec

from dojang.emulator.books import Json, Money, Receipt
from dojang.emulator.faces import exact, read_time
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.webhook_log import WebhookLog
from dojang.emulator.words import METHODS, method_symbol, pg_alias

__all__ = ["Checkout", "Windows", "check_money", "is_form"]

_ID = re.compile(r"[0-9a-f]{24}")


class Checkout(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What opens a payment window; the browser's names, and a few that only a tester needs."""

    order_id: str = ""
    price: Money = 0
    order_name: str = "테스트 상품"
    tax_free: Money = 0
    method: str | None = None
    pg: str | None = None
    currency: str = "KRW"
    separately_confirmed: bool = False
    escrow: bool = False
    sandbox: bool = False
    metadata: object = None
    user: Json | None = None
    items: list[Json] | None = None
    extra: Json | None = None
    redirect_url: str | None = None
    # None is the project's own address, "" is nowhere.
    webhook_url: str | None = None
    content_type: str | None = None
    generation: int = 2
    client_sdk: str = "5.3.1"
    # A window for a billing key or an identity check instead of a payment.
    subscription_id: str | None = None
    authentication_id: str | None = None
    receipt_id: str | None = None
    requested_at: str | float | None = None
    deposit_expires_at: str | float | None = None


def _said(condition: bool, sentence: str) -> None:
    if not condition:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", sentence)


def check_money(amount: Money, currency: str, name: str) -> Money:
    """The amount, whole where the currency has no smaller coin.

    Raises:
        LedgerRefusal: It is no amount of that currency.
    """
    _said(0 <= amount < 1e15, f"{name} must be an amount of at least 0, not {amount}")
    tidy = exact(amount)
    whole = isinstance(tidy, int)
    _said(whole or (currency != "KRW" and tidy == amount), f"{name} {amount} is no amount of {currency}")
    return tidy


class Windows(WebhookLog):
    """The books' open windows."""

    def open_checkout(self, checkout: Checkout) -> Receipt:
        """Open a window: status 0 for a payment, 40 for a billing key, 50 for an identity check."""
        self.tick()
        kind, status, order_id, usual_method = _purpose(checkout)
        extra = checkout.extra or {}
        currency = checkout.currency.upper()
        _said(order_id != "" and len(order_id) <= 255, "order_id must have 1 to 255 characters")
        _said(bool(re.fullmatch("[A-Z]{3}", currency)), "currency must be three letters, such as KRW")
        price = check_money(checkout.price, currency, "price")
        tax_free = check_money(checkout.tax_free, currency, "tax_free")
        _said(price > 0 or kind != "payment", "price must be more than 0")
        _said(tax_free <= price, f"tax_free {tax_free} is more than the price {price}")
        _said(checkout.generation in (1, 2), "generation must be 1 or 2")
        method = method_symbol(checkout.method) if checkout.method else usual_method
        _said(method is not None, f"method {checkout.method} is unknown; one of {', '.join(METHODS)}")
        pg = (pg_alias(checkout.pg) or checkout.pg) if checkout.pg else "nicepay"
        if not checkout.pg and method == "kakao":
            pg = "kakao"
        url = checkout.webhook_url
        _said(
            not url or url.startswith(("http://", "https://")),
            "webhook_url must begin with http:// or https://",
        )
        at = self._moment(checkout.requested_at, "requested_at") or self.now()
        receipt = self._record(
            Receipt(
                receipt_id=self._wanted_id(checkout.receipt_id),
                order_id=order_id,
                kind=kind,
                status=status,
                subscription_id=checkout.subscription_id or "",
                price=price,
                tax_free=tax_free,
                order_name=checkout.order_name,
                requested_at=at,
                generation=checkout.generation,
                currency=currency,
                pg=pg,
                method=method or "card",
                method_origin=method or "card",
                sandbox=checkout.sandbox,
                metadata={} if checkout.metadata is None else checkout.metadata,
                user=checkout.user,
                authentication=_person(checkout.user) if kind == "identity" else None,
                separately_confirmed=checkout.separately_confirmed
                or extra.get("separately_confirmed") is True,
                escrow=checkout.escrow or extra.get("escrow") is True,
                account_expires_at=self._moment(
                    checkout.deposit_expires_at or extra.get("deposit_expiration"), "deposit_expires_at"
                ),
                webhook_url=url,
                webhook_form=is_form(checkout.content_type, default=checkout.generation == 1),
                webhook_typed=_sdk_names_types(checkout.client_sdk),
                webhook_delay_s=_delay(extra.get("webhook_delay_duration")),
                error_webhooks=extra.get("enable_error_webhook") is True,
                event_webhooks=extra.get("common_event_webhook") is True,
            )
        )
        if receipt.event_webhooks:
            self._later(at + self.rules.checkout_window_s, "window", receipt.receipt_id)
        return receipt

    def _wanted_id(self, receipt_id: str | None) -> str:
        if receipt_id is None:
            return self.new_id()
        _said(bool(_ID.fullmatch(receipt_id)), "receipt_id must be 24 hexadecimal digits")
        _said(receipt_id not in self.state.receipts, f"receipt {receipt_id} exists already")
        return receipt_id

    def _moment(self, text: object, name: str) -> float | None:
        if text is None:
            return None
        at = read_time(text)
        _said(at is not None, f"{name} must be a time such as 2026-01-31T12:00:00+09:00")
        return at


def _purpose(checkout: Checkout) -> tuple[str, int, str, str]:
    """What a window is for: its kind, first status, the shop's id, and the method when none is named."""
    if checkout.subscription_id:
        return "billing", 40, checkout.order_id or checkout.subscription_id, "card_rebill"
    if checkout.authentication_id:
        return "identity", 50, checkout.authentication_id, "auth"
    return "payment", 0, checkout.order_id, "card"


def _person(user: Json | None) -> Json:
    """Who will be identified in a window where nobody typed anything."""
    named = user or {}
    return {
        "name": named.get("username") or "홍길동",
        "phone": named.get("phone") or "01012345678",
        "birth": "1990-01-01",
        "gender": 1,
        "carrier": "SKT",
        "how": "pass",
        "number_of_realarms": 0,
        "tid": "",
    }


def is_form(content_type: str | None, *, default: bool) -> bool:
    """Whether webhooks are forms; both generations' names for the content types are understood."""
    if not content_type:
        return default
    return content_type in ("application/x-www-form-urlencoded", "urlencoded", "form")


def _sdk_names_types(version: str) -> bool:
    """Whether a browser SDK of this version makes webhooks carry their type: 5.0 and later."""
    major = version.split(".", 1)[0]
    return not major.isdecimal() or int(major) >= 5


def _delay(value: object) -> float:
    return min(float(value), 600.0) if isinstance(value, int | float) and value > 0 else 0.0
