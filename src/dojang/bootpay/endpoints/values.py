"""What several resources send: the buyer, the goods, the account a refund goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from dojang.bootpay.wire import WireInput
from dojang.errors import InvalidValue

__all__ = ["Item", "Items", "Refund", "User", "as_items", "as_mapping"]


class User(WireInput, frozen=True, kw_only=True, omit_defaults=True):
    """The buyer, as far as the shop wants to tell Bootpay. Hidden from `repr`."""

    id: str | None = None
    username: str | None = None
    email: str | None = None
    phone: str | None = None
    addr: str | None = None
    area: str | None = None
    birth: str | None = None
    gender: int | None = None
    zipcode: str | None = None
    address: str | None = None


class Item(WireInput, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an order, for statistics and for Naver Pay."""

    shown = ("id", "qty", "price")

    id: str
    name: str
    qty: int
    price: int
    code: str | None = None
    img: str | None = None
    cat1: str | None = None
    cat2: str | None = None
    cat3: str | None = None
    category_type: str | None = None
    category_code: str | None = None
    start_date: str | None = None
    end_date: str | None = None


class Refund(WireInput, frozen=True, kw_only=True, omit_defaults=True):
    """The bank account a virtual account's deposit goes back to (`bank_code`: three digits)."""

    bank_account: str
    bank_username: str
    bank_code: str


Mapped: TypeAlias = WireInput | Mapping[str, Any]
Items: TypeAlias = Sequence[Item | Mapping[str, Any]]
"""What is bought, line by line."""


def as_mapping(value: Mapped | None, name: str) -> dict[str, object] | None:
    """A struct or a mapping as the mapping that travels; None stays unset."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, WireInput):
        mapping: dict[str, object] = msgspec.to_builtins(value)
        return mapping
    raise InvalidValue(f"{name} must be a mapping, not {type(value).__name__}")


def as_items(items: Items | None) -> list[dict[str, object] | None] | None:
    """The lines of an order as they travel; None stays unset."""
    if items is None:
        return None
    if isinstance(items, str | bytes | Mapping):
        raise InvalidValue("items must be a list of items")
    return [as_mapping(item, "items") for item in items]
