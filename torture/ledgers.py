"""Three ledgers side by side: what Bootpay has, what the store has, what the shop was told.

Rule 1: every paid receipt is fulfilled exactly once, or its money is back, or a person is asked and told why.
Rule 2: nothing is fulfilled that Bootpay has no money for; an answer once given stays true.
Rule 3: what went back is what was asked for, once per key, and never more than was paid.
Rule 4: nothing is left in between.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from torture.buyers import Note
from torture.shop import Arrival
from torture.wire import Wire

__all__ = ["Ledgers", "read_ledgers"]

_PAID, _CANCELLED, _WAITS = 1, 20, 2
_ENDED = {"open", "awaiting_deposit", "paid", "partially_cancelled", "cancelled", "expired", "attention"}
# What a person may be asked about after this load; anything else is a machine that gave up too early.
_REASONS = {"order_expired", "order_already_paid"}


@dataclass(slots=True)
class Ledgers:
    """Everything there is to compare.

    Attributes:
        receipts: Bootpay's, by order.
        orders: The store's, by order, as the HTTP API shows them.
        histories: Their steps.
        arrivals: The shop's, by order.
        notes: What the buyers did.
    """

    receipts: Mapping[str, list[dict[str, Any]]]
    orders: Mapping[str, dict[str, Any]]
    histories: Mapping[str, list[dict[str, Any]]]
    arrivals: Mapping[str, list[Arrival]]
    notes: Mapping[str, Note]
    strays: list[str] = field(default_factory=list)

    def deviations(self) -> list[tuple[str, str]]:
        """Each order that is not as it must be, and what is wrong with it."""
        wrong = [("", words) for words in self.strays]
        wrong += [(order_id, "Bootpay has receipts, the store no order") for order_id in self._unknown()]
        for order_id in self.orders:
            wrong += [(order_id, words) for words in self._judge(order_id)]
        return wrong

    def _unknown(self) -> list[str]:
        return [order_id for order_id in self.receipts if order_id not in self.orders]

    def _judge(self, order_id: str) -> Iterator[str]:
        order, receipts = self.orders[order_id], self.receipts.get(order_id, [])
        arrivals = self.arrivals.get(order_id, [])
        yield from self._rest(order)
        for receipt in receipts:
            yield from self._receipt(order, receipt)
        yield from self._fulfilled(order, receipts, arrivals)
        yield from self._heard(order, arrivals)
        note = self.notes.get(order_id)
        if note is not None:
            yield from self._answers(order, receipts, note)
            yield from self._cancels(order, receipts, note)

    def _rest(self, order: dict[str, Any]) -> Iterator[str]:
        """Nothing is left in between."""
        if order["state"] not in _ENDED:
            yield f"it is still {order['state']}"
        if order["state"] == "attention" and order.get("reason") not in _REASONS:
            yield f"a person is asked because of {order.get('reason')}"
        for delivery in order["deliveries"]:
            if delivery["state"] != "settled":
                yield f"delivery {delivery['id']} is {delivery['state']}: {delivery['last_error']}"
        for receipt in order["receipts"]:
            if receipt["fate"] in ("owed_back", "confirming"):
                yield f"receipt {receipt['receipt_id']} is still {receipt['fate']}"
        versions = [event["version"] for event in self.histories[order["order_id"]]]
        if versions != list(range(1, order["version"] + 1)):
            yield f"version {order['version']}, but the history has {versions}"

    def _receipt(self, order: dict[str, Any], receipt: dict[str, Any]) -> Iterator[str]:
        """Where this receipt's money is, and whether it may be there."""
        id_, back, price = receipt["receipt_id"], receipt["cancelled_price"], receipt["price"]
        if not 0 <= back <= price:
            yield f"receipt {id_}: {back} of {price} went back"
        fates = {known["receipt_id"]: known["fate"] for known in order["receipts"]}
        fate = fates.get(id_)
        if receipt["status"] == _PAID:
            if fate == "pays":
                right = (price, receipt["currency"], receipt["order_id"])
                if right != (order["price"], order["currency"], order["order_id"]):
                    yield f"receipt {id_} pays with {right}"
                if order["cancelled"] != back:
                    yield f"{order['cancelled']} cancelled in the store, {back} at Bootpay"
                expected = {"partially_cancelled" if back else "paid", "attention"}
                if order["state"] not in expected:
                    yield f"receipt {id_} pays, but the order is {order['state']}"
            elif not (fate == "held" and order["state"] == "attention"):
                yield f"receipt {id_} holds {price - back} of somebody's money and is {fate}"
        elif receipt["status"] == _CANCELLED:
            whole = order["state"] in ("cancelled", "attention") and order["cancelled"] == order["price"]
            if fate == "pays" and not whole:
                yield f"receipt {id_} is cancelled, but the order is {order['state']}"
            if fate == "held":
                yield f"receipt {id_} is held, but its money has gone back"
        elif fate in ("pays", "held", "returned"):
            yield f"receipt {id_} is {fate}, but Bootpay has status {receipt['status']}"

    def _fulfilled(
        self, order: dict[str, Any], receipts: Sequence[dict[str, Any]], arrivals: Sequence[Arrival]
    ) -> Iterator[str]:
        """Goods are owed once, for money, and told under one id."""
        paid = {arrival.delivery_id for arrival in arrivals if arrival.type == "order.paid"}
        steps = Counter(event["what"] for event in self.histories[order["order_id"]])
        pays = [known["receipt_id"] for known in order["receipts"] if known["fate"] == "pays"]
        if steps["paid"] > 1:
            yield f"paid {steps['paid']} times"
        if len(paid) != len(pays):
            yield f"paid for by {len(pays)} receipts, fulfilled under {len(paid)} ids"
        taken = {
            receipt["receipt_id"]
            for receipt in receipts
            if receipt["status"] in (_PAID, _CANCELLED) and receipt["price"] == order["price"]
        }
        if not set(pays) <= taken:
            yield f"paid for by {pays}, but Bootpay took money for {sorted(taken)}"
        told = {arrival.data["receipt_id"] for arrival in arrivals if arrival.type == "order.paid"}
        if not told <= set(pays):
            yield f"the shop was told of {told}"

    def _heard(self, order: dict[str, Any], arrivals: Sequence[Arrival]) -> Iterator[str]:
        """Every notice was heard, genuine, always in the same words, in order."""
        if not all(arrival.genuine for arrival in arrivals):
            yield "a delivery was not signed by us"
        settled = {
            delivery["id"]
            for delivery in order["deliveries"]
            if delivery["lane"] == "notice" and delivery["state"] == "settled"
        }
        heard = {arrival.delivery_id for arrival in arrivals if 200 <= arrival.answered < 300}
        if settled - heard:
            yield f"settled, but never heard: {sorted(settled - heard)}"
        known = {delivery["id"] for delivery in order["deliveries"]}
        if {arrival.delivery_id for arrival in arrivals} - known:
            yield "the shop was told of what the store does not know"
        words: dict[str, dict[str, Any]] = {}
        first: list[int] = []
        for arrival in arrivals:
            if words.setdefault(arrival.delivery_id, arrival.data) != arrival.data:
                yield f"{arrival.delivery_id} was told in two ways"
            if arrival.data["version"] not in first:
                first.append(arrival.data["version"])
        if first != sorted(first):
            yield f"told out of order: versions {first}"

    def _answers(
        self, order: dict[str, Any], receipts: Sequence[dict[str, Any]], note: Note
    ) -> Iterator[str]:
        """What a buyer was told once stays true."""
        pays = {known["receipt_id"] for known in order["receipts"] if known["fate"] == "pays"}
        if not note.told_paid <= pays:
            yield f"buyers were told that {sorted(note.told_paid)} pay"
        for receipt_id, code in note.told_refused.items():
            if receipt_id in pays and code not in ("already_cancelled", "payment_failed"):
                yield f"{receipt_id} was refused ({code}) and pays now"
        paying = any(
            receipt["status"] == _PAID and receipt["price"] == order["price"] for receipt in receipts
        )
        # Late money waits for a person; all other good money pays.
        if paying and not note.late and not pays:
            yield "good money is there and does not pay"

    def _cancels(
        self, order: dict[str, Any], receipts: Sequence[dict[str, Any]], note: Note
    ) -> Iterator[str]:
        """Each key moved money once, or not at all where the answer was no."""
        pays = {known["receipt_id"] for known in order["receipts"] if known["fate"] == "pays"}
        back = sum(r["cancelled_price"] for r in receipts if r["receipt_id"] in pays)
        if not pays:
            return
        all_ = any(cancel.amount is None and cancel.outcome == "done" for cancel in note.cancels)
        perhaps_all = any(cancel.amount is None and cancel.outcome == "unknown" for cancel in note.cancels)
        least = sum(cancel.amount or 0 for cancel in note.cancels if cancel.outcome == "done")
        unknown = [cancel.amount or 0 for cancel in note.cancels if cancel.outcome == "unknown"]
        possible = {least + note.console}
        for amount in unknown:
            possible |= {total + amount for total in possible}
        if all_:
            possible = {order["price"]}
        elif perhaps_all:
            possible.add(order["price"])
        if back not in possible:
            keys = [(cancel.key, cancel.amount, cancel.outcome) for cancel in note.cancels]
            yield f"{back} went back; asked for {keys}, {note.console} in a console"


def read_ledgers(
    service: Wire, bootpay: Wire, arrivals: Sequence[Arrival], notes: Mapping[str, Note]
) -> Ledgers:
    """Read all three as they stand; nobody may be at work."""
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
    strays = [f"the shop was told of order {id_}, which nobody registered" for id_ in set(heard) - set(ids)]
    strays += [f"order {id_} was registered, but is not in the store" for id_ in set(notes) - set(ids)]
    return Ledgers(
        receipts=receipts,
        orders=dict(zip(ids, orders, strict=True)),
        histories={id_: said["events"] for id_, said in zip(ids, histories, strict=True)},
        arrivals=heard,
        notes=notes,
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
