"""The load: buyers who pay well, badly, twice, late or not at all, and a shop that cancels.

Everybody repeats what got no answer a bounded number of times, as browsers and servers do, and then gives up. What was
done and what was answered is noted, for the comparison at the end.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from torture.wire import Answer, Wire

__all__ = ["Buyers", "CancelNote", "Note"]

_DOUBTFUL = (0, 202, 429, 503)
_REFUND = {"bank_code": "004", "bank_account": "11122233344455", "bank_username": "구매자"}


@dataclass(slots=True)
class CancelNote:
    """A cancel the shop asked for under one key.

    Attributes:
        key: The idempotency key.
        amount: How much; None for all that is left.
        outcome: The last answer: `done`, `no` (certainly not carried out) or `unknown`.
    """

    key: str
    amount: int | None
    outcome: str = "unknown"


@dataclass(slots=True)
class Note:
    """What a buyer did with one order.

    Attributes:
        order_id: The order.
        kind: Which story.
        price: The price as registered.
        late: Whether it was paid after its terms ran out.
        told_paid: Receipts of which a verification said that they pay for it.
        told_refused: Receipts that were refused for good, and why.
        cancels: What the shop asked to be cancelled.
        console: How much was cancelled in a console, behind our back.
        ended: Whether the story was told to its end.
    """

    order_id: str
    kind: str
    price: int
    late: bool = False
    told_paid: set[str] = field(default_factory=set)
    told_refused: dict[str, str] = field(default_factory=dict)
    cancels: list[CancelNote] = field(default_factory=list)
    console: int = 0
    ended: bool = False


class Buyers:
    """Buyers in threads, each living one order after another.

    Args:
        services: The servers; a buyer meets any of them.
        bootpay: The emulator.
        seed: Decides every story.
        threads: How many buyers at once.
        pause_s: The longest pause before the next order.
        patience_s: The longest anybody waits for one answer.
        cancels: Whether the service offers cancels.
    """

    def __init__(
        self,
        services: Sequence[Wire],
        bootpay: Wire,
        seed: int,
        *,
        threads: int,
        pause_s: float,
        patience_s: float,
        cancels: bool,
    ) -> None:
        self.notes: dict[str, Note] = {}
        self.asked: Counter[int] = Counter()
        self.failures: list[str] = []
        self.cancels = cancels
        self.services = services
        self.bootpay = bootpay
        self.seed = seed
        self.patience_s = patience_s
        self._pause_s = pause_s
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._live, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Open the doors."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everybody finish what they are about, without patience."""
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
        if any(thread.is_alive() for thread in self._threads):
            self.failures.append("a buyer does not come to an end")

    @property
    def closing(self) -> bool:
        """Whether nobody waits any longer."""
        return self._stop.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, but not when the doors close."""
        self._stop.wait(seconds)

    def _live(self) -> None:
        while not self.closing:
            number = next(self._numbers)
            story = _Story(self, number)
            try:
                story.live()
            except Exception as error:  # noqa: BLE001 - a buyer that fails is a failure of the proof
                self.failures.append(f"{story.note.order_id} ({story.note.kind}): {error!r}")
            self.pause(story.rng.uniform(0, self._pause_s))


class _Story:
    """One buyer and one order."""

    def __init__(self, buyers: Buyers, number: int) -> None:
        self.buyers = buyers
        self.rng = random.Random(f"{buyers.seed}:{number}")
        kind = self.rng.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
        price = self.rng.randrange(1_000, 100_000)
        self.note = Note(f"t-{number}", kind, price)
        self.number = number
        self._hand = "a"
        self._keys = 0

    def hand(self, name: str) -> _Story:
        """The same buyer in another thread, with dice of its own: whose throw comes first must not matter."""
        other = _Story(self.buyers, self.number)
        other.rng = random.Random(f"{self.buyers.seed}:{self.number}:{name}")
        other.note = self.note
        other._hand = name
        return other

    def live(self) -> None:
        _KINDS[self.note.kind][1](self)
        self.note.ended = True

    # What a shop does

    def register(self, expires_s: float | None = None) -> bool:
        body: dict[str, Any] = {
            "order_id": self.note.order_id,
            "price": self.note.price,
            "name": "원두 200g",
            "metadata": {"kind": self.note.kind},
        }
        if expires_s is not None:
            body["expires_at"] = (datetime.now(UTC) + timedelta(seconds=expires_s)).isoformat()
        for _ in self._tries(20):
            answer = self._service().ask("POST", "/v1/orders", body, keyed=True, within_s=self._within_s())
            self._count(answer)
            if answer.status in (200, 201):
                self.buyers.notes[self.note.order_id] = self.note
                return True
            if answer.status not in _DOUBTFUL:
                raise RuntimeError(f"registering answered {answer.status}: {answer.body}")
        return False

    def cancel(self, amount: int | None = None, *, refund: bool = False) -> None:
        """Ask under one key until there is a word on it, or patience ends."""
        if not self.buyers.cancels:
            return
        self._keys += 1
        note = CancelNote(f"{self.note.order_id}-{self._hand}-{self._keys}", amount)
        self.note.cancels.append(note)
        body: dict[str, Any] = {"reason": "고객 변심"}
        if amount is not None:
            body["amount"] = amount
        if refund:
            body["refund_account"] = _REFUND
        path = f"/v1/orders/{self.note.order_id}/cancel"
        for _ in self._tries(self.rng.randrange(2, 12)):
            answer = self._service().ask(
                *("POST", path, body),
                keyed=True,
                within_s=self._within_s(),
                headers={"idempotency-key": note.key},
            )
            self._count(answer)
            if answer.status == 200:
                note.outcome = "done"
                return
            code = answer.body.get("code", "") if isinstance(answer.body, dict) else ""
            if answer.status in _DOUBTFUL or code in ("cancel_in_progress", "needs_attention"):
                continue
            if answer.status not in (409, 422):
                raise RuntimeError(f"a cancel answered {answer.status}: {answer.body}")
            # The key is looked up before anything else: whatever stands in the way now, this was never carried out.
            note.outcome = "no"
            return

    # What a buyer does

    def checkout(self, price: int | None = None, *, confirmed: bool, method: str = "card") -> str:
        body = {
            "order_id": self.note.order_id,
            "price": self.note.price if price is None else price,
            "order_name": "원두 200g",
            "method": method,
            "separately_confirmed": confirmed,
        }
        return str(self.buyers.bootpay.need("POST", "/emulator/checkouts", body)["receipt_id"])

    def step(self, receipt_id: str, step: str, **body: object) -> Any:
        return self.buyers.bootpay.need("POST", f"/emulator/receipts/{receipt_id}/{step}", body)

    def verify(self, receipt_id: str, tries: int | None = None, order_id: str | None = None) -> Answer:
        """Ask until there is an answer, or patience ends."""
        path = f"/v1/orders/{order_id or self.note.order_id}/verify"
        answer = Answer(0)
        for _ in self._tries(tries or self.rng.choice((1, 3, 10, 40))):
            answer = self._service().ask("POST", path, {"receipt_id": receipt_id}, within_s=self._within_s())
            self._count(answer)
            if answer.status not in (*_DOUBTFUL, 502):
                break
        if order_id is not None:
            return answer
        if answer.status == 200 and answer.body["state"] == "paid":
            self.note.told_paid.add(receipt_id)
        elif answer.status in (409, 422):
            self.note.told_refused[receipt_id] = answer.body["code"]
        elif answer.status not in (200, 502, *_DOUBTFUL):
            raise RuntimeError(f"a verification answered {answer.status}: {answer.body}")
        return answer

    def _tries(self, most: int) -> Any:
        for number in range(most):
            if number:
                if self.buyers.closing:
                    return
                self.buyers.pause(self.rng.uniform(0.05, 0.6))
            yield number

    def _within_s(self) -> float:
        return min(self.buyers.patience_s, self.rng.choice((1.0, 5.0, 25.0)))

    def _service(self) -> Wire:
        return self.rng.choice(self.buyers.services)

    def _count(self, answer: Answer) -> None:
        self.buyers.asked[answer.status] += 1


def _good(story: _Story, *, confirmed: bool) -> str | None:
    if not story.register():
        return None
    receipt_id = story.checkout(confirmed=confirmed)
    story.step(receipt_id, "approve")
    story.verify(receipt_id)
    return receipt_id


def _confirmed(story: _Story) -> None:
    _good(story, confirmed=True)


def _automatic(story: _Story) -> None:
    _good(story, confirmed=False)


def _deposit(story: _Story) -> None:
    """A virtual account; the deposit is told by webhook alone."""
    if not story.register():
        return
    receipt_id = story.checkout(confirmed=False, method="vbank")
    story.step(receipt_id, "issue")
    if story.rng.random() < 0.8:
        story.verify(receipt_id)
    story.buyers.pause(story.rng.uniform(0, 2))
    if story.rng.random() < 0.85:
        story.step(receipt_id, "deposit")
        if story.rng.random() < 0.2:
            story.cancel(refund=True)


def _wrong_price(story: _Story) -> None:
    """Another price than the order's, approved or waiting for it; sometimes paid well afterwards."""
    if not story.register():
        return
    receipt_id = story.checkout(story.note.price - 1, confirmed=story.rng.random() < 0.5)
    story.step(receipt_id, "approve")
    story.verify(receipt_id)
    if story.rng.random() < 0.3:
        good = story.checkout(confirmed=True)
        story.step(good, "approve")
        story.verify(good)


def _double(story: _Story) -> None:
    """Two windows, both paid, both brought back at once."""
    if not story.register():
        return
    receipts = [story.checkout(confirmed=story.rng.random() < 0.5) for _ in range(2)]
    for receipt_id in receipts:
        story.step(receipt_id, "approve")
    _together([partial(story.hand(receipt_id).verify, receipt_id) for receipt_id in receipts])


def _replay(story: _Story) -> None:
    """The same receipt many times at once, and for another order."""
    if not story.register():
        return
    receipt_id = story.checkout(confirmed=story.rng.random() < 0.7)
    story.step(receipt_id, "approve")
    _together([partial(story.hand(name).verify, receipt_id) for name in "bcde"])
    foreign = story.verify(receipt_id, order_id=f"t-{max(1, story.number - 7)}")
    if foreign.status == 200:
        raise RuntimeError(f"a foreign receipt was accepted: {foreign.body}")


def _lost(story: _Story) -> None:
    """Paid, and the browser never comes back."""
    if story.register():
        receipt_id = story.checkout(confirmed=False)
        story.step(receipt_id, "approve")


def _late(story: _Story) -> None:
    """Paid after the terms ran out."""
    if not story.register(expires_s=0.3):
        return
    receipt_id = story.checkout(confirmed=story.rng.random() < 0.3)
    # Bootpay writes down whole seconds only.
    time.sleep(1.6)
    story.note.late = True
    story.step(receipt_id, "approve")
    story.verify(receipt_id)


def _declined(story: _Story) -> None:
    if story.register():
        receipt_id = story.checkout(confirmed=True)
        story.step(receipt_id, "decline")
        story.verify(receipt_id)


def _cancelled(story: _Story) -> None:
    """Paid, then given back in full or in parts; the last won is asked for twice at once."""
    if _good(story, confirmed=story.rng.random() < 0.5) is None:
        return
    parts = story.rng.choice((0, 1, 2))
    left = story.note.price
    for _ in range(parts):
        amount = story.rng.randrange(1, left // 2)
        left -= amount
        story.cancel(amount)
    if story.rng.random() < 0.6:
        story.cancel()
    elif story.rng.random() < 0.5:
        # Each asks for more than half of the price: only one may have it.
        more = story.note.price // 2 + 1
        _together([partial(story.hand(name).cancel, more) for name in "bc"])


def _console(story: _Story) -> None:
    """Paid, and somebody cancels in the payment company's console, behind our back."""
    receipt_id = _good(story, confirmed=story.rng.random() < 0.5)
    if receipt_id is None:
        return
    seen = story.buyers.bootpay.need("GET", f"/emulator/receipts/{receipt_id}")
    if seen["status"] != 1:
        return
    amount = story.rng.choice((story.note.price, story.note.price // 3))
    story.note.console = amount
    story.step(receipt_id, "cancel", price=amount)
    if story.rng.random() < 0.3:
        story.cancel()


def _together(works: Sequence[Callable[[], object]]) -> None:
    failures: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - carried to the buyer's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


_KINDS: dict[str, tuple[int, Callable[[_Story], None]]] = {
    "confirmed": (28, _confirmed),
    "automatic": (14, _automatic),
    "deposit": (8, _deposit),
    "wrong price": (7, _wrong_price),
    "double": (7, _double),
    "replay": (6, _replay),
    "lost browser": (8, _lost),
    "late": (4, _late),
    "declined": (2, _declined),
    "cancelled": (12, _cancelled),
    "console": (4, _console),
}
