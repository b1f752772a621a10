"""One request to Bootpay as a value, and how to read its answer. No I/O happens here.

A `Call` says what to send; a client decides how: which credentials, which deadline, whether a failure may be
repeated. Keeping the two apart is what lets one description of an endpoint serve both the blocking and the
asyncio client, the recorder of the wire tests, and the emulator's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

__all__ = ["Answer", "Auth", "Call", "Encoding", "given"]


class Auth(Enum):
    """Which credentials a call carries."""

    NONE = "none"
    """No Authorization header of our own: the token call itself, or a call that brings one in `headers`."""
    USUAL = "usual"
    """Basic where a client key is configured, otherwise the legacy token (generation 1: always the token)."""


class Encoding(Enum):
    """How the body travels."""

    JSON = "json"
    FORM = "form"
    """`application/x-www-form-urlencoded`: what the first generation's library sends for some calls."""


def given(**fields: object) -> dict[str, object]:
    """A body of the fields that were given: `None` means unset, and Bootpay treats null and missing alike."""
    return {name: value for name, value in fields.items() if value is not None}


class Answer(msgspec.Struct, frozen=True):
    """What came back, unjudged: any HTTP status, any body.

    Attributes:
        status: The HTTP status.
        body: The whole body, never longer than the client's `max_response_bytes`.
    """

    status: int
    body: bytes

    def __repr__(self) -> str:
        # A body may hold a token, a card number or a buyer.
        return f"Answer(status={self.status}, body={len(self.body)} bytes)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("status", self.status)]


class Call(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True):
    """One request as a value.

    Attributes:
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Path below the generation's base address, segments already checked and quoted, no leading slash.
        read: Turns the decoded success body (bytes) into the typed result; raises `msgspec` errors on a wrong shape.
        template: The path with its ids left out, `receipt/{receipt_id}`: how errors name the call. Empty where
            the path holds no id.
        query: Query parameters, unquoted.
        body: JSON-able body, or None for no body.
        encoding: How `body` travels.
        auth: Which credentials it carries.
        headers: Headers of this call alone; they win over the client's own of the same name.
        moves_money: True where a repeat could move money twice: such a call is sent at most once.
        repeatable: True for a call that changes nothing although it is no GET (the token call).
        generation: 1 or 2: the base address, the token and the envelope it speaks.
    """

    method: str
    path: str
    read: Callable[[bytes], T_co]
    template: str = ""
    query: Mapping[str, str] | None = None
    body: Mapping[str, object] | None = None
    encoding: Encoding = Encoding.JSON
    auth: Auth = Auth.USUAL
    headers: Mapping[str, str] | None = None
    moves_money: bool = False
    repeatable: bool = False
    generation: int = 2

    @property
    def label(self) -> str:
        """How errors name this call: method and path, without ids."""
        return f"{self.method} {self.template or self.path}"

    @property
    def may_repeat(self) -> bool:
        """Whether sending it again can change nothing at Bootpay."""
        return (self.method == "GET" or self.repeatable) and not self.moves_money

    def __repr__(self) -> str:
        # Neither path (billing keys) nor query, body or headers: they hold what must not reach a log.
        return f"Call({self.label}, generation={self.generation})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("label", self.label)]
