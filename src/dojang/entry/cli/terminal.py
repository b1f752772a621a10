"""What a command shows: data on stdout, talk on stderr, tables for people and JSON for programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["Format", "Terminal", "printable", "timed"]

_NO_LIMIT = 100_000
# Told by its name: a shop may call its goods by something that reads like a time, and that stays as it is.
_MOMENT = re.compile(r"(.+_)?(at|until)|due")


class Format(StrEnum):
    """How data is shown."""

    TABLE = "table"
    JSON = "json"


class Terminal:
    """Where a command writes.

    Args:
        shown_as: How data is shown.
    """

    def __init__(self, shown_as: Format = Format.TABLE) -> None:
        self.format = shown_as

    def say(self, sentence: str, style: str = "") -> None:
        """Tell a person something; never data."""
        _console(stderr=True).print(
            printable(sentence), style=style, markup=False, highlight=False, soft_wrap=True
        )

    def warn(self, sentence: str) -> None:
        """Tell a person something that should not be missed."""
        self.say(sentence, "yellow")

    def rows(self, data: object, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show many things of one kind: `data` as JSON, or `rows` as a table."""
        if self.format is Format.JSON:
            self.json(data)
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            told = (timed(column, value) for column, value in zip(columns, row, strict=True))
            table.add_row(*(Text(_cell(value)) for value in told))
        _print(table)

    def facts(self, data: Mapping[str, object], hidden: Sequence[str] = ()) -> None:
        """Show one thing: as JSON, or name by name without what is empty or `hidden`."""
        if self.format is Format.JSON:
            self.json(data)
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in data.items():
            if name not in hidden and value not in (None, "", (), [], {}):
                table.add_row(name, Text(_cell(timed(name, value))))
        _print(table)

    def json(self, data: object) -> None:
        """Show data as JSON, one document."""
        print(json.dumps(data, ensure_ascii=False, indent=2, default=str))

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """A moving bar on stderr while something takes long; nothing where nobody is watching."""
        if not sys.stderr.isatty():
            yield
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=_console(stderr=True),
            transient=True,
        ) as progress:
            progress.add_task(what, total=None)
            yield


def _console(*, stderr: bool = False) -> Console:
    """Made anew for each use, so that it writes to wherever the stream goes now."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # Only a person's window has an edge: a pipe gets each row whole.
    return Console(file=stream, width=None if stream.isatty() else _NO_LIMIT)


def _print(table: Table) -> None:
    console = _console()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    # Nobody sees the blanks that fill up the last column, but a program would.
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def timed(name: str, value: object) -> object:
    """What stands under this name, each moment in it as people read all of them: UTC, to the second."""
    match value:
        case datetime():
            return _moment(value) or value
        case str() if _MOMENT.fullmatch(name):
            return _moment(value) or value
        case Mapping() if name != "metadata":
            return {inner: timed(inner, each) for inner, each in value.items()}
        case _:
            return value


def _moment(value: datetime | str) -> str:
    """Nothing for what is no moment, or has no zone: that could mean any hour."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return (
            f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z" if at.tzinfo else ""
        )
    except (ValueError, OverflowError):
        return ""


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}"
        case Mapping():
            return printable(json.dumps(value, ensure_ascii=False, default=str)) if value else ""
        case list() | tuple():
            return ", ".join(_cell(one) for one in value)
        case _:
            return printable(str(value))


def printable(text: str) -> str:
    """Text without anything that could command a terminal."""
    return "".join(mark if mark.isprintable() or mark == "\n" else "?" for mark in text)
