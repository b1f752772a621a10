"""The usual way to DynamoDB: a boto3 client behind the same port, for who needs its proxies, plugins or endpoints."""

from __future__ import annotations

import re
from typing import Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # botocore has no types

from dojang.adapters.dynamodb.table import Answer, Item, Reason, Request, TableRefused, TableSilent

__all__ = ["BotoTable"]

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class _Client(Protocol):
    """What we use of a boto3 client."""

    def close(self) -> None: ...


class BotoTable:
    """A boto3 DynamoDB client as a `Table`.

    Args:
        client: `boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}, read_timeout=3))`; with
            its own repeats left on, a call may outlast the store's patience.
    """

    def __init__(self, client: _Client) -> None:
        self._client = client

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:  # noqa: ARG002 - its Config's
        """See `Table.call`."""
        method = getattr(self._client, _CAPITAL.sub("_", operation).lower())
        try:
            return msgspec.convert(method(**msgspec.to_builtins(request)), Answer)
        except ClientError as error:
            said = error.response
            told = said["Error"]
            raise TableRefused(
                told["Code"],
                told.get("Message", ""),
                said["ResponseMetadata"]["HTTPStatusCode"],
                msgspec.convert(said.get("CancellationReasons", ()), tuple[Reason, ...]),
                msgspec.convert(said.get("Item"), Item | None),
            ) from None
        except BotoCoreError as error:
            raise TableSilent(type(error).__name__) from None

    def close(self) -> None:
        """See `Table.close`."""
        self._client.close()
