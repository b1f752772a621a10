"""A store in one DynamoDB table: every decision one transaction, every replay one read."""

from __future__ import annotations

import random
import re
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import islice

from dojang.adapters.dynamodb.asking import put, query, update
from dojang.adapters.dynamodb.due import Due
from dojang.adapters.dynamodb.items import (
    LAYOUT,
    SETTLED,
    SHARDS_MAX,
    UNFINISHED,
    Shards,
    claim_item,
    claim_key,
    events_in,
    events_item,
    events_key,
    kind_of,
    made,
    notice_in,
    notice_item,
    notice_key,
    number,
    order_item,
    order_key,
    record_in,
    same_key,
    text,
)
from dojang.adapters.dynamodb.outbox import Outbox
from dojang.adapters.dynamodb.patience import Cancelled, ConditionFailed, Patience
from dojang.adapters.dynamodb.schema import check, migrate
from dojang.adapters.dynamodb.signed import SignedTable, region_of
from dojang.adapters.dynamodb.table import Item, Reason, Table, Value
from dojang.adapters.dynamodb.together import Together
from dojang.adapters.rows import cursor_from, cursor_of, micros, order_row, payment_json
from dojang.core.decision import Decision
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Event, Payment, Record, shown_state
from dojang.core.values import replace
from dojang.errors import ConfigError, Conflict, StoreUnavailable
from dojang.ports import Notice, OrderFilter, Page, StoredNotice

__all__ = ["SHARDS", "DynamoDBBackend"]

SHARDS = 8
"""One partition of an index takes 1,000 writes a second. The busiest kind sees five for each payment, and forty more
for its checks in the half year that follows."""

_LATEST = 2**62
_PARTS_MAX = 100
_LEASED_MAX = 360_000
_THREADS = 8
_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_NEW = "attribute_not_exists(#pk)"


class DynamoDBBackend:
    """One table, shared by any number of functions and servers. `docs/dynamodb.md` shows its items.

    Opening it asks nothing: a function that starts cold has nothing to wait for. That the table is there and right is
    checked by `migrate` and by `version`.

    **Atomic.** `commit` is one TransactWriteItems: the order's new state under its version, the events, the claims,
    what is owed. Every other method writes one item under a condition. At most 100 parts (some ninety deliveries) and
    400 KB an item; what is more is refused whole, and from 360 KB on nothing that moves money is begun.

    **Reads.** `load` is one strongly consistent read, also with a receipt: BatchGetItem then, not TransactGetItems,
    which costs twice as much and fails under a concurrent commit. Order and claim may so be of two moments, a
    millisecond apart. Nothing rests on that: a commit checks both again. Lists and due work come from indexes, which
    follow the table after a moment; what was found is then read or changed in the table itself. A claim passes over
    what the index still shows and others have taken.

    **Unknown outcomes.** Each write carries a token or a condition by which its repeat is recognised: after a timeout
    it is sent again, and "moved on" by our own token means done. Only if DynamoDB stays silent beyond the patience is
    `StoreUnavailable` raised for something that may have been stored.

    **Permissions.** `schema.RUNNING_ACTIONS`; no Scan and no DeleteItem.

    Args:
        table: Its name.
        region: Where it is; by default where AWS's own tools would look.
        endpoint: Another endpoint, such as DynamoDB Local's.
        shards: Into how many partitions each index is split. It may be raised at any time, never lowered.
        patience_s: How long one request may take, repeats included.
        left_s: How many seconds there are at most, now, for a request that writes (with False: reads).
        connections_max: How many requests may be under way at once.
        way: Another way to DynamoDB than the lean one.
        clock: Monotonic seconds.
        pause: Waits between repeats.

    Raises:
        ConfigError: If the name cannot be a table's, or no region is known.

    Attributes:
        connections_max: How many requests may be under way at once.
    """

    def __init__(
        self,
        table: str,
        region: str | None = None,
        endpoint: str | None = None,
        *,
        shards: int = SHARDS,
        patience_s: float = 5.0,
        left_s: Callable[[bool], float] | None = None,
        connections_max: int = 16,
        way: Table | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        if not _NAME.fullmatch(table):
            raise ConfigError("DOJANG_STORE: a DynamoDB table's name is 3 to 255 of A-Z a-z 0-9 _ . -")
        if not 1 <= shards <= SHARDS_MAX:
            raise ConfigError(f"DOJANG_STORE: shards must be 1 to {SHARDS_MAX}.")
        self.connections_max = connections_max
        self._table = table
        self._way = way or SignedTable(region_of(region), endpoint, connections_max=connections_max)
        self._shards = Shards(shards)
        # From the system, or all functions restored from one snapshot would pause alike and meet again.
        spread = random.SystemRandom().random
        self._patience = Patience(self._way, patience_s, clock, pause, spread, left_s)
        self._together = Together(_THREADS)
        self._due = Due(table, self._patience, self._shards, self._together, clock, spread)
        self._outbox = Outbox(table, self._patience, self._shards, self._together, self._due)

    def close(self) -> None:
        """Close all connections and threads. Used again, it makes new ones (after a snapshot is restored)."""
        self._together.close()
        self._way.close()

    @property
    def version(self) -> int:
        """The item layout, after a look whether the table can hold it."""
        check(self._way, self._table)
        return LAYOUT

    def migrate(self) -> list[str]:
        """Make the table, or what it lacks; what was done, in words."""
        return migrate(self._way, self._table)

    def check_shards(self) -> None:
        """Look for orders in parts that this store never asks. Some ninety queries: nothing for a function's start.

        Raises:
            ConfigError: There are some: they would be neither listed nor looked after.
            StoreUnavailable: DynamoDB could not be asked, or these credentials may not.
        """
        beyond = self._shards.beyond("orders")
        asked = [
            query(self._table, "#made_in = :shard", {":shard": shard}, index="made", limit=1)
            for shard in beyond.values()
        ]
        answers = self._together([partial(self._patience.ask, "Query", one) for one in asked])
        least = max((least for least, answer in zip(beyond, answers, strict=True) if answer.items), default=0)
        if least:
            # What was written with more parts may not have reached the last of them yet.
            raise ConfigError(
                f"DOJANG_STORE: this table is split into at least {least} parts: set shards={least} everywhere, or the "
                f"greater number that another process has. Some orders lie beyond the {self._shards.count} parts that "
                "are asked here, and are neither listed nor looked after "
                f"(일부 주문이 보이지 않습니다. 모든 곳에서 shards={least} 이상의 같은 값을 쓰세요)."
            )

    # Orders

    def register(self, order: Order, event: Event, due_at: datetime | None, /) -> tuple[Record, bool]:
        """See `Store.register`."""
        token = secrets.token_hex(16)
        item = order_item(order, event, due_at, token, self._shards)
        try:
            self._patience.ask("PutItem", put(self._table, item, _NEW))
        except ConditionFailed as failed:
            there = failed.item or item
            return record_in(there), there["registration"] == text(token)
        return record_in(item), True

    def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """See `Store.load`."""
        if receipt_id is None:
            item = self._get(order_key(order_id))
            return record_in(item) if item else None
        wanted = order_key(order_id)
        found = self._patience.all_of(self._table, [wanted, claim_key(receipt_id)])
        order = next((item for item in found if same_key(item, wanted)), None)
        claim = next((item for item in found if not same_key(item, wanted)), None)
        return record_in(order, claim) if order else None

    def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        order_id = record.order.id
        if decision.payment.lease is not None and _size(record.order, decision.payment) > _LEASED_MAX:
            # Money moves next, and what becomes of it must find room.
            raise StoreUnavailable(
                f"order {order_id} has grown too large for another approval or cancel: DynamoDB holds 400 KB an item"
            )
        token = secrets.token_hex(16)
        history = [events_item(order_id, decision.events, token)] if decision.events else []
        claims = [
            put(
                self._table,
                claim_item(receipt_id, order_id),
                f"{_NEW} OR #order_id = :us",
                {":us": text(order_id)},
            )
            for receipt_id in dict.fromkeys(decision.claims)  # a transaction takes no item twice
        ]
        before_owes = [
            {"Update": self._advance(record, decision, token)},
            *({"Put": put(self._table, item, _NEW)} for item in history),
            *({"Put": claim} for claim in claims),
        ]
        owes = [{"Put": put(self._table, item, _NEW)} for item in self._outbox.items(decision.owes)]
        while True:
            parts = [*before_owes, *owes]
            if len(parts) > _PARTS_MAX:
                raise StoreUnavailable(
                    f"a decision about order {order_id} has {len(parts)} parts; DynamoDB takes {_PARTS_MAX} at once"
                )
            try:
                self._patience.ask("TransactWriteItems", {"TransactItems": parts})
                break
            except Cancelled as cancelled:
                if min(cancelled.failed) <= len(history):
                    if cancelled.doubtful and self._is_ours(record, token, cancelled.reasons[0]):
                        break
                    raise Conflict(f"order {order_id} has moved on") from None
                if min(cancelled.failed) < len(before_owes):
                    raise Conflict(f"a receipt of order {order_id} belongs to another order") from None
                # What is already owed under its id stays as it is, progress included.
                there = {at - len(before_owes) for at in cancelled.failed}
                owes = [part for at, part in enumerate(owes) if at not in there]
        return replace(
            record,
            payment=decision.payment,
            version=decision.version,
            due_at=decision.due_at,
            claimed_by=None,
        )

    def _advance(self, record: Record, decision: Decision, token: str) -> dict[str, object]:
        sets = {
            "payment": text(payment_json(decision.payment)),
            "version": number(decision.version),
            "commit_id": text(token),
            "shown_in": self._shards.of(shown_state(record.order, decision.payment), record.order.id),
        }
        due, gone = self._when(kind_of(decision.payment), record.order.id, decision.due_at)
        return update(
            self._table,
            order_key(record.order.id),
            "#version = :expected",
            sets | due,
            removes=gone,
            values={":expected": number(record.version)},
        )

    def _is_ours(self, record: Record, token: str, reason: Reason) -> bool:
        """Whether the order moved on by the very commit whose answer never came."""
        ours = text(token)
        if reason.item is not None and reason.item.get("commit_id") == ours:
            return True
        # Somebody may have committed after it; what it added to the history is still there.
        added = self._get(events_key(record.order.id, record.version + 1))
        return added is not None and added["commit_id"] == ours

    def history(self, order_id: OrderId, /) -> Sequence[Event]:
        """See `Store.history`."""
        key = order_key(order_id)
        asked = query(
            self._table,
            "#pk = :pk AND begins_with(#sk, :order)",
            {":pk": key["pk"], ":order": key["sk"]},
        )
        return [event for item in self._outbox.whole(asked) for event in events_in(item)]

    def orders(self, wanted: OrderFilter, /) -> Page:
        """See `Store.orders`."""
        after = cursor_from(wanted.cursor)
        newest = made(_LATEST if wanted.created_to is None else micros(wanted.created_to) or 0, "")
        if after is not None:
            newest = min(newest, made(*after), key=lambda value: str(value.s))
        oldest = made(micros(wanted.created_from) or 0, "")
        index, kind = ("made", "orders") if wanted.state is None else ("shown", wanted.state)
        # Both ends of BETWEEN are included, the upper end of what is wanted is not: ask for one more.
        listed = [
            item
            for item in self._newest(index, kind, oldest, newest, wanted.limit + 2)
            if item["made"] != newest
        ]
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in listed[: wanted.limit]]
        records = [record_in(item) for item in self._patience.all_of(self._table, keys)]
        records.sort(key=lambda record: (record.created_at, record.order.id), reverse=True)
        last = records[-1] if len(listed) > wanted.limit else None
        shown = [
            record
            for record in records
            # The index may not have heard yet what became of an order.
            if wanted.state is None or shown_state(record.order, record.payment) == wanted.state
        ]
        return Page(shown, cursor_of(last.created_at, last.order.id) if last else None)

    def _newest(self, index: str, kind: str, oldest: Value, newest: Value, limit: int) -> list[Item]:
        """Keys from all shards of a list, the newest first."""
        if limit < 1 or str(oldest.s) > str(newest.s):  # DynamoDB takes neither for a question
            return []
        asked = [
            query(
                self._table,
                f"#{index}_in = :shard AND #made BETWEEN :oldest AND :newest",
                {":shard": shard, ":oldest": oldest, ":newest": newest},
                index=index,
                limit=limit,
                newest_first=True,
            )
            for shard in self._shards.all(kind)
        ]
        answers = self._together([partial(self._patience.ask, "Query", one) for one in asked])
        newest_first = merge(
            *(answer.items for answer in answers), key=lambda item: str(item["made"].s), reverse=True
        )
        return list(islice(newest_first, limit))

    # Deliveries

    def deliveries(self, order_id: OrderId, /) -> Sequence[Delivery]:
        """See `Store.deliveries`."""
        return self._outbox.of(order_id)

    def claim_deliveries(
        self, now: datetime, until: datetime, limit: int, /, *, money_back_only: bool = False
    ) -> Sequence[Delivery]:
        """See `Store.claim_deliveries`."""
        return self._outbox.claim(now, until, limit, money_back_only=money_back_only)

    def settle_delivery(self, delivery: Delivery, /) -> bool:
        """See `Store.settle_delivery`."""
        return self._outbox.settle(delivery)

    def retry_delivery(self, delivery_id: str, now: datetime, /) -> Delivery | None:
        """See `Store.retry_delivery`."""
        return self._outbox.retry(delivery_id, now)

    # Inbox

    def receive(self, notice: Notice, now: datetime, due_at: datetime, /) -> StoredNotice:
        """See `Store.receive`."""
        token = secrets.token_hex(16)
        item = notice_item(notice, now, due_at, token, self._shards)
        while True:
            try:
                self._patience.ask("PutItem", put(self._table, item, _NEW))
            except ConditionFailed as failed:
                there = failed.item or item
                if there["registration"] == text(token):
                    return notice_in(there)
                with suppress(ConditionFailed):  # it was settled since, or opened again: look anew
                    return self._heard_again(there, due_at)
            else:
                return notice_in(item)

    def _heard_again(self, there: Item, due_at: datetime) -> StoredNotice:
        """Count a repeat; one that is not settled is open again."""
        key = {"pk": there["pk"], "sk": there["sk"]}
        settled = {":settled": text("settled")}
        if there["outcome"] == settled[":settled"]:
            counted = update(self._table, key, "#outcome = :settled", {}, counts="times", values=settled)
        else:
            due, _ = self._when("inbox", str(key["pk"].s), due_at)
            counted = update(
                self._table,
                key,
                "#outcome <> :settled",
                {"outcome": text(""), "attempts": number(0)} | due,
                keeps=("due",),
                counts="times",
                values=settled,
            )
        answer = self._patience.ask("UpdateItem", counted | {"ReturnValues": "ALL_NEW"})
        assert answer.attributes is not None
        return notice_in(answer.attributes)

    def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.claim_notices`."""
        take = partial(self._take, now=now, until=until, counts="attempts")
        return [notice_in(item) for item in self._due.claim(["inbox"], now, limit, take)]

    def settle_notice(self, stored: StoredNotice, outcome: str, due_at: datetime | None = None, /) -> bool:
        """See `Store.settle_notice`."""
        key = notice_key(stored.notice)
        due, gone = self._when("inbox", str(key["pk"].s), due_at)
        settled = update(
            self._table,
            key,
            "#times = :seen AND #attempts = :claimed",
            {"outcome": text(outcome)} | due,
            removes=gone,
            values={":seen": number(stored.times), ":claimed": number(stored.attempts)},
        )
        try:
            self._patience.ask("UpdateItem", settled)
        except ConditionFailed:
            return False
        return True

    def notices(self, limit: int, /) -> Sequence[StoredNotice]:
        """See `Store.notices`."""
        listed = self._newest("made", "notices", made(0, ""), made(_LATEST, ""), limit)
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in listed]
        found = [notice_in(item) for item in self._patience.all_of(self._table, keys)]
        return sorted(found, key=lambda stored: stored.received_at, reverse=True)

    # Checks

    def reschedule(self, record: Record, due_at: datetime | None, /) -> bool:
        """See `Store.reschedule`."""
        due, gone = self._when(kind_of(record.payment), record.order.id, due_at)
        moved = update(
            self._table,
            order_key(record.order.id),
            "#version = :expected",
            due,
            removes=gone,
            values={":expected": number(record.version)},
        )
        try:
            self._patience.ask("UpdateItem", moved)
        except ConditionFailed:
            return False
        return True

    def claim_checks(
        self, now: datetime, until: datetime, limit: int, /, *, others_first: bool = False
    ) -> Sequence[OrderId]:
        """See `Store.claim_checks`."""
        take = partial(self._take, now=now, until=until)
        first, then = (SETTLED, UNFINISHED) if others_first else (UNFINISHED, SETTLED)
        claimed = self._due.claim([first], now, limit, take) or self._due.claim([then], now, limit, take)
        return [record_in(item).order.id for item in claimed]

    # What is due

    def _when(self, kind: str, item_id: str, due_at: datetime | None) -> tuple[Item, tuple[str, ...]]:
        """What to set and what to take away, so that the index shows an item when it is due, or not at all."""
        if due_at is None:
            return {}, ("due_in", "due")
        return {"due_in": self._shards.of(kind, item_id), "due": number(micros(due_at) or 0)}, ()

    def _take(
        self, items: Sequence[Item], _: int, now: datetime, until: datetime, *, counts: str = ""
    ) -> list[Item | None]:
        """Take each of these, unless somebody else just has."""
        return self._together([partial(self._claim, item, now, until, counts=counts) for item in items])

    def _claim(self, item: Item, now: datetime, until: datetime, *, counts: str = "") -> Item | None:
        """Take what is still due, so that nobody else finds it due before `until`."""
        taken = update(
            self._table,
            {"pk": item["pk"], "sk": item["sk"]},
            "#due <= :now",
            {"due": number(micros(until) or 0)},
            counts=counts,
            values={":now": number(micros(now) or 0)},
        )
        try:
            return self._patience.ask("UpdateItem", taken | {"ReturnValues": "ALL_NEW"}).attributes
        except ConditionFailed:
            return None

    def _get(self, key: Item) -> Item | None:
        request = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        return self._patience.ask("GetItem", request).item


def _size(order: Order, payment: Payment) -> int:
    """About how many bytes an order's item takes, its keys and numbers apart."""
    return sum(len(str(part).encode()) for part in (*order_row(order), payment_json(payment)))
