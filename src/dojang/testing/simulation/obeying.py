"""What others have decided: the shop's choices, the shop's word before an approval, a person's word, leases and claims.

Rule 1: what the shop wants done with late or mismatching money is known here as plain words, and is what is done.
Rule 2: whoever has claimed something has it alone, and does nothing with it that lasts longer than the claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from dojang.testing.simulation.evidence import BrokenPromise, Evidence, Held, Json, Truth
from dojang.testing.simulation.reading import (
    data_of,
    given_up,
    last_word,
    minor,
    misfit,
    payings,
    payment_of,
)

__all__ = ["check_obeyed", "check_people_obeyed"]

_SLACK_S = 0.001
_CLOCKS_AHEAD_S = 5.0
_CLOCKS_APART_S = 2 * _CLOCKS_AHEAD_S


def check_obeyed(evidence: Evidence) -> None:
    """What must hold at every moment.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    _the_shops_no_is_heard(evidence)
    _late_money_as_the_shop_wants(evidence)
    _surplus_as_the_shop_wants(evidence)
    _one_holder_at_a_time(evidence)
    _calls_end_within_their_lease(evidence)
    _handed_over_within_the_claim(evidence)


def _the_shops_no_is_heard(evidence: Evidence) -> None:
    for number, asked in enumerate(evidence.asked):
        if not evidence.asks_shop or asked.what != "confirm" or asked.outcome == "not_sent":
            continue
        words = [
            word for word in evidence.hook if word.receipt_id == asked.receipt_id and word.after <= number
        ]
        own = [word for word in words if word.who == asked.who]
        if not (own[-1].yes if own else any(word.yes for word in words)):
            raise BrokenPromise("P5", f"{asked.who} approves {asked.receipt_id} without the shop's yes")


def _late(order: Json, truth: Truth) -> bool:
    """Whether a receipt was paid after its order's terms; the wire knows no finer unit than the second."""
    expires_at = cast("float | None", order["expires_at"])
    paid_at = truth.purchased_at
    return expires_at is not None and paid_at is not None and int(paid_at) > expires_at


def _late_money_as_the_shop_wants(evidence: Evidence) -> None:
    for order in evidence.orders:
        order_id = str(order["order_id"])
        expired, agreed = False, set()
        for event in evidence.histories[order_id]:
            receipt_id = str(data_of(event).get("receipt_id"))
            if event["what"] == "expired":
                expired = True
            elif event["what"] == "approval_intended":
                # Agreed to in time; how long Bootpay took for it is not the buyer's fault.
                agreed.add(receipt_id)
            elif event["what"] == "paid" and receipt_id not in agreed and receipt_id not in evidence.outside:
                late = expired or _late(order, evidence.receipts[receipt_id])
                if late and evidence.late_payment != "accept":
                    raise BrokenPromise(
                        "P6", f"{receipt_id} came too late and pays, though the shop wants to "
                        f"{evidence.late_payment} such money",
                    )  # fmt: skip


def _surplus_as_the_shop_wants(evidence: Evidence) -> None:
    for order in evidence.orders:
        history = evidence.histories[str(order["order_id"])]
        for number, event in enumerate(history):
            data = data_of(event)
            if event["what"] != "surplus_found" or str(event["who"]).startswith("person:"):
                continue
            receipt_id, reason, fate = str(data["receipt_id"]), str(data["reason"]), str(data["fate"])
            truth = evidence.receipts[receipt_id]
            noted = (data["price"], data["currency"])
            if noted != (minor(truth.price, truth.currency), truth.currency):
                raise BrokenPromise("P6", f"{receipt_id} is on file as {noted}")
            if not _justified(evidence, order, history[:number], truth, reason):
                raise BrokenPromise("P6", f"{receipt_id} is turned away for {reason}, which is not so")
            hold = (
                reason == "awaiting_decision"
                or truth.method == "vbank"
                or (evidence.late_payment if reason == "order_expired" else evidence.on_mismatch) == "hold"
            )
            if fate != ("held" if hold else "owed_back"):
                raise BrokenPromise("P6", f"{receipt_id} ({reason}, {truth.method}) is {fate}")


def _justified(evidence: Evidence, order: Json, history: Sequence[Json], truth: Truth, reason: str) -> bool:
    """Whether money is turned away for something that is so."""
    match reason:
        case "amount_mismatch" | "currency_mismatch" | "tax_free_mismatch":
            return bool(misfit(order, truth, sandbox=evidence.sandbox))
        case "already_cancelled":
            return truth.cancelled_price > 0
        case "order_already_paid":
            return bool(payings(history))
        case "order_expired":
            ran_out = any(event["what"] == "expired" for event in history)
            return evidence.late_payment != "accept" and (
                ran_out or truth.purchased_at is None or _late(order, truth)
            )
        case _:
            return True


def _one_holder_at_a_time(evidence: Evidence) -> None:
    holders: dict[tuple[str, str], Held] = {}
    latest: dict[tuple[str, str], tuple[int, ...]] = {}
    for held in evidence.held:
        thing = (held.what, held.id)
        before = holders.get(thing)
        if held.came:
            latest[thing] = held.token
            continue
        if not held.claimed:
            # What came after a claim, another claim or the same notice again, is more than its holder knows.
            if held.wrote and held.token and latest.get(thing) != held.token:
                raise BrokenPromise("P7", f"{held.who} settles {held.id}, of which others know more by now")
            if held.wrote:
                holders.pop(thing, None)
            continue
        latest[thing] = held.token
        if before is not None and held.now < before.until - _SLACK_S:
            raise BrokenPromise("P7", f"{held.who} claims {held.id}, which {before.who} still has")
        holders[thing] = held


def _calls_end_within_their_lease(evidence: Evidence) -> None:
    claims: dict[tuple[str, str], float] = {}
    for held in evidence.held:
        if held.claimed and held.what == "delivery":
            claims[held.who, held.id] = max(held.until, claims.get((held.who, held.id), 0.0))
    for number, asked in enumerate(evidence.asked):
        if asked.what not in ("confirm", "cancel") or asked.outcome == "not_sent" or asked.truth is None:
            continue
        order_id = asked.truth.order_id
        if asked.what == "cancel" and asked.who not in evidence.wanted:
            ends = [claims.get((asked.who, f"{order_id}:{asked.receipt_id}:money_back"), 0.0)]
        else:
            ends = [
                datetime.fromisoformat(str(data_of(event)["lease_until"])).timestamp()
                for event in evidence.histories.get(order_id, ())
                if event["what"] in ("approval_intended", "cancel_intended")
                and evidence.written[order_id, cast("int", event["version"])].after <= number
            ]
        # Somebody whose clock is ahead takes the lease for over before it is.
        if asked.until + _CLOCKS_AHEAD_S > max(ends, default=0.0) + _SLACK_S:
            raise BrokenPromise("P7", f"{asked.who}'s {asked.what} may last longer than it is leased for")


def _handed_over_within_the_claim(evidence: Evidence) -> None:
    """Nobody is still handing over what another worker, whose clock is ahead, has taken over.

    How long a worker stood still between its claim and its attempt is not counted: no rule holds a notice back then,
    and the shop knows it by its id.
    """
    shortest_s: dict[str, float] = {}
    for held in evidence.held:
        if held.claimed and held.what == "delivery":
            lasts_s = held.until - held.now
            shortest_s[held.who] = min(lasts_s, shortest_s.get(held.who, lasts_s))
    for one in evidence.handed_out:
        if one.within_s + _CLOCKS_APART_S > shortest_s.get(one.who, 0.0):
            raise BrokenPromise(
                "P7", f"{one.who} may hand {one.delivery_id} over for longer than it has claimed it"
            )


def check_people_obeyed(evidence: Evidence) -> None:
    """What a person has decided about held money is what happens to it, and nothing else does.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    hopeless = given_up(evidence)
    sent_back = {
        asked.receipt_id
        for asked in evidence.asked
        if asked.what == "cancel" and asked.effect and asked.who not in evidence.wanted
    }
    for order in evidence.orders:
        history = evidence.histories[str(order["order_id"])]
        about = {str(data_of(event).get("receipt_id")) for event in history if event["what"] == "resolved"}
        for receipt_id in about & set(evidence.receipts):
            truth, word = evidence.receipts[receipt_id], last_word(history, receipt_id)
            left = truth.status == 1 and truth.price > truth.cancelled_price
            if word == "return" and left and receipt_id not in hopeless:
                raise BrokenPromise("P6", f"{receipt_id} was to go back by a person's word, and did not")
            if word == "accept" and payment_of(order)["receipt_id"] != receipt_id:
                raise BrokenPromise("P6", f"{receipt_id} was to pay by a person's word, and does not")
            if word in ("dismiss", "accept") and receipt_id in sent_back:
                raise BrokenPromise("P6", f"{receipt_id} was sent back against a person's word ({word})")
