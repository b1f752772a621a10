"""How plain values are read: Bootpay's units as ours, a history's payments, a person's last word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from dojang.testing.simulation.evidence import Asked, Evidence, Json, Seen, Truth

__all__ = [
    "accepts",
    "data_of",
    "fates_of",
    "given_up",
    "last_seen",
    "last_word",
    "major",
    "minor",
    "misfit",
    "payings",
    "payment_of",
    "purpose_of",
    "shown",
]


def minor(amount: int | float, currency: str) -> int:
    """An amount in the currency's smallest unit."""
    return round(amount * (100 if currency != "KRW" else 1))


def major(amount: int, currency: str) -> int | float:
    """An amount as Bootpay writes it."""
    return amount if currency == "KRW" else amount / 100


def payment_of(order: Json) -> Json:
    """Where a stored order stands."""
    return cast("Json", order["payment"])


def fates_of(order: Json) -> dict[str, str]:
    """What became of the receipts that do not pay for an order."""
    others = cast("Sequence[Json]", payment_of(order)["others"])
    return {str(other["receipt_id"]): str(other["fate"]) for other in others}


def data_of(event: Json) -> Json:
    """What a step or a delivery says."""
    return cast("Json", event["data"])


def shown(state: str, cancelled: int, price: int) -> str:
    """The word users see for a state."""
    if state in ("confirming", "cancelling"):
        return "pending"
    return "partially_cancelled" if state == "paid" and 0 < cancelled < price else state


def misfit(order: Json, truth: Truth, *, sandbox: bool) -> str:
    """What about a receipt does not fit its order; empty if all does."""
    if truth.order_id != order["order_id"]:
        return "another order's"
    if truth.sandbox != sandbox:
        return "a test payment" if truth.sandbox else "a real payment"
    if truth.currency != order["currency"]:
        return f"in {truth.currency}"
    if minor(truth.price, truth.currency) != order["price"]:
        return f"for {truth.price} instead of {order['price']}"
    if minor(truth.tax_free, truth.currency) != order["tax_free"]:
        return f"with {truth.tax_free} free of tax instead of {order['tax_free']}"
    return ""


def accepts(event: Json) -> bool:
    """Whether a step is a person's word that held money pays."""
    return event["what"] == "resolved" and data_of(event)["resolution"] == "accept"


def payings(history: Iterable[Json]) -> list[str]:
    """The receipts that a history counts as the payment: by a machine's judgement, or by a person's."""
    return [
        str(data_of(event)["receipt_id"]) for event in history if event["what"] == "paid" or accepts(event)
    ]


def last_seen(asked: Sequence[Asked], who: str, receipt_id: str) -> Seen | None:
    """What an actor was last shown of a receipt."""
    return next(
        (
            seen
            for one in reversed(asked)
            if one.who == who
            for seen in one.seen
            if seen.receipt_id == receipt_id
        ),
        None,
    )


def last_word(history: Iterable[Json], receipt_id: str) -> str:
    """What a person last said about a receipt; empty where the question has been asked anew since.

    Who lets an approval be of which nobody could tell how it ended, has not said what is to become of its money.
    """
    word, asked = "", set[str]()
    for event in history:
        data = data_of(event)
        if data.get("receipt_id") != receipt_id:
            continue
        if event["what"] == "resolved":
            word = "" if asked == {"approval_unresolved"} else str(data["resolution"])
            asked.clear()
        elif event["what"] in ("receipt_refused", "account_issued", "attention", "stands_again"):
            word = ""
            if event["what"] == "attention":
                asked.add(str(data["reason"]))
    return word


def given_up(evidence: Evidence) -> set[str]:
    """Receipts whose money could not be sent back in all its attempts."""
    return {
        str(data_of(delivery)["receipt_id"])
        for delivery in evidence.deliveries
        if delivery["type"] == "money_back" and delivery["state"] == "dead"
    }


def purpose_of(evidence: Evidence, asked: Asked) -> tuple[str, ...]:
    """What a call that moves money is for: two of one purpose must never both have their effect."""
    want = evidence.wanted.get(asked.who)
    if asked.what == "cancel" and want is not None:
        return "cancel", str(want["order_id"]), str(want["key"])
    return asked.what, asked.receipt_id
