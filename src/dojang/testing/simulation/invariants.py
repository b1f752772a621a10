"""The promises P1 to P11, checked on what is left when a simulation is over.

Rule 1: nothing of `dojang.core` or `dojang.usecases` is imported here; only plain values are judged: Bootpay's books,
what was asked of Bootpay, the stored rows, and what the shop received.
Rule 2: every receipt that holds money is accounted for: it pays, it went back, or a person has been called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from dojang.testing.simulation.attributing import check_attributed
from dojang.testing.simulation.doubting import check_doubted
from dojang.testing.simulation.evidence import BrokenPromise, Evidence, Json
from dojang.testing.simulation.obeying import check_obeyed, check_people_obeyed
from dojang.testing.simulation.reading import (
    accepts,
    data_of,
    fates_of,
    given_up,
    last_seen,
    last_word,
    minor,
    misfit,
    payings,
    payment_of,
    purpose_of,
)
from dojang.testing.simulation.second_fold import read_history
from dojang.testing.simulation.telling import check_delivered, check_told

__all__ = ["check", "check_durable"]


def check_durable(evidence: Evidence) -> None:
    """What must hold at every moment, even right after a crash.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    # First of all: the promises that follow are read off the histories.
    _history_tells_the_state(evidence)
    _history_tells_who(evidence)
    _paid_only_on_bootpays_answer(evidence)
    _paid_once(evidence)
    _belongs_to_one_order(evidence)
    _owed_with_the_state(evidence)
    _approved_only_what_fits(evidence)
    _never_blindly_again(evidence)
    _never_guessed(evidence)
    _not_written_off_early(evidence)
    check_doubted(evidence)
    _kept_before_acknowledged(evidence)
    _never_more_back_than_asked(evidence)
    check_attributed(evidence)
    check_told(evidence)
    check_obeyed(evidence)
    _nothing_secret(evidence)


def check(evidence: Evidence) -> None:
    """What must hold when things have calmed down: everything of `check_durable`, and nothing left undone.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    check_durable(evidence)
    _nothing_left_unfinished(evidence)
    _all_money_accounted_for(evidence)
    check_people_obeyed(evidence)
    _what_pays_is_there(evidence)
    _cancelled_as_bootpay_says(evidence)
    check_delivered(evidence)


def _paid_only_on_bootpays_answer(evidence: Evidence) -> None:
    """Whoever writes that a receipt pays was shown so by Bootpay at the last look; a person's word changes nothing."""
    for order in evidence.orders:
        order_id = str(order["order_id"])
        for event in evidence.histories[order_id]:
            if event["what"] != "paid" and not accepts(event):
                continue
            receipt_id = str(data_of(event)["receipt_id"])
            truth = evidence.receipts.get(receipt_id)
            if truth is None:
                raise BrokenPromise("P1", f"{order_id} is paid by a receipt nobody knows")
            wrong = misfit(order, truth, sandbox=evidence.sandbox)
            if wrong:
                raise BrokenPromise("P1", f"{order_id} is paid by a receipt {wrong}")
            written = evidence.written[order_id, cast("int", event["version"])]
            seen = last_seen(evidence.asked[: written.after], written.who, receipt_id)
            if seen is None or (seen.status, seen.cancelled, seen.price) != (1, 0, order["price"]):
                raise BrokenPromise("P1", f"{order_id} is paid, but Bootpay never said so to {written.who}")


def _paid_once(evidence: Evidence) -> None:
    owner: dict[str, str] = {}
    for order in evidence.orders:
        order_id = str(order["order_id"])
        paid_by = payings(evidence.histories[order_id])
        if len(paid_by) > 1:
            raise BrokenPromise("P2", f"{order_id} was paid {len(paid_by)} times")
        for receipt_id in paid_by:
            if owner.setdefault(receipt_id, order_id) != order_id:
                raise BrokenPromise("P2", f"one receipt pays for {owner[receipt_id]} and for {order_id}")


_MAKES_ITS_OWN = ("paid", "account_issued", "approval_intended", "surplus_found")


def _belongs_to_one_order(evidence: Evidence) -> None:
    """Whatever receipt an order has dealt with belongs to it for ever: no other can ever count it."""
    for order_id, history in evidence.histories.items():
        for event in history:
            if event["what"] in _MAKES_ITS_OWN or accepts(event):
                owner = evidence.claims.get(str(data_of(event)["receipt_id"]))
                if owner != order_id:
                    raise BrokenPromise("P2", f"a receipt that {order_id} counts belongs to {owner}")


def _owed_with_the_state(evidence: Evidence) -> None:
    owed = Counter(
        str(delivery["order_id"]) for delivery in evidence.deliveries if delivery["type"] == "order.paid"
    )
    back = {str(delivery["id"]) for delivery in evidence.deliveries if delivery["type"] == "money_back"}
    for order in evidence.orders:
        order_id = str(order["order_id"])
        paid = bool(payings(evidence.histories[order_id]))
        if owed[order_id] != paid:
            raise BrokenPromise("P3", f"{order_id}: paid {paid}, but {owed[order_id]} notices of it are owed")
        for receipt_id, fate in fates_of(order).items():
            if fate == "owed_back" and f"{order_id}:{receipt_id}:money_back" not in back:
                raise BrokenPromise("P3", f"{order_id}: money is owed back, but not in the outbox")


def _approved_only_what_fits(evidence: Evidence) -> None:
    orders = {str(order["order_id"]): order for order in evidence.orders}
    for asked in evidence.asked:
        if asked.what != "confirm" or asked.truth is None or asked.outcome == "not_sent":
            continue
        order = orders.get(asked.truth.order_id)
        wrong = (
            "of an unknown order" if order is None else misfit(order, asked.truth, sandbox=evidence.sandbox)
        )
        if wrong:
            raise BrokenPromise("P5", f"{asked.who} approves a receipt {wrong}")
        intended = order is not None and any(
            event["what"] == "approval_intended" and data_of(event)["receipt_id"] == asked.receipt_id
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
            same = purpose_of(evidence, first) == purpose_of(evidence, asked)
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
        str(data_of(event)["cancel_id"])
        for history in evidence.histories.values()
        for event in history
        if event["what"] == "cancel_intended"
    } | {
        str(data_of(delivery)["cancel_id"]) for delivery in evidence.deliveries if delivery["type"] == "money_back"
    }  # fmt: skip
    for asked in evidence.asked:
        if asked.what == "cancel" and asked.cancel_id not in intents:
            raise BrokenPromise("P7", f"{asked.who} sends money back without having written it down")
    for order_id, history in evidence.histories.items():
        written_off: dict[object, int] = {}
        for event in history:
            if event["what"] not in ("expired", "approval_refused"):
                continue
            written = evidence.written[order_id, cast("int", event["version"])].after
            before = evidence.asked[:written]
            if event["what"] == "expired" and not any(
                asked.what == "look_up_order" and asked.receipt_id == order_id and asked.outcome == "answered"
                for asked in before
            ):
                raise BrokenPromise("P7", f"{order_id} expired without asking Bootpay whether it was paid")
            if event["what"] == "approval_refused" and data_of(event)["reason"] == "not_sent":
                # It says nothing of an earlier attempt, of which all was said when that was written off.
                before = before[written_off.get(data_of(event)["receipt_id"], 0) :]
            elif event["what"] == "approval_refused" and data_of(event)["reason"] == "not_carried_out":
                written_off[data_of(event)["receipt_id"]] = written
            if event["what"] == "approval_refused" and data_of(event)["reason"] in _NO_MONEY_MOVED and any(
                asked.what == "confirm"
                and asked.receipt_id == data_of(event)["receipt_id"]
                and asked.effect
                and asked.moved_after < written
                and not asked.overdue
                for asked in before
            ):  # fmt: skip
                raise BrokenPromise(
                    "P7", f"{order_id}: an approval counts as refused, but the money was taken"
                )


_WRITTEN_OFF_AFTER_S = 600.0
_CLOCKS_DIFFER_S = 10.0


def _not_written_off_early(evidence: Evidence) -> None:
    """What left without an answer counts as not carried out only when it cannot be on its way any more."""
    for order_id, history in evidence.histories.items():
        intended: datetime | None = None
        about, written_off = "", set[str]()
        for event in history:
            at, data = datetime.fromisoformat(str(event["at"])), data_of(event)
            if event["what"] in ("approval_intended", "cancel_intended"):
                intended = intended or at
                about = str(data.get("cancel_id", data["receipt_id"]))
                continue
            word = data.get("reason") if event["what"] == "approval_refused" else data.get("code")
            if intended is not None and word in ("not_carried_out", "cancelled_outside"):
                waited_s = (at - intended).total_seconds()
                # A repeat that never left says of the first attempt what had been said before.
                again = about in written_off and _never_left(evidence, order_id, event)
                if waited_s < _WRITTEN_OFF_AFTER_S - _CLOCKS_DIFFER_S and not again:
                    raise BrokenPromise("P7", f"{order_id}: {word} after no more than {waited_s:.0f} s")
                written_off.add(about)
            if event["what"] in _ENDS_AN_INTENT:
                intended = None


def _never_left(evidence: Evidence, order_id: str, event: Json) -> bool:
    """Whether the last cancel of whoever wrote a step was never sent."""
    written = evidence.written[order_id, cast("int", event["version"])]
    mine = (asked for asked in reversed(evidence.asked[: written.after]) if asked.who == written.who)
    return next((asked.outcome for asked in mine if asked.what == "cancel"), "") == "not_sent"


_ENDS_AN_INTENT = frozenset(
    {"paid", "approval_refused", "cancel_refused", "partially_cancelled", "cancelled", "attention"}
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
    carried_out: Counter[tuple[str, ...]] = Counter()
    for asked in evidence.asked:
        if asked.what != "cancel" or not asked.effect:
            continue
        purpose = purpose_of(evidence, asked)
        carried_out[purpose] += 1
        if carried_out[purpose] > 1:
            raise BrokenPromise("P9", f"one cancel was carried out {carried_out[purpose]} times")
        truth = asked.truth
        assert truth is not None
        want = evidence.wanted.get(asked.who)
        if want is None:
            continue
        amount = minor(asked.effect, truth.currency)
        outside = asked.receipt_id in evidence.outside
        wanted = cast("int | None", want["amount"])
        # All of a payment is asked for without naming an amount: a console may have taken its part meanwhile.
        if wanted is not None and (amount > wanted or (amount < wanted and not outside)):
            raise BrokenPromise("P9", f"a cancel of {wanted} took {amount} back")
        left = minor(truth.price - truth.cancelled_price, truth.currency)
        expected = want["expected_remaining"]
        if expected is not None and expected != left and not outside and not asked.overdue:
            raise BrokenPromise("P9", f"a cancel expected {expected} to remain, but {left} did")
    for order in evidence.orders:
        cancelled = 0
        for event in evidence.histories[str(order["order_id"])]:
            if event["what"] in ("partially_cancelled", "cancelled"):
                cancelled = cast("int", data_of(event)["cancelled"])
            left = cast("int", order["price"]) - cancelled
            if event["what"] == "cancel_intended" and cast("int", data_of(event)["amount"]) > left:
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
        payment = payment_of(order)
        requests = cast("Sequence[Json]", payment["requests"])
        questions = cast("Sequence[Json]", payment["questions"])
        stored = {
            "state": payment["state"],
            "receipt_id": payment["receipt_id"],
            "cancelled": payment["cancelled"],
            "cancelled_tax_free": payment["cancelled_tax_free"],
            "others": fates_of(order),
            "requests": {str(request["key"]): str(request["outcome"]) for request in requests},
            "questions": [(asked["reason"], asked["receipt_id"]) for asked in questions],
        }
        if told != stored:
            wrong = [
                f"{name} is {stored[name]}, not {told[name]}" for name in told if told[name] != stored[name]
            ]
            raise BrokenPromise("P10", f"{order_id}: by its history, {'; '.join(wrong)}")


_WRITES_AS = {
    "verify": ("buyer",),
    "webhook": ("bootpay",),
    "cancel": ("shop",),
    "deliver": ("dojang",),
    # What a webhook had told of is looked into by whoever comes first.
    "reconcile": ("dojang", "bootpay"),
    "resolve": ("person:kim",),
    "look_again": ("person:kim",),
}


def _history_tells_who(evidence: Evidence) -> None:
    for order_id, history in evidence.histories.items():
        for event in history:
            written = evidence.written.get((order_id, cast("int", event["version"])))
            who = _WRITES_AS.get(written.kind) if written is not None else None
            if who is not None and event["who"] not in who:
                raise BrokenPromise(
                    "P10", f"{order_id}: {event['what']} by {event['who']} was written by {who}"
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


def _nothing_left_unfinished(evidence: Evidence) -> None:
    for order in evidence.orders:
        if payment_of(order)["state"] in ("confirming", "cancelling"):
            raise BrokenPromise("P7", f"{order['order_id']} is still {payment_of(order)['state']}")
    for notice in evidence.notices:
        if notice["due_at"] is not None:
            raise BrokenPromise("P8", f"a webhook of {notice['receipt_id']} is still not looked into")


def _all_money_accounted_for(evidence: Evidence) -> None:
    orders = {str(order["order_id"]): order for order in evidence.orders}
    told = {receipt_id for receipt_id, kind, _ in evidence.acknowledged if kind in ("PAYMENT_COMPLETED", "1")}
    hopeless = given_up(evidence)
    for receipt_id, truth in evidence.receipts.items():
        order = orders.get(truth.order_id)
        holds = truth.status == 1 and truth.price > truth.cancelled_price
        if order is None or truth.sandbox != evidence.sandbox:
            continue
        payment, fate = payment_of(order), fates_of(order).get(receipt_id)
        history = evidence.histories[truth.order_id]
        pays = receipt_id in payings(history)
        if holds and not pays:
            if fate == "held" or receipt_id in hopeless:
                if not _a_person_knows(payment, history, receipt_id):
                    raise BrokenPromise("P6", f"{receipt_id} holds money that no person is asked about")
                continue
            if (
                fate in (None, "refused")
                and not _dealt_with(history, receipt_id)
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
            if a.what == "cancel" and a.receipt_id == receipt_id and a.who not in evidence.wanted
        )  # fmt: skip
        if pays and by_the_machine:
            raise BrokenPromise(
                "P6", f"the payment of {truth.order_id} was sent back though nobody asked for it"
            )
        if not pays and ours and fate not in ("returned", "owed_back"):
            raise BrokenPromise("P6", f"{receipt_id} was sent back, but it is on file as {fate}")
        if fate == "owed_back" and receipt_id not in hopeless:
            raise BrokenPromise("P6", f"{receipt_id} is owed back for ever")


def _dealt_with(history: Sequence[Json], receipt_id: str) -> bool:
    """Whether an order has once counted on a receipt: then it needs neither a webhook nor a list to find it again."""
    return any(
        event["what"] in _MAKES_ITS_OWN and data_of(event)["receipt_id"] == receipt_id for event in history
    )


def _a_person_knows(payment: Json, history: Sequence[Json], receipt_id: str) -> bool:
    """Whether somebody is asked about held money now, or has said that nothing is to be done about it."""
    questions = cast("Sequence[Json]", payment["questions"])
    others = cast("Sequence[Json]", payment["others"])
    waits_its_turn = any(
        other["receipt_id"] == receipt_id and other["reason"] == "awaiting_decision" for other in others
    )
    asked = any(question["receipt_id"] == receipt_id for question in questions)
    return asked or (bool(questions) and waits_its_turn) or last_word(history, receipt_id) == "dismiss"


def _what_pays_is_there(evidence: Evidence) -> None:
    """A paid order's money is with the shop; where the bank took it back, a person has been asked and let it be."""
    for order in evidence.orders:
        payment, history = payment_of(order), evidence.histories[str(order["order_id"])]
        if payment["state"] != "paid":
            continue
        receipt_id = str(payment["receipt_id"])
        truth = evidence.receipts[receipt_id]
        asked = any(
            event["what"] == "attention"
            and data_of(event)["reason"] == "payment_reverted"
            and data_of(event).get("receipt_id") == receipt_id
            for event in history
        )
        let_be = asked and last_word(history, receipt_id) == "dismiss"
        if truth.status != 1 and not (let_be and not _seen_to_stand(evidence, order, receipt_id)):
            raise BrokenPromise(
                "P1",
                f"{order['order_id']} counts as paid, but {receipt_id} holds nothing (status {truth.status})",
            )


def _seen_to_stand(evidence: Evidence, order: Json, receipt_id: str) -> bool:
    """Whether a receipt was seen to be paid again after a person's last word on it, by one who could write it down."""
    history = evidence.histories[str(order["order_id"])]
    said = max(
        evidence.written[str(order["order_id"]), cast("int", event["version"])].after
        for event in history
        if event["what"] == "resolved" and data_of(event).get("receipt_id") == receipt_id
    )
    return any(
        seen.receipt_id == receipt_id and seen.status == 1
        for asked in evidence.asked[said:]
        if asked.who == "calm"
        for seen in asked.seen
    )


def _cancelled_as_bootpay_says(evidence: Evidence) -> None:
    for order in evidence.orders:
        payment = payment_of(order)
        if payment["state"] not in ("paid", "cancelled"):
            continue
        receipt_id = str(payment["receipt_id"])
        truth = evidence.receipts[receipt_id]
        back = minor(truth.cancelled_price, truth.currency)
        if payment["cancelled"] != back and (evidence.sighted or receipt_id not in evidence.outside):
            raise BrokenPromise(
                "P9", f"{order['order_id']}: {payment['cancelled']} on file as cancelled, {back} at Bootpay"
            )
