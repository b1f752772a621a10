"""How DynamoDB is spoken to: one operation at a time, as values. Two ways keep this port: `signed` and `boto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import msgspec

__all__ = ["Answer", "Item", "Reason", "Request", "Table", "TableRefused", "TableSilent", "Value"]

Request: TypeAlias = Mapping[str, object]
"""An operation's parameters, as the API reference has them."""


class Value(msgspec.Struct, rename="upper", omit_defaults=True, frozen=True):
    """An attribute's value; exactly one field is set. We keep text, numbers, lists and maps, nothing else."""

    s: str | None = None
    n: str | None = None
    l: list[Value] | None = None  # noqa: E741 - DynamoDB's name
    m: dict[str, Value] | None = None


Item: TypeAlias = dict[str, Value]
"""Attributes by name: an item, or its key."""


class Reason(msgspec.Struct, rename="pascal", frozen=True):
    """Why one part of a transaction could not be written; `None` as code where that part is not to blame."""

    code: str = "None"
    item: Item | None = None
    message: str | None = None


class Unprocessed(msgspec.Struct, rename="pascal", frozen=True):
    """Keys of one table that a batch left out because it was throttled."""

    keys: list[Item] = []


class Key(msgspec.Struct, rename="pascal", frozen=True):
    """One attribute of a key: `HASH` or `RANGE`."""

    attribute_name: str
    key_type: str


class Index(msgspec.Struct, rename="pascal", frozen=True):
    """An index as a table's description tells it."""

    index_name: str
    key_schema: list[Key] = []
    index_status: str = "ACTIVE"


class Stream(msgspec.Struct, rename="pascal", frozen=True):
    """Whether a table's changes can be read."""

    stream_enabled: bool = False
    stream_view_type: str = ""


class Description(msgspec.Struct, rename="pascal", frozen=True):
    """A table, as far as we look at it."""

    table_status: str = ""
    key_schema: list[Key] = []
    global_secondary_indexes: list[Index] = []
    stream_specification: Stream | None = None
    latest_stream_arn: str = ""


class Answer(msgspec.Struct, rename="pascal", frozen=True):
    """What we read of any operation's answer."""

    item: Item | None = None
    attributes: Item | None = None
    items: list[Item] = []
    last_evaluated_key: Item | None = None
    responses: dict[str, list[Item]] = {}
    unprocessed_keys: dict[str, Unprocessed] = {}
    table: Description | None = None
    table_description: Description | None = None
    consumed_capacity: object = None


class TableRefused(Exception):
    """DynamoDB answered no.

    Attributes:
        code: Its name for the refusal, without the namespace.
        words: Its own words.
        http_status: 5xx leaves open whether it was carried out.
        reasons: Of a cancelled transaction: one per part, in their order.
        item: Of a failed condition: the item that is there, where it was asked for.
    """

    def __init__(
        self,
        code: str,
        words: str,
        http_status: int = 400,
        reasons: tuple[Reason, ...] = (),
        item: Item | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
        self.http_status = http_status
        self.reasons = reasons
        self.item = item


class TableSilent(Exception):
    """No usable answer came: it may or may not have been carried out."""


class Table(Protocol):
    """A way to DynamoDB."""

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
        """Ask once; repeating is the caller's business.

        Raises:
            TableRefused: The answer is no.
            TableSilent: There is no answer, or none that can be read.
        """
        ...

    def close(self) -> None:
        """Give up every connection; the next call makes new ones."""
        ...
