"""The first generation's endpoints: one table; every answer is the `data` of an envelope."""

from __future__ import annotations

from datetime import datetime

from dojang.emulator.asking import Ask, Route, listed, number, obj, route, text, title
from dojang.emulator.books import Json, Receipt
from dojang.emulator.faces import (
    KOREA,
    card_v1,
    exact,
    korean,
    method_words,
    pg_words,
    read_time,
    remaining,
    v1_done,
    v1_payment_data,
    v1_person,
    v1_receipt,
)
from dojang.emulator.ledger import Charge, Checkout, Issuance, Ledger, LedgerRefusal

__all__ = ["ROUTES", "NoData"]


class NoData:
    """An answer without `data`; some leave out the message too."""

    def __init__(self, *, message: bool = True) -> None:
        self.message = message


# Getting in


def _token(ledger: Ledger, ask: Ask) -> Json:
    token = ledger.issue_token(ask.given("application_id"), ask.given("private_key"), generation=1)
    return {"token": token.token, "server_time": int(ledger.now()), "expired_at": int(token.expires_at)}


def _user_token(ledger: Ledger, ask: Ask) -> Json:
    token, expires_at = ledger.user_token(ask.given("user_id"))
    local = datetime.fromtimestamp(expires_at, KOREA).strftime("%Y-%m-%d %H:%M:%S %z")
    return {"user_token": token, "expired_unixtime": int(expires_at), "expired_localtime": local}


# Payments


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


def _link(ledger: Ledger, ask: Ask) -> str:
    price = number(ask, "price")
    if price is None:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "price 값이 필요합니다.")
    checkout = Checkout(
        order_id=text(ask, "order_id"),
        price=price,
        order_name=text(ask, "name"),
        tax_free=number(ask, "tax_free") or 0,
        method=title(ask, "method") or None,
        pg=title(ask, "pg") or None,
        metadata=ask.given("params"),
        user=obj(ask, "user_info"),
        generation=1,
    )
    return f"https://app.bootpay.co.kr/link/{ledger.open_checkout(checkout).receipt_id}"


def _certificate(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.certificate(ask.ids["receipt_id"])
    return {
        "receipt_id": receipt.receipt_id,
        "order_id": receipt.order_id,
        "pg": receipt.pg,
        "method": receipt.method,
        "pg_name": pg_words(receipt).v1_label,
        "method_name": method_words(receipt.method).v1_label,
        "certificate": v1_person(receipt.authentication or {}),
        "payment_data": v1_payment_data(receipt),
    }


# Billing keys


def _issue_key(ledger: Ledger, ask: Ask) -> Json:
    issuance = Issuance(
        pg=text(ask, "pg"),
        order_name=text(ask, "item_name"),
        subscription_id=text(ask, "order_id"),
        method="card_rebill_rest",
        user=obj(ask, "user_info"),
        generation=1,
    )
    for needed in ("card_pw", "identify_number"):
        text(ask, needed)
    receipt = ledger.issue_card_key(
        issuance, text(ask, "card_no"), text(ask, "expire_year"), text(ask, "expire_month")
    )
    return _key_view(ledger, receipt)


def _key_view(ledger: Ledger, receipt: Receipt) -> Json:
    key = ledger.state.billing_keys[receipt.billing_key]
    card = card_v1(key.data)
    return {
        "billing_key": key.billing_key,
        "pg_name": pg_words(receipt).v1_label,
        "pg": receipt.pg,
        "method_name": "카드정기결제",
        "method": receipt.method,
        "data": {
            "card_code": card["card_code"],
            "card_name": f"[{card['card_name']}]",
            "card_no": card["card_no"],
            "card_cl": str(key.data.get("card_type", 0)),
        },
        "e_at": korean(key.expires_at),
        "c_at": korean(key.published_at),
    }


def _charge_asked(ask: Ask) -> Charge:
    price = number(ask, "price")
    if price is None:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "price 값이 필요합니다.")
    return Charge(
        billing_key=text(ask, "billing_key"),
        order_id=text(ask, "order_id"),
        order_name=text(ask, "item_name"),
        price=price,
        tax_free=number(ask, "tax_free") or 0,
        quota=title(ask, "quota", "00"),
        user=obj(ask, "user_info"),
        items=listed(ask, "items"),
        extra=obj(ask, "extra") or {},
        feedback_url=title(ask, "feedback_url"),
        content_type=title(ask, "feedback_content_type"),
        generation=1,
    )


def _charge(ledger: Ledger, ask: Ask) -> Json:
    return _charge_view(ledger.charge(_charge_asked(ask)))


def _charge_view(receipt: Receipt) -> Json:
    card = card_v1(receipt.details or {})
    return {
        "receipt_id": receipt.receipt_id,
        "price": receipt.price,
        "card_no": card["card_no"],
        "card_code": card["card_code"],
        "card_name": card["card_name"],
        "card_quota": card["card_quota"],
        "params": receipt.metadata or None,
        "item_name": receipt.order_name,
        "order_id": receipt.order_id,
        "url": None,
        "payment_name": "카드정기결제",
        "pg_name": pg_words(receipt).v1_label,
        "pg": receipt.pg,
        "method": receipt.method,
        "method_name": method_words(receipt.method).v1_label,
        "requested_at": korean(receipt.requested_at),
        "purchased_at": korean(receipt.purchased_at) if receipt.purchased_at is not None else None,
        "status": receipt.status,
    }


def _subscription(ledger: Ledger, ask: Ask) -> Json:
    ledger.tick()
    receipt = ledger.find(ask.ids["receipt_id"])
    if receipt.kind == "billing" and receipt.billing_key:
        return _key_view(ledger, receipt)
    if receipt.kind == "payment" and receipt.billing_key:
        return _charge_view(receipt)
    raise LedgerRefusal("RC_NOT_SUBSCRIBE")


def _reserve(ledger: Ledger, ask: Ask) -> Json:
    if ask.given("scheduler_type") not in (None, "oneshot"):
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "scheduler_type 값은 oneshot이어야 합니다.")
    reserve = ledger.reserve(_charge_asked(ask), read_time(ask.given("execute_at")))
    return {
        "reserve_id": reserve.reserve_id,
        "billing_key": reserve.billing_key,
        "item_name": reserve.order_name,
        "price": float(reserve.price),
        "purchase_count": 0,
        "purchase_limit": 1,
        "execute_at": int(reserve.execute_at),
        "status": reserve.status,
    }


def _cancel_reserve(ledger: Ledger, ask: Ask) -> NoData:
    ledger.cancel_reserve(ask.ids["reserve_id"])
    return NoData()


def _destroy_key(ledger: Ledger, ask: Ask) -> NoData:
    ledger.destroy_key(ask.ids["billing_key"])
    return NoData(message=False)


# Extras whose answers nobody wrote down: a plausible envelope, and no effect beyond the obvious one.


def _remote_link(ledger: Ledger, _ask: Ask) -> str:
    ledger.changes += 1
    return f"https://app.bootpay.co.kr/link/{ledger.new_id()}"


def _nothing(_ledger: Ledger, _ask: Ask) -> NoData:
    return NoData()


def _message(_ledger: Ledger, ask: Ask) -> NoData:
    if not ask.body:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "data 값이 필요합니다.")
    return NoData()


def _start_delivery(ledger: Ledger, ask: Ask) -> NoData:
    ledger.start_shipping(
        ask.ids["receipt_id"],
        tracking_number=title(ask, "tracking_number") or title(ask, "delivery_no", "-"),
        delivery_corp=title(ask, "delivery_corp", "-"),
    )
    return NoData()


def _webhook(ledger: Ledger, ask: Ask) -> NoData:
    ledger.tell_again(text(ask, "receipt_id"), title(ask, "webhook_url"))
    return NoData()


_CANCELS = {"critical": "RC_CANCEL_CRITICAL_ERROR", "refusal": "RC_CANCEL_SERVER_ERROR"}

ROUTES: list[Route] = [
    route("POST", "/request/token", _token, needs="nothing", refusal="APP_SK_NOT_MATCHED"),
    route("GET", "/receipt/{receipt_id}", _receipt, refusal="RC_NOT_FOUND"),
    route("POST", "/cancel", _cancel, **_CANCELS),
    route("POST", "/submit", _submit, refusal="RC_CONFIRM_FAILED"),
    route("GET", "/certificate/{receipt_id}", _certificate, refusal="AUTH_NOT_CONFIRMED"),
    route("POST", "/request/payment", _link),
    route("POST", "/request/card_rebill", _issue_key, refusal="RC_CONFIRM_FAILED"),
    route("POST", "/subscribe/billing", _charge, refusal="RC_CONFIRM_FAILED"),
    route("GET", "/subscribe/billing/{receipt_id}", _subscription, refusal="RC_NOT_SUBSCRIBE"),
    route("POST", "/subscribe/billing/reserve", _reserve, refusal="SUBSCRIBE_BK_EXPIRED"),
    route("DELETE", "/subscribe/billing/reserve/{reserve_id}", _cancel_reserve),
    route("DELETE", "/subscribe/billing/{billing_key}", _destroy_key, refusal="SUBSCRIBE_BK_EXPIRED"),
    route("POST", "/request/user/token", _user_token),
    route("POST", "/app/rest/remote_link", _remote_link, needs="nothing"),
    route("POST", "/app/rest/remote_form", _remote_link),
    route("POST", "/push/sms", _message),
    route("POST", "/push/lms", _message),
    route("PUT", "/delivery/start/{receipt_id}", _start_delivery, refusal="RC_NOT_ESCROW"),
    route("POST", "/npay/product", _nothing),
    route("POST", "/project/payment", _nothing),
    route("POST", "/webhook", _webhook),
]
"""The endpoints of the first generation."""
