"""Many workers, one index that follows late: each gets a share of what is due, and nothing is given twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.adapters.dynamodb.table import Answer, Request, TableRefused
from dojang.core.decision import Decision, Pending
from dojang.core.delivery import Delivery, DeliveryState, Lane
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, What
from dojang.errors import StoreUnavailable
from dojang.ports import Notice

from .dynamodb_local import REGION, Watched, fresh_backend, local_way

pytestmark = pytest.mark.xdist_group("dynamodb")

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
MUCH_LATER = NOW + timedelta(hours=10)
WORKERS = 8


@pytest.fixture
def backend(watched: Watched) -> Iterator[DynamoDBBackend]:
    """An empty store whose index is in one part, so that what is in front is in front of everything."""
    with closing(fresh_backend(watched, shards=1)) as backend:
        watched.calls.clear()
        yield backend


class Lagging(Watched):
    """A way to the server whose `due` index stands still while a test says so: it shows what it showed before."""

    def __init__(self) -> None:
        super().__init__(local_way())
        self.standing_still = False
        self._shown: dict[str, Answer] = {}

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
        if request.get("IndexName") != "due":
            return super().call(operation, request, within_s)
        asked = repr((request["ExpressionAttributeValues"], request.get("ExclusiveStartKey")))
        if not self.standing_still or asked not in self._shown:
            self._shown[asked] = super().call(operation, request, within_s)
        return self._shown[asked]


def _register(backend: DynamoDBBackend, order_id: str, due_at: datetime | None = None) -> None:
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    backend.register(Order(id=OrderId(order_id), price=Money(1000), name="양말"), event, due_at)


def _owe(backend: DynamoDBBackend, order_id: str, *seqs: int, due_at: datetime = NOW) -> None:
    _register(backend, order_id)
    record = backend.load(OrderId(order_id))
    assert record is not None
    owes = tuple(
        Delivery(
            id=f"{order_id}:{seq}:notice",
            order_id=record.order.id,
            seq=seq,
            lane=Lane.NOTICE,
            type="order.paid",
            created_at=NOW,
            due_at=due_at,
        )
        for seq in seqs or (2,)
    )
    step = Event(version=2, at=NOW, what=What.RECEIPT_REFUSED, who="bootpay", data={})
    decision = Decision(
        payment=record.payment,
        version=2,
        events=(step,),
        owes=owes,
        claims=(),
        due_at=None,
        answer=Pending(),
    )
    backend.commit(record, decision)


def _claim(backend: DynamoDBBackend, now: datetime = NOW, limit: int = 1) -> list[str]:
    return [owed.id for owed in backend.claim_deliveries(now, now + timedelta(hours=1), limit)]


def test_eight_workers_share_two_hundred_orders(watched: Watched) -> None:
    """Every claim finds work until there is none; nothing is given twice, and little is reached for twice."""
    with closing(fresh_backend(watched)) as first:
        for number in range(200):
            _owe(first, f"o{number:03d}")
        watched.calls.clear()
        together = threading.Barrier(WORKERS)
        shares: list[list[str]] = []

        def work() -> None:
            own = DynamoDBBackend(first._table, REGION, way=watched, patience_s=60)
            share = []
            for _ in range(200 // WORKERS):
                together.wait(timeout=60)
                share += _claim(own)
            shares.append(share)

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        given = [delivery_id for share in shares for delivery_id in share]
        nothing = _claim(first)

    assert [25] * WORKERS == [len(share) for share in shares]
    assert 200 == len(set(given))
    assert [] == nothing
    # Were all of them to begin with the oldest each time, every round of eight would take 36 tries.
    assert watched.operations.count("UpdateItem") < 2 * 200


def test_a_free_lane_is_found_behind_pages_of_waiting_ones(backend: DynamoDBBackend) -> None:
    """Fifty orders' deliveries wait behind one that was postponed; a new order's does not, and is all that is given."""
    for number in range(50):
        _owe(backend, f"o{number:02d}", 2, 3, 4)
    for postponed in backend.claim_deliveries(NOW, LATER, 50):
        assert backend.settle_delivery(replace(postponed, due_at=MUCH_LATER, last_error="503"))
    _owe(backend, "free", due_at=LATER)

    assert [["free:2:notice"], []] == [_claim(backend, LATER), _claim(backend, LATER)]


@pytest.mark.parametrize("became", [DeliveryState.SETTLED, DeliveryState.DUE])
def test_what_the_index_still_shows_stands_in_nobodys_way(became: DeliveryState) -> None:
    """Twenty-five deliveries are settled or under way, and the index has not heard of it: the next one is given."""
    way = Lagging()
    with closing(fresh_backend(way, shards=1)) as backend:
        for number in range(25):
            _owe(backend, f"o{number:02d}")
        _owe(backend, "fresh", due_at=LATER)
        shown = [item for page in backend._due._pages(list(Lane), LATER, 1) for item in page]
        way.standing_still = True
        for number in range(25):
            taken = backend._outbox.of(OrderId(f"o{number:02d}"))[0]
            claimed = backend._outbox._take(taken, LATER, MUCH_LATER)
            assert claimed is not None
            if became is DeliveryState.SETTLED:
                assert backend.settle_delivery(replace(claimed, state=became, settled_at=LATER))
        found = _claim(backend, LATER)

    assert 26 == len(shown)
    assert ["fresh:2:notice"] == found


def test_notices_and_checks_behind_what_the_index_still_shows_are_found() -> None:
    """One worker has taken the first; another, to whom the index shows it still, gets the second."""
    way = Lagging()
    with closing(fresh_backend(way, shards=1)) as backend:
        for number in range(2):
            _register(backend, f"o{number}", due_at=NOW + timedelta(seconds=number))
            backend.receive(Notice(receipt_id=ReceiptId(f"{number:024x}")), NOW, NOW)
        checks = list(backend.claim_checks(LATER, MUCH_LATER, 1))
        notices = list(backend.claim_notices(LATER, MUCH_LATER, 1))
        way.standing_still = True
        checks += backend.claim_checks(LATER, MUCH_LATER, 1)
        notices += backend.claim_notices(LATER, MUCH_LATER, 1)
        nothing = (backend.claim_checks(LATER, MUCH_LATER, 1), backend.claim_notices(LATER, MUCH_LATER, 1))

    assert ["o0", "o1"] == checks
    assert 2 == len({stored.notice.key for stored in notices})
    assert ([], []) == nothing


def test_a_claim_that_has_enough_reads_no_further(backend: DynamoDBBackend, watched: Watched) -> None:
    """One page and no more, also where the index has more to show."""
    for number in range(21):
        _register(backend, f"o{number:02d}", due_at=NOW)
    watched.calls.clear()
    claimed = backend.claim_checks(LATER, MUCH_LATER, 20)

    assert 20 == len(claimed)
    assert 1 == watched.operations.count("Query")


def test_a_claim_looks_at_four_hundred_at_most(backend: DynamoDBBackend, watched: Watched) -> None:
    """Whatever the index shows, a claim's cost has an end; what it passed over is left to the next one."""
    due = backend._due
    for number in range(420):
        _register(backend, f"o{number:03d}", due_at=NOW)
    looked_at: list[int] = []

    def take(items: object, wanted: int) -> list[None]:
        looked_at.append(wanted)
        return [None]

    claimed = due.claim(["check"], NOW, 1, take)

    assert [] == claimed
    assert [1] * 400 == looked_at


def test_who_met_somebody_begins_elsewhere_for_a_while(backend: DynamoDBBackend) -> None:
    """Alone, a worker takes what is longest due; once it came second it begins elsewhere, and later comes back."""
    for number in range(5):
        _register(backend, f"o{number}", due_at=NOW + timedelta(seconds=number))
    due, now_s, reached_for = backend._due, [100.0], []
    due._clock = lambda: now_s[0]
    order = iter(range(0, -1000, -1))
    due._spread = lambda: float(next(order))  # turns every row around

    def take(items: list[dict[str, object]], _: int) -> list[object]:
        reached_for.append(str(items[0]["pk"].s))  # type: ignore[attr-defined]
        return [None] if len(reached_for) == 2 else [items[0]]

    for wait_s in (0.0, 0.0, 4.9, 0.2):
        now_s[0] += wait_s
        due.claim(["check"], LATER, 1, take)  # type: ignore[arg-type]

    # Alone; second, hence another one at once; elsewhere from the start; and alone again.
    assert ["O#o0", "O#o0", "O#o4", "O#o4", "O#o0"] == reached_for


def test_what_is_claimed_is_given_though_the_table_fails_before_there_is_enough(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """Nobody else could have it before its lease is over; with nothing to give, the failure is told."""
    for number in range(3):
        _register(backend, f"o{number}", due_at=NOW + timedelta(seconds=number))
    busy = TableRefused("AccessDeniedException", "x")
    somebody_was_quicker = TableRefused("ConditionalCheckFailedException", "x")
    real: Callable[[str, Request, float], Answer] = watched._way.call
    fates: list[TableRefused | None] = [None, somebody_was_quicker, busy, busy, busy, busy]

    def failing(operation: str, request: Request, within_s: float, /) -> Answer:
        fate = fates.pop(0) if operation == "UpdateItem" else None
        if fate is not None:
            raise fate
        return real(operation, request, within_s)

    watched._way.call = failing  # type: ignore[method-assign]
    claimed = backend.claim_checks(LATER, MUCH_LATER, 2)
    with pytest.raises(StoreUnavailable, match="AccessDenied"):
        backend.claim_checks(LATER, MUCH_LATER, 2)

    assert 1 == len(claimed)
