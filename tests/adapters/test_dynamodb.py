"""DynamoDB for functions that share their orders: the promises, what they cost, what they need to be allowed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import boto3
import pytest
from botocore.config import Config

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.adapters.dynamodb.boto import BotoTable
from dojang.adapters.dynamodb.items import LAYOUT
from dojang.adapters.dynamodb.schema import MIGRATING_ACTIONS, RUNNING_ACTIONS
from dojang.adapters.dynamodb.table import Answer, Request, Table
from dojang.adapters.store import AwaitedStore
from dojang.core.decision import Accepted, Decision, Pending
from dojang.core.delivery import Delivery, DeliveryState, Lane
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import CancelRequest, Event, Lease, Payment, Record, State, What
from dojang.core.schedule import next_check
from dojang.drive import inline, run
from dojang.errors import ConfigError, StoreUnavailable
from dojang.ports import Notice, OrderFilter, World
from dojang.testing import PretendBootpay, PretendClock, PretendShop, StoreContract
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.reconcile import reconcile
from dojang.usecases.register_order import register_order
from dojang.usecases.verify import Verification, verify

from .dynamodb_local import REGION, Watched, fresh_backend, fresh_name, local_way, server_endpoint

# One worker for all of them, hence one server.
pytestmark = pytest.mark.xdist_group("dynamodb")

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
PAGE = Path(__file__).parents[2] / "docs" / "dynamodb.md"


@pytest.fixture
def backend(watched: Watched) -> Iterator[DynamoDBBackend]:
    """An empty store, watched from its first request on."""
    with closing(fresh_backend(watched)) as backend:
        watched.calls.clear()
        yield backend


def needed(operation: str, request: Request) -> set[tuple[str, str]]:
    """The IAM actions an operation needs, each with what it is done to."""
    if operation == "TransactWriteItems":
        parts: Any = request["TransactItems"]
        words = {"ConditionCheck": "ConditionCheckItem"}
        return {("table", f"dynamodb:{words.get(part, part + 'Item')}") for one in parts for part in one}
    return {("index" if "IndexName" in request else "table", f"dynamodb:{operation}")}


ALLOWED = {(where, action) for where, actions in RUNNING_ACTIONS.items() for action in actions}


class LeastPrivilege:
    """A way to DynamoDB that lets nothing through but what `RUNNING_ACTIONS` names."""

    def __init__(self, way: Table) -> None:
        self._way = way

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
        assert needed(operation, request) <= ALLOWED, f"{operation} is not among the actions allowed"
        return self._way.call(operation, request, within_s)

    def close(self) -> None:
        self._way.close()


class TestDynamoDB(StoreContract):
    """The real server, a table of its own for each test, and no more permissions than documented."""

    @pytest.fixture
    def backend(self) -> Iterator[DynamoDBBackend]:
        way = local_way()
        name = fresh_name()
        DynamoDBBackend(name, REGION, way=way).migrate()
        with closing(DynamoDBBackend(name, REGION, way=LeastPrivilege(way))) as backend:
            yield backend


@pytest.fixture(scope="module")
def client() -> Any:
    """boto3's own, made once: that takes longer than a test."""
    return boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=server_endpoint(),
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
    )


class TestDynamoDBOverBoto3(StoreContract):
    """The same over boto3's own client, for who needs its proxies and plugins."""

    @pytest.fixture
    def backend(self, client: Any) -> DynamoDBBackend:
        # Not closed: the client is everybody's.
        return fresh_backend(BotoTable(client))


def _register(backend: DynamoDBBackend, order_id: str = "o1", at: datetime = NOW) -> Record:
    event = Event(version=1, at=at, what=What.REGISTERED, who="shop")
    order = Order(id=OrderId(order_id), price=Money(1000), name="양말", expires_at=LATER)
    return backend.register(order, event, at)[0]


def _owed(order_id: str = "o1", seq: int = 2, lane: Lane = Lane.NOTICE) -> Delivery:
    return Delivery(
        id=f"{order_id}:{seq}:{lane}",
        order_id=OrderId(order_id),
        seq=seq,
        lane=lane,
        type="order.paid",
        created_at=NOW,
        due_at=NOW,
    )


Spent: TypeAlias = tuple[Counter[str], float, float]
"""Operations, read units, write units."""


class Shop:
    """The real use cases over this store, with a pretend Bootpay."""

    def __init__(self, backend: DynamoDBBackend) -> None:
        clock = PretendClock()
        self.bootpay = PretendBootpay(clock)
        self.world = World(
            store=AwaitedStore(backend, inline),
            gateway=self.bootpay,
            clock=clock,
            fulfilment=PretendShop(),
        )

    def order(self, order_id: str = "o1") -> None:
        order = Order(id=OrderId(order_id), price=Money(1000), name="양말 두 켤레")
        run(register_order(self.world, order))

    def verify(self, receipt_id: ReceiptId, order_id: str = "o1") -> object:
        told = run(verify(self.world, OrderId(order_id), receipt_id, within_s=20))
        return told.answer if isinstance(told, Verification) else told

    def hear(self, receipt_id: ReceiptId, order_id: str) -> None:
        run(
            receive_webhook(
                self.world, Notice(receipt_id=receipt_id, kind="PAYMENT_COMPLETED", order_id=order_id)
            )
        )

    def deliver(self) -> None:
        run(deliver_owed(self.world, limit=1))

    def check(self) -> None:
        run(reconcile(self.world, within_s=20))


# What it costs


def test_verifying_is_one_read_and_one_transaction_and_a_replay_one_read(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """As many round trips as must be, whether the payment is new or told again."""
    shop = Shop(backend)
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    watched.calls.clear()
    verified = shop.verify(receipt_id)
    first = watched.operations
    watched.calls.clear()
    replayed = shop.verify(receipt_id)

    assert isinstance(verified, Accepted)
    assert isinstance(replayed, Accepted)
    assert (False, True) == (verified.replayed, replayed.replayed)
    assert ["BatchGetItem", "TransactWriteItems"] == first
    assert ["BatchGetItem"] == watched.operations


def test_what_is_read_in_the_table_is_read_as_it_is_now(watched: Watched, backend: DynamoDBBackend) -> None:
    """DynamoDB's reads are those of a moment ago unless asked otherwise; a decision must know the last one."""
    shop = Shop(backend)
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.hear(receipt_id, "o1")
    shop.deliver()
    backend.history(OrderId("o1"))
    backend.deliveries(OrderId("o1"))
    backend.load(OrderId("o1"))
    reads = [
        (operation, part)
        for operation, request in watched.calls
        if operation in ("BatchGetItem", "GetItem", "Query") and "IndexName" not in request
        for part in _asked(request)
    ]

    assert {"BatchGetItem", "GetItem", "Query"} == {operation for operation, _ in reads}
    assert [] == [operation for operation, part in reads if part.get("ConsistentRead") is not True]


def _asked(request: Request) -> list[Any]:
    """What is asked of each table: a `BatchGetItem` tells it table by table."""
    tables: Any = request.get("RequestItems")
    return list(tables.values()) if tables else [request]


def test_an_approval_is_two_transactions(watched: Watched, backend: DynamoDBBackend) -> None:
    """The intent before money moves, and what became of it."""
    shop = Shop(backend)
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    watched.calls.clear()
    shop.verify(receipt_id)

    assert ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"] == watched.operations


def test_capacity_of_a_payment_does_not_grow_with_the_table(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """What the documentation says a payment costs is what is counted, among many orders as among few."""
    shop = Shop(backend)
    watched.counting = True
    counted: list[dict[str, Spent]] = []
    for number in (0, 60):
        for other in range(number):
            shop.order(f"other-{other}")
        order_id = f"mine-{number:02d}"
        receipt_id = shop.bootpay.pay(order_id, 1000)
        does: dict[str, Callable[[], object]] = {
            "register": partial(shop.order, order_id),
            "verify": partial(shop.verify, receipt_id, order_id),
            "replay": partial(shop.verify, receipt_id, order_id),
            "webhook afterwards": partial(shop.hear, receipt_id, order_id),
            "delivery": shop.deliver,
            "no delivery due": shop.deliver,
            "no check due": shop.check,
        }
        found = {step: _spent(watched, do) for step, do in does.items()}
        approved = f"approved-{number:02d}"
        shop.order(approved)
        agreed = shop.bootpay.agree(approved, 1000)
        found["verify with approval"] = _spent(watched, partial(shop.verify, agreed, approved))
        shop.deliver()
        paid = backend.load(OrderId(order_id))
        assert paid is not None
        backend.reschedule(paid, shop.world.clock.now())
        checked = _spent(watched, shop.check)
        # Of a run that checks one order, what a run without any would not have cost.
        idle = found["no check due"]
        found["check of a paid order"] = (checked[0] - idle[0], checked[1] - idle[1], checked[2] - idle[2])
        counted.append(found)
    assert counted[0] == counted[1]
    assert _told("What a payment costs") == counted[0]


@pytest.mark.parametrize(
    ("row", "minutes"), [("that never runs out", None), ("that runs out after 30 minutes", 30)]
)
def test_an_abandoned_checkout_costs_what_the_page_says(
    watched: Watched, backend: DynamoDBBackend, row: str, minutes: int | None
) -> None:
    """Nobody pays it, and yet it is looked after until nothing more can come; Bootpay is asked once each time."""
    shop = Shop(backend)
    watched.counting = True
    idle = _spent(watched, shop.check)
    clock = shop.world.clock
    expires_at = None if minutes is None else clock.now() + timedelta(minutes=minutes)
    order = Order(id=OrderId("o1"), price=Money(1000), name="양말 두 켤레", expires_at=expires_at)
    run(register_order(shop.world, order))
    operations, reads, writes, checks = Counter[str](), 0.0, 0.0, 0
    while (due_at := _due_at(backend, clock.now())) is not None:
        run(clock.sleep((due_at - clock.now()).total_seconds()))
        spent = _spent(watched, shop.check)
        # Of a run that checks one order, what a run without any would not have cost.
        operations += spent[0] - idle[0]
        reads, writes, checks = reads + spent[1] - idle[1], writes + spent[2] - idle[2], checks + 1

    assert _told("What an abandoned checkout costs")[row] == (operations, reads, writes)
    assert {"lookup/order": checks} == shop.bootpay.calls
    assert checks == operations["GetItem"]


def _due_at(backend: DynamoDBBackend, now: datetime) -> datetime | None:
    record = backend.load(OrderId("o1"))
    assert record is not None
    return next_check(record.order, record.payment, record.created_at, now)


def _told(heading: str) -> dict[str, Spent]:
    """The rows that the page has under a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([\w ]+) \| (.+) \| ([\d.]+) \| ([\d.]+) \|$", section, re.MULTILINE)
    return {
        step: (
            Counter({name: int(times or 1) for times, name in re.findall(r"(?:(\d+) )?`(\w+)`", operations)}),
            float(reads),
            float(writes),
        )
        for step, operations, reads, writes in rows
    }


def _spent(watched: Watched, do: Callable[[], object]) -> Spent:
    """The operations of a step, and the read and the write units they cost by AWS's documented rules."""
    watched.capacity.clear()
    do()
    reads = writes = 0.0
    for operation, asked, consumed in watched.capacity:
        request: Any = asked
        told: Any = consumed if isinstance(consumed, list) else [consumed]
        table = sum(float(one["Table"]["CapacityUnits"]) for one in told)
        whole = sum(float(one["CapacityUnits"]) for one in told)
        # DynamoDB Local rounds a transaction as a whole, and takes nothing for a look that finds nothing.
        match operation:
            case "TransactWriteItems":
                parts = len(request["TransactItems"])
                assert table <= 2 * parts, "an item of more than 1 KB"
                writes += 2 * parts + whole - table
            case "BatchGetItem":
                reads += sum(len(keys["Keys"]) for keys in request["RequestItems"].values())
            case "GetItem":
                reads += max(1.0, whole)
            case "Query":
                reads += max(0.5 if "IndexName" in request else 1.0, whole)
            case _:
                writes += whole
    return Counter(operation for operation, _, _ in watched.capacity), reads, writes


# What it must be allowed to do


def test_every_action_that_is_asked_for_is_needed_and_no_other(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """Least privilege in both directions: `RUNNING_ACTIONS` is exactly what the whole port takes."""
    record = _register(backend)
    _register(backend)
    notice = Notice(receipt_id=ReceiptId("a" * 24))
    for _ in range(2):
        backend.receive(notice, NOW, NOW)
    (heard,) = backend.claim_notices(NOW, LATER, 1)
    backend.settle_notice(heard, "settled")
    backend.notices(5)
    backend.claim_checks(NOW, LATER, 5)
    _owe(backend, record, _owed(seq=2), _owed(seq=3))
    lead = backend.claim_deliveries(NOW, LATER, 5)[0]
    backend.claim_deliveries(NOW, LATER, 5)
    backend.settle_delivery(lead)
    backend.retry_delivery(lead.id, NOW)
    backend.deliveries(OrderId("o1"))
    backend.history(OrderId("o1"))
    backend.orders(OrderFilter())
    backend.orders(OrderFilter(state="open"))
    loaded = backend.load(OrderId("o1"), ReceiptId("a" * 24))
    again = backend.load(OrderId("o1"))
    assert loaded is not None
    backend.reschedule(loaded, None)
    used: set[tuple[str, str]] = set()
    for operation, request in watched.calls:
        used |= needed(operation, request)

    assert loaded == again
    assert ALLOWED == used
    assert not {"dynamodb:Scan", "dynamodb:DeleteItem"} & {action for _, action in ALLOWED}


def test_the_page_about_the_table_names_every_action() -> None:
    """Who writes a policy by hand finds exactly what the code is held to."""
    words = PAGE.read_text(encoding="utf-8").partition("## Permissions")[2].partition("##")[0]
    table, _, rest = words.partition("; on the\ntable's")
    index, _, others = rest.partition(". ")
    migrating = others.partition("`dojang migrate` needs ")[2].partition(";")[0]

    assert sorted(RUNNING_ACTIONS["table"]) == [f"dynamodb:{name}" for name in re.findall(r"`(\w+)`", table)]
    assert list(RUNNING_ACTIONS["index"]) == [f"dynamodb:{name}" for name in re.findall(r"`(\w+)`", index)]
    assert sorted(MIGRATING_ACTIONS) == [f"dynamodb:{name}" for name in re.findall(r"`(\w+)`", migrating)]


def _owe(backend: DynamoDBBackend, record: Record, *owes: Delivery) -> Record:

    event = Event(version=record.version + 1, at=NOW, what=What.RECEIPT_REFUSED, who="bootpay", data={})
    decision = Decision(
        payment=record.payment,
        version=event.version,
        events=(event,),
        owes=owes,
        claims=(),
        due_at=None,
        answer=Pending(),
    )
    return backend.commit(record, decision)


# Limits


def test_ninety_deliveries_are_one_transaction_and_more_than_fit_are_refused_whole(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """DynamoDB takes a hundred parts at once; what is more is not stored in halves."""
    record = _register(backend)
    record = _owe(backend, record, *(_owed(seq=seq) for seq in range(2, 92)))
    watched.calls.clear()
    with pytest.raises(StoreUnavailable, match="102 parts"):
        _owe(backend, record, *(_owed(seq=seq) for seq in range(100, 200)))

    assert [] == watched.calls
    assert 90 == len(backend.deliveries(OrderId("o1")))
    assert record == backend.load(OrderId("o1"))


def test_an_item_beyond_dynamodbs_size_is_refused_and_changes_nothing(backend: DynamoDBBackend) -> None:
    """400 KB an item; the words say so, and hold nothing of the item."""
    record = _register(backend)
    heavy = Delivery(
        id="o1:2:x",
        order_id=OrderId("o1"),
        seq=2,
        lane=Lane.NOTICE,
        type="order.paid",
        data={"secret": "s" * 420_000},
        created_at=NOW,
        due_at=NOW,
    )
    with pytest.raises(StoreUnavailable) as refused:
        _owe(backend, record, heavy)

    assert "sss" not in str(refused.value)
    assert record == backend.load(OrderId("o1"))
    assert [] == backend.deliveries(OrderId("o1"))


def _asked_for(times: int, *, under_way: bool) -> Payment:
    """A payment with so many partial cancels behind it."""
    requests = tuple(
        CancelRequest(key=f"{number:032x}", fingerprint="f" * 64, outcome="done", amount=100)
        for number in range(times)
    )
    lease = Lease(until=LATER) if under_way else None
    state = State.CANCELLING if under_way else State.PAID
    return Payment(state=state, receipt_id=ReceiptId("a" * 24), requests=requests, lease=lease)


def test_an_order_near_its_size_begins_nothing_and_still_ends_what_was_begun(
    watched: Watched, backend: DynamoDBBackend
) -> None:
    """Money moves only while there is room to write down what became of it."""
    record = _register(backend)

    def decided(record: Record, times: int, *, under_way: bool) -> Decision:
        event = Event(version=record.version + 1, at=NOW, what=What.CANCEL_INTENDED, who="shop", data={})
        return Decision(
            payment=_asked_for(times, under_way=under_way),
            version=event.version,
            events=(event,),
            owes=(),
            claims=(),
            due_at=None,
            answer=Pending(),
        )

    begun = backend.commit(record, decided(record, 1_700, under_way=True))
    watched.calls.clear()
    with pytest.raises(StoreUnavailable, match="o1 has grown too large for another approval or cancel"):
        backend.commit(begun, decided(begun, 1_850, under_way=True))
    nothing_sent = list(watched.calls)
    ended = backend.commit(begun, decided(begun, 1_850, under_way=False))

    assert [] == nothing_sent
    assert ended == backend.load(OrderId("o1"))


def test_a_history_of_many_pages_is_whole_and_in_order(watched: Watched, backend: DynamoDBBackend) -> None:
    """A query's answer ends at a megabyte; a history does not."""
    record = _register(backend)
    for number in range(30):
        words = {"words": f"{number:02d}" * 20_000}
        event = Event(version=record.version + 1, at=NOW, what=What.RECEIPT_REFUSED, who="x", data=words)
        decision = Decision(
            payment=record.payment,
            version=event.version,
            events=(event,),
            owes=(),
            claims=(),
            due_at=None,
            answer=Pending(),
        )
        record = backend.commit(record, decision)
    watched.calls.clear()
    events = backend.history(OrderId("o1"))

    assert ["Query", "Query"] == watched.operations
    assert list(range(1, 32)) == [event.version for event in events]
    assert [f"{number:02d}" for number in range(30)] == [str(event.data["words"])[:2] for event in events[1:]]


def test_others_words_come_back_as_far_as_text_can_hold_them(backend: DynamoDBBackend) -> None:
    """Half a character has no place in UTF-8; NUL, quotes and Korean do."""
    notice = Notice(receipt_id=ReceiptId("a" * 24), kind="x\ud800\0'\"", order_id="주문\udfff")
    backend.receive(notice, NOW, NOW)
    again = backend.receive(notice, NOW, NOW)
    backend.settle_notice(again, "\ud800!", LATER)

    assert (2, "x?\0'\"", "주문?") == (again.times, again.notice.kind, again.notice.order_id)
    assert ["?!"] == [stored.outcome for stored in backend.notices(5)]


# Lists and shards


def test_a_long_list_has_no_gaps_and_no_repeats(backend: DynamoDBBackend) -> None:
    """More orders than one batch may read, in pages as large as a caller may ask for."""
    for number in range(230):
        _register(backend, f"o{number:03d}", NOW + timedelta(seconds=number // 7))
    first = backend.orders(OrderFilter(limit=200))
    rest = backend.orders(OrderFilter(limit=200, cursor=first.next_cursor))
    seen = [str(record.order.id) for record in [*first.records, *rest.records]]

    assert [f"o{number:03d}" for number in reversed(range(230))] == seen
    assert rest.next_cursor is None


def test_a_time_that_ends_before_it_begins_holds_nothing(backend: DynamoDBBackend) -> None:
    """Neither is a cursor older than what is wanted an error, nor a limit of none."""
    _register(backend, at=NOW)
    backward = backend.orders(OrderFilter(created_from=LATER, created_to=NOW))
    outside = backend.orders(OrderFilter(created_from=NOW, cursor="5-o1"))
    none = (backend.claim_checks(NOW, LATER, 0), backend.claim_deliveries(NOW, LATER, 0), backend.notices(0))

    assert ([], [], None, None) == (
        backward.records,
        outside.records,
        backward.next_cursor,
        outside.next_cursor,
    )
    assert ([], [], []) == none


def test_what_is_decided_twice_in_one_decision_is_written_once(backend: DynamoDBBackend) -> None:
    """DynamoDB takes no item twice in a transaction; the decision holds all the same."""
    record = _owe(backend, _register(backend), _owed(), _owed())
    receipt_id = ReceiptId("a" * 24)
    step = Event(version=3, at=NOW, what=What.RECEIPT_REFUSED, who="bootpay", data={})
    twice = Decision(
        payment=record.payment,
        version=3,
        events=(step,),
        owes=(),
        claims=(receipt_id, receipt_id),
        due_at=None,
        answer=Pending(),
    )
    backend.commit(record, twice)
    loaded = backend.load(OrderId("o1"), receipt_id)

    assert ["o1:2:notice"] == [owed.id for owed in backend.deliveries(OrderId("o1"))]
    assert loaded is not None
    assert OrderId("o1") == loaded.claimed_by


def test_more_shards_find_everything_fewer_shards_have_written(watched: Watched) -> None:
    """The split may be made finer at any time, under way and with the old one still running."""
    few = fresh_backend(watched, shards=2)
    name = few._table
    many = DynamoDBBackend(name, REGION, way=watched, shards=7)
    for number in range(20):
        _register(few if number % 2 else many, f"o{number:02d}", NOW)
    page = many.orders(OrderFilter(state="open", limit=50))
    due = many.claim_checks(NOW, LATER, 50)

    assert 20 == len(page.records)
    assert 20 == len(set(due))


def test_a_hot_table_spreads_over_all_shards(watched: Watched, backend: DynamoDBBackend) -> None:
    """Neither age nor the shop's way to number its orders puts everything into one partition."""
    for number in range(64):
        _register(backend, f"2026-{number}", NOW)
    shards = {str(request["Item"]["due_in"].s) for _, request in watched.calls}  # type: ignore[index]

    assert {f"check#{shard}" for shard in range(8)} == shards


# Streams


def test_what_is_owed_appears_in_the_tables_stream(backend: DynamoDBBackend) -> None:
    """A function behind the stream hears of a delivery that a commit has written, with all it needs."""
    _owe(backend, _register(backend), _owed())
    there = {str(change["dynamodb"]["Keys"]["sk"]["S"]): change for change in _changes(backend._table)}
    image = there["owed#o1:2:notice"]["dynamodb"]["NewImage"]

    assert {"order", "order#0000000002", "owed#o1:2:notice"} == set(there)
    assert "INSERT" == there["owed#o1:2:notice"]["eventName"]
    assert ("o1:2:notice", "notice", "due") == (image["id"]["S"], image["lane"]["S"], image["state"]["S"])


def _changes(table: str) -> list[Any]:
    where = {
        "region_name": REGION,
        "endpoint_url": server_endpoint(),
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    arn = boto3.client("dynamodb", **where).describe_table(TableName=table)["Table"]["LatestStreamArn"]
    streams = boto3.client("dynamodbstreams", **where)
    found: list[Any] = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found += streams.get_records(ShardIterator=iterator)["Records"]
    return found


# The table


def test_migrating_makes_the_table_once(watched: Watched) -> None:
    """With its indexes, paid per request, protected against deletion, its changes readable; again does nothing."""
    name = fresh_name()
    backend = DynamoDBBackend(name, REGION, way=watched)
    first, again = backend.migrate(), backend.migrate()
    creation: Any = next(request for operation, request in watched.calls if operation == "CreateTable")

    assert ([f"table {name}"], []) == (first, again)
    assert LAYOUT == backend.version
    assert ("PAY_PER_REQUEST", True) == (creation["BillingMode"], creation["DeletionProtectionEnabled"])
    assert creation["StreamSpecification"]["StreamEnabled"]


def test_a_table_that_is_not_there_is_a_setting_to_mend(watched: Watched) -> None:
    """At once where a person looks, and as unavailable where a payment is under way."""
    backend = DynamoDBBackend(fresh_name(), REGION, way=watched)
    with pytest.raises(ConfigError, match=r"run `dojang migrate` .*만들어"):
        _ = backend.version
    with pytest.raises(StoreUnavailable, match="dojang migrate"):
        backend.load(OrderId("o1"))

    assert ["DescribeTable", "GetItem"] == watched.operations


@pytest.mark.parametrize("key", ["id", "pk"])
def test_a_table_of_somebody_elses_is_refused_and_left_alone(watched: Watched, key: str) -> None:
    """Neither other keys nor missing indexes are mended by force."""
    name = fresh_name()
    watched.call(
        "CreateTable",
        {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}]
            + ([{"AttributeName": "sk", "AttributeType": "S"}] if key == "pk" else []),
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]
            + ([{"AttributeName": "sk", "KeyType": "RANGE"}] if key == "pk" else []),
        },
        5,
    )
    backend = DynamoDBBackend(name, REGION, way=watched)
    watched.calls.clear()
    for do in (backend.migrate, lambda: backend.version):
        with pytest.raises(ConfigError, match=name):
            do()

    assert {"DescribeTable"} == set(watched.operations)


def test_a_table_without_a_stream_is_given_one(watched: Watched) -> None:
    """A table made by hand needs no more than this to feed the function behind its stream."""
    name = fresh_name()
    donor = fresh_backend(watched)
    creation: Any = next(request for operation, request in watched.calls if operation == "CreateTable")
    plain = {key: value for key, value in creation.items() if key != "StreamSpecification"}
    watched.call("CreateTable", plain | {"TableName": name}, 5)
    backend = DynamoDBBackend(name, REGION, way=watched)
    ran = backend.migrate()
    donor.close()

    assert [f"stream of {name}"] == ran
    assert [] == backend.migrate()


def test_items_of_a_newer_layout_are_not_touched(watched: Watched, backend: DynamoDBBackend) -> None:
    """What an older release cannot understand it refuses, rather than guess."""
    _register(backend)
    watched.call(
        "UpdateItem",
        {
            "TableName": backend._table,
            "Key": {"pk": {"S": "O#o1"}, "sk": {"S": "order"}},
            "UpdateExpression": "SET v = :v",
            "ExpressionAttributeValues": {":v": {"N": str(LAYOUT + 1)}},
        },
        5,
    )
    for do in (lambda: backend.load(OrderId("o1")), lambda: backend.history(OrderId("o1"))):
        with pytest.raises(StoreUnavailable, match="newer dojang"):
            do()


def test_the_page_about_the_table_names_every_attribute(watched: Watched, backend: DynamoDBBackend) -> None:
    """`docs/dynamodb.md` is the layout's contract: nothing is written that it does not tell."""
    shop = Shop(backend)
    shop.order()
    shop.verify(shop.bootpay.pay("o1", 1000))
    _register(backend, "o2")
    backend.receive(Notice(receipt_id=ReceiptId("a" * 24)), NOW, NOW)
    lead = backend.claim_deliveries(LATER, LATER, 5)[0]
    backend.settle_delivery(_settled(lead))
    written: dict[str, set[str]] = {}
    for _, request in watched.calls:
        asked: Any = request
        for part in [asked, *(one.get("Put", {}) for one in asked.get("TransactItems", ()))]:
            if "Item" in part:
                kind = str(part["Item"]["sk"].s).partition("#")
                written.setdefault(kind[0] + kind[1], set()).update(part["Item"])
    page = PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^### [^\n]*, `(\w+#?)[^`\n]*`\n(.*?)(?=^##)", page, re.DOTALL | re.MULTILINE)
    told = {kind: set(re.findall(r"`(\w+)`", words)) for kind, words in sections}

    assert {"order", "order#", "owed#", "claim", "notice"} == set(written) == set(told)
    for kind, names in written.items():
        assert names - {"pk", "sk"} <= told[kind], kind


def _settled(delivery: Delivery) -> Delivery:

    return replace(delivery, state=DeliveryState.SETTLED, settled_at=LATER)


@pytest.mark.parametrize(("table", "shards"), [("no", 8), ("or ders", 8), ("orders", 0), ("orders", 100)])
def test_what_cannot_be_a_store_is_told_at_once(table: str, shards: int) -> None:
    """Before anything is asked of anybody."""
    with pytest.raises(ConfigError, match="DOJANG_STORE"):
        DynamoDBBackend(table, REGION, shards=shards)
