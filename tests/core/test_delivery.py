"""When something owed is tried again, and when we give up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dojang.core.delivery import ATTEMPTS_MAX, delivery_id, due_again, order_of
from dojang.core.order import OrderId, ReceiptId

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
# Few characters, so that one id looks like the next: those that an id of something owed is put together with, too.
ORDERS = st.text("a.:~_-2", min_size=1, max_size=8).filter(lambda text: text not in (".", ".."))
CAUSES = st.integers(1, 30) | st.just("a" * 24).map(ReceiptId)
KINDS = (
    "order.paid",
    "order.awaiting_deposit",
    "order.partially_cancelled",
    "order.cancelled",
    "order.expired",
)
KINDS += ("order.attention", "order.money_returned", "money_back", "approve")
OWED = st.tuples(ORDERS.map(OrderId), CAUSES, st.sampled_from(KINDS))


@given(OWED, OWED)
def test_two_orders_never_share_an_id(one: tuple[OrderId, int, str], other: tuple[OrderId, int, str]) -> None:
    """Another order, another version or another kind is another id; the same ones are the same id."""
    assert (one == other) == (delivery_id(*one) == delivery_id(*other))


@given(OWED)
def test_an_id_holds_no_dot_and_tells_its_order(owed: tuple[OrderId, int, str]) -> None:
    """A dot ends the id in what is signed, and whoever chooses an order's id must not choose where that is."""
    assert "." not in delivery_id(*owed)
    assert owed[0] == order_of(delivery_id(*owed))


def test_ids_are_as_a_person_meets_them() -> None:
    """An order's own id stays readable in it."""
    assert "A-1024:2:order_paid" == delivery_id(OrderId("A-1024"), 2, "order.paid")
    assert "shop@7:2:order_paid" == delivery_id(OrderId("shop.7"), 2, "order.paid")


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


@given(st.integers(1, ATTEMPTS_MAX - 1), st.floats(0, 1, exclude_max=True), st.floats(-1e9, 1e9))
def test_a_receiver_may_put_an_attempt_off_and_never_hasten_it(
    attempts: int, spread: float, wait_s: float
) -> None:
    """Not before what it asked for, nor before the schedule; and not later than the longest gap of the schedule."""
    usual, asked = due_again(attempts, NOW, spread), due_again(attempts, NOW, spread, wait_s)

    assert usual is not None
    assert asked is not None
    assert asked >= max(usual, NOW + timedelta(seconds=min(wait_s, 86_400)))
    assert asked <= max(usual, NOW + timedelta(seconds=max(wait_s, 0) * 1.2)) + timedelta(milliseconds=1)
    assert asked <= NOW + timedelta(seconds=86_400 * 1.2)


def test_what_a_receiver_asks_for_does_not_prolong_the_end() -> None:
    """After the last attempt a person looks, however long the receiver wants to be left alone."""
    assert due_again(ATTEMPTS_MAX, NOW, 0.0, 60.0) is None


@given(st.integers(ATTEMPTS_MAX, 10_000))
def test_too_many_attempts_are_the_last(attempts: int) -> None:
    """However often it was tried beyond the limit, it is given up."""
    assert due_again(attempts, NOW) is None
