"""Token buckets in this process: strangers cannot burn the shop's quota at Bootpay."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

__all__ = ["LookUpThrottle"]

_ORDERS_REMEMBERED_MAX = 10_000


class _Bucket(msgspec.Struct):
    tokens: float
    filled_at: float


class LookUpThrottle:
    """Limits look-ups per order and overall. Replays never come here: they cost Bootpay nothing.

    Args:
        monotonic: Seconds that never go back.
        per_order: How many look-ups one order may cause at once, and how many per minute afterwards.
        overall_per_s: How many all orders together may cause per second, with a burst of two seconds' worth: less
            than one process can do, else it would hold nobody back, and far more than a shop's buyers need.
            None: any number, where there is no quota.
    """

    def __init__(
        self, monotonic: Callable[[], float], *, per_order: int = 100, overall_per_s: float | None = 500.0
    ) -> None:
        self._monotonic = monotonic
        self._per_order = float(per_order)
        self._refill_per_s = per_order / 60
        self._overall_per_s = overall_per_s
        self._all = _Bucket((overall_per_s or 0.0) * 2, monotonic())
        self._orders: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, order_id: str, /) -> float:
        """Zero if a look-up may be made now, else after how many seconds it may."""
        now = self._monotonic()
        with self._lock:
            bucket = self._orders.pop(order_id, None) or _Bucket(self._per_order, now)
            self._orders[order_id] = bucket
            if len(self._orders) > _ORDERS_REMEMBERED_MAX:
                self._orders.popitem(last=False)
            wait_s = _wait_s(bucket, self._per_order, self._refill_per_s, now)
            if self._overall_per_s is not None:
                wait_s = max(wait_s, _wait_s(self._all, self._overall_per_s * 2, self._overall_per_s, now))
            if wait_s == 0:
                bucket.tokens -= 1
                self._all.tokens -= 1
            return wait_s


def _wait_s(bucket: _Bucket, size: float, per_s: float, now: float) -> float:
    """Refill, then tell how long until one token is there."""
    bucket.tokens = min(size, bucket.tokens + (now - bucket.filled_at) * per_s)
    bucket.filled_at = now
    return 0.0 if bucket.tokens >= 1 else (1 - bucket.tokens) / per_s
