"""One small world on a stage: a store, Bootpay, a shop and a clock, all pretended, in which use cases run stepped.

Everything that an invariant will ask for is noted here as it happens: what Bootpay was asked and what it did, what the
shop received, which notifications were acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ParamSpec, TypeVar

import msgspec

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore, Backend
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.emulator.books import Json, Webhook
from dojang.emulator.books import Receipt as Entry
from dojang.emulator.ledger import Checkout, Ledger
from dojang.errors import BootpayError, NotSent, OutcomeUnknown, Refused, StoreUnavailable
from dojang.ports import Approved, Declined, Gateway, HandedOver, Notice, World
from dojang.testing.ledger_gateway import LedgerGateway, receipt_from_ledger
from dojang.testing.pretend_bootpay import PretendBootpay
from dojang.testing.pretend_first_generation import PretendFirstGeneration
from dojang.testing.simulation.evidence import (
    Answered,
    Asked,
    HandedOut,
    Held,
    HookWord,
    Outside,
    Seen,
    Truth,
    Written,
)
from dojang.testing.simulation.stepped import AFTER, Actor, Mishap, Stop, stop
from dojang.testing.simulation.tracing import Note
from dojang.testing.simulation.wording import comes_of, does

__all__ = ["BUYER", "REFUND_ACCOUNT", "SECRETS", "SimulatedLedger", "Stage", "notice_of", "truth_of"]

P = ParamSpec("P")
T = TypeVar("T")

_START = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
_EPOCH_S = _START.timestamp()
_LOOK_RESERVE_S = 1.5
_REFUSALS = {
    "look_up": "RC_SERVER_ERROR",
    "look_up_order": "RC_SERVER_ERROR",
    "confirm": "RC_CONFIRM_FAILED",
    "cancel": "RC_CANCEL_SERVER_ERROR",
}
# Who does what is done without a use case of somebody.
_ALONE = {"store.register": "shop", "store.retry_delivery": "person"}
_READS = frozenset({"load", "history", "orders", "deliveries", "notices"})
_AT_WORK = {4: ReceiptStatus.APPROVING, 99: ReceiptStatus.UNKNOWN}

BUYER: Json = {
    "username": "PLANTED-buyer-name",
    "phone": "01099998888",
    "email": "planted-buyer@example.com",
    "area": "PLANTED-area",
}
"""What the buyer types into the payment window."""
REFUND_ACCOUNT = {
    "bank_code": "003",
    "bank_account": "99887766554433",
    "bank_username": "PLANTED-refund-name",
}
"""Where the shop lets the money of a virtual account go back to; stored nowhere."""
SECRETS = ("PLANTED-", "01099998888", "planted-buyer@", "99887766554433")
"""Planted with the buyer and the refund; none of it may be found in what we store or tell."""


class SimulatedLedger(Ledger):
    """The ledger with notifications of the few words that we read, made in a tenth of the time."""

    def _v2_body(self, receipt: Entry, type_: str, more: Json) -> Json:  # noqa: ARG002 - the ledger's
        return {
            "receipt_id": receipt.receipt_id,
            "order_id": receipt.order_id,
            "status": receipt.status,
            "cancelled_price": receipt.cancelled_price,
            "webhook_type": type_,
        }

    def _v1_body(self, receipt: Entry) -> Json:
        return {"receipt_id": receipt.receipt_id, "order_id": receipt.order_id, "status": receipt.status}


class Stage:
    """The world, and who is on it.

    Attributes:
        world: The ports that the use cases get.
        ledger: Bootpay's books.
        backend: What is stored.
        time_s: Seconds since the beginning.
        calm: While True nothing stops and nothing goes wrong.
        asked: What Bootpay was asked, in order.
        received: What the shop was handed, in order, as plain values.
        acknowledged: Notifications that were acknowledged: receipt, kind, cancelled amount.
        wanted: Cancels the shop asked for, by who asked: `order_id`, `key`, `amount`, `expected_remaining`.
        answers: What callers were told.
        hook: What the shop said before approvals.
        handed_out: Attempts to hand a delivery to the shop.
        held: What workers claimed and let go of.
        overstayed: Use cases that began to wait although their time was over: kind and actor.
        unwanted: Deliveries of which the shop wants no more (410).
        retried: Deliveries that a person wanted tried again.
        errors: Words of the expected errors that use cases ended in.
        outside: Money that left receipts without us, in Bootpay's units.
        consoles: The same piece by piece.
        sighted: Whether receipts can be found by order id.
        epoch_s: The beginning, in seconds since 1970.
        generation: Which of Bootpay's two is spoken: the first says less in its webhooks.
        hides: Receipts that Bootpay does not find when it is asked for them, each until a moment.
        at_work: Receipts that the payment gateway is at work on, each until a moment: whatever the books have, Bootpay
            shows a number that says so (or one that nobody has documented), and takes no order about them.
        no_lists_until: Until when receipts cannot be found by order id although each can be looked up.
        shop_down_until: Until when the shop takes nothing.
        declines: Receipts that the shop does not want.
        late: What Bootpay will still do although the caller has given up waiting.
        changes: How often something was written.
        written: When each step was written, and by whom, by order and version.
        notes: The trace, where one is kept.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        rules: Rules | None = None,
        asks_shop: bool = False,
        sighted: bool = True,
        over_the_wire: bool = False,
        generation: int = 2,
        webhooks: bool = True,
        spread: Callable[[], float] = lambda: 0.0,
        trace: bool = False,
    ) -> None:
        self.time_s = 0.0
        self.calm = True
        self.running: Actor | None = None
        self.zombies_send = False
        self.asked: list[Asked] = []
        self.received: list[dict[str, object]] = []
        self.acknowledged: list[tuple[str, str, str]] = []
        self.wanted: dict[str, dict[str, object]] = {}
        self.answers: list[Answered] = []
        self.hook: list[HookWord] = []
        self.handed_out: list[HandedOut] = []
        self.held: list[Held] = []
        self.overstayed: list[tuple[str, str]] = []
        self.unwanted: set[str] = set()
        self.retried: set[str] = set()
        self.errors: list[str] = []
        self.outside: dict[str, int | float] = {}
        self.consoles: list[Outside] = []
        self.sighted = sighted
        self.epoch_s = _EPOCH_S
        self.late: list[tuple[float, Callable[[], object]]] = []
        self.changes = 0
        self.written: dict[tuple[str, int], Written] = {}
        self.notes: list[Note] | None = [] if trace else None
        self.generation = generation
        self.declines: set[str] = set()
        self.hides: dict[str, float] = {}
        self.at_work: dict[str, tuple[float, int]] = {}
        self.no_lists_until = self.shop_down_until = -1.0
        self._now: tuple[float, datetime] = (-1.0, _START)
        url = "https://shop.example/webhooks/bootpay" if webhooks else ""
        self.ledger: Ledger
        gateway: Gateway
        if over_the_wire and (sighted or generation == 1):
            bootpay = (PretendBootpay if generation == 2 else PretendFirstGeneration)(self, seed=seed)
            bootpay.ledger.webhook_url = url
            self.ledger, gateway = bootpay.ledger, bootpay
        else:
            self.ledger = SimulatedLedger(seed=seed, clock=lambda: _EPOCH_S + self.time_s, webhook_url=url)
            gateway = LedgerGateway(self.ledger, sighted=sighted)
        self.backend: Backend = MemoryBackend()
        self.world = World(
            store=AwaitedStore(self.backend, self.call),
            gateway=_Wire(self, gateway),
            clock=self,
            fulfilment=_Shop(self),
            approval=_Shop(self) if asks_shop else None,
            rules=rules if rules is not None else Rules(),
            spread=spread,
        )

    # `dojang.ports.Clock`

    def now(self) -> datetime:
        """What the running process's clock shows."""
        at = self.time_s if self.running is None else self.time_s + self.running.skew_s
        if self._now[0] != at:
            self._now = (at, _START + timedelta(seconds=at))
        return self._now[1]

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self.time_s

    async def sleep(self, seconds: float, /) -> None:
        """Let time pass; others go on meanwhile."""
        actor = self.running
        if self.calm or actor is None:
            self.pass_time(seconds)
            return
        if actor.ends_at is not None and self.time_s >= actor.ends_at:
            self.overstayed.append((actor.kind, actor.name))
        actor.wakes_at = wakes_at = self.time_s + seconds
        actor.slept_at = self.changes
        await stop(_SLEEP)
        actor.wakes_at = None
        if self.time_s < wakes_at:
            self.pass_time(wakes_at - self.time_s)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and what comes late arrive."""
        self.time_s += seconds
        if self.late:
            self.arrive()

    def seconds(self, at: datetime) -> float:
        """A moment in seconds since the beginning."""
        return (at - _START).total_seconds()

    def shown(self, result: T, *, unknown: bool = False) -> T:
        """What Bootpay shows of an answer: not what it does not find, and no more of some than that it is at work."""
        if isinstance(result, list | tuple):
            return [self._as_seen(one) for one in result if not unknown and not self._hidden(one)]  # type: ignore[return-value]  # a list as before
        return None if unknown or self._hidden(result) else self._as_seen(result)  # type: ignore[return-value]  # look-ups may give None

    def _hidden(self, receipt: object) -> bool:
        return bool(self.hides) and self.time_s < self.hides.get(str(getattr(receipt, "id", "")), -1.0)

    def is_at_work(self, receipt_id: str) -> bool:
        """Whether the payment gateway is at work on a receipt."""
        return bool(self.at_work) and self.time_s < self.at_work.get(receipt_id, (-1.0, 0))[0]

    def _as_seen(self, receipt: object) -> object:
        if not (isinstance(receipt, Receipt) and self.is_at_work(receipt.id)):
            return receipt
        number = self.at_work[receipt.id][1]
        return replace(receipt, status=_AT_WORK[number], number=number)

    def arrive(self, within_s: float = 0.0) -> None:
        """Let Bootpay do what its callers gave up waiting for, if it would within so many seconds."""
        until = self.time_s + within_s
        due = [do for at, do in self.late if at <= until]
        self.late = [(at, do) for at, do in self.late if at > until]
        for do in due:
            do()

    # `dojang.drive.Caller`

    async def call(self, f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the store, stopping before and after."""
        name = f.__name__
        reads = name in _READS
        if self.calm:
            if not reads:
                self.changes += 1
            result = f(*args, **kwargs)
            self._witness(name, args, result)
            # A worker that finds nothing to do is no part of the story.
            if self.notes is not None and (result or not name.startswith("claim_")):
                self.note(f"store.{name}", *args, answer=result)
            return result
        mishap = await stop(Stop("store", name, writes=not reads, detail=args))
        if mishap is Mishap.STORE_DOWN:
            self.note(f"store.{name}", *args, answer="the store is away; nothing is stored")
            raise StoreUnavailable("the store cannot be reached")
        if not reads:
            self.changes += 1
        try:
            result = f(*args, **kwargs)
        except Exception as error:
            self.note(f"store.{name}", *args, answer=error)
            await stop(AFTER)
            raise
        self._witness(name, args, result)
        if mishap is Mishap.STORE_SILENT:
            self.note(f"store.{name}", *args, answer="done, but the store's answer is lost")
            await stop(AFTER)
            raise StoreUnavailable("the store did not answer")
        if self.notes is not None:
            self.note(f"store.{name}", *args, answer=result)
        await stop(AFTER)
        return result

    def _witness(self, name: str, args: Sequence[Any], result: object) -> None:
        """Note who wrote a step, who claimed what is due and who let go of it."""
        who, kind = self.who, self.kind
        match name:
            case "commit":
                record, decision = args
                order_id = str(record.order.id)
                for event in decision.events:
                    self.written[order_id, event.version] = Written(len(self.asked), who, kind)
                self.held.append(Held(who, "check", order_id, claimed=False))
            case "reschedule":
                self.held.append(Held(who, "check", str(args[0].order.id), claimed=False))
            case "settle_delivery":
                self.held.append(
                    Held(
                        who,
                        "delivery",
                        args[0].id,
                        claimed=False,
                        token=(args[0].attempts,),
                        wrote=bool(result),
                    )
                )
            case "retry_delivery":
                self.retried.add(args[0])
                self.held.append(Held(who, "delivery", args[0], claimed=False))
            case "settle_notice":
                stored: Any = args[0]
                token = (stored.times, stored.attempts)
                self.held.append(
                    Held(who, "notice", stored.notice.key, claimed=False, token=token, wrote=bool(result))
                )
            case "receive":
                stored = result
                token = (stored.times, stored.attempts)
                self.held.append(
                    Held(who, "notice", stored.notice.key, claimed=False, token=token, came=True)
                )
            case "claim_checks" | "claim_deliveries" | "claim_notices":
                now, until = args[0].timestamp(), args[1].timestamp()
                claimed: Sequence[Any] = result  # type: ignore[assignment]  # what each of them gives
                for one in claimed:
                    if name == "claim_checks":
                        held = Held(who, "check", str(one), claimed=True, now=now, until=until)
                    elif name == "claim_notices":
                        token = (one.times, one.attempts)
                        held = Held(who, "notice", one.notice.key, True, now, until, token)
                    else:
                        held = Held(who, "delivery", one.id, True, now, until, (one.attempts,))
                    self.held.append(held)
            case _:
                pass

    @property
    def kind(self) -> str:
        """Which use case it runs, likewise."""
        return self.running.kind if self.running is not None else "calm"

    @property
    def who(self) -> str:
        """Who is at it; `calm` where no actor is."""
        return self.running.name if self.running is not None else "calm"

    # Who is on it

    def actor(
        self,
        name: str,
        kind: str,
        coroutine: Coroutine[Any, Any, T],
        on_answer: Callable[[T], object],
        *,
        may_be_lost: bool = False,
        skew_s: float = 0.0,
        within_s: float | None = None,
    ) -> Actor:
        """A process that begins now and stands before its first call.

        Args:
            name: Who it is in the trace.
            kind: Which use case it runs.
            coroutine: The use case.
            on_answer: What its answer does.
            may_be_lost: Whether it may still die between the end of the use case and its answer.
            skew_s: How wrong its clock is.
            within_s: How long its caller can wait, where somebody waits.
        """
        heard: Coroutine[Any, Any, T] = self._heard(coroutine, on_answer, may_be_lost)
        actor = Actor(name, kind, heard)
        actor.skew_s = skew_s
        actor.ends_at = None if within_s is None else self.time_s + within_s
        self.let_on(actor)
        return actor

    async def _heard(
        self, coroutine: Coroutine[Any, Any, T], on_answer: Callable[[T], object], may_be_lost: bool
    ) -> T:
        answer = await coroutine
        if may_be_lost and not self.calm:
            await stop(_ANSWERS)
        on_answer(answer)
        return answer

    def let_on(self, actor: Actor, mishap: Mishap | None = None) -> None:
        """Let an actor go to its next stop."""
        self.running = actor
        try:
            actor.go(mishap)
        finally:
            self.running = None
        actor.since = self.time_s
        if actor.error is not None:
            self.errors.append(str(actor.error))
        if actor.done:
            self.note("is done", who=actor.name, answer=actor.answer if actor.error is None else actor.error)

    def note(self, what: str, *args: object, answer: object = None, who: str = "") -> None:
        """Write a line of the trace.

        Args:
            what: A call, or in words what is done.
            args: What it is given.
            answer: What comes of it.
            who: Who does it; by default whoever is running.
        """
        if self.notes is not None:
            who = who or (self.running.name if self.running is not None else _ALONE.get(what, "worker"))
            told = [self.seconds(arg) if isinstance(arg, datetime) else arg for arg in args]
            self.notes.append((self.time_s, who, does(what, told), comes_of(answer, what)))

    def note_at_bootpay(self, who: str, what: str, receipt_id: str) -> None:
        """Write a line of the trace about what somebody did at Bootpay, and what its books say of the receipt now."""
        if self.notes is not None:
            self.note(what, who=who, answer=receipt_from_ledger(self.ledger.find(receipt_id)))

    # What others do

    def open(self, order_id: str, price: int | float, **terms: object) -> ReceiptId:
        """A buyer opens a payment window."""
        checkout = msgspec.convert(
            {
                "order_id": str(order_id),
                "price": price,
                "user": BUYER,
                "generation": self.generation,
                **terms,
            },
            Checkout,
        )
        receipt_id = ReceiptId(self.ledger.open_checkout(checkout).receipt_id)
        self.note_at_bootpay("a buyer", f"opens a payment window for {order_id}", receipt_id)
        return receipt_id

    def pay(self, order_id: str, price: int | float, **terms: object) -> ReceiptId:
        """A buyer pays, or agrees to pay where the server must approve."""
        receipt_id = self.open(order_id, price, **terms)
        self.ledger.approve(receipt_id)
        self.note_at_bootpay("a buyer", "agrees to pay", receipt_id)
        return receipt_id

    def issue(self, order_id: str, price: int | float, **terms: object) -> ReceiptId:
        """A buyer takes a virtual account."""
        receipt_id = self.open(order_id, price, **terms)
        self.ledger.issue(receipt_id)
        self.note_at_bootpay("a buyer", "takes a virtual account", receipt_id)
        return receipt_id

    def cancel_outside(self, receipt_id: str, amount: int | float) -> None:
        """Somebody sends money back in Bootpay's own console; nobody is told."""
        self.ledger.outside_cancel(receipt_id, amount)
        self.outside[receipt_id] = self.outside.get(receipt_id, 0) + amount
        self.consoles.append(Outside(receipt_id, amount, len(self.asked)))
        self.note_at_bootpay("a console", "sends money back", receipt_id)

    def take_time(self, receipt_id: ReceiptId, for_s: float | None, end: Callable[[], object]) -> None:
        """The buyer has agreed and the payment gateway is at work on it, for ever where no time is given."""
        self.ledger.tamper(receipt_id, {"status": 4})
        self.note_at_bootpay("a buyer", "agrees to pay; the gateway takes its time", receipt_id)

        def ends() -> None:
            self.ledger.tamper(receipt_id, {"status": 0})
            end()

        if for_s is not None:
            self.late.append((self.time_s + for_s, ends))

    def acknowledge(self, webhook: Webhook) -> Callable[[object], object]:
        """What happens when the answer to a webhook reaches Bootpay."""

        def heard(_: object = None) -> None:
            self.acknowledged.append(_key(webhook))
            if webhook.verdict == "pending":
                answer = b"OK" if webhook.generation == 1 else b'{"success": true}'
                self.ledger.answered(webhook, status=200, answer=answer)

        return heard


_SLEEP = Stop("clock", "sleep", writes=True)
_ANSWERS = Stop("answer", "answers", writes=False)


def notice_of(webhook: Webhook) -> Notice:
    """A webhook as the HTTP door reads it."""
    receipt_id, kind, cancelled = _key(webhook)
    return Notice(
        receipt_id=ReceiptId(receipt_id),
        generation=webhook.generation,
        kind=kind,
        cancelled=cancelled,
        order_id=str(webhook.body.get("order_id") or ""),
    )


def _key(webhook: Webhook) -> tuple[str, str, str]:
    cancelled = webhook.body.get("cancelled_price")
    kind = str(webhook.body.get("webhook_type") or webhook.body.get("status"))
    return webhook.receipt_id, kind, "" if cancelled is None else f"{cancelled:g}"


class _Wire:
    """`dojang.ports.Gateway`, stopping before and after, with mishaps on the way."""

    def __init__(self, stage: Stage, inner: Gateway) -> None:
        self._stage = stage
        self._inner = inner

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        return await self._sent(
            "look_up", receipt_id, within_s, lambda: self._inner.look_up(receipt_id, within_s)
        )

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """See `Gateway.look_up_order`."""
        return await self._sent(
            "look_up_order", order_id, within_s, lambda: self._inner.look_up_order(order_id, within_s)
        )

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        return await self._sent(
            "confirm", receipt_id, within_s, lambda: self._inner.confirm(receipt_id, within_s)
        )

    async def cancel(
        self,
        receipt_id: ReceiptId,
        within_s: float,
        /,
        *,
        cancel_id: str,
        amount: int | None = None,
        tax_free: int = 0,
        currency: str = "KRW",
        reason: str = "",
        refund_account: Mapping[str, str] | None = None,
    ) -> Receipt:
        """See `Gateway.cancel`."""

        def carry_out() -> Coroutine[object, None, Receipt]:
            return self._inner.cancel(
                receipt_id,
                within_s,
                cancel_id=cancel_id,
                amount=amount,
                tax_free=tax_free,
                currency=currency,
                reason=reason,
                refund_account=refund_account,
            )

        return await self._sent("cancel", receipt_id, within_s, carry_out, cancel_id)

    async def _sent(
        self,
        name: str,
        about: str,
        within_s: float,
        carry_out: Callable[[], Coroutine[object, None, T]],
        cancel_id: str = "",
    ) -> T:
        stage = self._stage
        writes = name in ("confirm", "cancel")
        mishap: Mishap | None = None
        overdue = False
        begun = stage.time_s
        if not stage.calm:
            mishap = await stop(Stop("gateway", name, writes=writes, detail=(about, cancel_id)))
            # Whoever was paused before it could send notices that its time is over, or does not.
            overdue = stage.time_s - begun > within_s
            if overdue and not stage.zombies_send:
                mishap = Mishap.NOT_SENT
        if within_s <= 0:
            mishap = Mishap.NOT_SENT
        elif (name == "look_up_order" and stage.time_s < stage.no_lists_until) or (
            writes and mishap is None and stage.is_at_work(about)
        ):
            mishap = Mishap.REFUSED
        noted = partial(self._noted, name, about, cancel_id, overdue, begun, within_s)
        if mishap is Mishap.NOT_SENT:
            noted("not_sent")
            raise NotSent(f"{name} never left")
        note = noted("unknown")
        error: BootpayError | None = None
        match mishap:
            case Mishap.LOST_BEFORE:
                error = OutcomeUnknown(f"{name} got no answer")
            case Mishap.LATE | Mishap.VERY_LATE:
                stage.late.append((stage.time_s + mishap.late_s, lambda: self._arrives(note, carry_out)))
                error = OutcomeUnknown(f"{name} got no answer in time")
            case Mishap.REFUSED:
                error = Refused(_REFUSALS[name], "거절", http_status=400)
            case _:
                try:
                    result = _ran(carry_out())
                    self._did(note, stage.asked[note].truth, note)
                except BootpayError as no:
                    error = no
                else:
                    if mishap is Mishap.LOST_AFTER:
                        error = OutcomeUnknown(f"{name} did it, but the answer was lost")
        if error is None:
            if not writes:
                result = stage.shown(result, unknown=mishap is Mishap.UNKNOWN)
            self._saw(note, result)
        elif isinstance(error, Refused):
            stage.asked[note] = stage.asked[note]._replace(outcome="refused")
        if stage.notes is not None:
            stage.note(name, about, answer=result if error is None else error)
        if not stage.calm:
            await stop(AFTER)
        if error is not None:
            raise error
        return result

    def _arrives(self, note: int, carry_out: Callable[[], Coroutine[object, None, object]]) -> None:
        asked = self._stage.asked[note]
        before = truth_of(self._stage.ledger.state.receipts[asked.receipt_id])
        try:
            _ran(carry_out())
        except BootpayError as error:
            self._stage.note(
                f"refuses what its caller has given up: {asked.what}", who="Bootpay", answer=error
            )
            return
        self._stage.note_at_bootpay(
            "Bootpay", f"carries out what its caller has given up: {asked.what}", asked.receipt_id
        )
        self._did(note, before, len(self._stage.asked))

    def _noted(
        self,
        name: str,
        about: str,
        cancel_id: str,
        overdue: bool,
        begun: float,
        within_s: float,
        outcome: str,
    ) -> int:
        """Note the question with the truth as it stands in the books; its number."""
        stage, actor = self._stage, self._stage.running
        entry = stage.ledger.state.receipts.get(about) if name in ("confirm", "cancel") else None
        if stage.notes is not None and outcome == "not_sent":
            stage.note(name, about, answer="it never left")
        over_s = -1.0
        if actor is not None and actor.ends_at is not None:
            # After doubt one short look is always made, so that the answer can be written down.
            over_s = within_s - max(actor.ends_at - begun, _LOOK_RESERVE_S)
        stage.asked.append(
            Asked(
                at=stage.time_s,
                who=stage.who,
                kind=stage.kind,
                what=name,
                receipt_id=about,
                outcome=outcome,
                cancel_id=cancel_id,
                truth=truth_of(entry) if entry is not None else None,
                overdue=overdue,
                until=stage.epoch_s + begun + within_s,
                over_s=over_s,
            )
        )
        return len(stage.asked) - 1

    def _did(self, note: int, before: Truth | None, moved_after: int) -> None:
        """Note how much money the call moved, in Bootpay's own units."""
        if before is None:
            return
        asked = self._stage.asked[note]
        after = self._stage.ledger.state.receipts[asked.receipt_id]
        effect = after.cancelled_price - before.cancelled_price if asked.what == "cancel" else after.price
        self._stage.asked[note] = asked._replace(effect=effect, moved_after=moved_after)

    def _saw(self, note: int, result: object) -> None:
        """Note what the caller was shown."""
        asked = self._stage.asked
        receipts = result if isinstance(result, list | tuple) else [result]
        shown = [_shown(receipt) for receipt in receipts if isinstance(receipt, Receipt)]
        asked[note] = asked[note]._replace(outcome="answered", seen=shown)


def _ran(coroutine: Coroutine[object, None, T]) -> T:
    """A gateway that never suspends, run to its end."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("the gateway suspended")


def truth_of(entry: Entry) -> Truth:
    """A receipt as the books have it."""
    return Truth(
        order_id=entry.order_id,
        price=entry.price,
        tax_free=entry.tax_free,
        currency=entry.currency,
        sandbox=entry.sandbox,
        status=entry.status,
        cancelled_price=entry.cancelled_price,
        cancelled_tax_free=entry.cancelled_tax_free,
        purchased_at=entry.purchased_at,
        method=entry.method,
    )


def _shown(receipt: Receipt) -> Seen:
    return Seen(str(receipt.id), receipt.number, receipt.price, receipt.cancelled)


class _Shop:
    """`dojang.ports.Fulfilment` and `dojang.ports.Approval`, stopping before and after."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """See `Fulfilment.hand_over`."""
        stage = self._stage
        stage.handed_out.append(HandedOut(stage.who, delivery.id, within_s))
        mishap = None
        if not stage.calm:
            mishap = await stop(Stop("shop", "hand_over", writes=True, detail=(delivery.id,)))
        if mishap is Mishap.SHOP_DOWN or stage.time_s < stage.shop_down_until:
            stage.note("hand_over", delivery, answer="no answer")
            return HandedOver(settled=False, words="no answer")
        if mishap is Mishap.SHOP_GONE:
            stage.unwanted.add(delivery.id)
            stage.note("hand_over", delivery, answer="it wants no more of these")
            return HandedOver(settled=False, gone=True, words="410")
        stage.received.append(
            {"id": delivery.id, "type": delivery.type, "at": stage.time_s, "data": dict(delivery.data)}
        )
        lost = ", but its answer is lost" if mishap is Mishap.SHOP_SILENT else ""
        stage.note("hand_over", delivery, answer=f"taken{lost}")
        if not stage.calm:
            await stop(AFTER)
        if mishap is Mishap.SHOP_SILENT:
            return HandedOver(settled=False, words="no answer")
        return HandedOver(settled=True)

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:  # noqa: ARG002
        """See `Approval.ask`."""
        stage = self._stage
        mishap = None
        if not stage.calm:
            mishap = await stop(Stop("shop", "ask", writes=False, detail=(receipt.id,)))
        declined = mishap is Mishap.DECLINED or receipt.id in stage.declines
        stage.hook.append(HookWord(stage.who, str(receipt.id), not declined, len(stage.asked)))
        stage.note("ask", receipt.id, answer="no" if declined else "yes")
        if not stage.calm:
            await stop(AFTER)
        return Declined("sold out") if declined else Approved()
