"""A gateway that is never asked faster than allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dojang.core.order import OrderId, ReceiptId
from dojang.core.pace import Pace
from dojang.core.receipt import Receipt
from dojang.ports import Clock, Gateway

__all__ = ["PacedGateway"]


class PacedGateway:
    """`dojang.ports.Gateway` that takes its time, and counts.

    A call that moves money does not wait, because its intent's lease runs; the next look waits for it as well.

    Attributes:
        calls: How often Bootpay was asked.

    Args:
        gateway: Who asks.
        clock: Time.
        pace: Whose turns are taken; whoever else has it waits for these calls as well.
    """

    def __init__(self, gateway: Gateway, clock: Clock, pace: Pace) -> None:
        self.calls = 0
        self._gateway = gateway
        self._clock = clock
        self._pace = pace

    def _count(self) -> float:
        self.calls += 1
        return self._pace.turn(self._clock.monotonic())

    async def _turn(self) -> None:
        wait_s = self._count()
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        await self._turn()
        return await self._gateway.look_up(receipt_id, within_s)

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """See `Gateway.look_up_order`."""
        await self._turn()
        return await self._gateway.look_up_order(order_id, within_s)

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        self._count()
        return await self._gateway.confirm(receipt_id, within_s)

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
        self._count()
        return await self._gateway.cancel(
            receipt_id,
            within_s,
            cancel_id=cancel_id,
            amount=amount,
            tax_free=tax_free,
            currency=currency,
            reason=reason,
            refund_account=refund_account,
        )
