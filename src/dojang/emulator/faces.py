"""One receipt, two faces: how each generation of Bootpay's API shows what the ledger holds.

Which fields are present, null or missing in which state follows the recorded bodies; the tests compare them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from dojang.emulator.books import Json, Money, Receipt
from dojang.emulator.rules import Rules
from dojang.emulator.words import METHODS, PGS, STATUS_LOCALES, Method, Pg

__all__ = [
    "KOREA",
    "card_v1",
    "iso",
    "korean",
    "read_time",
    "remaining",
    "status_v1",
    "v1_done",
    "v1_payment_data",
    "v1_receipt",
    "v2_receipt",
]

KOREA = timezone(timedelta(hours=9))
"""Korean time, which has no summer time."""

# v2's account of a receipt in v1's numbers. Numbers not listed here mean the same in both, or nothing in v1.
_V1_STATUS = {4: 3, 5: 2, -4: -1}
_V1_WORDS = {1: ("complete", "결제완료"), 20: ("cancel", "결제취소")}
# Later moments (the year 3058) are mistakes, and break calendars.
_END_OF_TIME = 2.0**35
_UNPAID = frozenset({0, 2, 4, 5, 40, 41, 50, -2, -3, -4, -40})


def iso(at: float) -> str:
    """A moment as the second generation writes it."""
    return datetime.fromtimestamp(at, KOREA).isoformat(timespec="seconds")


def korean(at: float) -> str:
    """A moment as the first generation writes it: Korean time, no zone."""
    return datetime.fromtimestamp(at, KOREA).strftime("%Y-%m-%d %H:%M:%S")


def read_time(text: object) -> float | None:
    """Seconds since 1970 of a moment written either way; without a zone it is Korean. None when it is no moment."""
    at: float | None = None
    if (isinstance(text, int | float) and not isinstance(text, bool)) or (
        isinstance(text, str) and text.isdecimal()
    ):
        at = float(text)
    elif isinstance(text, str):
        try:
            moment = datetime.fromisoformat(text.strip())
            at = (moment if moment.tzinfo is not None else moment.replace(tzinfo=KOREA)).timestamp()
        except (ValueError, OverflowError):
            return None
    return at if at is not None and 0 <= at < _END_OF_TIME else None


def remaining(receipt: Receipt) -> Money:
    """What of the price has not been cancelled."""
    return exact(receipt.price - receipt.cancelled_price)


def exact(amount: Money) -> Money:
    """The amount without the dust of binary fractions; whole amounts are whole numbers."""
    rounded = round(amount, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def status_v1(status: int) -> int:
    """What the first generation calls a status of the second."""
    return _V1_STATUS.get(status, status)


def pg_words(receipt: Receipt) -> Pg:
    """The labels of the receipt's payment company; an unknown one is its own label."""
    return PGS.get(receipt.pg) or Pg(receipt.pg, receipt.pg)


def method_words(symbol: str) -> Method:
    """The labels of a method; an unknown one is its own label."""
    return METHODS.get(symbol) or Method(symbol, symbol, "card_data", symbol, symbol)


def _disguised(receipt: Receipt, view: Json) -> Json:
    """The view with what a tester changed about it."""
    if receipt.tampered:
        view.update(receipt.tampered)
    for field in receipt.missing:
        view.pop(field, None)
    return view


def v2_receipt(receipt: Receipt, rules: Rules, *, user: bool = False) -> Json:
    """The receipt as the second generation shows it, undisturbed fields in the recorded order."""
    method = method_words(receipt.method)
    view: Json = {
        "receipt_id": receipt.receipt_id,
        "order_id": receipt.order_id,
        "price": receipt.price,
        "tax_free": receipt.tax_free,
        "cancelled_price": receipt.cancelled_price,
        "cancelled_tax_free": receipt.cancelled_tax_free,
        "order_name": receipt.order_name,
        "company_name": rules.company_name,
        "gateway_url": rules.gateway_url,
        "metadata": receipt.metadata,
        "sandbox": receipt.sandbox,
        "pg": pg_words(receipt).label,
        "method": method.label,
        "method_symbol": receipt.method,
        "method_origin": method_words(receipt.method_origin).label,
        "method_origin_symbol": receipt.method_origin,
    }
    if receipt.purchased_at is not None:
        view["purchased_at"] = iso(receipt.purchased_at)
    view["requested_at"] = iso(receipt.requested_at)
    view["status_locale"] = STATUS_LOCALES.get(receipt.status, "")
    view["currency"] = receipt.currency
    paid = receipt.purchased_at is not None and receipt.status not in _UNPAID
    if paid and receipt.kind == "payment":
        view["receipt_url"] = f"{rules.receipt_host}/receipt/{receipt.receipt_id}"
    view["status"] = receipt.status
    if receipt.details is not None:
        view[method.data_key] = dict(receipt.details)
    if receipt.escrow_data is not None:
        view["escrow_data"] = dict(receipt.escrow_data)
    if receipt.cash_receipt_data is not None:
        view["cash_receipt_data"] = dict(receipt.cash_receipt_data)
    if receipt.cancelled_at is not None:
        view["cancelled_at"] = iso(receipt.cancelled_at)
    if user and receipt.user is not None:
        view["user"] = receipt.user
    return _disguised(receipt, view)


def v1_receipt(receipt: Receipt, rules: Rules) -> Json:
    """The `data` of the first generation's receipt."""
    method = method_words(receipt.method)
    status = status_v1(receipt.status)
    paid = receipt.purchased_at is not None
    view: Json = {
        "receipt_id": receipt.receipt_id,
        "order_id": receipt.order_id,
        "name": receipt.order_name,
        "price": receipt.price,
        "tax_free": receipt.tax_free,
        "remain_price": remaining(receipt),
        "remain_tax_free": exact(receipt.tax_free - receipt.cancelled_tax_free),
        "cancelled_price": receipt.cancelled_price,
        "cancelled_tax_free": receipt.cancelled_tax_free,
        "receipt_url": f"{rules.receipt_host}/bill/{receipt.receipt_id}" if paid else None,
        "unit": receipt.currency.lower(),
        "pg": receipt.pg,
        "method": receipt.method,
        "pg_name": pg_words(receipt).v1_label,
        "method_name": method.v1_label,
        "payment_data": v1_payment_data(receipt),
        "requested_at": korean(receipt.requested_at),
        "purchased_at": korean(receipt.purchased_at) if receipt.purchased_at is not None else None,
        "status": status,
    }
    if receipt.metadata:
        view["params"] = receipt.metadata
    if status in _V1_WORDS:
        view["status_en"], view["status_ko"] = _V1_WORDS[status]
    if receipt.cancelled_at is not None:
        view["revoked_at"] = korean(receipt.cancelled_at)
    if receipt.escrow_data is not None:
        view["escrow_status"] = receipt.escrow_data.get("status")
        view["escrow_status_ko"] = receipt.escrow_data.get("status_locale")
    return _disguised(receipt, view)


def card_v1(details: Json) -> Json:
    """The card's fields as the first generation abbreviates them."""
    return {
        "card_name": details.get("card_company", ""),
        "card_no": details.get("card_no", ""),
        "card_quota": details.get("card_quota", "00"),
        "card_code": details.get("card_company_code", ""),
    }


def v1_payment_data(receipt: Receipt) -> Json:
    """The payment company's raw account of a payment, by the short names of the first generation."""
    details = receipt.details or {}
    data: Json = {}
    match method_words(receipt.method).data_key:
        case "card_data" if details:
            data = card_v1(details) | {"card_auth_no": details.get("card_approve_no", "")}
        case "vbank_data" if details:
            expires = read_time(details.get("expired_at"))
            data = {
                "bankname": details.get("bank_name", ""),
                "accountholder": details.get("bank_username", ""),
                "account": details.get("bank_account", ""),
                "expiredate": korean(expires) if expires is not None else "",
                "username": details.get("sender_name", ""),
            }
            if receipt.purchased_at is not None:
                data["cash_result"] = ""
        case "bank_data" if details:
            data = {"bankname": details.get("bank_name", ""), "cash_result": ""}
        case "authenticate_data" if receipt.authentication is not None:
            data = v1_person(receipt.authentication)
    if receipt.purchased_at is None:
        return data
    return data | {
        "receipt_id": receipt.receipt_id,
        "n": receipt.order_name,
        "p": receipt.price,
        "tid": details.get("tid", ""),
        "pg": pg_words(receipt).v1_label,
        "pm": method_words(receipt.method).v1_label,
        "pg_a": receipt.pg,
        "pm_a": receipt.method,
        "o_id": receipt.order_id,
        "p_at": korean(receipt.purchased_at),
        "s": 1,
        "g": 2,
    }


def v1_person(authentication: Json) -> Json:
    """An identified person in the first generation's words."""
    return {
        "username": authentication.get("name", ""),
        "phone": authentication.get("phone", ""),
        "birth": authentication.get("birth", ""),
        "gender": str(authentication.get("gender", "")),
        "unique": authentication.get("unique", ""),
        "di": authentication.get("unique", ""),
    }


def v1_done(receipt: Receipt, rules: Rules) -> Json:
    """What the first generation's browser is told when a payment is done; `submit` answers the same."""
    method = method_words(receipt.method)
    group = {
        "payment_group": method.group,
        "payment_group_name": method.group_label,
        "payment_name": method.v1_label,
    }
    card = card_v1(receipt.details) if receipt.details and method.data_key == "card_data" else {}
    view: Json = (
        card
        | group
        | {
            "item_name": receipt.order_name,
            "method": receipt.method,
            "method_name": method.v1_label,
            "order_id": receipt.order_id,
            "pg": receipt.pg,
            "pg_name": pg_words(receipt).v1_label,
            "price": receipt.price,
            "purchased_at": korean(receipt.purchased_at) if receipt.purchased_at is not None else None,
            "receipt_id": receipt.receipt_id,
            "receipt_url": f"{rules.receipt_host}/bill/{receipt.receipt_id}",
            "requested_at": korean(receipt.requested_at),
            "status": status_v1(receipt.status),
            "tax_free": receipt.tax_free,
            "url": "https://app.bootpay.co.kr",
        }
    )
    return view
