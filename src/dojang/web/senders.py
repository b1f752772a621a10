"""Strangers may tell us to look at receipts, but not faster than this."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec

__all__ = ["SenderThrottle"]

_SENDERS_REMEMBERED_MAX = 10_000


class _Bucket(msgspec.Struct):
    tokens: float
    filled_at: float


class SenderThrottle:
    """Token buckets: one per sender, and one for all strangers together, so that no single one starves the rest.

    Args:
        monotonic: Seconds that never go back.
        per_sender: How many webhooks one stranger may send at once; a tenth of it per second afterwards.
        overall: The same for all strangers together.
    """

    def __init__(
        self, monotonic: Callable[[], float], *, per_sender: float = 50.0, overall: float = 200.0
    ) -> None:
        self._monotonic = monotonic
        self._per_sender = per_sender
        self._overall = overall
        self._all = _Bucket(overall, monotonic())
        self._senders: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, sender: str) -> float:
        """Zero if a webhook of this sender may be looked at now, else after how many seconds it may."""
        now = self._monotonic()
        bucket = self._senders.pop(sender, None) or _Bucket(self._per_sender, now)
        self._senders[sender] = bucket
        if len(self._senders) > _SENDERS_REMEMBERED_MAX:
            self._senders.popitem(last=False)
        wait_s = max(_wait_s(bucket, self._per_sender, now), _wait_s(self._all, self._overall, now))
        if wait_s == 0:
            bucket.tokens -= 1
            self._all.tokens -= 1
        return wait_s


def _wait_s(bucket: _Bucket, size: float, now: float) -> float:
    """Refill, then tell how long until one token is there."""
    per_s = size / 10
    bucket.tokens = min(size, bucket.tokens + (now - bucket.filled_at) * per_s)
    bucket.filled_at = now
    return 0.0 if bucket.tokens >= 1 else (1 - bucket.tokens) / per_s
