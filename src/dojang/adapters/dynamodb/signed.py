"""The lean way to DynamoDB: its JSON protocol, signed as botocore would.

`boto3.client("dynamodb")` reads and interprets a service model of a megabyte before its first request; a function that
starts cold waits for that. The protocol itself is one POST per operation: a target header, JSON, a signature.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

import msgspec

from dojang.adapters.aws import Endpoint, NoKeys, Silent, sound, usual_address
from dojang.adapters.dynamodb.table import Answer, Item, Reason, Request, TableRefused, TableSilent
from dojang.errors import ConfigError

__all__ = ["SignedTable", "region_of"]

_TARGET = "DynamoDB_20120810."
_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CONNECT_S = 1.0
# A transaction of ten items takes tens of milliseconds; who has not answered after this will not.
_ATTEMPT_S = 3.0

_encode = msgspec.json.Encoder().encode
_answer = msgspec.json.Decoder(Answer)


class _Refusal(msgspec.Struct, frozen=True):
    """The body of an answer that is no; DynamoDB writes `message` in both ways."""

    type: str = msgspec.field(name="__type", default="")
    message: str = ""
    message_too: str = msgspec.field(name="Message", default="")
    reasons: tuple[Reason, ...] = msgspec.field(name="CancellationReasons", default=())
    item: Item | None = msgspec.field(name="Item", default=None)


_refusal = msgspec.json.Decoder(_Refusal)


class SignedTable:
    """A pool of connections to one region's endpoint.

    Nothing is connected and no key is read before the first call, so that a snapshot taken before it (Lambda SnapStart)
    holds neither.

    Args:
        region: For the signature and the usual endpoint.
        endpoint: Another endpoint: DynamoDB Local, a VPC endpoint, FIPS.
        connections_max: How many connections are kept open.

    Raises:
        ConfigError: If the endpoint is no address.
    """

    def __init__(self, region: str, endpoint: str | None = None, *, connections_max: int = 16) -> None:
        if endpoint and not sound(endpoint):
            raise ConfigError(
                "DOJANG_STORE: endpoint must be a plain address such as https://dynamodb.example.com."
            )
        self._endpoint = Endpoint(
            "dynamodb",
            region,
            endpoint or usual_address("dynamodb", region),
            version="1.0",
            wanted_by="DOJANG_STORE: dynamodb://",
            connections_max=connections_max,
        )

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
        """See `Table.call`."""
        within_s = max(0.001, within_s)
        body = _encode(request)
        try:
            answer = self._endpoint.post(
                _TARGET + operation, body, within_s, connect_s=_CONNECT_S, read_s=_ATTEMPT_S
            )
        except NoKeys as error:
            raise TableRefused("CredentialsUnavailable", str(error)) from None
        except Silent as error:
            raise TableSilent(str(error)) from None
        return _read(answer.status, answer.body)

    def close(self) -> None:
        """See `Table.close`."""
        self._endpoint.close()


def region_of(named: str | None) -> str:
    """The region that was named, else the one AWS's own tools would use.

    Raises:
        ConfigError: There is none, or what is named is none.
    """
    region = named or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        with suppress(ImportError):
            region = _region_of_profile()
    if not region or not _REGION.fullmatch(region):
        raise ConfigError("DOJANG_STORE: name the region, as in dynamodb://table?region=ap-northeast-2.")
    return region


def _region_of_profile() -> str | None:
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]  # botocore has no types
    from botocore.session import Session  # type: ignore[import-untyped]  # botocore has no types

    try:
        region: str | None = Session().get_config_variable("region")
    except BotoCoreError as error:
        raise ConfigError(
            "DOJANG_STORE: name the region, as in dynamodb://table?region=ap-northeast-2; AWS's own settings "
            f"cannot be read: {type(error).__name__}."
        ) from None
    return region


def _read(status: int, body: bytes) -> Answer:
    try:
        if status == 200:
            return _answer.decode(body)
        said = _refusal.decode(body)
    except msgspec.MsgspecError:
        if status >= 500:
            raise TableRefused(f"HTTP_{status}", "", status) from None
        raise TableSilent(f"an answer with status {status} that is none of DynamoDB's") from None
    code = said.type.rpartition("#")[2] or f"HTTP_{status}"
    raise TableRefused(code, said.message or said.message_too, status, said.reasons, said.item)
