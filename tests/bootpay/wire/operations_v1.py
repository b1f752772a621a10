"""What `bootpay` 1.0.7 and `Bootpay.v1` share, and every deliberate difference between their requests."""

from __future__ import annotations

import inspect
from typing import Any

from bootpay import Bootpay as Official

from .comparison import ABSENT, Differs
from .operation import Operation

__all__ = [
    "ABSENT_FROM_OURS",
    "APPLICATION",
    "EVERYWHERE",
    "KEY",
    "OPERATIONS",
    "PRIVATE_KEY",
    "RECEIPT",
    "RESERVATION",
]

APPLICATION, PRIVATE_KEY = "an-application", "aPrivate+key/="
RECEIPT = "5df6e67d4f74b4002a77e0eb"
KEY = "5ec37382dfea2e001a7f1e10"
RESERVATION = "5b339133e13f3307f5764da7"

EVERYWHERE = {
    "header.accept": Differs("*/*", "application/json", "we read JSON and nothing else, and say so"),
}
"""Differs in every request of this generation."""

ABSENT_FROM_OURS = {
    "api_url": "no operation: how the official library puts addresses together",
    "remote_link": "deprecated by Bootpay, answer undocumented; kept in `legacy.BootpayApi`",
    "remote_form": "deprecated by Bootpay, answer undocumented; kept in `legacy.BootpayApi`",
    "send_sms": "deprecated by Bootpay, answer undocumented; kept in `legacy.BootpayApi`",
    "send_lms": "deprecated by Bootpay, answer undocumented; kept in `legacy.BootpayApi`",
}
"""Official methods that `Bootpay.v1` deliberately lacks."""

FORM_LOSES = (
    "the official form holds only the keys of a nested value, so what counts is lost; JSON holds it all"
)
AS_JSON = {
    "body": Differs("form", "json", FORM_LOSES),
    "header.content-type": Differs("application/x-www-form-urlencoded", "application/json", FORM_LOSES),
}


def typed(official: str, ours: Any) -> Differs:
    """A number inside a body that is JSON on our side and a form on theirs."""
    return Differs(official, ours, "in a form every value is text, in JSON a number is a number")


USER = {"username": "홍길동", "phone": "01012345678", "email": "buyer@shop.example"}
LINES = [{"item_name": "아이템", "qty": 1, "unique": "item-1", "price": 3000, "cat1": "상의"}]
REFUND = {"account": "6756010101234", "accountholder": "홍길동", "bankcode": "088"}
CARD = {
    "pg": "nicepay",
    "order_id": "order-1",
    "item_name": "정기결제",
    "card_no": "9000200000001000",
    "card_pw": "00",
    "expire_year": "24",
    "expire_month": "03",
    "identify_number": "900101",
}
CHARGE = {"billing_key": KEY, "item_name": "정기결제", "price": 3000, "order_id": "order-1"}
CHARGE_MORE = {
    "items": LINES,
    "user_info": USER,
    "extra": {"subscribe_test_payment": 1},
    "tax_free": 1500,
    "quota": 3,
    "interest": 0,
    "feedback_url": "https://shop.example/feedback",
    "feedback_content_type": "json",
}
CHARGE_UNSET = {
    "items": [],
    "user_info": None,
    "extra": None,
    "tax_free": None,
    "quota": None,
    "interest": None,
    "feedback_url": None,
    "feedback_content_type": None,
}
IMPORTED_CANCEL_ID = inspect.signature(Official.cancel).parameters["cancel_id"].default
LINK = {"order_id": "order-1", "price": 3000, "name": "테스트 아이템"}

OPERATIONS = (
    Operation(
        "get_access_token",
        "request_token",
        "v1_token_response",
        mine={"application_id": APPLICATION, "private_key": PRIVATE_KEY},
    ),
    Operation("verify", "verify", "v1_receipt_paid", {"receipt_id": RECEIPT}),
    Operation(
        "cancel",
        "cancel",
        "v1_cancel_partial_response",
        {
            "receipt_id": RECEIPT,
            "price": 1000,
            "name": "관리자",
            "reason": "고객 요청 & 반품",
            "cancel_id": "cancel-1",
            "tax_free": 500,
        },
        case="part",
    ),
    Operation(
        "cancel",
        "cancel",
        "v1_cancel_response",
        {"receipt_id": RECEIPT},
        differs={
            "body.cancel_id": Differs(
                IMPORTED_CANCEL_ID,
                ABSENT,
                "made once when the library is imported: the second cancel of a process repeats the id of the first",
            )
        },
        case="all",
    ),
    Operation(
        "cancel",
        "cancel",
        "v1_cancel_response",
        {"receipt_id": RECEIPT, "price": 3000, "cancel_id": "cancel-1", "refund": REFUND},
        differs=AS_JSON
        | {
            "body.price": typed("3000", 3000),
            "body.refund": Differs(["account", "accountholder", "bankcode"], REFUND, FORM_LOSES),
        },
        case="virtual-account",
    ),
    Operation("submit", "submit", "v1_submit_response", {"receipt_id": RECEIPT}),
    Operation("certificate", "certificate", "v1_certificate_response", {"receipt_id": RECEIPT}),
    Operation(
        "request_payment",
        "request_payment_link",
        "v1_link_response",
        LINK | {"pg": "kcp", "method": "card", "params": '{"a": 1}', "tax_free": 0},
        case="flat",
    ),
    Operation(
        "request_payment",
        "request_payment_link",
        "v1_link_response",
        LINK | {"methods": ["card", "phone"], "user_info": USER, "items": LINES, "extra": {"expire": 30}},
        differs=AS_JSON
        | {
            "body.price": typed("3000", 3000),
            "body.user_info": Differs(["username", "phone", "email"], USER, FORM_LOSES),
            "body.items": Differs(["item_name", "qty", "unique", "price", "cat1"], LINES, FORM_LOSES),
            "body.extra": Differs("expire", {"expire": 30}, FORM_LOSES),
        },
        case="nested",
    ),
    Operation(
        "get_subscribe_billing_key",
        "request_billing_key",
        "v1_card_rebill_response",
        CARD | {"user_info": USER, "extra": {"raw_data": 1}},
        case="full",
    ),
    Operation(
        "get_subscribe_billing_key",
        "request_billing_key",
        "v1_card_rebill_response",
        CARD,
        dropped={"user_info": {}, "extra": None},
        case="least",
    ),
    Operation(
        "subscribe_billing",
        "pay_with_billing_key",
        "v1_subscribe_billing_response",
        CHARGE | CHARGE_MORE,
        case="full",
    ),
    Operation(
        "subscribe_billing",
        "pay_with_billing_key",
        "v1_subscribe_billing_response",
        CHARGE,
        dropped=CHARGE_UNSET,
        case="least",
    ),
    Operation(
        "lookup_billing_key", "billing_payment", "v1_subscribe_billing_response", {"receipt_id": RECEIPT}
    ),
    Operation(
        "subscribe_billing_reserve",
        "reserve_payment",
        "v1_subscribe_reserve_response",
        CHARGE | CHARGE_MORE | {"execute_at": 1530106173},
        case="full",
    ),
    Operation(
        "subscribe_billing_reserve",
        "reserve_payment",
        "v1_subscribe_reserve_response",
        CHARGE | {"execute_at": 1530106173},
        dropped=CHARGE_UNSET,
        case="least",
    ),
    Operation(
        "subscribe_billing_reserve_cancel",
        "cancel_reserved_payment",
        "v1_subscribe_reserve_cancel_response",
        {"reserve_id": RESERVATION},
        differs={"header.content-type": Differs("application/json", ABSENT, "there is no body to label")},
    ),
    Operation(
        "destroy_subscribe_billing_key",
        "destroy_billing_key",
        "v1_billing_key_destroy_response",
        {"billing_key": KEY},
    ),
    Operation(
        "get_user_token",
        "request_user_token",
        "v1_user_token_response",
        {
            "user_id": "user-1",
            "email": "buyer@shop.example",
            "name": "홍길동",
            "gender": 1,
            "birth": "901004",
            "phone": "01012345678",
        },
        differs={"header.content-type": Differs(ABSENT, "application/json", "a JSON body that says so")},
        case="full",
    ),
    Operation(
        "get_user_token",
        "request_user_token",
        "v1_user_token_response",
        {"user_id": "user-1"},
        differs={"header.content-type": Differs(ABSENT, "application/json", "a JSON body that says so")},
        dropped={"email": None, "name": None, "gender": None, "birth": None, "phone": None},
        case="least",
    ),
)
