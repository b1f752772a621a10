"""The first generation's endpoints: one table; every answer is the `data` of an envelope."""

from __future__ import annotations

from datetime import datetime

from dojang.emulator.asking import Ask, Route, number, obj, route, text, title
from dojang.emulator.books import Json
from dojang.emulator.faces import KOREA, exact, korean, remaining, v1_done, v1_receipt
from dojang.emulator.ledger import Ledger, LedgerRefusal

__all__ = ["ROUTES", "NoData"]


class NoData:
    """An answer without `data`; some leave out the message too."""

    def __init__(self, *, message: bool = True) -> None:
        self.message = message


def _token(ledger: Ledger, ask: Ask) -> Json:
    token = ledger.issue_token(ask.given("application_id"), ask.given("private_key"), generation=1)
    return {"token": token.token, "server_time": int(ledger.now()), "expired_at": int(token.expires_at)}


def _receipt(ledger: Ledger, ask: Ask) -> Json:
    ledger.tick()
    return v1_receipt(ledger.find(ask.ids["receipt_id"]), ledger.rules)


def _submit(ledger: Ledger, ask: Ask) -> Json:
    return v1_done(ledger.confirm(text(ask, "receipt_id")), ledger.rules)


def _cancel(ledger: Ledger, ask: Ask) -> Json:
    ledger.tick()
    receipt = ledger.find(text(ask, "receipt_id"))
    price = number(ask, "price")
    before, left = receipt.cancelled_price, remaining(receipt)
    if receipt.status == 20:
        raise LedgerRefusal("RC_ALREADY_CANCELLED", "기취소된 건입니다")
    if price is not None and price < min(ledger.rules.v1_partial_cancel_min, left):
        raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "부분취소는 1,000원 이상부터 가능합니다.")
    account = obj(ask, "refund") or {}
    ledger.cancel(
        receipt.receipt_id,
        price,
        tax_free=number(ask, "tax_free"),
        cancel_id=title(ask, "cancel_id"),
        refund={
            "bank_account": account.get("account"),
            "bank_username": account.get("accountholder"),
            "bank_code": account.get("bankcode"),
        },
    )
    return {
        "receipt_id": receipt.receipt_id,
        "request_cancel_price": exact(receipt.cancelled_price - before),
        "remain_price": remaining(receipt),
        "remain_tax_free": exact(receipt.tax_free - receipt.cancelled_tax_free),
        "cancelled_price": receipt.cancelled_price,
        "cancelled_tax_free": receipt.cancelled_tax_free,
        "revoked_at": korean(ledger.now()),
        "tid": ledger.new_digits(8),
    }


def _user_token(ledger: Ledger, ask: Ask) -> Json:
    token, expires_at = ledger.user_token(ask.given("user_id"))
    local = datetime.fromtimestamp(expires_at, KOREA).strftime("%Y-%m-%d %H:%M:%S %z")
    return {"user_token": token, "expired_unixtime": int(expires_at), "expired_localtime": local}


_CANCELS = {"critical": "RC_CANCEL_CRITICAL_ERROR", "refusal": "RC_CANCEL_SERVER_ERROR"}

ROUTES: list[Route] = [
    route("POST", "/request/token", _token, needs="nothing", refusal="APP_SK_NOT_MATCHED"),
    route("GET", "/receipt/{receipt_id}", _receipt, refusal="RC_NOT_FOUND"),
    route("POST", "/cancel", _cancel, **_CANCELS),
    route("POST", "/submit", _submit, refusal="RC_CONFIRM_FAILED"),
    route("POST", "/request/user/token", _user_token),
]
