"""`dojang resolve`: a person's decision, audited."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from dojang.core.decision import Accepted, Answer, Refusal
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Record, State
from dojang.drive import run
from dojang.entry.cli.answers import NO_ORDER, NO_RECEIPT, NOT_YET, order_shown
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.entry.cli.terminal import Terminal
from dojang.errors import InvalidValue
from dojang.usecases import resolve as use_case
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown

__all__ = ["resolve"]

_LOOK_AGAIN = ("look_again", "look-again")
_DELIVERED = "by itself where `dojang serve` or the schedule runs, else with `dojang deliver`"
_DELIVERED_KO = "`dojang serve`나 스케줄이 실행 중이면 자동으로, 아니면 `dojang deliver`로"
_DECIDED = {
    use_case.Resolution.ACCEPT: (
        "Accepted: the held money pays for the order. The shop is owed `order.paid`, which is delivered "
        f"{_DELIVERED} (보류된 돈을 결제로 인정했습니다. order.paid 알림은 {_DELIVERED_KO} 전달됩니다)."
    ),
    use_case.Resolution.RETURN: (
        f"To be returned: the money goes back {_DELIVERED}; then the shop is told `order.money_returned` "
        f"(돌려주기로 했습니다. {_DELIVERED_KO} 환불되고, 그 뒤 order.money_returned를 알립니다)."
    ),
    use_case.Resolution.DISMISS: (
        "Dismissed: nothing is done about it. Unless more is asked the order goes on where it was; money that is held "
        "stays held, and can be returned or accepted later (dismiss 했습니다. 다른 질문이 없으면 주문은 이전 상태에서 "
        "계속됩니다. 보류된 돈은 그대로이며, 나중에 return 하거나 accept 할 수 있습니다)."
    ),
}
_STILL_ASKED = (
    "The order waits for a person: decide by accept, return or dismiss "
    "(사람의 결정을 기다리는 주문입니다. accept, return, dismiss 중에서 결정해 주세요)."
)
_NO_RECEIPT_YET = (
    "The order has no receipt to look at: name one with --receipt "
    "(확인할 영수증이 없는 주문입니다. --receipt로 지정해 주세요)."
)


@with_settings
def resolve(
    invocation: Invocation,
    order_id: Annotated[str, typer.Argument(help="An order in attention, or one with held money.")],
    decision: Annotated[
        str | None,
        typer.Argument(
            help="accept: the held money pays. return: it goes back. dismiss: nothing is to be done. look_again: the "
            "same as --look-again.",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the history.")] = None,
    who: Annotated[str | None, typer.Option(help="Whose decision it is; by default your login name.")] = None,
    receipt: Annotated[
        str | None,
        typer.Option(metavar="RECEIPT_ID", help="Which receipt, where more than one waits for a decision."),
    ] = None,
    look_again: Annotated[
        bool,
        typer.Option(
            "--look-again",
            help="Decide nothing; read a receipt at Bootpay once more, now: the one named, else the one that the order "
            "hangs on, else the one held.",
        ),
    ] = False,
) -> Code:
    """Decide on an order that needs a person. Who, when and why stay in its history for ever.

    Example:
      dojang resolve A-1024 return --who mina --reason "늦은 입금, 고객과 통화함"
      dojang resolve A-1024 --look-again
    """
    order = OrderId(order_id)
    receipt_id = ReceiptId(receipt) if receipt is not None else None
    if decision in _LOOK_AGAIN:
        # What the HTTP API calls it: whoever types that means the flag.
        decision, look_again = None, True
    if look_again:
        if decision is not None:
            raise InvalidValue(
                "--look-again decides nothing: give either it or accept, return, dismiss "
                "(--look-again은 결정이 아닙니다. 이 옵션이나 accept, return, dismiss 중 하나만 적어 주세요)"
            )
        if reason is not None:
            raise InvalidValue(
                "--look-again decides nothing: leave out --reason (결정이 아니므로 --reason을 빼 주세요)"
            )
        return _look_again(invocation, order, receipt_id, _checked_who(who) if who else None)
    if decision not in tuple(use_case.Resolution):
        known = ", ".join(use_case.Resolution)
        raise InvalidValue(
            f"the decision must be one of {known}, or --look-again "
            f"(결정은 {known} 중 하나이거나 --look-again이어야 합니다)"
        )
    if reason is None or not reason.strip():
        raise InvalidValue("--reason is required: it goes into the order's history (사유를 적어 주세요)")
    who = _checked_who(who or _login())
    with invocation.world() as world:
        result = run(
            use_case.resolve(
                world, order, use_case.Resolution(decision), who=who, reason=reason, receipt_id=receipt_id
            )
        )
    match result:
        case use_case.Resolved(record):
            order_shown(invocation.terminal, record)
            invocation.terminal.say(_DECIDED[use_case.Resolution(decision)])
            if record.payment.state is State.ATTENTION:
                invocation.terminal.warn(_STILL_ASKED)
            return Code.FINE
        case use_case.NothingToResolve(_, why):
            invocation.terminal.say(why, "red")
        case OrderUnknown():
            invocation.terminal.say(NO_ORDER.format(order), "red")
    return Code.REFUSED


def _checked_who(who: str) -> str:
    if not who.isprintable() or len(who) > 100:
        raise InvalidValue(
            "--who must be at most 100 printable characters (--who는 출력 가능한 100자 이하여야 합니다)"
        )
    return who


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        raise InvalidValue(
            "--who is required: this machine does not know your name (--who로 이름을 적어 주세요)"
        ) from None


def _look_again(
    invocation: Invocation, order: OrderId, receipt_id: ReceiptId | None, who: str | None
) -> Code:
    with invocation.world() as world:
        result = run(use_case.look_again(world, order, receipt_id, who=who))
    terminal = invocation.terminal
    match result:
        case OrderUnknown():
            terminal.say(NO_ORDER.format(order), "red")
            return Code.REFUSED
        case ReceiptUnknown():
            terminal.say(NO_RECEIPT.format(receipt_id or f"order {order}"), "red")
            return Code.REFUSED
        case use_case.NothingToResolve(_, why):
            terminal.say(why, "red")
            return Code.REFUSED
        case (record, Refusal(reason=reason)):
            order_shown(terminal, record, code=reason.value)
            terminal.say(f"{reason.sentence_en} ({reason.sentence_ko})", "red")
            return Code.REFUSED
        case (record, answer):
            order_shown(terminal, record)
            return _looked(terminal, record, answer)


def _looked(terminal: Terminal, record: Record, answer: Answer | None) -> Code:
    """What a look came to that refused nothing."""
    if isinstance(answer, Accepted):
        return Code.FINE
    if answer is None and record.payment.lease is None:
        terminal.say(_NO_RECEIPT_YET, "red")
        return Code.REFUSED
    if record.payment.state is State.ATTENTION:
        # It was looked at; asking again would not change that it is for a person to say what comes of it.
        terminal.warn(_STILL_ASKED)
        return Code.FINE
    terminal.warn(
        NOT_YET
        if answer is not None
        else "Somebody is at work on it; ask again (다른 곳에서 처리 중입니다. 잠시 후 다시 확인해 주세요)."
    )
    return Code.UNKNOWN
