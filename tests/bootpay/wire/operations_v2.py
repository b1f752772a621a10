"""What `bootpay_backend` 2.9.0 and `Bootpay` share, and every deliberate difference between their requests."""

from __future__ import annotations

from .comparison import ABSENT, Differs
from .operation import Operation

__all__ = ["ABSENT_FROM_OURS", "EVERYWHERE", "OPERATIONS", "OURS_ALONE"]

RECEIPT = "645c58be755e270022e1e8db"
KEY = "645c58be755e270022e1e8aa"
RESERVATION = "645c58be755e270022e1e8bb"

_NOT_THEIRS = "names an official library and its version; this is neither"
EVERYWHERE = {
    "header.bootpay-sdk-version": Differs("2.9.0", ABSENT, _NOT_THEIRS),
    "header.bootpay-sdk-type": Differs("302", ABSENT, _NOT_THEIRS),
}
"""Differs in every request of this generation."""

ABSENT_FROM_OURS = {
    "set_api_version": "no operation; the version we speak is the version our types are written for",
}
"""Official methods that `Bootpay` deliberately lacks."""

OURS_ALONE = {
    "lookup_order": "the official Python library cannot look up an order (its Java and Ruby siblings can)",
    "payment_methods": "Java and Ruby only",
    "service_wallet": "Ruby only",
}
"""Our methods without an official counterpart in Python."""

USER = {"id": "user-1", "username": "홍길동", "email": "buyer@shop.example", "phone": "01012345678"}
LINES = [{"id": "item-1", "name": "아이템", "qty": 1, "price": 1000, "cat1": "상의"}]
METADATA = {"table": "7", "nested": {"a": [1, 2]}}
CARD = {
    "pg": "nicepay",
    "order_name": "정기결제",
    "subscription_id": "subscription-1",
    "card_no": "9000200000001000",
    "card_pw": "00",
    "card_identity_no": "900101",
    "card_expire_year": "30",
    "card_expire_month": "03",
}
CHARGE = {"billing_key": KEY, "order_name": "정기결제", "price": 60000, "order_id": "order-1"}
CHARGE_MORE = {
    "tax_free": 1000,
    "card_quota": "03",
    "card_interest": "0",
    "items": LINES,
    "user": USER,
    "extra": {"card_quota": "03"},
    "feedback_url": "https://shop.example/webhook",
    "content_type": "application/json",
    "metadata": METADATA,
}
CHARGE_UNSET = {
    "tax_free": 0,
    "card_interest": None,
    "items": None,
    "user": None,
    "extra": None,
    "feedback_url": None,
    "content_type": None,
    "metadata": None,
}
LUMP_SUM = {
    "body.card_quota": Differs("00", ABSENT, "a lump sum is what Bootpay charges unless it is told otherwise")
}
IDENTITY = {
    "pg": "danal",
    "method": "본인인증",
    "username": "홍길동",
    "identity_no": "900101",
    "carrier": "SKT",
    "phone": "01012345678",
    "order_name": "회원 인증",
    "authentication_id": "authentication-1",
}
ACCOUNT = {
    "pg": "nicepay",
    "order_name": "월 이용료",
    "subscription_id": "subscription-1",
    "username": "홍길동",
    "bank_name": "국민",
    "bank_account": "67560101234567",
    "identity_no": "900101",
    "phone": "01012345678",
}
WALLET = {"user_id": "user-1", "order_name": "테스트 아이템", "price": 1000, "order_id": "order-1"}
CASH = {"order_name": "테스트 아이템", "identity_no": "01012345678", "price": 1000, "order_id": "order-1"}

OPERATIONS = (
    Operation(
        "receipt_payment",
        "receipt",
        "v2_receipt_card_paid",
        {"receipt_id": RECEIPT},
    ),
    Operation(
        "receipt_payment",
        "receipt",
        "v2_receipt_with_user_data",
        {"receipt_id": RECEIPT, "lookup_user_data": True},
        case="with-user",
    ),
    Operation("certificate", "certificate", "v2_certificate_response", {"receipt_id": RECEIPT}),
    Operation("confirm_payment", "confirm", "v2_receipt_card_paid", {"receipt_id": RECEIPT}),
    Operation(
        "cancel_payment",
        "cancel",
        "v2_cancel_response_partial",
        {
            "receipt_id": RECEIPT,
            "cancel_id": "cancel-1",
            "cancel_username": "관리자",
            "cancel_message": "고객 요청",
            "cancel_price": 500,
            "cancel_tax_free": 100,
            "refund": {"bank_account": "675601012341234", "bank_username": "홍길동", "bank_code": "088"},
            "items": LINES,
            "metadata": METADATA,
        },
        case="full",
    ),
    Operation(
        "cancel_payment",
        "cancel",
        "v2_cancel_response_full",
        {"receipt_id": RECEIPT},
        dropped={
            "cancel_id": "",
            "metadata": {},
            "cancel_username": "",
            "cancel_message": "",
            "cancel_price": None,
            "cancel_tax_free": None,
            "refund": None,
            "items": None,
        },
        case="least",
    ),
    Operation(
        "lookup_subscribe_billing_key",
        "billing_key_of_receipt",
        "v2_billing_key_lookup_card",
        {"receipt_id": RECEIPT},
    ),
    Operation("lookup_billing_key", "billing_key", "v2_billing_key_lookup_card", {"billing_key": KEY}),
    Operation(
        "lookup_sequential_billing_key",
        "sequential_billing_key",
        "v2_billing_key_lookup_card",
        {"billing_key": KEY, "widget_key": "widget key/1", "user_id": "user@1&admin=true"},
    ),
    Operation(
        "request_subscribe_billing_key",
        "request_billing_key",
        "v2_billing_key_lookup_card",
        CARD
        | {
            "method": "card",
            "price": 1000,
            "tax_free": 100,
            "extra": {"card_quota": "00"},
            "user": USER,
            "metadata": METADATA,
        },
        case="full",
    ),
    Operation(
        "request_subscribe_billing_key",
        "request_billing_key",
        "v2_billing_key_lookup_card",
        CARD,
        dropped={"method": None, "price": 0, "tax_free": 0, "extra": None, "user": None, "metadata": None},
        case="least",
    ),
    Operation(
        "request_subscribe_card_payment",
        "pay_with_billing_key",
        "v2_subscribe_payment_response",
        CHARGE | CHARGE_MORE,
        case="full",
    ),
    Operation(
        "request_subscribe_card_payment",
        "pay_with_billing_key",
        "v2_subscribe_payment_response",
        CHARGE,
        differs=LUMP_SUM,
        dropped=CHARGE_UNSET,
        case="least",
    ),
    Operation(
        "request_subscribe_payment",
        "pay_with_billing_key",
        "v2_subscribe_payment_response",
        CHARGE | CHARGE_MORE,
        case="full",
    ),
    Operation(
        "request_subscribe_payment",
        "pay_with_billing_key",
        "v2_subscribe_payment_response",
        CHARGE,
        differs=LUMP_SUM,
        dropped=CHARGE_UNSET,
        case="least",
    ),
    Operation(
        "destroy_billing_key",
        "destroy_billing_key",
        "v2_billing_key_destroy_response",
        {"billing_key": KEY},
    ),
    Operation(
        "request_user_token",
        "request_user_token",
        "v2_user_token_response",
        {
            "user_id": "user-1",
            "email": "buyer@shop.example",
            "username": "홍길동",
            "gender": 1,
            "birth": "901004",
            "phone": "01012345678",
        },
        case="full",
    ),
    Operation(
        "request_user_token",
        "request_user_token",
        "v2_user_token_response",
        {"user_id": "user-1"},
        dropped={"email": None, "username": None, "gender": None, "birth": None, "phone": None},
        case="least",
    ),
    Operation(
        "subscribe_payment_reserve",
        "reserve_payment",
        "v2_reserve_response",
        CHARGE
        | {
            "reserve_execute_at": "2026-12-01T00:00:00+09:00",
            "tax_free": 1000,
            "items": LINES,
            "user": USER,
            "metadata": METADATA,
            "feedback_url": "https://shop.example/webhook",
            "content_type": "application/json",
        },
        case="full",
    ),
    Operation(
        "subscribe_payment_reserve",
        "reserve_payment",
        "v2_reserve_response",
        CHARGE | {"reserve_execute_at": "2026-12-01T00:00:00+09:00"},
        dropped={
            "metadata": {},
            "tax_free": 0,
            "items": None,
            "user": None,
            "feedback_url": "",
            "content_type": "",
        },
        case="least",
    ),
    Operation(
        "subscribe_payment_reserve_lookup",
        "reserved_payment",
        "v2_reserve_lookup_response",
        {"reserve_id": RESERVATION},
    ),
    Operation(
        "cancel_subscribe_reserve",
        "cancel_reserved_payment",
        "v2_reserve_cancel_response",
        {"reserve_id": RESERVATION},
    ),
    Operation(
        "shipping_start",
        "start_shipping",
        "v2_receipt_escrow_shipping",
        {
            "receipt_id": RECEIPT,
            "tracking_number": "3982983",
            "delivery_corp": "CJ대한통운",
            "shipping_prepayment": False,
            "shipping_day": 3,
            "user": {"username": "홍길동", "phone": "01012345678", "zipcode": "08490", "address": "서울"},
            "company": {
                "name": "상점",
                "phone": "0212345678",
                "zipcode": "08490",
                "addr1": "서울",
                "addr2": "1층",
            },
            "redirect_url": "https://shop.example/escrow",
            "receipt_url": "https://shop.example/shipping",
        },
        case="full",
    ),
    Operation(
        "shipping_start",
        "start_shipping",
        "v2_receipt_escrow_shipping",
        {"receipt_id": RECEIPT, "tracking_number": "3982983", "delivery_corp": "CJ대한통운"},
        dropped={
            "shipping_prepayment": None,
            "shipping_day": None,
            "user": None,
            "company": None,
            "redirect_url": None,
            "receipt_url": None,
        },
        case="least",
    ),
    Operation(
        "cash_receipt_publish_on_receipt",
        "publish_cash_receipt",
        "v2_receipt_bank_paid",
        {
            "receipt_id": RECEIPT,
            "username": "홍길동",
            "email": "buyer@shop.example",
            "phone": "01012345678",
            "identity_no": "01012345678",
            "cash_receipt_type": "지출증빙",
            "currency": "WON",
        },
        case="full",
    ),
    Operation(
        "cash_receipt_publish_on_receipt",
        "publish_cash_receipt",
        "v2_receipt_bank_paid",
        {"receipt_id": RECEIPT, "identity_no": "01012345678"},
        dropped={"username": "", "email": "", "phone": "", "currency": None},
        case="least",
    ),
    Operation(
        "cash_receipt_cancel_on_receipt",
        "cancel_published_cash_receipt",
        "v2_cash_receipt_cancel_response",
        {"receipt_id": RECEIPT, "cancel_username": "관리자 & 점장", "cancel_message": "취소?"},
        case="full",
    ),
    Operation(
        "cash_receipt_cancel_on_receipt",
        "cancel_published_cash_receipt",
        "v2_cash_receipt_cancel_response",
        {"receipt_id": RECEIPT},
        case="least",
    ),
    Operation(
        "request_cash_receipt",
        "request_cash_receipt",
        "v2_cash_receipt_issue_response",
        CASH
        | {
            "pg": "nicepay",
            "purchased_at": "2026-11-20T14:50:00+09:00",
            "cash_receipt_type": "지출증빙",
            "tax_free": 100,
            "user": USER,
            "metadata": METADATA,
            "extra": {"a": 1},
        },
        case="full",
    ),
    Operation(
        "request_cash_receipt",
        "request_cash_receipt",
        "v2_cash_receipt_issue_response",
        CASH,
        dropped={
            "pg": None,
            "purchased_at": "",
            "tax_free": 0,
            "user": None,
            "metadata": None,
            "extra": {},
        },
        case="least",
    ),
    Operation(
        "cancel_cash_receipt",
        "cancel_cash_receipt",
        "v2_cash_receipt_cancel_response",
        {"receipt_id": RECEIPT, "cancel_username": "관리자", "cancel_message": "고객 요청"},
        case="full",
    ),
    Operation(
        "cancel_cash_receipt",
        "cancel_cash_receipt",
        "v2_cash_receipt_cancel_response",
        {"receipt_id": RECEIPT},
        case="least",
    ),
    Operation(
        "request_authentication",
        "request_authentication",
        "v2_authentication_request_response",
        IDENTITY
        | {
            "site_url": "https://shop.example",
            "client_ip": "203.0.113.7",
            "authenticate_type": "pass",
            "user": USER,
            "extra": {"age_limit": 19},
            "metadata": METADATA,
        },
        case="full",
    ),
    Operation(
        "request_authentication",
        "request_authentication",
        "v2_authentication_request_response",
        IDENTITY,
        dropped={"site_url": "", "client_ip": "", "user": None, "extra": {}, "metadata": None},
        case="least",
    ),
    Operation(
        "confirm_authentication",
        "confirm_authentication",
        "v2_certificate_response",
        {"receipt_id": RECEIPT, "otp": "123456"},
        case="sms",
    ),
    Operation(
        "confirm_authentication",
        "confirm_authentication",
        "v2_certificate_response",
        {"receipt_id": RECEIPT},
        dropped={"otp": ""},
        case="pass",
    ),
    Operation(
        "realarm_authentication",
        "resend_authentication",
        "v2_authentication_request_response",
        {"receipt_id": RECEIPT},
    ),
    Operation(
        "request_subscribe_automatic_transfer_billing_key",
        "request_automatic_transfer",
        "v2_automatic_transfer_request_response",
        ACCOUNT
        | {
            "price": 1000,
            "tax_free": 100,
            "method": "automatic_transfer_rest",
            "extra": {"a": 1},
            "user": USER,
            "metadata": METADATA,
            "auth_type": "간편인증",
            "cash_receipt_type": "지출증빙",
            "cash_receipt_identity_no": "1234567890",
        },
        case="full",
    ),
    Operation(
        "request_subscribe_automatic_transfer_billing_key",
        "request_automatic_transfer",
        "v2_automatic_transfer_request_response",
        ACCOUNT,
        differs={
            "body.cash_receipt_type": Differs(
                "소득공제",
                ABSENT,
                "a kind of cash receipt nobody asked for; what was not given is not sent",
            )
        },
        dropped={
            "price": None,
            "tax_free": None,
            "method": None,
            "extra": None,
            "user": None,
            "metadata": None,
            "cash_receipt_identity_no": None,
        },
        case="least",
    ),
    Operation(
        "publish_automatic_transfer_billing_key",
        "publish_automatic_transfer",
        "v2_billing_key_lookup_bank",
        {"receipt_id": RECEIPT},
    ),
    Operation("get_user_wallets", "wallets", "v2_wallets_response", {"user_id": "user-1"}, case="live"),
    Operation(
        "get_user_wallets",
        "wallets",
        "v2_wallets_response",
        {"user_id": "user-1", "sandbox": True},
        case="sandbox",
    ),
    Operation(
        "request_wallet_payment",
        "pay_with_wallet",
        "v2_subscribe_payment_response",
        WALLET
        | {
            "sandbox": True,
            "tax_free": 100,
            "webhook_url": "https://shop.example/webhook",
            "content_type": "application/json",
            "items": LINES,
            "user": USER,
            "extra": {"a": 1},
            "metadata": METADATA,
        },
        case="full",
    ),
    Operation(
        "request_wallet_payment",
        "pay_with_wallet",
        "v2_subscribe_payment_response",
        WALLET,
        dropped={
            "tax_free": 0,
            "webhook_url": None,
            "content_type": None,
            "items": None,
            "user": None,
            "extra": None,
            "metadata": None,
        },
        case="least",
    ),
)
"""All that is compared under either kind of credentials; the token call itself has its own test."""
