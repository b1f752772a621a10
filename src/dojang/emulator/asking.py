"""A request to the pretend Bootpay as a value, and the lenient reading that real clients need.

The old library sends forms whose numbers are text and whose nested values are `outer[inner]`; the new ones send JSON
with null and "" for what they leave out. All of these mean the same here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec

from dojang.emulator.books import Json, Money
from dojang.emulator.ledger import Ledger, LedgerRefusal

__all__ = [
    "Ask",
    "Route",
    "flag",
    "form_fields",
    "listed",
    "number",
    "obj",
    "read_body",
    "route",
    "text",
    "title",
]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a client wants: its path's ids, its query and its body."""

    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)

    def given(self, name: str) -> object:
        """A value from the body or, failing that, the query; null, "" and missing are one."""
        value = self.body.get(name)
        if value is None or value == "":
            value = self.query.get(name)
        return None if value == "" else value


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: which requests are meant, what the ledger does, and who may ask."""

    method: str
    pattern: re.Pattern[str]
    answer: Callable[[Ledger, Ask], object]
    needs: str = "any"  # any | bearer (no Basic) | nothing
    critical: str = "RC_CONFIRM_CRITICAL_FAILED"
    refusal: str = "INVALID_REQUEST_PARAMS"


def route(
    method: str,
    path: str,
    answer: Callable[[Ledger, Ask], object],
    *,
    needs: str = "any",
    critical: str = "RC_CONFIRM_CRITICAL_FAILED",
    refusal: str = "INVALID_REQUEST_PARAMS",
) -> Route:
    """A route whose path names its ids in braces; `.json` and a trailing slash may follow."""
    pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+?)", path)
    return Route(method, re.compile(rf"{pattern}(?:\.json)?/?"), answer, needs, critical, refusal)


def read_body(raw: bytes) -> Json:
    """The fields of a body, JSON or form, whatever it claims to be.

    Raises:
        LedgerRefusal: It is neither.
    """
    stripped = raw.strip()
    if not stripped:
        return {}
    if stripped[:1] in b"{[":
        try:
            body = msgspec.json.decode(stripped)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "JSON 형식이 올바르지 않습니다.") from None
        if isinstance(body, dict):
            return body
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "JSON 객체가 필요합니다.")
    try:
        words = stripped.decode()
    except UnicodeDecodeError:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "요청 본문을 읽을 수 없습니다.") from None
    return form_fields(words)


def form_fields(words: str) -> Json:
    """A form's fields, with `outer[inner]` put back together."""
    fields: Json = {}
    try:
        pairs = parse_qsl(words, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "요청 본문의 항목이 너무 많습니다.") from None
    for name, value in pairs:
        outer, bracket, rest = name.partition("[")
        inner = rest.removesuffix("]")
        if not bracket or not inner:
            fields[outer] = value
            continue
        nested = fields.setdefault(outer, {})
        if isinstance(nested, dict):
            nested[inner] = value
    return fields


def text(ask: Ask, name: str) -> str:
    """A value that must be there, as text.

    Raises:
        LedgerRefusal: It is missing, or no text.
    """
    value = ask.given(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", f"{name} 값이 필요합니다.")
    return value


def title(ask: Ask, name: str, default: str = "") -> str:
    """A value that may be missing, as text."""
    value = ask.given(name)
    return default if value is None or isinstance(value, dict | list) else str(value)


def number(ask: Ask, name: str) -> Money | None:
    """An amount that may be missing, or written as text.

    Raises:
        LedgerRefusal: It is there and no number.
    """
    value = ask.given(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", f"{name} 값은 숫자여야 합니다.")
    return int(value) if value == int(value) else value


def obj(ask: Ask, name: str) -> Json | None:
    """A nested object that may be missing."""
    value = ask.given(name)
    return value if isinstance(value, dict) else None


def listed(ask: Ask, name: str) -> list[object]:
    """A list that may be missing."""
    value = ask.given(name)
    return value if isinstance(value, list) else []


def flag(ask: Ask, name: str) -> bool:
    """A yes or no that may be missing, or written as text."""
    return ask.given(name) in (True, "true", "1", 1)
