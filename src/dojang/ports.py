"""All that a use case may want of the world. An adapter keeps each promise; a use case asks for nothing else.

Every port is awaited, and none of them needs an event loop: `dojang.drive` says how one is really called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from dojang.core.decision import Decision
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.pace import Pace
from dojang.core.payment import Event, Record
from dojang.core.receipt import Receipt
from dojang.core.rules import Rules
from dojang.core.values import Value, field

__all__ = [
    "Approval",
    "Approved",
    "Clock",
    "Declined",
    "Fulfilment",
    "Gateway",
    "HandedOver",
    "Notice",
    "OrderFilter",
    "Page",
    "Store",
    "StoredNotice",
    "Throttle",
    "World",
]


class OrderFilter(Value):
    """Which orders to list.

    Attributes:
        state: A shown state (`open`, `pending`, `paid`, `partially_cancelled`, …), or None for all.
        created_from: Not older than this.
        created_to: Older than this.
        cursor: Where the previous page ended.
        limit: At most so many, 1 to 200.
    """

    state: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    cursor: str | None = None
    limit: int = 50


class Page(Value, kw_only=False):
    """A page of orders, newest first, and where the next one begins."""

    records: Sequence[Record]
    next_cursor: str | None = None


class Notice(Value):
    """What a webhook claims, reduced to what makes it different from another one. It proves nothing.

    Attributes:
        receipt_id: The receipt to look up.
        generation: 1 or 2, by the route it came in.
        kind: `webhook_type`, or the status number as text where that is missing.
        cancelled: `cancelled_price` as text; empty where missing.
        order_id: As claimed; for people only.
        source: The sender's address as the platform or proxy chain tells it; for people only.
    """

    receipt_id: ReceiptId
    generation: int = 2
    kind: str = ""
    cancelled: str = ""
    order_id: str = ""
    source: str = ""

    @property
    def key(self) -> str:
        """Two notices with the same key say the same thing."""
        return f"{self.receipt_id}/{self.kind}/{self.cancelled}"


class StoredNotice(Value):
    """A notice in the inbox.

    Attributes:
        notice: What was claimed.
        received_at: When it first came.
        times: How often it came; with `attempts` the fencing token of a look, which covers what had come when it began.
        due_at: When it is next looked into; None when that is done.
        attempts: How often it was claimed for that since it last came.
        outcome: What came of it: `settled`, `settled_so_far` (a repeat may be about more), `not_yet` (the
            receipt did not show what was claimed), `order_unknown`, `receipt_unknown`; or `at_work` while Bootpay is,
            empty while it has not answered. Only after `settled` is a repeat not looked into.
    """

    notice: Notice
    received_at: datetime
    times: int = 1
    due_at: datetime | None = None
    attempts: int = 0
    outcome: str = ""


class Store(Protocol):
    """Keeps orders, what they owe and what was heard. Every method is one transaction.

    All methods may raise `StoreUnavailable`; then nothing was stored.
    """

    async def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """Put a new order on file and give it with True, or the one already there under its id with False."""
        ...

    async def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """The order, and in `claimed_by` the order that `receipt_id` belongs to. One round trip."""
        ...

    async def commit(self, record: Record, decision: Decision, /) -> Record:
        """Write the new state, its events, what is owed and the claims together, or nothing at all.

        Raises:
            Conflict: If the order has moved on since `record` was loaded, or a claimed receipt belongs to
                another order.
        """
        ...

    async def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """All events of an order, oldest first; empty for an unknown order."""
        ...

    async def orders(self, wanted: OrderFilter, /) -> Page:
        """Orders, newest first."""
        ...

    async def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """Everything this order owes or owed, in order."""
        ...

    async def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """Take deliveries that are due and need not wait; nobody else gets them before `until`.

        A notice waits for those of its order that have a lower `seq` and are still owed; money back waits for nothing.

        Each one's `attempts` is counted up and is the token with which it may be settled. With `money_back_only`
        notices stay as they are, however many wait. As with every claim, an empty answer means that nothing was left to
        take, not that somebody else was quicker at what was longest due.
        """
        ...

    async def settle_delivery(self, delivery: Delivery, /) -> bool:
        """Write `state`, `due_at`, `last_error` and `settled_at` if the claim with these `attempts` still holds."""
        ...

    async def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """A person wants it tried again: due now unless it is settled. None if unknown."""
        ...

    async def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """Make a notice durable, due at `due_at`. A repeat is counted.

        A repeat of one that is `settled` changes nothing else. Any other end may have been reached too early: the
        repeat opens it again in the same transaction, due when it was or else at `due_at`, its attempts begun anew.
        """
        ...

    async def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """Take notices that are due to be looked into; nobody else gets them before `until`."""
        ...

    async def settle_notice(
        self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /
    ) -> bool:
        """Write what came of a notice, or with `due_at` when to look into it again; its attempts stay.

        False, and nothing is written, if it has come again or been claimed since `stored` was read: that look was too
        early for the repeat, or is older than the one that somebody else has begun.
        """
        ...

    async def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """The newest notices, for people."""
        ...

    async def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """Move the next check of an order that has not moved on since `record` was loaded; False if it has."""
        ...

    async def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """Take orders that are due for a check; nobody else gets them before `until`.

        Others than unfinished ones (`is_unfinished`) are taken only where none of those is due; with `others_first` it
        is the other way round. Who asks for that now and then, and not often, lets neither starve.
        """
        ...


class Gateway(Protocol):
    """Asks Bootpay. All methods may raise `NotSent`, `OutcomeUnknown` or `Refused`.

    `within_s` is how many seconds the caller can wait, all repeats and token calls included.
    """

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """Bootpay's account of a checkout; None if it knows no such receipt."""
        ...

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """Every checkout Bootpay knows under the shop's order id; empty where it cannot tell."""
        ...

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """Approve a payment that waits for the server: money moves. Sent at most once."""
        ...

    async def cancel(
        self,
        receipt_id: ReceiptId,
        within_s: float,
        /,
        *,
        cancel_id: str,
        amount: int | None = None,
        tax_free: int = 0,
        currency: str = "KRW",
        reason: str = "",
        refund_account: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Give money back: all that is left, or `amount` minor units. Sent at most once."""
        ...


class HandedOver(Value, kw_only=False):
    """What became of one attempt to hand a delivery over.

    Attributes:
        settled: The receiver has it.
        gone: The receiver wants no more of these (410).
        words: What the attempt ended in, for people.
        wait_s: For how many seconds the receiver wants to be left alone (`Retry-After`).
        to: Whose door it was, where that may be told: a host, and nothing else of an address.
    """

    settled: bool
    gone: bool = False
    words: str = ""
    wait_s: float = 0.0
    to: str = ""


class Fulfilment(Protocol):
    """Hands to the shop what it is owed. Never raises for a receiver that fails."""

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """Try once."""
        ...


class Approved(Value, kw_only=False):
    """The shop wants the money."""


class Declined(Value, kw_only=False):
    """The shop does not want the money, or did not answer."""

    reason: str


class Approval(Protocol):
    """Asks the shop before money moves."""

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
        """Stock, limits, blocked buyers: no answer is a no."""
        ...


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for deadlines."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...


class Throttle(Protocol):
    """Limits what anonymous callers may make us ask of Bootpay."""

    def take(self, order_id: str, /) -> float:
        """Zero if a look-up may be made now, else after how many seconds it may."""
        ...


class World(Value):
    """Everything a use case may touch.

    Attributes:
        store: Keeps what must outlive us.
        gateway: Asks Bootpay.
        fulfilment: Hands over what is owed; None where this process only judges.
        approval: The shop's word before money moves; None where it is not asked.
        clock: Time.
        throttle: Limits anonymous look-ups; None for trusted callers.
        pace: How fast Bootpay is asked about what nobody waits for, by all runs in this world together.
        rules: The shop's choices.
        spread: A random number in [0, 1), new at each call.
    """

    store: Store
    gateway: Gateway
    clock: Clock
    fulfilment: Fulfilment | None = None
    approval: Approval | None = None
    throttle: Throttle | None = None
    pace: Pace = field(default_factory=Pace)
    rules: Rules = field(default_factory=Rules)
    spread: Callable[[], float] = lambda: 0.0
