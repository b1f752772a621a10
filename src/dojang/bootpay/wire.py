"""How Bootpay's bodies become typed values.

Rule 1: what is well formed is decoded in one go, by decoders built once.
Rule 2: what is oddly formed in a documented way (status `"11"` or `2.0`, a time without offset, null for missing,
    a number where a text belongs) is mended field by field and judged again.
Rule 3: whatever is still wrong is a `msgspec.ValidationError`, which names the field and never its value.
Rule 4: nothing unknown is lost: `raw` has the body as it came.
Rule 5: `repr` shows an allow-list, so a field added tomorrow is hidden until someone decides otherwise.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from dojang.bootpay.amount import received_amount

__all__ = ["KOREAN_TIME", "Time", "Wire", "WireInput", "korean_time", "list_reader", "mended", "reader"]

KOREAN_TIME = timezone(timedelta(hours=9), "KST")
"""Bootpay's own clock: what a time without an offset means."""

Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment, always aware."""

_ANY = msgspec.json.Decoder()
# Numbers with a fraction stay exact while a body is being mended.
_EXACT = msgspec.json.Decoder(float_hook=Decimal)

W = TypeVar("W", bound="Wire")


class _Shown(msgspec.Struct, frozen=True):
    """Shows only what its class lists in `shown`: in `repr`, and in whatever prints objects prettily."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.shown]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"


class WireInput(_Shown, frozen=True, kw_only=True, omit_defaults=True):
    """Something a caller sends inside a body. Unset fields do not travel."""


class Wire(_Shown, frozen=True, kw_only=True, dict=True):
    """Something Bootpay answered.

    `amounts` names the fields that hold money. They are judged on arrival by the currency in `currency`, where the
    type has one, otherwise as won.
    """

    amounts: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not self.amounts:
            return
        currency: str = getattr(self, "currency", None) or "KRW"
        for name in self.amounts:
            number = getattr(self, name)
            if number is not None:
                exact = received_amount(number, currency=currency, name=name)
                msgspec.structs.force_setattr(self, name, exact)

    @property
    def raw(self) -> dict[str, Any]:
        """The body as it came, unknown fields included; may hold buyer data, so it is never part of `repr`."""
        body = self.__dict__.get("_body")
        if body is None:
            return {}
        mapping: dict[str, Any] = _ANY.decode(body)
        return mapping


def reader(kind: type[W]) -> Callable[[bytes], W]:
    """A function that reads one object of this type from a body."""
    decoder = msgspec.json.Decoder(kind)

    def read(body: bytes) -> W:
        try:
            value = decoder.decode(body)
        except msgspec.ValidationError:
            value = msgspec.convert(mended(_EXACT.decode(body), kind), kind)
        value.__dict__["_body"] = body
        return value

    return read


def list_reader(kind: type[W]) -> Callable[[bytes], list[W]]:
    """A function that reads a list of objects of this type from a body."""
    split = msgspec.json.Decoder(list[msgspec.Raw])
    read_one = reader(kind)

    def read(body: bytes) -> list[W]:
        return [read_one(bytes(element)) for element in split.decode(body)]

    return read


def korean_time(text: str) -> datetime:
    """A time as any generation writes it; without an offset it is Korean time.

    Raises:
        ValueError: It is no time.
    """
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=KOREAN_TIME) if moment.tzinfo is None else moment


def mended(value: object, kind: type[msgspec.Struct]) -> object:
    """Undo the documented oddities of an object before it is judged again; leave what is plainly wrong."""
    if not isinstance(value, Mapping):
        return value
    result: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        found = value.get(field.encode_name)
        if found is None:  # null and missing are alike; a required field then says that it is missing
            continue
        better = _mended_field(found, _alternatives(field.type))
        if better is not None:
            result[field.encode_name] = better
    return result


def _mended_field(value: object, alternatives: tuple[Any, ...]) -> object:
    for kind in alternatives:
        origin = get_origin(kind)
        if origin is list and isinstance(value, list):
            (inner,) = get_args(kind)
            return [_mended_field(element, _alternatives(inner)) for element in value]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, Mapping):
            return mended(value, kind)
    if datetime in alternatives and isinstance(value, str):
        return _mended_time(value)
    if isinstance(value, bool):
        return value
    if int in alternatives and isinstance(value, str | Decimal) and str not in alternatives:
        return _mended_int(value)
    if bool in alternatives and value in (0, 1, "0", "1", "true", "false"):
        return value in (1, "1", "true")
    if str in alternatives and isinstance(value, int | Decimal):
        return str(value)
    if any(get_origin(kind) is dict for kind in alternatives) and not isinstance(value, Mapping):
        return None  # some sources type metadata as text; `raw` keeps what it was
    return value


def _mended_time(text: str) -> object:
    if not text.strip():
        return None
    try:
        return korean_time(text)
    except ValueError:
        return text


def _mended_int(value: str | Decimal) -> object:
    try:
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() and number.adjusted() < 18 else value
    except ArithmeticError:
        return value


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types a field may have: unions and annotations opened."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _alternatives(get_args(kind)[0])
    if origin is Union or origin is types.UnionType:
        return tuple(inner for option in get_args(kind) for inner in _alternatives(option))
    return (kind,)
