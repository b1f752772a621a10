"""What a history says an order was after each of its steps: read by other eyes than the server's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["TOLD", "Stand", "stands", "told_as"]

Stand = tuple[str, int]
"""The state that users see, and how much has gone back."""

TOLD = {
    "account_issued": "order.awaiting_deposit",
    "paid": "order.paid",
    "partially_cancelled": "order.partially_cancelled",
    "cancelled": "order.cancelled",
    "expired": "order.expired",
    "money_returned": "order.money_returned",
    "attention": "order.attention",
}
"""The steps that the shop must hear of, each under one id, and as what."""

_LEADS_TO = {
    "registered": "open",
    "account_issued": "awaiting_deposit",
    "account_withdrawn": "open",
    "approval_intended": "pending",
    "approval_refused": "open",
    "paid": "paid",
    "cancel_intended": "pending",
    "cancel_refused": "paid",
    "partially_cancelled": "paid",
    "cancelled": "cancelled",
    "expired": "expired",
    "attention": "attention",
}


def told_as(step: dict[str, Any]) -> str | None:
    """As what the shop must hear of this step; None where it need not."""
    if step["what"] == "resolved":
        return "order.paid" if step["resolution"] == "accept" else None
    return TOLD.get(step["what"])


def stands(history: Iterable[dict[str, Any]], price: int) -> dict[int, Stand]:
    """How the order stood after each version.

    Args:
        history: Its steps.
        price: What it costs: of a paid order it tells a part that went back from all of it.
    """
    found: dict[int, Stand] = {}
    state, cancelled = "", 0
    for step in history:
        if step["what"] in ("partially_cancelled", "cancelled"):
            cancelled = step["cancelled"]
        state = step["to"] if step["what"] == "resolved" else _LEADS_TO.get(step["what"], state)
        part = state == "paid" and 0 < cancelled < price
        found[step["version"]] = ("partially_cancelled" if part else state, cancelled)
    return found
