"""What the shop expects to be paid, fixed before checkout.

Rule 1: an order's terms never change after it is registered.
Rule 2: money is a whole number of minor units; nothing here ever rounds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from dojang.core.values import Value, field
from dojang.errors import InvalidValue

__all__ = ["CURRENCIES", "YEARS", "Money", "Order", "OrderId", "ReceiptId"]

_ORDER_ID = re.compile(r"[A-Za-z0-9._~:-]{1,64}", re.ASCII)
_RECEIPT_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_NAME_LENGTH_MAX = 200
_METADATA_KEYS_MAX = 50
_METADATA_TEXT_MAX = 500
_METADATA_NUMBER_MAX = 2**53
_MINOR_MAX = 10**15
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_EXPONENT_MIN = -40

CURRENCIES: Mapping[str, int] = {"KRW": 0, "USD": 2}
"""The currencies an order may have, each with the number of its decimals."""
YEARS = range(1970, 9000)
"""Of every moment that is kept: no time zone and no wait leads from them out of what a datetime can hold."""


class OrderId(str):
    """The shop's own id of an order: 1 to 64 of `A-Z a-z 0-9 . _ ~ : -`."""

    __slots__ = ()

    def __new__(cls, text: object) -> OrderId:
        """Check the grammar.

        Raises:
            InvalidValue: If `text` cannot be an order's id.
        """
        if not isinstance(text, str) or not _ORDER_ID.fullmatch(text) or text in {".", ".."}:
            raise InvalidValue(
                "order_id must be 1 to 64 characters of A-Z a-z 0-9 . _ ~ : - "
                "(order_id는 영문, 숫자, . _ ~ : - 로 된 1~64자여야 합니다)"
            )
        return super().__new__(cls, text)


class ReceiptId(str):
    """Bootpay's id of one checkout: 24 hexadecimal characters, kept in lower case."""

    __slots__ = ()

    def __new__(cls, text: object) -> ReceiptId:
        """Check the grammar and lower the case.

        Raises:
            InvalidValue: If `text` cannot be a receipt's id.
        """
        if isinstance(text, str):
            text = text.lower()
            if _RECEIPT_ID.fullmatch(text):
                return super().__new__(cls, text)
        raise InvalidValue(
            "receipt_id must be 24 hexadecimal characters (receipt_id는 24자리 16진수여야 합니다)"
        )


class Money(Value, kw_only=False):
    """An exact amount.

    Attributes:
        minor: Whole minor units: won for KRW, cents for USD.
        currency: ISO 4217 code in capitals.
    """

    minor: int
    currency: str = "KRW"

    @classmethod
    def parse(cls, value: object, currency: str = "KRW", *, what: str = "price") -> Money:
        """Read an amount in major units exactly: 1000, 1000.0 and "1000" are the same amount.

        Raises:
            InvalidValue: For bool, NaN, infinities, negatives, anything finer than the currency's minor
                unit, and anything that is no number.
        """
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
            raise InvalidValue(f"{what} must be a number ({what}은(는) 숫자여야 합니다)")
        if isinstance(value, str) and not _NUMBER.fullmatch(value):
            # Decimal would also read "1_000", " 1000 " and full-width digits.
            raise InvalidValue(f"{what} must be a number ({what}은(는) 숫자여야 합니다)")
        try:
            # A float is read by its shortest text: 10.1 means 10.1, not its binary neighbour.
            exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        except InvalidOperation:
            raise InvalidValue(f"{what} must be a number ({what}은(는) 숫자여야 합니다)") from None
        if not exact.is_finite() or exact < 0:
            raise InvalidValue(f"{what} must not be negative or infinite ({what}은(는) 0 이상이어야 합니다)")
        if exact.adjusted() > 15:
            raise InvalidValue(f"{what} is too large ({what}이(가) 너무 큽니다)")
        decimals = CURRENCIES.get(currency, 2)
        # Whole numbers only from here on: Decimal's own arithmetic rounds to 28 digits.
        too_fine = int(exact.as_tuple().exponent) < _EXPONENT_MIN
        numerator, denominator = (0, 1) if too_fine else exact.as_integer_ratio()
        minor, rest = divmod(numerator * 10**decimals, denominator)
        if too_fine or rest:
            raise InvalidValue(
                f"{what} has more decimals than {currency} allows "
                f"({what}의 소수 자릿수가 {currency}에 허용된 것보다 많습니다)"
            )
        if minor > _MINOR_MAX:
            raise InvalidValue(f"{what} is too large ({what}이(가) 너무 큽니다)")
        return cls(minor, currency)

    @property
    def major(self) -> int | float:
        """The amount in major units as JSON shows it: an integer for KRW, at most two decimals for USD."""
        return major_units(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.major:,} {self.currency}"


def major_units(minor: int, currency: str) -> int | float:
    """Turn minor units into the number JSON shows."""
    decimals = CURRENCIES.get(currency, 2)
    return minor if decimals == 0 else float(Decimal(minor).scaleb(-decimals))


class Order(Value):
    """The terms of one order.

    Attributes:
        id: The shop's own id.
        price: What must be paid in all.
        name: What the buyer sees, at most 200 characters.
        tax_free: The non-taxable part of `price`, in minor units of the same currency.
        expires_at: Aware; money after this moment is late. None: the order never runs out.
        metadata: Small and flat; handed back with every delivery, never interpreted.
    """

    id: OrderId
    price: Money
    name: str
    tax_free: int = 0
    expires_at: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.price.currency not in CURRENCIES:
            raise InvalidValue(
                f"currency must be one of {', '.join(CURRENCIES)} "
                f"(통화는 {', '.join(CURRENCIES)} 중 하나여야 합니다)"
            )
        if self.price.minor <= 0:
            raise InvalidValue("price must be more than zero (price는 0보다 커야 합니다)")
        if not 0 <= self.tax_free <= self.price.minor:
            raise InvalidValue(
                "tax_free must be between 0 and price (tax_free는 0 이상 price 이하여야 합니다)"
            )
        _check_name(self.name)
        _check_moment(self.expires_at)
        _check_metadata(self.metadata)


def _check_moment(at: object) -> None:
    if at is None:
        return
    if not isinstance(at, datetime):
        raise InvalidValue("expires_at must be a datetime (expires_at은 datetime이어야 합니다)")
    if at.tzinfo is None:
        raise InvalidValue("expires_at must carry a time zone (expires_at에는 시간대가 있어야 합니다)")
    if at.year not in YEARS:
        raise InvalidValue(
            f"expires_at must lie between the years {YEARS.start} and {YEARS.stop - 1} "
            f"(expires_at은 {YEARS.start}년에서 {YEARS.stop - 1}년 사이여야 합니다)"
        )


def _check_name(name: object) -> None:
    if (
        not isinstance(name, str)
        or not name.strip()
        or len(name) > _NAME_LENGTH_MAX
        or not name.isprintable()
    ):
        raise InvalidValue(
            f"name must be 1 to {_NAME_LENGTH_MAX} printable characters "
            f"(name은 1~{_NAME_LENGTH_MAX}자의 문자여야 합니다)"
        )


def _check_metadata(metadata: object) -> None:
    small = (
        isinstance(metadata, Mapping)
        and len(metadata) <= _METADATA_KEYS_MAX
        and all(isinstance(key, str) and _is_plain(key) for key in metadata)
        and all(_is_plain(value) for value in metadata.values())
    )
    if not small:
        raise InvalidValue(
            "metadata must be at most 50 keys with text, numbers, booleans or null of at most 500 characters "
            "(metadata는 최대 50개의 키와 500자 이하의 단순 값만 담을 수 있습니다)"
        )


def _is_plain(value: object) -> bool:
    """Whether every store gives it back as it was: no NaN, no number beyond JSON's, no half of a character."""
    match value:
        case None | bool():
            return True
        case int():
            return abs(value) <= _METADATA_NUMBER_MAX
        case float():
            return math.isfinite(value)
        case str():
            return len(value) <= _METADATA_TEXT_MAX and not any("\ud800" <= c <= "\udfff" for c in value)
        case _:
            return False
