"""What may be made of a look: no more than it showed, and nothing while the payment gateway is still at work.

Rule 1: a receipt at work has neither failed nor gone back, and no order runs out over it before a day is over.
Rule 2: what is not there yet has not failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from dojang.testing.simulation.evidence import BrokenPromise, Evidence, Json, Seen
from dojang.testing.simulation.reading import data_of, last_seen

__all__ = ["check_doubted"]

# 4 by the second generation, 3 and -30 by the first; 99 stands for whatever nobody has documented.
_AT_WORK = frozenset({4, 3, -30, 99})
_NOT_YET = _AT_WORK | {0}
_A_DAY_S = 86_400.0


def check_doubted(evidence: Evidence) -> None:
    """What must hold at every moment.

    Raises:
        BrokenPromise: The first promise found broken.
    """
    for order in evidence.orders:
        order_id = str(order["order_id"])
        for event in evidence.histories[order_id]:
            if event["what"] == "expired":
                _nobody_was_at_work(evidence, order, event)
            elif _concludes(event):
                seen = _shown_to_the_writer(evidence, order_id, event)
                if seen is not None and seen.status in _AT_WORK:
                    raise BrokenPromise(
                        "P7", f"{order_id}: {event['what']} though Bootpay is at work on {seen.receipt_id}"
                    )
    _nothing_failed_that_may_come(evidence)


def _concludes(event: Json) -> bool:
    """Whether a step says that money is not there, or no longer."""
    data = data_of(event)
    if str(event["who"]).startswith("person:"):
        return False
    match event["what"]:
        case "approval_refused":
            return data["reason"] in ("payment_failed", "not_carried_out")
        case "attention" | "receipt_refused":
            return data["reason"] == "payment_reverted"
        case "money_returned":
            return data.get("origin") == "outside"
        case _:
            return False


def _shown_to_the_writer(evidence: Evidence, order_id: str, event: Json) -> Seen | None:
    """What whoever wrote a step had last been shown of its receipt."""
    written = evidence.written[order_id, cast("int", event["version"])]
    return last_seen(evidence.asked[: written.after], written.who, str(data_of(event)["receipt_id"]))


def _nobody_was_at_work(evidence: Evidence, order: Json, event: Json) -> None:
    late_s = datetime.fromisoformat(str(event["at"])).timestamp() - cast("float", order["expires_at"])
    for seen in _listed(evidence, str(order["order_id"]), cast("int", event["version"])):
        if seen.status in _AT_WORK and late_s < _A_DAY_S:
            raise BrokenPromise(
                "P7",
                f"{order['order_id']} expired {late_s:.0f} s after its terms, though Bootpay was at work on "
                f"{seen.receipt_id}",
            )


def _listed(evidence: Evidence, order_id: str, version: int) -> Iterator[Seen]:
    """The receipts on the list that whoever wrote a step had last seen."""
    written = evidence.written[order_id, version]
    for asked in reversed(evidence.asked[: written.after]):
        if (asked.who, asked.what, asked.receipt_id) == (written.who, "look_up_order", order_id):
            yield from asked.seen
            return


def _nothing_failed_that_may_come(evidence: Evidence) -> None:
    for answer in evidence.answers:
        if answer.kind != "verify" or answer.word != "payment_failed":
            continue
        seen = last_seen(evidence.asked, answer.who, answer.receipt_id)
        if seen is not None and seen.status in _NOT_YET:
            raise BrokenPromise(
                "P7", f"a buyer was told that {answer.receipt_id} failed, which is at work or to come"
            )
