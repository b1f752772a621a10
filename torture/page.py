"""Writes the figures into docs/reliability.md, between its markers."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from torture.figures import Figures
from torture.table import rows

__all__ = ["STORE_NAMES", "write_flat", "write_kills"]

STORE_NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
"""As people write them."""

_PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
_BEGIN, _END = "<!-- torture:begin -->", "<!-- torture:end -->"
_TITLE = "# Reliability\n"
_FRAME = f"""{_BEGIN}
## Torture

`make torture` starts the real server with an emulator and a shop in processes of their own, sends load, and ends the
server with `kill -9` at random moments, also while it starts; it is up again at once, with other choices about money
that comes late or must not be kept. Bootpay answers late, wrongly or not at all now and then, loses, doubles and
reorders webhooks; the shop fails, hangs up or is slow, and is asked before money moves: some of its goods are sold out.
Its people decide about held money while servers die, and once more when it is calm.

At the end three ledgers are compared by code that shares nothing with the server: Bootpay's receipts, the orders with
their histories as the HTTP API shows them, and what the shop received by `webhook-id`. Every paid receipt pays for its
order with every term of it, or its money is back and the history says so, or a person is asked with a reason; what went
back is what was asked for, once per key. Each step that the shop must hear of was told under exactly one id, as it was,
and nothing else was told; what it heard last is what Bootpay and the store have. Nothing was approved that the shop had
declined, and what people decided was written down once and obeyed. Nothing is pending; `dojang doctor --fold` finds
every history in agreement with its state. `make test` plants one deviation of each kind and sees it found.

To let leases end without waiting for them, servers are then started on a clock that is ahead, as after a machine was
down for a quarter of an hour, then for hours (`--wait` waits instead). The ledgers are compared twice: first when only
the servers' own deliveries and reconciliation have been at work, then after `dojang reconcile --all` (with `--by-hand`
or `--wait` only then; the figures say which). A short run is part of `make test`.

<!-- sqlite -->
<!-- postgres -->
<!-- flat -->
<!-- flat on postgres -->
{_END}
"""


def write_kills(figures: Figures) -> None:
    """Replace the figures of the kill proof on one store."""
    words = [
        f"### {figures.kills} kills on {STORE_NAMES[figures.plan.store]}",
        "",
        f"Run on {_today()}, {_machine()}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows(figures)),
        "",
    ]
    if figures.example:
        words += [
            "The history of a payment whose server was killed between the intent and its end; nobody asked again, and",
            "a later process finished it after the lease:",
            "",
            "```",
            figures.example,
            "```",
            "",
        ]
    _put(figures.plan.store, "\n".join(words))


def write_flat(store: str, words: str) -> None:
    """Replace the figures about memory and file descriptors on one store."""
    _put(
        "flat" if store == "sqlite" else f"flat on {store}", f"Run on {_today()}, {_machine()}.\n\n{words}\n"
    )


def _put(name: str, words: str) -> None:
    page = _PAGE.read_text(encoding="utf-8") if _PAGE.exists() else _TITLE
    if _BEGIN not in page:
        page = f"{page.rstrip()}\n\n{_FRAME}"
    begin, end = page.index(_BEGIN), page.index(_END)
    section = page[begin:end]
    pattern = re.compile(rf"<!-- {name} -->\n.*?(?=<!-- |\Z)", re.DOTALL)
    section = pattern.sub(lambda _: f"<!-- {name} -->\n{words}", section)
    _PAGE.write_text(page[:begin] + section + page[end:], encoding="utf-8")


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _machine() -> str:
    return f"{os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"
