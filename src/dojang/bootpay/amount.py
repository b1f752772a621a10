"""Exact amounts of money, on the way out and on the way in.

One type holds every amount: `decimal.Decimal`, whole amounts without a fraction. `1000`, `1000.0`, `"1000"` and
`Decimal("1E+3")` are the same amount. KRW has no minor unit; other currencies have two decimals (Bootpay documents
no precision, so more is refused rather than rounded).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeAlias

from dojang.errors import InvalidValue

__all__ = ["AmountLike", "exact_amount", "json_amount", "payable", "received_amount"]

AmountLike: TypeAlias = int | str | float | Decimal
"""What a caller may pass as an amount; a float counts by its shortest text, so `0.1` is a tenth."""

_TEXT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,16})?", re.ASCII)
_DIGITS_MAX = 15


def exact_amount(value: AmountLike, *, currency: str = "KRW", name: str = "price") -> Decimal:
    """The one exact amount a value stands for.

    Raises:
        InvalidValue: It is no number, negative, not finite, too large, or finer than its currency.
    """
    # bool is an int to Python, but True is no amount to anybody.
    if isinstance(value, bool):
        raise InvalidValue(f"{name} must be an amount of money, not {value}")
    if isinstance(value, str):
        if not _TEXT.fullmatch(value):
            raise InvalidValue(f"{name} must be written in plain digits, such as 1000")
        number = Decimal(value)
    elif isinstance(value, float):
        number = Decimal(repr(value))
    elif isinstance(value, int | Decimal):
        number = Decimal(value)
    else:
        raise InvalidValue(f"{name} must be an int, str, float or Decimal, not {type(value).__name__}")
    return _checked(number, currency, name)


def received_amount(number: Decimal, *, currency: str, name: str) -> Decimal:
    """The same rules for an amount that Bootpay sent."""
    return _checked(number, currency, name)


def _checked(number: Decimal, currency: str, name: str) -> Decimal:
    if not number.is_finite():
        raise InvalidValue(f"{name} must be a finite amount")
    if number < 0:
        raise InvalidValue(f"{name} must not be negative")
    # Judged before any arithmetic: 1E+999999999 would otherwise be written out digit by digit.
    if number.adjusted() >= _DIGITS_MAX:
        raise InvalidValue(f"{name} has more than {_DIGITS_MAX} digits")
    if number.adjusted() < -_DIGITS_MAX and number != 0:
        raise InvalidValue(f"{name} is finer than any currency")
    whole = number == number.to_integral_value()
    if whole:
        return Decimal(int(number))
    if currency.upper() == "KRW":
        raise InvalidValue(f"{name} must be a whole number of won")
    cents = number.quantize(Decimal("0.01"))
    if cents != number:
        raise InvalidValue(f"{name} must have at most two decimals in {currency.upper()}")
    return cents


def payable(value: AmountLike, *, currency: str = "KRW", name: str = "price") -> Decimal:
    """An amount that is to move: exact and more than nothing.

    Zero is refused because Bootpay does not say whether it takes 0 for "nothing" or for "everything that is left".
    """
    amount = exact_amount(value, currency=currency, name=name)
    if amount == 0:
        raise InvalidValue(f"{name} must be more than 0")
    return amount


def json_amount(amount: Decimal) -> int | Decimal:
    """How an amount travels: a JSON integer where it is whole, otherwise a JSON number with its decimals."""
    return int(amount) if amount == amount.to_integral_value() else amount
