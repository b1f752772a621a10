"""A person's decision on `attention`, audited; and a look at one receipt right now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dojang.core.decision import Answer, resolve_attention
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Record, State
from dojang.errors import Conflict
from dojang.ports import World
from dojang.usecases.verify import Deadline, OrderUnknown, ReceiptUnknown, settle_receipt

__all__ = ["NothingToResolve", "Resolution", "Resolved", "look_again", "resolve"]

_TRIES = 8


class Resolution(StrEnum):
    """What a person may decide."""

    ACCEPT = "accept"
    """The held money counts: the order is paid by that receipt."""
    RETURN = "return"
    """The held money goes back, by the same machinery as any other."""
    DISMISS = "dismiss"
    """Nothing is to be done: the order goes on where it was interrupted."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The decision is on file and acted upon."""

    record: Record


@dataclass(frozen=True, slots=True)
class NothingToResolve:
    """The decision does not fit the order as it stands.

    Attributes:
        record: The order.
        why: One sentence.
    """

    record: Record
    why: str


async def resolve(
    world: World,
    order_id: OrderId,
    resolution: Resolution,
    *,
    who: str,
    reason: str,
    receipt_id: ReceiptId | None = None,
) -> Resolved | NothingToResolve | OrderUnknown:
    """Leave `attention` by a person's word.

    Args:
        world: The ports.
        order_id: An order in `attention`.
        resolution: What is decided.
        who: Whose decision it is; goes into the history as `person:<who>`.
        reason: Why; goes into the history.
        receipt_id: Which held receipt is meant; needed where more than one is held.
    """
    for _ in range(_TRIES):
        record = await world.store.load(order_id)
        if record is None:
            return OrderUnknown()
        decision = resolve_attention(
            record, resolution.value, world.clock.now(), f"person:{who}", reason, receipt_id, world.spread()
        )
        if isinstance(decision, str):
            return NothingToResolve(record, decision)
        try:
            return Resolved(await world.store.commit(record, decision))
        except Conflict:
            continue
    raise Conflict(f"order {order_id} kept changing")


async def look_again(
    world: World, order_id: OrderId, receipt_id: ReceiptId | None = None, *, within_s: float = 20.0
) -> tuple[Record, Answer | None] | OrderUnknown | ReceiptUnknown:
    """Re-read one receipt now and decide as for anybody else; by default the one the order hangs on.

    Raises:
        BootpayError: If Bootpay cannot be asked.
    """
    deadline = Deadline(world, within_s)
    for _ in range(_TRIES):
        record = await world.store.load(order_id)
        if record is None:
            return OrderUnknown()
        wanted = receipt_id or record.payment.receipt_id
        if wanted is None or record.payment.leased(world.clock.now()):
            return record, None
        receipt = await world.gateway.look_up(wanted, deadline.left_s)
        if receipt is None:
            return ReceiptUnknown()
        unfinished = record.payment.state in (State.CONFIRMING, State.CANCELLING)
        if unfinished and wanted != record.payment.receipt_id:
            return record, None
        try:
            return await settle_receipt(world, record, receipt, "dojang", deadline)
        except Conflict:
            continue
    raise Conflict(f"order {order_id} kept changing")
