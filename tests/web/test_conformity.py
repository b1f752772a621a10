"""Generated requests, good and bad, against the document: no 5xx, and every answer as described."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.drive import inline
from dojang.entry.asgi import create_app
from dojang.ports import World
from dojang.web.routes import Api, WebOptions
from dojang.web.table import ROUTES

KEY = "shop-key-0123456789abcdef"
EXAMPLE_ORDER = "order-1042"


class Bootpay:
    """Every receipt exists and is paid for the order of the examples."""

    async def look_up(self, receipt_id: Any, within_s: float, /) -> Receipt:
        """A paid one."""
        return Receipt(
            id=receipt_id,
            order_id=EXAMPLE_ORDER,
            status=ReceiptStatus.PAID,
            price=3000,
            purchased_at=datetime(2026, 11, 23, tzinfo=UTC),
        )

    async def look_up_order(self, order_id: Any, within_s: float, /) -> list[Receipt]:
        """None but the one above."""
        return []

    async def cancel(self, receipt_id: Any, within_s: float, /, *, amount: int | None, **_: Any) -> Receipt:
        """As much goes back as is asked for, as if it were the first time."""
        receipt = await self.look_up(receipt_id, within_s)
        if amount is None:
            return replace(receipt, status=ReceiptStatus.CANCELLED, cancelled=receipt.price)
        return replace(receipt, cancelled=amount)


class Clock:
    """Time stands still."""

    def now(self) -> datetime:
        """Always then."""
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic(self) -> float:
        """Seconds since then."""
        return 0.0

    async def sleep(self, seconds: float, /) -> None:
        """Not at all."""


def described() -> Any:
    """The service as ASGI, read through the document it serves itself."""
    world = World(store=AwaitedStore(MemoryBackend(), inline), gateway=Bootpay(), clock=Clock())  # type: ignore[arg-type]
    # Everybody is Bootpay here: how strangers are slowed down has tests of its own.
    options = WebOptions(api_keys=(KEY,), webhook_sources=("0.0.0.0/0", "::/0"))
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(Api(world, options)))


schema = described()


def test_every_route_is_put_to_the_test() -> None:
    """All but the document itself, which schemathesis leaves out because it has just read it."""
    tested = {operation.ok().label for operation in schema.get_all_operations()}

    assert {f"{route.method} {route.path}" for route in ROUTES} - {"GET /openapi.json"} == tested


@schema.parametrize()
@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: Any) -> None:
    """Status, content type and schema fit; bad data is refused; a missing key is noticed.

    Left out: that whatever fits the schema is accepted. A price in half won or a tax-free part above the price fits
    every schema and is refused all the same.
    """
    left_out = [positive_data_acceptance]
    if any(value == [] for value in (case.query or {}).values()):
        # An unknown parameter whose value is an empty list is not sent at all: there is nothing to refuse.
        left_out.append(negative_data_rejection)
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, excluded_checks=left_out)
