"""The stories: buyers who pay well, badly, twice, late or not at all, and a shop that cancels."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from torture.story import Story

__all__ = ["KINDS"]


def _good(story: Story, *, confirmed: bool) -> str | None:
    if not story.register():
        return None
    receipt_id = story.checkout(confirmed=confirmed)
    story.step(receipt_id, "approve")
    story.verify(receipt_id)
    return receipt_id


def _confirmed(story: Story) -> None:
    _good(story, confirmed=True)


def _automatic(story: Story) -> None:
    _good(story, confirmed=False)


def _deposit(story: Story) -> None:
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


def _wrong_price(story: Story) -> None:
    """Another price than the order's, approved or waiting for it; sometimes paid well afterwards."""
    if not story.register():
        return
    # A part that is free of tax is never more than the whole.
    price = story.note.price - 1
    tax_free = min(story.note.tax_free, price)
    receipt_id = story.checkout(price, tax_free=tax_free, confirmed=story.rng.random() < 0.5)
    story.step(receipt_id, "approve")
    story.verify(receipt_id)
    if story.rng.random() < 0.3:
        good = story.checkout(confirmed=True)
        story.step(good, "approve")
        story.verify(good)


def _wrong_tax_free(story: Story) -> None:
    """The right price, and another part of it free of tax."""
    if not story.register():
        return
    other = story.note.tax_free - 1 if story.note.tax_free else 1
    receipt_id = story.checkout(tax_free=other, confirmed=story.rng.random() < 0.5)
    story.step(receipt_id, "approve")
    story.verify(receipt_id)


def _double(story: Story) -> None:
    """Two windows, both paid, both brought back at once."""
    if not story.register():
        return
    receipts = [story.checkout(confirmed=story.rng.random() < 0.5) for _ in range(2)]
    for receipt_id in receipts:
        story.step(receipt_id, "approve")
    _together([partial(story.hand(receipt_id).verify, receipt_id) for receipt_id in receipts])


def _replay(story: Story) -> None:
    """The same receipt many times at once, and for another order."""
    if not story.register():
        return
    receipt_id = story.checkout(confirmed=story.rng.random() < 0.7)
    story.step(receipt_id, "approve")
    _together([partial(story.hand(name).verify, receipt_id) for name in "bcde"])
    foreign = story.verify(receipt_id, order_id=f"t-{max(0, story.number - 7)}")
    if foreign.status == 200:
        raise RuntimeError(f"a foreign receipt was accepted: {foreign.body}")


def _lost(story: Story) -> None:
    """Paid, and the browser never comes back."""
    if story.register():
        receipt_id = story.checkout(confirmed=False)
        story.step(receipt_id, "approve")


def _late(story: Story) -> None:
    """Paid after the terms ran out."""
    if not story.register(expires_s=0.3):
        return
    receipt_id = story.checkout(confirmed=story.rng.random() < 0.3)
    # Bootpay writes down whole seconds only.
    time.sleep(1.6)
    story.note.late = True
    story.step(receipt_id, "approve")
    story.verify(receipt_id)


def _declined(story: Story) -> None:
    if story.register():
        receipt_id = story.checkout(confirmed=True)
        story.step(receipt_id, "decline")
        story.verify(receipt_id)


def _cancelled(story: Story) -> None:
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


def _console(story: Story) -> None:
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


KINDS: dict[str, tuple[int, Callable[[Story], None]]] = {
    "confirmed": (28, _confirmed),
    "automatic": (14, _automatic),
    "deposit": (8, _deposit),
    "wrong price": (7, _wrong_price),
    "wrong tax-free part": (3, _wrong_tax_free),
    "double": (7, _double),
    "replay": (6, _replay),
    "lost browser": (8, _lost),
    "late": (4, _late),
    "declined": (2, _declined),
    "cancelled": (12, _cancelled),
    "console": (4, _console),
}
"""How often, and what happens."""
