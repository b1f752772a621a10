"""What is wrong with the shape of a body, told in one sentence of ours, in English and Korean, that names the field.

Only an error waits for this module: whoever sends what fits never loads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal, cast, get_args, get_origin, get_type_hints

import msgspec

from dojang.errors import InvalidValue
from dojang.web.shapes import DIGITS_PATTERN

__all__ = ["misfit", "no_moment"]

_UNKNOWN_FIELD = r"Object contains unknown field `(?P<name>(?s:.*?))`(?: - at `(?P<path>[^`]*)`)?"
# The last one counts: what was sent may be quoted in front of it.
_AT_FIELD = r"(?s:.*) - at `\$\.(?P<name>\w+)`"
_AT = r"(?: - at `\$\.(?P<at>[\w.\[\]]+)`)?"
_MISSING = rf"Object missing required field `(?P<name>\w+)`{_AT}"
_KIND = rf"Expected `(?P<wanted>[a-z |]+)`, got `(?P<got>\w+)`{_AT}"
_BOUND = rf"Expected `int` (?P<way>[<>]=) (?P<bound>-?\d+){_AT}"
_DIGITS = rf"Expected `str` matching regex {re.escape(repr(DIGITS_PATTERN))}{_AT}"
_MOMENT = rf"(?:Expected `datetime[^`]*`.*?|Invalid RFC3339 encoded datetime){_AT}"
_SHORT_NAME = r"[^\W\d][\w.-]{0,63}"
_WORDS = {
    "int": ("a whole number", "정수"),
    "float": ("a number", "숫자"),
    "str": ("text", "문자열"),
    "bool": ("true or false", "true/false"),
    "null": ("null", "null"),
    "object": ("an object", "객체"),
    "array": ("a list", "배열"),
}


def misfit(said: str, kind: type) -> InvalidValue:
    """What to answer to a body that is JSON but not of the kind that is read here.

    Args:
        said: What msgspec says.
        kind: What should have come.
    """
    # First, as these may repeat what was sent: it must not pass for anything else.
    unknown = re.fullmatch(_UNKNOWN_FIELD, said)
    if unknown is not None:
        return _unknown_field(unknown["name"], unknown["path"] or "$", kind)
    field = re.fullmatch(_AT_FIELD, said)
    choices = _choices(kind, field["name"]) if field is not None else ""
    if field is not None and choices:
        return InvalidValue(
            f"{field['name']} must be one of {choices} ({field['name']}은(는) {choices} 중 하나여야 합니다)"
        )
    if found := re.fullmatch(_MISSING, said):
        inside, inside_ko = (f" in {found['at']}", f"{found['at']}에 ") if found["at"] else ("", "")
        name = found["name"]
        return InvalidValue(
            f"The field {name}{inside} is missing ({inside_ko}필수 필드 {name}이(가) 없습니다)"
        )
    if found := re.fullmatch(_MOMENT, said):
        return no_moment(found["at"])
    if found := re.fullmatch(_KIND, said):
        return _wrong_kind(found["wanted"].split(" | "), found["got"], found["at"])
    if found := re.fullmatch(_BOUND, said):
        way, way_ko = ("at least", "이상") if found["way"] == ">=" else ("at most", "이하")
        bound, at = found["bound"], found["at"]
        return InvalidValue(f"{at} must be {way} {bound} ({at}은(는) {bound} {way_ko}의 정수여야 합니다)")
    if found := re.fullmatch(_DIGITS, said):
        return InvalidValue(
            f'{found["at"]} as text must be plain digits, such as "3000" or "19.99" '
            f'({found["at"]}을(를) 문자열로 쓸 때는 "3000"이나 "19.99"처럼 숫자만 써야 합니다)'
        )
    return InvalidValue(f"The body does not fit: {said} (본문이 형식에 맞지 않습니다)")


def no_moment(name: str) -> InvalidValue:
    """What to say where something else stands for a moment."""
    return InvalidValue(
        f"{name} must be a moment with its time zone, such as 2026-01-31T09:00:00+09:00 "
        f"({name}은(는) 시간대가 있는 시각이어야 합니다. 예: 2026-01-31T09:00:00+09:00)"
    )


def _wrong_kind(wanted: Sequence[str], got: str, at: str | None) -> InvalidValue:
    # Where any number will do, a whole one is not worth a word.
    known = [_WORDS[word] for word in wanted if not (word == "int" and "float" in wanted)]
    english = " or ".join(word for word, _ in known)
    korean = " 또는 ".join(word for _, word in known)
    came, came_ko = ("a fraction", "소수") if got == "float" else _WORDS[got]
    return InvalidValue(
        f"{at or 'The body'} must be {english}, not {came} "
        f"({f'{at}은(는)' if at else '본문은'} {korean} 형식이어야 합니다. 받은 형식: {came_ko})"
    )


def _choices(kind: type, name: str) -> str:
    """The few words that a field takes; nothing where it takes more than some words."""
    hint: object = get_type_hints(kind).get(name)
    return ", ".join(get_args(hint)) if get_origin(hint) is Literal else ""


def _unknown_field(name: str, path: str, kind: type) -> InvalidValue:
    """What to say about a field that nobody knows: mostly it is one that everybody knows, mistyped."""
    if not re.fullmatch(_SHORT_NAME, name):
        return InvalidValue("The body has a field that is not known here (본문에 알 수 없는 필드가 있습니다)")
    at = path.removeprefix("$").removeprefix(".")
    inside, inside_ko = (f" in {at}", f" {at}의") if at else ("", "")
    known = _fields_at(kind, at.split(".") if at else [])
    close = get_close_matches(name.lower(), known, n=1)
    if close:
        way, way_ko = f"did you mean {close[0]}?", f"{close[0]}을(를) 쓰려던 것인가요?"
    else:
        way, way_ko = (
            f"known {'is' if len(known) == 1 else 'are'} {', '.join(known)}.",
            f"쓸 수 있는 필드: {', '.join(known)}",
        )
    return InvalidValue(
        f"The body has an unknown field {name}{inside}: {way} "
        f"(본문에 알 수 없는 필드가 있습니다:{inside_ko} {name}. {way_ko})"
    )


def _fields_at(kind: object, path: Sequence[str]) -> list[str]:
    """The fields that the type has there, optional ones included."""
    for step in path:
        inner = get_type_hints(kind)[step]
        kind = next(
            each
            for each in (inner, *get_args(inner))
            if isinstance(each, type) and issubclass(each, msgspec.Struct)
        )
    return [each.encode_name for each in msgspec.structs.fields(cast("type[msgspec.Struct]", kind))]
