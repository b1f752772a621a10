"""Large worlds, one per seed: buyers, shop, workers, webhooks and a console, all at once and in any weather.

Everything is drawn from the seed, so the same seed is the same run, to the last step.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random

from dojang.core.delivery import DeliveryState
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Fate, Record, State
from dojang.core.rules import LatePayment, Mode, OnMismatch, Rules
from dojang.drive import run
from dojang.emulator.books import Webhook
from dojang.emulator.ledger import LedgerRefusal
from dojang.ports import Notice, OrderFilter
from dojang.testing.simulation.cast import (
    canceller,
    deciding_person,
    deliverer,
    forger,
    looking_person,
    messenger,
    reconciler,
    register,
    returning_buyer,
)
from dojang.testing.simulation.collecting import evidence_of
from dojang.testing.simulation.exploring import Failure
from dojang.testing.simulation.invariants import check, check_durable
from dojang.testing.simulation.recovery import A_YEAR_S, recover
from dojang.testing.simulation.stage import Stage
from dojang.testing.simulation.stepped import Actor, Mishap, Stop
from dojang.testing.simulation.tracing import BROKEN, Trace
from dojang.testing.simulation.weather import MOVES_MONEY, Weather
from dojang.testing.simulation.wording import comes_of, moment, priced
from dojang.usecases.resolve import Resolution

__all__ = ["Outcome", "simulate", "trace_of"]

_STEPS_MAX = 1_500
_AT_ONCE = 6
_AT_WORK_S = (40.0, 700.0, 3_600.0, 90_000.0)


@dataclass(slots=True)
class Outcome:
    """What one seed brought, counted.

    Attributes:
        steps: Port calls and other steps made.
        crashes: Actors that died.
        mishaps: Calls that went wrong.
        states: How the orders ended, by state.
    """

    steps: int = 0
    crashes: int = 0
    mishaps: int = 0
    states: Counter[str] = field(default_factory=Counter)


def simulate(seed: int) -> Outcome:
    """Run one seed's world to its end and judge it.

    Raises:
        Failure: With the trace, if a promise breaks or a use case ends in an error that it must not raise.
    """
    world = _World(seed, trace=False)
    try:
        return world.live()
    except Exception as broken:
        raise Failure(f"seed {seed}", broken, trace_of(seed).text) from broken


def trace_of(seed: int) -> Trace:
    """What happens under a seed, line by line."""
    world = _World(seed, trace=True)
    try:
        world.live()
    except Exception as broken:  # noqa: BLE001 - it is what the trace leads up to
        world.stage.note(BROKEN, answer=broken)
    return Trace(
        f"seed {seed}: one world, drawn from this number to the last step",
        world.stage.notes or [],
        world.facts(),
        world.ended(),
    )


class _World:
    """One seed's world while it lives."""

    def __init__(self, seed: int, *, trace: bool) -> None:
        self.rng = rng = Random(seed)  # noqa: S311 - a simulation must repeat itself
        self.weather = Weather.of(rng)
        self.mode = rng.choice((Mode.LIVE, Mode.LIVE, Mode.LIVE, Mode.EMULATOR, Mode.SANDBOX))
        sighted = rng.random() < 0.8
        # The first generation has no lists, and does not say what is a test; old notifications come without lists too.
        generation = 1 if not sighted and rng.random() < 0.5 else 2
        # The real reading of JSON takes its time; a run in sixteen goes through it.
        over_the_wire = seed % 16 == 0
        self.tells_tests_apart = not (over_the_wire and generation == 1)
        self.stage = Stage(
            seed=seed,
            rules=Rules(
                mode=self.mode,
                on_mismatch=rng.choice((OnMismatch.CANCEL, OnMismatch.CANCEL, OnMismatch.HOLD)),
                late_payment=rng.choice(tuple(LatePayment)),
            ),
            asks_shop=rng.random() < 0.3,
            sighted=sighted,
            over_the_wire=over_the_wire,
            generation=generation,
            spread=rng.random,
            trace=trace,
        )
        self.watch_s = A_YEAR_S if rng.random() < 0.5 else None
        self.stage.zombies_send = self.weather.zombies_send
        self.stage.no_lists_until = self.weather.no_lists_s
        self.stage.shop_down_until = self.weather.shop_down_s
        self.outcome = Outcome()
        self.actors: list[Actor] = []
        self.born: Counter[str] = Counter()
        self.carried: list[tuple[Webhook, Actor]] = []
        self.parties: list[deque[Callable[[], object]]] = []
        for number in range(rng.choice((1, 1, 2, 2, 3))):
            self._order(OrderId(f"o{number + 1}"))
        workers = [
            self._worker(rng.choice((deliverer, deliverer, reconciler))) for _ in range(rng.randint(1, 4))
        ]
        self.parties.append(deque(workers))

    def live(self) -> Outcome:
        """Let everything happen, then calm down, then let people decide what was left to them."""
        stage = self.stage
        stage.calm = False
        self._storm()
        stage.calm = True
        stage.note("the storm is over", who="-", answer="nothing goes wrong now; what is left is finished")
        if self.rng.random() < 0.3:
            # Sold out meanwhile: whatever the shop is asked about from now on, it does not want.
            stage.declines.update(stage.ledger.state.receipts)
        untold = self._untold()
        check_durable(evidence_of(stage))
        recover(stage, watch_s=self.watch_s)
        untold |= self._untold()
        check(evidence_of(stage, untold=untold))
        decided = self._people_decide()
        if self._people_try_again() or decided:
            recover(stage)
            check(evidence_of(stage, untold=untold | self._untold()))
        for record in stage.backend.orders(OrderFilter(limit=200)).records:
            self.outcome.states[record.payment.state.value] += 1
        return self.outcome

    def facts(self) -> dict[str, str]:
        """What this world is, in words."""
        stage, rules = self.stage, self.stage.world.rules
        return {
            "orders": "; ".join(map(_terms, self._records())),
            "actors": ", ".join(f"{number} × {kind}" for kind, number in sorted(self.born.items())),
            "rules": f"mode {rules.mode}, on_mismatch {rules.on_mismatch}, late_payment {rules.late_payment}"
            + ("" if stage.world.approval is None else ", the shop is asked before money moves"),
            "Bootpay": f"generation {stage.generation} of its API"
            + ("" if stage.sighted else ", which does not find receipts by their order"),
            "faults": "; ".join(self.weather.faults()) or "none",
        }

    def ended(self) -> dict[str, str]:
        """How each order ended."""
        return {
            record.order.id: comes_of(record).removeprefix(f"{record.order.id} ")
            for record in self._records()
        }

    def _records(self) -> Sequence[Record]:
        return self.stage.backend.orders(OrderFilter(limit=200)).records[::-1]

    # The storm

    def _storm(self) -> None:
        rng, stage, weather, outcome = self.rng, self.stage, self.weather, self.outcome
        while outcome.steps < _STEPS_MAX:
            outcome.steps += 1
            awake = [actor for actor in self.actors if _can_go(stage, actor)]
            owed = stage.ledger.state.owed
            if not (self.parties or self.actors):
                break
            chance = rng.random()
            if awake and chance < 0.75:
                self._one_goes(rng.choice(awake))
            elif chance < 0.9 and self.parties and len(self.actors) < _AT_ONCE:
                self._next(rng.choice(self.parties))
            elif owed and chance < 0.95:
                self._courier()
            else:
                stage.pass_time(weather.passing_s(rng))
            if weather.blackout and rng.random() < weather.blackout:
                for actor in self.actors:
                    self._dies(actor)
                self._bury()
        mercy = rng.random() < 0.5
        for actor in self.actors:
            while mercy and actor.alive:
                stage.let_on(actor)
            self._dies(actor)
        self._bury()

    def _one_goes(self, actor: Actor) -> None:
        if self.weather.crash and self.rng.random() < self.weather.crash:
            self._dies(actor)
        else:
            if self.weather.steps(self.rng):
                actor.skew_s = self._skew()
            mishap = None if actor.at is None else self._mishap(actor.at)
            self.outcome.mishaps += mishap is not None
            self.stage.let_on(actor, mishap)
        if not actor.alive:
            self._bury()

    def _mishap(self, at: Stop) -> Mishap | None:
        mishap = self.weather.strikes(self.rng, at, sighted=self.stage.sighted)
        if mishap is not None and at.name in MOVES_MONEY:
            about, chance = str(at.detail[0]), self.rng.random()
            if chance < 0.2:
                # Not even a look tells for an hour what has become of it; that the history names it is enough.
                self.stage.hides[about] = self.stage.time_s + 3_600.0
            elif chance > 0.8:
                self._gateway_at_work(about, _AT_WORK_S)
        return mishap

    def _gateway_at_work(self, receipt_id: str, for_s: tuple[float, ...]) -> None:
        """Bootpay shows for a while nothing but that the payment gateway is at work on a receipt."""
        until = self.stage.time_s + self.rng.choice(for_s)
        self.stage.at_work[receipt_id] = until, self.rng.choice((4, 99))
        words = f"shows until {moment(until)} only that receipt …{receipt_id[-6:]} is being worked at"
        self.stage.note(words, who="Bootpay")

    def _next(self, party: deque[Callable[[], object]]) -> None:
        """Somebody does the next thing on their list."""
        party.popleft()()
        if not party:
            self.parties.remove(party)

    def _dies(self, actor: Actor) -> None:
        if actor.alive:
            actor.die()
            self.outcome.crashes += 1
            self.stage.note("dies", who=actor.name)

    def _bury(self) -> None:
        """Forget who has ended; a webhook that was not answered is sent again."""
        for webhook, actor in self.carried:
            if not actor.alive:
                webhook.in_flight = False
                if webhook.verdict == "pending" and (actor.dead or actor.error is not None):
                    self.stage.ledger.answered(webhook, status=None if actor.dead else 503)
        self.carried = [(webhook, actor) for webhook, actor in self.carried if actor.alive]
        self.actors = [actor for actor in self.actors if actor.alive]

    def _name(self, kind: str) -> str:
        self.born[kind] += 1
        return f"{kind} {self.born[kind]}"

    def _skew(self) -> float:
        return self.weather.skew_s(self.rng)

    # Bootpay's messengers

    def _courier(self) -> None:
        due = self.stage.ledger.due_webhooks()
        if not due:
            return
        # Any of them: webhooks overtake each other.
        webhook = self.rng.choice(due)
        if self.rng.random() < self.weather.lost_webhook:
            self.stage.ledger.drop(webhook)
            self.stage.note(
                f"loses webhook {webhook.type} of …{webhook.receipt_id[-6:]} for good", who="Bootpay"
            )
            return
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            actor = messenger(self.stage, self._name("bootpay"), webhook, skew_s=self._skew())
            webhook.in_flight = True
            self.actors.append(actor)
            self.carried.append((webhook, actor))

    def _untold(self) -> frozenset[str]:
        """Receipts whose webhooks were lost for good or never sent."""
        state = self.stage.ledger.state
        lost = {hook.receipt_id for hook in state.webhooks.values() if hook.verdict in ("dropped", "failed")}
        return frozenset(lost | {id_ for id_, entry in state.receipts.items() if entry.webhook_url == ""})

    # An order and the people around it

    def _order(self, order_id: OrderId) -> None:
        rng, stage = self.rng, self.stage
        currency = "USD" if rng.random() < 0.1 else "KRW"
        price = rng.choice((1000, 15000, 330))
        tax_free = rng.choice((0, 0, 0, price // 10, price))
        expires_at = (
            stage.now() + timedelta(seconds=rng.choice((20, 60, 400))) if rng.random() < 0.3 else None
        )
        register(stage, order_id, price, currency=currency, tax_free=tax_free, expires_at=expires_at)
        terms: dict[str, object] = {"currency": currency, "tax_free": _major(tax_free, currency)}
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            self.parties.append(self._buyer(order_id, price, terms))
        if rng.random() < 0.5:
            self.parties.append(self._shop(order_id, price, tax_free))
        if rng.random() < 0.15:
            self.parties.append(deque([lambda: self._console(order_id)]))
        if rng.random() < 0.1:
            self.parties.append(deque([lambda: self._forger(order_id)]))
        if rng.random() < 0.2:
            decides = partial(self._a_person_decides, order_id)
            self.parties.append(deque([decides] * rng.randint(1, 4)))
        if rng.random() < 0.1:
            looks = partial(self._a_person_looks, order_id)
            self.parties.append(deque([looks] * rng.randint(1, 2)))
        if rng.random() < 0.05:
            self.parties.append(deque([partial(self._bootpay_forgets, order_id)]))
        if rng.random() < 0.05:
            self.parties.append(deque([partial(self._bootpay_is_at_work, order_id)]))

    def _buyer(self, order_id: OrderId, price: int, terms: dict[str, object]) -> deque[Callable[[], object]]:
        rng, stage = self.rng, self.stage
        asked: dict[str, object] = {"price": _major(price, str(terms["currency"])), **terms}
        asked["sandbox"] = self.mode is Mode.SANDBOX
        wrong = rng.random()
        if wrong < 0.06:
            asked |= {"price": asked["price"] * 2 if rng.random() < 0.5 else 100, "tax_free": 0}  # type: ignore[operator]  # a price is a number
        elif wrong < 0.09:
            asked["sandbox"] = asked["sandbox"] != self.tells_tests_apart
        elif wrong < 0.12:
            asked["tax_free"] = 0
        elif wrong < 0.14:
            asked["currency"] = "EUR"
        if rng.random() < 0.05:
            asked["webhook_url"] = ""
        asked["separately_confirmed"] = rng.random() < 0.45
        vbank = rng.random() < 0.2
        receipt: list[ReceiptId] = []

        def opens() -> None:
            terms_now = dict(asked)
            amount = terms_now.pop("price")
            receipt.append(stage.open(order_id, amount, **terms_now))  # type: ignore[arg-type]  # as above

        def goes_through() -> None:
            does, step = (
                ("takes a virtual account", stage.ledger.issue)
                if vbank
                else ("agrees to pay", stage.ledger.approve)
            )
            self._at_bootpay("a buyer", does, receipt[0], step)

        def fails() -> None:
            self._at_bootpay("a buyer", "cannot pay", receipt[0], stage.ledger.decline)

        def agrees() -> None:
            if rng.random() < 0.95:
                goes_through()
            elif stage.ledger.find(receipt[0]).status == 0:
                for_s = rng.choice((40.0, 3_600.0, 100_000.0, None))
                stage.take_time(receipt[0], for_s, rng.choice((goes_through, goes_through, fails)))

        def deposits() -> None:
            self._at_bootpay("a buyer", "pays into the account", receipt[0], stage.ledger.deposit)

        def reverts() -> None:
            def undo(receipt_id: ReceiptId) -> None:
                stage.ledger.revert(receipt_id)
                stage.outside[receipt_id] = stage.outside.get(receipt_id, 0)

            self._at_bootpay("Bootpay", "takes the deposit back", receipt[0], undo)

        def returns() -> None:
            orders = [str(record.order.id) for record in stage.backend.orders(OrderFilter(limit=200)).records]
            # Now and then somebody tries a receipt on another order.
            about = OrderId(rng.choice(orders)) if rng.random() < 0.05 else order_id
            self.actors.append(
                returning_buyer(stage, self._name("buyer"), about, receipt[0], skew_s=self._skew())
            )

        steps: list[Callable[[], object]] = [opens]
        if rng.random() < 0.1:
            steps.append(returns)
        steps.append(fails if rng.random() < 0.08 else agrees)
        steps += [returns] * rng.choice((0, 1, 1, 1, 2))
        if vbank:
            steps.append(deposits)
            if rng.random() < 0.1:
                steps.append(reverts)
            steps += [returns] * rng.choice((0, 0, 1))
        if rng.random() < 0.1:
            steps.append(returns)
        return deque(steps)

    def _shop(self, order_id: OrderId, price: int, tax_free: int) -> deque[Callable[[], object]]:
        rng = self.rng

        def cancels(
            key: str, amount: int | None, expected: int | None, free: int | None
        ) -> Callable[[], object]:
            def begin() -> None:
                self.actors.append(
                    canceller(
                        self.stage,
                        self._name("shop"),
                        order_id,
                        key,
                        amount,
                        expected_remaining=expected,
                        tax_free=free,
                        skew_s=self._skew(),
                    )
                )

            return begin

        def insists(begin: Callable[[], object]) -> Sequence[Callable[[], object]]:
            """Once more when the first attempt has been written off, about when it may yet have its effect."""
            wait = partial(self.stage.pass_time, rng.choice((620.0, 660.0, 695.0)))
            return wait, self._worker(reconciler), begin

        steps: list[Callable[[], object]] = []
        for number in range(rng.randint(1, 3)):
            amount = rng.choice((None, price, price // 2, price // 3))
            expected = price if rng.random() < 0.2 else None
            free = 0 if tax_free and amount is not None and amount != price else None
            begin = cancels(f"k{number}", amount, expected, free)
            steps += [begin] * rng.choice((1, 1, 2))
            if rng.random() < 0.1:
                steps += insists(begin)
        return deque(steps)

    def _worker(self, work: Callable[..., Actor]) -> Callable[[], object]:
        def begin() -> None:
            name = self._name("deliverer" if work is deliverer else "reconciler")
            more = {"everything": True} if work is reconciler and self.rng.random() < 0.3 else {}
            self.actors.append(work(self.stage, name, skew_s=self._skew(), **more))

        return begin

    def _console(self, order_id: OrderId) -> None:
        ledger = self.stage.ledger
        for id_ in ledger.state.by_order.get(order_id, ()):
            entry = ledger.find(id_)
            if entry.status != 1 or entry.method == "vbank":
                continue
            left = entry.price - entry.cancelled_price
            amount = left if self.rng.random() < 0.5 else max(1, int(left) // 4)
            with suppress(LedgerRefusal):
                self.stage.cancel_outside(id_, amount)
            return

    def _forger(self, order_id: OrderId) -> None:
        ids = self.stage.ledger.state.by_order.get(order_id, ())
        if ids:
            kind = self.rng.choice(("PAYMENT_COMPLETED", "PAYMENT_CANCELLED", "PAYMENT_PARTIAL_CANCELLED"))
            notice = Notice(
                receipt_id=ReceiptId(self.rng.choice(ids)),
                kind=kind,
                cancelled=self.rng.choice(("", "0", "1000")),
                order_id=self.rng.choice((order_id, "", "o-unknown")),
            )
            self.actors.append(forger(self.stage, self._name("forger"), notice))

    def _bootpay_forgets(self, order_id: OrderId) -> None:
        """One of the order's receipts cannot be found for an hour, whoever asks."""
        ids = self.stage.ledger.state.by_order.get(order_id, ())
        if ids and self.stage.sighted:
            id_ = self.rng.choice(ids)
            self.stage.hides[id_] = self.stage.time_s + 3_600.0
            self.stage.note(f"does not find receipt …{id_[-6:]} for an hour", who="Bootpay")

    def _bootpay_is_at_work(self, order_id: OrderId) -> None:
        """The payment gateway is at work on one of the order's receipts, whatever had become of it."""
        ids = self.stage.ledger.state.by_order.get(order_id, ())
        if ids:
            self._gateway_at_work(self.rng.choice(ids), _AT_WORK_S[:3])

    def _at_bootpay(
        self, who: str, does: str, receipt_id: ReceiptId, do: Callable[[ReceiptId], object]
    ) -> None:
        """Somebody does something with a receipt at Bootpay, if Bootpay lets them."""
        with suppress(LedgerRefusal):
            do(receipt_id)
            self.stage.note_at_bootpay(who, does, receipt_id)

    # People

    def _people_decide(self) -> bool:
        """A person decides on each order that waits for one, and thinks again about money that is held."""
        decided = False
        for record in self.stage.backend.orders(OrderFilter(limit=200)).records:
            waits = record.payment.state is State.ATTENTION
            holds = any(other.fate is Fate.HELD for other in record.payment.others)
            for _ in range(self.rng.randint(1, 3) if waits or holds else 0):
                self._a_person_decides(record.order.id)
                decided = True
        return decided

    def _a_person_looks(self, order_id: OrderId) -> None:
        """Somebody has a receipt of the order read once more, or the one that it hangs on."""
        stage, rng = self.stage, self.rng
        ids = stage.ledger.state.by_order.get(order_id, ())
        about = ReceiptId(rng.choice(ids)) if ids and rng.random() < 0.5 else None
        self.actors.append(looking_person(stage, self._name("looker"), order_id, about))

    def _people_try_again(self) -> bool:
        """What could not be handed over is tried again by somebody's wish."""
        tried = False
        for record in self.stage.backend.orders(OrderFilter(limit=200)).records:
            for owed in self.stage.backend.deliveries(record.order.id):
                if owed.state is DeliveryState.DEAD and self.rng.random() < 0.5:
                    run(self.stage.world.store.retry_delivery(owed.id, self.stage.now()))
                    tried = True
        return tried

    def _a_person_decides(self, order_id: OrderId) -> None:
        """Somebody decides, on some receipt of the order or on none in particular, whatever else is going on."""
        record = self.stage.backend.load(order_id)
        assert record is not None
        about = [None, *(other.receipt_id for other in record.payment.others if other.fate is Fate.HELD)]
        resolution, receipt_id = self.rng.choice(tuple(Resolution)), self.rng.choice(about)
        actor = deciding_person(self.stage, self._name("person"), order_id, resolution, receipt_id)
        if actor.alive:
            self.actors.append(actor)


def _major(minor: int, currency: str) -> int | float:
    return minor if currency == "KRW" else minor / 100


def _terms(record: Record) -> str:
    """What must be paid for an order, and until when."""
    order = record.order
    price, currency = order.price.minor, order.price.currency
    free = f", {priced(order.tax_free, currency)} of it tax-free" if order.tax_free else ""
    until = (
        ""
        if order.expires_at is None
        else f", until {moment((order.expires_at - record.created_at).total_seconds())}"
    )
    return f"{order.id} {priced(price, currency)}{free}{until}"


def _can_go(stage: Stage, actor: Actor) -> bool:
    """A sleeper wakes when its time has come, and now and then looks up early because something was written."""
    return actor.wakes_at is None or actor.wakes_at <= stage.time_s or actor.slept_at != stage.changes
