"""How soon Bootpay may be asked again about what nobody waits for.

Rule 1: everybody in a process who shares a pace keeps to it together.
Rule 2: nothing here waits or reads a clock; who takes a turn is told how long to wait for it.
"""

from __future__ import annotations

import threading

__all__ = ["CALLS_PER_S", "Pace"]

CALLS_PER_S = 20.0
"""What Bootpay is asked at most unless somebody chooses otherwise."""


class Pace:
    """Turns, one after another at even distances, for any number of threads and tasks.

    Args:
        calls_per_s: How many turns there are in a second.
    """

    def __init__(self, calls_per_s: float = CALLS_PER_S) -> None:
        self.every_s = 1.0 / calls_per_s
        self._free_at = float("-inf")
        self._lock = threading.Lock()

    def turn(self, now: float) -> float:
        """Take the next turn that is free, at the earliest now; how many seconds until it comes.

        Args:
            now: Seconds that never go back, of one and the same clock each time.
        """
        with self._lock:
            begins = max(self._free_at, now)
            self._free_at = begins + self.every_s
            return begins - now
