"""Whose cancel it was: the shop's, or somebody's in a console; and what is told of it.

Rule 1: a cancel counts as the shop's only where the shop wanted that much, and as somebody else's only where somebody
else had sent something back.
Rule 2: where more has gone back than a cancel in doubt, no sum can tell whether it is among it: a person is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

from dojang.testing.simulation.evidence import Answered, Asked, BrokenPromise, Evidence, Json
from dojang.testing.simulation.reading import data_of, minor, purpose_of

__all__ = ["check_attributed"]


def check_attributed(evidence: Evidence) -> None:
    """What must hold at every moment.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    for order in evidence.orders:
        _told_as_whose_it_was(evidence, order)
        _a_person_is_asked(evidence, order)
    for answer in evidence.answers:
        if answer.kind == "cancel":
            _answered_truly(evidence, answer)


def _told_as_whose_it_was(evidence: Evidence, order: Json) -> None:
    order_id, currency = str(order["order_id"]), str(order["currency"])
    wanted, counted = set[tuple[str, int]](), Counter[int]()
    under_way = ""
    for event in evidence.histories[order_id]:
        data = data_of(event)
        if event["what"] == "cancel_intended":
            under_way = str(data["cancel_id"])
            wanted.add((under_way, cast("int", data["amount"])))
        if event["what"] not in ("partially_cancelled", "cancelled"):
            continue
        receipt_id, amount = str(data["receipt_id"]), cast("int", data["amount"])
        ours, others = _ours(evidence, receipt_id), _others(evidence, receipt_id, currency)
        if data["origin"] == "shop":
            if event["what"] == "partially_cancelled" and _refused_alone(evidence, order, event, under_way):
                raise BrokenPromise(
                    "P9", f"{order_id}: {amount} went back by the shop's hand, but Bootpay had refused that"
                )
            counted[amount] += 1
            asked_for = Counter(much for _, much in wanted) if others else _amounts(ours, currency)
            rest = event["what"] == "cancelled" and _wholes(evidence, receipt_id, wanted, order)
            if counted[amount] > asked_for[amount] and not rest:
                raise BrokenPromise(
                    "P9", f"{order_id}: {amount} went back by somebody else's hand, not the shop's"
                )
            continue
        if amount not in _sums(others, _amounts(ours, currency).elements()):
            raise BrokenPromise(
                "P9", f"{order_id}: {amount} went back by the shop's hand, not somebody else's"
            )


def _refused_alone(evidence: Evidence, order: Json, event: Json, cancel_id: str) -> bool:
    """Whether whoever wrote the event had just heard no of the only attempts there were; a part, so not all is back."""
    written = evidence.written[str(order["order_id"]), cast("int", event["version"])]
    attempts = [
        asked
        for asked in evidence.asked[: written.after]
        if asked.what == "cancel" and asked.cancel_id == cancel_id
    ]  # fmt: skip
    refused = bool(attempts) and (attempts[-1].who, attempts[-1].outcome) == (written.who, "refused")
    return refused and all(asked.outcome in ("refused", "not_sent") for asked in attempts)


def _ours(evidence: Evidence, receipt_id: str) -> list[Asked]:
    """The shop's cancels of a receipt that had their effect."""
    return [
        asked
        for asked in evidence.asked
        if asked.what == "cancel" and asked.receipt_id == receipt_id and asked.effect and asked.who in evidence.wanted
    ]  # fmt: skip


def _wholes(evidence: Evidence, receipt_id: str, wanted: set[tuple[str, int]], order: Json) -> bool:
    """Whether a whole cancel left for Bootpay and may come yet: it takes what a console leaves."""
    return any(
        asked.what == "cancel"
        and asked.receipt_id == receipt_id
        and (asked.cancel_id, order["price"]) in wanted
        and asked.outcome not in ("refused", "not_sent")
        for asked in evidence.asked
    )


def _amounts(asked: Sequence[Asked], currency: str) -> Counter[int]:
    return Counter(minor(one.effect, currency) for one in asked)


def _others(evidence: Evidence, receipt_id: str, currency: str) -> list[int]:
    """What was sent back of a receipt in consoles."""
    return [minor(one.amount, currency) for one in evidence.consoles if one.receipt_id == receipt_id]


def _sums(some: Iterable[int], any_of: Iterable[int]) -> set[int]:
    """Every sum of one or more of `some` and any of the rest."""
    rest = {0}
    for amount in any_of:
        rest |= {amount + one for one in rest}
    sums = set[int]()
    for amount in some:
        sums |= {amount + one for one in sums | rest}
    return sums


def _a_person_is_asked(evidence: Evidence, order: Json) -> None:
    history = evidence.histories[str(order["order_id"])]
    in_doubt: int | None = None
    for event, following in zip(history, (*history[1:], None), strict=True):
        data = data_of(event)
        if event["what"] == "cancel_intended":
            in_doubt = cast("int", data["amount"])
        elif event["what"] in ("cancel_refused", "partially_cancelled", "cancelled", "attention"):
            more = in_doubt is not None and cast("int", data.get("amount", 0)) > in_doubt
            called = following is not None and following["what"] == "attention"
            if event["what"] == "partially_cancelled" and more and not called:
                raise BrokenPromise(
                    "P7",
                    f"{order['order_id']}: more went back than was in doubt, and no person is asked whose it was",
                )
            in_doubt = None


def _answered_truly(evidence: Evidence, answer: Answered) -> None:
    want = evidence.wanted[answer.who]
    purpose = ("cancel", str(want["order_id"]), str(want["key"]))
    done = [
        asked
        for asked in evidence.asked
        if asked.what == "cancel" and asked.effect and asked.who in evidence.wanted
        and purpose_of(evidence, asked) == purpose
    ]  # fmt: skip
    currency = next(
        str(order["currency"]) for order in evidence.orders if order["order_id"] == answer.order_id
    )
    others = sum(
        minor(one.amount, currency)
        for one in evidence.consoles
        if evidence.receipts[one.receipt_id].order_id == answer.order_id
    )
    amount = cast("int | None", want["amount"])
    if answer.word == "done" and not done and not _as_much_by_others(evidence, answer, amount, others):
        raise BrokenPromise("P9", "the shop was told of a cancel that was not carried out")
    if answer.word == "done" and done and evidence.wanted[done[0].who]["amount"] != amount:
        raise BrokenPromise("P9", "the shop was told that one cancel was done, but another one was")
    looks = [
        number
        for number, asked in enumerate(evidence.asked[: answer.after])
        if asked.who == answer.who and asked.seen
    ]
    # Whoever has not looked repeats what was told before, when it was true.
    before = [asked for asked in done if looks and asked.moved_after <= looks[-1]]
    mine = any(asked.who == answer.who and asked.outcome == "answered" for asked in before)
    if answer.word in ("cancel_refused", "remaining_mismatch") and before and (mine or not others):
        raise BrokenPromise("P9", f"the shop was told {answer.word} of a cancel that was carried out")


def _as_much_by_others(evidence: Evidence, answer: Answered, amount: int | None, others: int) -> bool:
    """Whether as much went back by other hands: two cancels of one amount cannot be told apart by their sum."""
    if others and (amount is None or others >= amount):
        return True
    alike = {
        purpose_of(evidence, asked)
        for asked in evidence.asked
        if asked.what == "cancel" and asked.effect and asked.who in evidence.wanted
        and evidence.wanted[asked.who]["order_id"] == answer.order_id
        and evidence.wanted[asked.who]["amount"] == amount
    }  # fmt: skip
    told = {
        str(evidence.wanted[other.who]["key"])
        for other in evidence.answers
        if other.kind == "cancel" and other.word == "done" and other.order_id == answer.order_id
        and evidence.wanted[other.who]["amount"] == amount
    }  # fmt: skip
    return len(told) <= len(alike)
