"""`dojang webhooks`: what Bootpay has told us, and looking into it again."""

from __future__ import annotations

from typing import Annotated

import typer

from dojang.core.order import ReceiptId
from dojang.drive import run
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.ports import Notice, StoredNotice

__all__ = ["list_", "replay"]

_WITHIN_S = 20.0
_COLUMNS = (
    "receipt_id",
    "kind",
    "generation",
    "order_id",
    "source",
    "received_at",
    "times",
    "outcome",
    "due_at",
)


@with_settings
def list_(
    invocation: Invocation,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
) -> Code:
    """List the webhooks Bootpay sent, newest first. What they claim proves nothing.

    Example:
      dojang webhooks list --limit 20
    """
    with invocation.backend() as backend:
        shown = [_shown(stored) for stored in backend.notices(limit)]
    invocation.terminal.rows(
        {"webhooks": shown}, _COLUMNS, [[row[name] for name in _COLUMNS] for row in shown]
    )
    return Code.FINE


@with_settings
def replay(
    invocation: Invocation,
    receipt_id: Annotated[str, typer.Argument(help="The receipt a webhook was about.")],
) -> Code:
    """Look into a receipt again, as if its webhook had just come.

    Ends with 3 if there is no such receipt or order, 4 if nothing is settled yet: the receipt still waits for somebody,
    or it is left for later.

    Example:
      dojang webhooks replay 6561a5e0c0ffee0123456789
    """
    from dojang.usecases.receive_webhook import look_into
    from dojang.usecases.verify import Deadline

    notice = Notice(receipt_id=ReceiptId(receipt_id))
    with invocation.world() as world:
        # Nothing is put into the inbox: whoever types this sees the outcome.
        outcome = run(look_into(world, notice, Deadline(world, _WITHIN_S)))
    invocation.terminal.facts({"receipt_id": str(notice.receipt_id), "outcome": outcome or "later"})
    match outcome:
        case "settled" | "settled_so_far":
            return Code.FINE
        case "" | "not_yet":
            return Code.UNKNOWN
        case _:
            return Code.REFUSED


def _shown(stored: StoredNotice) -> dict[str, object]:
    notice = stored.notice
    return {
        "receipt_id": str(notice.receipt_id),
        "kind": notice.kind,
        "generation": notice.generation,
        "order_id": notice.order_id,
        "source": notice.source,
        "cancelled": notice.cancelled,
        "received_at": stored.received_at,
        "times": stored.times,
        "outcome": stored.outcome,
        "due_at": stored.due_at,
    }
