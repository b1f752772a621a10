"""When an order is next looked at without anybody asking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Lease, Payment, State
from dojang.core.receipt import Account
from dojang.core.schedule import next_check

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def _order(expires_at: datetime | None = None) -> Order:
    return Order(id=OrderId("o1"), price=Money(1000), name="양말", expires_at=expires_at)


@given(
    st.sampled_from(State),
    MOMENTS,
    MOMENTS,
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    st.none() | MOMENTS,
    st.floats(0, 1, exclude_max=True),
)
def test_the_next_check_is_always_later_than_now(
    state: State,
    created_at: datetime,
    now: datetime,
    expires_at: datetime | None,
    paid_at: datetime | None,
    leased_until: datetime | None,
    spread: float,
) -> None:
    """A check that is due at once for ever would ask Bootpay without end."""
    lease = Lease(until=leased_until) if leased_until else None
    payment = Payment(state=state, receipt_id=ReceiptId("a" * 24), lease=lease, paid_at=paid_at)
    due = next_check(_order(expires_at), payment, created_at, now, spread)

    assert due is None or due > now


@given(st.sampled_from([State.OPEN, State.AWAITING_DEPOSIT, State.PAID, State.EXPIRED]), MOMENTS, MOMENTS)
def test_later_askers_never_get_an_earlier_check(state: State, one: datetime, other: datetime) -> None:
    """Time goes one way: asking later gives the same check or a later one, or says that no more come."""
    first, second = sorted((one, other))
    payment = Payment(state=state, receipt_id=ReceiptId("a" * 24), paid_at=NOW)
    early = next_check(_order(), payment, NOW, first)
    late = next_check(_order(), payment, NOW, second)

    assert early is not None or late is None
    assert late is None or early is None or early <= late


def test_a_buyer_who_paid_and_vanished_is_found_within_minutes() -> None:
    """The first look at an open order comes two minutes after it was registered."""
    assert NOW + timedelta(minutes=2) == next_check(_order(), Payment(), NOW, NOW)


@pytest.mark.parametrize("state", [State.OPEN, State.AWAITING_DEPOSIT])
def test_an_order_is_looked_at_soon_after_its_terms_run_out(state: State) -> None:
    """Whatever the steps say, expiry is not noticed hours late."""
    expires_at = NOW + timedelta(minutes=3)

    assert expires_at + timedelta(seconds=30) == next_check(
        _order(expires_at), Payment(state=state), NOW, NOW + timedelta(minutes=2)
    )


def test_long_terms_put_off_no_look_and_are_not_forgotten_after_the_last_step() -> None:
    """A lost payment is found in minutes however long the order lasts, and the end of ten days is noticed."""
    end = NOW + timedelta(days=10)
    dues = [next_check(_order(end), Payment(), NOW, NOW + timedelta(days=days)) for days in (0, 8)]

    assert [NOW + timedelta(minutes=2), end + timedelta(seconds=30)] == dues


@pytest.mark.parametrize(
    ("days", "hours", "seconds"),
    [(2, 51, 30), (3, 120, 0), (15, None, 0)],
)
def test_an_account_is_looked_at_when_it_closes(days: int, hours: int | None, seconds: int) -> None:
    """What came in its last hours is not left to its webhook; afterwards the steps go on, and end."""
    account = Account(bank_name="기업", number="123", expires_at=NOW + timedelta(hours=51))
    payment = Payment(state=State.AWAITING_DEPOSIT, receipt_id=ReceiptId("a" * 24), account=account)
    due = None if hours is None else NOW + timedelta(hours=hours, seconds=seconds)

    assert due == next_check(_order(), payment, NOW, NOW + timedelta(days=days))


@pytest.mark.parametrize("state", [State.PAID, State.CANCELLED, State.ATTENTION])
def test_the_deadline_of_an_order_that_has_its_money_makes_no_look_due(state: State) -> None:
    """It is compared as any paid order, not every half minute because its terms are over."""
    payment = Payment(state=state, receipt_id=ReceiptId("a" * 24), paid_at=NOW)
    deadlines = [None, NOW + timedelta(minutes=3), NOW - timedelta(minutes=3)]

    assert [NOW + timedelta(hours=1)] * 3 == [next_check(_order(end), payment, NOW, NOW) for end in deadlines]


def test_orders_of_the_same_age_do_not_all_come_due_at_once() -> None:
    """Up to a tenth of the wait is added."""
    dues = [next_check(_order(), Payment(), NOW, NOW, spread) for spread in (0.0, 0.5)]

    assert [NOW + timedelta(seconds=120), NOW + timedelta(seconds=126)] == dues


def test_an_intent_is_looked_at_when_its_lease_is_over() -> None:
    """Nobody acts before, and nobody waits longer."""
    for state in (State.CONFIRMING, State.CANCELLING):
        payment = Payment(state=state, lease=Lease(until=NOW + timedelta(seconds=45)))

        assert NOW + timedelta(seconds=45) == next_check(_order(), payment, NOW, NOW)


def test_an_outcome_that_stays_unknown_is_asked_for_ever_less_often() -> None:
    """One stuck order does not cost a call a second: half of what it is overdue is waited, at most a minute."""
    payment = Payment(state=State.CANCELLING, lease=Lease(until=NOW))
    waits = [
        next_check(_order(), payment, NOW, NOW + timedelta(seconds=overdue_s))
        for overdue_s in (0, 1, 10, 600)
    ]

    assert [NOW + timedelta(seconds=seconds) for seconds in (0 + 1, 1 + 1, 10 + 5, 600 + 60)] == waits


@pytest.mark.parametrize("state", [State.PAID, State.CANCELLED, State.ATTENTION])
def test_a_second_payment_is_looked_for_whatever_became_of_the_first(state: State) -> None:
    """Within the hour, then ever less often, and after half a year no more."""
    payment = Payment(state=state, paid_at=NOW)

    assert NOW + timedelta(hours=1) == next_check(_order(), payment, NOW, NOW)
    assert next_check(_order(), payment, NOW, NOW + timedelta(days=181)) is None
