"""What is left when a simulation is over, as plain values: all that the promises are judged by.

Rule 1: nothing of `dojang` is imported here, so that no mistake of the code under test can colour what is seen of it.
Rule 2: who asked is known by the name of the actor that asked, never by a key that the code under test has made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = [
    "Answered",
    "Asked",
    "BrokenPromise",
    "Evidence",
    "HandedOut",
    "Held",
    "HookWord",
    "Json",
    "Outside",
    "Seen",
    "Truth",
    "Written",
]

Json = Mapping[str, object]
"""A plain value as JSON would show it."""


class BrokenPromise(AssertionError):
    """A promise does not hold.

    Attributes:
        promise: Which, as `P1` to `P11`.
    """

    def __init__(self, promise: str, words: str) -> None:
        super().__init__(f"{promise}: {words}")
        self.promise = promise


class Truth(NamedTuple):
    """A receipt as Bootpay's books have it, in Bootpay's own units; `purchased_at` in seconds since 1970."""

    order_id: str
    price: int | float
    tax_free: int | float
    currency: str
    sandbox: bool
    status: int
    cancelled_price: int | float
    cancelled_tax_free: int | float
    purchased_at: float | None
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
        until: Until when its caller waits at most, by the true time, in seconds since 1970.
        over_s: By how much that is more than the time the caller was given; negative where it is less.
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
    until: float = 0.0
    over_s: float = 0.0


class Written(NamedTuple):
    """When a step of a history was written: after how many calls to Bootpay, by which actor, in which use case."""

    after: int
    who: str
    kind: str


class Answered(NamedTuple):
    """What a caller was told.

    Attributes:
        who: Which actor.
        kind: `verify` or `cancel`.
        order_id: About which order.
        receipt_id: About which receipt; empty for a cancel.
        word: The answer in a word.
        after: After how many calls to Bootpay.
    """

    who: str
    kind: str
    order_id: str
    receipt_id: str
    word: str
    after: int = 0


class Outside(NamedTuple):
    """Money that left a receipt by somebody else's hand, in Bootpay's units: after how many calls to Bootpay."""

    receipt_id: str
    amount: int | float
    after: int


class HookWord(NamedTuple):
    """What the shop said before an approval: to which actor, and how many calls to Bootpay had been made."""

    who: str
    receipt_id: str
    yes: bool
    after: int


class HandedOut(NamedTuple):
    """A delivery was handed to the shop: by which actor, and how many seconds that might take."""

    who: str
    delivery_id: str
    within_s: float


class Held(NamedTuple):
    """Something due was claimed by a worker, or let go of.

    Attributes:
        who: Which actor.
        what: `delivery`, `notice` or `check`.
        id: Which one.
        claimed: True for a claim, False where its holder wrote what became of it or when it is due again.
        now: The moment by the actor's own clock, in seconds since 1970; for a claim.
        until: How long the claim lasts, likewise.
        token: What the store knows this claim by: a delivery's number of attempts, how often a notice has come and been
            looked into since; empty where anybody may write.
        wrote: Whether the store accepted what the holder wrote.
        came: True where a notice came (again): whoever looked before it knows too little.
    """

    who: str
    what: str
    id: str
    claimed: bool
    now: float = 0.0
    until: float = 0.0
    token: tuple[int, ...] = ()
    wrote: bool = True
    came: bool = False


@dataclass(kw_only=True)
class Evidence:
    """All that is left when a simulation is over.

    Attributes:
        receipts: Bootpay's books, by receipt.
        outside: Money that left receipts from outside (consoles, reversals), by receipt.
        consoles: The same piece by piece, where somebody sent it back.
        orders: The stored orders: `order_id`, the terms, `version`, `payment`; `expires_at` in seconds since 1970.
        histories: The stored events by order.
        deliveries: The stored outbox.
        notices: The stored inbox.
        asked: What Bootpay was asked, in order.
        received: What the shop received, in order.
        acknowledged: Webhooks that were acknowledged: receipt, kind, cancelled amount.
        wanted: Cancels the shop asked for: by the name of who asked, the order, the key, the amount (None: all) and
            the remaining it expected.
        answers: What callers were told.
        hook: What the shop said before approvals, in order.
        held: What workers claimed and let go of, in order.
        handed_out: Every attempt to hand a delivery to the shop, in order.
        overstayed: Use cases that began to wait although the time they were given was over: kind and actor.
        unwanted: Deliveries to which the shop said that it wants no more of them (410).
        retried: Deliveries that a person wanted tried again.
        errors: Words of the errors that actors ended in.
        secrets: Texts that must be found nowhere.
        sandbox: Whether test payments count instead of real ones.
        asks_shop: Whether the shop is asked before an approval.
        on_mismatch: What the shop wants done with money that is not the price: `cancel` or `hold`.
        late_payment: What it wants done with money that came too late: `hold`, `accept` or `cancel`.
        sighted: Whether receipts can be found by order id, so that nothing stays unknown for long.
        untold: Receipts of which the shop may never have heard, because their webhooks were lost for good.
        claims: Which order each receipt belongs to, where it belongs to one.
        written: When each step was written, and by whom, by order and version.
    """

    receipts: Mapping[str, Truth]
    outside: Mapping[str, int | float] = field(default_factory=dict)
    consoles: Sequence[Outside] = ()
    orders: Sequence[Json]
    histories: Mapping[str, Sequence[Json]]
    deliveries: Sequence[Json]
    notices: Sequence[Json]
    asked: Sequence[Asked]
    received: Sequence[Json]
    acknowledged: Sequence[tuple[str, str, str]]
    wanted: Mapping[str, Json] = field(default_factory=dict)
    answers: Sequence[Answered] = ()
    hook: Sequence[HookWord] = ()
    held: Sequence[Held] = ()
    handed_out: Sequence[HandedOut] = ()
    overstayed: Sequence[tuple[str, str]] = ()
    unwanted: frozenset[str] = frozenset()
    retried: frozenset[str] = frozenset()
    errors: Sequence[str] = ()
    secrets: Sequence[str] = ()
    sandbox: bool = False
    asks_shop: bool = False
    on_mismatch: str = "cancel"
    late_payment: str = "hold"
    sighted: bool = True
    untold: frozenset[str] = frozenset()
    claims: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[tuple[str, int], Written] = field(default_factory=dict)
