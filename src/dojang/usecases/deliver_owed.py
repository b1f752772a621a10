"""Hand over what the outbox owes: notices to the shop, and money back to buyers, through the same door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from dojang.core.attention import give_up_delivery
from dojang.core.decision import Decision
from dojang.core.delivery import Delivery, DeliveryState, Lane, due_again
from dojang.core.order import ReceiptId
from dojang.core.payment import Record, State, was_paid
from dojang.core.receipt import ReceiptStatus
from dojang.core.surplus import money_returned
from dojang.core.values import replace
from dojang.core.words import kept_words
from dojang.errors import BootpayError, Conflict, NotSent, OutcomeUnknown, Refused
from dojang.ports import HandedOver, World

__all__ = ["Attempt", "DeliveryReport", "deliver_owed"]

_CLAIM_S = 90.0
_CLAIM_RESERVE_S = 10.0
_UNFINISHED_AGAIN = timedelta(seconds=60)
_HAND_OVER_WITHIN_S = 15.0
_COMMIT_TRIES = 8


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery that was tried.

    Attributes:
        delivery: As it stands after it.
        result: `settled`, `failed` or `dead`.
        to: Whose door it was, where that may be told.
    """

    delivery: Delivery
    result: str
    to: str = ""

    @property
    def sentence(self) -> str:
        """Whose it is, where it went, why it failed and when it goes again, for a log."""
        owed = self.delivery
        what = f"delivery {owed.id} of order {owed.order_id}" + (f" to {self.to}" if self.to else "")
        if self.result == "settled":
            return f"{what}: settled"
        after = "given up" if self.result == "dead" else f"next try {owed.due_at:%Y-%m-%dT%H:%M:%SZ}"
        return f"{what} failed: {owed.last_error or 'no reason was told'}; {after}"


@dataclass(slots=True)
class DeliveryReport:
    """What one run did.

    Attributes:
        attempts: Each delivery that was tried.
    """

    attempts: list[Attempt] = field(default_factory=list)

    @property
    def settled(self) -> Counter[str]:
        """Deliveries handed over, by type."""
        return Counter(each.delivery.type for each in self.attempts if each.result == "settled")

    @property
    def failed(self) -> int:
        """Attempts that did not succeed and will be repeated."""
        return self._ended("failed")

    @property
    def dead(self) -> int:
        """Deliveries given up; a person must look."""
        return self._ended("dead")

    @property
    def tried(self) -> int:
        """How many attempts were made."""
        return len(self.attempts)

    def _ended(self, how: str) -> int:
        return sum(each.result == how for each in self.attempts)


async def deliver_owed(
    world: World,
    *,
    limit: int = 100,
    stopped: Callable[[], bool] = lambda: False,
    money_back_only: bool = False,
) -> DeliveryReport:
    """Try everything that is due once.

    Args:
        world: The ports; without a `fulfilment` only money back is handed over.
        limit: At most so many attempts in this run.
        stopped: Asked before each attempt; once it is true, the run ends.
        money_back_only: Leave every notice to others, so that none can hold up money that must go back.
    """
    report = DeliveryReport()
    # With nowhere to deliver to, notices stay due as they are: they go once there is somewhere.
    money_back_only = money_back_only or world.fulfilment is None
    while report.tried < limit and not stopped():
        now = world.clock.now()
        claimed = await world.store.claim_deliveries(
            now, now + timedelta(seconds=_CLAIM_S), 1, money_back_only=money_back_only
        )
        if not claimed:
            break
        # One at a time: a slow receiver uses up neither the claims nor the attempts of others.
        for delivery in claimed:
            await _attempt(world, delivery, report)
    return report


async def _attempt(world: World, delivery: Delivery, report: DeliveryReport) -> None:
    if delivery.lane is Lane.MONEY_BACK:
        result = replace(await _send_back(world, delivery), to="Bootpay")
    else:
        assert world.fulfilment is not None, "only money back is claimed without a fulfilment"
        result = await world.fulfilment.hand_over(delivery, _HAND_OVER_WITHIN_S)
    now = world.clock.now()
    if result.settled:
        # A crash before this line repeats the attempt under the same id: at least once, recognisably.
        settled = replace(delivery, state=DeliveryState.SETTLED, settled_at=now, last_error="")
        await world.store.settle_delivery(settled)
        report.attempts.append(Attempt(settled, "settled", result.to))
        return
    again = None if result.gone else due_again(delivery.attempts, now, world.spread(), result.wait_s)
    # A person is called before it is given up: a crash in between calls twice, never not at all.
    if again is None and not await _call_a_person(world, delivery, result.words):
        # Calling a person now would forget an intent whose money may be moving: once more, after it is finished.
        again = now + _UNFINISHED_AGAIN
    if again is not None:
        failed = replace(delivery, due_at=again, last_error=result.words)
        await world.store.settle_delivery(failed)
        report.attempts.append(Attempt(failed, "failed", result.to))
        return
    dead = replace(delivery, state=DeliveryState.DEAD, last_error=result.words)
    await world.store.settle_delivery(dead)
    report.attempts.append(Attempt(dead, "dead", result.to))


async def _call_a_person(world: World, delivery: Delivery, words: str) -> bool:
    """Write down that somebody must look; False while an intent on the order is unfinished."""
    for _ in range(_COMMIT_TRIES):
        record = await world.store.load(delivery.order_id)
        if record is None:
            return True
        if record.payment.state in (State.CONFIRMING, State.CANCELLING):
            return False
        decision = give_up_delivery(record, delivery, world.clock.now(), words)
        if not decision.events:
            return True
        try:
            await world.store.commit(record, decision)
        except Conflict:
            continue
        return True
    raise Conflict(f"order {delivery.order_id} kept changing")


async def _send_back(world: World, delivery: Delivery) -> HandedOver:
    """Give a surplus receipt's money back: look first, cancel what is left, look again after doubt."""
    receipt_id = ReceiptId(delivery.data["receipt_id"])
    record = await world.store.load(delivery.order_id)
    if record is not None and record.payment.receipt_id == receipt_id and was_paid(record.payment):
        # It was owed back once and pays for the order since: taking it back would undo the payment.
        return HandedOver(settled=False, gone=True, words="this receipt pays for the order now")
    try:
        receipt = await world.gateway.look_up(receipt_id, _HAND_OVER_WITHIN_S)
        if receipt is None:
            return HandedOver(settled=False, words="Bootpay no longer knows the receipt")
        if receipt.remaining > 0:
            words = await _cancel_rest(world, delivery, receipt_id)
            receipt = await world.gateway.look_up(receipt_id, _HAND_OVER_WITHIN_S)
            if receipt is None or receipt.remaining > 0:
                return HandedOver(settled=False, words=words or "the money is still there")
        if receipt.status not in (ReceiptStatus.PAID, ReceiptStatus.CANCELLED):
            return HandedOver(settled=False, words=f"the receipt is {receipt.status.value}")
    except BootpayError as error:
        return HandedOver(settled=False, words=_words(error))
    amount = receipt.price
    await _commit(
        world, delivery, lambda record: money_returned(record, receipt_id, amount, world.clock.now())
    )
    return HandedOver(settled=True)


async def _cancel_rest(world: World, delivery: Delivery, receipt_id: ReceiptId) -> str:
    # Whoever was paused for longer than its claim lasts must not send what somebody else is sending now.
    claimed_for_s = (delivery.due_at - world.clock.now()).total_seconds() - _CLAIM_RESERVE_S
    try:
        await world.gateway.cancel(
            receipt_id,
            min(_HAND_OVER_WITHIN_S, claimed_for_s),
            cancel_id=str(delivery.data["cancel_id"]),
            reason=f"dojang: {delivery.data.get('reason', '')}",
        )
    except (NotSent, OutcomeUnknown, Refused) as doubt:
        # Refused may mean "already cancelled"; the look that follows tells.
        return _words(doubt)
    return ""


def _words(error: BootpayError) -> str:
    if isinstance(error, Refused):
        return kept_words(f"{error.code}: {error.message}")
    return kept_words(str(error))


async def _commit(world: World, delivery: Delivery, decide: Callable[[Record], Decision]) -> None:
    for _ in range(_COMMIT_TRIES):
        record = await world.store.load(delivery.order_id)
        if record is None:
            return
        decision = decide(record)
        if not decision.events:
            return
        try:
            await world.store.commit(record, decision)
        except Conflict:
            continue
        return
    raise Conflict(f"order {delivery.order_id} kept changing")
