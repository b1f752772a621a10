"""Notices in order per order, without the waiting ones in anybody's way; money back behind nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.adapters.dynamodb.table import Answer, Request
from dojang.core.decision import Decision, Pending
from dojang.core.delivery import Delivery, DeliveryState, Lane
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import Event, Record, What
from dojang.errors import StoreUnavailable

from .dynamodb_local import Watched, fresh_backend

pytestmark = pytest.mark.xdist_group("dynamodb")

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
MUCH_LATER = NOW + timedelta(hours=10)


@pytest.fixture
def backend(watched: Watched) -> Iterator[DynamoDBBackend]:
    """An empty store."""
    with closing(fresh_backend(watched, patience_s=1.0)) as backend:
        yield backend


def _owed(order_id: str, seq: int, lane: Lane = Lane.NOTICE, due_at: datetime = NOW) -> Delivery:
    return Delivery(
        id=f"{order_id}:{seq}:{lane}",
        order_id=OrderId(order_id),
        seq=seq,
        lane=lane,
        type="order.paid",
        created_at=NOW,
        due_at=due_at,
    )


def _owe(backend: DynamoDBBackend, *owes: Delivery) -> Record:
    order_id = owes[0].order_id
    record = backend.load(order_id)
    if record is None:
        event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
        record, _ = backend.register(Order(id=order_id, price=Money(1000), name="양말"), event, None)
    step = Event(version=record.version + 1, at=NOW, what=What.RECEIPT_REFUSED, who="bootpay", data={})
    decision = Decision(
        payment=record.payment,
        version=step.version,
        events=(step,),
        owes=owes,
        claims=(),
        due_at=None,
        answer=Pending(),
    )
    return backend.commit(record, decision)


def _claim(backend: DynamoDBBackend, now: datetime, limit: int = 10) -> list[str]:
    return [owed.id for owed in backend.claim_deliveries(now, now + timedelta(minutes=1), limit)]


def _postponed(backend: DynamoDBBackend, order_id: str, until: datetime) -> Delivery:
    """The shop did not answer: the order's leader waits."""
    lead = next(
        owed for owed in backend.claim_deliveries(NOW, LATER, 100) if owed.order_id == OrderId(order_id)
    )
    postponed = replace(lead, due_at=until, last_error="503")
    assert backend.settle_delivery(postponed)
    return postponed


def test_a_shop_that_is_down_does_not_hide_other_orders(watched: Watched, backend: DynamoDBBackend) -> None:
    """Twelve notices wait behind one that was postponed; a new order's notice is still found at once, and cheaply."""
    _owe(backend, *(_owed("down", seq) for seq in range(2, 15)))
    _postponed(backend, "down", MUCH_LATER)
    _owe(backend, _owed("fine", 2, due_at=LATER))
    found = _claim(backend, LATER, limit=1)
    watched.calls.clear()
    nothing = _claim(backend, LATER, limit=50)

    assert ["fine:2:notice"] == found
    assert [] == nothing
    # The waiting ones are not even looked at any more: one question per shard and lane is all.
    assert 16 == len(watched.calls)


def test_who_stepped_aside_goes_on_as_soon_as_the_leader_is_done(backend: DynamoDBBackend) -> None:
    """A retried leader that arrives early frees its lane early, in order."""
    _owe(backend, *(_owed("o1", seq) for seq in (2, 3, 4)))
    postponed = _postponed(backend, "o1", MUCH_LATER)
    waiting = _claim(backend, LATER)
    backend.retry_delivery(postponed.id, LATER)
    order = []
    for _ in range(3):
        claimed = backend.claim_deliveries(LATER, LATER + timedelta(minutes=1), 10)
        order += [owed.id for owed in claimed]
        for owed in claimed:
            backend.settle_delivery(replace(owed, state=DeliveryState.SETTLED, settled_at=LATER))

    assert [] == waiting
    assert ["o1:2:notice", "o1:3:notice", "o1:4:notice"] == order


def test_a_process_that_dies_after_settling_leaves_the_next_one_late_but_not_lost(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """The crash window between a settlement and who comes next closes when the leader would have been due."""
    _owe(backend, _owed("o1", 2), _owed("o1", 3))
    lead = _postponed(backend, "o1", LATER)
    hidden = _claim(backend, NOW)
    again = backend.claim_deliveries(LATER, MUCH_LATER, 10)[0]
    watched.faults.append(("Query", StoreUnavailable("the process dies here"), "before"))
    with pytest.raises(StoreUnavailable):
        backend.settle_delivery(replace(again, state=DeliveryState.SETTLED, settled_at=LATER))

    assert lead.id == again.id
    assert [] == hidden
    assert ["o1:3:notice"] == _claim(backend, LATER)


def test_stepping_aside_never_hides_who_has_come_to_lead(watched: Watched, backend: DynamoDBBackend) -> None:
    """The leader is settled between our look at the lane and our word to the one behind: that word does not count."""
    _owe(backend, _owed("o1", 2), _owed("o1", 3))
    postponed = _postponed(backend, "o1", MUCH_LATER)
    real = watched._way.call

    def settled_meanwhile(operation: str, request: Request, within_s: float, /) -> Answer:
        if operation == "TransactWriteItems":
            watched._way.call = real  # type: ignore[method-assign]
            backend.retry_delivery(postponed.id, LATER)
            lead = backend.claim_deliveries(LATER, MUCH_LATER, 1)[0]
            backend.settle_delivery(replace(lead, state=DeliveryState.SETTLED, settled_at=LATER))
        return real(operation, request, within_s)

    watched._way.call = settled_meanwhile  # type: ignore[method-assign]
    first = _claim(backend, LATER)
    second = _claim(backend, LATER)

    assert ["o1:3:notice"] == first + second


def test_two_debts_of_one_step_go_together(backend: DynamoDBBackend) -> None:
    """Notices of one decision have no order among themselves; what comes later waits for both."""
    one, other = (replace(_owed("o1", 2), id=f"o1:2:order_{kind}") for kind in ("attention", "paid"))
    _owe(backend, one, other, _owed("o1", 3))
    both = _claim(backend, NOW)
    first, second = (owed for owed in backend.deliveries(OrderId("o1")) if owed.seq == 2)
    backend.settle_delivery(replace(first, state=DeliveryState.SETTLED, settled_at=NOW))
    waiting = _claim(backend, NOW)
    backend.settle_delivery(replace(second, state=DeliveryState.SETTLED, settled_at=NOW))

    assert [one.id, other.id] == both
    assert [] == waiting
    assert ["o1:3:notice"] == _claim(backend, NOW)


def test_money_back_that_stepped_aside_for_another_is_late_and_not_lost(backend: DynamoDBBackend) -> None:
    """A release before let it wait as notices do: it is found with the next one of its order, or at that one's time."""
    _owe(backend, _owed("o1", 2, Lane.MONEY_BACK), _owed("o1", 3, Lane.MONEY_BACK))
    (lead,) = backend.claim_deliveries(NOW, LATER, 1)
    backend.settle_delivery(replace(lead, due_at=MUCH_LATER, last_error="refused"))
    one, other = backend._outbox._queue("O#o1", Lane.MONEY_BACK)
    backend._outbox._step_aside(other, one)
    hidden = _claim(backend, LATER)
    backend.retry_delivery(lead.id, LATER)

    assert [] == hidden
    assert ["o1:2:money_back", "o1:3:money_back"] == sorted(_claim(backend, LATER))


def test_a_limit_holds_where_one_lane_has_two_leaders(backend: DynamoDBBackend) -> None:
    """Nobody gets more than asked for."""
    one = replace(_owed("o1", 2, Lane.MONEY_BACK), id=f"o1:{'a' * 24}:money_back")
    other = replace(_owed("o1", 2, Lane.MONEY_BACK), id=f"o1:{'b' * 24}:money_back")
    _owe(backend, one, other)

    assert [[one.id], [other.id], []] == [_claim(backend, NOW, limit=1) for _ in range(3)]


@pytest.mark.parametrize(
    "delivery_id",
    ["", ":", "::", "nobody", "a:b:c", "주문:1:x", "주" * 400 + ":1:x", "x" * 4000, "\ud800:1:x", "\0"],
)
def test_retrying_what_nobody_owes_is_none(backend: DynamoDBBackend, delivery_id: str) -> None:
    """Text from a stranger is no error."""
    assert backend.retry_delivery(delivery_id, NOW) is None


def test_one_debt_per_id_whatever_step_owes_it_again(backend: DynamoDBBackend) -> None:
    """Money goes back once per receipt, also where a later version of the order decides so again."""
    owed = replace(_owed("o1", 2, Lane.MONEY_BACK), id=f"o1:{'a' * 24}:money_back")
    _owe(backend, owed)
    _owe(backend, replace(owed, seq=3), _owed("o1", 3))

    assert [(owed.id, 2), ("o1:3:notice", 3)] == [(d.id, d.seq) for d in backend.deliveries(OrderId("o1"))]
