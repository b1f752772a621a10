"""When an order is next looked at without anybody asking: one pure function of its state and age."""

from __future__ import annotations

from datetime import datetime, timedelta

from dojang.core.order import Order
from dojang.core.payment import Payment, State

__all__ = ["GRACE", "after_doubt", "is_unfinished", "next_check"]


def _ladder(*steps: str) -> tuple[timedelta, ...]:
    unit = {"m": 60, "h": 3_600, "d": 86_400}
    return tuple(timedelta(seconds=int(step[:-1]) * unit[step[-1]]) for step in steps)


# A buyer who paid and vanished is found within minutes; a forgotten tab is not asked about for ever.
_OPEN = _ladder("2m", "5m", "15m", "35m", "1h", "3h", "6h", "12h", "1d", "2d", "3d", "7d")
_DEPOSIT = _ladder("10m", "30m", "1h", "3h", "6h", "12h", "1d", "2d", "3d", "5d", "7d", "10d", "14d")
# Cancels made in a console send no webhook, so paid orders are compared now and then.
_PAID = _ladder("1h", "6h", "1d", "3d", "7d", "14d", "30d", "60d", "90d", "180d")
_LATE = _ladder("1h", "1d", "3d", "7d")
# An intent whose lease is over and whose outcome is still unknown.
_SOONEST, _LATEST = timedelta(seconds=1), timedelta(minutes=1)
# A look that told nothing, whatever the reason.
_SOON, _HOURLY = timedelta(minutes=2), timedelta(hours=1)
# The window's own deadline may lag behind ours a little; do not ask at the very second.
GRACE = timedelta(seconds=30)
"""How long after its deadline an order is still left alone."""


def is_unfinished(payment: Payment) -> bool:
    """Whether a check may still lead somewhere the buyer waits for; the rest is only compared, and can wait longer."""
    return payment.state in (State.OPEN, State.AWAITING_DEPOSIT, State.CONFIRMING, State.CANCELLING)


def next_check(
    order: Order, payment: Payment, created_at: datetime, now: datetime, spread: float = 0.0
) -> datetime | None:
    """The moment of the next check, or None when nothing more can come.

    Args:
        order: Its deadline matters while no money is there.
        payment: Its state decides which times apply.
        created_at: When the order was registered.
        now: The moment of asking; the answer is later than this.
        spread: A random number in [0, 1): up to a tenth of the wait is added.
    """
    match payment.state:
        case State.CONFIRMING | State.CANCELLING:
            until = payment.lease.until if payment.lease else now
            # The longer Bootpay has not made up its mind, the less often it is asked.
            overdue = (now - until) / 2
            return max(until, now + min(max(overdue, _SOONEST), _LATEST))
        case State.OPEN:
            due = _step(payment.since or created_at, _OPEN, now)
        case State.AWAITING_DEPOSIT:
            due = _step(payment.since or created_at, _DEPOSIT, now)
            closes = payment.account.expires_at if payment.account else None
            if closes is not None and closes + GRACE > now:
                # What came in the last hours of an account is not left to its webhook.
                due = closes + GRACE if due is None else min(due, closes + GRACE)
        case State.PAID | State.CANCELLED | State.ATTENTION:
            # What a second payment brought must be found even where this order's own money is settled or in doubt.
            due = _step(payment.paid_at or created_at, _PAID, now)
        case State.EXPIRED:
            due = _step(order.expires_at or created_at, _LATE, now)
    if due is not None:
        due += (due - now) * 0.1 * spread
    if payment.state in (State.OPEN, State.AWAITING_DEPOSIT) and order.expires_at is not None:
        end = order.expires_at + GRACE
        if end <= now:
            # Bootpay is still at work on a receipt. Whoever stays so for hours must not take others' turn.
            return after_doubt(end, now, GRACE)
        due = end if due is None else min(due, end)
    return due


def after_doubt(since: datetime, now: datetime, soonest: timedelta = _SOON) -> datetime:
    """When to look again where a look told nothing: the longer that lasts, the less often; hourly in the end.

    Args:
        since: When it might first have told something.
        now: The moment of asking.
        soonest: The shortest wait.
    """
    return now + min(max((now - since) / 10, soonest), _HOURLY)


def _step(since: datetime, ladder: tuple[timedelta, ...], now: datetime) -> datetime | None:
    for step in ladder:
        if since + step > now:
            return since + step
    return None
