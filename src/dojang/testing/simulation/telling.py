"""What the shop, its buyers and Bootpay were told, and how long they waited for it.

Rule 1: each step that the shop must know of has its notice, and a notice says what the order then was.
Rule 2: when all is calm, the shop's last notice, the stored order and Bootpay's books agree.
Rule 3: an answer is the truth, and comes while somebody still waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from dojang.testing.simulation.evidence import Answered, BrokenPromise, Evidence, Json
from dojang.testing.simulation.reading import (
    accepts,
    data_of,
    major,
    minor,
    misfit,
    payings,
    payment_of,
    shown,
)
from dojang.testing.simulation.second_fold import read_history

__all__ = ["check_delivered", "check_told"]

_ATTEMPTS_MAX = 10
_TOLD = {
    "paid": "order.paid",
    "account_issued": "order.awaiting_deposit",
    "partially_cancelled": "order.partially_cancelled",
    "cancelled": "order.cancelled",
    "expired": "order.expired",
    "money_returned": "order.money_returned",
    "attention": "order.attention",
}
_HAS_AN_ORIGIN = ("partially_cancelled", "cancelled")
_MISFITS = frozenset(
    {"amount_mismatch", "currency_mismatch", "tax_free_mismatch", "sandbox_receipt", "live_receipt"}
)
_NEVER_OF_WHAT_PAYS = _MISFITS | {"order_mismatch", "order_already_paid", "receipt_already_used"}


def check_told(evidence: Evidence) -> None:
    """What must hold at every moment about notices and answers.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    _each_step_has_its_notice(evidence)
    _answers_are_true(evidence)
    _nobody_waits_too_long(evidence)


def check_delivered(evidence: Evidence) -> None:
    """What must hold about notices when things have calmed down.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    _delivered(evidence)
    _tried_often_enough(evidence)
    for order in evidence.orders:
        _the_last_notice_agrees(evidence, order)


def _notices(evidence: Evidence, order_id: str) -> list[Json]:
    return [
        delivery
        for delivery in evidence.deliveries
        if delivery["lane"] == "notice" and delivery["order_id"] == order_id
    ]


def _told_as(event: Json) -> str | None:
    """The notice that a step must have; none where the shop need not know."""
    if accepts(event):
        return "order.paid"
    if _in_vain(event):
        return None
    return _TOLD.get(str(event["what"]))


def _in_vain(event: Json) -> bool:
    """Whether a person is called because the shop cannot be told: it need not be told of that as well."""
    return event["what"] == "attention" and data_of(event)["reason"] == "delivery_failed"


def _each_step_has_its_notice(evidence: Evidence) -> None:
    for order in evidence.orders:
        order_id = str(order["order_id"])
        history = evidence.histories[order_id]
        must = {event["version"]: kind for event in history if (kind := _told_as(event)) is not None}
        notices = _notices(evidence, order_id)
        owed = {data_of(notice)["version"]: str(notice["type"]) for notice in notices}
        may = must | {event["version"]: "order.attention" for event in history if _in_vain(event)}
        if not must.items() <= owed.items() <= may.items():
            raise BrokenPromise("P3", f"{order_id}: the shop must be told of {must}, and is of {owed}")
        for notice in notices:
            data = data_of(notice)
            version = cast("int", data["version"])
            wrong = _wrong_words(order, history, version, data)
            if wrong:
                raise BrokenPromise("P4", f"{notice['id']} says {wrong}")


def _wrong_words(order: Json, history: Iterable[Json], version: int, data: Json) -> str:
    """What a notice says that was not so at its version; empty if all of it was."""
    past = list(history)[:version]
    try:
        then = read_history(past)
    except ValueError as error:
        raise BrokenPromise("P10", f"{order['order_id']}: {error}") from None
    currency, price = str(order["currency"]), cast("int", order["price"])
    cancelled, step = cast("int", then["cancelled"]), past[-1]
    right: dict[str, object] = {
        "order_id": order["order_id"],
        "state": shown(str(then["state"]), cancelled, price),
        "price": major(price, currency),
        "cancelled": major(cancelled, currency),
        "currency": currency,
        "receipt_id": then["receipt_id"],
        "origin": data_of(step)["origin"] if step["what"] in _HAS_AN_ORIGIN else step["who"],
    }
    if step["what"] == "money_returned":
        right["receipt_id"] = data_of(step)["receipt_id"]
    return ", ".join(
        f"{name} {data.get(name)} instead of {value}"
        for name, value in right.items()
        if data.get(name) != value
    )


def _answers_are_true(evidence: Evidence) -> None:
    """Whoever was told that a receipt pays was told the truth."""
    paid_by = {order_id: payings(history) for order_id, history in evidence.histories.items()}
    orders = {str(order["order_id"]): order for order in evidence.orders}
    for answer in evidence.answers:
        if answer.kind == "verify":
            _verified_truly(evidence, answer, orders[answer.order_id], paid_by[answer.order_id])


def _verified_truly(evidence: Evidence, answer: Answered, order: Json, paid_by: list[str]) -> None:
    pays = answer.receipt_id in paid_by
    truth = evidence.receipts.get(answer.receipt_id)
    about = f"a buyer was told that {answer.receipt_id}"
    if answer.word == "paid" and not pays:
        raise BrokenPromise("P1", f"{about} pays, which it does not")
    if pays and answer.word in _NEVER_OF_WHAT_PAYS:
        raise BrokenPromise("P1", f"{about} does not pay ({answer.word}), which it does")
    if truth is None:
        return
    if answer.word in _MISFITS and not misfit(order, truth, sandbox=evidence.sandbox):
        raise BrokenPromise("P1", f"{about} does not fit ({answer.word}), which it does")
    if answer.word == "already_cancelled" and truth.status == 1 and not truth.cancelled_price:
        raise BrokenPromise("P1", f"{about} was cancelled, which it was not")


def _nobody_waits_too_long(evidence: Evidence) -> None:
    for kind, who in evidence.overstayed:
        raise BrokenPromise("P8" if kind == "webhook" else "P7", f"{who} waits although its time is over")
    for asked in evidence.asked:
        if asked.over_s > 0.001:
            raise BrokenPromise(
                "P8" if asked.kind == "webhook" else "P7",
                f"{asked.who} would wait for {asked.what} {asked.over_s:.1f} s longer than it has",
            )


def _delivered(evidence: Evidence) -> None:
    stored = {str(delivery["id"]): delivery for delivery in evidence.deliveries}
    received: dict[str, list[Json]] = {}
    newest: dict[str, int] = {}
    for one in evidence.received:
        known = received.setdefault(str(one["id"]), [])
        if one["id"] not in stored:
            raise BrokenPromise("P4", f"the shop got {one['id']}, which nobody owed")
        if one["data"] != stored[str(one["id"])]["data"]:
            raise BrokenPromise("P4", f"{one['id']} was delivered with other contents than owed")
        known.append(one)
        data = data_of(one)
        order_id, version = str(data["order_id"]), cast("int", data["version"])
        if len(known) == 1:
            # What was given up and is tried again by a person's wish comes when it comes.
            if version < newest.get(order_id, 0) and one["id"] not in evidence.retried:
                raise BrokenPromise("P4", f"{one['id']} came after what followed it")
            newest[order_id] = max(version, newest.get(order_id, 0))
    for delivery in evidence.deliveries:
        if delivery["state"] == "due":
            raise BrokenPromise("P4", f"{delivery['id']} is still due")
        if delivery["lane"] == "notice" and delivery["state"] == "settled" and delivery["id"] not in received:
            raise BrokenPromise("P4", f"{delivery['id']} counts as delivered, but the shop never got it")


def _tried_often_enough(evidence: Evidence) -> None:
    """Nothing is given up before all its attempts, unless nobody wants it any more."""
    for delivery in evidence.deliveries:
        if delivery["state"] != "dead" or delivery["id"] in evidence.unwanted:
            continue
        pays = delivery["type"] == "money_back" and data_of(delivery)["receipt_id"] in payings(
            evidence.histories[str(delivery["order_id"])]
        )
        if cast("int", delivery["attempts"]) < _ATTEMPTS_MAX and not pays:
            promise = "P6" if delivery["type"] == "money_back" else "P4"
            raise BrokenPromise(
                promise, f"{delivery['id']} was given up after {delivery['attempts']} attempts"
            )


def _the_last_notice_agrees(evidence: Evidence, order: Json) -> None:
    """What the shop heard last is what is stored, and what Bootpay's books say."""
    order_id, currency = str(order["order_id"]), str(order["currency"])
    notices = _notices(evidence, order_id)
    heard = [one for one in evidence.received if data_of(one)["order_id"] == order_id]
    if not heard or any(notice["state"] == "dead" for notice in notices):
        return
    last = data_of(max(heard, key=lambda one: cast("int", data_of(one)["version"])))
    later = evidence.histories[order_id][cast("int", last["version"]) :]
    # An account that is withdrawn, where a person lets an order go on, and a cancel that was refused after other
    # money was told to be back, are nothing that the shop waits for.
    quietly = last["state"] == "pending" or any(
        event["what"] in ("account_withdrawn", "resolved", "attention") for event in later
    )
    payment = payment_of(order)
    cancelled = cast("int", payment["cancelled"])
    stands = shown(str(payment["state"]), cancelled, cast("int", order["price"]))
    if not quietly and (last["state"], last["cancelled"]) != (stands, major(cancelled, currency)):
        raise BrokenPromise(
            "P4", f"{order_id} is {stands} ({cancelled} went back); the shop last heard {dict(last)}"
        )
    if last["state"] not in ("paid", "partially_cancelled", "cancelled"):
        return
    if payment["state"] not in ("paid", "cancelled"):
        return  # While a person decides, the receipt that pays is left alone; it is compared again afterwards.
    truth = evidence.receipts[str(payment["receipt_id"])]
    price = cast("int | float", last["price"])
    back = cast("int | float", last["cancelled"])
    books = (minor(truth.price, truth.currency), minor(truth.cancelled_price, truth.currency))
    if books != (minor(price, currency), minor(back, currency)):
        raise BrokenPromise("P4", f"{order_id}: Bootpay's books say {books}, the shop heard {price}, {back}")
