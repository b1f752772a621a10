"""Counts through every choice of a scenario, one schedule after another, without remembering any of them.

A scenario asks `pick(n)` wherever it could go on in `n` ways. The first schedule always takes the first way; the next
one replays the same choices but for the last that still has a way left, and so on like the hand of an odometer.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["Choices", "explore"]


class Choices:
    """The choices of one schedule after another."""

    def __init__(self) -> None:
        self._taken: list[list[int]] = []
        self._at = 0

    def pick(self, ways: int) -> int:
        """One of `range(ways)`; over all schedules, each of them."""
        if ways == 1:
            return 0
        if self._at == len(self._taken):
            self._taken.append([0, ways])
        taken, known = self._taken[self._at]
        assert known == ways, "the same choices led somewhere else: the scenario is not deterministic"
        self._at += 1
        return taken

    def rewind(self) -> None:
        """Begin the same schedule again."""
        self._at = 0

    def next(self) -> bool:
        """Go on to the next schedule; False when there is none."""
        self._at = 0
        while self._taken and self._taken[-1][0] + 1 == self._taken[-1][1]:
            self._taken.pop()
        if not self._taken:
            return False
        self._taken[-1][0] += 1
        return True


def explore(limit: int | None = None) -> Iterator[Choices]:
    """Every schedule there is, or the first `limit` of them."""
    choices, done = Choices(), 0
    while limit is None or done < limit:
        yield choices
        done += 1
        if not choices.next():
            return
