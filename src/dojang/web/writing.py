"""Values become JSON."""

from __future__ import annotations

import msgspec

__all__ = ["json_of"]


def json_of(value: object) -> bytes:
    """A value as JSON, compact, UTF-8."""
    return _encoder.encode(value)


def _plain(value: object) -> str:
    # Ids are texts with a type of their own; the encoder knows texts alone.
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(type(value).__name__)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
