"""What a shop's page is told about its window: the events of Bootpay's browser script, and the redirect's query."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dojang.emulator.books import Json, Receipt
from dojang.emulator.checkout.window import Window
from dojang.emulator.faces import v2_receipt
from dojang.emulator.refusals import CODES
from dojang.emulator.rules import Rules
from dojang.emulator.words import STATUS_LOCALES

__all__ = ["DECLINED_PG_CODE", "cancelled", "event_of", "redirect_to"]

DECLINED_PG_CODE = "70020"
"""The payment company's code of a refused card, as in the recorded event."""


def cancelled() -> Json:
    """The buyer left without paying."""
    return {
        "event": "cancel",
        "error_code": "RC_CLOSE_WINDOW",
        "message": CODES["RC_CLOSE_WINDOW"].message,
    }


def event_of(receipt: Receipt, window: Window, rules: Rules) -> Json | None:
    """What the receipt's status means to the page that opened its window; None while nothing has happened."""
    match receipt.status:
        case 2:
            return {
                "event": "confirm",
                "application_id": window.application_id,
                "receipt_id": receipt.receipt_id,
                "gateway_url": rules.gateway_url,
                "order_id": receipt.order_id,
            }
        case 1 | 20:
            return {"event": "done", "data": v2_receipt(receipt, rules), "bootpay_event": True}
        case 5:
            return {"event": "issued", "data": v2_receipt(receipt, rules), "bootpay_event": True}
        case 0:
            return cancelled() if receipt.closed else None
        case _:
            return {
                "event": "error",
                "error_code": "RC_CONFIRM_FAILED",
                "pg_error_code": DECLINED_PG_CODE,
                "message": CODES["RC_CONFIRM_FAILED"].message,
                "payload": {},
            }


def redirect_to(receipt: Receipt, window: Window, event: Json) -> str:
    """The shop's address with the outcome in its query, beside what the query held before."""
    parts = urlsplit(window.redirect_url)
    outcome = {
        "event": event["event"],
        "application_id": window.application_id,
        "receipt_id": receipt.receipt_id,
        "order_id": receipt.order_id,
        "status": receipt.status,
        "status_locale": STATUS_LOCALES.get(receipt.status, ""),
        "message": event.get("message", ""),
    }
    if "error_code" in event:
        outcome["error_code"] = event["error_code"]
    before = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in outcome]
    return urlunsplit(parts._replace(query=urlencode([*before, *outcome.items()])))
