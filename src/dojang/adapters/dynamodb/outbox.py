"""What is owed, and an order's notices in order.

The `due` index shows whatever is due, also a notice that stands behind another one: who writes it cannot know that.
So whoever finds it reads the lane from the table itself. What leads is taken; what waits is shown again when its
leader is due (`due` moves, `due_at` does not), or else a shop that is down for a day would fill the index with
deliveries that nobody may take. When the leader is settled, who comes next is shown at once. If the process dies in
between, it is shown at the moment the leader would have been: late, never lost, never out of order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from dojang.adapters.dynamodb.asking import query, update
from dojang.adapters.dynamodb.due import Due
from dojang.adapters.dynamodb.items import (
    Shards,
    delivery_in,
    delivery_item,
    delivery_key,
    number,
    order_key,
    text,
)
from dojang.adapters.dynamodb.patience import Cancelled, ConditionFailed, Patience
from dojang.adapters.dynamodb.table import Item
from dojang.adapters.dynamodb.together import Together
from dojang.adapters.rows import micros
from dojang.core.delivery import Delivery, DeliveryState, Lane, order_of
from dojang.core.order import OrderId

__all__ = ["Outbox"]

_LANES_AT_ONCE = 8
_ID_BYTES_MAX = 512
_DUE = text(DeliveryState.DUE)
_SETTLED = text(DeliveryState.SETTLED)


class Outbox:
    """The deliveries of a table.

    Args:
        table: Its name.
        patience: Asks it.
        shards: How its indexes are split.
        together: Runs several requests at once.
        due: Goes through what is due.
    """

    def __init__(
        self,
        table: str,
        patience: Patience,
        shards: Shards,
        together: Together,
        due: Due,
    ) -> None:
        self._table = table
        self._patience = patience
        self._shards = shards
        self._together = together
        self._due = due

    def items(self, owes: Iterable[Delivery]) -> list[Item]:
        """How deliveries are written; of one id the first."""
        once: dict[str, Delivery] = {}
        for owed in owes:
            once.setdefault(owed.id, owed)
        return [delivery_item(owed, self._shards) for owed in once.values()]

    def whole(self, asked: dict[str, object]) -> list[Item]:
        """All pages of a query."""
        found: list[Item] = []
        page: dict[str, object] = asked
        while True:
            answer = self._patience.ask("Query", page)
            found += answer.items
            if not answer.last_evaluated_key:
                return found
            page = asked | {"ExclusiveStartKey": answer.last_evaluated_key}

    def of(self, order_id: OrderId) -> list[Delivery]:
        """All that an order owes or owed."""
        pk = order_key(order_id)["pk"]
        asked = query(
            self._table, "#pk = :pk AND begins_with(#sk, :owed)", {":pk": pk, ":owed": text("owed#")}
        )
        found = [delivery_in(item) for item in self.whole(asked)]
        return sorted(found, key=lambda owed: (owed.seq, owed.lane))

    def claim(self, now: datetime, until: datetime, limit: int, *, money_back_only: bool) -> list[Delivery]:
        """Take what is due and leads its lane."""
        lanes = [Lane.MONEY_BACK] if money_back_only else list(Lane)
        take = partial(self._take_leaders, now=now, until=until)
        claimed = self._due.claim(lanes, now, limit, take, one_of=_lane_of, at_once=_LANES_AT_ONCE)
        return sorted(claimed, key=lambda owed: (owed.created_at, owed.seq))

    def _take_leaders(
        self, shown: Sequence[Item], wanted: int, now: datetime, until: datetime
    ) -> list[Delivery | None]:
        """Take whoever leads the lanes of these, as many as are wanted; None for each that somebody else just took."""
        leads = self._together([partial(self._leads, *_lane_of(item), now) for item in shown])
        leading = sorted((owed for lane in leads for owed in lane), key=lambda owed: (owed.due_at, owed.id))
        taken: list[Delivery | None] = []
        while leading and (some := wanted - sum(owed is not None for owed in taken)) > 0:
            taken += self._together([partial(self._take, owed, now, until) for owed in leading[:some]])
            leading = leading[some:]
        return taken

    def _leads(self, pk: str, lane: str, now: datetime) -> list[Delivery]:
        """Who leads this lane and is due; where nobody is, those behind step aside."""
        queue = self._queue(pk, lane)
        leaders = _leaders(queue, lane)
        due = [delivery_in(item) for item in leaders if delivery_in(item).due_at <= now]
        if due or not leaders:
            return due
        leader = min(leaders, key=lambda item: delivery_in(item).due_at)
        for item in queue:
            if item not in leaders and int(str(item["due"].n)) < int(str(leader["due_at"].n)):
                self._step_aside(item, leader)
        return []

    def _queue(self, pk: str, lane: str) -> list[Item]:
        """What this lane still owes, as it is in the table now."""
        asked = query(
            self._table,
            "#pk = :pk AND begins_with(#sk, :owed)",
            {":pk": text(pk), ":owed": text("owed#"), ":due": _DUE, ":lane": text(lane)},
            only="#state = :due AND #lane = :lane",
        )
        return self.whole(asked)

    def _step_aside(self, item: Item, leader: Item) -> None:
        """Show it again when its leader is due, if that is still so: a leader settled meanwhile must not hide it."""
        unchanged = "#state = :due_state AND #due_at = :due_at"
        standing = {
            "TableName": self._table,
            "Key": _key(leader),
            "ConditionExpression": unchanged,
            "ExpressionAttributeNames": {"#state": "state", "#due_at": "due_at"},
            "ExpressionAttributeValues": {":due_state": _DUE, ":due_at": leader["due_at"]},
        }
        moved = update(
            self._table,
            _key(item),
            unchanged,
            {"due": leader["due_at"]},
            values={":due_state": _DUE, ":due_at": item["due_at"]},
        )
        with suppress(Cancelled):
            self._patience.ask(
                "TransactWriteItems", {"TransactItems": [{"ConditionCheck": standing}, {"Update": moved}]}
            )

    def _take(self, owed: Delivery, now: datetime, until: datetime) -> Delivery | None:
        """Claim it, unless somebody else just has."""
        lease = number(micros(until) or 0)
        taken = update(
            self._table,
            delivery_key(owed.order_id, owed.id),
            "#state = :is_due AND #due_at <= :now",
            {"due_at": lease, "due": lease},
            counts="attempts",
            values={":is_due": _DUE, ":now": number(micros(now) or 0)},
        )
        try:
            answer = self._patience.ask("UpdateItem", taken | {"ReturnValues": "ALL_NEW"})
        except ConditionFailed:
            return None
        assert answer.attributes is not None
        return delivery_in(answer.attributes)

    def settle(self, delivery: Delivery) -> bool:
        """Write how an attempt ended, if the claim still holds."""
        written = delivery_item(delivery, self._shards)
        changing = ("state", "due_at", "last_error", "settled_at", "due_in", "due")
        sets = {name: written[name] for name in changing if name in written}
        key = delivery_key(delivery.order_id, delivery.id)
        settled = update(
            self._table,
            key,
            "#state = :is_due AND #attempts = :attempts",
            sets,
            removes=[name for name in changing if name not in written],
            values={":is_due": _DUE, ":attempts": number(delivery.attempts)},
        )
        try:
            self._patience.ask("UpdateItem", settled)
        except ConditionFailed as failed:
            if not failed.doubtful or failed.item is None:
                return False
            # An attempt whose answer was lost may have written just this.
            if any(failed.item.get(name) != written.get(name) for name in (*changing, "attempts")):
                return False
        if delivery.state is not DeliveryState.DUE:
            self._show_next(str(key["pk"].s), delivery.lane)
        return True

    def _show_next(self, pk: str, lane: str) -> None:
        """Who leads the lane now is shown when it is due, even if it had stepped aside."""
        for item in _leaders(self._queue(pk, lane), lane):
            if item["due"] != item["due_at"]:
                shown = update(
                    self._table,
                    _key(item),
                    "#state = :is_due AND #due_at = :due_at",
                    {"due": item["due_at"]},
                    values={":is_due": _DUE, ":due_at": item["due_at"]},
                )
                try:
                    self._patience.ask("UpdateItem", shown)
                except ConditionFailed:
                    continue

    def retry(self, delivery_id: str, now: datetime) -> Delivery | None:
        """Due now unless it is settled."""
        order_id = order_of(delivery_id)
        if not order_id or len(delivery_id.encode("utf-8", "replace")) > _ID_BYTES_MAX:
            return None
        # The lane is not part of the id, and the index needs it.
        for lane in Lane:
            again = update(
                self._table,
                delivery_key(order_id, delivery_id),
                "#state <> :settled AND #lane = :lane",
                {
                    "state": _DUE,
                    "due_at": number(micros(now) or 0),
                    "due": number(micros(now) or 0),
                    "due_in": self._shards.of(lane, order_id),
                    "last_error": text(""),
                },
                values={":settled": _SETTLED, ":lane": text(lane)},
            )
            try:
                answer = self._patience.ask("UpdateItem", again | {"ReturnValues": "ALL_NEW"})
            except ConditionFailed as failed:
                if failed.item is None:
                    return None
                there = delivery_in(failed.item)
                if there.lane is lane:
                    return there
            else:
                assert answer.attributes is not None
                return delivery_in(answer.attributes)
        return None


def _lane_of(item: Item) -> tuple[str, str]:
    """The lane that an entry of the index belongs to: an order's, and of which kind."""
    return str(item["pk"].s), str(item["due_in"].s).partition("#")[0]


def _leaders(queue: list[Item], lane: str) -> list[Item]:
    """Who of a lane waits for nobody: its first notices, or all money back."""
    if lane == Lane.MONEY_BACK:
        return queue
    first = min((delivery_in(item).seq for item in queue), default=0)
    return [item for item in queue if delivery_in(item).seq == first]


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}
