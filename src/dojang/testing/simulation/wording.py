"""What happens in a pretended world, in the words of whoever has a shop: what somebody does, and what comes of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from dojang.core.decision import Accepted, Decision, Refusal
from dojang.core.delivery import Delivery, DeliveryState, Lane
from dojang.core.order import Order, ReceiptId, major_units
from dojang.core.payment import Event, Record
from dojang.core.receipt import Receipt
from dojang.ports import Notice, Page, StoredNotice
from dojang.usecases.cancel import CancelDone, CancelNotDone
from dojang.usecases.deliver_owed import DeliveryReport
from dojang.usecases.reconcile import ReconcileReport
from dojang.usecases.resolve import NothingToResolve, Resolved
from dojang.usecases.verify import Verification

__all__ = ["comes_of", "does", "moment", "priced"]

_RECEIPT = re.compile(r"\b[0-9a-f]{24}\b")
_DOES: Mapping[str, str] = {
    "store.register": "registers {0}",
    "store.load": "reads {0}",
    "store.history": "reads the history of {0}",
    "store.orders": "lists all orders",
    "store.deliveries": "lists what {0} owes",
    "store.notices": "lists the webhooks kept",
    "store.claim_deliveries": "takes what is owed",
    "store.retry_delivery": "wants {0} tried again",
    "store.receive": "keeps {0}",
    "store.claim_notices": "takes webhooks to look into",
    "store.settle_notice": "writes of {0}: {1}",
    "store.reschedule": "puts the next look at {0} off to {1}",
    "store.claim_checks": "takes orders due for a look",
    "look_up": "asks Bootpay for {0}",
    "look_up_order": "asks Bootpay for the receipts of {0}",
    "confirm": "has Bootpay approve {0}",
    "cancel": "has Bootpay send money of {0} back",
    "hand_over": "hands {0} to the shop",
    "ask": "asks the shop whether it wants {0}",
}
_NOTHING: Mapping[str, str] = {"look_up": "not found", "store.load": "no such order"}
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def moment(seconds: float) -> str:
    """So long since the world began, as hours, minutes and seconds, behind days where there are any."""
    milliseconds = round(seconds * 1_000)
    days, rest = divmod(milliseconds, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    clock = f"{hours:02}:{minutes:02}:{rest // 1_000:02}.{rest % 1_000:03}"
    return f"{days}d {clock}" if days else clock


def priced(minor: int, currency: str) -> str:
    """Money as a person writes it."""
    major = major_units(minor, currency)
    return f"{major:,} {currency}" if isinstance(major, int) else f"{major:,.2f} {currency}"


def does(what: str, args: Sequence[object]) -> str:
    """What somebody does who makes a call, or does what no call is: in words where there are any."""
    match what, args:
        case "store.load", (order_id, ReceiptId() as receipt_id):
            return f"reads {order_id}, and whose {_named(receipt_id)} is"
        case "store.commit", (Record() as record, Decision() as decision):
            return f"writes of {record.order.id}: {_steps(decision.events)}"
        case "store.reschedule", (Record() as record, None):
            return f"looks at {record.order.id} no more unasked"
        case "store.settle_delivery", (Delivery() as delivery,):
            end = "to be tried again" if delivery.state is DeliveryState.DUE else delivery.state
            return f"writes of {_named(delivery)}: {end}"
        case _:
            return _DOES.get(what, what).format(*map(_named, args))


def comes_of(answer: object, what: str = "") -> str:
    """An answer in a few words.

    Args:
        answer: What came back.
        what: From which call.
    """
    match answer:
        case None:
            return _NOTHING.get(what, "")
        case bool():
            return "done" if answer else "too late: somebody was quicker"
        case BaseException():
            return f"{answer} ({type(answer).__name__})"
        case "" if what == "is done":
            return "not looked into yet, but kept"
        case str():
            return answer
        case [Record() as record, bool() as new]:
            return _state(record) if new else f"it was there: {_state(record)}"
        case [Record() as record, found]:
            return f"{_state(record)}; the receipt: {comes_of(found) or 'nothing to look at'}"
        case Page():
            return ", ".join(record.order.id for record in answer.records)
        case list() | tuple():
            return "; ".join(comes_of(one, what) for one in answer) or (
                "nothing is due" if "claim" in what else "none"
            )
        case StoredNotice():
            return _named(answer) if "claim" in what else f"kept, came {_times(answer.times)}"
        case Record():
            return _state(answer)
        case Receipt():
            back = f", {priced(answer.cancelled, answer.currency)} of it back" if answer.cancelled else ""
            return f"{_named(answer.id)} {answer.status}: {priced(answer.price, answer.currency)}{back}"
        case Delivery():
            return f"{_named(answer)}, attempt {answer.attempts}"
        case _:
            return _concluded(answer)


def _steps(events: Sequence[Event]) -> str:
    told = (str(event.data.get("reason", "")) for event in events)
    # The shop's own words for a cancel are no word of ours; in Korean they are wider than they are long, too.
    reasons = dict.fromkeys(reason for reason in told if reason and reason.isascii())
    why = f" ({', '.join(reasons)})" if reasons else ""
    return (" and ".join(event.what for event in events) or "nothing new") + why


def _concluded(answer: object) -> str:
    """What a whole use case came to."""
    match answer:
        case Verification():
            return comes_of(answer.answer)
        case Accepted():
            return answer.state
        case Refusal():
            return f"refused: {answer.reason.value}"
        case CancelDone():
            money = priced(answer.request.amount, answer.record.order.price.currency)
            return f"{money} went back" + (", as said before" if answer.replayed else "")
        case CancelNotDone():
            return f"not done: {answer.refusal.why.value}"
        case NothingToResolve():
            return f"nothing decided: {_RECEIPT.sub(lambda it: _end(it[0]), answer.why.partition(' (')[0])}"
        case Resolved():
            return f"decided; {_state(answer.record)}"
        case DeliveryReport():
            ends = Counter(each.result for each in answer.attempts)
            return ", ".join(f"{number} {end}" for end, number in ends.items()) or "nothing was due"
        case ReconcileReport():
            return (
                f"orders looked at: {answer.checked}, changed: {len(answer.changes)}; "
                f"webhooks looked into: {answer.notices}; questions to Bootpay: {answer.calls}"
            )
        case _:
            return _HUMPS.sub(" ", type(answer).__name__).lower()


def _named(value: object) -> str:
    """How a thing is called in the middle of a sentence."""
    match value:
        case ReceiptId():
            return f"receipt {_end(value)}"
        case Order():
            return f"{value.id} at {priced(value.price.minor, value.price.currency)}"
        case Record():
            return value.order.id
        case Delivery(lane=Lane.MONEY_BACK):
            # What goes back is told by its receipt, what is told by its order.
            return f"{value.type} of {_end(value.data['receipt_id'])}"
        case Delivery(type="order.money_returned"):
            # Of what is told of an order only this may come more than once, each time about another receipt.
            return f"{value.type} of {value.order_id} for receipt {_end(value.data['receipt_id'])}"
        case Delivery():
            return f"{value.type} of {value.order_id}"
        case StoredNotice():
            return _named(value.notice)
        case Notice():
            return f"webhook {value.kind} of {_end(value.receipt_id)}"
        case float():
            return moment(value)
        case _:
            return str(value)


def _state(record: Record) -> str:
    payment = record.payment
    by = f" by {_end(payment.receipt_id)}" if payment.receipt_id else ""
    currency = record.order.price.currency
    back = f", {priced(payment.cancelled, currency)} of it back" if payment.cancelled else ""
    return f"{record.order.id} {payment.state}{by}{back} (v{record.version})"


def _end(receipt_id: object) -> str:
    return f"…{str(receipt_id)[-6:]}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
