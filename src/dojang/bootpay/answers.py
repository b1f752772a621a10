"""What an answer means: a typed result, a refusal, or an outcome nobody knows.

```
2xx, no error inside, right shape                            the result
2xx, empty, HTML, garbage, wrong shape                       OutcomeUnknown
any status with a code of the *_CRITICAL_* kind              OutcomeUnknown
5xx (and 408) of a call that changes something               OutcomeUnknown: a gateway in between may have given up
5xx of a read: with a code Refused, else                     OutcomeUnknown
3xx (never followed: a redirect may leave for anywhere)      a read: Refused; otherwise OutcomeUnknown
other 4xx, an error inside a 2xx                             Refused
```
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from dojang.bootpay.call import Answer, Call
from dojang.bootpay.error_table import leaves_outcome_unknown, look_up
from dojang.errors import BootpayError, OutcomeUnknown, Refused

__all__ = ["NamedError", "credentials_refused", "named_error", "result_of"]

T = TypeVar("T")

_MESSAGE_MAX = 500
_EXPIRED_CODES = frozenset({"TOKEN_KEY_INVALID", "-200"})
_any = msgspec.json.Decoder()


class NamedError(msgspec.Struct, frozen=True):
    """An error as Bootpay's body names it.

    Attributes:
        code: `error_code` (v2) or `code` (v1), as text.
        message: Bootpay's own words, cut to a length a log can bear.
        pg_code: The payment gateway's own code.
        status: The HTTP status as a v1 envelope repeats it.
    """

    code: str
    message: str
    pg_code: str | None = None
    status: int | None = None


class _EnvelopeHead(msgspec.Struct, frozen=True):
    status: int | None = None
    code: int | None = None


_envelope_head = msgspec.json.Decoder(_EnvelopeHead)


def result_of(call: Call[T], answer: Answer, *, token_possible: bool = True) -> T:
    """The typed result of an answered call.

    Args:
        call: What was asked.
        answer: What came back.
        token_possible: Whether this client could have bought a token; sharpens the cure where it could not.

    Raises:
        OutcomeUnknown: No usable answer.
        Refused: Bootpay said no.
    """
    if 200 <= answer.status < 300:
        error = _error_inside(call, answer)
        if error is None:
            return _read(call, answer)
        raise _failure(call, answer, error, token_possible=token_possible)
    if 300 <= answer.status < 400:
        if not call.may_repeat:
            raise OutcomeUnknown(
                f"{call.label}: answered by a redirect (HTTP {answer.status}), which is never followed. "
                + _look_first(call)
            )
        raise Refused(
            f"HTTP_{answer.status}",
            "redirects are never followed",
            http_status=answer.status,
            cause_ko="부트페이 주소가 다른 주소로 넘어갑니다.",
            cause_en="The address of Bootpay leads elsewhere.",
            cure_ko="BOOTPAY_URL 설정을 확인하세요.",
            cure_en="Check the setting BOOTPAY_URL.",
        )
    error = named_error(call, answer.body)
    if error is None:
        if answer.status >= 500 or answer.status == 408:
            raise OutcomeUnknown(
                f"{call.label}: HTTP {answer.status} without an error code of Bootpay. " + _look_first(call)
            )
        error = NamedError(f"HTTP_{answer.status}", "the answer names no error code")
    raise _failure(call, answer, error, token_possible=token_possible)


def credentials_refused(call: Call[object], answer: Answer) -> bool:
    """Whether exactly the credentials were refused, so that nothing was carried out and others may be tried."""
    if answer.status != 401 and b"TOKEN_KEY_INVALID" not in answer.body and b"-200" not in answer.body:
        return False
    error = named_error(call, answer.body)
    if call.generation == 1:
        # -2410: the application itself is unknown, a new token would not help.
        return answer.status == 401 and (error is None or error.code != "-2410")
    if error is None:
        return answer.status == 401
    return error.code in _EXPIRED_CODES


def named_error(call: Call[object], body: bytes) -> NamedError | None:
    """The error that a body names, None where it names none or is no JSON object."""
    try:
        found = _any.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if call.generation == 1:
        code = found.get("code")
        if code is None and found.get("status") in (None, 200):
            return None
        status = found.get("status")
        return NamedError(
            _text(code) or f"HTTP_{_text(status)}",
            _words(found.get("message")),
            status=status if isinstance(status, int) else None,
        )
    code = found.get("error_code")
    if code is None or code == "":
        return None
    pg_code = found.get("pg_error_code")
    return NamedError(_text(code), _words(found.get("message")), _text(pg_code) or None)


def _error_inside(call: Call[object], answer: Answer) -> NamedError | None:
    """An error that travels under a 2xx; the usual answer is recognised without decoding it twice."""
    if call.generation != 1:
        return named_error(call, answer.body) if b'"error_code"' in answer.body else None
    try:
        head = _envelope_head.decode(answer.body)
    except msgspec.ValidationError as error:
        # A status or a code of another type says neither yes nor no.
        why = f"HTTP {answer.status}, but the answer is no envelope ({error})"
        raise OutcomeUnknown(f"{call.label}: {why}. " + _look_first(call)) from None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None  # not JSON: reading it will say so
    if head.code in (None, 0) and head.status in (None, 200):
        return None
    return named_error(call, answer.body)


def _read(call: Call[T], answer: Answer) -> T:
    if not answer.body.strip():
        raise OutcomeUnknown(f"{call.label}: HTTP {answer.status} with an empty body. " + _look_first(call))
    try:
        return call.read(answer.body)
    except msgspec.ValidationError as error:
        # msgspec names the field and the types, never the value.
        why = f"the answer has an unexpected shape ({error})"
    except msgspec.MsgspecError:
        why = "the answer is not JSON"
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
        why = f"the answer cannot be read ({type(error).__name__})"
    raise OutcomeUnknown(f"{call.label}: HTTP {answer.status}, but {why}. " + _look_first(call))


def _failure(call: Call[object], answer: Answer, error: NamedError, *, token_possible: bool) -> BootpayError:
    entry = look_up(error.code, error.pg_code)
    status = answer.status if answer.status != 200 or error.status is None else error.status
    doubtful = not call.may_repeat and (status >= 500 or status == 408)
    if doubtful or leaves_outcome_unknown(error.code):
        words = f"{call.label}: Bootpay answered {error.code} (HTTP {status}): {error.message}. "
        return OutcomeUnknown(
            words + (f"{entry.cause_en} / {entry.cause_ko} " if entry.cause_en else "") + _look_first(call)
        )
    if error.code == "TOKEN_KEY_INVALID" and not token_possible:
        entry = msgspec.structs.replace(
            entry,
            cure_ko="이 API는 Basic 인증을 받지 않을 수 있습니다. application_id와 private_key도 함께 설정하세요.",
            cure_en="This endpoint may not take Basic keys: give application_id and private_key as well, "
            "so that a token can be used.",
        )
    return Refused(
        error.code,
        error.message,
        http_status=status,
        pg_code=error.pg_code,
        retryable=entry.retryable or status in (429, 503) or status >= 500,
        cause_ko=entry.cause_ko,
        cause_en=entry.cause_en,
        cure_ko=entry.cure_ko,
        cure_en=entry.cure_en,
    )


def _look_first(call: Call[object]) -> str:
    if call.may_repeat:
        return "Nothing was changed by asking: ask again."
    return "It may have been carried out: look it up before repeating."


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else _printable(str(value)[:100])


def _words(value: Any) -> str:
    return _printable(value[:_MESSAGE_MAX]) if isinstance(value, str) else ""


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(mark if mark.isprintable() else " " for mark in text)
