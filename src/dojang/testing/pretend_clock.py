"""A clock that moves only when somebody waits for it or moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["PretendClock"]


class PretendClock:
    """`dojang.ports.Clock`: waiting takes no time at all, and yet time has passed afterwards.

    Args:
        start: The first moment, aware.
    """

    def __init__(self, start: datetime = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._passed_s = 0.0
        self._while_asleep: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> datetime:
        """The present moment."""
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._passed_s

    async def sleep(self, seconds: float, /) -> None:
        """Let the time pass, with whatever others do meanwhile."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let the time pass."""
        self._passed_s += seconds
        due = [do for at, do in self._while_asleep if at <= self._passed_s]
        self._while_asleep = [(at, do) for at, do in self._while_asleep if at > self._passed_s]
        for do in due:
            do()

    def after(self, seconds: float, do: Callable[[], object]) -> None:
        """Let somebody else do something once that much time has passed."""
        self._while_asleep.append((self._passed_s + seconds, do))
