"""Three ledgers side by side: what Bootpay has, what the store has, what the shop was told.

Rule 1: nothing is left in between, and a person is asked only about what no machine may decide.
Rule 2: where money is, `money` judges; what the shop hears, `notices`; what people say, `decisions`.
Rule 3: nothing here shares code with what is judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from torture import decisions, money, notices
from torture.case import Case
from torture.notes import Note, Word
from torture.shop import Arrival, Asked
from torture.wire import Wire

__all__ = ["Ledgers", "read_ledgers"]

_ENDED = {"open", "awaiting_deposit", "paid", "partially_cancelled", "cancelled", "expired", "attention"}
# What a person may be asked about after this load; anything else is a machine that gave up too early.
_REASONS = {
    *("order_expired", "order_already_paid"),
    *("amount_mismatch", "tax_free_mismatch", "already_cancelled"),
}


def _rest(case: Case) -> Iterator[str]:
    """Nothing is left in between."""
    order = case.order
    if order["state"] not in _ENDED:
        yield f"it is still {order['state']}"
    for step in case.steps("attention"):
        if step["reason"] not in _REASONS:
            yield f"a person was asked because of {step['reason']}"
    if order["state"] == "attention" and "held" not in case.fates.values():
        yield f"a person is asked about no money ({order.get('reason')})"
    for delivery in order["deliveries"]:
        if delivery["state"] != "settled":
            yield f"delivery {delivery['id']} is {delivery['state']}: {delivery['last_error']}"
    for receipt_id, fate in case.fates.items():
        if fate in ("owed_back", "confirming"):
            yield f"receipt {receipt_id} is still {fate}"
    versions = [step["version"] for step in case.history]
    if versions != list(range(1, order["version"] + 1)):
        yield f"version {order['version']}, but the history has {versions}"


JUDGES: tuple[Callable[[Case], Iterator[str]], ...] = (
    _rest,
    *(money.receipts, money.goods, money.decided_once, money.agreed, money.answers, money.cancels),
    *(notices.heard, notices.told_the_history, notices.told_last),
    decisions.kept,
)
"""Each says what is wrong with one order."""


@dataclass(slots=True)
class Ledgers:
    """Everything there is to compare.

    Attributes:
        receipts: Bootpay's, by order.
        orders: The store's, by order, as the HTTP API shows them.
        histories: Their steps.
        arrivals: The shop's, by order.
        notes: What the buyers did.
        asked: What the shop was asked before money moved, by order.
        words: What people decided, by order.
        strays: What belongs to no order.
    """

    receipts: Mapping[str, list[dict[str, Any]]]
    orders: Mapping[str, dict[str, Any]]
    histories: Mapping[str, list[dict[str, Any]]]
    arrivals: Mapping[str, list[Arrival]]
    notes: Mapping[str, Note]
    asked: Mapping[str, list[Asked]] = field(default_factory=dict)
    words: Mapping[str, list[Word]] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)

    def case(self, order_id: str) -> Case:
        """What all of them have about one order."""
        return Case(
            order=self.orders[order_id],
            receipts=self.receipts.get(order_id, []),
            history=self.histories[order_id],
            arrivals=self.arrivals.get(order_id, []),
            asked=self.asked.get(order_id, []),
            words=self.words.get(order_id, []),
            note=self.notes.get(order_id),
        )

    def deviations(self) -> list[tuple[str, str]]:
        """Each order that is not as it must be, and what is wrong with it."""
        wrong = [("", words) for words in self.strays]
        wrong += [
            (order_id, "Bootpay has receipts, the store no order")
            for order_id in self.receipts
            if order_id not in self.orders
        ]
        for order_id in self.orders:
            case = self.case(order_id)
            wrong += [(order_id, words) for judge in JUDGES for words in judge(case)]
        return wrong


def read_ledgers(
    service: Wire,
    bootpay: Wire,
    arrivals: Sequence[Arrival],
    notes: Mapping[str, Note],
    asked: Sequence[Asked] = (),
    words: Sequence[Word] = (),
) -> Ledgers:
    """Read all of them as they stand; what is still at work is seen as it was at some moment of it."""
    receipts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for receipt in bootpay.need("GET", "/emulator/receipts"):
        receipts[receipt["order_id"]].append(receipt)
    ids = list(_order_ids(service))
    with ThreadPoolExecutor(8) as pool:
        orders = list(
            pool.map(lambda id_: service.need("GET", f"/v1/orders/{id_}", keyed=True), ids),
        )
        histories = list(
            pool.map(lambda id_: service.need("GET", f"/v1/orders/{id_}/history", keyed=True), ids),
        )
    heard: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        heard[str(arrival.data.get("order_id"))].append(arrival)
    questions: dict[str, list[Asked]] = defaultdict(list)
    for question in asked:
        questions[question.order_id].append(question)
    said: dict[str, list[Word]] = defaultdict(list)
    for word in words:
        said[word.order_id].append(word)
    strays = [
        f"the shop was told of order {id_}, which nobody registered"
        for id_ in {*heard, *questions} - set(ids)
    ]
    strays += [f"order {id_} was registered, but is not in the store" for id_ in set(notes) - set(ids)]
    return Ledgers(
        receipts=receipts,
        orders=dict(zip(ids, orders, strict=True)),
        histories={id_: read["events"] for id_, read in zip(ids, histories, strict=True)},
        arrivals=heard,
        notes=notes,
        asked=questions,
        words=said,
        strays=strays,
    )


def _order_ids(service: Wire) -> Iterator[str]:
    cursor = ""
    while True:
        page = service.need("GET", f"/v1/orders?limit=200{cursor}", keyed=True)
        for order in page["orders"]:
            yield order["order_id"]
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"
