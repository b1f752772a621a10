"""Everything that can go wrong over HTTP, each under one code, told in English and Korean (RFC 9457).

What Bootpay or a card company said never goes to an anonymous caller: it is for the shop itself and its history.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from dojang.core.verification import Reason
from dojang.errors import BootpayError, DojangError, InvalidValue, OutOfTime, Refused, StoreError
from dojang.web.http import Response
from dojang.web.writing import json_of

if TYPE_CHECKING:
    from dojang.core.cancellation import CancelRefusal, WhyNot

__all__ = [
    "OUT_OF_TIME",
    "Code",
    "Problem",
    "cancel_refusal",
    "problem",
    "problem_of",
    "refusal",
    "statuses",
    "told_twice",
    "trace_of",
]

OUT_OF_TIME = "out_of_time"
"""What a log is told of an answer `upstream_unavailable` for want of our own time."""


class Code(StrEnum):
    """Codes of what is neither a refusal of a receipt, which are `Reason`, nor of a cancel, which are `WhyNot`."""

    INVALID_REQUEST = "invalid_request"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    ORDER_NOT_FOUND = "order_not_found"
    RECEIPT_NOT_FOUND = "receipt_not_found"
    DELIVERY_NOT_FOUND = "delivery_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    ORDER_EXISTS = "order_exists"
    NOTHING_TO_RESOLVE = "nothing_to_resolve"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    INTERNAL_ERROR = "internal_error"
    UPSTREAM_REFUSED = "upstream_refused"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    STORE_UNAVAILABLE = "store_unavailable"
    NO_API_KEYS = "no_api_keys"


_TOLD: Mapping[Code, tuple[int, bool, str, str]] = {
    # code: status, retryable, English, Korean
    Code.INVALID_REQUEST: (400, False, "The request is not valid.", "요청이 올바르지 않습니다."),
    Code.UNAUTHORIZED: (
        401,
        False,
        "A valid key is needed: send the header Authorization: Bearer <one of DOJANG_API_KEYS>.",
        "유효한 키가 필요합니다. Authorization: Bearer <DOJANG_API_KEYS 중 하나> 헤더를 보내 주세요.",
    ),
    Code.NOT_FOUND: (404, False, "There is nothing at this address.", "존재하지 않는 주소입니다."),
    Code.ORDER_NOT_FOUND: (
        404,
        False,
        "No such order is registered. Register it before checkout: POST /v1/orders.",
        "등록되지 않은 주문입니다. 결제 전에 POST /v1/orders 로 등록해 주세요.",
    ),
    Code.RECEIPT_NOT_FOUND: (
        404,
        False,
        "Bootpay knows no such receipt in this project.",
        "부트페이에 없는 영수증이거나 다른 프로젝트의 영수증입니다.",
    ),
    Code.DELIVERY_NOT_FOUND: (404, False, "There is no such delivery.", "존재하지 않는 전달 건입니다."),
    Code.METHOD_NOT_ALLOWED: (
        405,
        False,
        "This address does not know that method; the header Allow names those it knows.",
        "지원하지 않는 메서드입니다. 가능한 메서드는 Allow 헤더에 있습니다.",
    ),
    Code.REQUEST_TIMEOUT: (
        408,
        True,
        "The request did not arrive in time; nothing was done.",
        "요청이 제시간에 도착하지 않아 처리하지 않았습니다.",
    ),
    Code.ORDER_EXISTS: (
        409,
        False,
        "Another order is registered under this id; its terms stay as they are.",
        "같은 order_id로 다른 조건의 주문이 이미 등록되어 있습니다. 기존 주문은 바뀌지 않습니다.",
    ),
    Code.NOTHING_TO_RESOLVE: (
        409,
        False,
        "The decision does not fit the order as it stands.",
        "주문의 현재 상태에 맞지 않는 결정입니다.",
    ),
    Code.TOO_LARGE: (413, False, "The body is too large.", "요청 본문이 너무 큽니다."),
    Code.THROTTLED: (
        429,
        True,
        "Too many requests; try again after the seconds in Retry-After.",
        "요청이 너무 많습니다. Retry-After 헤더의 초만큼 뒤에 다시 시도해 주세요.",
    ),
    Code.INTERNAL_ERROR: (
        500,
        True,
        "dojang made a mistake; it has been logged. Asking again is safe.",
        "도장 내부 오류가 발생해 기록했습니다. 다시 요청해도 안전합니다.",
    ),
    Code.UPSTREAM_REFUSED: (
        502,
        False,
        "Bootpay refused the request. The service's log names its code.",
        "부트페이가 요청을 거절했습니다. 거절 코드는 서비스 로그에서 확인할 수 있습니다.",
    ),
    Code.UPSTREAM_UNAVAILABLE: (
        503,
        True,
        "Bootpay cannot be asked right now. Asking again is safe.",
        "지금은 부트페이에 확인할 수 없습니다. 다시 요청해도 안전합니다.",
    ),
    Code.STORE_UNAVAILABLE: (
        503,
        True,
        "The store of orders cannot be used right now. Asking again is safe.",
        "지금은 주문 저장소를 사용할 수 없습니다. 다시 요청해도 안전합니다.",
    ),
    Code.NO_API_KEYS: (
        503,
        False,
        "No keys are configured, so the shop's routes are closed: set DOJANG_API_KEYS and start again.",
        "설정된 키가 없어 상점용 경로가 닫혀 있습니다. DOJANG_API_KEYS를 설정하고 다시 시작해 주세요.",
    ),
}

_CLAIMED = frozenset({Reason.RECEIPT_ALREADY_USED, Reason.ORDER_ALREADY_PAID})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: RFC 9457, with a `code` for programs and sentences for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    detail_ko: str
    code: str
    retryable: bool
    order_id: str | msgspec.UnsetType = msgspec.UNSET
    receipt_id: str | msgspec.UnsetType = msgspec.UNSET
    differs: list[str] | msgspec.UnsetType = msgspec.UNSET
    bootpay_code: str | msgspec.UnsetType = msgspec.UNSET
    bootpay_message: str | msgspec.UnsetType = msgspec.UNSET


_PHRASES = {status.value: status.phrase for status in HTTPStatus}
# Compiled when first used, which no payment that goes well does.
_BILINGUAL = r"(?s)(.+) \(([^()]*[가-힣].*)\)"


def statuses(code: Code | Reason | WhyNot) -> int:
    """The HTTP status that goes with a code."""
    if isinstance(code, Reason):
        return 409 if code in _CLAIMED else 422
    if isinstance(code, Code):
        return _TOLD[code][0]
    return 409 if _stands_otherwise(code) else 422


def _stands_otherwise(why: WhyNot) -> bool:
    # Here rather than on top, as below: a cold function that verifies waits for every import, and cancels nothing.
    from dojang.core.cancellation import WhyNot

    # Apart from the reasons: both enumerations know `already_cancelled`, and as text the two are equal.
    return why in {
        WhyNot.NOT_PAID,
        WhyNot.ALREADY_CANCELLED,
        WhyNot.CANCEL_IN_PROGRESS,
        WhyNot.NEEDS_A_PERSON,
        WhyNot.REMAINING_MISMATCH,
        WhyNot.OUTCOME_UNKNOWN,
    }


def problem(
    code: Code,
    detail: str | None = None,
    detail_ko: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    retryable: bool | None = None,
    order_id: str | None = None,
    receipt_id: str | None = None,
    differs: tuple[str, ...] | None = None,
) -> Response:
    """Answer with a problem; what is not said is the code's own."""
    status, may_repeat, english, korean = _TOLD[code]
    return _answer(
        status,
        code.value,
        detail or english,
        detail_ko or korean,
        retryable=may_repeat if retryable is None else retryable,
        headers=headers,
        order_id=order_id,
        receipt_id=receipt_id,
        differs=differs,
    )


def refusal(reason: Reason, order_id: str, receipt_id: str) -> Response:
    """Answer that a receipt does not pay for an order."""
    return _answer(
        statuses(reason),
        reason.value,
        reason.sentence_en,
        reason.sentence_ko,
        retryable=False,
        order_id=order_id,
        receipt_id=receipt_id,
    )


def cancel_refusal(
    refusal: CancelRefusal, order_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer that no money goes back. Bootpay's own words are told: the shop itself asks."""
    from dojang.core.cancellation import WhyNot

    why = refusal.why
    later = why is WhyNot.CANCEL_IN_PROGRESS
    return _answer(
        statuses(why),
        why.value,
        why.sentence_en,
        why.sentence_ko,
        retryable=later,
        headers={**(headers or {}), **({"retry-after": "2"} if later else {})},
        order_id=order_id,
        bootpay_code=refusal.code or None,
        bootpay_message=refusal.words or None,
    )


def problem_of(error: DojangError, order_id: str | None = None, receipt_id: str | None = None) -> Response:
    """Answer for one of our own exceptions. What Bootpay said stays out of it."""
    match error:
        case InvalidValue():
            english, korean = told_twice(str(error))
            return problem(Code.INVALID_REQUEST, english, korean)
        case Refused():
            return problem(
                Code.UPSTREAM_REFUSED, retryable=error.retryable, order_id=order_id, receipt_id=receipt_id
            )
        case BootpayError():
            response = problem(
                Code.UPSTREAM_UNAVAILABLE,
                headers={"retry-after": "2"},
                order_id=order_id,
                receipt_id=receipt_id,
            )
            if isinstance(error, OutOfTime):
                return msgspec.structs.replace(response, told={"outcome": OUT_OF_TIME})
            return response
        case StoreError():
            return problem(
                Code.STORE_UNAVAILABLE, headers={"retry-after": "2"}, order_id=order_id, receipt_id=receipt_id
            )
        case _:
            return problem(Code.INTERNAL_ERROR, order_id=order_id)


def trace_of(error: BaseException) -> str:
    """Where an unexpected error came from, without its message: that might quote a body or a key."""
    frames = traceback.extract_tb(error.__traceback__)
    steps = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-8:])
    return f"{type(error).__name__} at {steps or 'an unknown place'}"


def told_twice(message: str) -> tuple[str, str | None]:
    """The core says `English (한국어)` in one line; over HTTP each has its own field."""
    found = re.fullmatch(_BILINGUAL, message)
    return (found[1], found[2]) if found else (message, None)


def _answer(
    status: int,
    code: str,
    detail: str,
    detail_ko: str,
    *,
    retryable: bool,
    headers: Mapping[str, str] | None = None,
    order_id: str | None = None,
    receipt_id: str | None = None,
    differs: tuple[str, ...] | None = None,
    bootpay_code: str | None = None,
    bootpay_message: str | None = None,
) -> Response:
    told = Problem(
        title=_PHRASES[status],
        status=status,
        detail=detail,
        detail_ko=detail_ko,
        code=code,
        retryable=retryable,
        order_id=order_id if order_id is not None else msgspec.UNSET,
        receipt_id=receipt_id if receipt_id is not None else msgspec.UNSET,
        differs=list(differs) if differs is not None else msgspec.UNSET,
        bootpay_code=bootpay_code if bootpay_code is not None else msgspec.UNSET,
        bootpay_message=bootpay_message if bootpay_message is not None else msgspec.UNSET,
    )
    return Response(status, json_of(told), {"content-type": "application/problem+json", **(headers or {})})
