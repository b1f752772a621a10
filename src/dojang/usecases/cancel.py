"""All or part of a payment goes back."""

from __future__ import annotations

from collections.abc import Callable

from dojang.core.cancellation import CancelRefusal, CancelTerms, WantedCancel, WhyNot, key_of, terms_of
from dojang.core.cancelling import cancel_refused, end_answered_cancel, end_refused_cancel, intend_cancel
from dojang.core.decision import Decision
from dojang.core.observation import observe
from dojang.core.order import OrderId
from dojang.core.payment import NOT_SENT, CancelRequest, Record, State
from dojang.core.receipt import Receipt
from dojang.core.values import Value, replace
from dojang.core.words import kept_words
from dojang.errors import BootpayError, Conflict, NotSent, OutcomeUnknown, OutOfTime, Refused
from dojang.ports import World
from dojang.usecases.verify import Deadline, OrderUnknown

__all__ = ["CancelDone", "CancelNotDone", "CancelPending", "cancel"]

_WAIT_STEP_S = 0.1
_TIME_TO_MOVE_MONEY_S = 4.0
_LOOK_AGAIN_RESERVE_S = 1.5
_CONFLICTS_MAX = 8


class CancelDone(Value):
    """The money goes back.

    Attributes:
        record: The order as it stands now.
        request: What was asked and how it ended; the same for ever, whatever is cancelled later.
        replayed: True where the first answer under this key is repeated.
    """

    record: Record
    request: CancelRequest
    replayed: bool

    @property
    def cancelled(self) -> int:
        """Running total after this cancel, in minor units."""
        return self.request.cancelled


class CancelPending(Value, kw_only=False):
    """It may or may not have been carried out; it will be found out, or a person is called."""

    record: Record


class CancelNotDone(Value):
    """It is not carried out.

    Attributes:
        record: The order as it stands.
        refusal: Why.
        replayed: True where the first answer under this key is repeated.
    """

    record: Record
    refusal: CancelRefusal
    replayed: bool = False


async def cancel(
    world: World, order_id: OrderId, key: str, wanted: WantedCancel, *, within_s: float = 20.0
) -> CancelDone | CancelPending | CancelNotDone | OrderUnknown:
    """Give money back once per key, never more than remains.

    Args:
        world: The ports.
        order_id: A paid order.
        key: The caller's idempotency key: once a cancel has been begun under it, the same request gives its answer
            again and another one is refused. What was not begun leaves the key free.
        wanted: What is to go back.
        within_s: How long the caller can wait.

    Raises:
        NotSent: If the request never left; nothing happened, the same key may be used again.
        StoreUnavailable: If the store cannot be used.
    """
    deadline = Deadline(world, within_s)
    cancel_id = key_of(order_id, key)
    wanted = replace(wanted, key=key)
    conflicts = 0
    waited, looked_at = False, -1
    while True:
        record = await world.store.load(order_id)
        if record is None:
            return OrderUnknown()
        known = _recall(record, cancel_id, wanted)
        if known is not None:
            return known
        if record.payment.leased(world.clock.now()):
            if _in_flight(record, cancel_id) or deadline.left_s <= _WAIT_STEP_S:
                return CancelNotDone(record=record, refusal=CancelRefusal(WhyNot.CANCEL_IN_PROGRESS))
            waited = True
            await world.clock.sleep(_WAIT_STEP_S)
            continue
        try:
            if record.payment.state is State.CANCELLING:
                # The lease of an earlier intent ran out: find out what became of it before anything else.
                settled, _ = await _look(world, record, deadline)
                if settled.payment.state is not State.CANCELLING:
                    continue
                if _in_flight(settled, cancel_id):
                    return CancelPending(settled)
                return CancelNotDone(record=settled, refusal=CancelRefusal(WhyNot.CANCEL_IN_PROGRESS))
            given_up = _request(record, cancel_id)
            if given_up is not None and given_up.left and looked_at != record.version:
                # It left once, and was written off: whether it had its effect is seen before it leaves again.
                record, seen = await _look(world, record, deadline)
                if seen is None:
                    return CancelPending(record)
                # What somebody else does to the order meanwhile makes this look too old.
                looked_at = record.version
                continue
            terms = terms_of(record.order, record.payment, wanted, record.payment.method)
            if isinstance(terms, CancelRefusal):
                return CancelNotDone(record=record, refusal=terms)
            if deadline.left_s < _TIME_TO_MOVE_MONEY_S:
                if waited or conflicts:
                    return CancelNotDone(record=record, refusal=CancelRefusal(WhyNot.CANCEL_IN_PROGRESS))
                raise OutOfTime("there was no time left to finish a cancel, so none was begun")
            return await _carry_out(world, record, terms, wanted, cancel_id, deadline)
        except Conflict:
            conflicts += 1
            if conflicts > _CONFLICTS_MAX:
                return CancelNotDone(record=record, refusal=CancelRefusal(WhyNot.CANCEL_IN_PROGRESS))


def _recall(
    record: Record, cancel_id: str, wanted: WantedCancel
) -> CancelDone | CancelPending | CancelNotDone | None:
    """The first answer under this key, if there is one."""
    request = _request(record, cancel_id)
    if request is None:
        return None
    if request.fingerprint != wanted.fingerprint:
        return CancelNotDone(record=record, refusal=CancelRefusal(WhyNot.KEY_REUSED))
    match request.outcome:
        case "done":
            return CancelDone(record=record, request=request, replayed=True)
        case "refused" | "refused_repeat":
            refusal = CancelRefusal(WhyNot.CANCEL_REFUSED, request.code, request.words)
            return CancelNotDone(record=record, refusal=refusal, replayed=True)
        case "in_flight" | "unknown" if record.payment.state is State.ATTENTION:
            # A person has been called, for this one or before it could be found out.
            return CancelPending(record)
        case "unknown":
            gone = record.payment.state is State.CANCELLED
            why = WhyNot.ALREADY_CANCELLED if gone else WhyNot.OUTCOME_UNKNOWN
            return CancelNotDone(record=record, refusal=CancelRefusal(why))
        case _:
            # In flight, or certainly not carried out: under the same key it may be taken up again.
            return None


def _request(record: Record, cancel_id: str) -> CancelRequest | None:
    return next((request for request in record.payment.requests if request.key == cancel_id), None)


def _in_flight(record: Record, cancel_id: str) -> bool:
    under_way = record.payment.cancel
    return under_way is not None and under_way.cancel_id == cancel_id


async def _carry_out(
    world: World, record: Record, terms: CancelTerms, wanted: WantedCancel, cancel_id: str, deadline: Deadline
) -> CancelDone | CancelPending | CancelNotDone:
    intent = intend_cancel(record, terms, wanted, cancel_id, world.rules, world.clock.now(), world.spread())
    given_up = _request(record, cancel_id)
    # Money moves next. Commit the intent first: after a crash, the lease runs out and the receipt is looked up.
    record = await world.store.commit(record, intent)
    receipt_id = record.payment.receipt_id
    assert receipt_id is not None
    try:
        seen: Receipt | None = await world.gateway.cancel(
            receipt_id,
            min(deadline.left_s, world.rules.lease_s) - _LOOK_AGAIN_RESERVE_S,
            cancel_id=cancel_id,
            amount=None if terms.whole else terms.amount,
            tax_free=terms.tax_free,
            currency=record.order.price.currency,
            reason=wanted.reason,
            refund_account=wanted.refund_account,
        )
    except NotSent as never_left:
        undone: dict[str, object] = {
            "undone": True,
            # What is not known of an earlier attempt under this key stays unknown.
            "code": NOT_SENT if given_up is None else given_up.code or "not_carried_out",
            "words": kept_words(str(never_left)),
        }
        await _write(world, record, lambda there: cancel_refused(there, world.clock.now(), "shop", undone))
        raise
    except OutcomeUnknown:
        seen = None
    except Refused as no:
        return await _refused(world, record, wanted, cancel_id, no, deadline)
    if seen is None:
        settled, _ = await _look(world, record, deadline)
    else:
        shown = seen
        settled = await _write(
            world,
            record,
            lambda there: (
                end_answered_cancel(there, shown, world.clock.now(), "shop")
                or observe(there, shown, world.rules, world.clock.now(), "shop", world.spread())
            ),
        )
    request = _request(settled, cancel_id)
    if request is not None and request.outcome == "done":
        return CancelDone(record=settled, request=request, replayed=False)
    # Still under way, or no longer anything that a machine can tell: then a person has been called.
    return CancelPending(settled)


async def _refused(
    world: World, record: Record, wanted: WantedCancel, cancel_id: str, refusal: Refused, deadline: Deadline
) -> CancelDone | CancelPending | CancelNotDone:
    """Bootpay said no: only a look at the receipt tells whether anything went back under this key."""
    receipt_id = record.payment.receipt_id
    assert receipt_id is not None
    try:
        seen = await world.gateway.look_up(receipt_id, max(deadline.left_s, _LOOK_AGAIN_RESERVE_S))
    except BootpayError:
        seen = None
    if seen is None:
        return CancelPending(record)
    shown = seen
    words = kept_words(wanted.without_account(refusal.message))
    told: dict[str, object] = {"code": refusal.code, "words": words}
    settled = await _write(
        world, record, lambda there: end_refused_cancel(there, shown, world.clock.now(), "shop", told)
    )
    request = _request(settled, cancel_id)
    if request is not None and request.outcome == "done":
        return CancelDone(record=settled, request=request, replayed=False)
    if settled.payment.state is State.CANCELLING or (request is not None and request.outcome == "unknown"):
        return CancelPending(settled)
    return CancelNotDone(record=settled, refusal=CancelRefusal(WhyNot.CANCEL_REFUSED, refusal.code, words))


async def _look(world: World, record: Record, deadline: Deadline) -> tuple[Record, Receipt | None]:
    """Compare what Bootpay says went back with what had gone back before; None where it cannot be asked."""
    receipt_id = record.payment.receipt_id
    assert receipt_id is not None
    try:
        seen = await world.gateway.look_up(receipt_id, max(deadline.left_s, _LOOK_AGAIN_RESERVE_S))
    except BootpayError:
        seen = None
    if seen is None:
        return record, None
    shown = seen
    settled = await _write(
        world,
        record,
        lambda there: observe(there, shown, world.rules, world.clock.now(), "shop", world.spread()),
    )
    return settled, shown


async def _write(world: World, record: Record, decide: Callable[[Record], Decision]) -> Record:
    """Commit what follows for the cancel under way.

    Another step on the order meanwhile (a surplus went back, say) makes us decide afresh; what Bootpay has just told
    us is not forgotten for it.

    Raises:
        Conflict: If the cancel under way is not the same any more.
    """
    for _ in range(_CONFLICTS_MAX):
        decision = decide(record)
        if not decision.events:
            return record
        try:
            return await world.store.commit(record, decision)
        except Conflict:
            fresh = await world.store.load(record.order.id)
            if fresh is None or _intent(fresh) != _intent(record):
                raise
            record = fresh
    raise Conflict(f"order {record.order.id} kept changing")


def _intent(record: Record) -> tuple[object, ...]:
    """What makes an intent this one and no repeat of it under the same key."""
    return record.payment.cancel, record.payment.lease
