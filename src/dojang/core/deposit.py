"""The virtual account whose deposit an order waits for.

Rule 1: an order waits for one account at a time, the newest.
Rule 2: an account that is set aside stays open at the bank, so it is kept in mind: money may still come.
"""

from __future__ import annotations

from dojang.core.decision import Accepted, Decision, Draft, Pending
from dojang.core.history import account_data
from dojang.core.payment import Fate, State, What
from dojang.core.receipt import Account, Receipt
from dojang.core.values import replace

__all__ = ["account_issued", "set_account_aside"]


def account_issued(draft: Draft, receipt: Receipt, account: Account | None) -> Decision:
    """An account is open for this receipt: wait for its deposit, unless a newer one has taken its place."""
    accepted = Accepted(state="awaiting_deposit", receipt_id=receipt.id, account=account)
    if draft.payment.receipt_id == receipt.id:
        return draft.done(replace(accepted, replayed=True))
    known = draft.payment.other(receipt.id)
    taken_up_again = known is not None and known.fate is Fate.SET_ASIDE and draft.payment.state is State.OPEN
    if known is not None and not taken_up_again:
        # The buyer has replaced this account by a newer one; whichever is paid into first will count.
        return draft.done(Pending())
    if draft.payment.state is State.AWAITING_DEPOSIT:
        set_account_aside(draft, "replaced")
    draft.step(What.ACCOUNT_ISSUED, receipt_id=str(receipt.id), account=account_data(account))
    draft.claim(receipt.id)
    draft.tell("order.awaiting_deposit")
    return draft.done(accepted)


def set_account_aside(draft: Draft, reason: str) -> None:
    """The account is no longer what the order waits for, but it stays open at the bank: keep it in mind."""
    draft.step(
        What.ACCOUNT_WITHDRAWN,
        receipt_id=str(draft.payment.receipt_id),
        set_aside=True,
        price=draft.order.price.minor,
        reason=reason,
    )
