"""The shop's own people: they decide about held money while servers die, and once more when it is calm.

Some orders are left to wait for ever. Under an unknown answer nobody insists: the next word has a name of its own.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Sequence
from typing import Any

from torture.notes import Word
from torture.wire import Answer, Wire

__all__ = ["People"]

_LEFT_ALONE = 0.25
_UNKNOWN = (0, 429, 502, 503)


class People:
    """One person in a thread, who asks what waits for a decision and decides some of it.

    Args:
        services: The servers; any of them is asked.
        seed: Decides what is decided.
    """

    def __init__(self, services: Sequence[Wire], seed: int) -> None:
        self.words: list[Word] = []
        self.failures: list[str] = []
        self._services = services
        self._seed = seed
        self._rng = random.Random(f"{seed}:people")
        self._names = itertools.count(1)
        self._dismissed: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def start(self) -> None:
        """Come to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is in hand."""
        self._stop.set()
        self._thread.join(60)
        if self._thread.is_alive():
            self.failures.append("a person does not come to an end")

    def decide(self, share: float = 1.0) -> None:
        """Decide about a share of what waits, and of what was dismissed before."""
        page = self._ask("GET", "/v1/orders?state=attention&limit=200")
        waiting = [order["order_id"] for order in page.body["orders"]] if page.status == 200 else []
        for order_id in dict.fromkeys((*waiting, *sorted(self._dismissed))):
            left = random.Random(f"{self._seed}:{order_id}:left").random() < _LEFT_ALONE
            if not left and self._rng.random() < share:
                self._decide_on(order_id)

    def _live(self) -> None:
        while not self._stop.wait(self._rng.uniform(0.2, 1.0)):
            try:
                self.decide(0.3)
            except Exception as error:  # noqa: BLE001 - a person that fails is a failure of the proof
                self.failures.append(f"a person failed: {error!r}")

    def _decide_on(self, order_id: str) -> None:
        shown = self._ask("GET", f"/v1/orders/{order_id}")
        if shown.status != 200:
            return
        held = [known["receipt_id"] for known in shown.body["receipts"] if known["fate"] == "held"]
        if not held:
            self._dismissed.discard(order_id)
            return
        decision = self._rng.choices(("accept", "return", "dismiss"), (4, 5, 2))[0]
        word = Word(order_id, self._rng.choice(held), decision, f"mina-{next(self._names)}")
        # Noted before it is said: it may be heard although no answer comes back.
        self.words.append(word)
        body = {
            "decision": decision,
            "receipt_id": word.receipt_id,
            "who": word.who,
            "reason": "고객과 통화함",
        }
        answer = self._ask("POST", f"/v1/orders/{order_id}/resolve", body)
        if answer.status == 200:
            word.outcome = "done"
        elif answer.status == 409 and answer.body["code"] == "nothing_to_resolve":
            word.outcome = "no"
        elif answer.status not in _UNKNOWN:
            raise RuntimeError(f"a decision was answered {answer.status}: {answer.body}")

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self._rng.choice(self._services).ask(method, path, body, keyed=True, within_s=5.0)
