"""Who may come on stage: one actor per use case, with what its answer means to whoever asked."""

from __future__ import annotations

from dojang.core.cancellation import WantedCancel
from dojang.core.decision import Accepted, Refusal
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.drive import run
from dojang.emulator.books import Webhook
from dojang.ports import Notice
from dojang.testing.simulation.evidence import Answered
from dojang.testing.simulation.stage import REFUND_ACCOUNT, Stage, notice_of
from dojang.testing.simulation.stepped import Actor
from dojang.usecases.cancel import CancelDone, CancelNotDone, CancelPending, cancel
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.reconcile import reconcile
from dojang.usecases.register_order import register_order
from dojang.usecases.resolve import Resolution, look_again, resolve
from dojang.usecases.verify import Verification, verify

__all__ = [
    "canceller",
    "deciding_person",
    "deliverer",
    "forger",
    "looking_person",
    "messenger",
    "reconciler",
    "register",
    "returning_buyer",
]

WEBHOOK_WITHIN_S = 4.0
"""How long Bootpay waits for a webhook's answer, less what the way takes."""


def register(stage: Stage, order_id: str = "o1", price: int = 1000, **terms: object) -> OrderId:
    """The shop registers an order, calmly."""
    currency = str(terms.pop("currency", "KRW"))
    order = Order(id=OrderId(order_id), price=Money(price, currency), name="양말", **terms)  # type: ignore[arg-type]  # a scenario's terms
    calm, stage.calm = stage.calm, True
    run(register_order(stage.world, order))
    stage.calm = calm
    return order.id


def returning_buyer(
    stage: Stage,
    name: str,
    order_id: OrderId,
    receipt_id: ReceiptId,
    *,
    within_s: float = 20.0,
    skew_s: float = 0.0,
) -> Actor:
    """A buyer is back from checkout and wants to know."""

    def told(answer: object) -> None:
        if isinstance(answer, Verification):
            match answer.answer:
                case Accepted(state=state):
                    word = state
                case Refusal(reason=reason):
                    word = reason.value
                case other:
                    word = type(other).__name__
            stage.answers.append(
                Answered(name, "verify", str(order_id), str(receipt_id), word, len(stage.asked))
            )

    stage.note(f"comes back with receipt …{receipt_id[-6:]}", who=name)
    task = verify(stage.world, order_id, receipt_id, within_s=within_s)
    return stage.actor(name, "verify", task, told, skew_s=skew_s, within_s=within_s)


def messenger(stage: Stage, name: str, webhook: Webhook, *, skew_s: float = 0.0) -> Actor:
    """Bootpay sends a webhook; only its answer counts as heard."""
    notice = notice_of(webhook)
    stage.note(f"brings webhook {notice.kind} of …{notice.receipt_id[-6:]}", who=name)
    task = receive_webhook(stage.world, notice)
    return stage.actor(
        name,
        "webhook",
        task,
        stage.acknowledge(webhook),
        may_be_lost=True,
        skew_s=skew_s,
        within_s=WEBHOOK_WITHIN_S,
    )


def forger(stage: Stage, name: str, notice: Notice) -> Actor:
    """Somebody who is not Bootpay sends something that looks like a webhook."""
    stage.note(f"forges webhook {notice.kind} of …{notice.receipt_id[-6:]}", who=name)
    task = receive_webhook(stage.world, notice)
    return stage.actor(name, "webhook", task, lambda _: None, within_s=WEBHOOK_WITHIN_S)


def canceller(
    stage: Stage,
    name: str,
    order_id: OrderId,
    key: str,
    amount: int | None = None,
    *,
    expected_remaining: int | None = None,
    tax_free: int | None = None,
    within_s: float = 20.0,
    skew_s: float = 0.0,
) -> Actor:
    """The shop gives money back under an idempotency key."""
    wanted = WantedCancel(
        amount=amount,
        tax_free=tax_free,
        reason="고객 변심",
        refund_account=REFUND_ACCOUNT,
        expected_remaining=expected_remaining,
    )
    stage.wanted[name] = {
        "order_id": str(order_id),
        "key": key,
        "amount": amount,
        "tax_free": tax_free,
        "expected_remaining": expected_remaining,
    }

    def told(answer: object) -> None:
        match answer:
            case CancelDone():
                word = "done"
            case CancelPending():
                word = "pending"
            case CancelNotDone(refusal=refusal):
                word = refusal.why.value
            case _:
                word = type(answer).__name__
        stage.answers.append(Answered(name, "cancel", str(order_id), "", word, len(stage.asked)))

    much = "all" if amount is None else f"{amount:,} minor units"
    stage.note(f"wants {much} of {order_id} sent back under key {key}", who=name)
    task = cancel(stage.world, order_id, key, wanted, within_s=within_s)
    return stage.actor(name, "cancel", task, told, skew_s=skew_s, within_s=within_s)


def deliverer(stage: Stage, name: str = "deliverer", *, limit: int = 100, skew_s: float = 0.0) -> Actor:
    """A worker hands over what is owed."""
    return stage.actor(name, "deliver", deliver_owed(stage.world, limit=limit), lambda _: None, skew_s=skew_s)


def reconciler(
    stage: Stage, name: str = "reconciler", *, everything: bool = False, skew_s: float = 0.0
) -> Actor:
    """A worker finishes what others left, and looks what Bootpay never told."""
    task = reconcile(stage.world, everything=everything)
    return stage.actor(name, "reconcile", task, lambda _: None, skew_s=skew_s)


def deciding_person(
    stage: Stage, name: str, order_id: OrderId, resolution: Resolution, receipt_id: ReceiptId | None = None
) -> Actor:
    """A person decides on money that is held."""
    stage.note(f"decides about {order_id}: {resolution}", who=name)
    task = resolve(stage.world, order_id, resolution, who="kim", reason="전화로 확인", receipt_id=receipt_id)
    return stage.actor(name, "resolve", task, lambda _: None)


def looking_person(stage: Stage, name: str, order_id: OrderId, receipt_id: ReceiptId | None = None) -> Actor:
    """A person has a receipt read again right now."""
    stage.note(f"has {order_id} looked at again", who=name)
    task = look_again(stage.world, order_id, receipt_id, who="kim")
    return stage.actor(name, "look_again", task, lambda _: None, within_s=20.0)
