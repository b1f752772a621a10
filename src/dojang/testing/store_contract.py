"""The promises of `dojang.ports.Store`, as tests that every Backend must pass.

    class TestSqlite(StoreContract):
        @pytest.fixture
        def backend(self, tmp_path):
            backend = SqliteBackend(tmp_path / "dojang.db")
            yield backend
            backend.close()

`backend` is empty at the start of each test and is called from many threads at once.
"""
# ruff: noqa: SIM300 - in tests the expectation comes first

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dojang.adapters.store import Backend
from dojang.core.decision import Decision, Pending
from dojang.core.delivery import Delivery, DeliveryState, Lane, delivery_id
from dojang.core.history import apply, fold
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, Record, State, What
from dojang.errors import Conflict
from dojang.ports import Notice, OrderFilter, StoredNotice

__all__ = ["StoreContract"]

T = TypeVar("T")

_NOW = datetime(2026, 11, 23, 5, 0, 0, 123456, tzinfo=UTC)
_LATER = _NOW + timedelta(minutes=1)
_CONTENDERS = 16


def _receipt_id(number: int) -> ReceiptId:
    return ReceiptId(f"{number:024x}")


def _order(order_id: str = "o1", **terms: object) -> Order:
    wanted: dict[str, object] = {"price": Money(1000), "name": "양말 두 켤레"}
    return Order(id=OrderId(order_id), **(wanted | terms))  # type: ignore[arg-type]  # a test's terms


def _registered(
    backend: Backend,
    order_id: str = "o1",
    at: datetime = _NOW,
    due_at: datetime | None = None,
    **terms: object,
) -> Record:
    event = Event(version=1, at=at, what=What.REGISTERED, who="shop", data={"price": 1000})
    return backend.register(_order(order_id, **terms), event, due_at)[0]


def _decision(
    record: Record,
    *steps: tuple[What, dict[str, object]],
    claims: Sequence[ReceiptId] = (),
    owes: Sequence[Delivery] = (),
    due_at: datetime | None = None,
    at: datetime = _LATER,
) -> Decision:
    payment, events = record.payment, []
    for version, (what, data) in enumerate(steps, record.version + 1):
        events.append(Event(version=version, at=at, what=what, who="bootpay", data=data))
        payment = apply(payment, events[-1])
    return Decision(
        payment=payment,
        version=record.version + len(events),
        events=tuple(events),
        owes=tuple(owes),
        claims=tuple(claims),
        due_at=due_at,
        answer=Pending(),
    )


def _noted(number: int = 1) -> tuple[What, dict[str, object]]:
    data: dict[str, object] = {
        "receipt_id": str(_receipt_id(number)),
        "price": 900,
        "reason": "amount_mismatch",
    }
    return What.RECEIPT_REFUSED, data


def _paid(number: int = 1) -> tuple[What, dict[str, object]]:
    data: dict[str, object] = {"receipt_id": str(_receipt_id(number)), "paid_at": _NOW.isoformat()}
    return What.PAID, data


def _owed(
    order_id: str = "o1", seq: int = 2, *, lane: Lane = Lane.NOTICE, due_at: datetime = _NOW, **more: object
) -> Delivery:
    wanted: dict[str, object] = {
        "id": delivery_id(OrderId(order_id), seq, lane),
        "order_id": OrderId(order_id),
        "seq": seq,
        "lane": lane,
        "type": "order.paid" if lane is Lane.NOTICE else "money_back",
        "data": {"order_id": order_id},
        "created_at": _NOW,
        "due_at": due_at,
    }
    return Delivery(**(wanted | more))  # type: ignore[arg-type]  # a test's terms


def _owing(backend: Backend, *owes: Delivery, order_id: str = "o1") -> Record:
    record = backend.load(OrderId(order_id)) or _registered(backend, order_id)
    return backend.commit(record, _decision(record, _noted(), owes=owes))


def _refused(do: Callable[[], object]) -> bool:
    try:
        do()
    except Conflict:
        return True
    return False


def _race(contend: Callable[[int], T]) -> list[T | Exception]:
    """Let many threads start at the same moment; what each of them got, or was refused with."""
    start = threading.Barrier(_CONTENDERS)
    results: list[T | Exception] = []

    def one(number: int) -> None:
        start.wait(timeout=30)
        try:
            result: T | Exception = contend(number)
        except Exception as error:  # noqa: BLE001 - shown by the assertion that follows
            result = error
        results.append(result)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(_CONTENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def _winners(results: Sequence[object]) -> tuple[int, int]:
    """How many won and how many were refused by a Conflict; everything else is a fault and counts for neither."""
    lost = sum(isinstance(result, Conflict) for result in results)
    return sum(not isinstance(result, Exception) for result in results), lost


class StoreContract:
    """Subclass it, give it a `backend` fixture, and pytest holds the backend to every promise of the port."""

    # Orders

    def test_a_new_order_is_open_and_comes_back_as_it_was(self, backend: Backend) -> None:
        """Every term survives the way to the store and back, to the microsecond and the letter."""
        order = _order(
            "A.b_c~d:e-1",
            price=Money(1999, "USD"),
            tax_free=999,
            name="양말 '두' 켤레; \"큰\" \\ 🧦",
            expires_at=_NOW + timedelta(days=1, microseconds=1),
            metadata={"말": "안녕", "i": 2**53, "f": 0.1, "t": True, "n": None, "e": "", "neg": -7},
        )
        event = Event(version=1, at=_NOW, what=What.REGISTERED, who="shop", data={"price": 1999, "말": None})
        made, created = backend.register(order, event, _LATER)

        assert created
        assert made == backend.load(order.id)
        assert order == made.order
        assert (1, State.OPEN, _NOW, _LATER, None) == (
            made.version,
            made.payment.state,
            made.created_at,
            made.due_at,
            made.claimed_by,
        )
        assert {"t": bool, "i": int, "f": float} == {k: type(made.order.metadata[k]) for k in ("t", "i", "f")}
        assert [event] == list(backend.history(order.id))

    def test_registering_again_gives_what_is_there_whatever_the_terms(self, backend: Backend) -> None:
        """An order's terms never change: the second registration is told of the first and leaves no trace."""
        first = _registered(backend, due_at=_LATER)
        other = Event(version=1, at=_LATER, what=What.REGISTERED, who="shop", data={"price": 5})
        again, created = backend.register(_order(price=Money(5), name="x"), other, None)

        assert (first, False) == (again, created)
        assert 1 == len(backend.history(OrderId("o1")))

    def test_an_unknown_order_is_none_and_has_nothing(self, backend: Backend) -> None:
        """Asking for what is not there is no error."""
        nobody = OrderId("nobody")

        assert backend.load(nobody) is None
        assert backend.load(nobody, _receipt_id(1)) is None
        assert ([], []) == (list(backend.history(nobody)), list(backend.deliveries(nobody)))

    def test_the_same_registration_again_moves_no_check(self, backend: Backend) -> None:
        """A shop that repeats its request neither hastens nor delays the look at the order."""
        first = _registered(backend, due_at=_NOW)
        again = _registered(backend, at=_LATER, due_at=_LATER)

        assert (first, first) == (again, backend.load(first.order.id))

    def test_a_commit_tells_of_no_receipt_that_was_asked_about_before(self, backend: Backend) -> None:
        """Whose a receipt was is the answer to one load; what is committed no longer speaks of it."""
        first = _registered(backend)
        backend.commit(first, _decision(first, _noted(), claims=[_receipt_id(1)]))
        asked = backend.load(first.order.id, _receipt_id(1))
        assert asked is not None
        committed = backend.commit(asked, _decision(asked, _paid()))

        assert (first.order.id, None) == (asked.claimed_by, committed.claimed_by)
        assert committed == backend.load(first.order.id)

    def test_a_claimed_check_is_no_step_of_the_order(self, backend: Backend) -> None:
        """Only the next check moves: a decision on what was loaded before the claim still holds."""
        before = _registered(backend, due_at=_NOW)
        backend.claim_checks(_NOW, _LATER, 10)
        after = backend.load(before.order.id)
        committed = backend.commit(before, _decision(before, _noted()))

        assert replace(before, due_at=_LATER) == after
        assert 2 == committed.version

    def test_sixteen_registrations_of_one_id_make_one_order(self, backend: Backend) -> None:
        """Exactly one contender creates the order; all the others are given that one."""

        def contend(number: int) -> tuple[int, bool]:
            event = Event(version=1, at=_NOW, what=What.REGISTERED, who="shop", data={})
            record, created = backend.register(_order(price=Money(1000 + number)), event, None)
            return record.order.price.minor, created

        results = _race(contend)

        assert _CONTENDERS == sum(isinstance(result, tuple) for result in results)
        assert 1 == sum(result[1] for result in results if isinstance(result, tuple))
        assert 1 == len({result[0] for result in results if isinstance(result, tuple)})

    # Commit

    def test_a_commit_writes_state_events_claims_and_what_is_owed(self, backend: Backend) -> None:
        """What is decided together is on file together."""
        record = _registered(backend)
        decision = _decision(
            record, _paid(), claims=[_receipt_id(1)], owes=[_owed()], due_at=_LATER + timedelta(days=1)
        )
        committed = backend.commit(record, decision)
        loaded = backend.load(record.order.id, _receipt_id(1))

        assert loaded is not None
        assert committed == replace(loaded, claimed_by=None)
        assert (2, State.PAID, decision.due_at, record.order.id) == (
            loaded.version,
            loaded.payment.state,
            loaded.due_at,
            loaded.claimed_by,
        )
        assert decision.payment == loaded.payment
        assert [_owed()] == list(backend.deliveries(record.order.id))

    def test_a_payment_with_every_field_comes_back_as_it_was(self, backend: Backend) -> None:
        """Accounts, leases, intents, other receipts and requests survive, to the microsecond."""
        record = _registered(backend)
        lease = (_NOW + timedelta(seconds=45, microseconds=1)).isoformat()
        account: dict[str, object] = {
            "bank_name": "기업",
            "bank_code": "003",
            "number": "0123",
            "holder": "상점",
            "expires_at": _LATER.isoformat(),
        }
        issued: dict[str, object] = {"receipt_id": str(_receipt_id(2)), "account": account}
        record = backend.commit(record, _decision(record, (What.ACCOUNT_ISSUED, issued), _noted(7)))
        with_account = backend.load(record.order.id)
        cancel: dict[str, object] = {
            "cancel_id": "c" * 32,
            "fingerprint": "f",
            "amount": 300,
            "tax_free": 100,
            "reason": "환불",
            "lease_until": lease,
        }
        record = backend.commit(record, _decision(record, _paid(2), (What.CANCEL_INTENDED, cancel)))
        with_intent = backend.load(record.order.id)
        record = backend.commit(record, _decision(record, (What.ATTENTION, {"reason": "사람이 봐야 함"})))

        assert with_account is not None
        assert with_intent is not None
        assert with_account.payment == fold(backend.history(record.order.id)[:3])
        assert with_account.payment.account is not None
        assert with_intent.payment == fold(backend.history(record.order.id)[:5])
        assert with_intent.payment.lease is not None
        assert backend.load(record.order.id) == record

    def test_a_stale_version_changes_nothing_at_all(self, backend: Backend) -> None:
        """Who loaded before somebody else committed is refused, and nothing of the decision is stored."""
        stale = _registered(backend)
        moved_on = backend.commit(stale, _decision(stale, _noted()))
        decision = _decision(stale, _paid(2), claims=[_receipt_id(2)], owes=[_owed(seq=9)], due_at=_LATER)

        assert _refused(lambda: backend.commit(stale, decision))
        assert moved_on == backend.load(stale.order.id)
        assert 2 == len(backend.history(stale.order.id))
        assert [] == list(backend.deliveries(stale.order.id))
        assert self._owner(backend, _receipt_id(2)) is None

    def test_a_receipt_of_another_order_changes_nothing_at_all(self, backend: Backend) -> None:
        """A receipt belongs to one order for ever; the conflict is found last and undoes everything before it."""
        thief, owner = _registered(backend, "thief"), _registered(backend, "owner")
        backend.commit(owner, _decision(owner, _paid(5), claims=[_receipt_id(5)]))
        decision = _decision(
            thief, _paid(5), claims=[_receipt_id(4), _receipt_id(5)], owes=[_owed("thief")], due_at=_LATER
        )

        assert _refused(lambda: backend.commit(thief, decision))
        assert thief == backend.load(thief.order.id)
        assert 1 == len(backend.history(thief.order.id))
        assert [] == list(backend.deliveries(thief.order.id))
        assert (None, owner.order.id) == (
            self._owner(backend, _receipt_id(4)),
            self._owner(backend, _receipt_id(5)),
        )

    def test_claiming_ones_own_receipt_again_is_no_conflict(self, backend: Backend) -> None:
        """The same order may decide about its receipt as often as it likes."""
        record = _registered(backend)
        record = backend.commit(record, _decision(record, _noted(), claims=[_receipt_id(1)]))
        record = backend.commit(record, _decision(record, _paid(), claims=[_receipt_id(1)]))

        assert record.order.id == self._owner(backend, _receipt_id(1))

    def test_an_unknown_order_cannot_be_committed(self, backend: Backend) -> None:
        """A record that the store does not have is a conflict, not a new order."""
        record = replace(_registered(backend), order=_order("other"))

        assert _refused(lambda: backend.commit(record, _decision(record, _noted())))
        assert backend.load(OrderId("other")) is None

    def test_owing_the_same_id_again_does_not_owe_it_twice(self, backend: Backend) -> None:
        """What is owed keeps its id and its progress, however often it is decided."""
        _owing(backend, _owed())
        claimed = backend.claim_deliveries(_NOW, _LATER, 10)[0]
        backend.settle_delivery(replace(claimed, state=DeliveryState.SETTLED, settled_at=_LATER))
        _owing(backend, _owed())

        assert [(1, DeliveryState.SETTLED)] == [
            (owed.attempts, owed.state) for owed in backend.deliveries(OrderId("o1"))
        ]

    def test_history_is_consecutive_and_folds_to_the_stored_payment(self, backend: Backend) -> None:
        """The history is the whole truth: its fold is the state on file."""
        record = _registered(backend)
        for number in range(1, 6):
            record = backend.commit(record, _decision(record, _noted(number), _noted(number + 10)))
        events = backend.history(record.order.id)
        loaded = backend.load(record.order.id)

        assert loaded is not None
        assert list(range(1, 12)) == [event.version for event in events]
        assert fold(events) == loaded.payment

    def test_a_decision_without_events_moves_only_the_next_check(self, backend: Backend) -> None:
        """Looking without finding anything is no step in the history."""
        record = _registered(backend)
        committed = backend.commit(record, _decision(record, due_at=_LATER))

        assert (1, _LATER) == (committed.version, committed.due_at)
        assert committed == backend.load(record.order.id)

    def test_sixteen_decisions_on_one_version_leave_one(self, backend: Backend) -> None:
        """Exactly one of the contenders advances the order; the others must reload."""
        record = _registered(backend)
        results = _race(
            lambda number: backend.commit(
                record, _decision(record, _paid(number), claims=[_receipt_id(number)], owes=[_owed(seq=2)])
            )
        )
        loaded = backend.load(record.order.id)

        assert (1, _CONTENDERS - 1) == _winners(results)
        assert loaded is not None
        assert 2 == loaded.version == len(backend.history(record.order.id))
        assert 1 == sum(
            self._owner(backend, _receipt_id(number)) is not None for number in range(_CONTENDERS)
        )

    def test_sixteen_orders_with_one_receipt_leave_one_paid(self, backend: Backend) -> None:
        """A receipt pays at most one order, however many ask at once."""
        records = [_registered(backend, f"o{number}") for number in range(_CONTENDERS)]
        results = _race(
            lambda number: backend.commit(
                records[number],
                _decision(records[number], _paid(), claims=[_receipt_id(1)], owes=[_owed(f"o{number}")]),
            )
        )
        loaded = [backend.load(record.order.id) for record in records]

        assert (1, _CONTENDERS - 1) == _winners(results)
        assert 1 == sum(record is not None and record.payment.state is State.PAID for record in loaded)
        assert 1 == sum(len(backend.deliveries(record.order.id)) for record in records)

    @staticmethod
    def _owner(backend: Backend, receipt_id: ReceiptId) -> OrderId | None:
        """Whose a receipt is; any order may ask."""
        anybody = backend.load(_registered(backend, "anybody").order.id, receipt_id)
        assert anybody is not None
        return anybody.claimed_by

    # Lists

    def test_orders_come_newest_first_page_by_page(self, backend: Backend) -> None:
        """Pages join without gap or repeat, even where many orders are of the same moment."""
        for number in range(7):
            _registered(backend, f"o{number}", at=_NOW + timedelta(seconds=number // 3))
        seen, cursor = [], None
        for _ in range(10):
            page = backend.orders(OrderFilter(limit=2, cursor=cursor))
            seen += [str(record.order.id) for record in page.records]
            cursor = page.next_cursor
            if cursor is None:
                break
            _registered(backend, f"new{len(seen)}", at=_NOW + timedelta(hours=1))

        assert ["o6", "o5", "o4", "o3", "o2", "o1", "o0"] == seen

    def test_orders_are_filtered_by_shown_state_and_age(self, backend: Backend) -> None:
        """`created_from` is included and `created_to` is not; the state is the one users see."""
        for number in range(4):
            _registered(backend, f"o{number}", at=_NOW + timedelta(seconds=number))
        paid = backend.load(OrderId("o1"))
        assert paid is not None
        part: dict[str, object] = {"cancelled": 300, "cancelled_tax_free": 0}
        backend.commit(paid, _decision(paid, _paid(), (What.PARTIALLY_CANCELLED, part)))

        def ids(**wanted: object) -> list[str]:
            page = backend.orders(OrderFilter(**wanted))  # type: ignore[arg-type]  # a test's filter
            return [str(record.order.id) for record in page.records]

        assert ["o1"] == ids(state="partially_cancelled")
        assert [] == ids(state="paid")
        assert ["o3", "o2", "o0"] == ids(state="open")
        assert ["o2", "o1"] == ids(
            created_from=_NOW + timedelta(seconds=1), created_to=_NOW + timedelta(seconds=3)
        )

    def test_a_page_that_is_exactly_full_is_the_last_one(self, backend: Backend) -> None:
        """Where nothing is left, no cursor leads on to an empty page."""
        for number in range(4):
            _registered(backend, f"o{number}", at=_NOW + timedelta(seconds=number))
        first = backend.orders(OrderFilter(limit=2))
        last = backend.orders(OrderFilter(limit=2, cursor=first.next_cursor))

        assert ["o3", "o2", "o1", "o0"] == [str(there.order.id) for there in [*first.records, *last.records]]
        assert (True, None) == (first.next_cursor is not None, last.next_cursor)

    def test_a_cursor_that_is_none_begins_at_the_first_page(self, backend: Backend) -> None:
        """Text from a stranger is not an error."""
        _registered(backend)
        for cursor in (
            "",
            "-",
            "x",
            "1",
            "-5-o1",
            "²-o1",
            "9" * 400 + "-o1",
            "1-" + "주",
            "1-'; --",
            "\ud800-a",
        ):
            page = backend.orders(OrderFilter(cursor=cursor))

            assert ["o1"] == [str(record.order.id) for record in page.records], cursor

    # Deliveries

    def test_a_delivery_comes_back_as_it_was(self, backend: Backend) -> None:
        """Every field survives, Korean text and microseconds included."""
        owed = _owed(data={"말": "안녕", "n": None, "b": False, "f": 19.99, "m": {"k": [1, "둘"]}})
        _owing(backend, owed)

        assert [owed] == list(backend.deliveries(OrderId("o1")))

    def test_a_claimed_delivery_is_nobody_elses_until_the_lease_is_over(self, backend: Backend) -> None:
        """A claim counts the attempt and hides the delivery for a while, not for ever."""
        _owing(backend, _owed())
        first = backend.claim_deliveries(_NOW, _LATER, 10)
        meanwhile = backend.claim_deliveries(_LATER - timedelta(microseconds=1), _LATER, 10)
        after = backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 10)

        assert [(1, _LATER)] == [(owed.attempts, owed.due_at) for owed in first]
        assert [] == list(meanwhile)
        assert [2] == [owed.attempts for owed in after]

    def test_nothing_is_claimed_before_it_is_due(self, backend: Backend) -> None:
        """Due means due, to the microsecond."""
        _owing(backend, _owed(due_at=_LATER))

        assert [] == list(backend.claim_deliveries(_LATER - timedelta(microseconds=1), _LATER, 10))
        assert 1 == len(backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 10))

    def test_notices_are_delivered_in_order_and_lanes_do_not_wait_for_each_other(
        self, backend: Backend
    ) -> None:
        """The second notice of an order waits for the first; money back and other orders wait for neither."""
        _owing(backend, _owed(seq=2), _owed(seq=3), _owed(seq=4, lane=Lane.MONEY_BACK))
        _owing(backend, _owed("o2"), order_id="o2")
        first = backend.claim_deliveries(_NOW, _LATER, 10)
        nothing = backend.claim_deliveries(_NOW, _LATER, 10)
        lead = next(owed for owed in first if owed.id == "o1:2:notice")
        backend.settle_delivery(replace(lead, state=DeliveryState.SETTLED, settled_at=_NOW))
        then = backend.claim_deliveries(_NOW, _LATER, 10)

        assert ["o1:2:notice", "o1:4:money_back", "o2:2:notice"] == sorted(owed.id for owed in first)
        assert [] == list(nothing)
        assert ["o1:3:notice"] == [owed.id for owed in then]

    def test_money_back_waits_for_no_other_money_back(self, backend: Backend) -> None:
        """A refund that keeps failing holds up no other one of its order; each is still only one worker's."""
        owes = [_owed(seq=seq, lane=Lane.MONEY_BACK) for seq in (2, 3, 4)]
        _owing(backend, *owes[:2])
        _owing(backend, owes[2])
        (first,) = backend.claim_deliveries(_NOW, _LATER, 1)
        others = backend.claim_deliveries(_NOW, _LATER, 10)
        meanwhile = backend.claim_deliveries(_NOW, _LATER, 10, money_back_only=True)
        for failed in (first, others[0]):
            backend.settle_delivery(replace(failed, due_at=_LATER + timedelta(hours=1), last_error="refused"))
        alone = backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 10, money_back_only=True)

        assert sorted(owed.id for owed in owes) == sorted(owed.id for owed in [first, *others])
        assert [] == list(meanwhile)
        assert [(others[1].id, 2)] == [(owed.id, owed.attempts) for owed in alone]

    def test_money_back_can_be_claimed_alone_and_notices_stay_as_they_are(self, backend: Backend) -> None:
        """Where nothing can be told to the shop, no notice is claimed, and none uses up the limit."""
        _owing(backend, _owed(), _owed(seq=3, lane=Lane.MONEY_BACK))
        _owing(backend, _owed("o2", lane=Lane.MONEY_BACK), order_id="o2")
        first = backend.claim_deliveries(_NOW, _LATER, 1, money_back_only=True)
        second = backend.claim_deliveries(_NOW, _LATER, 10, money_back_only=True)
        third = backend.claim_deliveries(_NOW, _LATER, 10, money_back_only=True)

        assert ["o1:3:money_back", "o2:2:money_back"] == [owed.id for owed in [*first, *second, *third]]
        assert _owed() == backend.deliveries(OrderId("o1"))[0]

    def test_a_postponed_delivery_keeps_its_lane_waiting_and_a_dead_one_does_not(
        self, backend: Backend
    ) -> None:
        """In order per order: what is to be repeated goes first, what was given up stands in nobody's way."""
        _owing(backend, _owed(seq=2), _owed(seq=3))
        lead = backend.claim_deliveries(_NOW, _LATER, 10)[0]
        later = _LATER + timedelta(hours=1)
        backend.settle_delivery(replace(lead, due_at=later, last_error="503"))
        waiting = backend.claim_deliveries(_LATER, _LATER, 10)
        again = backend.claim_deliveries(later, later, 10)[0]
        backend.settle_delivery(replace(again, state=DeliveryState.DEAD, last_error="410"))

        assert [] == list(waiting)
        assert ("o1:2:notice", 2) == (again.id, again.attempts)
        assert ["o1:3:notice"] == [owed.id for owed in backend.claim_deliveries(later, later, 10)]

    def test_only_the_holder_of_the_current_claim_settles(self, backend: Backend) -> None:
        """Who was too slow finds the claim taken over and changes nothing."""
        _owing(backend, _owed())
        slow = backend.claim_deliveries(_NOW, _LATER, 1)[0]
        quick = backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 1)[0]

        assert not backend.settle_delivery(replace(slow, state=DeliveryState.DEAD))
        assert backend.settle_delivery(replace(quick, state=DeliveryState.SETTLED, settled_at=_LATER))
        assert not backend.settle_delivery(replace(quick, state=DeliveryState.DUE))
        assert [(DeliveryState.SETTLED, _LATER)] == [
            (owed.state, owed.settled_at) for owed in backend.deliveries(OrderId("o1"))
        ]

    def test_settling_writes_only_how_it_went(self, backend: Backend) -> None:
        """What is owed never changes; only its progress does."""
        _owing(backend, _owed())
        claimed = backend.claim_deliveries(_NOW, _LATER, 1)[0]
        backend.settle_delivery(
            replace(claimed, data={"forged": 1}, type="x", due_at=_LATER, last_error="말")
        )

        assert [replace(_owed(), attempts=1, due_at=_LATER, last_error="말")] == list(
            backend.deliveries(OrderId("o1"))
        )

    def test_a_person_can_have_it_tried_again_unless_it_is_settled(self, backend: Backend) -> None:
        """A delivery given up is due at once; one that arrived stays as it is; an unknown one is none."""
        _owing(backend, _owed())
        claimed = backend.claim_deliveries(_NOW, _LATER, 1)[0]
        backend.settle_delivery(replace(claimed, state=DeliveryState.DEAD, last_error="410"))
        retried = backend.retry_delivery(claimed.id, _LATER)
        again = backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 1)[0]
        backend.settle_delivery(replace(again, state=DeliveryState.SETTLED, settled_at=_LATER))
        settled = backend.retry_delivery(claimed.id, _LATER)

        assert retried is not None
        assert (DeliveryState.DUE, _LATER) == (retried.state, retried.due_at)
        assert settled is not None
        assert DeliveryState.SETTLED is settled.state
        assert [] == list(backend.claim_deliveries(_LATER + timedelta(days=1), _LATER, 1))
        assert backend.retry_delivery("nobody", _LATER) is None

    def test_a_delivery_is_found_by_its_id_whatever_its_order_is_called(self, backend: Backend) -> None:
        """All that an order's id may hold: the id of what is owed has other characters in the place of some."""
        for order_id in ("a.b", "..~:2:", "a:2:b.c", "a-b"):
            owed = _owed(order_id)
            _owing(backend, owed, order_id=order_id)

            assert owed == backend.retry_delivery(owed.id, _NOW)

    def test_a_person_can_have_it_tried_before_its_time(self, backend: Backend) -> None:
        """The shop's server is mended: what would be tried tomorrow goes now, as the next attempt of the same."""
        _owing(backend, _owed())
        claimed = backend.claim_deliveries(_NOW, _LATER, 1)[0]
        backend.settle_delivery(replace(claimed, due_at=_LATER + timedelta(days=1), last_error="503"))
        retried = backend.retry_delivery(claimed.id, _LATER)
        again = backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 1)

        assert replace(_owed(), attempts=1, due_at=_LATER) == retried
        assert [(claimed.id, 2)] == [(owed.id, owed.attempts) for owed in again]

    def test_a_retry_fences_out_nobody_who_settles_meanwhile(self, backend: Backend) -> None:
        """A claim that was going on when a person asked for a retry may still end well."""
        _owing(backend, _owed())
        claimed = backend.claim_deliveries(_NOW, _LATER, 1)[0]
        backend.retry_delivery(claimed.id, _NOW)

        assert backend.settle_delivery(replace(claimed, state=DeliveryState.SETTLED, settled_at=_NOW))

    def test_a_limit_is_kept_and_the_rest_is_left_for_others(self, backend: Backend) -> None:
        """Nobody gets more than asked for, and nothing is lost."""
        for number in range(5):
            _owing(backend, _owed(f"o{number}"), order_id=f"o{number}")
        first = backend.claim_deliveries(_NOW, _LATER, 3)
        rest = backend.claim_deliveries(_NOW, _LATER, 3)

        assert (3, 2) == (len(first), len(rest))
        assert 5 == len({owed.id for owed in [*first, *rest]})

    def test_sixteen_workers_claim_one_delivery_once(self, backend: Backend) -> None:
        """Exactly one contender is given what is due."""
        _owing(backend, _owed())
        results = _race(lambda _: len(backend.claim_deliveries(_NOW, _LATER, 10)))

        assert [0] * (_CONTENDERS - 1) + [1] == sorted(results, key=repr)

    def test_sixteen_workers_share_sixteen_deliveries(self, backend: Backend) -> None:
        """Nobody leaves empty-handed while something is due, only because others were quicker at the first one."""
        for number in range(_CONTENDERS):
            _owing(backend, _owed(f"o{number}"), order_id=f"o{number}")
        results = _race(lambda _: [owed.id for owed in backend.claim_deliveries(_NOW, _LATER, 1)])

        assert sorted([f"o{number}:2:notice"] for number in range(_CONTENDERS)) == sorted(results, key=repr)

    def test_lanes_that_wait_stand_in_no_other_orders_way(self, backend: Backend) -> None:
        """However many deliveries wait behind a claimed one, the one that need not wait is found behind them."""
        for number in range(30):
            _owing(backend, _owed(f"o{number}"), _owed(f"o{number}", 3), order_id=f"o{number}")
        backend.claim_deliveries(_NOW, _LATER + timedelta(hours=1), 30)
        _owing(backend, _owed("free", due_at=_LATER), order_id="free")
        found = backend.claim_deliveries(_LATER, _LATER + timedelta(minutes=1), 1)

        assert ["free:2:notice"] == [owed.id for owed in found]

    # Inbox

    def test_a_notice_is_kept_with_every_field(self, backend: Backend) -> None:
        """What a webhook claimed is on file as it came, Korean text included."""
        notice = Notice(
            receipt_id=_receipt_id(1),
            generation=1,
            kind="결제완료",
            cancelled="300.5",
            order_id="주문/1",
            source="223.130.82.9",
        )
        stored = backend.receive(notice, _NOW, _LATER)

        assert (notice, _NOW, 1, _LATER, 0, "") == (
            stored.notice,
            stored.received_at,
            stored.times,
            stored.due_at,
            stored.attempts,
            stored.outcome,
        )
        assert [stored] == list(backend.notices(10))

    def test_a_repeat_of_an_open_notice_is_counted_and_stays_due_when_it_was(self, backend: Backend) -> None:
        """Duplicates are recognised by receipt, kind and cancelled amount, not by who sent them."""
        notice = Notice(receipt_id=_receipt_id(1), kind="PAYMENT_COMPLETED", cancelled="0", order_id="o1")
        backend.receive(notice, _NOW, _LATER)
        again = backend.receive(
            replace(notice, source="1.2.3.4", order_id="x"), _LATER, _LATER + timedelta(1)
        )
        other = backend.receive(replace(notice, cancelled="300"), _LATER, _LATER)

        assert (2, notice, _NOW, _LATER) == (again.times, again.notice, again.received_at, again.due_at)
        assert 1 == other.times
        assert 2 == len(backend.notices(10))

    def test_a_settled_notice_stays_settled_when_it_comes_again(self, backend: Backend) -> None:
        """What was looked into is not due again; a repeat is told what came of it."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        settled = backend.settle_notice(backend.receive(notice, _NOW, _LATER), "settled")
        again = backend.receive(notice, _LATER, _LATER)

        assert settled
        assert ("settled", None, 2) == (again.outcome, again.due_at, again.times)
        assert [again] == list(backend.notices(10))
        assert [] == list(backend.claim_notices(_LATER + timedelta(days=9), _LATER, 10))

    def test_a_repeat_of_a_notice_that_ended_otherwise_opens_it_again(self, backend: Backend) -> None:
        """The end may have been reached too early, by a forged notice: whoever acknowledges the repeat has it due."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        backend.receive(notice, _NOW, _NOW)
        (claimed,) = backend.claim_notices(_NOW, _LATER, 10)
        backend.settle_notice(claimed, "not_yet")
        ended = backend.notices(10)
        again = backend.receive(notice, _LATER, _LATER + timedelta(minutes=1))

        assert [("not_yet", None, 1)] == [(there.outcome, there.due_at, there.attempts) for there in ended]
        assert ("", _LATER + timedelta(minutes=1), 0, 2) == (
            again.outcome,
            again.due_at,
            again.attempts,
            again.times,
        )
        assert [again] == list(backend.notices(10))
        assert 1 == len(backend.claim_notices(_LATER + timedelta(minutes=1), _LATER, 10))

    def test_an_old_looks_word_does_not_count_after_a_repeat(self, backend: Backend) -> None:
        """What was looked at before the notice came again may have been too early: it stays due for the repeat."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        backend.receive(notice, _NOW, _NOW)
        (old,) = backend.claim_notices(_NOW, _LATER, 10)
        again = backend.receive(notice, _NOW, _LATER + timedelta(days=1))
        ended, postponed = backend.settle_notice(old, "not_yet"), backend.settle_notice(old, "", _LATER)
        (kept,) = backend.notices(10)
        settled = backend.settle_notice(again, "settled")

        assert (False, False, True) == (ended, postponed, settled)
        assert (again, _LATER, 0) == (kept, again.due_at, again.attempts)
        assert [("settled", None)] == [(there.outcome, there.due_at) for there in backend.notices(10)]

    def test_looking_again_later_keeps_the_attempts_and_no_outcome(self, backend: Backend) -> None:
        """By the attempts it is asked for ever less often and ends; by its outcome people see that it is open."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        backend.receive(notice, _NOW, _NOW)
        (first,) = backend.claim_notices(_NOW, _LATER, 10)
        backend.settle_notice(first, "not_yet")
        backend.settle_notice(first, "", _LATER)
        (postponed,) = backend.notices(10)
        (second,) = backend.claim_notices(_LATER, _LATER + timedelta(minutes=1), 10)

        assert ("", _LATER, 1) == (postponed.outcome, postponed.due_at, postponed.attempts)
        assert 2 == second.attempts

    def test_a_notice_is_claimed_by_lease_until_it_is_settled(self, backend: Backend) -> None:
        """Whoever takes it has it alone for a while; a crash gives it to the next one."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        backend.receive(notice, _NOW, _NOW)
        first = backend.claim_notices(_NOW, _LATER, 10)
        meanwhile = backend.claim_notices(_LATER - timedelta(microseconds=1), _LATER, 10)
        after = backend.claim_notices(_LATER, _LATER + timedelta(minutes=1), 10)
        backend.settle_notice(after[0], "", _LATER + timedelta(hours=1))
        postponed = backend.claim_notices(_LATER + timedelta(minutes=59), _LATER, 10)

        assert [1] == [stored.attempts for stored in first]
        assert [2] == [stored.attempts for stored in after]
        assert ([], []) == (list(meanwhile), list(postponed))
        assert 1 == len(backend.claim_notices(_LATER + timedelta(hours=1), _LATER + timedelta(hours=2), 10))

    def test_a_limit_gives_the_notices_that_are_longest_due(self, backend: Backend) -> None:
        """Under load the oldest is looked into first, and what was not given is left for others."""
        for number in range(5):
            backend.receive(
                Notice(receipt_id=_receipt_id(number)), _NOW, _NOW + timedelta(seconds=5 - number)
            )
        first = backend.claim_notices(_LATER, _LATER + timedelta(minutes=1), 2)
        rest = backend.claim_notices(_LATER, _LATER + timedelta(minutes=1), 10)

        assert {_receipt_id(4), _receipt_id(3)} == {stored.notice.receipt_id for stored in first}
        assert {_receipt_id(2), _receipt_id(1), _receipt_id(0)} == {
            stored.notice.receipt_id for stored in rest
        }

    def test_an_older_look_does_not_end_what_somebody_else_looks_into(self, backend: Backend) -> None:
        """Whoever was paused comes too late: the notice belongs to the look that was begun after theirs."""
        older = backend.receive(Notice(receipt_id=_receipt_id(1)), _NOW, _NOW)
        (newer,) = backend.claim_notices(_LATER, _LATER + timedelta(minutes=1), 10)
        late = backend.settle_notice(older, "receipt_unknown")
        between = backend.notices(10)[0]
        done = backend.settle_notice(newer, "settled")

        assert [False, True] == [late, done]
        assert ("", True) == (between.outcome, between.due_at is not None)
        assert "settled" == backend.notices(10)[0].outcome

    def test_settling_an_unknown_notice_is_no_error(self, backend: Backend) -> None:
        """There is nothing to lose in what was never heard."""
        unknown = StoredNotice(notice=Notice(receipt_id=_receipt_id(9)), received_at=_NOW)

        assert not backend.settle_notice(unknown, "settled")
        assert [] == list(backend.notices(10))

    def test_the_newest_notices_come_first(self, backend: Backend) -> None:
        """People look at what just happened."""
        for number in range(3):
            backend.receive(Notice(receipt_id=_receipt_id(number)), _NOW + timedelta(seconds=number), _LATER)

        assert [_receipt_id(2), _receipt_id(1)] == [n.notice.receipt_id for n in backend.notices(2)]

    def test_sixteen_repeats_at_once_are_one_notice_counted_sixteen_times(self, backend: Backend) -> None:
        """No repeat is lost in the count and none becomes a notice of its own."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        results = _race(lambda _: backend.receive(notice, _NOW, _NOW).times)

        assert list(range(1, _CONTENDERS + 1)) == sorted(results, key=lambda times: int(str(times)))
        assert [_CONTENDERS] == [stored.times for stored in backend.notices(10)]

    def test_sixteen_repeats_of_an_ended_notice_open_it_once_and_are_all_counted(
        self, backend: Backend
    ) -> None:
        """Whoever comes first opens it; everybody is told that it is due, and when."""
        notice = Notice(receipt_id=_receipt_id(1), kind="1")
        backend.settle_notice(backend.receive(notice, _NOW, _NOW), "order_unknown")
        results = _race(
            lambda number: backend.receive(notice, _LATER, _LATER + timedelta(seconds=number + 1))
        )
        told = [result for result in results if isinstance(result, StoredNotice)]
        (kept,) = backend.notices(10)

        assert list(range(2, _CONTENDERS + 2)) == sorted(there.times for there in told)
        assert {("", kept.due_at)} == {(there.outcome, there.due_at) for there in told}
        assert _CONTENDERS + 1 == kept.times
        assert kept.due_at is not None

    def test_sixteen_repeats_that_meet_an_old_look_all_leave_the_notice_due(self, backend: Backend) -> None:
        """Whoever is told of a repeat may acknowledge it: an end that an older look wrote never stands beside it."""
        for round_ in range(8):
            notice = Notice(receipt_id=_receipt_id(round_), kind="1")
            old = backend.receive(notice, _NOW, _NOW)

            def contend(number: int, notice: Notice = notice, old: StoredNotice = old) -> object:
                if number % 2:
                    return backend.settle_notice(old, "not_yet")
                return backend.receive(notice, _LATER, _LATER)

            results = _race(contend)
            kept = next(there for there in backend.notices(100) if there.notice == notice)
            repeats = [result for result in results if isinstance(result, StoredNotice)]

            assert _CONTENDERS // 2 == len(repeats) == sum(isinstance(result, bool) for result in results)
            assert (True, "") == (kept.due_at is not None, kept.outcome)
            assert all(there.due_at is not None for there in repeats)

    def test_a_settlement_that_meets_repeats_wins_or_leaves_the_notice_due(self, backend: Backend) -> None:
        """Settled and every repeat only counted, or not settled and due: never ended and acknowledged beside it."""
        for round_ in range(8):
            notice = Notice(receipt_id=_receipt_id(round_), kind="1")
            old = backend.receive(notice, _NOW, _NOW)

            def contend(number: int, notice: Notice = notice, old: StoredNotice = old) -> bool:
                if number == 0:
                    return backend.settle_notice(old, "settled")
                return backend.receive(notice, _LATER, _LATER).outcome == "settled"

            results = _race(contend)
            kept = next(there for there in backend.notices(100) if there.notice == notice)

            assert _CONTENDERS == sum(isinstance(result, bool) for result in results)
            assert ("settled", None) == (kept.outcome, kept.due_at) or ("", _NOW) == (
                kept.outcome,
                kept.due_at,
            )
            assert (kept.outcome == "settled") == any(results)

    def test_sixteen_workers_claim_one_notice_once(self, backend: Backend) -> None:
        """Exactly one contender is given what is due."""
        backend.receive(Notice(receipt_id=_receipt_id(1)), _NOW, _NOW)
        results = _race(lambda _: len(backend.claim_notices(_NOW, _LATER, 10)))

        assert [0] * (_CONTENDERS - 1) + [1] == sorted(results, key=repr)

    def test_sixteen_workers_share_sixteen_notices(self, backend: Backend) -> None:
        """Nobody leaves empty-handed while something is due, only because others were quicker at the first one."""
        for number in range(_CONTENDERS):
            backend.receive(Notice(receipt_id=_receipt_id(number)), _NOW, _NOW)
        results = _race(lambda _: [n.notice.receipt_id for n in backend.claim_notices(_NOW, _LATER, 1)])

        assert [[_receipt_id(number)] for number in range(_CONTENDERS)] == sorted(results, key=repr)

    # Checks

    def test_due_orders_are_claimed_earliest_first_and_by_lease(self, backend: Backend) -> None:
        """An order without a next check is never given; one that is taken is nobody else's for a while."""
        _registered(backend, "late", due_at=_LATER)
        _registered(backend, "early", due_at=_NOW)
        _registered(backend, "never", due_at=None)
        early = backend.claim_checks(_NOW, _NOW + timedelta(seconds=10), 10)
        nothing = backend.claim_checks(_NOW, _NOW, 10)
        both = backend.claim_checks(_LATER, _LATER + timedelta(minutes=1), 10)

        assert ["early"] == list(early)
        assert [] == list(nothing)
        assert {"early", "late"} == set(both)

    def test_a_limit_gives_the_longest_due(self, backend: Backend) -> None:
        """Under load the oldest debt is looked at first."""
        for number in range(5):
            _registered(backend, f"o{number}", due_at=_NOW + timedelta(seconds=5 - number))
        first = backend.claim_checks(_LATER, _LATER + timedelta(minutes=1), 2)
        rest = backend.claim_checks(_LATER, _LATER + timedelta(minutes=1), 10)

        assert {"o4", "o3"} == set(first)
        # What was not given is not taken either: nobody would look at it until the lease is over.
        assert {"o2", "o1", "o0"} == set(rest)

    def test_what_is_unfinished_is_looked_at_before_what_is_compared(self, backend: Backend) -> None:
        """However long the comparisons have been due: a backlog of them delays no buyer."""
        for number in range(3):
            paid = _registered(backend, f"paid{number}", due_at=_NOW)
            backend.commit(paid, _decision(paid, _paid(number), due_at=_NOW))
        _registered(backend, "open", due_at=_LATER)
        first = backend.claim_checks(_LATER, _LATER + timedelta(minutes=1), 10)
        rest = backend.claim_checks(_LATER, _LATER + timedelta(minutes=1), 10)

        assert ["open"] == list(first)
        assert {"paid0", "paid1", "paid2"} == set(rest)
        assert [] == list(backend.claim_checks(_LATER, _LATER, 10))

    def test_what_is_compared_comes_first_where_that_is_asked_for(self, backend: Backend) -> None:
        """However many are unfinished and longer due: the others have their turn, and after them everything goes on."""
        for number in range(3):
            _registered(backend, f"open{number}", due_at=_NOW)
        paid = _registered(backend, "paid", due_at=_NOW)
        backend.commit(paid, _decision(paid, _paid(), due_at=_LATER))
        until = _LATER + timedelta(minutes=1)
        usual = backend.claim_checks(_LATER, until, 1)
        turned = backend.claim_checks(_LATER, until, 1, others_first=True)
        rest = backend.claim_checks(_LATER, until, 10, others_first=True)

        assert (["open0"], ["paid"]) == (list(usual), list(turned))
        assert {"open1", "open2"} == set(rest)

    def test_an_order_is_rescheduled_only_if_it_has_not_moved_on(self, backend: Backend) -> None:
        """A look that changed nothing must not undo the schedule of a decision made meanwhile."""
        stale = _registered(backend, due_at=_NOW)
        rescheduled = backend.reschedule(stale, _LATER)
        moved_on = backend.commit(stale, _decision(stale, _noted(), due_at=_NOW))

        assert rescheduled
        assert not backend.reschedule(stale, None)
        assert _NOW == getattr(backend.load(stale.order.id), "due_at", None)
        assert backend.reschedule(moved_on, None)
        assert [] == list(backend.claim_checks(_LATER + timedelta(days=9), _LATER, 10))

    def test_sixteen_workers_claim_one_check_once(self, backend: Backend) -> None:
        """Exactly one contender is given what is due."""
        _registered(backend, due_at=_NOW)
        results = _race(lambda _: len(backend.claim_checks(_NOW, _LATER, 10)))

        assert [0] * (_CONTENDERS - 1) + [1] == sorted(results, key=repr)

    def test_sixteen_workers_share_sixteen_checks(self, backend: Backend) -> None:
        """Nobody leaves empty-handed while something is due, only because others were quicker at the first one."""
        for number in range(_CONTENDERS):
            _registered(backend, f"o{number:02d}", due_at=_NOW)
        results = _race(lambda _: list(backend.claim_checks(_NOW, _LATER, 1)))

        assert [[f"o{number:02d}"] for number in range(_CONTENDERS)] == sorted(results, key=repr)
