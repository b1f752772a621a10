"""What `bootpay` 1.0.7 and our stand-in `BootpayApi` share, and every deliberate difference between their requests."""

from __future__ import annotations

from dataclasses import replace

from . import operations_v1
from .comparison import Differs
from .operation import Operation
from .operations_v1 import FORM_LOSES

__all__ = ["ABSENT_FROM_OURS", "EVERYWHERE", "OPERATIONS"]

EVERYWHERE = operations_v1.EVERYWHERE
"""Differs in every request."""

ABSENT_FROM_OURS = {"api_url": "no operation; its own test shows that it puts addresses together alike"}
"""Official methods that are not compared here."""

_TAX_FREE = {
    "body.tax_free": Differs(
        None, 0, "the 2021 library's own default; 1.0.7 sends null, which Bootpay reads as 0"
    )
}
_TEXTS = {
    "body": Differs("form", "json", FORM_LOSES),
    "header.content-type": Differs("application/x-www-form-urlencoded", "application/json", FORM_LOSES),
}
_EXTRA = {"m_id": "message-1", "o_id": "order-1"}
_NUMBERS = ["01012345678", "01087654321"]
_SMS_PAYLOAD = {"st": 1, "rps": _NUMBERS, "msg": "테스트 문자입니다"}
_FORM = {"pg": "danal", "fm": ["card", "phone"], "n": "테스트 결제", "ip": 10000}


def _like(official: str, case: str = "") -> Operation:
    """The comparison of `Bootpay.v1`, with the stand-in's method of the same name in its place."""
    (found,) = (one for one in operations_v1.OPERATIONS if (one.official, one.case) == (official, case))
    return replace(found, ours=official, mine={})


def _and(operation: Operation, differs: dict[str, Differs], *, sent: tuple[str, ...] = ()) -> Operation:
    dropped = {name: value for name, value in operation.dropped.items() if name not in sent}
    return replace(operation, differs={**operation.differs, **differs}, dropped=dropped)


OPERATIONS = (
    _like("get_access_token"),
    _like("verify"),
    _like("cancel", "part"),
    _like("cancel", "virtual-account"),
    _like("submit"),
    _like("certificate"),
    _like("request_payment", "flat"),
    _like("request_payment", "nested"),
    _like("get_subscribe_billing_key", "full"),
    _like("get_subscribe_billing_key", "least"),
    _like("subscribe_billing", "full"),
    _and(_like("subscribe_billing", "least"), _TAX_FREE, sent=("tax_free",)),
    _like("lookup_billing_key"),
    _like("subscribe_billing_reserve", "full"),
    _and(_like("subscribe_billing_reserve", "least"), _TAX_FREE, sent=("tax_free",)),
    _like("subscribe_billing_reserve_cancel"),
    _like("destroy_subscribe_billing_key"),
    _like("get_user_token", "full"),
    _like("get_user_token", "least"),
    Operation(
        "remote_link",
        "remote_link",
        "v1_link_response",
        {"payload": {"order_id": "order-1", "price": 1000}, "sms_payload": _SMS_PAYLOAD},
        differs=_TEXTS
        | {
            "body.price": Differs(
                "1000", 1000, "in a form every value is text, in JSON a number is a number"
            ),
            "body.sms_payload": Differs(["st", "rps", "msg"], _SMS_PAYLOAD, FORM_LOSES),
        },
        case="nested",
    ),
    Operation(
        "remote_link",
        "remote_link",
        "v1_link_response",
        {"payload": {"order_id": "order-1", "price": 1000}},
        case="flat",
    ),
    Operation(
        "remote_form",
        "remote_form",
        "v1_link_response",
        {"remoter_form": _FORM, "sms_payload": _SMS_PAYLOAD},
        differs=_TEXTS
        | {
            "body.remote_form": Differs(["pg", "fm", "n", "ip"], _FORM, FORM_LOSES),
            "body.sms_payload": Differs(["st", "rps", "msg"], _SMS_PAYLOAD, FORM_LOSES),
        },
    ),
    Operation(
        "send_sms",
        "send_sms",
        "v1_subscribe_reserve_cancel_response",
        {"receive_numbers": _NUMBERS, "message": "문자", "send_number": "0212345678", "extra": _EXTRA},
        differs=_TEXTS
        | {
            "body.data": Differs(
                ["sp", "rps", "msg", "m_id", "o_id"],
                {"sp": "0212345678", "rps": _NUMBERS, "msg": "문자", **_EXTRA},
                FORM_LOSES,
            )
        },
    ),
    Operation(
        "send_lms",
        "send_lms",
        "v1_subscribe_reserve_cancel_response",
        {
            "receive_numbers": _NUMBERS,
            "message": "긴 문자",
            "subject": "제목",
            "send_number": "0212345678",
            "extra": _EXTRA,
        },
        differs=_TEXTS
        | {
            "body.data": Differs(
                ["sp", "rps", "msg", "sj", "m_id", "o_id"],
                {"sp": "0212345678", "rps": _NUMBERS, "msg": "긴 문자", "sj": "제목", **_EXTRA},
                FORM_LOSES,
            )
        },
    ),
)
"""A cancel without `cancel_id` is not in the table, because ours is new each time: it has its own test."""
