"""The second generation's endpoints: one table, flat answers."""

from __future__ import annotations

from math import ceil

from dojang.emulator.asking import Ask, Route, flag, number, obj, route, text, title
from dojang.emulator.books import Json
from dojang.emulator.faces import v2_receipt
from dojang.emulator.ledger import Ledger

__all__ = ["ROUTES"]


def _token(ledger: Ledger, ask: Ask) -> Json:
    token = ledger.issue_token(ask.given("application_id"), ask.given("private_key"), generation=2)
    return {"access_token": token.token, "expire_in": ceil(token.expires_at - ledger.now())}


def _receipt(ledger: Ledger, ask: Ask) -> Json:
    return ledger.receipt(ask.ids["receipt_id"], user=flag(ask, "lookup_user_data"))


def _lookup_order(ledger: Ledger, ask: Ask) -> list[Json]:
    return ledger.lookup_order(ask.ids["order_id"])


def _confirm(ledger: Ledger, ask: Ask) -> Json:
    return v2_receipt(ledger.confirm(text(ask, "receipt_id")), ledger.rules)


def _cancel(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.cancel(
        text(ask, "receipt_id"),
        number(ask, "cancel_price"),
        tax_free=number(ask, "cancel_tax_free"),
        cancel_id=title(ask, "cancel_id"),
        refund=obj(ask, "refund"),
    )
    return v2_receipt(receipt, ledger.rules)


def _close(ledger: Ledger, ask: Ask) -> Json:
    return v2_receipt(ledger.close(ask.ids["receipt_id"]), ledger.rules)


def _user_token(ledger: Ledger, ask: Ask) -> Json:
    return ledger.user_token_v2(ask.given("user_id"))


_CANCELS = {"critical": "RC_CANCEL_CRITICAL_ERROR", "refusal": "RC_CANCEL_SERVER_ERROR"}

ROUTES: list[Route] = [
    route("POST", "/v2/request/token", _token, needs="nothing", refusal="APP_SK_NOT_MATCHED"),
    route("GET", "/v2/receipt/{receipt_id}", _receipt, refusal="RC_NOT_FOUND"),
    route("GET", "/v2/lookup/order/{order_id}", _lookup_order, refusal="RC_NOT_FOUND"),
    route("POST", "/v2/confirm", _confirm, refusal="RC_CONFIRM_FAILED"),
    route("POST", "/v2/cancel", _cancel, **_CANCELS),
    route("POST", "/v2/request/user/token", _user_token, needs="bearer"),
    route("PUT", "/v2/close/{receipt_id}", _close, needs="nothing"),
]
