"""What a caller puts into the first generation's requests, and how it is checked before it travels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from dojang.bootpay.amount import AmountLike, exact_amount, json_amount, payable
from dojang.bootpay.call import Encoding
from dojang.bootpay.ids import required_text
from dojang.bootpay.wire import WireInput
from dojang.errors import InvalidValue

__all__ = [
    "Item",
    "Items",
    "Mapped",
    "RefundAccount",
    "UserInfo",
    "as_items",
    "as_mapping",
    "charge_amounts",
    "encoding_of",
    "instalments",
    "unix_seconds",
]


class Item(WireInput, frozen=True, kw_only=True):
    """One line of what is bought; Bootpay uses it for statistics.

    Attributes:
        unique: The shop's key of the product.
    """

    item_name: str
    qty: int
    unique: str
    price: int | Decimal
    cat1: str | None = None
    cat2: str | None = None
    cat3: str | None = None

    shown = ("item_name", "qty", "unique", "price")

    def __post_init__(self) -> None:
        required_text(self.item_name, "item_name")
        _whole(self.qty, "qty", at_least=1)
        # Two decimals are allowed because an item does not say its currency.
        price = json_amount(exact_amount(self.price, currency="XXX", name="item price"))
        msgspec.structs.force_setattr(self, "price", price)


class UserInfo(WireInput, frozen=True, kw_only=True):
    """The buyer. payapp requires `username` and `phone`."""

    id: str | None = None
    username: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    area: str | None = None
    gender: int | None = None
    birth: str | None = None

    shown = ()


class RefundAccount(WireInput, frozen=True, kw_only=True):
    """Where the money of a virtual account goes back to; the PG must have agreed to it (CMS contract).

    Attributes:
        bankcode: Three digits, such as 088.
    """

    account: str
    accountholder: str
    bankcode: str

    shown = ("bankcode",)

    def __post_init__(self) -> None:
        required_text(self.account, "refund account")
        required_text(self.accountholder, "refund accountholder")
        required_text(self.bankcode, "refund bankcode")


Mapped: TypeAlias = WireInput | Mapping[str, Any]
"""An object of a request: one of the types above, or a mapping for what they do not name."""

Items: TypeAlias = Sequence[Mapped]
"""What is bought, line by line."""


def as_mapping(value: Mapped | None, name: str) -> dict[str, object] | None:
    """An object as it travels; None stays unset."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, WireInput):
        mapping: dict[str, object] = msgspec.to_builtins(value, builtin_types=(Decimal,))
        return mapping
    raise InvalidValue(f"{name} must be a mapping, not {type(value).__name__}")


def as_items(items: Items | None) -> list[dict[str, object] | None] | None:
    """The lines of an order as they travel; None stays unset."""
    if items is None:
        return None
    if isinstance(items, str | bytes | Mapping):
        raise InvalidValue("items must be a list of items")
    return [as_mapping(item, "items") for item in items]


def charge_amounts(
    price: AmountLike | None, tax_free: AmountLike | None, currency: str
) -> dict[str, int | Decimal | None]:
    """`price` and `tax_free` as they travel: more than nothing moves, and the tax-free part is a part of it."""
    exact = None if price is None else payable(price, currency=currency)
    free = None if tax_free is None else exact_amount(tax_free, currency=currency, name="tax_free")
    if exact is not None and free is not None and free > exact:
        raise InvalidValue(f"tax_free {free} must not be more than price {exact}")
    return {
        "price": None if exact is None else json_amount(exact),
        "tax_free": None if free is None else json_amount(free),
    }


def instalments(quota: int | None) -> int | None:
    """The months of a charge: 0 for a lump sum, otherwise 2 to 12. Bootpay refuses 1."""
    if quota is None:
        return None
    _whole(quota, "quota", at_least=0)
    if quota == 1 or quota > 12:
        raise InvalidValue("quota must be 0 (lump sum) or 2 to 12 months")
    return quota


def unix_seconds(moment: datetime | int, name: str) -> int:
    """A moment as Unix seconds: an aware time, or the seconds themselves."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise InvalidValue(f"{name} must say its time zone")
        return int(moment.timestamp())
    _whole(moment, name, at_least=1)
    # Milliseconds are the usual slip; read as seconds they are tens of thousands of years away.
    if moment >= 10**11:
        raise InvalidValue(f"{name} must be in seconds, not milliseconds")
    return moment


def encoding_of(body: Mapping[str, object]) -> Encoding:
    """A form, as the official library sends it, as long as a form can hold the body; otherwise JSON.

    The official library sends nested values in a form too, where only their keys arrive: the account number of a
    virtual account's refund is lost that way. Bootpay takes JSON for the same calls.
    """
    flat = all(isinstance(value, str | int | Decimal) for value in body.values())
    return Encoding.FORM if flat else Encoding.JSON


def _whole(value: object, name: str, *, at_least: int) -> None:
    # bool is an int to Python, but True counts nothing.
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise InvalidValue(f"{name} must be a whole number of at least {at_least}")
