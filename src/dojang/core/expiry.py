"""The end of an order's terms: when it is reached, and what is too late for it.

Rule 1: `expired` is a decision that the shop is told of, made only where Bootpay knows of no money; a receipt that
it is still at work on after a day brings late money, if any.
Rule 2: what was paid in time is not late because we looked late, unless the shop was told meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from dojang.core.decision import Decision, Draft, Refusal
from dojang.core.deposit import set_account_aside
from dojang.core.payment import Record, State, What
from dojang.core.receipt import Receipt
from dojang.core.verification import Reason

__all__ = ["expire", "is_late"]


def expire(record: Record, now: datetime, spread: float = 0.0) -> Decision:
    """The terms ran out and Bootpay knows of no money: the shop may sell the goods to others."""
    draft = Draft(record, now, "dojang", spread)
    if draft.payment.state is State.AWAITING_DEPOSIT:
        set_account_aside(draft, "expired")
    draft.step(What.EXPIRED)
    draft.tell("order.expired")
    return draft.done(Refusal(Reason.ORDER_EXPIRED))


def is_late(draft: Draft, receipt: Receipt) -> bool:
    """Whether this receipt comes too late for the order's terms."""
    if draft.payment.state is State.EXPIRED:
        # The shop has been told that the order ran out, so even a deposit made in time comes too late for it.
        return True
    expires_at = draft.order.expires_at
    return expires_at is not None and (receipt.purchased_at or draft.now) > expires_at
