"""The customer is back from checkout: look up, judge, approve if asked to, and owe the goods or the money back."""

from __future__ import annotations

from dojang.core.approval import approval_refused, intend_approval, refused_by_shop
from dojang.core.decision import Answer, Approve, Decision, Pending
from dojang.core.observation import observe, recall
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Record, State
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.values import Value
from dojang.core.words import kept_words
from dojang.errors import BootpayError, Conflict, NotSent, OutcomeUnknown, Refused
from dojang.ports import Declined, World

__all__ = [
    "Deadline",
    "OrderUnknown",
    "ReceiptUnknown",
    "Throttled",
    "Verification",
    "settle_receipt",
    "verify",
]

_WAIT_STEP_S = 0.1
# With less time than this left, nothing that moves money is begun: the answer would come too late to be written.
_TIME_TO_MOVE_MONEY_S = 4.0
_LOOK_AGAIN_RESERVE_S = 1.5
_CONFLICTS_MAX = 8


class Verification(Value, kw_only=False):
    """The answer about one receipt, and the order as it then stood."""

    record: Record
    answer: Answer


class OrderUnknown(Value, kw_only=False):
    """No such order was registered."""


class ReceiptUnknown(Value, kw_only=False):
    """Bootpay knows no such receipt, or it belongs to another project."""


class Throttled(Value, kw_only=False):
    """Too many look-ups by strangers; try again after this many seconds."""

    retry_after_s: int


class Deadline:
    """Until when a caller can wait."""

    __slots__ = ("_clock", "_until")

    def __init__(self, world: World, within_s: float) -> None:
        self._clock = world.clock
        self._until = world.clock.monotonic() + within_s

    @property
    def left_s(self) -> float:
        """Seconds left; negative when it is over."""
        return self._until - self._clock.monotonic()


async def verify(
    world: World, order_id: OrderId, receipt_id: ReceiptId, *, within_s: float = 20.0
) -> Verification | OrderUnknown | ReceiptUnknown | Throttled:
    """Tell whether this receipt pays for this order, and write down what follows.

    Args:
        world: The ports.
        order_id: An order registered before.
        receipt_id: What the browser or app handed over; proves nothing by itself.
        within_s: How long the caller can wait.

    Raises:
        BootpayError: If Bootpay cannot be asked; nothing has been decided.
        StoreUnavailable: If the store cannot be used; nothing has been decided.
    """
    deadline = Deadline(world, within_s)
    conflicts = 0
    while True:
        record = await world.store.load(order_id, receipt_id)
        if record is None:
            return OrderUnknown()
        known = recall(record, receipt_id)
        if known is not None:
            return Verification(record, known)
        if record.payment.leased(world.clock.now()):
            if deadline.left_s <= _WAIT_STEP_S:
                return Verification(record, Pending())
            await world.clock.sleep(_WAIT_STEP_S)
            continue
        wait_s = world.throttle.take(order_id) if world.throttle else 0.0
        if wait_s > 0:
            return Throttled(max(1, round(wait_s)))
        # A lease that ran out: whatever was begun is finished first, on its own receipt.
        unfinished = record.payment.state in (State.CONFIRMING, State.CANCELLING)
        asked = record.payment.receipt_id if unfinished else receipt_id
        assert asked is not None
        receipt = await world.gateway.look_up(asked, deadline.left_s)
        if receipt is None:
            return ReceiptUnknown() if asked == receipt_id else Verification(record, Pending())
        try:
            record, answer = await settle_receipt(world, record, receipt, "buyer", deadline)
        except Conflict:
            conflicts += 1
            if conflicts > _CONFLICTS_MAX:
                return Verification(record, Pending())
            continue
        if asked == receipt_id:
            return Verification(record, answer)
        if record.payment.state in (State.CONFIRMING, State.CANCELLING):
            # Still unfinished: another look in the same breath would show the same.
            return Verification(record, Pending())


async def settle_receipt(
    world: World, record: Record, receipt: Receipt, who: str, deadline: Deadline
) -> tuple[Record, Answer]:
    """Decide what a receipt just looked up changes, and go on to approve it if that is what it waits for.

    Raises:
        Conflict: If someone committed first; nothing has been decided by us.
    """
    decision = observe(record, receipt, world.rules, world.clock.now(), who, world.spread())
    record = await _commit(world, record, decision)
    if isinstance(decision.answer, Approve):
        return await _approve(world, record, receipt, who, deadline)
    return record, decision.answer


async def _approve(
    world: World, record: Record, receipt: Receipt, who: str, deadline: Deadline
) -> tuple[Record, Answer]:
    """Server approval: ask the shop, write the intent down, confirm, judge again."""
    if deadline.left_s < _TIME_TO_MOVE_MONEY_S:
        return record, Pending()
    # An unfinished approval was agreed to before: asked once more, the shop might decline what has been taken already.
    if world.approval is not None and record.payment.state is not State.CONFIRMING:
        word = await world.approval.ask(record.order, receipt, deadline.left_s / 2)
        if isinstance(word, Declined):
            declined = refused_by_shop(record, receipt, world.clock.now(), who, word.reason)
            return await _commit(world, record, declined), declined.answer
        if deadline.left_s < _TIME_TO_MOVE_MONEY_S:
            return record, Pending()
    begun_before = record.payment.state is State.CONFIRMING
    # Money moves next. Commit the intent first: after a crash, the lease runs out and the receipt is looked up.
    intent = intend_approval(record, receipt, world.rules, world.clock.now(), who, world.spread())
    record = await _commit(world, record, intent)
    within_s = min(deadline.left_s, world.rules.lease_s) - _LOOK_AGAIN_RESERVE_S
    refusal: Refused | None = None
    try:
        seen: Receipt | None = await world.gateway.confirm(receipt.id, within_s)
    except NotSent as never_left:
        if begun_before:
            # This one has not left, but the one before may have: the intent stays until nobody can be waiting for it.
            raise
        # Nothing reached Bootpay, so no money moved: undo the intent and let the buyer try again.
        undone = approval_refused(
            record,
            receipt.id,
            world.clock.now(),
            who,
            {"reason": "not_sent", "words": kept_words(str(never_left))},
        )
        await _commit(world, record, undone)
        raise
    except OutcomeUnknown:
        seen = await _look(world, receipt.id, deadline)
    except Refused as no:
        refusal = no
        seen = await _look(world, receipt.id, deadline)
    if seen is None:
        # It may have moved. The intent stays, its lease runs out, and reconcile looks before anything else.
        return record, Pending()
    return await _after_confirm(world, record, seen, who, refusal)


async def _after_confirm(
    world: World, record: Record, receipt: Receipt, who: str, refusal: Refused | None
) -> tuple[Record, Answer]:
    now = world.clock.now()
    waiting = receipt.status is ReceiptStatus.AWAITING_APPROVAL
    if waiting and refusal is not None and refusal.code != "RC_NOT_CONFIRM_READY":
        # Bootpay said no in so many words and the receipt still waits: no money moved.
        words = {"reason": "payment_failed", "code": refusal.code, "words": kept_words(refusal.message)}
        decision = approval_refused(record, receipt.id, now, who, words)
    else:
        decision = observe(record, receipt, world.rules, now, who, world.spread())
    record = await _commit(world, record, decision)
    # Still waiting after a doubtful answer: never confirm twice in one breath.
    return record, Pending() if isinstance(decision.answer, Approve) else decision.answer


async def _look(world: World, receipt_id: ReceiptId, deadline: Deadline) -> Receipt | None:
    """After doubt, look. Not being able to look is no reason to guess."""
    try:
        return await world.gateway.look_up(receipt_id, max(deadline.left_s, _LOOK_AGAIN_RESERVE_S))
    except BootpayError:
        return None


async def _commit(world: World, record: Record, decision: Decision) -> Record:
    """A look that changes nothing writes nothing."""
    if not decision.events:
        return record
    return await world.store.commit(record, decision)
