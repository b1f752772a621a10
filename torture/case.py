"""One order as every ledger has it: what the judges look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torture.notes import Note, Word
from torture.shop import Arrival, Asked

__all__ = ["CANCELLED", "PAID", "Case"]

PAID, CANCELLED = 1, 20
"""Bootpay's numbers for money that is there, and for money that has gone back whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything there is about one order.

    Attributes:
        order: The store's, as the HTTP API shows it.
        receipts: Bootpay's.
        history: The order's steps.
        arrivals: What the shop was told.
        asked: What the shop was asked before money moved.
        words: What people decided.
        note: What its buyer did; None where nobody noted anything.
    """

    order: dict[str, Any]
    receipts: Sequence[dict[str, Any]]
    history: Sequence[dict[str, Any]]
    arrivals: Sequence[Arrival]
    asked: Sequence[Asked] = ()
    words: Sequence[Word] = ()
    note: Note | None = None

    @property
    def fates(self) -> dict[str, str]:
        """What the store says became of each receipt."""
        return {known["receipt_id"]: known["fate"] for known in self.order["receipts"]}

    @property
    def pays(self) -> set[str]:
        """The receipts that pay for it, in the store's eyes."""
        return {receipt_id for receipt_id, fate in self.fates.items() if fate == "pays"}

    @property
    def back(self) -> int:
        """How much of what pays for it has gone back at Bootpay."""
        return sum(r["cancelled_price"] for r in self.receipts if r["receipt_id"] in self.pays)

    @property
    def console(self) -> int:
        """How much was cancelled in a console."""
        return self.note.console if self.note else 0

    def steps(self, *whats: str, receipt_id: str | None = None) -> list[dict[str, Any]]:
        """The steps of these kinds; with `receipt_id` only those about that receipt."""
        return [
            step
            for step in self.history
            if step["what"] in whats and (receipt_id is None or step.get("receipt_id") == receipt_id)
        ]

    def last_word(self, receipt_id: str) -> str:
        """What a person decided about a receipt last, as the history has it; empty if nobody did."""
        decided = self.steps("resolved", receipt_id=receipt_id)
        return str(decided[-1]["resolution"]) if decided else ""
