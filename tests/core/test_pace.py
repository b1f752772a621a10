"""Turns at even distances, however many take them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from dojang.core.pace import Pace


def test_turns_follow_one_another_at_the_pace() -> None:
    """The first is at once, each further one a pace later; nobody waits after a rest."""
    pace = Pace(20)
    waits = [pace.turn(now) for now in (100.0, 100.0, 100.0, 100.12, 200.0)]

    assert pytest.approx([0, 0.05, 0.10, 0.03, 0]) == waits


def test_threads_never_get_the_same_turn() -> None:
    """Eight of them in a hurry: every turn is given once and none is left out."""
    pace = Pace(4)
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(pace.turn, [0.0] * 4_000))

    assert [turn * 0.25 for turn in range(4_000)] == waits
