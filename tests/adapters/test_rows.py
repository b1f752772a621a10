"""A cursor comes from outside: what no store can have given is read as the first page, never as an error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dojang.adapters.rows import cursor_from, cursor_of
from dojang.core.order import OrderId

AT = datetime(2026, 11, 23, 5, 0, 0, 123456, tzinfo=UTC)


def test_a_cursor_is_read_back_as_it_was() -> None:
    """To the microsecond, dashes in the order's id included."""
    assert (int(AT.timestamp() * 1_000_000), "a-b-c") == cursor_from(cursor_of(AT, OrderId("a-b-c")))


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "-",
        "1",
        "o1",
        "²-o1",
        "１-o1",
        "1_0-o1",
        "-1-o1",
        " 1-o1",
        "1-",
        "1-o/1",
        "1-o1\n",
        "9" * 19 + "-o1",
    ],
)
def test_what_is_no_cursor_is_none(text: str | None) -> None:
    """Other digits than ASCII's, more than any store counts, ids outside the grammar."""
    assert cursor_from(text) is None
