"""Ids and short texts, checked before anything is sent and quoted on the way out.

Nothing here repeats the value in its message: a billing key is a secret, an order id may be a buyer's name.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from dojang.errors import InvalidValue

__all__ = ["bootpay_id", "merchant_id", "required_text", "segment"]

_BOOTPAY_ID = re.compile(r"[0-9a-fA-F]{24}", re.ASCII)
_MERCHANT_ID_MAX = 100
_TEXT_MAX = 1000


def bootpay_id(value: object, name: str) -> str:
    """An id Bootpay made (receipt, billing key, reservation): 24 hexadecimal characters, safe in a path.

    Raises:
        InvalidValue: It is anything else.
    """
    if not isinstance(value, str) or not _BOOTPAY_ID.fullmatch(value):
        raise InvalidValue(f"{name} must be 24 hexadecimal characters")
    return value


def required_text(value: object, name: str, *, longest: int = _TEXT_MAX) -> str:
    """A text Bootpay requires: not empty, printable, not endless.

    Raises:
        InvalidValue: It is anything else.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidValue(f"{name} must not be empty")
    if not value.isprintable():
        raise InvalidValue(f"{name} must not contain control characters")
    if len(value) > longest:
        raise InvalidValue(f"{name} must not be longer than {longest} characters")
    return value


def merchant_id(value: object, name: str) -> str:
    """An id the shop made (order, subscription, authentication, cancel): 1 to 100 printable characters."""
    return required_text(value, name, longest=_MERCHANT_ID_MAX)


def segment(value: object, name: str) -> str:
    """A shop's id as one segment of a path: everything but letters, digits and `-._~` is percent-encoded."""
    text = merchant_id(value, name)
    # Dots are never encoded, and a path of dots climbs: proxies resolve `lookup/order/..` to `lookup`.
    if text in {".", ".."}:
        raise InvalidValue(f"{name} must not be a relative path")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:  # a lone surrogate
        raise InvalidValue(f"{name} must be valid Unicode") from None
