"""Where the money is, by Bootpay's books, and whether it may be there.

Rule 1: every paid receipt pays, with every term of its order, or its money is back, or a person is asked.
Rule 2: no money went back without a word of it in the history.
Rule 3: what went back of a payment is what was asked for, once per key, and never more than was paid.
Rule 4: money that waited for the shop's word moved only if the shop agreed; an answer once given stays true.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torture.case import CANCELLED, PAID, Case

__all__ = ["agreed", "answers", "cancels", "decided_once", "goods", "receipts"]


def receipts(case: Case) -> Iterator[str]:
    """Each receipt's money is where it may be."""
    for receipt in case.receipts:
        id_, back, price = receipt["receipt_id"], receipt["cancelled_price"], receipt["price"]
        if not 0 <= back <= price:
            yield f"receipt {id_}: {back} of {price} went back"
        if receipt["status"] == PAID:
            yield from _taken(case, receipt)
        elif receipt["status"] == CANCELLED:
            yield from _gone(case, receipt)
        elif case.fates.get(id_) in ("pays", "held", "returned"):
            yield f"receipt {id_} is {case.fates[id_]}, but Bootpay has status {receipt['status']}"
        if back > 0:
            yield from _lost(case, receipt)


def _taken(case: Case, receipt: dict[str, Any]) -> Iterator[str]:
    order, id_, back = case.order, receipt["receipt_id"], receipt["cancelled_price"]
    fate = case.fates.get(id_)
    if fate == "pays":
        terms = ("price", "tax_free", "currency", "order_id")
        if any(receipt[term] != order[term] for term in terms):
            yield f"receipt {id_} pays with {[receipt[term] for term in terms]}"
        if order["cancelled"] != back:
            yield f"{order['cancelled']} cancelled in the store, {back} at Bootpay"
        if order["state"] not in {"partially_cancelled" if back else "paid", "attention"}:
            yield f"receipt {id_} pays, but the order is {order['state']}"
    elif fate != "held":
        yield f"receipt {id_} holds {receipt['price'] - back} of somebody's money and is {fate}"
    elif order["state"] != "attention" and case.last_word(id_) != "dismiss":
        yield f"receipt {id_} is held, and nobody is asked about it"


def _gone(case: Case, receipt: dict[str, Any]) -> Iterator[str]:
    order, id_ = case.order, receipt["receipt_id"]
    fate = case.fates.get(id_)
    whole = order["state"] in ("cancelled", "attention") and order["cancelled"] == order["price"]
    if fate == "pays" and not whole:
        yield f"receipt {id_} is cancelled, but the order is {order['state']}"
    if fate == "held":
        yield f"receipt {id_} is held, but its money has gone back"


def _lost(case: Case, receipt: dict[str, Any]) -> Iterator[str]:
    """Money of this receipt has gone back: the history says so."""
    id_, back = receipt["receipt_id"], receipt["cancelled_price"]
    match case.fates.get(id_):
        case "pays":
            told = case.steps("partially_cancelled", "cancelled", receipt_id=id_)[-1:]
            said = [(step["cancelled"], step["cancelled_tax_free"]) for step in told]
            if said != [(back, receipt["cancelled_tax_free"])]:
                yield (
                    f"receipt {id_}: {back} went back, {receipt['cancelled_tax_free']} of it free of tax; "
                    f"the history has {said}"
                )
        case "returned":
            if back != receipt["price"]:
                yield f"receipt {id_} is returned, but {receipt['price'] - back} are still there"
            told = case.steps("money_returned", receipt_id=id_)
            if [step["amount"] for step in told] != [receipt["price"]]:
                yield f"receipt {id_} was returned in {len(told)} steps of the history"
        case "held" | "refused" if case.console:
            # A console had been at it before anybody looked.
            if not case.steps("surplus_found", "receipt_refused", receipt_id=id_):
                yield f"receipt {id_} lost {back} to a console without a word in the history"
        case fate:
            yield f"receipt {id_} lost {back} and is {fate}"


def goods(case: Case) -> Iterator[str]:
    """Goods are owed once, for money, and told under one id."""
    paid = {arrival.delivery_id for arrival in case.arrivals if arrival.type == "order.paid"}
    if len(paid) != len(case.pays):
        yield f"paid for by {len(case.pays)} receipts, fulfilled under {len(paid)} ids"
    steps = [step["receipt_id"] for step in case.steps("paid")]
    steps += [step["receipt_id"] for step in case.steps("resolved") if step["resolution"] == "accept"]
    if sorted(steps) != sorted(case.pays):
        yield f"the history is paid by {steps}, the order by {sorted(case.pays)}"
    taken = {
        receipt["receipt_id"]
        for receipt in case.receipts
        if receipt["status"] in (PAID, CANCELLED) and receipt["price"] == case.order["price"]
    }
    if not case.pays <= taken:
        yield f"paid for by {sorted(case.pays)}, but Bootpay took money for {sorted(taken)}"


def decided_once(case: Case) -> Iterator[str]:
    """What becomes of a receipt's money is decided once, whatever the shop's rules are later; but for people."""
    for receipt_id in case.fates:
        found = case.steps("surplus_found", receipt_id=receipt_id)
        # Money that came while a person decided is judged afterwards, and a person's word is a step of its own.
        own = [step for step in found if step["reason"] != "awaiting_decision"]
        words = [
            step for step in case.steps("resolved", receipt_id=receipt_id) if step["resolution"] == "return"
        ]
        if len(own) > 1 + len(words):
            yield f"the money of receipt {receipt_id} was decided about {len(own)} times"


def agreed(case: Case) -> Iterator[str]:
    """Money that waited for the shop's word has moved only if the shop said yes."""
    yes = {asked.receipt_id for asked in case.asked if asked.approved}
    waiting = case.note.waiting if case.note else set()
    for receipt in case.receipts:
        id_ = receipt["receipt_id"]
        if id_ in waiting and receipt["status"] in (PAID, CANCELLED) and id_ not in yes:
            asked = sum(asked.receipt_id == id_ for asked in case.asked)
            yield f"receipt {id_} was approved; the shop was asked {asked} times and never agreed"


# A payment that failed, a console's cancel, a shop's no and a missed deadline may each be overtaken, the last two
# only by the shop itself: `agreed` and the words of its people tell.
_NOT_FOR_EVER = ("already_cancelled", "payment_failed", "refused_by_shop")


def answers(case: Case) -> Iterator[str]:
    """What a buyer was told once stays true."""
    note = case.note
    if note is None:
        return
    if not note.told_paid <= case.pays:
        yield f"buyers were told that {sorted(note.told_paid)} pay"
    for receipt_id, code in note.told_refused.items():
        late = code == "order_expired" and (
            receipt_id in note.waiting or case.last_word(receipt_id) == "accept"
        )
        if receipt_id in case.pays and code not in _NOT_FOR_EVER and not late:
            yield f"{receipt_id} was refused ({code}) and pays now"
    paying = [
        receipt["receipt_id"]
        for receipt in case.receipts
        if receipt["status"] == PAID
        and not receipt["cancelled_price"]
        and (receipt["price"], receipt["tax_free"]) == (note.price, note.tax_free)
    ]
    # Late money may wait for a person, and any other while a person decides on the order; the rest pays.
    if paying and not note.late and not case.pays and case.order["state"] != "attention":
        yield "good money is there and does not pay"


def cancels(case: Case) -> Iterator[str]:
    """Each key moved money once, or not at all where the answer was no."""
    note = case.note
    if note is None or not case.pays:
        return
    all_ = any(cancel.amount is None and cancel.outcome == "done" for cancel in note.cancels)
    perhaps_all = any(cancel.amount is None and cancel.outcome == "unknown" for cancel in note.cancels)
    least = sum(cancel.amount or 0 for cancel in note.cancels if cancel.outcome == "done")
    unknown = [cancel.amount or 0 for cancel in note.cancels if cancel.outcome == "unknown"]
    possible = {least + note.console}
    for amount in unknown:
        possible |= {total + amount for total in possible}
    if all_:
        possible = {case.order["price"]}
    elif perhaps_all:
        possible.add(case.order["price"])
    if case.back not in possible:
        keys = [(cancel.key, cancel.amount, cancel.outcome) for cancel in note.cancels]
        yield f"{case.back} went back; asked for {keys}, {note.console} in a console"
