"""What is left when DynamoDB is busy, silent, or answers too late: done once, and said so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.adapters.dynamodb.patience import Patience
from dojang.adapters.dynamodb.table import (
    Answer,
    Item,
    Reason,
    Request,
    TableRefused,
    TableSilent,
    Unprocessed,
    Value,
)
from dojang.adapters.dynamodb.together import Together
from dojang.core.decision import Decision
from dojang.core.delivery import DeliveryState
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, Record, State, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.errors import ConfigError, Conflict, StoreUnavailable
from dojang.ports import Notice

from .dynamodb_local import REGION, Watched, fresh_name

pytestmark = pytest.mark.xdist_group("dynamodb")

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
RECEIPT = ReceiptId("a" * 24)
BUSY = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
    "LimitExceededException",
]


class Hurry:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds
        self.pauses.append(seconds)


@pytest.fixture
def hurry() -> Hurry:
    """Nobody waits."""
    return Hurry()


@pytest.fixture
def backend(watched: Watched, hurry: Hurry) -> Iterator[DynamoDBBackend]:
    """An empty store whose patience passes in no time."""
    backend = DynamoDBBackend(fresh_name(), REGION, way=watched, clock=hurry.clock, pause=hurry.pause)
    backend.migrate()
    watched.calls.clear()
    with closing(backend):
        yield backend


def _order(order_id: str = "o1") -> Order:
    return Order(id=OrderId(order_id), price=Money(1000), name="양말")


def _register(backend: DynamoDBBackend, order_id: str = "o1") -> Record:
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    return backend.register(_order(order_id), event, NOW)[0]


def _paying(record: Record, receipt_id: ReceiptId = RECEIPT) -> Decision:
    receipt = Receipt(id=receipt_id, order_id=str(record.order.id), status=ReceiptStatus.PAID, price=1000)
    return observe(record, receipt, Rules(), NOW, "buyer")


def _state(backend: DynamoDBBackend, order_id: str = "o1") -> tuple[State, int, int]:
    record = backend.load(OrderId(order_id))
    assert record is not None
    events, owed = backend.history(record.order.id), backend.deliveries(record.order.id)
    return record.payment.state, len(events), len(owed)


def _cancelled(*codes: str) -> TableRefused:
    return TableRefused("TransactionCanceledException", "…", 400, tuple(Reason(code) for code in codes))


# Busy


@pytest.mark.parametrize("code", BUSY)
def test_a_busy_table_is_asked_again_with_growing_pauses(
    code: str, watched: Watched, backend: DynamoDBBackend, hurry: Hurry
) -> None:
    """Throttling and transactions in each other's way pass; nothing was stored, so the same is sent again."""
    record = _register(backend)
    watched.faults += [("TransactWriteItems", TableRefused(code, "busy"), "before")] * 3
    committed = backend.commit(record, _paying(record))

    assert 4 == watched.operations.count("TransactWriteItems")
    assert State.PAID is committed.payment.state
    assert 3 == len(hurry.pauses)
    assert all(pause <= 0.02 * 2**attempt for attempt, pause in enumerate(hurry.pauses, 1))


@pytest.mark.parametrize(
    "codes",
    [
        ("TransactionConflict", "None", "None", "None"),
        ("None", "None", "ThrottlingError", "None"),
        ("None", "ProvisionedThroughputExceeded", "TransactionConflict", "None"),
    ],
)
def test_a_transaction_cancelled_by_others_is_no_conflict_of_ours(
    codes: tuple[str, ...], watched: Watched, backend: DynamoDBBackend
) -> None:
    """Only a failed condition means that somebody committed first."""
    record = _register(backend)
    watched.faults.append(("TransactWriteItems", _cancelled(*codes), "before"))
    backend.commit(record, _paying(record))

    assert (State.PAID, 2, 1) == _state(backend)


def test_a_table_that_stays_busy_is_unavailable_within_the_deadline(
    watched: Watched, backend: DynamoDBBackend, hurry: Hurry
) -> None:
    """Patience ends, nothing was stored, and the words say why."""
    record = _register(backend)
    watched.faults += [("TransactWriteItems", TableRefused("ThrottlingException", "x"), "before")] * 500
    started = hurry.now_s
    with pytest.raises(StoreUnavailable, match="ThrottlingException"):
        backend.commit(record, _paying(record))
    watched.faults.clear()

    assert 3.0 < hurry.now_s - started <= 5.0
    assert (State.OPEN, 1, 0) == _state(backend)


@pytest.mark.parametrize(
    ("operation", "left_s"),
    [("GetItem", 0.5), ("TransactWriteItems", 2.0), ("UpdateItem", 2.0), ("PutItem", 2.0)],
)
def test_a_busy_table_is_given_no_more_time_than_an_invocation_has(
    watched: Watched, hurry: Hurry, operation: str, left_s: float
) -> None:
    """The patience follows what is left at the moment of asking, and what writes may use what reads leave."""
    patience = Patience(
        watched, 5.0, hurry.clock, hurry.pause, lambda: 0.9, lambda writes: 2.0 if writes else 0.5
    )
    watched.faults += [(operation, TableRefused("ThrottlingException", "x"), "before")] * 500
    with pytest.raises(StoreUnavailable, match=f"attempts in {left_s:.3g} s"):
        patience.ask(operation, {})

    assert left_s - 0.6 < hurry.now_s <= left_s


def test_a_batch_in_many_parts_ends_in_time_as_a_whole(hurry: Hurry) -> None:
    """Each part that is left out is asked for again, and all of them share one deadline."""
    one: Item = {"pk": Value(s="1")}

    class Throttled:
        def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
            hurry.now_s += 0.3
            return Answer(unprocessed_keys={"t": Unprocessed(keys=[one])})

        def close(self) -> None: ...

    with pytest.raises(StoreUnavailable, match="throttled"):
        Patience(Throttled(), 5.0, hurry.clock, hurry.pause, lambda: 0.0, lambda _: 1.0).all_of("t", [one])

    assert hurry.now_s == pytest.approx(1.2)


def test_nothing_goes_on_behind_the_back_of_who_was_told_of_a_failure() -> None:
    """Of several requests at once one fails: the others end first, or a frozen function would take them along."""
    failed, released, told = threading.Event(), threading.Event(), []
    run = Together(2)

    def fails() -> None:
        failed.set()
        raise StoreUnavailable("x")

    def together() -> None:
        with pytest.raises(StoreUnavailable):
            run([fails, released.wait])
        told.append("unavailable")

    caller = threading.Thread(target=together)
    caller.start()
    failed.wait(10)
    caller.join(0.2)
    told_before = list(told)
    released.set()
    caller.join(10)
    run.close()

    assert ([], ["unavailable"]) == (told_before, told)


def test_one_call_gets_no_more_time_than_is_left(hurry: Hurry) -> None:
    """The deadline holds for the request on the wire too."""
    given: list[float] = []

    class Slow:
        def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
            given.append(within_s)
            hurry.now_s += 1.5
            raise TableSilent("timeout")

        def close(self) -> None: ...

    with pytest.raises(StoreUnavailable, match="timeout, 4 attempts in 5 s"):
        Patience(Slow(), 5.0, hurry.clock, hurry.pause, lambda: 0.0).ask("GetItem", {})

    assert [5.0, 3.5, 2.0, 0.5] == given


def test_a_batch_that_was_throttled_in_part_is_asked_for_the_rest(hurry: Hurry) -> None:
    """What a read left out is not taken for what is not there."""
    one: Item = {"pk": Value(s="1")}
    other: Item = {"pk": Value(s="2")}
    answers = [
        Answer(responses={"t": [one]}, unprocessed_keys={"t": Unprocessed(keys=[other])}),
        Answer(responses={"t": [other]}),
    ]
    asked: list[object] = []

    class Throttled:
        def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
            asked.append(request["RequestItems"])
            return answers.pop(0)

        def close(self) -> None: ...

    found = Patience(Throttled(), 5.0, hurry.clock, hurry.pause, lambda: 0.5).all_of("t", [one, other])

    assert [one, other] == found
    assert {"t": {"Keys": [other], "ConsistentRead": True}} == asked[1]
    assert 1 == len(hurry.pauses)


# Silence

LOST: list[tuple[str, Exception]] = [
    ("after", TableSilent("no answer in time")),
    ("before", TableSilent("no answer in time")),
    ("after", TableRefused("InternalServerError", "x", 500)),
]


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_commit_whose_answer_is_lost_is_done_once_and_said_so(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """Whether or not it had been carried out, the caller hears the truth and nothing is there twice."""
    record = _register(backend)
    watched.faults.append(("TransactWriteItems", fault, when))
    committed = backend.commit(record, _paying(record))

    assert replace(committed, claimed_by=None) == backend.load(record.order.id)
    assert (State.PAID, 2, 1) == _state(backend)


def test_a_commit_lost_and_overtaken_is_still_known_to_be_done(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """Somebody commits after ours before we ask again: the history tells whose the step was."""
    record = _register(backend)

    class Overtaken(TableSilent):
        """Raised in place of the answer, after somebody else has committed."""

    real = watched._way.call

    def overtaken(operation: str, request: Request, within_s: float, /) -> Answer:
        answer = real(operation, request, within_s)
        if operation != "TransactWriteItems" or watched.operations.count(operation) > 1:
            return answer
        # ours has been written; another process goes on from there
        there = backend.load(record.order.id)
        assert there is not None
        late = Receipt(id=ReceiptId("b" * 24), order_id="o1", status=ReceiptStatus.PAID, price=1000)
        backend.commit(there, observe(there, late, Rules(), LATER, "bootpay"))
        raise Overtaken("reset")

    watched._way.call = overtaken  # type: ignore[method-assign]
    committed = backend.commit(record, _paying(record))

    assert (2, State.PAID) == (committed.version, committed.payment.state)
    assert 3 == len(backend.history(record.order.id))


def test_anothers_commit_is_never_taken_for_ones_own(watched: Watched, backend: DynamoDBBackend) -> None:
    """Our request was lost on the way there, and somebody else moved the order on: that is a conflict."""
    record = _register(backend)
    real = watched._way.call

    def lost(operation: str, request: Request, within_s: float, /) -> Answer:
        if operation == "TransactWriteItems" and watched.operations.count(operation) == 1:
            backend.commit(record, _paying(record, ReceiptId("b" * 24)))
            raise TableSilent("reset")
        return real(operation, request, within_s)

    watched._way.call = lost  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="moved on"):
        backend.commit(record, _paying(record))

    assert (State.PAID, 2, 1) == _state(backend)
    assert backend.load(record.order.id, RECEIPT).claimed_by is None  # type: ignore[union-attr]


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_registration_whose_answer_is_lost_is_still_the_first(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """Who created the order is told so; who comes later is not, even after a lost answer."""
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    watched.faults.append(("PutItem", fault, when))
    first = backend.register(_order(), event, None)
    watched.faults.append(("PutItem", fault, when))
    second = backend.register(_order(), event, None)

    assert (True, False) == (first[1], second[1])
    assert first[0] == second[0]


def test_a_registration_lost_and_overtaken_by_a_payment_is_still_the_first(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """The order has moved on before its registration's answer: it comes back as it is now, and as new."""
    real = watched._way.call

    def overtaken(operation: str, request: Request, within_s: float, /) -> Answer:
        answer = real(operation, request, within_s)
        if operation == "PutItem" and watched.operations.count("PutItem") == 1:
            record = backend.load(OrderId("o1"))
            assert record is not None
            backend.commit(record, _paying(record))
            raise TableSilent("reset")
        return answer

    watched._way.call = overtaken  # type: ignore[method-assign]
    event = Event(version=1, at=NOW, what=What.REGISTERED, who="shop")
    record, created = backend.register(_order(), event, None)

    assert (True, State.PAID) == (created, record.payment.state)


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_settlement_whose_answer_is_lost_is_said_to_be_done(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """The shop has it and the store knows: nobody should deliver it again for a lost answer."""
    record = _register(backend)
    backend.commit(record, _paying(record))
    claimed = backend.claim_deliveries(LATER, LATER, 1)[0]
    watched.faults.append(("UpdateItem", fault, when))
    settled = backend.settle_delivery(replace(claimed, state=DeliveryState.SETTLED, settled_at=LATER))

    assert settled
    assert [DeliveryState.SETTLED] == [owed.state for owed in backend.deliveries(record.order.id)]


def test_a_settlement_lost_on_its_way_does_not_win_over_the_next_claim(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """Fencing holds across repeats: who has the newer claim decides."""
    record = _register(backend)
    backend.commit(record, _paying(record))
    slow = backend.claim_deliveries(LATER, LATER, 1)[0]
    real = watched._way.call

    def lost(operation: str, request: Request, within_s: float, /) -> Answer:
        if operation == "UpdateItem":
            watched._way.call = real  # type: ignore[method-assign]
            backend.claim_deliveries(LATER, LATER + timedelta(minutes=1), 1)
            raise TableSilent("reset")
        return real(operation, request, within_s)

    watched._way.call = lost  # type: ignore[method-assign]
    settled = backend.settle_delivery(replace(slow, state=DeliveryState.SETTLED, settled_at=LATER))

    assert not settled
    assert [(DeliveryState.DUE, 2)] == [
        (owed.state, owed.attempts) for owed in backend.deliveries(record.order.id)
    ]


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_notice_whose_receipt_was_lost_is_one_notice(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """Our own repeat is not counted as Bootpay's."""
    watched.faults.append(("PutItem", fault, when))
    stored = backend.receive(Notice(receipt_id=RECEIPT), NOW, NOW)

    assert 1 == stored.times
    assert [1] == [there.times for there in backend.notices(5)]


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_repeat_whose_answer_was_lost_leaves_the_notice_due(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """Our own repeat may be counted as one more: then one more look begins anew, and nothing is forgotten."""
    first = backend.receive(Notice(receipt_id=RECEIPT), NOW, NOW)
    ended = backend.settle_notice(first, "not_yet")
    watched.faults.append(("UpdateItem", fault, when))
    stored = backend.receive(Notice(receipt_id=RECEIPT), LATER, LATER)

    assert ended
    assert ("", LATER) == (stored.outcome, stored.due_at)
    assert [stored] == list(backend.notices(5))


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_notices_end_whose_answer_is_lost_is_said_to_be_written(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """The condition still holds for the repeat, which writes the same."""
    stored = backend.receive(Notice(receipt_id=RECEIPT), NOW, NOW)
    watched.faults.append(("UpdateItem", fault, when))
    settled = backend.settle_notice(stored, "settled")

    assert settled
    assert [("settled", None)] == [(there.outcome, there.due_at) for there in backend.notices(5)]


def test_a_notice_that_is_settled_while_it_comes_again_stays_settled(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """It was read as open; by the time the repeat is counted it is settled: it is looked at anew."""
    first = backend.receive(Notice(receipt_id=RECEIPT), NOW, NOW)
    real = watched._way.call

    def settles_first(operation: str, request: Request, within_s: float, /) -> Answer:
        if operation == "UpdateItem":
            watched._way.call = real  # type: ignore[method-assign]
            backend.settle_notice(first, "settled")
        return real(operation, request, within_s)

    watched._way.call = settles_first  # type: ignore[method-assign]
    again = backend.receive(Notice(receipt_id=RECEIPT), LATER, LATER)

    assert (2, "settled", None) == (again.times, again.outcome, again.due_at)
    assert [again] == list(backend.notices(5))


@pytest.mark.parametrize(("when", "fault"), LOST)
def test_a_claim_whose_answer_is_lost_comes_back_after_its_lease(
    when: str, fault: Exception, watched: Watched, backend: DynamoDBBackend
) -> None:
    """Nobody has it, and nobody else takes it early; after the lease it is there again."""
    _register(backend)
    watched.faults.append(("UpdateItem", fault, when))
    lost = backend.claim_checks(NOW, LATER, 5)

    assert (["o1"] if when == "before" else []) == list(lost)
    assert ["o1"] == list(backend.claim_checks(LATER, LATER + timedelta(minutes=1), 5))


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (TableRefused("ThrottlingException", "x"), StoreUnavailable),
        (TableRefused("InternalServerError", "x", 500), StoreUnavailable),
        (TableRefused("AccessDeniedException", "x"), ConfigError),
    ],
)
def test_a_table_too_busy_to_be_described_is_no_wrong_setting(
    watched: Watched, backend: DynamoDBBackend, refusal: TableRefused, told: type[Exception]
) -> None:
    """A person is sent to the settings only where a setting is at fault."""
    watched.faults = [("DescribeTable", refusal, "before")]
    with pytest.raises(told, match=refusal.code):
        _ = backend.version


def test_why_a_transaction_cannot_be_is_told(watched: Watched, backend: DynamoDBBackend) -> None:
    """An order that has grown too large is told as that, not by a code alone."""
    record = _register(backend)
    reason = Reason("ValidationError", message="Item size to update has exceeded the maximum allowed size")
    watched.faults = [
        ("TransactWriteItems", TableRefused("TransactionCanceledException", "…", 400, (reason,)), "before")
    ]
    with pytest.raises(StoreUnavailable, match="Item size to update has exceeded the maximum allowed size"):
        backend.commit(record, _paying(record))


# No

NO: list[TableRefused] = [
    TableRefused(
        "AccessDeniedException", "User: arn:aws:iam::123456789012:user/shop is not authorized to: x"
    ),
    TableRefused("ValidationException", "One or more parameter values were invalid: 01012345678"),
    TableRefused("UnrecognizedClientException", "The security token included in the request is invalid."),
    TableRefused("ExpiredTokenException", "expired"),
    TableRefused("CredentialsUnavailable", "NoCredentialsError"),
    TableRefused("ResourceNotFoundException", "Requested resource not found"),
    _cancelled("ValidationError", "None"),
    TableRefused(
        "TransactionCanceledException",
        "…",
        400,
        (Reason("None"), Reason("ValidationError", message="One or more values are invalid: 01012345678")),
    ),
    _cancelled("None", "ItemCollectionSizeLimitExceeded"),
    _cancelled(),
]


@pytest.mark.parametrize("refusal", NO, ids=lambda refusal: refusal.code)
def test_a_no_that_no_repeat_changes_is_told_at_once_without_values(
    refusal: TableRefused, watched: Watched, backend: DynamoDBBackend
) -> None:
    """No foreign exception gets out, no account or buyer's data is in the words, nothing is tried twice."""
    record = _register(backend)
    does: list[tuple[str, Callable[[], object]]] = [
        ("TransactWriteItems", lambda: backend.commit(record, _paying(record))),
        ("GetItem", lambda: backend.load(record.order.id)),
        ("BatchGetItem", lambda: backend.load(record.order.id, RECEIPT)),
        ("PutItem", lambda: _register(backend, "o2")),
        ("Query", lambda: backend.claim_checks(NOW, LATER, 5)),
        ("UpdateItem", lambda: backend.reschedule(record, None)),
    ]
    told = []
    for operation, do in does:
        watched.calls.clear()
        watched.faults = [(operation, refusal, "before")]
        with pytest.raises(StoreUnavailable) as raised:
            do()
        watched.faults = []
        told.append(str(raised.value))
        if operation != "Query":  # eight shards are asked at once
            assert 1 == watched.operations.count(operation)

    assert all(refusal.code in words for words in told)
    assert not any(secret in words for words in told for secret in ("123456789012", "01012345678"))
