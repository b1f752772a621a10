"""The simulation itself: it repeats itself exactly, leaves nothing out, and speaks like the real gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Receipt
from dojang.drive import run
from dojang.emulator.ledger import Checkout, Ledger
from dojang.errors import OutcomeUnknown, Refused
from dojang.testing import PretendBootpay, PretendClock
from dojang.testing.ledger_gateway import LedgerGateway
from dojang.testing.pretend_first_generation import PretendFirstGeneration
from dojang.testing.simulation import race as racing
from dojang.testing.simulation.choices import explore
from dojang.testing.simulation.collecting import evidence_of
from dojang.testing.simulation.race import Bounds, race
from dojang.testing.simulation.scenarios import SCENARIOS, Scenario


def test_every_combination_of_choices_is_taken_once() -> None:
    """Two choices, the number of ways of the second depending on the first: each path once, none twice."""
    paths = []
    for choices in explore():
        first = choices.pick(3)
        paths.append((first, choices.pick(first + 1)))

    assert [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)] == paths


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("verify, verify", Bounds(crashes=1, mishaps=1)),
        ("verify, webhook", Bounds(crashes=1)),
        ("approval, verify", Bounds(crashes=1)),
        ("two cancels, two keys", Bounds(crashes=1)),
        ("deliver, deliver", Bounds(crashes=1, leaps=1)),
    ],
)
def test_leaving_out_repeats_leaves_out_no_outcome(
    name: str, bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schedules that are taken for mere repeats lead to worlds that other schedules lead to as well."""
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == name)
    reduced = _worlds(scenario, bounds)
    monkeypatch.setattr(racing, "_felt", lambda way, other: True)
    everything = _worlds(scenario, bounds)

    assert everything == reduced
    assert len(reduced) > 1


def _worlds(scenario: Scenario, bounds: Bounds) -> set[str]:
    """Everything a scenario's schedules may leave behind, the order of unrelated notes aside."""
    worlds = set()
    for choices in explore():
        stage, actors = scenario.set_up(False)
        if race(stage, choices, actors, bounds):
            left = evidence_of(stage)
            # How many unrelated calls had been made before an answer is their order again.
            answers = sorted(answer._replace(after=0) for answer in left.answers)
            kept = (
                left.receipts, left.orders, left.histories, left.deliveries, left.notices, left.received,
                sorted(left.acknowledged), answers, left.asked and sorted(map(repr, left.asked)),
            )  # fmt: skip
            worlds.add(repr(kept))
    return worlds


def _approve(ledger: Ledger, receipt_id: str) -> None:
    ledger.approve(receipt_id)


def _deposit(ledger: Ledger, receipt_id: str) -> None:
    ledger.issue(receipt_id)
    ledger.deposit(receipt_id)


def _cancel_part(ledger: Ledger, receipt_id: str) -> None:
    ledger.approve(receipt_id)
    ledger.outside_cancel(receipt_id, 100)


def _cancel_all(ledger: Ledger, receipt_id: str) -> None:
    ledger.approve(receipt_id)
    ledger.outside_cancel(receipt_id)


CHECKOUTS: list[tuple[dict[str, object], Callable[[Ledger, str], object]]] = [
    ({}, lambda ledger, receipt_id: None),
    ({}, _approve),
    ({"separately_confirmed": True}, _approve),
    ({"method": "vbank"}, _approve),
    ({}, _deposit),
    ({"tax_free": 100}, _cancel_part),
    ({}, _cancel_all),
    ({"currency": "USD", "price": 10.5}, _approve),
    ({"sandbox": True}, _approve),
    ({"method": "kakao"}, _approve),
    ({}, lambda ledger, receipt_id: ledger.decline(receipt_id)),
]


@pytest.mark.parametrize(("terms", "step"), CHECKOUTS)
def test_the_short_way_to_the_ledger_shows_what_the_wire_shows(
    terms: dict[str, object], step: Callable[[Ledger, str], object]
) -> None:
    """Reading the books directly gives the receipt that the real gateway reads from JSON."""
    bootpay = PretendBootpay(PretendClock())
    ledger = bootpay.ledger
    checkout = msgspec.convert({"order_id": "o1", "price": 1000, **terms}, Checkout)
    receipt_id = ReceiptId(ledger.open_checkout(checkout).receipt_id)
    step(ledger, receipt_id)
    short = LedgerGateway(ledger)

    assert run(bootpay.look_up(receipt_id, 5.0)) == run(short.look_up(receipt_id, 5.0))
    assert list(run(bootpay.look_up_order(OrderId("o1"), 5.0))) == list(
        run(short.look_up_order(OrderId("o1"), 5.0))
    )


@pytest.mark.parametrize(("terms", "step"), CHECKOUTS)
def test_the_first_generation_shows_the_same_in_fewer_words(
    terms: dict[str, object], step: Callable[[Ledger, str], object]
) -> None:
    """Read from its own JSON, a receipt lacks whether it is a test and until when an account is open, and no more."""
    old = PretendFirstGeneration(PretendClock())
    ledger = old.ledger
    checkout = msgspec.convert({"order_id": "o1", "price": 1000, "generation": 1, **terms}, Checkout)
    receipt_id = ReceiptId(ledger.open_checkout(checkout).receipt_id)
    step(ledger, receipt_id)
    seen, short = run(old.look_up(receipt_id, 5.0)), run(LedgerGateway(ledger).look_up(receipt_id, 5.0))
    assert seen is not None
    assert short is not None
    account = short.account and replace(short.account, expires_at=None, bank_code="")

    assert replace(short, sandbox=None, number=seen.number, account=account) == seen
    assert [] == list(run(old.look_up_order(OrderId("o1"), 5.0)))


def _answer(
    gateway: LedgerGateway | PretendBootpay, receipt_id: ReceiptId, what: str
) -> Receipt | str | None:
    try:
        if what == "look_up":
            return run(gateway.look_up(receipt_id, 5.0))
        if what == "confirm":
            return run(gateway.confirm(receipt_id, 5.0))
        return run(gateway.cancel(receipt_id, 5.0, cancel_id="c1", amount=300, tax_free=100))
    except Refused as no:
        return f"{no.code}: {no.message}"
    except OutcomeUnknown:
        return "unknown"


@pytest.mark.parametrize("what", ["look_up", "confirm", "cancel"])
@pytest.mark.parametrize("agreed", [True, False])
def test_the_short_way_to_the_ledger_acts_and_refuses_like_the_wire(what: str, agreed: bool) -> None:
    """Approving, cancelling, and being refused: the same answer, directly or over JSON."""
    answers = []
    for wire in (True, False):
        bootpay = PretendBootpay(PretendClock())
        receipt_id = bootpay.pay("o1", 1000, tax_free=100, separately_confirmed=agreed)
        answers.append(_answer(bootpay if wire else LedgerGateway(bootpay.ledger), receipt_id, what))

    assert answers[0] == answers[1]


def test_a_receipt_that_is_not_there_is_none_either_way() -> None:
    """Unknown receipts are an answer, not an error."""
    bootpay = PretendBootpay(PretendClock())
    nobody = ReceiptId("f" * 24)

    assert [None, None] == [
        run(bootpay.look_up(nobody, 5.0)),
        run(LedgerGateway(bootpay.ledger).look_up(nobody, 5.0)),
    ]
