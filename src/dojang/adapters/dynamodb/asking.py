"""Requests written down: what an update sets, takes away and insists on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from dojang.adapters.dynamodb.table import Item, Value

__all__ = ["put", "query", "update"]

_NAME = re.compile(r"#(\w+)")
# Many plain names (state, name, data) are reserved words, so every name is written as #name.
_ALL_OLD = "ALL_OLD"


def put(
    table: str, item: Item, condition: str, values: Mapping[str, Value] | None = None
) -> dict[str, object]:
    """Write an item if the condition holds; where it does not, what is there comes with the refusal."""
    return _named(
        {
            "TableName": table,
            "Item": item,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": _ALL_OLD,
        },
        values or {},
        condition,
    )


def update(
    table: str,
    key: Item,
    condition: str,
    sets: Mapping[str, Value],
    *,
    keeps: Collection[str] = (),
    removes: Iterable[str] = (),
    counts: str = "",
    values: Mapping[str, Value] | None = None,
) -> dict[str, object]:
    """Change attributes of an item if the condition holds.

    Args:
        table: Where.
        key: Which item.
        condition: Names as `#name`, values as `:value`.
        sets: New values by attribute.
        keeps: Those of them that stay as they are where there is a value already.
        removes: Attributes that go.
        counts: An attribute that grows by one.
        values: What the condition speaks of.
    """
    parts = [
        f"#{name} = if_not_exists(#{name}, :{name})" if name in keeps else f"#{name} = :{name}"
        for name in sets
    ]
    given = {f":{name}": value for name, value in sets.items()} | dict(values or {})
    if counts:
        parts.append(f"#{counts} = #{counts} + :one")
        given[":one"] = Value(n="1")
    expression = f"SET {', '.join(parts)}" if parts else ""
    gone = ", ".join(f"#{name}" for name in removes)
    if gone:
        expression = f"{expression} REMOVE {gone}".strip()
    return _named(
        {
            "TableName": table,
            "Key": key,
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": _ALL_OLD,
        },
        given,
        f"{expression} {condition}",
    )


def query(
    table: str,
    condition: str,
    values: Mapping[str, Value],
    *,
    index: str | None = None,
    only: str = "",
    limit: int | None = None,
    newest_first: bool = False,
) -> dict[str, object]:
    """Look through one partition of the table, as it is now, or of an index, as it was a moment ago."""
    request: dict[str, object] = {"TableName": table, "KeyConditionExpression": condition}
    if index is None:
        request["ConsistentRead"] = True
    else:
        request["IndexName"] = index
    if only:
        request["FilterExpression"] = only
    if limit is not None:
        request["Limit"] = limit
    if newest_first:
        request["ScanIndexForward"] = False
    return _named(request, values, f"{condition} {only}")


def _named(request: dict[str, object], values: Mapping[str, Value], expressions: str) -> dict[str, object]:
    names = {f"#{name}": name for name in _NAME.findall(expressions)}
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = values
    return request
