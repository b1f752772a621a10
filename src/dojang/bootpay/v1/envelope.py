"""The first generation wraps every answer: `{"status", "code", "message", "data"}`.

`status` repeats the HTTP status, `code` is 0 on success and negative otherwise; some successes leave out `message`,
some `data` as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from dojang.bootpay.wire import Wire, reader

__all__ = ["Done", "Envelope", "read_data", "read_done", "read_text"]

W = TypeVar("W", bound=Wire)


class Envelope(msgspec.Struct, frozen=True):
    """What surrounds an answer; `data` is still undecoded."""

    status: int | str | float | None = None
    code: int | str | float | None = None
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")

    @property
    def succeeded(self) -> bool:
        """Whether Bootpay said yes: status 200 and code 0, compared as numbers."""
        return _is(self.status, 200) and _is(self.code, 0)

    def __repr__(self) -> str:
        # `data` may hold a token, a card number or a buyer; `message` may hold anything.
        return f"Envelope(status={self.status!r}, code={self.code!r})"


class Done(Wire, frozen=True, kw_only=True):
    """Bootpay did it and had nothing more to say."""

    status: int
    code: int
    message: str | None = None

    shown = ("status", "code")


def read_data(kind: type[W]) -> Callable[[bytes], W]:
    """A function that reads `data` as this type out of a success."""
    read_inside = reader(kind)

    def read(body: bytes) -> W:
        return read_inside(_data(body))

    return read


def read_text(body: bytes) -> str:
    """The text that is the whole `data` of a success."""
    text: str = _TEXT.decode(_data(body))
    if not text:
        raise msgspec.ValidationError("Expected a text - at `$.data`")
    return text


def read_done(body: bytes) -> Done:
    """A success that carries no data."""
    _success(body)
    return _read_done(body)


_read_done = reader(Done)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_TEXT = msgspec.json.Decoder(str)


def _success(body: bytes) -> Envelope:
    envelope = _ENVELOPE.decode(body)
    # Whoever sends tells refusals apart before reading; what is read here must still never pass for a yes.
    if not envelope.succeeded:
        raise msgspec.ValidationError("Expected `status` 200 and `code` 0")
    return envelope


def _data(body: bytes) -> bytes:
    data = bytes(_success(body).data)
    if not data or data == b"null":
        raise msgspec.ValidationError("Object missing required field `data`")
    return data


def _is(found: int | str | float | None, wanted: int) -> bool:
    try:
        return found is not None and float(found) == wanted
    except ValueError:
        return False
