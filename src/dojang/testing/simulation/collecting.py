"""Reads off a stage what the invariants judge, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from dojang.core.order import ReceiptId
from dojang.core.payment import Event, Record
from dojang.core.rules import Mode
from dojang.ports import OrderFilter
from dojang.testing.simulation.evidence import Evidence
from dojang.testing.simulation.stage import SECRETS, Stage, truth_of

__all__ = ["evidence_of", "plain_event"]

Json = dict[str, object]


def evidence_of(stage: Stage, *, untold: frozenset[str] = frozenset()) -> Evidence:
    """Everything that is left on the stage."""
    records = stage.backend.orders(OrderFilter(limit=200)).records
    return Evidence(
        receipts={id_: truth_of(entry) for id_, entry in stage.ledger.state.receipts.items()},
        outside=stage.outside,
        consoles=stage.consoles,
        orders=[_order(record) for record in records],
        histories={
            str(record.order.id): [plain_event(event) for event in stage.backend.history(record.order.id)]
            for record in records
        },
        deliveries=[_plain(owed) for record in records for owed in stage.backend.deliveries(record.order.id)],
        notices=[
            {
                "receipt_id": str(stored.notice.receipt_id),
                "kind": stored.notice.kind,
                "cancelled": stored.notice.cancelled,
                "due_at": stored.due_at,
                "outcome": stored.outcome,
            }
            for stored in stage.backend.notices(1_000)
        ],
        asked=stage.asked,
        received=stage.received,
        acknowledged=stage.acknowledged,
        wanted=stage.wanted,
        answers=stage.answers,
        hook=stage.hook,
        handed_out=stage.handed_out,
        held=stage.held,
        overstayed=stage.overstayed,
        unwanted=frozenset(stage.unwanted),
        retried=frozenset(stage.retried),
        errors=stage.errors,
        secrets=SECRETS,
        sandbox=stage.world.rules.mode is Mode.SANDBOX,
        asks_shop=stage.world.approval is not None,
        on_mismatch=stage.world.rules.on_mismatch.value,
        late_payment=stage.world.rules.late_payment.value,
        sighted=stage.sighted,
        untold=untold,
        claims=_claims(stage, records),
        written=stage.written,
    )


def _claims(stage: Stage, records: Sequence[Record]) -> Mapping[str, str]:
    """Which order each receipt belongs to; any order may be asked."""
    asked = {
        id_: stage.backend.load(record.order.id, ReceiptId(id_))
        for record in records[:1]
        for id_ in stage.ledger.state.receipts
    }
    return {id_: str(seen.claimed_by) for id_, seen in asked.items() if seen and seen.claimed_by}


def _plain(value: object) -> Json:
    return cast("Json", msgspec.to_builtins(value, enc_hook=str))


def plain_event(event: Event) -> Json:
    """A step of a history as JSON would show it."""
    return {
        "version": event.version,
        "at": event.at.isoformat(),
        "what": event.what.value,
        "who": event.who,
        "data": event.data,
    }


def _order(record: Record) -> Mapping[str, object]:
    return {
        "order_id": str(record.order.id),
        "price": record.order.price.minor,
        "currency": record.order.price.currency,
        "tax_free": record.order.tax_free,
        "expires_at": record.order.expires_at.timestamp() if record.order.expires_at else None,
        "version": record.version,
        "payment": _plain(record.payment),
    }
