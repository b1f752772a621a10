"""Ports within an invocation's time: a look may use it up, a call that moves money must leave time to write it down."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from dojang.core.order import ReceiptId
from dojang.drive import run
from dojang.entry.aws.bounds import BoundedApproval, BoundedFulfilment, BoundedGateway, Bounds
from dojang.errors import OutcomeUnknown, OutOfTime
from dojang.ports import Approved, HandedOver

from .conftest import Deployed

RECEIPT = ReceiptId("624e6fe8f2a0bc001a1e2a54")


class Asked:
    """A gateway and a shop that note how long they were given."""

    def __init__(self) -> None:
        self.given: list[float] = []
        self.error: Exception | None = None

    async def _note(self, within_s: float) -> Any:
        self.given.append(within_s)
        if self.error is not None:
            raise self.error

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Any:
        """Look."""
        await self._note(within_s)

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Any:
        """Approve."""
        await self._note(within_s)

    async def cancel(self, receipt_id: ReceiptId, within_s: float, /, **_: object) -> Any:
        """Give back."""
        await self._note(within_s)

    async def hand_over(self, delivery: object, within_s: float, /) -> HandedOver:
        """Take a delivery."""
        await self._note(within_s)
        return HandedOver(settled=True)

    async def ask(self, order: object, receipt: object, within_s: float, /) -> Approved:
        """Agree to an approval."""
        await self._note(within_s)
        return Approved()


@pytest.fixture
def at() -> list[float]:
    """The time, which stands still."""
    return [50.0]


@pytest.fixture
def bounds(at: list[float]) -> Bounds:
    """Ten seconds for this invocation."""
    bounds = Bounds(lambda: at[0])
    bounds.begin(10.0)
    return bounds


def test_a_look_gets_what_is_left(bounds: Bounds, at: list[float]) -> None:
    """Never more than the caller allows, never more than the invocation has."""
    asked = Asked()
    gateway = BoundedGateway(asked, bounds)  # type: ignore[arg-type]
    run(gateway.look_up(RECEIPT, 4.0))
    at[0] += 7.0
    run(gateway.look_up(RECEIPT, 4.0))

    assert [4.0, 3.0] == asked.given


def test_background_looks_leave_time_for_what_they_lead_to(bounds: Bounds) -> None:
    """A look in the background that finds a receipt waiting for approval must leave the time to approve it."""
    asked = Asked()
    bounds.begin(10.0, keep_s=5.0)
    run(BoundedGateway(asked, bounds).look_up(RECEIPT, 20.0))  # type: ignore[arg-type]

    assert [5.0] == asked.given


def test_a_look_without_time_is_not_begun(bounds: Bounds, at: list[float]) -> None:
    """That this invocation is over is no word about Bootpay, so it can be told apart."""
    asked = Asked()
    at[0] += 10.0
    with pytest.raises(OutOfTime):
        run(BoundedGateway(asked, bounds).look_up(RECEIPT, 4.0))  # type: ignore[arg-type]

    assert [] == asked.given


@pytest.mark.parametrize("moves", ["confirm", "cancel"])
def test_money_moves_only_with_time_to_write_it_down(bounds: Bounds, at: list[float], moves: str) -> None:
    """The last second and a half are for the store; with less than three nothing is sent at all."""
    asked = Asked()
    gateway: Any = BoundedGateway(asked, bounds)  # type: ignore[arg-type]
    more = {"cancel_id": "c-1"} if moves == "cancel" else {}
    run(getattr(gateway, moves)(RECEIPT, 20.0, **more))
    at[0] += 7.1
    with pytest.raises(OutOfTime):
        run(getattr(gateway, moves)(RECEIPT, 20.0, **more))

    assert [8.5] == asked.given


def test_an_outcome_that_stays_unknown_is_counted(bounds: Bounds) -> None:
    """Only where money may have moved: a look that fails is no doubt about money."""
    asked = Asked()
    asked.error = OutcomeUnknown("no answer")
    gateway = BoundedGateway(asked, bounds)  # type: ignore[arg-type]
    for call in (gateway.look_up, gateway.confirm):
        with pytest.raises(OutcomeUnknown):
            run(call(RECEIPT, 5.0))

    assert 1 == bounds.unknown_outcomes


def test_a_delivery_without_time_is_not_begun(bounds: Bounds, at: list[float]) -> None:
    """It stays owed and is tried again."""
    asked = Asked()
    fulfilment: Any = BoundedFulfilment(asked, bounds)
    run(fulfilment.hand_over(None, 15.0))
    at[0] += 9.0
    late = run(fulfilment.hand_over(None, 15.0))

    assert [8.5] == asked.given
    assert not late.settled


@pytest.mark.parametrize(("passed_s", "given_s"), [(0.0, 4.0), (3.0, 2.0), (4.95, 0.1), (20.0, 0.1)])
def test_the_shop_is_asked_within_the_time_and_always_has_a_moment(
    bounds: Bounds, at: list[float], passed_s: float, given_s: float
) -> None:
    """No answer is a no, so even the last buyer of an invocation is asked; what an approval needs is left over."""
    asked = Asked()
    approval: Any = BoundedApproval(asked, bounds)
    bounds.begin(10.0, keep_s=5.0)
    at[0] += passed_s
    run(approval.ask(None, None, 4.0))

    assert [pytest.approx(given_s)] == asked.given


def test_the_store_may_use_what_is_left_and_a_read_leaves_what_a_write_needs(
    bounds: Bounds, at: list[float]
) -> None:
    """What is kept for writing down is the write's alone; either is tried, even when the time is over."""
    given = []
    for passed_s in (0.0, 8.0, 1.5, 90.0):
        at[0] += passed_s
        given.append((bounds.for_the_store(False), bounds.for_the_store(True)))

    assert [(8.5, 10.0), (0.5, 2.0), (0.25, 0.5), (0.25, 0.25)] == given


def test_a_silent_table_does_not_outlast_the_function(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told to ask again while there is time to say so, and the log says how long was waited."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        deployed.restart(DOJANG_STORE=f"dynamodb://orders?region=ap-northeast-2&endpoint={address}")
        verify = "/v1/orders/o-1/verify"
        began = time.monotonic()
        answer = deployed.asks("http_api", "POST", verify, {"receipt_id": str(RECEIPT)}, left_ms=3_000)
        took_s = time.monotonic() - began

    assert (503, "store_unavailable") == (answer["statusCode"], answer["json"]["code"])
    assert took_s < 3.0
