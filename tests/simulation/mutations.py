"""Plausible mistakes, one at a time, made in the real code while it runs.

A mistake is a change of the source of one function (the words must still be there, so a mistake that no longer fits is
noticed), or a function put in the place of another. Everybody who had imported the function gets the mistaken one.

Not here are mistakes that leave money and what the shop hears as they should be, so that no promise is broken: a
notice repeated after a 410 (`test_410_stops_at_once_and_calls_a_person`), an approval asked about twice, an order
looked at more often than needed (`test_schedule.py`), a refusal told in other words (`test_verification.py`).
"""

from __future__ import annotations
import __future__

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core import (
    approval,
    attention,
    cancellation,
    cancelling,
    decision,
    deposit,
    expiry,
    history,
    observation,
    schedule,
    surplus,
    verification,
)
from dojang.core.payment import Payment, State
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.ports import Notice
from dojang.usecases import cancel, check_order, deliver_owed, receive_webhook, verify

__all__ = ["MISTAKES", "Mistake", "made"]


@dataclass(frozen=True)
class Mistake:
    """One mistake and who must notice it.

    Attributes:
        name: The mistake in words.
        breaks: The promise that it breaks, or those of which it may break either.
        make: Makes it; what it returns undoes it.
        caught_by: Names of scenarios, in the order they are tried; without any, seeded worlds.
    """

    name: str
    breaks: tuple[str, ...]
    make: Callable[[], Callable[[], None]]
    caught_by: tuple[str, ...] = ()


@contextmanager
def made(mistake: Mistake) -> Iterator[None]:
    """The mistake, for as long as this lasts."""
    undo = mistake.make()
    try:
        yield
    finally:
        undo()


def edited(function: FunctionType, *changes: tuple[str, str]) -> Callable[[], Callable[[], None]]:
    """The function with other words in its source."""

    def make() -> Callable[[], None]:
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in changes:
            assert 1 == source.count(old), (
                f"{function.__qualname__} no longer says {old!r} once: mend the mistake"
            )
            source = source.replace(old, new)
        code = compile(
            source, f"<mistaken {function.__name__}>", "exec", flags=__future__.annotations.compiler_flag
        )
        names: dict[str, Any] = {}
        exec(code, function.__globals__, names)
        return _put(function, names[function.__name__])

    return make


def replaced(function: FunctionType, other: Callable[..., Any]) -> Callable[[], Callable[[], None]]:
    """Another function in the place of this one."""
    return lambda: _put(function, other)


def on_class(owner: type, name: str, other: object) -> Callable[[], Callable[[], None]]:
    """Another attribute in the place of a class's own."""

    def make() -> Callable[[], None]:
        before = owner.__dict__[name]
        setattr(owner, name, other)
        return lambda: setattr(owner, name, before)

    return make


def method(owner: type, name: str, *changes: tuple[str, str]) -> Callable[[], Callable[[], None]]:
    """A method with other words in its source."""

    def make() -> Callable[[], None]:
        function = owner.__dict__[name]
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in changes:
            assert 1 == source.count(old), (
                f"{function.__qualname__} no longer says {old!r} once: mend the mistake"
            )
            source = source.replace(old, new)
        names: dict[str, Any] = {}
        flags = __future__.annotations.compiler_flag
        exec(compile(source, f"<mistaken {name}>", "exec", flags=flags), function.__globals__, names)
        setattr(owner, name, names[name])
        return lambda: setattr(owner, name, function)

    return make


def _put(function: FunctionType, other: Callable[..., Any]) -> Callable[[], None]:
    places = [
        (module, name)
        for module_name, module in list(sys.modules.items())
        if module_name.startswith("dojang.") and module is not None
        for name, value in list(vars(module).items())
        if value is function
    ]
    assert places
    for module, name in places:
        setattr(module, name, other)

    def undo() -> None:
        for module, name in places:
            setattr(module, name, function)

    return undo


# Mistakes too large for a changed word


async def _commit_in_two(self: AwaitedStore, record: Any, decision: Any, /) -> Any:
    """The state first, what is owed in a second transaction."""
    backend = self._backend

    def owe() -> None:
        for owed in decision.owes:
            backend._deliveries.setdefault(owed.id, owed)  # type: ignore[attr-defined]

    committed = await self._call(backend.commit, record, replace(decision, owes=()))
    if decision.owes:
        await self._call(owe)
    return committed


def _believe(notice: Notice, record: Any) -> Receipt | None:
    """What a webhook says, taken for the truth."""
    if record is None:
        return None
    status = ReceiptStatus.PAID if notice.kind == "PAYMENT_COMPLETED" else ReceiptStatus.WAITING
    return Receipt(
        id=notice.receipt_id,
        order_id=str(record.order.id),
        status=status,
        price=record.order.price.minor,
        tax_free=record.order.tax_free,
        currency=record.order.price.currency,
        sandbox=False,
        number=1,
    )


def _trusting() -> Callable[[], None]:
    vars(receive_webhook)["_believe"] = _believe
    undo = edited(
        receive_webhook.look_into,
        ("await world.gateway.look_up(notice.receipt_id, deadline.left_s)", "_believe(notice, record)"),
    )()

    def both() -> None:
        undo()
        del vars(receive_webhook)["_believe"]

    return both


_true_judge = verification.judge


def _approve_first(order: Any, receipt: Receipt, *rest: Any) -> Any:
    """What waits for approval is approved; the terms are looked at afterwards."""
    if receipt.status is ReceiptStatus.AWAITING_APPROVAL:
        return verification.AwaitsApproval(receipt)
    return _true_judge(order, receipt, *rest)


_true_next_check = schedule.next_check


def _never_due(order: Any, payment: Payment, *rest: Any) -> Any:
    """Only what was begun is looked at again."""
    unfinished = payment.state in (State.CONFIRMING, State.CANCELLING)
    return _true_next_check(order, payment, *rest) if unfinished else None


_keys_made = 0


def _another_key(order_id: str, key: str) -> str:
    """The caller's idempotency key is not asked for."""
    global _keys_made
    _keys_made += 1
    return f"{_keys_made:032x}"


MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "a webhook is acknowledged without being kept",
        ("P8",),
        edited(
            receive_webhook.receive_webhook,
            (
                "stored = await world.store.receive(notice, now, now + timedelta(seconds=_LOOK_AGAIN_AFTER_S))",
                "stored = __import__('dojang.ports').ports.StoredNotice(notice=notice, received_at=now)",
            ),
        ),
        ("verify, webhook",),
    ),
    Mistake(
        "a webhook counts as settled before it is looked into",
        ("P8",),
        edited(
            receive_webhook.receive_webhook,
            (
                "        outcome = await look_into(world, notice, deadline)\n",
                (
                    "        await world.store.settle_notice(stored, 'settled')\n"
                    "        outcome = await look_into(world, notice, deadline)\n"
                ),
            ),
        ),
        ("webhook after a forged one",),
    ),
    Mistake(
        "a webhook that repeats a forged one is not due again",
        ("P8",),
        method(MemoryBackend, "receive", ("due_at=there.due_at or due_at", "due_at=there.due_at")),
        ("webhook after a forged one",),
    ),
    Mistake(
        "an old look's word counts after the notice has come again",
        ("P7", "P8"),
        method(
            MemoryBackend,
            "settle_notice",
            ("(there.times, there.attempts) != (stored.times, stored.attempts)", "False"),
        ),
        ("webhook during a forged one",),
    ),
    Mistake("a webhook is believed", ("P1",), _trusting, ("approval, forged webhook",)),
    Mistake(
        "webhooks are told apart by their receipt alone",
        ("P8",),
        on_class(Notice, "key", property(lambda notice: str(notice.receipt_id))),
    ),
    Mistake(
        "what is owed is written in a second transaction",
        ("P3",),
        on_class(AwaitedStore, "commit", _commit_in_two),
        ("verify, verify",),
    ),
    Mistake(
        "history is not written",
        ("P10",),
        method(MemoryBackend, "commit", ("self._events[order_id].extend(decision.events)", "pass")),
        ("verify, verify",),
    ),
    Mistake(
        "an approval is sent again after a timeout",
        ("P7",),
        edited(
            verify._approve,
            (
                "    except OutcomeUnknown:\n        seen = await _look(world, receipt.id, deadline)",
                "    except OutcomeUnknown:\n        seen = await world.gateway.confirm(receipt.id, within_s)",
            ),
        ),
        ("approval, verify",),
    ),
    Mistake(
        "a timeout counts as a refusal",
        ("P7",),
        edited(
            verify._approve,
            ("    except NotSent as never_left:", "    except (NotSent, OutcomeUnknown) as never_left:"),
        ),
        ("approval, verify",),
    ),
    Mistake(
        "an approval is sent before its intent is written down",
        ("P7",),
        edited(
            verify._approve,
            (
                "    record = await _commit(world, record, intent)\n",
                "    record = __import__('dataclasses').replace(record, payment=intent.payment)\n",
            ),
        ),
        ("approval, verify",),
    ),
    Mistake(
        "an intent holds no lease",
        ("P7",),
        on_class(Payment, "leased", lambda self, now: False),
        ("approval, verify", "whole cancels, two keys", "cancel, reconcile"),
    ),
    Mistake(
        "a lease without fencing: the version is not compared",
        ("P2", "P10"),
        method(
            MemoryBackend, "commit", ("there is None or there.version != record.version", "there is None")
        ),
        ("verify, verify",),
    ),
    Mistake(
        "an unfinished approval is never looked at again",
        ("P7",),
        edited(
            schedule.next_check,
            (
                "            return max(until, now + min(max(overdue, _SOONEST), _LATEST))",
                "            return None",
            ),
        ),
        ("approval, verify",),
    ),
    Mistake(
        "`>=` for `==` on the price",
        ("P1",),
        edited(
            verification.judge, ("receipt.price != order.price.minor", "receipt.price < order.price.minor")
        ),
        ("too high a price",),
    ),
    Mistake(
        "the currency is not compared",
        ("P1",),
        edited(verification.judge, ("receipt.currency != order.price.currency", "False")),
        ("wrong currency",),
    ),
    Mistake(
        "the tax-free part is not compared",
        ("P1",),
        edited(verification.judge, ("receipt.tax_free != order.tax_free", "False")),
        ("wrong tax-free part",),
    ),
    Mistake(
        "test payments count as real ones",
        ("P1",),
        edited(verification.judge, ("mode is not Mode.SANDBOX and receipt.sandbox is True", "False")),
        ("sandbox receipt",),
    ),
    Mistake(
        "a receipt that was cancelled in part counts",
        ("P1",),
        edited(verification.judge, ("receipt.cancelled != 0 or receipt.cancelled_tax_free != 0", "False")),
        ("partly cancelled before anybody looked",),
    ),
    Mistake(
        "a receipt of another order counts",
        ("P1",),
        edited(verification.judge, ("receipt.order_id != order.id", "False")),
        ("one receipt, two orders",),
    ),
    Mistake(
        "what waits for approval is approved before it is judged",
        ("P5",),
        replaced(verification.judge, _approve_first),
        ("approval of a wrong price",),
    ),
    Mistake(
        "a second payment is overlooked",
        ("P6", "P8"),
        replaced(surplus.surplus_found, lambda *_: None),
        ("a second payment told and verified",),
    ),
    Mistake(
        "money is sent back without a look",
        ("P7",),
        edited(
            deliver_owed._send_back,
            (
                (
                    "        receipt = await world.gateway.look_up(receipt_id, _HAND_OVER_WITHIN_S)\n"
                    "        if receipt is None:\n"
                    '            return HandedOver(settled=False, words="Bootpay no longer knows the receipt")\n'
                    "        if receipt.remaining > 0:\n"
                ),
                "        if True:\n",
            ),
        ),
        ("money back by two workers",),
    ),
    Mistake(
        "money back is claimed for a tenth of the time that its holder believes",
        ("P7",),
        method(
            MemoryBackend,
            "claim_deliveries",
            (
                "{delivery.id: delivery for",
                "{delivery.id: replace(delivery, due_at=now + (until - now) / 10) for",
            ),
        ),
        ("money back by two workers",),
    ),
    Mistake(
        "what was tried counts as delivered",
        ("P4",),
        edited(
            deliver_owed._attempt,
            (
                "    now = world.clock.now()\n    if result.settled:",
                "    now = world.clock.now()\n    if True:",
            ),
        ),
        ("deliver, deliver",),
    ),
    Mistake(
        "a delivery counts as settled before it is handed over",
        ("P4",),
        edited(
            deliver_owed._attempt,
            (
                "        result = await world.fulfilment.hand_over(delivery, _HAND_OVER_WITHIN_S)\n",
                (
                    "        await world.store.settle_delivery(replace(delivery, state=DeliveryState.SETTLED))\n"
                    "        result = await world.fulfilment.hand_over(delivery, _HAND_OVER_WITHIN_S)\n"
                ),
            ),
        ),
        ("deliver, deliver",),
    ),
    Mistake(
        "every attempt has an id of its own",
        ("P4",),
        edited(
            deliver_owed._attempt,
            (
                "world.fulfilment.hand_over(delivery, _HAND_OVER_WITHIN_S)",
                (
                    "world.fulfilment.hand_over("
                    "replace(delivery, id=delivery.id + '#' * (delivery.attempts - 1)), _HAND_OVER_WITHIN_S)"
                ),
            ),
        ),
        ("deliver, deliver",),
    ),
    Mistake(
        "deliveries overtake each other",
        ("P4",),
        method(
            MemoryBackend,
            "claim_deliveries",
            ("lane = (delivery.order_id, delivery.lane.value)", "lane = delivery.id"),
        ),
        ("paid and cancelled, deliver",),
    ),
    Mistake(
        "a cancel is sent without writing it down",
        ("P7", "P10"),
        edited(
            cancel._carry_out,
            (
                "    record = await world.store.commit(record, intent)\n",
                "    record = __import__('dataclasses').replace(record, payment=intent.payment)\n",
            ),
        ),
        ("two cancels, two keys",),
    ),
    Mistake(
        "a cancel forgets what had gone back before",
        ("P9",),
        edited(history.apply, ("base=payment.cancelled", "base=0")),
        ("two partial cancels that fit",),
    ),
    Mistake(
        "what may still go back is the whole price",
        ("P9",),
        edited(
            cancellation.terms_of,
            (
                "    remaining = order.price.minor - payment.cancelled\n",
                "    remaining = order.price.minor\n",
            ),
        ),
        ("two cancels, two keys",),
    ),
    Mistake(
        "the remaining amount that a cancel expects is not compared",
        ("P9",),
        edited(
            cancellation.terms_of,
            ("wanted.expected_remaining is not None and wanted.expected_remaining != remaining", "False"),
        ),
        ("two cancels that expect the same",),
    ),
    Mistake(
        "the idempotency key is ignored",
        ("P7", "P9"),
        replaced(cancellation.key_of, _another_key),
        ("two cancels, the same key",),
    ),
    Mistake(
        "a cancel of unknown outcome counts as refused",
        ("P9",),
        edited(
            cancel._carry_out,
            (
                "    except OutcomeUnknown:\n        seen = None\n",
                "    except OutcomeUnknown:\n"  # noqa: ISC004 - one piece of source
                "        no = Refused('X', '', http_status=500)\n"
                "        return await _refused(world, record, wanted, cancel_id, no, deadline)\n",
            ),
        ),
        ("two partial cancels that fit",),
    ),
    Mistake(
        "a cancel made in the console is overlooked",
        ("P9",),
        edited(cancelling.compare_paid, ("if total > payment.cancelled:", "if False:")),
        ("cancel, console cancels a part",),
    ),
    Mistake(
        "an order expires without a look",
        ("P7",),
        edited(
            check_order._other_receipts,
            ("await world.gateway.look_up_order(record.order.id, deadline.left_s)", "()"),
        ),
        ("late money, hold",),
    ),
    Mistake(
        "a person's word on one receipt closes every question",
        ("P6",),
        edited(attention._decided, ("if question.receipt_id != about:", "if False:")),
        ("two held receipts and two people",),
    ),
    Mistake(
        "a later question takes an earlier one's place",
        ("P10",),
        edited(
            history.apply,
            ("questions=tuple(dict.fromkeys((*payment.questions, question)))", "questions=(question,)"),
        ),
    ),
    Mistake(
        "money is accepted beside money that pays",
        ("P2", "P10"),
        edited(attention._why_not_accepted, ("if was_paid(payment):", "if False:")),
        ("a second payment accepted, reconcile",),
    ),
    Mistake(
        "money that a person returns is not put to the outbox",
        ("P3",),
        edited(attention.resolve_attention, ("        draft.owe_back(other.receipt_id, other.reason)\n", "")),
    ),
    Mistake(
        "an account whose late deposit is held still counts as awaited",
        ("P6",),
        replaced(observation._no_longer_awaited, lambda *_: None),
        ("a late deposit is dismissed, reconcile",),
    ),
    Mistake(
        "the refund account is written down",
        ("P11",),
        edited(
            cancelling.intend_cancel,
            (
                "        reason=wanted.reason,\n",
                "        reason=f'{wanted.reason} {wanted.refund_account}',\n",
            ),
        ),
        ("two cancels, two keys",),
    ),
    Mistake(
        "an order that nobody is at work on is never due",
        ("P6",),
        replaced(schedule.next_check, _never_due),
        ("a buyer who vanished",),
    ),
    Mistake(
        "whoever's claim is over settles all the same",
        ("P7",),
        method(MemoryBackend, "settle_delivery", (" or there.attempts != delivery.attempts", "")),
        ("money back by two workers",),
    ),
    Mistake(
        "orders that are due are not claimed",
        ("P7",),
        method(
            MemoryBackend,
            "claim_checks",
            ("self._records[order_id] = replace(self._records[order_id], due_at=until)", "pass"),
        ),
        ("reconcile, reconcile",),
    ),
    Mistake(
        "notices in the inbox are not claimed",
        ("P7",),
        method(
            MemoryBackend,
            "claim_notices",
            (
                "self._inbox[key] = replace(there, due_at=until, attempts=there.attempts + 1)",
                "self._inbox[key] = replace(there, attempts=there.attempts + 1)",
            ),
        ),
    ),
    Mistake(
        "the paying receipt is answered as cancelled when it comes again",
        ("P1",),
        edited(
            observation.recall,
            (
                (
                    "        if payment.state is State.PAID:\n"
                    '            return Accepted(state="paid", receipt_id=receipt_id, replayed=True)\n'
                ),
                "        if payment.state is State.PAID:\n            return Refusal(Reason.ALREADY_CANCELLED)\n",
            ),
        ),
        ("verify, verify",),
    ),
    Mistake(
        "a receipt that pays is turned away when it comes again",
        ("P1",),
        edited(
            observation.recall,
            (
                (
                    "        if payment.state is State.PAID:\n"
                    '            return Accepted(state="paid", receipt_id=receipt_id, replayed=True)\n'
                ),
                "        if payment.state is State.PAID:\n            return Refusal(Reason.ORDER_ALREADY_PAID)\n",
            ),
        ),
        ("verify, verify",),
    ),
    Mistake(
        "a buyer waits for a lease for as long as it lasts",
        ("P7",),
        edited(
            verify.verify,
            (
                (
                    "            if deadline.left_s <= _WAIT_STEP_S:\n"
                    "                return Verification(record, Pending())\n"
                ),
                "",
            ),
        ),
        ("approval, verify",),
    ),
    Mistake(
        "a webhook waits for a lease for as long as it lasts",
        ("P8",),
        edited(receive_webhook._settled_down, (" or deadline.left_s <= _WAIT_STEP_S", "")),
        ("approval, webhook of another receipt",),
    ),
    Mistake(
        "a look-up may take longer than its caller waits",
        ("P7",),
        edited(
            verify.verify,
            ("world.gateway.look_up(asked, deadline.left_s)", "world.gateway.look_up(asked, 60.0)"),
        ),
        ("verify, verify",),
    ),
    Mistake(
        "an approval may take longer than its lease",
        ("P7",),
        edited(
            verify._approve,
            ("min(deadline.left_s, world.rules.lease_s) - _LOOK_AGAIN_RESERVE_S", "deadline.left_s + 3600.0"),
        ),
        ("approval, verify",),
    ),
    Mistake(
        "a cancel may take longer than its lease",
        ("P7",),
        edited(
            cancel._carry_out,
            ("min(deadline.left_s, world.rules.lease_s) - _LOOK_AGAIN_RESERVE_S", "deadline.left_s + 3600.0"),
        ),
        ("cancel, reconcile",),
    ),
    Mistake(
        "sending money back may take longer than the claim on it",
        ("P7",),
        edited(deliver_owed._cancel_rest, ("min(_HAND_OVER_WITHIN_S, claimed_for_s)", "3600.0")),
        ("money back by two workers",),
    ),
    Mistake(
        "handing a notice over may take longer than the claim on it",
        ("P7",),
        edited(
            deliver_owed._attempt,
            ("hand_over(delivery, _HAND_OVER_WITHIN_S)", "hand_over(delivery, 200.0)"),
        ),
        ("deliver, deliver",),
    ),
    Mistake(
        "the shop's no is not heard",
        ("P5",),
        edited(verify._approve, ("if isinstance(word, Declined):", "if False:")),
        ("approval, verify",),
    ),
    Mistake(
        "the shop is not asked",
        ("P5",),
        edited(verify._approve, ("if world.approval is not None and", "if False and")),
        ("approval, verify",),
    ),
    Mistake(
        "the shop is not told of cancels",
        ("P3",),
        edited(cancelling._cancelled, ("    draft.tell(kind, origin=origin)\n", "")),
        ("cancel, console cancels a part",),
    ),
    Mistake(
        "the shop is not told that an order ran out",
        ("P3",),
        edited(expiry.expire, ('    draft.tell("order.expired")\n', "")),
        ("an order runs out, paid at last",),
    ),
    Mistake(
        "the shop is not told of money that went back",
        ("P3",),
        replaced(surplus._tell_returned, lambda *_: None),
        ("money back by two workers",),
    ),
    Mistake(
        "the shop is not told of an account",
        ("P3",),
        edited(deposit.account_issued, ('    draft.tell("order.awaiting_deposit")\n', "")),
        ("account and card",),
    ),
    Mistake(
        "the shop is not told of a call for a person",
        ("P3",),
        method(decision.Draft, "attention", ('self.tell("order.attention", reason=reason)', "pass")),
        ("late money, hold",),
    ),
    Mistake(
        "notices say that nothing went back",
        ("P4",),
        method(
            decision.Draft,
            "tell",
            ('"cancelled": major_units(self.payment.cancelled, price.currency),', '"cancelled": 0,'),
        ),
        ("cancel, console cancels a part",),
    ),
    Mistake(
        "notices say how the order was before",
        ("P4",),
        method(
            decision.Draft,
            "tell",
            ("shown_state(self.order, self.payment)", "shown_state(self.order, self.record.payment)"),
        ),
        ("verify, verify",),
    ),
    Mistake(
        "notices tell smallest units",
        ("P4",),
        method(decision.Draft, "tell", ('"price": price.major,', '"price": price.minor,')),
    ),
    Mistake(
        "what a person accepts is not compared with Bootpay's answer",
        ("P1",),
        replaced(attention._still_holds, lambda *_: True),
        ("late money accepted, console cancels all",),
    ),
    Mistake(
        "another request under a used key gets the first one's answer",
        ("P9",),
        edited(cancel._recall, ("    if request.fingerprint != wanted.fingerprint:", "    if False:")),
        ("two cancels, one key, other amounts",),
    ),
    Mistake(
        "a delivery is given up at its first failure",
        ("P4",),
        replaced(deliver_owed.due_again, lambda *_: None),
        ("deliver, deliver",),
    ),
    Mistake(
        "money back is given up at its first failure",
        ("P6",),
        edited(
            deliver_owed._attempt,
            ("None if result.gone else", "None if result.gone or delivery.lane is Lane.MONEY_BACK else"),
        ),
        ("money back by two workers",),
    ),
    Mistake(
        "a delivery that fails is tried again at once, for ever",
        ("P7",),
        replaced(deliver_owed.due_again, lambda attempts, now, *_: now),
    ),
    Mistake(
        "money that must not be kept is noted with another amount",
        ("P6",),
        edited(surplus.surplus_found, ("        price=receipt.price,\n", "        price=1,\n")),
        ("a second payment told and verified",),
    ),
    Mistake(
        "money that must not be kept is not claimed",
        ("P2",),
        edited(surplus.surplus_found, ("    draft.claim(receipt.id)\n", "")),
        ("a second payment told and verified",),
    ),
    Mistake(
        "a receipt that is being approved is not claimed",
        ("P2",),
        edited(approval.intend_approval, ("    draft.claim(receipt.id)\n", "")),
        ("approval, verify",),
    ),
    Mistake(
        "a receipt that pays is not claimed",
        ("P2",),
        edited(observation._paid, ("    draft.claim(receipt.id)\n", "")),
        ("verify, verify",),
    ),
    Mistake(
        "late money counts though the shop wants it held",
        ("P6",),
        edited(
            observation._late_money,
            (
                "            surplus_found(draft, receipt, Reason.ORDER_EXPIRED, OnMismatch.HOLD)\n",
                "            return _paid(draft, receipt)\n",
            ),
        ),
        ("late money, hold",),
    ),
    Mistake(
        "late money is held though the shop wants it sent back",
        ("P6",),
        edited(
            observation._late_money,
            ("Reason.ORDER_EXPIRED, OnMismatch.CANCEL", "Reason.ORDER_EXPIRED, OnMismatch.HOLD"),
        ),
        ("late money, cancel",),
    ),
    Mistake(
        "late money is turned away though the shop accepts it",
        ("P6",),
        edited(
            observation._late_money,
            (
                "        case LatePayment.ACCEPT:\n            return _paid(draft, receipt)\n",
                (
                    "        case LatePayment.ACCEPT:\n"
                    "            surplus_found(draft, receipt, Reason.ORDER_EXPIRED, OnMismatch.CANCEL)\n"
                ),
            ),
        ),
        ("late money, accept",),
    ),
    Mistake(
        "money is sent back though the shop wants it held",
        ("P6",),
        edited(surplus.surplus_found, ("policy is OnMismatch.HOLD or ", "")),
        ("two held receipts and two people",),
    ),
    Mistake(
        "a deposit too many is sent back, though there is no card to send it to",
        ("P6",),
        edited(surplus.surplus_found, (' or receipt.method == "vbank"', "")),
        ("account and card",),
    ),
    Mistake(
        "a cancel counts as not carried out as soon as its lease is over",
        ("P7",),
        edited(
            check_order._time_passed,
            ("untouched and waited > timedelta(seconds=world.rules.approve_again_s)", "untouched"),
        ),
        ("cancel, reconcile",),
    ),
    Mistake(
        "an approval counts as not carried out as soon as its lease is over",
        ("P7",),
        edited(
            check_order._settle,
            ("if now - payment.intended_at < timedelta(seconds=world.rules.approve_again_s):", "if False:"),
        ),
        ("approval, reconcile",),
    ),
    Mistake(
        "every step is written down as the machine's own",
        ("P10",),
        method(decision.Draft, "step", ("who=self.who", 'who="dojang"')),
        ("verify, verify",),
    ),
    Mistake(
        "a deposit that the bank took back is overlooked",
        ("P1",),
        edited(
            cancelling.compare_paid,
            ("    draft.attention(REVERTED, receipt_id=str(receipt.id), status=receipt.number)\n", ""),
        ),
        ("a deposit taken back, reconcile",),
    ),
    Mistake(
        "an order with a receipt that cannot be read runs out",
        ("P7",),
        edited(
            check_order._time_passed,
            ("if _ran_out(record, now) and not missed:", "if _ran_out(record, now):"),
        ),
        ("an order runs out without lists",),
    ),
    Mistake(
        "an order runs out while the payment gateway is at work",
        ("P7",),
        edited(check_order._time_passed, ("any(receipt.at_work for receipt in receipts)", "False")),
        ("an order runs out, the gateway at work",),
    ),
    Mistake(
        "an order that the payment gateway stays at work on never runs out",
        ("P7",),
        edited(
            check_order._time_passed,
            ("if not at_work or _ran_out(record, now - _AT_WORK_AT_MOST):", "if not at_work:"),
        ),
        ("an order runs out, the gateway at work for ever",),
    ),
    Mistake(
        "held money that the payment gateway is at work on counts as gone",
        ("P7",),
        edited(surplus.is_gone, ("not receipt.at_work and ", "")),
        ("held money at work, reconcile",),
    ),
    Mistake(
        "a payment that the payment gateway is at work on counts as taken back",
        ("P7",),
        edited(cancelling.compare_paid, ("    if receipt.at_work:\n        return draft.done(replay)\n", "")),
        ("a payment at work, cancel, reconcile",),
    ),
    Mistake(
        "a webhook counts as settled while the payment gateway is at work",
        ("P8",),
        edited(receive_webhook._decide, ("if receipt.status in _AT_WORK:", "if False:")),
        ("told while the gateway is at work",),
    ),
    Mistake(
        "a receipt that shows nothing yet counts as failed",
        ("P7",),
        edited(
            verification.judge,
            (
                "ReceiptStatus.UNKNOWN:\n            return NotYet(receipt)",
                "ReceiptStatus.UNKNOWN:\n            return Rejected(receipt, Reason.PAYMENT_FAILED)",
            ),
        ),
        ("told while the gateway is at work",),
    ),
    Mistake(
        "a webhook about a receipt at work is put aside while a person decides",
        ("P8",),
        edited(
            receive_webhook._decide,
            (
                "if receipt.status in _AT_WORK:",
                "if receipt.status in _AT_WORK and record.payment.state is not State.ATTENTION:",
            ),
        ),
        ("told while the gateway is at work and a person decides",),
    ),
    Mistake(
        "the late effect of a cancel that was written off is nobody's",
        ("P9",),
        replaced(cancelling._late_effect, lambda *_: None),
        ("a cancel taken up again, reconcile",),
    ),
    Mistake(
        "the late effect of a cancel that was written off is told as a console's",
        ("P9",),
        edited(cancelling._cancelled, ('origin = "shop" if late else origin', "pass")),
        ("a cancel taken up again, reconcile",),
    ),
    Mistake(
        "what a whole cancel takes so late that a console has had its part is told as a console's",
        ("P9",),
        edited(
            cancelling._late_effect,
            (
                "    return next((request for request in late if",
                "    return next((request for request in () if",
            ),
        ),
        ("a whole cancel taken up again, console cancels a part",),
    ),
    Mistake(
        "the rest that a console takes is told as a whole cancel of the shop's, whatever became of that",
        ("P9",),
        edited(
            cancelling._late_effect,
            ("for request in late if _whole", "for request in payment.requests if _whole"),
        ),
        ("a whole cancel refused, console cancels the rest",),
    ),
    Mistake(
        "a cancel that Bootpay refused counts as done where a console took as much",
        ("P9",),
        edited(
            cancelling.end_refused_cancel,
            ("if total == wanted and (intent.left_before or total == receipt.price):", "if total == wanted:"),
        ),
        ("cancel, console cancels as much",),
    ),
    Mistake(
        "a cancel made in a console is told as the shop's",
        ("P9",),
        edited(cancelling.compare_paid, ('origin="outside"', 'origin="shop"')),
        ("cancel, console cancels a part",),
    ),
    Mistake(
        "nobody is asked whose a cancel is that no sum can tell",
        ("P7",),
        edited(
            cancelling._cancelled_by_somebody,
            ("        draft.attention(AMBIGUOUS, receipt_id=str(receipt.id))\n", "        pass\n"),
        ),
        ("cancel, console cancels a part",),
    ),
    Mistake(
        "a cancel that was written off leaves again without a look",
        ("P7",),
        edited(
            cancel.cancel,
            ("given_up is not None and given_up.left and looked_at != record.version", "False"),
        ),
        ("a cancel taken up again, reconcile",),
    ),
    Mistake(
        "an approval that was written off is not kept in mind",
        ("P6", "P10"),
        edited(approval.approval_refused, ("        set_aside=True,\n", "")),
        ("an approval written off without lists",),
    ),
    Mistake(
        "an approval in doubt that a person lets be is forgotten",
        ("P10",),
        edited(history._resolved, ("if payment.other(doubted) is None:", "if False:")),
        ("an approval in doubt let be without lists",),
    ),
    Mistake(
        "what was set aside is not looked at again",
        ("P6",),
        edited(check_order._other_receipts, ("in (Fate.SET_ASIDE, Fate.HELD)", "is Fate.HELD")),
        ("an approval written off without lists",),
    ),
    Mistake(
        "a deposit that the bank takes back a second time calls nobody",
        ("P1",),
        edited(
            cancelling.compare_paid,
            (
                "            draft.step(What.STANDS_AGAIN, receipt_id=str(receipt.id), reasons=ended)\n",
                "            pass\n",
            ),
        ),
        ("a deposit taken back again, reconcile",),
    ),
    Mistake(
        "a look from before a notice was claimed counts all the same",
        ("P7",),
        method(
            MemoryBackend,
            "settle_notice",
            (
                "(there.times, there.attempts) != (stored.times, stored.attempts)",
                "there.times != stored.times",
            ),
        ),
        ("webhook, reconcile",),
    ),
    Mistake(
        "money is sent back up to the last second of the claim on it",
        ("P7",),
        edited(deliver_owed._cancel_rest, (".total_seconds() - _CLAIM_RESERVE_S", ".total_seconds()")),
        ("money back by two workers",),
    ),
    Mistake(
        "an account that was replaced is not kept in mind",
        ("P6",),
        edited(deposit.set_account_aside, ("set_aside=True", "set_aside=False")),
        ("account and card without lists",),
    ),
)
