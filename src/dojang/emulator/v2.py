"""The second generation's endpoints: one table, flat answers."""

from __future__ import annotations

from math import ceil

from dojang.emulator.asking import Ask, Route, flag, listed, number, obj, route, text, title
from dojang.emulator.books import Json
from dojang.emulator.faces import iso, read_time, v2_receipt
from dojang.emulator.ledger import Charge, Issuance, Ledger, LedgerRefusal, Person
from dojang.emulator.words import METHODS, PGS, STATUS_LOCALES

__all__ = ["ROUTES"]

# Getting in


def _token(ledger: Ledger, ask: Ask) -> Json:
    token = ledger.issue_token(ask.given("application_id"), ask.given("private_key"), generation=2)
    return {"access_token": token.token, "expire_in": ceil(token.expires_at - ledger.now())}


def _user_token(ledger: Ledger, ask: Ask) -> Json:
    token, expires_at = ledger.user_token(ask.given("user_id"))
    return {"user_token": token, "expired_at": iso(expires_at)}


# Payments


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


def _webhook(ledger: Ledger, ask: Ask) -> Json:
    return {"success": ledger.tell_again(text(ask, "receipt_id"), title(ask, "webhook_url"))}


# Billing keys


def _issuance(ask: Ask, method: str) -> Issuance:
    return Issuance(
        pg=title(ask, "pg"),
        order_name=text(ask, "order_name"),
        subscription_id=text(ask, "subscription_id"),
        method=method,
        price=number(ask, "price") or 0,
        tax_free=number(ask, "tax_free") or 0,
        user=obj(ask, "user"),
        metadata=ask.given("metadata"),
    )


def _issue_card_key(ledger: Ledger, ask: Ask) -> Json:
    for needed in ("card_pw", "card_identity_no"):
        text(ask, needed)
    receipt = ledger.issue_card_key(
        _issuance(ask, "card_rebill"),
        text(ask, "card_no"),
        text(ask, "card_expire_year"),
        text(ask, "card_expire_month"),
    )
    return ledger.billing(receipt)


def _request_account_key(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.request_account_key(
        _issuance(ask, "automatic_transfer_rest"),
        bank=title(ask, "bank_name"),
        account=title(ask, "bank_account"),
        holder=title(ask, "username"),
    )
    return v2_receipt(receipt, ledger.rules)


def _publish_account_key(ledger: Ledger, ask: Ask) -> Json:
    return ledger.billing(ledger.publish_account_key(text(ask, "receipt_id")))


def _billing_of_receipt(ledger: Ledger, ask: Ask) -> Json:
    return ledger.billing_of_receipt(ask.ids["receipt_id"])


def _billing_of_key(ledger: Ledger, ask: Ask) -> Json:
    return ledger.billing_of_key(ask.ids["billing_key"])


def _sequential_billing_key(ledger: Ledger, ask: Ask) -> Json:
    return ledger.billing_of_key(ask.ids["billing_key"], user_id=title(ask, "user_id"))


def _destroy_key(ledger: Ledger, ask: Ask) -> Json:
    ledger.destroy_key(ask.ids["billing_key"])
    return {"billing_key": ask.ids["billing_key"]}


def _charge_asked(ask: Ask, billing_key: str) -> Charge:
    price = number(ask, "price")
    if price is None:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "price 값이 필요합니다.")
    return Charge(
        billing_key=billing_key,
        order_id=text(ask, "order_id"),
        order_name=text(ask, "order_name"),
        price=price,
        tax_free=number(ask, "tax_free") or 0,
        quota=title(ask, "card_quota", "00"),
        user=obj(ask, "user"),
        items=listed(ask, "items"),
        metadata=ask.given("metadata"),
        extra=obj(ask, "extra") or {},
        feedback_url=title(ask, "feedback_url") or title(ask, "webhook_url"),
        content_type=title(ask, "content_type"),
    )


def _charge(ledger: Ledger, ask: Ask) -> Json:
    key = title(ask, "billing_key") or text(ask, "wallet_key")
    return v2_receipt(ledger.charge(_charge_asked(ask, key)), ledger.rules)


def _reserve(ledger: Ledger, ask: Ask) -> Json:
    asked = _charge_asked(ask, text(ask, "billing_key"))
    reserve = ledger.reserve(asked, read_time(ask.given("reserve_execute_at")))
    return {"reserve_id": reserve.reserve_id, "reserve_execute_at": iso(reserve.execute_at)}


def _find_reserve(ledger: Ledger, ask: Ask) -> Json:
    return ledger.reserve_view(ledger.find_reserve(ask.ids["reserve_id"]))


def _cancel_reserve(ledger: Ledger, ask: Ask) -> Json:
    ledger.cancel_reserve(ask.ids["reserve_id"])
    return {"reserve_id": ask.ids["reserve_id"], "success": True}


def _wallets(ledger: Ledger, ask: Ask) -> list[Json]:
    return ledger.wallets(title(ask, "user_id"))


def _wallet_payment(ledger: Ledger, ask: Ask) -> Json:
    wallets = ledger.wallets(text(ask, "user_id"))
    if not wallets:
        raise LedgerRefusal("SUBSCRIBE_BK_EXPIRED", "결제할 수 있는 지갑이 없습니다.")
    wallet = str(wallets[0]["wallet_id"])
    paid = v2_receipt(ledger.charge(_charge_asked(ask, wallet)), ledger.rules)
    return paid | {"wallet_data": {"success": wallets[0], "failure": []}}


# Papers


def _start_shipping(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.start_shipping(
        ask.ids["receipt_id"],
        tracking_number=title(ask, "tracking_number"),
        delivery_corp=title(ask, "delivery_corp"),
    )
    return v2_receipt(receipt, ledger.rules)


def _publish_cash_receipt(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.publish_cash_receipt(
        text(ask, "receipt_id"), title(ask, "identity_no"), title(ask, "cash_receipt_type", "소득공제")
    )
    return v2_receipt(receipt, ledger.rules)


def _revoke_cash_receipt(ledger: Ledger, ask: Ask) -> Json:
    return v2_receipt(ledger.revoke_cash_receipt(ask.ids["receipt_id"]), ledger.rules)


def _issue_cash_receipt(ledger: Ledger, ask: Ask) -> Json:
    bought = ask.given("purchased_at")
    at = read_time(bought)
    if bought is not None and at is None:
        raise LedgerRefusal("RC_CASH_RECEIPT_FAILED", "purchased_at 값이 올바르지 않습니다.")
    receipt = ledger.issue_cash_receipt(
        order_id=title(ask, "order_id"),
        order_name=title(ask, "order_name"),
        identity_no=title(ask, "identity_no"),
        type_=title(ask, "cash_receipt_type", "소득공제"),
        price=number(ask, "price") or 0,
        tax_free=number(ask, "tax_free") or 0,
        purchased_at=at,
        pg=title(ask, "pg") or None,
        metadata=ask.given("metadata"),
        user=obj(ask, "user"),
    )
    return v2_receipt(receipt, ledger.rules)


def _cancel_cash_receipt(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.cancel_cash_receipt(ask.ids["receipt_id"])
    return {
        "receipt_id": receipt.receipt_id,
        "status": receipt.status,
        "status_locale": STATUS_LOCALES[receipt.status],
    }


# Identity


def _certificate(ledger: Ledger, ask: Ask) -> Json:
    return ledger.certificate_view(ledger.certificate(ask.ids["receipt_id"]))


def _request_authentication(ledger: Ledger, ask: Ask) -> Json:
    person = Person(
        pg=title(ask, "pg"),
        method=title(ask, "method"),
        authentication_id=title(ask, "authentication_id"),
        username=title(ask, "username"),
        identity_no=title(ask, "identity_no"),
        carrier=title(ask, "carrier"),
        phone=title(ask, "phone"),
        order_name=title(ask, "order_name"),
        how=title(ask, "authenticate_type", "sms"),
        metadata=ask.given("metadata"),
    )
    return ledger.certificate_view(ledger.request_authentication(person))


def _confirm_authentication(ledger: Ledger, ask: Ask) -> Json:
    receipt = ledger.confirm_authentication(text(ask, "receipt_id"), title(ask, "otp"))
    return ledger.certificate_view(receipt)


def _realarm(ledger: Ledger, ask: Ask) -> Json:
    return ledger.certificate_view(ledger.realarm(text(ask, "receipt_id")))


# The shop's contracts


def _payment_methods(_ledger: Ledger, _ask: Ask) -> list[Json]:
    used = ("card", "phone", "bank", "vbank", "kakao", "npay", "card_rebill")
    return [
        {
            "pg": PGS["nicepay"].label,
            "pg_symbol": "nicepay",
            "method": METHODS[symbol].label,
            "method_symbol": symbol,
        }
        for symbol in used
    ]


def _service_wallets(_ledger: Ledger, _ask: Ask) -> list[Json]:
    return []


_CANCELS = {"critical": "RC_CANCEL_CRITICAL_ERROR", "refusal": "RC_CANCEL_SERVER_ERROR"}
_CASH = {"refusal": "RC_CASH_RECEIPT_FAILED"}

ROUTES: list[Route] = [
    route("POST", "/v2/request/token", _token, needs="nothing", refusal="APP_SK_NOT_MATCHED"),
    route("GET", "/v2/receipt/{receipt_id}", _receipt, refusal="RC_NOT_FOUND"),
    route("GET", "/v2/lookup/order/{order_id}", _lookup_order, refusal="RC_NOT_FOUND"),
    route("POST", "/v2/confirm", _confirm, refusal="RC_CONFIRM_FAILED"),
    route("POST", "/v2/submit", _confirm, refusal="RC_CONFIRM_FAILED"),
    route("POST", "/v2/cancel", _cancel, **_CANCELS),
    route("GET", "/v2/certificate/{receipt_id}", _certificate, refusal="AUTH_NOT_CONFIRMED"),
    route("POST", "/v2/request/subscribe", _issue_card_key, refusal="RC_CONFIRM_FAILED"),
    route("GET", "/v2/subscribe/billing_key/{receipt_id}", _billing_of_receipt, refusal="RC_NOT_SUBSCRIBE"),
    route("GET", "/v2/billing_key/{billing_key}", _billing_of_key, refusal="RC_NOT_FOUND"),
    route("GET", "/v2/subscribe/sequential_billing_key/{billing_key}", _sequential_billing_key),
    route("POST", "/v2/subscribe/payment", _charge, refusal="RC_CONFIRM_FAILED"),
    route("DELETE", "/v2/subscribe/billing_key/{billing_key}", _destroy_key, refusal="SUBSCRIBE_BK_EXPIRED"),
    route("POST", "/v2/subscribe/payment/reserve", _reserve, refusal="SUBSCRIBE_BK_EXPIRED"),
    route("GET", "/v2/subscribe/payment/reserve/{reserve_id}", _find_reserve, refusal="RC_NOT_FOUND"),
    route("DELETE", "/v2/subscribe/payment/reserve/{reserve_id}", _cancel_reserve),
    route("POST", "/v2/request/user/token", _user_token, needs="bearer"),
    route("PUT", "/v2/escrow/shipping/start/{receipt_id}", _start_shipping, refusal="RC_NOT_ESCROW"),
    route("POST", "/v2/request/receipt/cash/publish", _publish_cash_receipt, **_CASH),
    route("DELETE", "/v2/request/receipt/cash/cancel/{receipt_id}", _revoke_cash_receipt, **_CASH),
    route("POST", "/v2/request/cash/receipt", _issue_cash_receipt, **_CASH),
    route("DELETE", "/v2/request/cash/receipt/{receipt_id}", _cancel_cash_receipt, **_CASH),
    route("POST", "/v2/request/authentication", _request_authentication, refusal="AUTH_CONFIRM_READY_FAILED"),
    route("POST", "/v2/authenticate/confirm", _confirm_authentication, refusal="AUTH_CONFIRM_READY_FAILED"),
    route("POST", "/v2/authenticate/realarm", _realarm, refusal="AUTH_NOT_READY"),
    route("POST", "/v2/request/subscribe/automatic-transfer", _request_account_key),
    route("POST", "/v2/request/subscribe/automatic-transfer/publish", _publish_account_key),
    route("GET", "/v2/wallet", _wallets, needs="bearer"),
    route("POST", "/v2/wallet/payment", _wallet_payment, refusal="RC_CONFIRM_FAILED"),
    route("GET", "/v2/seller/payment/method", _payment_methods),
    route("GET", "/v2/seller/service/wallet", _service_wallets),
    route("POST", "/v2/request/webhook", _webhook),
    route("PUT", "/v2/close/{receipt_id}", _close, needs="nothing"),
]
"""The endpoints of the second generation."""
