"""Bodies and queries become values, or one sentence that says what is wrong with them.

Rule 1: what two readers might understand differently (a key given twice, a number that no float holds, NaN) is
refused, never guessed.
Rule 2: nothing here raises anything but `InvalidValue`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NoReturn, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from dojang.core.order import YEARS, OrderId
from dojang.errors import InvalidValue
from dojang.web.shapes import CURSOR_PATTERN

__all__ = [
    "check_cursor",
    "check_moment",
    "delivery_id",
    "idempotency_key",
    "moment",
    "order_id",
    "read_body",
    "read_query",
    "whole_number",
]

T = TypeVar("T")

_INTEGER_MAX = 2**63
_DIGITS_MAX = 19
# Compiled when first used: a cold function that verifies waits for every pattern, and needs none of these.
_DELIVERY_ID = r"[A-Za-z0-9._~:@-]{1,200}"
_IDEMPOTENCY_KEY = r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?"
# A `+` in a query means a space, and `+09:00` is mostly sent unquoted: read the space as the sign it was.
_LOST_PLUS = r" (?=\d\d:?\d\d$)"


def read_body(body: bytes, kind: type[T]) -> T:
    """Read a JSON body strictly: right types, no unknown fields.

    Raises:
        InvalidValue: With the sentence for the caller.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidValue("The body is not UTF-8 (본문이 UTF-8이 아닙니다)") from None
    try:
        value: object = _decoder.decode(text)
    except RecursionError:
        raise InvalidValue("The body is nested too deeply (본문의 중첩이 너무 깊습니다)") from None
    except InvalidValue:
        raise
    except ValueError:
        raise InvalidValue("The body is not JSON (본문이 JSON이 아닙니다)") from None
    if "\\u" in text:
        # Only an escape can bring in what no text holds: half a surrogate pair, or a NUL that databases refuse.
        _check_texts(value)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        # Only an error waits for this import.
        from dojang.web.misfits import misfit

        raise misfit(str(error), kind) from None


def read_query(query: str, names: Sequence[str]) -> Mapping[str, str]:
    """Read a query of known names, each at most once.

    Raises:
        InvalidValue: For unknown or repeated names and for text that is not UTF-8.
    """
    found: dict[str, str] = {}
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        name, value = _unquoted(name), _unquoted(value)
        if name not in names:
            raise InvalidValue(
                f"The query knows {', '.join(names)} and nothing else "
                f"(쿼리에는 {', '.join(names)}만 쓸 수 있습니다)"
            )
        if name in found:
            raise InvalidValue(f"{name} is given twice ({name}이(가) 두 번 있습니다)")
        found[name] = value
    return found


def order_id(segment: str) -> OrderId:
    """An order's id as a segment of a path."""
    return OrderId(_unquoted(segment, plus=False) if "%" in segment else segment)


def delivery_id(segment: str) -> str:
    """A delivery's id as a segment of a path: an order's id, a version or receipt, and what is owed."""
    text = _unquoted(segment, plus=False) if "%" in segment else segment
    if not re.fullmatch(_DELIVERY_ID, text, re.ASCII):
        raise InvalidValue(
            "The delivery's id must be as GET /v1/orders/{order_id} shows it "
            "(전달 id는 GET /v1/orders/{order_id} 에 나온 그대로여야 합니다)"
        )
    return text


def check_cursor(cursor: str | None) -> str | None:
    """Where a page ended; None for the first page.

    Raises:
        InvalidValue: If no store can have given it.
    """
    if cursor is not None and not re.fullmatch(CURSOR_PATTERN, cursor, re.ASCII):
        raise InvalidValue(
            "cursor must be next_cursor of the answer before (cursor는 이전 응답의 next_cursor여야 합니다)"
        )
    return cursor


def idempotency_key(headers: Mapping[str, str]) -> str:
    """The key under which a request is carried out once.

    Raises:
        InvalidValue: If it is missing or cannot be one.
    """
    key = headers.get("idempotency-key", "")
    if not re.fullmatch(_IDEMPOTENCY_KEY, key, re.ASCII):
        raise InvalidValue(
            "The header Idempotency-Key is required, 1 to 255 printable ASCII characters: a new one for each cancel, "
            "the same one to ask again (Idempotency-Key 헤더가 필요합니다. 출력 가능한 ASCII 1~255자이며, "
            "취소마다 새 키를, 다시 물을 때는 같은 키를 보내 주세요)"
        )
    return key


def moment(text: str, name: str) -> datetime:
    """An ISO 8601 moment with its time zone out of a query."""
    try:
        at = datetime.fromisoformat(re.sub(_LOST_PLUS, "+", text))
    except ValueError:
        at = None
    return check_moment(at, name)


def check_moment(at: datetime | None, name: str) -> datetime:
    """A moment that every store and every time zone can hold.

    Raises:
        InvalidValue: If it has no time zone or lies centuries away.
    """
    if at is None or at.tzinfo is None or at.year not in YEARS:
        # Only an error waits for this import.
        from dojang.web.misfits import no_moment

        raise no_moment(name)
    return at


def whole_number(text: str, name: str, least: int, most: int) -> int:
    """A whole number within bounds out of a query."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else least - 1
    if not least <= value <= most:
        raise InvalidValue(
            f"{name} must be a whole number from {least} to {most} "
            f"({name}은(는) {least}에서 {most} 사이의 정수여야 합니다)"
        )
    return value


def _unquoted(text: str, *, plus: bool = True) -> str:
    try:
        plain = unquote_to_bytes(text.replace("+", " ") if plus else text).decode()
    except UnicodeError:
        raise InvalidValue("Percent-encoding must spell UTF-8 (퍼센트 인코딩은 UTF-8이어야 합니다)") from None
    if "\0" in plain:
        raise InvalidValue("Text must not contain NUL (NUL 문자는 쓸 수 없습니다)")
    return plain


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidValue("The body gives a key twice (본문에 같은 키가 두 번 있습니다)")
    return fields


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX + 1 or not -_INTEGER_MAX <= int(text) < _INTEGER_MAX:
        raise InvalidValue("The body holds a number that is too large (본문에 너무 큰 숫자가 있습니다)")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    # 3000.0000000000001 is no float: reading it as 3000.0 would change an amount without a word.
    if not math.isfinite(value) or len(text) > 40 or Decimal(repr(value)) != Decimal(text):
        raise InvalidValue(
            "The body holds a number that cannot be kept exactly (본문에 정확히 표현할 수 없는 숫자가 있습니다)"
        )
    return value


def _no_number(_: str) -> NoReturn:
    raise InvalidValue("NaN and Infinity are no JSON (NaN과 Infinity는 JSON이 아닙니다)")


_decoder = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_integer, parse_float=_float, parse_constant=_no_number
)


def _check_texts(value: object) -> None:
    match value:
        case str():
            if "\0" in value or not _is_unicode(value):
                raise InvalidValue(
                    "Text must not contain NUL or half characters (NUL이나 깨진 문자는 쓸 수 없습니다)"
                )
        case dict():
            for key, inner in value.items():
                _check_texts(key)
                _check_texts(inner)
        case list():
            for inner in value:
                _check_texts(inner)
        case _:
            pass


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
