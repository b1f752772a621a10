"""How core values lie in a row: money and times as integers, the rest as JSON.

Times are whole microseconds since 1970 UTC, so that every database orders and compares them alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from dojang.adapters.payment_json import payment_from, payment_json
from dojang.core.delivery import Delivery, DeliveryState, Lane
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, Record, What
from dojang.ports import Notice, StoredNotice

__all__ = [
    "cursor_from",
    "cursor_of",
    "delivery_from",
    "delivery_row",
    "event_from",
    "event_row",
    "micros",
    "moment",
    "notice_from",
    "order_from",
    "order_row",
    "payment_from",
    "payment_json",
    "record_from",
]

_CURSOR = re.compile(r"([0-9]{1,18})-([A-Za-z0-9._~:-]{1,64})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime | None) -> int | None:
    """A moment as whole microseconds since 1970 UTC."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def moment(value: int | None) -> datetime | None:
    """Whole microseconds since 1970 UTC as a moment."""
    return None if value is None else _EPOCH + timedelta(microseconds=value)


def _at(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


_mapping = msgspec.json.Decoder(dict[str, object])
_encoder = msgspec.json.Encoder(enc_hook=str)


def _json(value: Mapping[str, object]) -> str:
    return _encoder.encode(value).decode()


def order_row(order: Order) -> tuple[object, ...]:
    """order_id, price, currency, tax_free, name, expires_at, metadata."""
    return (
        str(order.id),
        order.price.minor,
        order.price.currency,
        order.tax_free,
        order.name,
        micros(order.expires_at),
        _json(order.metadata),
    )


def order_from(
    order_id: str, price: int, currency: str, tax_free: int, name: str, expires_at: int | None, metadata: str
) -> Order:
    """Read the columns of `order_row` back."""
    return Order(
        id=OrderId(order_id),
        price=Money(price, currency),
        name=name,
        tax_free=tax_free,
        expires_at=moment(expires_at),
        metadata=_mapping.decode(metadata),
    )


def record_from(
    order_id: str,
    price: int,
    currency: str,
    tax_free: int,
    name: str,
    expires_at: int | None,
    metadata: str,
    payment: str,
    version: int,
    created_at: int,
    due_at: int | None,
    claimed_by: str | None,
) -> Record:
    """Read an order's columns back: those of `order_row`, payment, version, created_at, due_at, claimed_by."""
    return Record(
        order=order_from(order_id, price, currency, tax_free, name, expires_at, metadata),
        payment=payment_from(payment),
        version=version,
        created_at=_at(created_at),
        due_at=moment(due_at),
        claimed_by=OrderId(claimed_by) if claimed_by is not None else None,
    )


def event_row(order_id: OrderId, event: Event) -> tuple[object, ...]:
    """order_id, version, at, what, who, data."""
    return str(order_id), event.version, micros(event.at), event.what.value, event.who, _json(event.data)


def event_from(version: int, at: int, what: str, who: str, data: str) -> Event:
    """Read version, at, what, who, data back."""
    return Event(version=version, at=_at(at), what=What(what), who=who, data=_mapping.decode(data))


def delivery_row(delivery: Delivery) -> tuple[object, ...]:
    """id, order_id, seq, lane, type, data, created_at, due_at, attempts, state, last_error, settled_at."""
    return (
        delivery.id,
        str(delivery.order_id),
        delivery.seq,
        delivery.lane.value,
        delivery.type,
        _json(delivery.data),
        micros(delivery.created_at),
        micros(delivery.due_at),
        delivery.attempts,
        delivery.state.value,
        delivery.last_error,
        micros(delivery.settled_at),
    )


def delivery_from(
    id: str,  # noqa: A002 - the column's name
    order_id: str,
    seq: int,
    lane: str,
    type: str,  # noqa: A002 - the column's name
    data: str,
    created_at: int,
    due_at: int,
    attempts: int,
    state: str,
    last_error: str,
    settled_at: int | None,
) -> Delivery:
    """Read the columns of `delivery_row` back."""
    return Delivery(
        id=id,
        order_id=OrderId(order_id),
        seq=seq,
        lane=Lane(lane),
        type=type,
        data=_mapping.decode(data),
        created_at=_at(created_at),
        due_at=_at(due_at),
        attempts=attempts,
        state=DeliveryState(state),
        last_error=last_error,
        settled_at=moment(settled_at),
    )


def notice_from(
    receipt_id: str,
    generation: int,
    kind: str,
    cancelled: str,
    order_id: str,
    source: str,
    received_at: int,
    times: int,
    due_at: int | None,
    attempts: int,
    outcome: str,
) -> StoredNotice:
    """Read an inbox row back."""
    notice = Notice(
        receipt_id=ReceiptId(receipt_id),
        generation=generation,
        kind=kind,
        cancelled=cancelled,
        order_id=order_id,
        source=source,
    )
    return StoredNotice(
        notice=notice,
        received_at=_at(received_at),
        times=times,
        due_at=moment(due_at),
        attempts=attempts,
        outcome=outcome,
    )


def cursor_of(created_at: datetime, order_id: OrderId) -> str:
    """Where a page of orders ended: opaque to callers."""
    return f"{micros(created_at)}-{order_id}"


def cursor_from(cursor: str | None) -> tuple[int, str] | None:
    """Read a cursor back; None for the first page or for text that is no cursor."""
    match = _CURSOR.fullmatch(cursor or "")
    return (int(match[1]), match[2]) if match else None
