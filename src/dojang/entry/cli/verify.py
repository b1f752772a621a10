"""`dojang verify`: does this receipt pay for this order?"""

from __future__ import annotations

from typing import Annotated

import typer

from dojang.core.order import OrderId, ReceiptId
from dojang.drive import run
from dojang.entry.cli.answers import NO_ORDER, NO_RECEIPT, answered
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings

__all__ = ["verify"]


@with_settings
def verify(
    invocation: Invocation,
    order_id: Annotated[str, typer.Argument(help="A registered order.")],
    receipt_id: Annotated[str, typer.Argument(help="What checkout gave, 24 characters.")],
) -> Code:
    """Ask Bootpay whether this receipt pays for this order; approve it if it waits for the server.

    Ends with 0 if it does, 3 if it is refused, 4 if nothing is decided yet, 6 if Bootpay cannot be asked.

    Example:
      dojang verify A-1024 6561a5e0c0ffee0123456789
    """
    from dojang.usecases import verify as use_case

    order, receipt = OrderId(order_id), ReceiptId(receipt_id)
    with invocation.world() as world:
        result = run(use_case.verify(world, order, receipt))
    match result:
        case use_case.Verification(record, answer):
            return answered(invocation.terminal, record, receipt, answer)
        case use_case.OrderUnknown():
            invocation.terminal.say(NO_ORDER.format(order), "red")
        case use_case.ReceiptUnknown():
            invocation.terminal.say(NO_RECEIPT.format(receipt), "red")
        case use_case.Throttled(retry_after_s):
            invocation.terminal.say(
                f"Too many look-ups; try again after {retry_after_s} s "
                f"(조회가 너무 많습니다. {retry_after_s}초 뒤에 다시 시도해 주세요).",
                "yellow",
            )
            return Code.UNKNOWN
    return Code.REFUSED
