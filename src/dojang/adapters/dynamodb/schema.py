"""The table: its keys, its indexes, its stream, and what a process must be allowed to do with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from dojang.adapters.dynamodb.patience import BUSY, CURES, Patience
from dojang.adapters.dynamodb.table import Description, Key, Table, TableRefused, TableSilent
from dojang.errors import ConfigError, StoreUnavailable

__all__ = ["INDEXES", "MIGRATING_ACTIONS", "RUNNING_ACTIONS", "check", "definition", "migrate"]

INDEXES: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "due": (("due_in", "S"), ("due", "N")),
    "made": (("made_in", "S"), ("made", "S")),
    "shown": (("shown_in", "S"), ("made", "S")),
}
"""Each index: the attribute it is split by, and the one it is sorted by, with their types."""

RUNNING_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "table": (
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ),
    "index": ("dynamodb:Query",),
}
"""All that a running process may do: on the table's ARN, and on its `/index/*`. TransactWriteItems has no action of its
own: it needs those of its parts. No Scan, no DeleteItem."""

MIGRATING_ACTIONS: tuple[str, ...] = (
    "dynamodb:CreateTable",
    "dynamodb:DescribeTable",
    "dynamodb:UpdateTable",
)
"""What `dojang migrate` needs; `dojang doctor` needs `DescribeTable`."""

_WORKING_S = 120.0


def migrate(table: Table, name: str, *, pause: Callable[[float], object] = time.sleep) -> list[str]:
    """Make the table if there is none, give it a stream if it has none; what was done, in words.

    Raises:
        ConfigError: There is a table of this name that is not one of ours.
        StoreUnavailable: DynamoDB could not be asked, or was not done in time.
    """
    done: list[str] = []
    there = _describe(table, name)
    if there is None:
        try:
            table.call("CreateTable", definition(name), _WORKING_S)
            done.append(f"table {name}")
        except TableRefused as refused:
            if refused.code != "ResourceInUseException":  # somebody else is making it just now
                raise _no(f"make the table {name}", refused) from None
        except TableSilent as silent:
            raise StoreUnavailable(f"DynamoDB is not available: {silent}") from None
        there = _ready(table, name, pause)
    _check(there, name)
    if there.stream_specification is None or not there.stream_specification.stream_enabled:
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        patience = Patience(table, _WORKING_S, time.monotonic, pause, lambda: 1.0)
        patience.ask("UpdateTable", {"TableName": name, "StreamSpecification": stream})
        done.append(f"stream of {name}")
        _ready(table, name, pause)
    return done


def check(table: Table, name: str) -> None:
    """Whether the table is one this release can work with.

    Raises:
        ConfigError: It is not, or there is none.
        StoreUnavailable: DynamoDB could not be asked.
    """
    there = _describe(table, name)
    if there is None:
        raise ConfigError(
            f"DOJANG_STORE: there is no DynamoDB table {name} in this region: run `dojang migrate` "
            "(`dojang migrate`로 만들어 주세요)."
        )
    _check(there, name)


def _describe(table: Table, name: str) -> Description | None:
    try:
        return table.call("DescribeTable", {"TableName": name}, _WORKING_S).table
    except TableRefused as refused:
        if refused.code == "ResourceNotFoundException":
            return None
        if refused.code in BUSY or refused.http_status >= 500:
            raise StoreUnavailable(f"DynamoDB is not available: {refused.code}") from None
        raise _no(f"describe {name}", refused) from None
    except TableSilent as silent:
        raise StoreUnavailable(f"DynamoDB is not available: {silent}") from None


def _no(what: str, refused: TableRefused) -> ConfigError:
    cure = CURES.get(refused.code)
    why = f"{refused.code} ({cure})" if cure else refused.code
    return ConfigError(f"DOJANG_STORE: DynamoDB refuses to {what}: {why}.")


def _ready(table: Table, name: str, pause: Callable[[float], object]) -> Description:
    for _ in range(int(_WORKING_S)):
        there = _describe(table, name)
        if there is not None and there.table_status == "ACTIVE":
            return there
        pause(1.0)
    raise StoreUnavailable(f"DynamoDB is still making the table {name}: run `dojang migrate` again")


def _check(there: Description, name: str) -> None:
    indexes = {index.index_name: _schema(index.key_schema) for index in there.global_secondary_indexes}
    wanted = {index: [part for part, _ in keys] for index, keys in INDEXES.items()}
    if _schema(there.key_schema) != ["pk", "sk"]:
        raise ConfigError(
            f"DOJANG_STORE: the DynamoDB table {name} is not one of dojang's: its key is not pk, sk."
        )
    wrong = sorted(index for index, keys in wanted.items() if indexes.get(index) != keys)
    if wrong:
        raise ConfigError(
            f"DOJANG_STORE: the DynamoDB table {name} lacks the index {', '.join(wrong)}, or it has other keys: "
            "name a table of its own and run `dojang migrate`."
        )


def _schema(keys: Iterable[Key]) -> list[str]:
    return [key.attribute_name for key in sorted(keys, key=lambda key: key.key_type)]  # HASH before RANGE


def definition(name: str) -> dict[str, object]:
    """The table as CreateTable takes it; templates are made from the same."""
    attributes = {"pk": "S", "sk": "S"} | dict(part for keys in INDEXES.values() for part in keys)
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        # Claims hold for ever: nobody should lose them by one wrong click.
        "DeletionProtectionEnabled": True,
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in attributes.items()
        ],
        "KeySchema": _pair("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": _pair(split_by[0], sorted_by[0]),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index, (split_by, sorted_by) in INDEXES.items()
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def _pair(first: str, second: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": first, "KeyType": "HASH"},
        {"AttributeName": second, "KeyType": "RANGE"},
    ]
