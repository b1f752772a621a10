"""What the shop was told, beside the history and beside Bootpay's books.

Rule 1: each step that must be told has its notice, under one id; there is no notice without its step.
Rule 2: a notice says how the order stood after its step; the last one agrees with Bootpay.
Rule 3: notices are heard, signed by us, always in the same words, in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from torture.case import Case
from torture.steps import stands, told_as

__all__ = ["heard", "told_last", "told_the_history"]


def heard(case: Case) -> Iterator[str]:
    """Every notice was heard, genuine, always in the same words, in order."""
    if not all(arrival.genuine for arrival in case.arrivals) or not all(
        asked.genuine for asked in case.asked
    ):
        yield "what the shop received was not signed by us"
    owed = [delivery for delivery in case.order["deliveries"] if delivery["lane"] == "notice"]
    settled = {delivery["id"] for delivery in owed if delivery["state"] == "settled"}
    answered = {arrival.delivery_id for arrival in case.arrivals if 200 <= arrival.answered < 300}
    if settled - answered:
        yield f"settled, but never heard: {sorted(settled - answered)}"
    if {arrival.delivery_id for arrival in case.arrivals} - {delivery["id"] for delivery in owed}:
        yield "the shop was told of what the store does not know"
    words: dict[str, dict[str, Any]] = {}
    first: list[int] = []
    for arrival in case.arrivals:
        if words.setdefault(arrival.delivery_id, arrival.data) != arrival.data:
            yield f"{arrival.delivery_id} was told in two ways"
        if arrival.data["version"] not in first:
            first.append(arrival.data["version"])
    if first != sorted(first):
        yield f"told out of order: versions {first}"


def told_the_history(case: Case) -> Iterator[str]:
    """Each step that must be told was told under exactly one id, and as it was."""
    ids: dict[tuple[int, str], set[str]] = defaultdict(set)
    for arrival in case.arrivals:
        ids[arrival.data["version"], arrival.type].add(arrival.delivery_id)
    steps = {(step["version"], told_as(step)): step for step in case.history if told_as(step)}
    for version, type_ in sorted(set(steps) - set(ids)):
        yield f"step {version} was never told ({type_})"
    for version, type_ in sorted(set(ids) - set(steps)):
        yield f"{type_} was told of version {version}, which is no such step"
    for (version, type_), known in ids.items():
        if len(known) > 1:
            yield f"{type_} of version {version} was told under {len(known)} ids"
    stood = stands(case.history, case.order["price"])
    for arrival in case.arrivals:
        step = steps.get((arrival.data["version"], arrival.type))
        if step is not None:
            yield from _told_rightly(case, arrival.delivery_id, arrival.data, step, stood[step["version"]])
    last = stood[max(stood)] if stood else None
    if last != (case.order["state"], case.order["cancelled"]):
        yield f"the history leads to {last}, the order is {case.order['state']}, {case.order['cancelled']} cancelled"


def _told_rightly(
    case: Case, id_: str, data: dict[str, Any], step: dict[str, Any], stood: tuple[str, int]
) -> Iterator[str]:
    if (data["state"], data["cancelled"]) != stood:
        yield f"{id_} tells of {data['state']}, {data['cancelled']} cancelled; the history has {stood}"
    if (data["price"], data["currency"]) != (case.order["price"], case.order["currency"]):
        yield f"{id_} tells of {data['price']} {data['currency']}"
    if step["what"] in ("paid", "resolved", "money_returned") and data["receipt_id"] != step["receipt_id"]:
        yield f"{id_} tells of receipt {data['receipt_id']}, the history of {step['receipt_id']}"
    if step["what"] == "money_returned" and data["returned"] != step["amount"]:
        yield f"{id_} tells that {data['returned']} were returned, the history has {step['amount']}"


_WITH_MONEY = {"paid", "partially_cancelled", "cancelled"}


def told_last(case: Case) -> Iterator[str]:
    """What the shop heard last is what Bootpay and the store have."""
    if not case.arrivals:
        return
    last = max(reversed(case.arrivals), key=lambda arrival: int(arrival.data["version"])).data
    if {last["cancelled"], case.order["cancelled"]} != {case.back}:
        yield (
            f"{last['cancelled']} cancelled is what the shop heard last, {case.order['cancelled']} has the store, "
            f"{case.back} has Bootpay"
        )
    prices = {receipt["price"] for receipt in case.receipts if receipt["receipt_id"] in case.pays}
    if not prices <= {last["price"]}:
        yield f"the shop heard of {last['price']}, Bootpay has {sorted(prices)}"
    if last["state"] in _WITH_MONEY or prices:
        part = "partially_cancelled" if case.back else "paid"
        fits = {"cancelled" if case.back == last["price"] else part} if prices else set()
        # What is under way or waits for a person says nothing of money.
        if last["state"] not in fits | {"pending", "attention"}:
            yield f"the shop heard last that the order is {last['state']}; by Bootpay's books it is {fits or 'unpaid'}"
