"""The promises P1 to P11, checked on what is left when a simulation is over.

Rule 1: nothing of `dojang.core` or `dojang.usecases` is imported here; only plain values are judged: Bootpay's books,
what was asked of Bootpay, the stored rows, and what the shop received.
Rule 2: every receipt that holds money is accounted for: it pays, it went back, or a person has been called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from dojang.testing.simulation.second_fold import read_history

__all__ = ["Asked", "BrokenPromise", "Evidence", "Seen", "Truth", "check", "check_durable"]

Json = Mapping[str, object]


class BrokenPromise(AssertionError):
    """A promise does not hold.

    Attributes:
        promise: Which, as `P1` to `P11`.
    """

    def __init__(self, promise: str, words: str) -> None:
        super().__init__(f"{promise}: {words}")
        self.promise = promise


class Truth(NamedTuple):
    """A receipt as Bootpay's books have it, in Bootpay's own units."""

    order_id: str
    price: int | float
    tax_free: int | float
    currency: str
    sandbox: bool
    status: int
    cancelled_price: int | float
    cancelled_tax_free: int | float
    purchased: bool
    method: str


class Seen(NamedTuple):
    """A receipt as a caller was shown it: Bootpay's status number, minor units."""

    receipt_id: str
    status: int
    price: int
    cancelled: int


class Asked(NamedTuple):
    """One call to Bootpay.

    Attributes:
        at: When, in seconds since the beginning.
        who: Which actor.
        kind: Which use case it ran.
        what: `look_up`, `look_up_order`, `confirm` or `cancel`.
        receipt_id: About which receipt (or order, for `look_up_order`).
        outcome: `answered`, `refused`, `not_sent` or `unknown`.
        cancel_id: For a cancel, its id.
        truth: For a call that moves money, the receipt as it stood in the books.
        seen: The receipts that the caller was shown.
        effect: How much money the call moved, in Bootpay's units.
        overdue: Whether it was sent by somebody whose time was over.
        moved_after: When the money moved, as the number of calls made until then.
    """

    at: float
    who: str
    kind: str
    what: str
    receipt_id: str
    outcome: str
    cancel_id: str = ""
    truth: Truth | None = None
    seen: Sequence[Seen] = ()
    effect: int | float = 0
    overdue: bool = False
    moved_after: int = -1


@dataclass(kw_only=True)
class Evidence:
    """All that is left when a simulation is over.

    Attributes:
        receipts: Bootpay's books, by receipt.
        outside: Money that left receipts from outside (consoles, reversals), by receipt.
        orders: The stored orders: `order_id`, the terms, `version`, `payment`, `due_at`.
        histories: The stored events by order.
        deliveries: The stored outbox.
        notices: The stored inbox.
        asked: What Bootpay was asked, in order.
        received: What the shop received, in order.
        acknowledged: Webhooks that were acknowledged: receipt, kind, cancelled amount.
        wanted: Cancels the shop asked for: by `cancel_id`, the order, the amount (None: all) and the remaining it
            expected.
        answers: What callers were told: use case, its subject, the answer in a word.
        errors: Words of the errors that actors ended in.
        secrets: Texts that must be found nowhere.
        sandbox: Whether test payments count instead of real ones.
        sighted: Whether receipts can be found by order id, so that nothing stays unknown for long.
        untold: Receipts of which the shop may never have heard, because their webhooks were lost for good.
        written_after: When a step was written (order, version), as the number of calls to Bootpay made until then.
    """

    receipts: Mapping[str, Truth]
    outside: Mapping[str, int | float] = field(default_factory=dict)
    orders: Sequence[Json]
    histories: Mapping[str, Sequence[Json]]
    deliveries: Sequence[Json]
    notices: Sequence[Json]
    asked: Sequence[Asked]
    received: Sequence[Json]
    acknowledged: Sequence[tuple[str, str, str]]
    wanted: Mapping[str, Json] = field(default_factory=dict)
    answers: Sequence[tuple[str, str, str]] = ()
    errors: Sequence[str] = ()
    secrets: Sequence[str] = ()
    sandbox: bool = False
    sighted: bool = True
    untold: frozenset[str] = frozenset()
    written_after: Mapping[tuple[str, int], int] = field(default_factory=dict)


def check_durable(evidence: Evidence) -> None:
    """What must hold at every moment, even right after a crash.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    _paid_only_on_bootpays_answer(evidence)
    _paid_once(evidence)
    _owed_with_the_state(evidence)
    _approved_only_what_fits(evidence)
    _never_blindly_again(evidence)
    _never_guessed(evidence)
    _kept_before_acknowledged(evidence)
    _never_more_back_than_asked(evidence)
    _history_tells_the_state(evidence)
    _told_the_truth(evidence)
    _nothing_secret(evidence)


def check(evidence: Evidence) -> None:
    """What must hold when things have calmed down: everything of `check_durable`, and nothing left undone.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    check_durable(evidence)
    _delivered(evidence)
    _nothing_left_unfinished(evidence)
    _all_money_accounted_for(evidence)
    _people_are_obeyed(evidence)
    _cancelled_as_bootpay_says(evidence)


def _minor(amount: int | float, currency: str) -> int:
    return round(amount * (100 if currency != "KRW" else 1))


def _payment(order: Json) -> Json:
    return cast("Json", order["payment"])


def _fates(order: Json) -> dict[str, str]:
    others = cast("Sequence[Json]", _payment(order)["others"])
    return {str(other["receipt_id"]): str(other["fate"]) for other in others}


def _data(event: Json) -> Json:
    return cast("Json", event["data"])


def _fits(order: Json, truth: Truth, *, sandbox: bool) -> str:
    """What about a receipt does not fit its order; empty if all does."""
    if truth.order_id != order["order_id"]:
        return "another order's"
    if truth.sandbox != sandbox:
        return "a test payment" if truth.sandbox else "a real payment"
    if truth.currency != order["currency"]:
        return f"in {truth.currency}"
    if _minor(truth.price, truth.currency) != order["price"]:
        return f"for {truth.price} instead of {order['price']}"
    if _minor(truth.tax_free, truth.currency) != order["tax_free"]:
        return f"with {truth.tax_free} free of tax instead of {order['tax_free']}"
    return ""


def _payings(history: Iterable[Json]) -> list[str]:
    """The receipts that a history counts as the payment: by a machine's judgement, or by a person's."""
    return [
        str(_data(event)["receipt_id"])
        for event in history
        if event["what"] == "paid" or (event["what"] == "resolved" and _data(event)["resolution"] == "accept")
    ]


def _paid_only_on_bootpays_answer(evidence: Evidence) -> None:
    shown: dict[str, list[Seen]] = {}
    for asked in evidence.asked:
        for seen in asked.seen:
            shown.setdefault(seen.receipt_id, []).append(seen)
    for order in evidence.orders:
        for event in evidence.histories[str(order["order_id"])]:
            if event["what"] != "paid":
                continue
            receipt_id = str(_data(event)["receipt_id"])
            truth = evidence.receipts.get(receipt_id)
            if truth is None:
                raise BrokenPromise("P1", f"{order['order_id']} is paid by a receipt nobody knows")
            wrong = _fits(order, truth, sandbox=evidence.sandbox)
            if wrong:
                raise BrokenPromise("P1", f"{order['order_id']} is paid by a receipt {wrong}")
            if not any(
                seen.status == 1 and seen.cancelled == 0 and seen.price == order["price"]
                for seen in shown.get(receipt_id, ())
            ):
                raise BrokenPromise("P1", f"{order['order_id']} is paid, but Bootpay never said so")


def _paid_once(evidence: Evidence) -> None:
    owner: dict[str, str] = {}
    for order in evidence.orders:
        order_id = str(order["order_id"])
        payings = _payings(evidence.histories[order_id])
        if len(payings) > 1:
            raise BrokenPromise("P2", f"{order_id} was paid {len(payings)} times")
        for receipt_id in payings:
            if owner.setdefault(receipt_id, order_id) != order_id:
                raise BrokenPromise("P2", f"one receipt pays for {owner[receipt_id]} and for {order_id}")


def _owed_with_the_state(evidence: Evidence) -> None:
    owed = Counter(
        str(delivery["order_id"]) for delivery in evidence.deliveries if delivery["type"] == "order.paid"
    )
    back = {str(delivery["id"]) for delivery in evidence.deliveries if delivery["type"] == "money_back"}
    for order in evidence.orders:
        order_id = str(order["order_id"])
        paid = bool(_payings(evidence.histories[order_id]))
        if owed[order_id] != paid:
            raise BrokenPromise("P3", f"{order_id}: paid {paid}, but {owed[order_id]} notices of it are owed")
        for receipt_id, fate in _fates(order).items():
            if fate == "owed_back" and f"{order_id}:{receipt_id}:money_back" not in back:
                raise BrokenPromise("P3", f"{order_id}: money is owed back, but not in the outbox")


def _approved_only_what_fits(evidence: Evidence) -> None:
    orders = {str(order["order_id"]): order for order in evidence.orders}
    for asked in evidence.asked:
        if asked.what != "confirm" or asked.truth is None or asked.outcome == "not_sent":
            continue
        order = orders.get(asked.truth.order_id)
        wrong = (
            "of an unknown order" if order is None else _fits(order, asked.truth, sandbox=evidence.sandbox)
        )
        if wrong:
            raise BrokenPromise("P5", f"{asked.who} approves a receipt {wrong}")
        intended = order is not None and any(
            event["what"] == "approval_intended" and _data(event)["receipt_id"] == asked.receipt_id
            for event in evidence.histories[str(order["order_id"])]
        )
        if not intended:
            raise BrokenPromise("P7", f"{asked.who} approves without having written it down")


def _never_blindly_again(evidence: Evidence) -> None:
    sent: dict[tuple[str, str], list[int]] = {}
    looked: dict[tuple[str, str], int] = {}
    for number, asked in enumerate(evidence.asked):
        for seen in asked.seen if asked.what in ("look_up", "look_up_order") else ():
            looked[asked.who, seen.receipt_id] = looked["anybody", seen.receipt_id] = number
        if asked.what not in ("confirm", "cancel") or asked.outcome == "not_sent":
            continue
        earlier = sent.setdefault((asked.what, asked.receipt_id), [])
        for before in earlier if not asked.overdue else ():
            first = evidence.asked[before]
            # Whoever repeats a call must have looked himself; another cancel needs to know how a doubtful one ended.
            same = first.cancel_id == asked.cancel_id
            if not same and first.outcome != "unknown":
                continue
            if looked.get((asked.who if same else "anybody", asked.receipt_id), -1) < before:
                raise BrokenPromise(
                    "P7", f"{asked.who} sends a {asked.what} after {first.who}'s without a look in between"
                )
        earlier.append(number)


_NO_MONEY_MOVED = ("not_sent", "payment_failed", "not_carried_out", "refused_by_shop")


def _never_guessed(evidence: Evidence) -> None:
    """What is written about money is what Bootpay did, as far as one could know."""
    intents = {
        str(_data(event)["cancel_id"])
        for history in evidence.histories.values()
        for event in history
        if event["what"] == "cancel_intended"
    } | {
        str(_data(delivery)["cancel_id"]) for delivery in evidence.deliveries if delivery["type"] == "money_back"
    }  # fmt: skip
    for asked in evidence.asked:
        if asked.what == "cancel" and asked.cancel_id not in intents:
            raise BrokenPromise("P7", f"{asked.who} sends money back without having written it down")
    for order_id, history in evidence.histories.items():
        for event in history:
            if event["what"] not in ("expired", "approval_refused"):
                continue
            written = evidence.written_after.get((order_id, cast("int", event["version"])), 0)
            before = evidence.asked[:written]
            if event["what"] == "expired" and not any(
                asked.what == "look_up_order" and asked.receipt_id == order_id and asked.outcome == "answered"
                for asked in before
            ):
                raise BrokenPromise("P7", f"{order_id} expired without asking Bootpay whether it was paid")
            if event["what"] == "approval_refused" and _data(event)["reason"] in _NO_MONEY_MOVED and any(
                asked.what == "confirm"
                and asked.receipt_id == _data(event)["receipt_id"]
                and asked.effect
                and asked.moved_after < written
                and not asked.overdue
                for asked in before
            ):  # fmt: skip
                raise BrokenPromise(
                    "P7", f"{order_id}: an approval counts as refused, but the money was taken"
                )


def _kept_before_acknowledged(evidence: Evidence) -> None:
    kept = {
        (str(notice["receipt_id"]), str(notice["kind"]), str(notice["cancelled"]))
        for notice in evidence.notices
    }
    for heard in evidence.acknowledged:
        if heard not in kept:
            raise BrokenPromise("P8", f"a webhook ({heard[1]}) was acknowledged but is not in the inbox")


def _never_more_back_than_asked(evidence: Evidence) -> None:
    carried_out: Counter[str] = Counter()
    for asked in evidence.asked:
        if asked.what != "cancel" or not asked.effect:
            continue
        carried_out[asked.cancel_id] += 1
        if carried_out[asked.cancel_id] > 1:
            raise BrokenPromise("P9", f"one cancel was carried out {carried_out[asked.cancel_id]} times")
        truth = asked.truth
        assert truth is not None
        want = evidence.wanted.get(asked.cancel_id)
        if want is None:
            continue
        amount = _minor(asked.effect, truth.currency)
        outside = asked.receipt_id in evidence.outside
        wanted = cast("int | None", want["amount"])
        # All of a payment is asked for without naming an amount: a console may have taken its part meanwhile.
        if wanted is not None and (amount > wanted or (amount < wanted and not outside)):
            raise BrokenPromise("P9", f"a cancel of {wanted} took {amount} back")
        left = _minor(truth.price - truth.cancelled_price, truth.currency)
        expected = want["expected_remaining"]
        if expected is not None and expected != left and not outside and not asked.overdue:
            raise BrokenPromise("P9", f"a cancel expected {expected} to remain, but {left} did")
    for order in evidence.orders:
        cancelled = 0
        for event in evidence.histories[str(order["order_id"])]:
            if event["what"] in ("partially_cancelled", "cancelled"):
                cancelled = cast("int", _data(event)["cancelled"])
            left = cast("int", order["price"]) - cancelled
            if event["what"] == "cancel_intended" and cast("int", _data(event)["amount"]) > left:
                raise BrokenPromise(
                    "P9", f"{order['order_id']}: more is to go back than the {left} that are left"
                )
    for receipt_id, truth in evidence.receipts.items():
        if truth.cancelled_price > truth.price:
            raise BrokenPromise("P9", f"{truth.cancelled_price} of {truth.price} went back ({receipt_id})")


def _history_tells_the_state(evidence: Evidence) -> None:
    for order in evidence.orders:
        order_id = str(order["order_id"])
        history = evidence.histories[order_id]
        versions = [event["version"] for event in history]
        if versions != list(range(1, len(history) + 1)) or order["version"] != len(history):
            raise BrokenPromise(
                "P10", f"{order_id} is at version {order['version']}, its history has {versions}"
            )
        try:
            told = read_history(history)
        except ValueError as error:
            raise BrokenPromise("P10", f"{order_id}: {error}") from None
        payment = _payment(order)
        requests = cast("Sequence[Json]", payment["requests"])
        questions = cast("Sequence[Json]", payment["questions"])
        stored = {
            "state": payment["state"],
            "receipt_id": payment["receipt_id"],
            "cancelled": payment["cancelled"],
            "cancelled_tax_free": payment["cancelled_tax_free"],
            "others": _fates(order),
            "requests": {str(request["key"]): str(request["outcome"]) for request in requests},
            "questions": [(asked["reason"], asked["receipt_id"]) for asked in questions],
        }
        if told != stored:
            wrong = [
                f"{name} is {stored[name]}, not {told[name]}" for name in told if told[name] != stored[name]
            ]
            raise BrokenPromise("P10", f"{order_id}: by its history, {'; '.join(wrong)}")


def _told_the_truth(evidence: Evidence) -> None:
    """Whoever was told that a receipt pays or that a cancel was carried out, was told the truth."""
    payings = {receipt_id for history in evidence.histories.values() for receipt_id in _payings(history)}
    carried_out = {asked.cancel_id for asked in evidence.asked if asked.what == "cancel" and asked.effect}
    touched = {truth.order_id for id_, truth in evidence.receipts.items() if id_ in evidence.outside}
    for kind, subject, answer in evidence.answers:
        if kind == "verify" and answer == "paid" and subject not in payings:
            raise BrokenPromise("P1", f"a buyer was told that {subject} pays, which it does not")
        if kind == "cancel" and subject in evidence.wanted:
            if evidence.wanted[subject]["order_id"] in touched:
                continue  # Two cancels of one amount cannot be told apart by their sum.
            if answer == "done" and subject not in carried_out:
                raise BrokenPromise("P9", "the shop was told of a cancel that was not carried out")
            if answer == "cancel_refused" and subject in carried_out:
                raise BrokenPromise(
                    "P9", "the shop was told that a cancel was refused, but it was carried out"
                )


def _nothing_secret(evidence: Evidence) -> None:
    if not evidence.secrets:
        return
    places = {
        "an order": evidence.orders,
        "a history": list(evidence.histories.values()),
        "an outbox": evidence.deliveries,
        "the shop's mail": evidence.received,
        "an error": evidence.errors,
        "an answer": evidence.answers,
    }
    for place, values in places.items():
        text = repr(values)
        for secret in evidence.secrets:
            if secret in text:
                raise BrokenPromise("P11", f"planted data was found in {place}")


def _delivered(evidence: Evidence) -> None:
    received: dict[str, list[Json]] = {}
    newest: dict[str, int] = {}
    for one in evidence.received:
        known = received.setdefault(str(one["id"]), [])
        if known and known[0]["data"] != one["data"]:
            raise BrokenPromise("P4", f"{one['id']} was delivered with two contents")
        known.append(one)
        data = cast("Json", one["data"])
        order_id, version = str(data["order_id"]), cast("int", data["version"])
        if len(known) == 1:
            if version < newest.get(order_id, 0):
                raise BrokenPromise("P4", f"{one['id']} came after what followed it")
            newest[order_id] = version
    for delivery in evidence.deliveries:
        if delivery["state"] == "due":
            raise BrokenPromise("P4", f"{delivery['id']} is still due")
        if delivery["lane"] == "notice" and delivery["state"] == "settled" and delivery["id"] not in received:
            raise BrokenPromise("P4", f"{delivery['id']} counts as delivered, but the shop never got it")
    stored = {str(delivery["id"]) for delivery in evidence.deliveries}
    for delivery_id in received:
        if delivery_id not in stored:
            raise BrokenPromise("P4", f"the shop got {delivery_id}, which nobody owed")
    for order in evidence.orders:
        order_id = str(order["order_id"])
        ids = {
            id_ for id_, ones in received.items()
            if ones[0]["type"] == "order.paid" and cast("Json", ones[0]["data"])["order_id"] == order_id
        }  # fmt: skip
        given_up = any(
            delivery["state"] == "dead"
            and delivery["type"] == "order.paid"
            and delivery["order_id"] == order_id
            for delivery in evidence.deliveries
        )
        paid = bool(_payings(evidence.histories[order_id]))
        if len(ids) != (1 if paid else 0) and not (given_up and not ids):
            raise BrokenPromise("P4", f"{order_id}: paid {paid}, told under {len(ids)} ids")


def _nothing_left_unfinished(evidence: Evidence) -> None:
    for order in evidence.orders:
        if _payment(order)["state"] in ("confirming", "cancelling"):
            raise BrokenPromise("P7", f"{order['order_id']} is still {_payment(order)['state']}")
    for notice in evidence.notices:
        if notice["due_at"] is not None:
            raise BrokenPromise("P8", f"a webhook of {notice['receipt_id']} is still not looked into")


def _all_money_accounted_for(evidence: Evidence) -> None:
    orders = {str(order["order_id"]): order for order in evidence.orders}
    told = {receipt_id for receipt_id, kind, _ in evidence.acknowledged if kind == "PAYMENT_COMPLETED"}
    given_up = {
        str(_data(delivery)["receipt_id"])
        for delivery in evidence.deliveries
        if delivery["type"] == "money_back" and delivery["state"] == "dead"
    }
    for receipt_id, truth in evidence.receipts.items():
        order = orders.get(truth.order_id)
        holds = truth.status == 1 and truth.price > truth.cancelled_price
        if order is None or truth.sandbox != evidence.sandbox:
            continue
        payment, fate = _payment(order), _fates(order).get(receipt_id)
        history = evidence.histories[truth.order_id]
        pays = receipt_id in _payings(history)
        if holds and not pays:
            if fate == "held" or receipt_id in given_up:
                if not _a_person_knows(payment, history, receipt_id):
                    raise BrokenPromise("P6", f"{receipt_id} holds money that no person is asked about")
                continue
            if (
                fate in (None, "refused", "set_aside")
                and not evidence.sighted
                and receipt_id in evidence.untold
                and receipt_id not in told
            ):
                continue  # Nobody ever told the shop, and there is no list to find it in.
            where = "P8" if receipt_id in told else "P6"
            raise BrokenPromise(
                where, f"{receipt_id} holds money of {truth.order_id} that nobody accounts for ({fate})"
            )
        ours = sum(a.effect for a in evidence.asked if a.what == "cancel" and a.receipt_id == receipt_id)
        by_the_machine = any(
            a.effect for a in evidence.asked
            if a.what == "cancel" and a.receipt_id == receipt_id and a.cancel_id not in evidence.wanted
        )  # fmt: skip
        if pays and by_the_machine:
            raise BrokenPromise(
                "P6", f"the payment of {truth.order_id} was sent back though nobody asked for it"
            )
        if not pays and ours and fate not in ("returned", "owed_back"):
            raise BrokenPromise("P6", f"{receipt_id} was sent back, but it is on file as {fate}")
        if fate == "owed_back" and receipt_id not in given_up:
            raise BrokenPromise("P6", f"{receipt_id} is owed back for ever")


def _a_person_knows(payment: Json, history: Sequence[Json], receipt_id: str) -> bool:
    """Whether somebody is asked about held money now, or has said that nothing is to be done about it."""
    questions = cast("Sequence[Json]", payment["questions"])
    others = cast("Sequence[Json]", payment["others"])
    waits_its_turn = any(
        other["receipt_id"] == receipt_id and other["reason"] == "awaiting_decision" for other in others
    )
    asked = any(question["receipt_id"] == receipt_id for question in questions)
    return asked or (bool(questions) and waits_its_turn) or _last_word(history, receipt_id) == "dismiss"


def _last_word(history: Iterable[Json], receipt_id: str) -> str:
    """What a person last said about a receipt; empty where the question has been asked anew since."""
    word = ""
    for event in history:
        if _data(event).get("receipt_id") == receipt_id:
            if event["what"] == "resolved":
                word = str(_data(event)["resolution"])
            elif event["what"] in ("receipt_refused", "account_issued", "attention"):
                word = ""
    return word


def _people_are_obeyed(evidence: Evidence) -> None:
    """What a person has decided about held money is what happens to it, and nothing else does."""
    given_up = {
        str(_data(delivery)["receipt_id"])
        for delivery in evidence.deliveries
        if delivery["type"] == "money_back" and delivery["state"] == "dead"
    }
    sent_back = {
        asked.receipt_id
        for asked in evidence.asked
        if asked.what == "cancel" and asked.effect and asked.cancel_id not in evidence.wanted
    }
    for order in evidence.orders:
        history = evidence.histories[str(order["order_id"])]
        about = {str(_data(event).get("receipt_id")) for event in history if event["what"] == "resolved"}
        for receipt_id in about & set(evidence.receipts):
            truth, word = evidence.receipts[receipt_id], _last_word(history, receipt_id)
            left = truth.status == 1 and truth.price > truth.cancelled_price
            if word == "return" and left and receipt_id not in given_up:
                raise BrokenPromise("P6", f"{receipt_id} was to go back by a person's word, and did not")
            if word == "accept" and _payment(order)["receipt_id"] != receipt_id:
                raise BrokenPromise("P6", f"{receipt_id} was to pay by a person's word, and does not")
            if word in ("dismiss", "accept") and receipt_id in sent_back:
                raise BrokenPromise("P6", f"{receipt_id} was sent back against a person's word ({word})")


def _cancelled_as_bootpay_says(evidence: Evidence) -> None:
    for order in evidence.orders:
        payment = _payment(order)
        if payment["state"] not in ("paid", "cancelled"):
            continue
        receipt_id = str(payment["receipt_id"])
        truth = evidence.receipts[receipt_id]
        back = _minor(truth.cancelled_price, truth.currency)
        if payment["cancelled"] != back and (evidence.sighted or receipt_id not in evidence.outside):
            raise BrokenPromise(
                "P9", f"{order['order_id']}: {payment['cancelled']} on file as cancelled, {back} at Bootpay"
            )
