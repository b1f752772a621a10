"""How core values lie in DynamoDB items, layout 1. `docs/dynamodb.md` shows it for people.

| item | `pk` | `sk` |
|---|---|---|
| order, with its registration | `O#<order_id>` | `order` |
| the events of one commit | `O#<order_id>` | `order#<first version>` |
| something owed | `O#<order_id>` | `owed#<delivery id>` |
| whose a receipt is | `R#<receipt_id>` | `claim` |
| a notice in the inbox | `N#<hash of its key>` | `notice` |

Three sparse indexes, each split into shards, hold keys only: `due` (what is to be done, by when), `made` (orders and
notices by age) and `shown` (orders by state and age).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime

from dojang.adapters.dynamodb.table import Item, Value
from dojang.adapters.rows import (
    delivery_from,
    delivery_row,
    event_from,
    event_row,
    micros,
    moment,
    notice_from,
    order_from,
    order_row,
    payment_from,
    payment_json,
)
from dojang.core.delivery import Delivery, DeliveryState
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Event, Payment, Record, shown_state
from dojang.core.schedule import is_unfinished
from dojang.errors import StoreUnavailable
from dojang.ports import Notice, StoredNotice

__all__ = [
    "LAYOUT",
    "SETTLED",
    "SHARDS_MAX",
    "UNFINISHED",
    "Shards",
    "claim_item",
    "claim_key",
    "delivery_in",
    "delivery_item",
    "delivery_key",
    "events_in",
    "events_item",
    "events_key",
    "kind_of",
    "made",
    "notice_in",
    "notice_item",
    "notice_key",
    "number",
    "order_item",
    "order_key",
    "record_in",
    "same_key",
    "text",
]

LAYOUT = 1
"""The layout this release writes; it reads this one and every older one."""

UNFINISHED, SETTLED = "check", "comparison"
"""Under which kind the `due` index shows an order: a backlog of comparisons hides nothing that is unfinished."""


def kind_of(payment: Payment) -> str:
    """Under which kind an order is due for its check."""
    return UNFINISHED if is_unfinished(payment) else SETTLED


def text(value: object) -> Value:
    """Text as an attribute. Others' words may hold half a character, which UTF-8 has no place for."""
    return Value(s=str(value).encode("utf-8", "replace").decode())


def number(value: int) -> Value:
    """A whole number as an attribute."""
    return Value(n=str(value))


def _key(pk: str, sk: str) -> Item:
    return {"pk": text(pk), "sk": text(sk)}


def order_key(order_id: str) -> Item:
    """Of an order."""
    return _key(f"O#{order_id}", "order")


def events_key(order_id: str, first_version: int) -> Item:
    """Of the events of one commit. Ten digits, so that text sorts as numbers do."""
    return _key(f"O#{order_id}", f"order#{first_version:010d}")


def delivery_key(order_id: str, delivery_id: str) -> Item:
    """Of something owed."""
    return _key(f"O#{order_id}", f"owed#{delivery_id}")


def claim_key(receipt_id: ReceiptId) -> Item:
    """Of a receipt's claim."""
    return _key(f"R#{receipt_id}", "claim")


def notice_key(notice: Notice) -> Item:
    """Of a notice. What a stranger wrote may be long: a hash is not."""
    said = hashlib.sha256(notice.key.encode("utf-8", "replace")).hexdigest()
    return _key(f"N#{said}", "notice")


def same_key(one: Item, other: Item) -> bool:
    """Whether two items are the same one."""
    return one["pk"] == other["pk"] and one["sk"] == other["sk"]


SHARDS_MAX = 99
"""Into how many parts an index may be split."""


class Shards:
    """Into how many parts each index is split, and which part an item belongs to.

    Args:
        count: 1 to `SHARDS_MAX`.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def of(self, kind: str, item_id: str) -> Value:
        """The partition of an index that holds this item under this kind."""
        return text(f"{kind}#{zlib.crc32(item_id.encode('utf-8', 'replace')) % self.count}")

    def all(self, kind: str) -> list[Value]:
        """All partitions of a kind."""
        return [text(f"{kind}#{shard}") for shard in range(self.count)]

    def beyond(self, kind: str) -> dict[int, Value]:
        """The partitions of a kind that only a greater count has, each with the least count that has it."""
        return {shard + 1: text(f"{kind}#{shard}") for shard in range(self.count, SHARDS_MAX)}


def made(at: datetime | int, item_id: str) -> Value:
    """How lists are sorted: by time, then by id."""
    stamp = at if isinstance(at, int) else micros(at)
    return text(f"{stamp:020d}#{item_id}")


def order_item(order: Order, event: Event, due_at: datetime | None, token: str, shards: Shards) -> Item:
    """A new order with the first event of its history."""
    _, price, currency, tax_free, name, expires_at, metadata = order_row(order)
    payment = Payment()
    item = order_key(order.id) | {
        "v": number(LAYOUT),
        "order_id": text(order.id),
        "price": number(_int(price)),
        "currency": text(currency),
        "tax_free": number(_int(tax_free)),
        "name": text(name),
        "metadata": text(metadata),
        "created_at": number(_int(micros(event.at))),
        "payment": text(payment_json(payment)),
        "version": number(event.version),
        "registration": text(token),
        "commit_id": text(token),
        "events": _events(order.id, [event]),
        "made_in": shards.of("orders", order.id),
        "made": made(event.at, order.id),
        "shown_in": shards.of(shown_state(order, payment), order.id),
    }
    if expires_at is not None:
        item["expires_at"] = number(_int(expires_at))
    if due_at is not None:
        item |= {"due_in": shards.of(UNFINISHED, order.id), "due": number(_int(micros(due_at)))}
    return item


def record_in(item: Item, claim: Item | None = None) -> Record:
    """Read an order back, and whose the receipt is that was asked about."""
    _check_layout(item)
    created_at = moment(_n(item, "created_at"))
    assert created_at is not None
    return Record(
        order=order_from(
            _s(item, "order_id"),
            _n(item, "price"),
            _s(item, "currency"),
            _n(item, "tax_free"),
            _s(item, "name"),
            _n_or_none(item, "expires_at"),
            _s(item, "metadata"),
        ),
        payment=payment_from(_s(item, "payment")),
        version=_n(item, "version"),
        created_at=created_at,
        due_at=moment(_n_or_none(item, "due")),
        claimed_by=OrderId(_s(claim, "order_id")) if claim else None,
    )


def events_item(order_id: OrderId, events: Sequence[Event], token: str) -> Item:
    """The events of one commit, in one item: a transaction pays per item."""
    return events_key(order_id, events[0].version) | {
        "v": number(LAYOUT),
        "commit_id": text(token),
        "events": _events(order_id, events),
    }


def events_in(item: Item) -> list[Event]:
    """Read the events of an order's item or of a commit's back."""
    _check_layout(item)
    steps = [step.m or {} for step in item["events"].l or ()]
    return [
        event_from(_n(step, "version"), _n(step, "at"), _s(step, "what"), _s(step, "who"), _s(step, "data"))
        for step in steps
    ]


def _events(order_id: OrderId, events: Sequence[Event]) -> Value:
    steps = []
    for event in events:
        _, version, at, what, who, data = event_row(order_id, event)
        step = {
            "version": number(_int(version)),
            "at": number(_int(at)),
            "what": text(what),
            "who": text(who),
            "data": text(data),
        }
        steps.append(Value(m=step))
    return Value(l=steps)


def claim_item(receipt_id: ReceiptId, order_id: OrderId) -> Item:
    """Whose a receipt is, for ever."""
    return claim_key(receipt_id) | {"v": number(LAYOUT), "order_id": text(order_id)}


def delivery_item(owed: Delivery, shards: Shards) -> Item:
    """Something owed. `due` is when the index shows it; what stands behind another in its lane is shown later."""
    _, order_id, seq, lane, kind, data, created_at, due_at, attempts, state, last_error, settled_at = (
        delivery_row(owed)
    )
    item = delivery_key(str(order_id), owed.id) | {
        "v": number(LAYOUT),
        "id": text(owed.id),
        "order_id": text(order_id),
        "seq": number(_int(seq)),
        "lane": text(lane),
        "type": text(kind),
        "data": text(data),
        "created_at": number(_int(created_at)),
        "due_at": number(_int(due_at)),
        "attempts": number(_int(attempts)),
        "state": text(state),
        "last_error": text(last_error),
    }
    if settled_at is not None:
        item["settled_at"] = number(_int(settled_at))
    if owed.state is DeliveryState.DUE:
        item |= {"due_in": shards.of(owed.lane, owed.order_id), "due": number(_int(due_at))}
    return item


def delivery_in(item: Item) -> Delivery:
    """Read something owed back."""
    _check_layout(item)
    return delivery_from(
        _s(item, "id"),
        _s(item, "order_id"),
        _n(item, "seq"),
        _s(item, "lane"),
        _s(item, "type"),
        _s(item, "data"),
        _n(item, "created_at"),
        _n(item, "due_at"),
        _n(item, "attempts"),
        _s(item, "state"),
        _s(item, "last_error"),
        _n_or_none(item, "settled_at"),
    )


def notice_item(notice: Notice, now: datetime, due_at: datetime, token: str, shards: Shards) -> Item:
    """A notice heard for the first time."""
    key = notice_key(notice)
    said = str(key["pk"].s)
    return key | {
        "v": number(LAYOUT),
        "receipt_id": text(notice.receipt_id),
        "generation": number(notice.generation),
        "kind": text(notice.kind),
        "cancelled": text(notice.cancelled),
        "order_id": text(notice.order_id),
        "source": text(notice.source),
        "received_at": number(_int(micros(now))),
        "times": number(1),
        "attempts": number(0),
        "outcome": text(""),
        "registration": text(token),
        "due_in": shards.of("inbox", said),
        "due": number(_int(micros(due_at))),
        "made_in": shards.of("notices", said),
        "made": made(now, said),
    }


def notice_in(item: Item) -> StoredNotice:
    """Read a notice back."""
    _check_layout(item)
    return notice_from(
        _s(item, "receipt_id"),
        _n(item, "generation"),
        _s(item, "kind"),
        _s(item, "cancelled"),
        _s(item, "order_id"),
        _s(item, "source"),
        _n(item, "received_at"),
        _n(item, "times"),
        _n_or_none(item, "due"),
        _n(item, "attempts"),
        _s(item, "outcome"),
    )


def _check_layout(item: Item) -> None:
    if _n(item, "v") > LAYOUT:
        raise StoreUnavailable("DynamoDB holds items that a newer dojang wrote: upgrade dojang")


def _s(item: Item, name: str) -> str:
    return str(item[name].s)


def _n(item: Item, name: str) -> int:
    return int(str(item[name].n))


def _n_or_none(item: Item, name: str) -> int | None:
    return _n(item, name) if name in item else None


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
