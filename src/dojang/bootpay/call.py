"""One request to Bootpay as a value, and how to read its answer. No I/O happens here.

A `Call` says what to send; a client decides how: which credentials, which deadline, whether a failure may be
repeated. Keeping the two apart is what lets one description of an endpoint serve both the blocking and the
asyncio client, the recorder of the wire tests, and the emulator's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

__all__ = ["Auth", "Call", "Encoding"]


class Auth(Enum):
    """Which credentials a call carries."""

    NONE = "none"
    """No Authorization header: the token call itself."""
    USUAL = "usual"
    """Basic where a client key is configured, otherwise the legacy token."""


class Encoding(Enum):
    """How the body travels."""

    JSON = "json"
    FORM = "form"
    """`application/x-www-form-urlencoded`: what the first generation's library sends for some calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T_co]):
    """One request as a value.

    Attributes:
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Path below the generation's base address, segments already checked and quoted, no leading slash.
        read: Turns the decoded success body (bytes) into the typed result; raises `msgspec` errors on a wrong shape.
        query: Query parameters, unquoted.
        body: JSON-able body, or None for no body.
        encoding: How `body` travels.
        auth: Which credentials it carries.
        moves_money: True where a repeat could move money twice: such a call is sent at most once.
        generation: 1 or 2: the base address, the token and the envelope it speaks.
    """

    method: str
    path: str
    read: Callable[[bytes], T_co]
    query: Mapping[str, str] | None = None
    body: Mapping[str, object] | None = None
    encoding: Encoding = Encoding.JSON
    auth: Auth = Auth.USUAL
    moves_money: bool = False
    generation: int = 2
