"""Small scenarios that are run under every schedule: two or three actors at the places where money could go wrong.

Each begins calmly (an order is registered, a buyer pays, perhaps the order is already paid) and then lets its actors
race. What may go wrong besides is bounded per scenario, so that each can be counted through to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.rules import LatePayment, OnMismatch, Rules
from dojang.drive import run
from dojang.emulator.books import Webhook
from dojang.ports import Notice
from dojang.testing.simulation.cast import (
    canceller,
    deciding_person,
    deliverer,
    forger,
    messenger,
    reconciler,
    register,
    returning_buyer,
)
from dojang.testing.simulation.race import Bounds
from dojang.testing.simulation.recovery import A_YEAR_S
from dojang.testing.simulation.stage import Stage, notice_of
from dojang.testing.simulation.stepped import Actor, Mishap, Stop, stop
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.reconcile import reconcile
from dojang.usecases.register_order import register_order
from dojang.usecases.resolve import Resolution, resolve
from dojang.usecases.verify import verify

__all__ = ["SCENARIOS", "Scenario"]

Scene = tuple[Stage, list[Actor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A race worth counting through.

    Attributes:
        name: What races.
        set_up: Builds the stage and its actors; True for a stage that keeps a trace.
        bounds: What may go wrong: each of these is counted through to its end.
        watch_s: See `recover`: whether the workers alone must find, in their time, what is to be found.
    """

    name: str
    set_up: Callable[[bool], Scene]
    bounds: Sequence[Bounds]
    watch_s: float | None = None


_CRASHES = Bounds(crashes=3)
_ONE_OF_EACH = Bounds(crashes=1, mishaps=1)
_PAUSED = Bounds(leaps=1)
_PAUSED_AND_CRASHED = Bounds(crashes=1, leaps=1)
_PAST_A_CLAIM = Bounds(leaps=1, leap_s=95.0)
_USUAL = (_CRASHES, _ONE_OF_EACH, _PAUSED_AND_CRASHED)


def _hooks(stage: Stage) -> list[Webhook]:
    return stage.ledger.due_webhooks()


def _paid(stage: Stage, price: int = 1000, **terms: object) -> tuple[OrderId, ReceiptId]:
    """An order that has been paid, verified and delivered before the scenario begins."""
    order_id = register(stage, price=price)
    receipt_id = stage.pay(order_id, price, **terms)
    for webhook in _hooks(stage):
        stage.ledger.drop(webhook)
    run(verify(stage.world, order_id, receipt_id))
    run(deliver_owed(stage.world))
    return order_id, receipt_id


def _console(stage: Stage, receipt_id: ReceiptId, amount: int | None = None) -> Actor:
    """Somebody cancels in Bootpay's own console; nobody is told."""

    async def cancel() -> None:
        await stop(Stop("gateway", "console", writes=True))
        entry = stage.ledger.find(receipt_id)
        left = entry.price - entry.cancelled_price
        if entry.status == 1 and (amount is None or amount <= left):
            stage.cancel_outside(receipt_id, left if amount is None else amount)

    return stage.actor("console", "outside", cancel(), lambda _: None)


def _verify_verify(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000)
    stage.calm = False
    return stage, [returning_buyer(stage, name, order_id, receipt_id) for name in ("buyer", "buyer again")]


def _verify_webhook(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000)
    stage.calm = False
    return stage, [
        returning_buyer(stage, "buyer", order_id, receipt_id),
        *(messenger(stage, "bootpay", webhook) for webhook in _hooks(stage)),
    ]


def _webhook_webhook(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    stage.pay(register(stage), 1000)
    stage.calm = False
    (webhook,) = _hooks(stage)
    return stage, [messenger(stage, "bootpay", webhook), messenger(stage, "bootpay again", webhook)]


def _webhook_reconcile(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    stage.pay(register(stage), 1000)
    (webhook,) = _hooks(stage)

    async def begins_at_any_moment() -> None:
        await stop(Stop("shop", "opens", writes=False))
        await reconcile(stage.world)

    stage.calm = False
    return stage, [
        messenger(stage, "bootpay", webhook),
        stage.actor("reconciler", "reconcile", begins_at_any_moment(), lambda _: None),
    ]


def _two_payments(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage)
    receipts = [stage.pay(order_id, 1000), stage.pay(order_id, 1000)]
    stage.calm = False
    return stage, [
        *(returning_buyer(stage, f"buyer {n}", order_id, receipt) for n, receipt in enumerate(receipts, 1)),
        deliverer(stage),
    ]


def _two_payments_owed_back(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id, _ = _paid(stage)
    second = stage.pay(order_id, 1000)
    (webhook,) = _hooks(stage)
    stage.calm = False
    return stage, [messenger(stage, "bootpay", webhook), returning_buyer(stage, "buyer", order_id, second)]


def _money_back_twice(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False)
    order_id, _ = _paid(stage)
    run(verify(stage.world, order_id, stage.pay(order_id, 1000)))

    async def begins_at_any_moment() -> None:
        await stop(Stop("shop", "opens", writes=False))
        await deliver_owed(stage.world)

    stage.calm = False
    another = stage.actor("another worker", "deliver", begins_at_any_moment(), lambda _: None)
    return stage, [deliverer(stage, "one worker"), another]


def _approval_verify(trace: bool) -> Scene:
    stage = Stage(trace=trace, asks_shop=True)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000, separately_confirmed=True)
    stage.calm = False
    return stage, [returning_buyer(stage, name, order_id, receipt_id) for name in ("buyer", "buyer again")]


def _approval_two_receipts(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipts = [stage.pay(order_id, 1000, separately_confirmed=True) for _ in range(2)]
    stage.calm = False
    return stage, [
        returning_buyer(stage, f"buyer {number}", order_id, receipt)
        for number, receipt in enumerate(receipts, 1)
    ]


def _approval_reconcile(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000, separately_confirmed=True)
    stage.calm = False
    return stage, [
        returning_buyer(stage, "buyer", order_id, receipt_id),
        reconciler(stage, everything=True),
    ]


def _gateway_takes_its_time(trace: bool) -> Scene:
    """The order runs out while the payment gateway is at work, and then the money comes after all."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    receipt_id = stage.open(order_id, 1000)
    stage.take_time(receipt_id, None, lambda: None)
    stage.pass_time(100.0)

    async def ends() -> None:
        await stop(Stop("gateway", "pays", writes=True))
        stage.ledger.tamper(receipt_id, {"status": 0})
        stage.ledger.approve(receipt_id)

    stage.calm = False
    return stage, [
        reconciler(stage),
        returning_buyer(stage, "buyer", order_id, receipt_id),
        stage.actor("gateway", "outside", ends(), lambda _: None),
    ]


def _gateway_at_work_for_ever(trace: bool) -> Scene:
    """The order runs out while the payment gateway is at work, which never ends."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    stage.take_time(stage.open(order_id, 1000), None, lambda: None)
    stage.calm = False
    return stage, [reconciler(stage)]


def _payment_at_work(trace: bool) -> Scene:
    """For a while Bootpay shows nothing of the payment but that the gateway is at work on it."""
    stage = Stage(trace=trace, webhooks=False)
    order_id, receipt_id = _paid(stage)
    stage.at_work[receipt_id] = stage.time_s + 300.0, 4
    stage.calm = False
    return stage, [reconciler(stage, everything=True), canceller(stage, "shop", order_id, "k1", 400)]


def _held_money_at_work(trace: bool) -> Scene:
    """Likewise of money that is held for a person, who decides on it."""
    stage = Stage(trace=trace, webhooks=False, rules=Rules(on_mismatch=OnMismatch.HOLD))
    order_id, _ = _paid(stage)
    receipt_id = _held(stage, order_id)
    stage.at_work[receipt_id] = stage.time_s + 300.0, 99
    stage.calm = False
    return stage, [
        reconciler(stage, everything=True),
        deciding_person(stage, "kim", order_id, Resolution.RETURN, receipt_id),
    ]


def _told_while_at_work(*, while_a_person_decides: bool) -> Callable[[bool], Scene]:
    """Bootpay tells of a payment before it shows one, and there is no list to find it in later."""

    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, sighted=False, rules=Rules(on_mismatch=OnMismatch.HOLD))
        order_id = register(stage)
        if while_a_person_decides:
            run(verify(stage.world, order_id, stage.pay(order_id, 900, webhook_url="")))
        receipt_id = stage.pay(order_id, 1000)
        stage.at_work[receipt_id] = stage.time_s + 300.0, 4
        stage.calm = False
        return stage, [
            *(messenger(stage, "bootpay", webhook) for webhook in _hooks(stage)),
            returning_buyer(stage, "buyer", order_id, receipt_id),
        ]

    return set_up


def _approval_webhook_of_another(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    asks = stage.pay(order_id, 1000, separately_confirmed=True)
    stage.pay(order_id, 1000)
    stage.calm = False
    return stage, [
        returning_buyer(stage, "buyer", order_id, asks),
        *(messenger(stage, "bootpay", webhook) for webhook in _hooks(stage)),
    ]


def _approval_forged_webhook(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000, separately_confirmed=True)
    forged = Notice(receipt_id=receipt_id, kind="PAYMENT_COMPLETED", cancelled="0", order_id=order_id)
    stage.calm = False
    return stage, [
        returning_buyer(stage, "buyer", order_id, receipt_id),
        forger(stage, "forger", forged),
    ]


def _webhook_after_a_forged_one(trace: bool) -> Scene:
    """Somebody told of a payment before a page confirmed it by itself, so the true webhook says nothing new."""
    stage = Stage(trace=trace, sighted=False)
    order_id, _ = _paid(stage)
    second = stage.pay(order_id, 1000, separately_confirmed=True)
    for webhook in _hooks(stage):
        stage.ledger.drop(webhook)
    forged = Notice(receipt_id=second, kind="PAYMENT_COMPLETED", cancelled="0", order_id=order_id)
    run(receive_webhook(stage.world, forged))
    stage.ledger.confirm(second)
    (webhook,) = _hooks(stage)
    stage.calm = False
    return stage, [messenger(stage, "bootpay", webhook)]


def _webhook_during_a_forged_one(trace: bool) -> Scene:
    """Somebody tells of a deposit before it comes; it comes, and is truly told, before that look is written down."""
    stage = Stage(trace=trace, sighted=False)
    order_id, _ = _paid(stage)
    account = stage.issue(order_id, 1000)
    for webhook in _hooks(stage):
        stage.ledger.drop(webhook)
    forged = Notice(receipt_id=account, kind="PAYMENT_COMPLETED", cancelled="0", order_id=order_id)

    async def deposit() -> None:
        await stop(Stop("gateway", "deposit", writes=True))
        stage.ledger.deposit(account)
        (webhook,) = _hooks(stage)
        await receive_webhook(stage.world, notice_of(webhook))
        stage.acknowledge(webhook)(None)

    stage.calm = False
    return stage, [
        forger(stage, "forger", forged),
        stage.actor("bank", "webhook", deposit(), lambda _: None),
    ]


def _webhook_before_the_order(trace: bool) -> Scene:
    """The buyer is quicker than the shop: Bootpay tells of an order that is being registered."""
    stage = Stage(trace=trace)
    stage.pay("o1", 1000)
    (webhook,) = _hooks(stage)

    async def registers() -> None:
        await stop(Stop("shop", "sells", writes=False))
        order = Order(id=OrderId("o1"), price=Money(1000, "KRW"), name="양말")
        await register_order(stage.world, order)

    stage.calm = False
    return stage, [
        messenger(stage, "bootpay", webhook),
        stage.actor("shop", "register", registers(), lambda _: None),
    ]


def _nobody_tells(trace: bool) -> Scene:
    """The buyer paid and vanished, and no webhook comes: only the schedule is left."""
    stage = Stage(trace=trace, webhooks=False)
    stage.pay(register(stage), 1000)
    stage.calm = False
    return stage, [deliverer(stage), reconciler(stage)]


def _paid_by_deposit(stage: Stage) -> tuple[OrderId, ReceiptId]:
    order_id = register(stage)
    receipt_id = stage.issue(order_id, 1000)
    run(verify(stage.world, order_id, receipt_id))
    stage.ledger.deposit(receipt_id)
    run(verify(stage.world, order_id, receipt_id))
    return order_id, receipt_id


def _bank_takes_back(trace: bool) -> Scene:
    """The bank undoes a deposit after the order was paid by it."""
    stage = Stage(trace=trace, webhooks=False)
    _, receipt_id = _paid_by_deposit(stage)

    async def revert() -> None:
        await stop(Stop("gateway", "bank", writes=True))
        stage.ledger.revert(receipt_id)
        stage.outside[receipt_id] = 0

    stage.calm = False
    return stage, [
        stage.actor("bank", "outside", revert(), lambda _: None),
        reconciler(stage, everything=True),
    ]


def _bank_takes_back_again(trace: bool) -> Scene:
    """Likewise a second time, after a person had let the first be and the deposit had come again."""
    stage = Stage(trace=trace, webhooks=False)
    order_id, receipt_id = _paid_by_deposit(stage)
    stage.ledger.revert(receipt_id)
    stage.outside[receipt_id] = 0
    run(reconcile(stage.world, everything=True))
    run(resolve(stage.world, order_id, Resolution.DISMISS, who="kim", reason="전화로 확인"))
    stage.ledger.deposit(receipt_id)
    run(reconcile(stage.world, everything=True))

    async def revert() -> None:
        await stop(Stop("gateway", "bank", writes=True))
        stage.ledger.revert(receipt_id)

    stage.calm = False
    return stage, [
        stage.actor("bank", "outside", revert(), lambda _: None),
        reconciler(stage, everything=True),
    ]


def _doubtful_approval(mishap: Mishap, *, hidden: bool) -> Callable[[bool], Scene]:
    """An approval without an answer is given up, by the machine or (where nobody could look) by a person."""

    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, webhooks=False, sighted=False)
        order_id = register(stage)
        receipt_id = stage.pay(order_id, 1000, separately_confirmed=True)
        stage.calm = False
        first = returning_buyer(stage, "buyer", order_id, receipt_id)
        while first.at is not None:
            moves = first.at.name == "confirm"
            stage.let_on(first, mishap if moves else None)
            if hidden and moves:
                stage.hides[receipt_id] = stage.time_s + 3_000.0
        stage.calm = True
        stage.pass_time(2_800.0 if hidden else Mishap.VERY_LATE.late_s - 50.0)
        run(reconcile(stage.world, everything=True))
        if not hidden:
            stage.pass_time(25.0)
        stage.calm = False
        somebody = (
            deciding_person(stage, "kim", order_id, Resolution.DISMISS)
            if hidden
            else returning_buyer(stage, "buyer again", order_id, receipt_id)
        )
        return stage, [somebody, reconciler(stage, everything=True)]

    return set_up


def _without_lists(set_up: Callable[[bool], Scene]) -> Callable[[bool], Scene]:
    """Receipts cannot be found by order id for a while, though each can be looked up."""

    def without(trace: bool) -> Scene:
        stage, actors = set_up(trace)
        stage.no_lists_until = stage.time_s + 300.0
        return stage, actors

    return without


def _wrong(**terms: object) -> Callable[[bool], Scene]:
    """A receipt that does not fit meets the buyer and the webhook."""

    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace)
        order_id = register(stage, price=1000, tax_free=100)
        wanted: dict[str, object] = {"price": 1000, "tax_free": 100, **terms}
        price = wanted.pop("price")
        assert isinstance(price, int)
        receipt_id = stage.pay(order_id, price, **wanted)
        stage.calm = False
        return stage, [
            returning_buyer(stage, "buyer", order_id, receipt_id),
            *(messenger(stage, "bootpay", webhook) for webhook in _hooks(stage)),
        ]

    return set_up


def _one_receipt_two_orders(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False)
    mine, other = register(stage, "o1"), register(stage, "o2")
    receipt_id = stage.pay(mine, 1000)
    stage.calm = False
    return stage, [
        returning_buyer(stage, "buyer", mine, receipt_id),
        returning_buyer(stage, "cheat", other, receipt_id),
    ]


def _cancel_cancel(
    first: int | None, second: int | None, *, keys: tuple[str, str]
) -> Callable[[bool], Scene]:
    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, webhooks=False)
        order_id, _ = _paid(stage)
        stage.calm = False
        return stage, [
            canceller(stage, "shop", order_id, keys[0], first),
            canceller(stage, "shop again", order_id, keys[1], second),
        ]

    return set_up


def _cancel_expecting(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False)
    order_id, _ = _paid(stage)
    stage.calm = False
    return stage, [
        canceller(stage, name, order_id, name, 300, expected_remaining=1000)
        for name in ("shop", "shop again")
    ]


def _cancel_outside(amount: int | None, outside: int | None) -> Callable[[bool], Scene]:
    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, webhooks=False)
        order_id, receipt_id = _paid(stage)
        stage.calm = False
        return stage, [
            canceller(stage, "shop", order_id, "k1", amount),
            _console(stage, receipt_id, outside),
        ]

    return set_up


def _taken_up_again(outside: int | None, amount: int | None = 400) -> Callable[[bool], Scene]:
    """A cancel was written off and is asked for again under its key, and then the first one has its effect."""

    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, webhooks=False)
        order_id, receipt_id = _paid(stage)
        stage.calm = False
        first = canceller(stage, "shop", order_id, "k1", amount)
        while first.at is not None:
            stage.let_on(first, Mishap.VERY_LATE if first.at.name == "cancel" else None)
        stage.calm = True
        stage.pass_time(Mishap.VERY_LATE.late_s - 50.0)
        run(reconcile(stage.world))
        stage.pass_time(25.0)
        stage.calm = False
        again = canceller(stage, "shop again", order_id, "k1", amount)
        if outside is None:
            return stage, [again, reconciler(stage, everything=True)]
        return stage, [again, _console(stage, receipt_id, outside)]

    return set_up


def _whole_refused(trace: bool) -> Scene:
    """A whole cancel was refused, and a console has taken a part since: the rest is the console's too."""
    stage = Stage(trace=trace, webhooks=False)
    order_id, receipt_id = _paid(stage)
    stage.calm = False
    refused = canceller(stage, "shop", order_id, "k1", None)
    while refused.at is not None:
        stage.let_on(refused, Mishap.REFUSED if refused.at.name == "cancel" else None)
    stage.calm = True
    stage.cancel_outside(receipt_id, 100)
    run(reconcile(stage.world, everything=True))
    stage.calm = False
    return stage, [_console(stage, receipt_id), reconciler(stage, everything=True)]


def _cancel_reconcile(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id, _ = _paid(stage)
    stage.calm = False
    return stage, [
        canceller(stage, "shop", order_id, "k1", 400),
        reconciler(stage, everything=True),
    ]


def _paid_and_cancelled_deliver(trace: bool) -> Scene:
    """Two notices wait in one lane."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000)
    run(verify(stage.world, order_id, receipt_id))
    stage.cancel_outside(receipt_id, 300)
    run(reconcile(stage.world, everything=True))
    stage.calm = False
    return stage, [deliverer(stage, "one worker"), deliverer(stage, "another worker")]


def _partly_cancelled(trace: bool) -> Scene:
    """The console took a part back before the receipt was ever looked at."""
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000)
    stage.cancel_outside(receipt_id, 300)
    (webhook,) = _hooks(stage)
    stage.calm = False
    return stage, [
        returning_buyer(stage, "buyer", order_id, receipt_id),
        messenger(stage, "bootpay", webhook),
    ]


def _deliver_deliver(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage)
    run(verify(stage.world, order_id, stage.pay(order_id, 1000)))
    stage.calm = False
    return stage, [deliverer(stage, "one worker"), deliverer(stage, "another worker")]


def _reconcile_verify(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage)
    receipt_id = stage.pay(order_id, 1000)
    stage.calm = False
    return stage, [
        reconciler(stage, everything=True),
        returning_buyer(stage, "buyer", order_id, receipt_id),
    ]


def _reconcile_reconcile(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage)
    stage.pay(order_id, 1000)
    stage.pass_time(150.0)
    stage.calm = False
    return stage, [reconciler(stage, "one worker"), reconciler(stage, "another worker")]


def _late_money(policy: LatePayment) -> Callable[[bool], Scene]:
    """The order runs out while its money arrives."""

    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, rules=Rules(late_payment=policy))
        order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
        stage.pass_time(100.0)
        receipt_id = stage.pay(order_id, 1000)
        (webhook,) = _hooks(stage)
        stage.calm = False
        return stage, [
            reconciler(stage, everything=True),
            messenger(stage, "bootpay", webhook),
            returning_buyer(stage, "buyer", order_id, receipt_id),
        ]

    return set_up


def _runs_out(trace: bool) -> Scene:
    """The terms are over, and at that very moment the buyer pays after all."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    stage.pass_time(100.0)

    async def pays_and_returns() -> None:
        await stop(Stop("gateway", "pays", writes=True))
        await verify(stage.world, order_id, stage.pay(order_id, 1000))

    stage.calm = False
    return stage, [
        reconciler(stage),
        stage.actor("buyer", "verify", pays_and_returns(), lambda _: None),
    ]


def _deposit_at_the_deadline(trace: bool) -> Scene:
    stage = Stage(trace=trace)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    receipt_id = stage.issue(order_id, 1000)
    run(verify(stage.world, order_id, receipt_id))
    stage.pass_time(59.0)
    stage.ledger.deposit(receipt_id)
    stage.pass_time(40.0)
    webhook = next(hook for hook in _hooks(stage) if hook.type == "PAYMENT_COMPLETED")
    stage.calm = False
    return stage, [reconciler(stage), messenger(stage, "bootpay", webhook)]


def _account_and_card(*, sighted: bool) -> Callable[[bool], Scene]:
    """The buyer takes a virtual account, pays by card instead, and then into the account as well."""

    def set_up(trace: bool) -> Scene:
        stage = Stage(trace=trace, webhooks=False, sighted=sighted)
        order_id = register(stage)
        account = stage.issue(order_id, 1000)
        run(verify(stage.world, order_id, account))
        card = stage.pay(order_id, 1000)
        if not sighted:
            run(verify(stage.world, order_id, card))
        stage.ledger.deposit(account)
        stage.calm = False
        return stage, [
            returning_buyer(stage, "buyer", order_id, card),
            returning_buyer(stage, "buyer again", order_id, account),
        ]

    return set_up


def _held(stage: Stage, order_id: OrderId) -> ReceiptId:
    """One more payment of the order, known and held before the scenario begins."""
    receipt_id = stage.pay(order_id, 1000)
    run(verify(stage.world, order_id, receipt_id))
    return receipt_id


def _late_deposit_dismissed(trace: bool) -> Scene:
    """The awaited account itself is paid into too late; a person leaves it at that."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    receipt_id = stage.issue(order_id, 1000)
    run(verify(stage.world, order_id, receipt_id))
    stage.pass_time(100.0)
    stage.ledger.deposit(receipt_id)
    run(verify(stage.world, order_id, receipt_id))
    stage.calm = False
    return stage, [deciding_person(stage, "kim", order_id, Resolution.DISMISS), reconciler(stage)]


def _two_held_and_two_people(trace: bool) -> Scene:
    stage = Stage(trace=trace, webhooks=False, rules=Rules(on_mismatch=OnMismatch.HOLD))
    order_id, _ = _paid(stage)
    second, third = _held(stage, order_id), _held(stage, order_id)
    stage.calm = False
    return stage, [
        deciding_person(stage, "kim", order_id, Resolution.RETURN, second),
        deciding_person(stage, "lee", order_id, Resolution.DISMISS, third),
    ]


def _accepted_and_paid_again(trace: bool) -> Scene:
    """Late money is accepted by a person while the buyer, impatient, pays once more."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    stage.pass_time(100.0)
    late = _held(stage, order_id)
    second = stage.pay(order_id, 1000)
    stage.calm = False
    return stage, [
        deciding_person(stage, "kim", order_id, Resolution.ACCEPT, late),
        returning_buyer(stage, "buyer", order_id, second),
    ]


def _second_payment_accepted(trace: bool) -> Scene:
    """A person takes the held second payment of a paid order for the payment; nobody may."""
    stage = Stage(trace=trace, webhooks=False, rules=Rules(on_mismatch=OnMismatch.HOLD))
    order_id, _ = _paid(stage)
    second = _held(stage, order_id)
    stage.calm = False
    return stage, [
        deciding_person(stage, "kim", order_id, Resolution.ACCEPT, second),
        reconciler(stage, everything=True),
    ]


def _held_money_gone(trace: bool) -> Scene:
    """A person accepts late money while the console sends it back."""
    stage = Stage(trace=trace, webhooks=False)
    order_id = register(stage, expires_at=stage.now() + timedelta(seconds=60))
    stage.pass_time(100.0)
    late = _held(stage, order_id)
    stage.calm = False
    return stage, [
        deciding_person(stage, "kim", order_id, Resolution.ACCEPT, late),
        _console(stage, late),
    ]


SCENARIOS: Sequence[Scenario] = (
    Scenario(name="verify, verify", set_up=_verify_verify, bounds=(Bounds(crashes=2, mishaps=2, leaps=1),)),
    Scenario(name="verify, webhook", set_up=_verify_webhook, bounds=_USUAL),
    Scenario(name="webhook, the same webhook", set_up=_webhook_webhook, bounds=_USUAL),
    Scenario(name="webhook, reconcile", set_up=_webhook_reconcile, bounds=(_PAUSED, *_USUAL)),
    Scenario(
        name="two payments of one order, deliver", set_up=_two_payments, bounds=(_CRASHES,), watch_s=A_YEAR_S
    ),
    Scenario(name="a second payment told and verified", set_up=_two_payments_owed_back, bounds=_USUAL),
    Scenario(
        name="money back by two workers",
        set_up=_money_back_twice,
        bounds=(Bounds(leaps=1, leap_s=10.0), Bounds(leaps=1, leap_s=80.0), _PAST_A_CLAIM, *_USUAL),
    ),
    Scenario(name="approval, verify", set_up=_approval_verify, bounds=_USUAL),
    Scenario(
        name="approvals of two receipts", set_up=_approval_two_receipts, bounds=_USUAL, watch_s=A_YEAR_S
    ),
    Scenario(name="approval, reconcile", set_up=_approval_reconcile, bounds=_USUAL),
    Scenario(
        name="an order runs out, the gateway at work",
        set_up=_gateway_takes_its_time,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="an order runs out, the gateway at work for ever",
        set_up=_gateway_at_work_for_ever,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a payment at work, cancel, reconcile",
        set_up=_payment_at_work,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="held money at work, reconcile", set_up=_held_money_at_work, bounds=_USUAL, watch_s=A_YEAR_S
    ),
    Scenario(
        name="told while the gateway is at work",
        set_up=_told_while_at_work(while_a_person_decides=False),
        bounds=_USUAL,
    ),
    Scenario(
        name="told while the gateway is at work and a person decides",
        set_up=_told_while_at_work(while_a_person_decides=True),
        bounds=_USUAL,
    ),
    Scenario(name="approval, webhook of another receipt", set_up=_approval_webhook_of_another, bounds=_USUAL),
    Scenario(name="approval, forged webhook", set_up=_approval_forged_webhook, bounds=_USUAL),
    Scenario(name="webhook after a forged one", set_up=_webhook_after_a_forged_one, bounds=_USUAL),
    Scenario(name="webhook during a forged one", set_up=_webhook_during_a_forged_one, bounds=_USUAL),
    Scenario(name="webhook before the order", set_up=_webhook_before_the_order, bounds=_USUAL),
    Scenario(name="a buyer who vanished", set_up=_nobody_tells, bounds=_USUAL, watch_s=A_YEAR_S),
    Scenario(name="wrong price", set_up=_wrong(price=900), bounds=_USUAL),
    Scenario(name="too high a price", set_up=_wrong(price=1100), bounds=(_CRASHES,)),
    Scenario(name="wrong tax-free part", set_up=_wrong(tax_free=0), bounds=(_CRASHES,)),
    Scenario(name="wrong currency", set_up=_wrong(price=10, tax_free=1, currency="USD"), bounds=(_CRASHES,)),
    Scenario(name="sandbox receipt", set_up=_wrong(sandbox=True), bounds=(_CRASHES,)),
    Scenario(
        name="approval of a wrong price",
        set_up=_wrong(price=900, separately_confirmed=True),
        bounds=(_CRASHES,),
    ),
    Scenario(
        name="approval of a sandbox receipt",
        set_up=_wrong(sandbox=True, separately_confirmed=True),
        bounds=(_CRASHES,),
    ),
    Scenario(name="one receipt, two orders", set_up=_one_receipt_two_orders, bounds=_USUAL),
    Scenario(name="two cancels, two keys", set_up=_cancel_cancel(600, 600, keys=("k1", "k2")), bounds=_USUAL),
    Scenario(
        name="two partial cancels that fit", set_up=_cancel_cancel(300, 400, keys=("k1", "k2")), bounds=_USUAL
    ),
    Scenario(
        name="two cancels, the same key", set_up=_cancel_cancel(300, 300, keys=("k1", "k1")), bounds=_USUAL
    ),
    Scenario(
        name="two cancels, one key, other amounts",
        set_up=_cancel_cancel(300, 400, keys=("k1", "k1")),
        bounds=_USUAL,
    ),
    Scenario(
        name="whole cancels, two keys", set_up=_cancel_cancel(None, None, keys=("k1", "k2")), bounds=_USUAL
    ),
    Scenario(name="two cancels that expect the same", set_up=_cancel_expecting, bounds=_USUAL),
    Scenario(
        name="cancel, console cancels a part",
        set_up=_cancel_outside(400, 100),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="cancel, console cancels as much",
        set_up=_cancel_outside(400, 400),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="cancel, console cancels all", set_up=_cancel_outside(400, None), bounds=_USUAL, watch_s=A_YEAR_S
    ),
    Scenario(
        name="whole cancel, console cancels a part",
        set_up=_cancel_outside(None, 100),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a cancel taken up again, reconcile",
        set_up=_taken_up_again(None),
        bounds=(_CRASHES, Bounds(mishaps=1), _PAUSED),
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a cancel taken up again, console cancels a part",
        set_up=_taken_up_again(100),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a cancel taken up again, console cancels as much",
        set_up=_taken_up_again(400),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a whole cancel taken up again, console cancels a part",
        set_up=_taken_up_again(100, None),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a whole cancel refused, console cancels the rest",
        set_up=_whole_refused,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(name="cancel, reconcile", set_up=_cancel_reconcile, bounds=_USUAL),
    Scenario(name="partly cancelled before anybody looked", set_up=_partly_cancelled, bounds=_USUAL),
    Scenario(name="paid and cancelled, deliver", set_up=_paid_and_cancelled_deliver, bounds=_USUAL),
    Scenario(name="deliver, deliver", set_up=_deliver_deliver, bounds=_USUAL),
    Scenario(name="reconcile, verify", set_up=_reconcile_verify, bounds=_USUAL),
    Scenario(name="reconcile, reconcile", set_up=_reconcile_reconcile, bounds=_USUAL),
    *(
        Scenario(name=f"late money, {policy}", set_up=_late_money(policy), bounds=(_CRASHES,))
        for policy in LatePayment
    ),
    Scenario(name="an order runs out, paid at last", set_up=_runs_out, bounds=_USUAL),
    Scenario(name="an order runs out without lists", set_up=_without_lists(_runs_out), bounds=_USUAL),
    Scenario(name="a deposit at the deadline", set_up=_deposit_at_the_deadline, bounds=_USUAL),
    Scenario(
        name="a deposit taken back, reconcile", set_up=_bank_takes_back, bounds=_USUAL, watch_s=A_YEAR_S
    ),
    Scenario(
        name="a deposit taken back again, reconcile",
        set_up=_bank_takes_back_again,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="an approval written off without lists",
        set_up=_doubtful_approval(Mishap.VERY_LATE, hidden=False),
        bounds=(_CRASHES, Bounds(mishaps=1), _PAUSED),
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="an approval in doubt let be without lists",
        set_up=_doubtful_approval(Mishap.LOST_AFTER, hidden=True),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="approval, reconcile without lists", set_up=_without_lists(_approval_reconcile), bounds=_USUAL
    ),
    Scenario(name="cancel, reconcile without lists", set_up=_without_lists(_cancel_reconcile), bounds=_USUAL),
    Scenario(
        name="account and card", set_up=_account_and_card(sighted=True), bounds=_USUAL, watch_s=A_YEAR_S
    ),
    Scenario(
        name="account and card without lists",
        set_up=_account_and_card(sighted=False),
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a late deposit is dismissed, reconcile",
        set_up=_late_deposit_dismissed,
        bounds=_USUAL,
    ),
    Scenario(
        name="two held receipts and two people",
        set_up=_two_held_and_two_people,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="late money accepted, paid again",
        set_up=_accepted_and_paid_again,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="late money accepted, console cancels all",
        set_up=_held_money_gone,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
    Scenario(
        name="a second payment accepted, reconcile",
        set_up=_second_payment_accepted,
        bounds=_USUAL,
        watch_s=A_YEAR_S,
    ),
)
"""Every race that is explored, by name."""
