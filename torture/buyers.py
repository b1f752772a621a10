"""The load: buyers in threads, each living one story after another. What they did is noted, for the comparison."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Sequence

from torture.notes import Note
from torture.stories import KINDS
from torture.story import Story
from torture.wire import Wire

__all__ = ["Buyers"]


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
            rng = random.Random(f"{self.seed}:{number}")
            kind = rng.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
            story = Story(self, number, kind, rng)
            try:
                KINDS[kind][1](story)
                story.note.ended = True
            except Exception as error:  # noqa: BLE001 - a buyer that fails is a failure of the proof
                self.failures.append(f"{story.note.order_id} ({story.note.kind}): {error!r}")
            self.pause(story.rng.uniform(0, self._pause_s))
