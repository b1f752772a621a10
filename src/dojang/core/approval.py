"""Approving a receipt: the intent before money moves, and the ways it ends without a payment.

Rule 1: the intent is written down, leased and claimed before anybody asks Bootpay to confirm.
Rule 2: a shop's own words and Bootpay's are for the history; a buyer is told the sentence of the reason alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from dojang.core.decision import Decision, Draft, Pending, Refusal
from dojang.core.deposit import set_account_aside
from dojang.core.order import ReceiptId
from dojang.core.payment import Record, State, What
from dojang.core.receipt import Receipt
from dojang.core.rules import Rules
from dojang.core.verification import Reason
from dojang.core.words import kept_words

__all__ = ["approval_refused", "intend_approval", "refused_by_shop"]


def intend_approval(
    record: Record, receipt: Receipt, rules: Rules, now: datetime, who: str, spread: float = 0.0
) -> Decision:
    """Write down, before money moves, that this receipt is about to be approved."""
    draft = Draft(record, now, who, spread)
    if draft.payment.state is State.AWAITING_DEPOSIT:
        set_account_aside(draft, "replaced")
    draft.step(
        What.APPROVAL_INTENDED,
        receipt_id=str(receipt.id),
        price=receipt.price,
        lease_until=(now + timedelta(seconds=rules.lease_s)).isoformat(),
    )
    draft.claim(receipt.id)
    return draft.done(Pending())


def approval_refused(
    record: Record, receipt_id: ReceiptId, now: datetime, who: str, words: Mapping[str, object]
) -> Decision:
    """Bootpay has said no for good, or the request never left: no money moved, the order is open again.

    Args:
        record: An order in `confirming`.
        receipt_id: The receipt whose approval ended.
        now: The moment.
        who: Who had asked for the approval.
        words: The `reason`, and Bootpay's `code` and `words`, for the history; a buyer is not told them.
    """
    draft = Draft(record, now, who)
    draft.step(
        What.APPROVAL_REFUSED,
        receipt_id=str(receipt_id),
        # It still waits at Bootpay, and the first generation has no list to find it in: it is kept in mind.
        set_aside=True,
        price=record.order.price.minor,
        **words,
    )
    return draft.done(Refusal(Reason.PAYMENT_FAILED))


def refused_by_shop(record: Record, receipt: Receipt, now: datetime, who: str, reason: str) -> Decision:
    """The shop's hook declined before any money moved."""
    draft = Draft(record, now, who)
    words = kept_words(reason)
    draft.step(
        What.RECEIPT_REFUSED,
        receipt_id=str(receipt.id),
        price=receipt.price,
        reason=Reason.REFUSED_BY_SHOP.value,
        words=words,
    )
    draft.claim(receipt.id)
    return draft.done(Refusal(Reason.REFUSED_BY_SHOP, words))
