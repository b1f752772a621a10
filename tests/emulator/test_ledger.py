"""The ledger as a thing: the same from the same seed, copied, written down and read back, money conserved."""

from __future__ import annotations

import contextlib
import re

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dojang.emulator.books import Receipt
from dojang.emulator.faces import v1_receipt
from dojang.emulator.ledger import Checkout, Ledger, LedgerRefusal
from dojang.emulator.options import EmulatorOptions
from dojang.emulator.running import Emulator


def day(ledger: Ledger) -> bytes:
    """A busy day; everything remembered of it."""
    for price in (1000, 2000, 3000):
        receipt = ledger.open_checkout(Checkout(order_id=f"o{price}", price=price, separately_confirmed=True))
        ledger.approve(receipt.receipt_id)
        ledger.confirm(receipt.receipt_id)
        ledger.advance(60)
    ledger.cancel(receipt.receipt_id, 500)
    ledger.issue_token("a", "b", generation=2)
    return ledger.snapshot()


def test_same_seed_gives_the_same_day() -> None:
    """Ids, tokens, numbers and times repeat with the seed, and differ with another."""
    first, again, other = (day(Ledger(seed=seed, webhook_url="http://x/")) for seed in (7, 7, 8))

    assert first == again
    assert first != other


def test_seeded_ids_do_not_tell_the_time() -> None:
    """Another fresh emulator, whenever it is started, gives the same steps the same ids, each one new and later."""

    def ids(seed: int, later_s: float) -> list[str]:
        ledger = Emulator(EmulatorOptions(seed=seed)).ledger
        ledger.advance(later_s)
        first = [ledger.open_checkout(Checkout(order_id=f"o{n}", price=1000)).receipt_id for n in range(20)]
        ledger.forget()
        ledger = ledger.copy()
        return first + [ledger.new_id() for _ in range(20)]

    given = ids(7, 0)

    assert ids(7, 86_400) == given
    assert ids(8, 0)[0][:8] != given[0][:8]
    assert sorted(set(given)) == given
    assert all(re.fullmatch("[0-9a-f]{24}", each) for each in given)


def test_ids_without_a_seed_begin_with_the_present() -> None:
    """As Bootpay's do."""
    ledger = Emulator(EmulatorOptions()).ledger
    ledger.set_now(1_800_000_000)

    assert f"{1_800_000_000:08x}" == ledger.new_id()[:8]


def test_copy_lives_its_own_life() -> None:
    """What happens to the copy does not happen to the original, and both go on alike."""
    ledger = Ledger(seed=7, webhook_url="http://x/")
    day(ledger)
    before = ledger.snapshot()
    twin = ledger.copy()
    day(twin)

    assert before == ledger.snapshot()
    assert day(ledger) == twin.snapshot()


def test_snapshot_restores_everything() -> None:
    """A ledger written down and read into another goes on as if nothing had happened."""
    ledger, other = Ledger(seed=7), Ledger(seed=1)
    other.restore(day(ledger))

    assert day(ledger) == day(other)


def test_forgotten_ids_are_never_given_again() -> None:
    """Forgetting empties the books; a shop that remembers meets no old id."""
    ledger = Ledger(seed=7)
    old = ledger.open_checkout(Checkout(order_id="o", price=1000)).receipt_id
    ledger.forget()
    new = ledger.open_checkout(Checkout(order_id="o", price=1000)).receipt_id

    assert old != new
    assert [new] == list(ledger.state.receipts)


class MoneyIsConserved(RuleBasedStateMachine):
    """Whatever is done in whatever order, the books balance."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(seed=1, webhook_url="http://x/")
        self.statuses: dict[str, int] = {}

    def some(self, pick: int) -> Receipt | None:
        """One of the receipts, if there are any."""
        receipts = list(self.ledger.state.receipts.values())
        return receipts[pick % len(receipts)] if receipts else None

    @rule(
        price=st.integers(1, 5000),
        share=st.floats(0, 1),
        separately=st.booleans(),
        method=st.sampled_from(["card", "vbank", "kakao"]),
    )
    def open(self, price: int, share: float, separately: bool, method: str) -> None:
        """A buyer opens a window."""
        self.ledger.open_checkout(
            Checkout(
                order_id="o",
                price=price,
                tax_free=int(price * share),
                separately_confirmed=separately,
                method=method,
            )
        )

    @rule(
        pick=st.integers(0, 50),
        step=st.sampled_from(
            ["approve", "decline", "close", "issue", "deposit", "revert", "confirm", "outside_cancel"]
        ),
    )
    def step(self, pick: int, step: str) -> None:
        """Somebody does something to a receipt."""
        receipt = self.some(pick)
        if receipt is not None:
            with contextlib.suppress(LedgerRefusal):
                getattr(self.ledger, step)(receipt.receipt_id)

    @rule(
        pick=st.integers(0, 50),
        price=st.none() | st.integers(-5, 6000),
        tax_free=st.none() | st.integers(-5, 6000),
        refund=st.booleans(),
    )
    def cancel(self, pick: int, price: int | None, tax_free: int | None, refund: bool) -> None:
        """The shop sends money back."""
        receipt = self.some(pick)
        account: dict[str, object] = {"bank_account": "1", "bank_username": "홍", "bank_code": "004"}
        if receipt is not None:
            with contextlib.suppress(LedgerRefusal):
                self.ledger.cancel(
                    receipt.receipt_id, price, tax_free=tax_free, refund=account if refund else None
                )

    @rule(seconds=st.integers(0, 200_000))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.ledger.advance(seconds)

    @invariant()
    def nothing_beyond_the_price_goes_back(self) -> None:
        """Cancelled ≤ paid, in whole and in the tax-free part, and 20 exactly when nothing is left."""
        for receipt in self.ledger.state.receipts.values():
            old = v1_receipt(receipt, self.ledger.rules)
            assert 0 <= receipt.cancelled_price <= receipt.price
            assert 0 <= receipt.cancelled_tax_free <= receipt.tax_free
            assert old["remain_tax_free"] <= old["remain_price"]  # type: ignore[operator]
            assert (receipt.status == 20) == (receipt.cancelled_price == receipt.price)
            assert receipt.cancelled_price == 0 or receipt.purchased_at is not None

    @invariant()
    def the_end_is_the_end(self) -> None:
        """Cancelled and failed receipts stay so."""
        for receipt_id, status in self.statuses.items():
            if status in (20, -2, -3, -4):
                assert status == self.ledger.state.receipts[receipt_id].status
        self.statuses = {r.receipt_id: r.status for r in self.ledger.state.receipts.values()}

    @invariant()
    def the_books_can_be_written_down(self) -> None:
        """At any moment the state survives being written and read."""
        written = self.ledger.snapshot()
        assert written == self.ledger.copy().snapshot()


MoneyIsConserved.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestMoneyIsConserved = MoneyIsConserved.TestCase
