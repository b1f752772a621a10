"""How many look-ups strangers may cause."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dojang.adapters import throttle
from dojang.adapters.throttle import LookUpThrottle

SCALE = Path(__file__).parents[2] / "docs" / "scale.md"


class Time:
    """Seconds that move when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    """A clock."""
    return Time()


def taken(limit: LookUpThrottle, order_id: str, tries: int) -> int:
    """How many of so many tries are let through."""
    return sum(limit.take(order_id) == 0 for _ in range(tries))


def test_one_order_has_its_burst_and_no_more(time: Time) -> None:
    """Another order is not touched by it."""
    limit = LookUpThrottle(time, per_order=3)

    assert (3, 3) == (taken(limit, "a", 10), taken(limit, "b", 10))


def test_who_must_wait_is_told_how_long(time: Time) -> None:
    """After exactly that time it is let through, once; before, it is not, and asking costs nothing."""
    limit = LookUpThrottle(time, per_order=3)
    taken(limit, "a", 3)
    wait_s = limit.take("a")
    time.now += wait_s / 2
    halfway = limit.take("a")
    time.now += wait_s / 2 + 1e-9

    assert pytest.approx(20.0) == wait_s
    assert pytest.approx(10.0) == halfway
    assert 1 == taken(limit, "a", 5)


def test_a_minute_fills_one_order_and_an_hour_fills_it_no_further(time: Time) -> None:
    """What is not used is not saved up."""
    limit = LookUpThrottle(time, per_order=3)
    taken(limit, "a", 3)
    time.now += 60.001
    minute = taken(limit, "a", 10)
    time.now += 3600

    assert (3, 3) == (minute, taken(limit, "a", 10))


def test_all_orders_together_have_a_limit(time: Time) -> None:
    """Two seconds' worth at once, then so many per second; many orders do not get around it."""
    limit = LookUpThrottle(time, per_order=3, overall_per_s=10)
    burst = sum(taken(limit, f"o-{n}", 1) for n in range(100))
    wait_s = limit.take("another")
    time.now += 1.0001

    assert (20, pytest.approx(0.1)) == (burst, wait_s)
    assert 10 == sum(taken(limit, f"p-{n}", 1) for n in range(100))


def test_a_server_lets_a_shops_busiest_minute_through_and_no_flood(time: Time) -> None:
    """By default 500 a second: a thousand buyers within one second are looked up, and a flood over a minute is cut."""
    limit = LookUpThrottle(time)
    at_once = sum(taken(limit, f"o-{n}", 1) for n in range(5_000))
    minute = 0
    for second in range(60):
        time.now += 1
        minute += sum(taken(limit, f"p-{second}-{n}", 1) for n in range(1_000))

    assert (1_000, 30_000) == (at_once, minute)
    assert "500 a second for all orders\n  together, 1,000 at once" in SCALE.read_text(encoding="utf-8")


def test_where_there_is_no_quota_one_order_alone_has_a_limit(time: Time) -> None:
    """Against a pretend Bootpay a server may show what it can do."""
    limit = LookUpThrottle(time, per_order=3, overall_per_s=None)

    assert 5_000 == sum(taken(limit, f"o-{n}", 1) for n in range(5_000))
    assert 3 == taken(limit, "a", 10)


def test_what_the_whole_refuses_does_not_cost_the_order(time: Time) -> None:
    """An order keeps its own tokens while others use up the common ones."""
    limit = LookUpThrottle(time, per_order=2, overall_per_s=2)
    taken(limit, "x", 2)
    taken(limit, "y", 2)
    refused = taken(limit, "a", 50)
    time.now += 2

    assert (0, 2) == (refused, taken(limit, "a", 50))


def test_what_an_order_is_refused_does_not_cost_the_whole(time: Time) -> None:
    """Hammering one order does not shut out the others."""
    limit = LookUpThrottle(time, per_order=1, overall_per_s=5)
    taken(limit, "a", 1000)

    assert 9 == sum(taken(limit, f"o-{n}", 1) for n in range(100))


def test_only_so_many_orders_are_remembered(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up ids cannot fill the memory; who was seen last is remembered longest."""
    monkeypatch.setattr(throttle, "_ORDERS_REMEMBERED_MAX", 10)
    limit = LookUpThrottle(time, per_order=1)
    limit.take("victim")
    for n in range(1000):
        limit.take(f"o-{n}")
        limit.take("victim")

    assert 10 == len(limit._orders)
    assert limit.take("victim") > 0


def test_threads_together_get_no_more_than_one_would(time: Time) -> None:
    """Eight threads at once, exactly the burst is let through."""
    limit = LookUpThrottle(time, per_order=100)
    let_through: list[int] = []
    start = threading.Barrier(8)

    def hammer() -> None:
        start.wait()
        let_through.append(taken(limit, "a", 500))

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 100 == sum(let_through)
