"""The answer about a receipt, as a person and a program see it, and the exit code that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dojang.core.decision import Accepted, Answer, Refusal
from dojang.core.order import ReceiptId
from dojang.core.payment import Record
from dojang.entry.cli.codes import Code
from dojang.entry.cli.terminal import Format, Terminal
from dojang.web.showing import shown_account, shown_order

__all__ = [
    "NOT_YET",
    "NO_ORDER",
    "NO_RECEIPT",
    "answered",
    "as_json",
    "order_shown",
    "questions_shown",
]

NO_ORDER = "No such order is registered (등록되지 않은 주문입니다): {}"
"""For people; the order's id goes where the braces are."""
NO_RECEIPT = "Bootpay knows no such receipt in this project (부트페이에 없는 영수증입니다): {}"
"""For people; the receipt's id goes where the braces are."""

NOT_YET = "Not decided yet; ask again (아직 확정되지 않았습니다. 다시 확인해 주세요)."
"""For people."""


def as_json(value: object) -> Any:
    """What the HTTP API would send, as plain JSON types."""
    return msgspec.to_builtins(value, enc_hook=str)


def answered(terminal: Terminal, record: Record, receipt_id: ReceiptId, answer: Answer) -> Code:
    """Show whether a receipt pays for an order."""
    data: dict[str, object] = {"order_id": str(record.order.id), "receipt_id": str(receipt_id)}
    match answer:
        case Accepted():
            price = record.order.price
            data |= {"state": answer.state, "price": price.major, "currency": price.currency}
            data["replayed"] = answer.replayed
            if answer.account is not None:
                data["account"] = as_json(shown_account(answer.account))
            terminal.facts(data)
            return Code.FINE
        case Refusal():
            terminal.facts(data | {"state": "refused", "code": answer.reason.value, "detail": answer.detail})
            terminal.say(f"{answer.reason.sentence_en} ({answer.reason.sentence_ko})", "red")
            return Code.REFUSED
        case _:
            terminal.facts(data | {"state": "pending"})
            terminal.say(NOT_YET, "yellow")
            return Code.UNKNOWN


def order_shown(terminal: Terminal, record: Record, **more: object) -> None:
    """Show an order as the HTTP API does."""
    data = as_json(shown_order(record)) | more
    terminal.facts(data, hidden=("questions",))
    questions_shown(terminal, data)


def questions_shown(terminal: Terminal, order: Mapping[str, Any]) -> None:
    """Show a person what is to be decided on an order; a program has it in the order already."""
    rows = [[row["reason"], row["receipt_id"], row["detail"]] for row in order.get("questions", ())]
    if rows and terminal.format is Format.TABLE:
        terminal.rows(None, ("question", "about receipt", "what can be done"), rows)
