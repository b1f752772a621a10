"""`dojang cancel`: all or part of a payment goes back."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from dojang.core.cancellation import WantedCancel, WhyNot
from dojang.core.order import Money, OrderId, major_units
from dojang.drive import run
from dojang.entry.cli.answers import NO_ORDER, order_shown
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.errors import InvalidValue

__all__ = ["cancel"]


@with_settings
def cancel(
    invocation: Invocation,
    order_id: Annotated[str, typer.Argument(help="A paid order.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the history and shown in Bootpay's admin.")],
    amount: Annotated[
        str | None, typer.Option(help="How much goes back; by default all that remains.")
    ] = None,
    tax_free: Annotated[str | None, typer.Option(help="The non-taxable part of that amount.")] = None,
    expected_remaining: Annotated[
        str | None, typer.Option(help="Do nothing unless exactly this remains before the cancel.")
    ] = None,
    refund_bank_code: Annotated[
        str | None, typer.Option(help="Bank of the buyer's account (virtual account payments).")
    ] = None,
    refund_account: Annotated[
        str | None, typer.Option(help="Number of the buyer's account; stored nowhere.")
    ] = None,
    refund_holder: Annotated[str | None, typer.Option(help="In whose name that account is.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="The same key with the same request gives the first answer again; what was not begun leaves it "
            "free. By default a new one."
        ),
    ] = None,
) -> Code:
    """Give all or part of a payment back, once per key and never more than remains.

    Ends with 0 if it was done, 3 if nothing goes back, 4 if the outcome is not known yet: then the same command with
    the key it names is safe.

    Example:
      dojang cancel A-1024 --amount 1000 --reason "한 개 품절" --key refund-77
    """
    from dojang.usecases import cancel as use_case
    from dojang.usecases.verify import OrderUnknown

    order = OrderId(order_id)
    account = _account(refund_bank_code, refund_account, refund_holder)
    if key is not None and not 1 <= len(key) <= 200:
        raise InvalidValue("key must be 1 to 200 characters (key는 1~200자여야 합니다)")
    if not reason.strip():
        raise InvalidValue("reason must not be empty (reason을 적어 주세요)")
    key = key or secrets.token_hex(8)
    terminal = invocation.terminal
    with invocation.world() as world:
        record = run(world.store.load(order))
        if record is None:
            terminal.say(NO_ORDER.format(order), "red")
            return Code.REFUSED
        currency = record.order.price.currency
        wanted = WantedCancel(
            amount=_minor(amount, currency, "amount", at_least=1),
            tax_free=_minor(tax_free, currency, "tax_free"),
            reason=reason,
            refund_account=account,
            expected_remaining=_minor(expected_remaining, currency, "expected_remaining"),
        )
        result = run(use_case.cancel(world, order, key, wanted))
    match result:
        case use_case.CancelDone(record=record, cancelled=cancelled, replayed=replayed):
            order_shown(
                terminal, record, cancelled=major_units(cancelled, currency), replayed=replayed, key=key
            )
            return Code.FINE
        case use_case.CancelPending(record):
            order_shown(terminal, record, key=key)
            terminal.say(
                f"It may or may not have been carried out; it will be found out. Ask again with --key {key} "
                "(취소 결과를 아직 알 수 없습니다. 같은 key로 다시 확인해 주세요).",
                "yellow",
            )
            return Code.UNKNOWN
        case use_case.CancelNotDone(record=record, refusal=refusal):
            terminal.facts(
                {"order_id": str(order), "code": refusal.why.value, "detail": refusal.detail, "key": key}
            )
            terminal.say(f"{refusal.why.sentence_en} ({refusal.why.sentence_ko})", "red")
            unknown = refusal.why in (WhyNot.CANCEL_IN_PROGRESS, WhyNot.OUTCOME_UNKNOWN)
            return Code.UNKNOWN if unknown else Code.REFUSED
        case OrderUnknown():
            terminal.say(NO_ORDER.format(order), "red")
            return Code.REFUSED


def _minor(text: str | None, currency: str, what: str, *, at_least: int = 0) -> int | None:
    if text is None:
        return None
    minor = Money.parse(text, currency, what=what).minor
    if minor < at_least:
        raise InvalidValue(f"{what} must be more than zero ({what}은(는) 0보다 커야 합니다)")
    return minor


def _account(bank_code: str | None, number: str | None, holder: str | None) -> dict[str, str] | None:
    given = [bank_code, number, holder]
    if not any(given):
        return None
    if not (bank_code and number and holder):
        raise InvalidValue(
            "--refund-bank-code, --refund-account and --refund-holder belong together "
            "(환불 계좌의 은행 코드, 계좌 번호, 예금주를 모두 적어 주세요)"
        )
    return {"bank_code": bank_code, "bank_account": number, "bank_username": holder}
