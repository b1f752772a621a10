"""The legacy access token: 30 minutes, bought with an application id and its private key."""

from __future__ import annotations

import msgspec

from dojang.bootpay.call import Auth, Call
from dojang.bootpay.wire import Wire, reader

__all__ = ["Token", "TokenV1", "request_token", "request_token_v1"]


class Token(Wire, frozen=True, kw_only=True):
    """An access token of generation 2 and how many seconds it is good for. The token is hidden from `repr`."""

    shown = ("expire_in",)

    access_token: str
    expire_in: int


class TokenV1(Wire, frozen=True, kw_only=True):
    """An access token of generation 1; both times are Unix seconds of Bootpay's clock."""

    shown = ("server_time", "expired_at")

    token: str
    server_time: int
    expired_at: int


class _Envelope(msgspec.Struct, frozen=True):
    data: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)
_token_v1 = reader(TokenV1)


def _read_v1(body: bytes) -> TokenV1:
    return _token_v1(bytes(_envelope.decode(body).data))


def request_token(*, application_id: str, private_key: str) -> Call[Token]:
    """Ask for an access token of generation 2."""
    return Call(
        method="POST",
        path="request/token",
        read=reader(Token),
        body={"application_id": application_id, "private_key": private_key},
        auth=Auth.NONE,
        repeatable=True,
    )


def request_token_v1(*, application_id: str, private_key: str) -> Call[TokenV1]:
    """Ask for an access token of generation 1."""
    return Call(
        method="POST",
        path="request/token",
        read=_read_v1,
        body={"application_id": application_id, "private_key": private_key},
        auth=Auth.NONE,
        repeatable=True,
        generation=1,
    )
