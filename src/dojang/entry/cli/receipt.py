"""`dojang receipt`: what Bootpay itself says about one checkout."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

import typer

from dojang.core.order import ReceiptId, major_units
from dojang.core.receipt import Receipt
from dojang.drive import run
from dojang.entry.cli.answers import NO_RECEIPT, as_json
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings

__all__ = ["receipt"]

_WITHIN_S = 20.0


@with_settings
def receipt(
    invocation: Invocation,
    receipt_id: Annotated[str, typer.Argument(help="24 hexadecimal characters.")],
) -> Code:
    """Show Bootpay's account of one checkout. No card number and nothing about the buyer is ever shown.

    Example:
      dojang receipt 6561a5e0c0ffee0123456789
    """
    wanted = ReceiptId(receipt_id)
    with invocation.gateway() as gateway:
        seen = run(gateway.look_up(wanted, _WITHIN_S))
    if seen is None:
        invocation.terminal.say(NO_RECEIPT.format(wanted), "red")
        return Code.REFUSED
    invocation.terminal.facts(as_json(_shown(seen)))
    return Code.FINE


def _shown(seen: Receipt) -> dict[str, object]:
    return {
        "receipt_id": str(seen.id),
        "order_id": seen.order_id,
        "status": seen.status.value,
        "number": seen.number,
        "price": major_units(seen.price, seen.currency),
        "tax_free": major_units(seen.tax_free, seen.currency),
        "cancelled": major_units(seen.cancelled, seen.currency),
        "remaining": major_units(seen.remaining, seen.currency),
        "currency": seen.currency,
        "sandbox": seen.sandbox,
        "method": seen.method,
        "purchased_at": seen.purchased_at.astimezone(UTC) if seen.purchased_at else None,
    }
