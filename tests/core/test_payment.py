"""States change only by events and only as the table says; folding a history gives the payment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from dojang.core.history import apply, fold
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import TRANSITIONS, Event, Payment, State, What, shown_state

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
R1, R2 = "a" * 24, "b" * 24

# The contract's table (states and what they may become), written down a second time on purpose.
MAY_BECOME = {
    "open": {"awaiting_deposit", "confirming", "paid", "expired", "attention"},
    "awaiting_deposit": {"paid", "open", "expired", "attention"},
    "confirming": {"confirming", "paid", "open", "attention"},
    "paid": {"cancelling", "paid", "cancelled", "attention"},
    "cancelling": {"cancelling", "paid", "cancelled", "attention"},
    "cancelled": {"attention"},
    "expired": {"paid", "attention"},
    "attention": {"attention"},
}
BESIDE = {What.RECEIPT_REFUSED, What.SURPLUS_FOUND, What.MONEY_RETURNED}
"""Money that is not the order's price comes and goes without changing the state."""

FULL: dict[str, object] = {
    "receipt_id": R1,
    "paid_at": NOW.isoformat(),
    "lease_until": (NOW + timedelta(seconds=45)).isoformat(),
    "cancel_id": "c" * 32,
    "amount": 300,
    "tax_free": 0,
    "cancelled": 300,
    "cancelled_tax_free": 0,
    "fate": "held",
    "reason": "x",
    "price": 1000,
    "to": "open",
    "resolution": "return",
}


def _event(what: What, version: int = 2, **data: object) -> Event:
    return Event(version=version, at=NOW, what=what, who="bootpay", data=FULL | data)


@pytest.mark.parametrize("state", list(State))
def test_a_state_becomes_what_the_contract_allows_and_nothing_else(state: State) -> None:
    """The table of the code is the table of the contract."""
    becomes = {after.value for what, after in TRANSITIONS[state].items() if what not in BESIDE}

    assert MAY_BECOME[state.value] == becomes


@pytest.mark.parametrize(("state", "what"), list(product(State, What)))
def test_an_event_that_the_table_does_not_list_is_our_mistake(state: State, what: What) -> None:
    """Each pair either leads where the table says or is refused loudly."""
    payment = Payment(state=state)
    if what in (What.REGISTERED, What.RESOLVED):
        return
    allowed, target = what in TRANSITIONS[state], TRANSITIONS[state].get(what, State.OPEN)
    if not allowed:
        with pytest.raises(ValueError, match="cannot follow"):
            apply(payment, _event(what))
        return

    assert target is apply(payment, _event(what)).state


@pytest.mark.parametrize(("state", "to"), list(product(State, State)))
def test_a_person_leaves_attention_for_any_state_and_changes_no_other(state: State, to: State) -> None:
    """Wherever else the payment stands, a decision on held money leaves it there, unless the money pays for it."""
    payment = Payment(state=state)
    returned = {"to": to.value, "resolution": "return"}
    accepted = {"to": to.value, "resolution": "accept"}
    without_a_moment = {name: value for name, value in FULL.items() if name != "paid_at"}
    back = Event(version=2, at=NOW, what=What.RESOLVED, who="person:a", data=without_a_moment | returned)
    may_return = state in (State.ATTENTION, to)
    payable = (State.OPEN, State.AWAITING_DEPOSIT, State.EXPIRED, State.ATTENTION)
    may_accept = state in payable and to is State.PAID

    for event, allowed in ((back, may_return), (_event(What.RESOLVED, **accepted), may_accept)):
        if allowed:
            assert to is apply(payment, event).state
        else:
            with pytest.raises(ValueError, match="cannot follow"):
                apply(payment, event)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("what", sorted(BESIDE))
def test_other_money_never_changes_the_state(state: State, what: What) -> None:
    """A surplus is noted beside the payment, wherever that stands."""
    assert state is apply(Payment(state=state), _event(what)).state


def test_a_history_begins_with_registration() -> None:
    """An order is open before anything happened."""
    assert Payment() == fold([_event(What.REGISTERED, 1)]) == fold([])


def test_an_intent_carries_a_lease_and_remembers_when_it_was_first_made() -> None:
    """Repeating an unfinished approval renews the lease, not the age."""
    first = apply(Payment(), _event(What.APPROVAL_INTENDED))
    later = Event(
        version=3,
        at=NOW + timedelta(minutes=1),
        what=What.APPROVAL_INTENDED,
        who="dojang",
        data=FULL | {"lease_until": (NOW + timedelta(minutes=2)).isoformat()},
    )
    again = apply(first, later)

    assert first.leased(NOW + timedelta(seconds=44))
    assert not first.leased(NOW + timedelta(seconds=45))
    assert (NOW, NOW) == (first.intended_at, again.intended_at)
    assert again.leased(NOW + timedelta(seconds=119))


@pytest.mark.parametrize("what", [What.PAID, What.APPROVAL_REFUSED, What.ATTENTION])
def test_an_intent_that_ended_leaves_no_lease(what: What) -> None:
    """Whatever ends an approval frees the order."""
    ended = apply(apply(Payment(), _event(What.APPROVAL_INTENDED)), _event(what, 3))

    assert (None, None) == (ended.lease, ended.intended_at)


def test_a_refused_approval_forgets_the_receipt() -> None:
    """An open order hangs on no receipt."""
    ended = apply(apply(Payment(), _event(What.APPROVAL_INTENDED)), _event(What.APPROVAL_REFUSED, 3))

    assert ended.receipt_id is None


def test_attention_remembers_what_it_interrupted() -> None:
    """Called twice, it still knows the state before the first call."""
    once = apply(Payment(state=State.PAID), _event(What.ATTENTION))
    twice = apply(once, _event(What.ATTENTION, 3, reason="y"))

    assert (State.PAID, State.PAID) == (once.before, twice.before)
    assert ["x", "y"] == [question.reason for question in twice.questions]
    assert "x" == twice.reason, "a later call does not take the earlier one's place"


def test_a_replaced_account_that_is_paid_after_all_leaves_the_list_of_others() -> None:
    """The receipt that pays is not also one that does not."""
    payment = apply(Payment(), _event(What.ACCOUNT_ISSUED))
    payment = apply(payment, _event(What.ACCOUNT_WITHDRAWN, 3, set_aside=True))
    aside = payment.others
    payment = apply(apply(payment, _event(What.ACCOUNT_ISSUED, 4, receipt_id=R2)), _event(What.PAID, 5))

    assert [R1] == [other.receipt_id for other in aside]
    assert (R1, ()) == (payment.receipt_id, payment.others)


@pytest.mark.parametrize(
    ("state", "cancelled", "shown"),
    [
        (State.OPEN, 0, "open"),
        (State.AWAITING_DEPOSIT, 0, "awaiting_deposit"),
        (State.CONFIRMING, 0, "pending"),
        (State.CANCELLING, 300, "pending"),
        (State.PAID, 0, "paid"),
        (State.PAID, 1, "partially_cancelled"),
        (State.PAID, 999, "partially_cancelled"),
        (State.CANCELLED, 1000, "cancelled"),
        (State.EXPIRED, 0, "expired"),
        (State.ATTENTION, 300, "attention"),
    ],
)
def test_users_see_one_word(state: State, cancelled: int, shown: str) -> None:
    """Eight words for users; intents are `pending`."""
    order = Order(id=OrderId("o1"), price=Money(1000), name="양말")

    assert shown == shown_state(order, Payment(state=state, cancelled=cancelled))
