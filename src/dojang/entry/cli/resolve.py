"""`dojang resolve`: a person's decision, audited."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from dojang.core.order import OrderId, ReceiptId
from dojang.drive import run
from dojang.entry.cli.answers import NO_ORDER, NO_RECEIPT, answered, order_shown
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.errors import InvalidValue
from dojang.usecases import resolve as use_case
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown

__all__ = ["resolve"]


@with_settings
def resolve(
    invocation: Invocation,
    order_id: Annotated[str, typer.Argument(help="An order in attention, or one with held money.")],
    decision: Annotated[
        str | None,
        typer.Argument(
            help="accept: the held money pays. return: it goes back. dismiss: nothing is to be done.",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the history.")] = None,
    who: Annotated[str | None, typer.Option(help="Whose decision it is; by default your login name.")] = None,
    receipt: Annotated[
        str | None,
        typer.Option(metavar="RECEIPT_ID", help="Which receipt, where more than one waits for a decision."),
    ] = None,
    look_again: Annotated[
        bool, typer.Option("--look-again", help="Decide nothing; read the receipt at Bootpay once more, now.")
    ] = False,
) -> Code:
    """Decide on an order that needs a person. Who, when and why stay in its history for ever.

    Example:
      dojang resolve A-1024 return --who mina --reason "늦은 입금, 고객과 통화함"
      dojang resolve A-1024 --look-again
    """
    order = OrderId(order_id)
    receipt_id = ReceiptId(receipt) if receipt is not None else None
    if look_again:
        if decision is not None:
            raise InvalidValue("--look-again decides nothing: give either it or accept, return, dismiss")
        return _look_again(invocation, order, receipt_id)
    if decision not in tuple(use_case.Resolution):
        raise InvalidValue(f"the decision must be one of {', '.join(use_case.Resolution)}, or --look-again")
    if reason is None or not reason.strip():
        raise InvalidValue("--reason is required: it goes into the order's history (사유를 적어 주세요)")
    who = who or _login()
    if not who.isprintable() or len(who) > 100:
        raise InvalidValue("--who must be at most 100 printable characters")
    with invocation.world() as world:
        result = run(
            use_case.resolve(
                world, order, use_case.Resolution(decision), who=who, reason=reason, receipt_id=receipt_id
            )
        )
    match result:
        case use_case.Resolved(record):
            order_shown(invocation.terminal, record)
            return Code.FINE
        case use_case.NothingToResolve(_, why):
            invocation.terminal.say(why, "red")
        case OrderUnknown():
            invocation.terminal.say(NO_ORDER.format(order), "red")
    return Code.REFUSED


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        raise InvalidValue("--who is required: this machine does not know your name") from None


def _look_again(invocation: Invocation, order: OrderId, receipt_id: ReceiptId | None) -> Code:
    with invocation.world() as world:
        result = run(use_case.look_again(world, order, receipt_id))
    match result:
        case OrderUnknown():
            invocation.terminal.say(NO_ORDER.format(order), "red")
            return Code.REFUSED
        case ReceiptUnknown():
            invocation.terminal.say(NO_RECEIPT.format(receipt_id or ""), "red")
            return Code.REFUSED
        case (record, answer):
            wanted = receipt_id or record.payment.receipt_id
            if answer is None or wanted is None:
                order_shown(invocation.terminal, record)
                if record.payment.lease is not None:
                    invocation.terminal.say("Somebody is at work on it; ask again.", "yellow")
                    return Code.UNKNOWN
                invocation.terminal.say("The order has no receipt to look at.")
                return Code.FINE
            return answered(invocation.terminal, record, wanted, answer)
