"""A payment as the JSON that every store keeps: the fields of its values by their names.

msgspec does this by itself for dataclasses. It reads `dataclasses` for that, and a function that starts cold waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast, get_type_hints

import msgspec

from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import CancelIntent, CancelRequest, Lease, OtherReceipt, Payment, Question
from dojang.core.receipt import Account
from dojang.core.values import Value, fields_of

__all__ = ["payment_from", "payment_json"]

# The fields that are values themselves, or rows of them.
_ONE: Mapping[str, type[Value]] = {"lease": Lease, "cancel": CancelIntent, "account": Account}
_MANY: Mapping[str, type[Value]] = {
    "questions": Question,
    "others": OtherReceipt,
    "requests": CancelRequest,
    "dismissed": Question,
}


def payment_json(payment: Payment) -> str:
    """A payment as JSON text."""
    fields = fields_of(payment)
    for name in _ONE:
        if fields[name] is not None:
            fields[name] = fields_of(fields[name])
    for name in _MANY:
        fields[name] = [fields_of(each) for each in fields[name]]
    return _encode(fields).decode()


def payment_from(text: str | bytes) -> Payment:
    """Read a payment back."""
    fields = _decode(text)
    for name, kind in _ONE.items():
        if fields.get(name) is not None:
            fields[name] = kind(**fields[name])
    for name, kind in _MANY.items():
        fields[name] = tuple(kind(**each) for each in fields.get(name, ()))
    return Payment(**fields)


def _shape() -> type[dict[str, Any]]:
    """What is in that JSON: the very annotations of the values, each value as a mapping of its own."""
    shapes: dict[str, Any] = {}
    kinds: list[type[Value]] = [*_ONE.values(), *_MANY.values(), Payment]
    for kind in kinds:
        hints = get_type_hints(kind, localns=shapes)
        shapes[kind.__name__] = TypedDict(kind.__name__, hints, total=False)  # type: ignore[operator]  # made from values
    return cast("type[dict[str, Any]]", shapes["Payment"])


def _construct(wanted: type, value: object) -> object:
    if wanted is ReceiptId or wanted is OrderId:
        return wanted(value)
    raise NotImplementedError(wanted)


_encode = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder(_shape(), dec_hook=_construct).decode
