"""When something owed is tried again, and when we give up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dojang.core.delivery import ATTEMPTS_MAX, due_again

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    """At once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; then a person looks."""
    waits = [due_again(attempts, NOW) for attempts in range(1, ATTEMPTS_MAX + 1)]

    assert [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400] == [
        (due - NOW).total_seconds() for due in waits if due is not None
    ]
    assert (10, None) == (ATTEMPTS_MAX, waits[-1])


@given(st.integers(1, ATTEMPTS_MAX - 1), st.floats(0, 1, exclude_max=True))
def test_spread_adds_at_most_a_fifth(attempts: int, spread: float) -> None:
    """Failures do not come back all at once, and never sooner than the schedule says."""
    plain, spread_out = due_again(attempts, NOW), due_again(attempts, NOW, spread)

    assert plain is not None
    assert spread_out is not None
    assert timedelta(0) <= spread_out - plain <= (plain - NOW) * 0.2


@given(st.integers(ATTEMPTS_MAX, 10_000))
def test_too_many_attempts_are_the_last(attempts: int) -> None:
    """However often it was tried beyond the limit, it is given up."""
    assert due_again(attempts, NOW) is None
