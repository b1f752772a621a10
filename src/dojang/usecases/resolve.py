"""A person's decision on `attention`, audited; and a look at one receipt right now."""

from __future__ import annotations

from enum import StrEnum

from dojang.core.attention import held_money, resolve_attention
from dojang.core.decision import Answer
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Fate, Record, State
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.values import Value
from dojang.errors import Conflict, InvalidValue
from dojang.ports import World
from dojang.usecases.verify import Deadline, OrderUnknown, ReceiptUnknown, settle_receipt

__all__ = ["NothingToResolve", "Resolution", "Resolved", "look_again", "resolve"]

_TRIES = 8
_LOOK_WITHIN_S = 15.0
_WHO_LENGTH_MAX = 100
_REASON_LENGTH_MAX = 300


class Resolution(StrEnum):
    """What a person may decide."""

    ACCEPT = "accept"
    """The held money counts: the order is paid by that receipt."""
    RETURN = "return"
    """The held money goes back, by the same machinery as any other."""
    DISMISS = "dismiss"
    """Nothing is to be done: the order goes on where it was interrupted."""


class Resolved(Value, kw_only=False):
    """The decision is on file and acted upon."""

    record: Record


class NothingToResolve(Value, kw_only=False):
    """The decision does not fit the order as it stands.

    Attributes:
        record: The order.
        why: One sentence, in English and Korean.
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
    """Answer what a person was asked, or decide on held money later.

    Args:
        world: The ports.
        order_id: An order in `attention`, or one with held money.
        resolution: What is decided.
        who: Whose decision it is; goes into the history as `person:<who>`.
        reason: Why; goes into the history.
        receipt_id: Which receipt is meant; needed where more than one waits for a decision.

    Raises:
        InvalidValue: If `who` or `reason` is empty or no plain text.
        BootpayError: If money is to be accepted or returned and Bootpay cannot be asked whether it is still there.
    """
    _check_words(who, _WHO_LENGTH_MAX, "who")
    _check_words(reason, _REASON_LENGTH_MAX, "reason")
    for _ in range(_TRIES):
        record = await world.store.load(order_id)
        if record is None:
            return OrderUnknown()
        seen = None
        if resolution is not Resolution.DISMISS:
            # Not even a person's word makes an order paid, or sends back what cannot be: Bootpay's says what is so.
            seen = await _held_receipt(world, record, receipt_id)
        decision = resolve_attention(
            record,
            resolution.value,
            world.clock.now(),
            f"person:{who}",
            reason,
            receipt_id,
            world.spread(),
            seen=seen,
        )
        if isinstance(decision, str):
            return NothingToResolve(record, decision)
        try:
            return Resolved(await world.store.commit(record, decision))
        except Conflict:
            continue
    raise Conflict(f"order {order_id} kept changing")


async def _held_receipt(world: World, record: Record, receipt_id: ReceiptId | None) -> Receipt | None:
    held = held_money(record.payment, receipt_id)
    if isinstance(held, str):
        return None
    seen = await world.gateway.look_up(held.receipt_id, _LOOK_WITHIN_S)
    # A receipt that Bootpay does not know holds nothing.
    return seen or Receipt(id=held.receipt_id, order_id="", status=ReceiptStatus.UNKNOWN, price=0)


def _check_words(text: str, length_max: int, what: str) -> None:
    if not text.strip() or len(text) > length_max or not text.isprintable():
        raise InvalidValue(
            f"{what} must be 1 to {length_max} printable characters "
            f"({what}은(는) 1~{length_max}자의 문자여야 합니다)"
        )


async def look_again(
    world: World,
    order_id: OrderId,
    receipt_id: ReceiptId | None = None,
    *,
    who: str | None = None,
    within_s: float = 20.0,
) -> tuple[Record, Answer | None] | NothingToResolve | OrderUnknown | ReceiptUnknown:
    """Re-read one receipt now and decide as for anybody else.

    By default the one that the order hangs on; where it hangs on none, the one that is held.

    Args:
        world: The ports.
        order_id: A registered order.
        receipt_id: Which receipt.
        who: Which person looks, for the history of what is found; None for nobody in particular.
        within_s: How long the caller can wait.

    Returns:
        The order afterwards and what the look gave; None where there was nothing to look at, or somebody else is at
        work on the order (its lease tells). `NothingToResolve` where several receipts are held and none is named.

    Raises:
        BootpayError: If Bootpay cannot be asked.
    """
    if who is not None:
        _check_words(who, _WHO_LENGTH_MAX, "who")
    finder = "dojang" if who is None else f"person:{who}"
    deadline = Deadline(world, within_s)
    for _ in range(_TRIES):
        record = await world.store.load(order_id, receipt_id)
        if record is None:
            return OrderUnknown()
        wanted = receipt_id or record.payment.receipt_id
        if wanted is None and any(other.fate is Fate.HELD for other in record.payment.others):
            held = held_money(record.payment, None)
            if isinstance(held, str):
                return NothingToResolve(record, held)
            # Loaded anew, under its name: only then the store tells whose the receipt is.
            return await look_again(world, order_id, held.receipt_id, who=who, within_s=deadline.left_s)
        if wanted is None or record.payment.leased(world.clock.now()):
            return record, None
        receipt = await world.gateway.look_up(wanted, deadline.left_s)
        if receipt is None:
            return ReceiptUnknown()
        unfinished = record.payment.state in (State.CONFIRMING, State.CANCELLING)
        if unfinished and wanted != record.payment.receipt_id:
            return record, None
        try:
            return await settle_receipt(world, record, receipt, finder, deadline)
        except Conflict:
            continue
    raise Conflict(f"order {order_id} kept changing")
