"""One thing the shop is owed: its id, when it is due, when we give up.

Rule 1: an id is made from the order and the version that owes it, so a repeat is recognisably the same.
Rule 2: what is owed is written in the transaction that decides it, never later.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from dojang.core.order import OrderId, ReceiptId
from dojang.core.values import Value, field

__all__ = ["ATTEMPTS_MAX", "Delivery", "DeliveryState", "Lane", "delivery_id", "due_again", "order_of"]

# The schedule the Standard Webhooks specification recommends: at once, then after each of these.
_SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)

ATTEMPTS_MAX = len(_SCHEDULE) + 1
"""How often something owed is tried before a person must look."""


class Lane(StrEnum):
    """What is owed to whom: a shop that does not answer never delays money that must go back.

    Notices of an order go one after the other. Money back waits for nothing: each receipt has one delivery, ever, whose
    claim is all that is needed, and a refund that Bootpay keeps refusing must not hold up another receipt's.
    """

    NOTICE = "notice"
    MONEY_BACK = "money_back"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    DUE = "due"
    SETTLED = "settled"
    DEAD = "dead"


class Delivery(Value):
    """One thing owed.

    Attributes:
        id: The same at every attempt; the receiver's key against doing it twice.
        order_id: Whose.
        seq: The order's version that owes it; of an order's notices the lower goes first.
        lane: A notice, or money back.
        type: `order.paid` and its like, or `money_back`.
        data: What is told, or which receipt's money goes back.
        created_at: When it came to be owed.
        due_at: When it is next tried.
        attempts: How often it has been claimed; also the fencing token of a claim.
        state: Where it stands.
        last_error: What the last attempt ended in, for people.
        settled_at: When it was done.
    """

    id: str
    order_id: OrderId
    seq: int
    lane: Lane
    type: str
    data: Mapping[str, object] = field(default_factory=dict)
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    state: DeliveryState = DeliveryState.DUE
    last_error: str = ""
    settled_at: datetime | None = None


def delivery_id(order_id: OrderId, cause: int | ReceiptId, kind: str) -> str:
    """The id of what an order's version owes, or of what is owed or asked because of a receipt.

    A signature covers the id, a dot, the time, a dot and the body. An id with dots of its own could be read as another
    id with another time, and an order's id, which may hold them, is the shop's or even the buyer's to choose. An `@`
    stands for each of its dots: no order's id has one, so that the ids of two orders are never the same.
    """
    return f"{order_id.replace('.', '@')}:{cause}:{kind.replace('.', '_')}"


def order_of(delivery_id: str) -> str:
    """The id of the order whose delivery this is; of a text that is no delivery's id, nothing in particular."""
    return delivery_id.rsplit(":", 2)[0].replace("@", ".")


def due_again(attempts: int, now: datetime, spread: float = 0.0, wait_s: float = 0.0) -> datetime | None:
    """When something that has failed `attempts` times is tried again; None when it is given up.

    Args:
        attempts: Attempts made so far, at least 1.
        now: The moment of the failure.
        spread: A random number in [0, 1): up to a fifth is added, so that many failures do not come back at once.
        wait_s: For how long the receiver wants to be left alone. That can put the next attempt off, by the longest gap
            of the schedule at most: nobody holds up for ever what an order is owed next. It can never hasten it.
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    wanted = timedelta(seconds=min(wait_s, _SCHEDULE[-1].total_seconds()))
    return now + max(_SCHEDULE[attempts - 1], wanted) * (1 + 0.2 * spread)
