"""What buyers, the shop and its people did, and what they were answered: their side of the comparison."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CancelNote", "Note", "Word"]


@dataclass(slots=True)
class CancelNote:
    """A cancel the shop asked for under one key.

    Attributes:
        key: The idempotency key.
        amount: How much; None for all that is left.
        outcome: The last answer: `done`, `no` (certainly not carried out) or `unknown`.
    """

    key: str
    amount: int | None
    outcome: str = "unknown"


@dataclass(slots=True)
class Note:
    """What a buyer did with one order.

    Attributes:
        order_id: The order.
        kind: Which story.
        price: The price as registered.
        tax_free: The tax-free part of it.
        late: Whether it was paid after its terms ran out.
        waiting: Receipts whose money may not move before the shop has agreed.
        told_paid: Receipts of which a verification said that they pay for it.
        told_refused: Receipts that were refused for good, and why.
        cancels: What the shop asked to be cancelled.
        console: How much was cancelled in a console, behind our back.
        ended: Whether the story was told to its end.
    """

    order_id: str
    kind: str
    price: int
    tax_free: int = 0
    late: bool = False
    waiting: set[str] = field(default_factory=set)
    told_paid: set[str] = field(default_factory=set)
    told_refused: dict[str, str] = field(default_factory=dict)
    cancels: list[CancelNote] = field(default_factory=list)
    console: int = 0
    ended: bool = False


@dataclass(slots=True)
class Word:
    """What a person decided about a receipt.

    Attributes:
        order_id: Whose.
        receipt_id: Which.
        decision: `accept`, `return` or `dismiss`.
        who: A name used for this word alone, so that the history tells which of them it obeys.
        outcome: The answer: `done`, `no` (it did not fit the order) or `unknown`.
    """

    order_id: str
    receipt_id: str
    decision: str
    who: str
    outcome: str = "unknown"
