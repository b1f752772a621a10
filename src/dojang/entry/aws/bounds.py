"""The time one invocation has, and ports that keep to it: nothing that moves money starts without time to finish.

A function that is out of time is killed without a word. So every question to the outside ends before that, and what
was begun is written down while there still is time; what cannot be finished is left as a lease for `reconcile`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from dojang.adapters.store import AwaitedStore, Backend
from dojang.core.decision import Decision
from dojang.core.delivery import Delivery
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Record, State
from dojang.core.receipt import Receipt
from dojang.drive import inline
from dojang.errors import OutcomeUnknown, OutOfTime
from dojang.ports import Approval, Approved, Declined, Fulfilment, Gateway, HandedOver

__all__ = ["BoundedApproval", "BoundedFulfilment", "BoundedGateway", "Bounds", "WatchedStore"]

# A use case asks for four seconds before it writes an intent down; the call itself follows a moment later.
_TIME_TO_MOVE_MONEY_S = 3.0
_TIME_TO_WRITE_IT_DOWN_S = 1.5
_TIME_FOR_THE_SHOP_S = 0.1
# Of the second that the invocation keeps for its answer: enough for a table that is well.
_TIME_FOR_ONE_TRY_S = 0.25


class Bounds:
    """How long the invocation under way may still take, and what it has seen that an operator wants to know.

    Attributes:
        unknown_outcomes: How often money may have moved without our being told.
        attention: How many orders have come to need a person.

    Args:
        monotonic: Seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until = 0.0
        self._keep_s = 0.0
        self.unknown_outcomes = 0
        self.attention = 0

    def begin(self, left_s: float, *, keep_s: float = 0.0) -> None:
        """Another invocation begins.

        Args:
            left_s: How long it has.
            keep_s: How much of that a look-up leaves, so that what it leads to can be finished.
        """
        self._until = self._monotonic() + left_s
        self._keep_s = keep_s
        self.unknown_outcomes = 0
        self.attention = 0

    @property
    def left_s(self) -> float:
        """Seconds left; negative when it is over."""
        return self._until - self._monotonic()

    def to_look(self, within_s: float) -> float:
        """How long a question may take that changes nothing.

        Raises:
            OutOfTime: If there is no time for it.
        """
        granted_s = min(within_s, self.left_s - self._keep_s)
        return self._granted(granted_s, enough=granted_s > 0)

    def to_ask_the_shop(self, within_s: float) -> float:
        """How long the shop may take to agree; no answer is a no, so it always has a moment."""
        return max(_TIME_FOR_THE_SHOP_S, min(within_s, self.left_s - self._keep_s))

    def to_move_money(self, within_s: float) -> float:
        """How long a call may take that moves money.

        Raises:
            OutOfTime: If it could not be finished.
        """
        enough = self.left_s >= _TIME_TO_MOVE_MONEY_S
        return self._granted(min(within_s, self.left_s - _TIME_TO_WRITE_IT_DOWN_S), enough=enough)

    def _granted(self, within_s: float, *, enough: bool) -> float:
        if not enough:
            raise OutOfTime("the function's time was nearly over, so nothing was sent")
        return within_s

    def for_the_store(self, writes: bool) -> float:
        """How long a request to the store may take.

        A read leaves what is kept for writing down what money did; a write may use it up. Either is tried, however
        late it is: a state that was waited for is read at the very end, and a table that is well answers at once.
        """
        left_s = self.left_s if writes else self.left_s - _TIME_TO_WRITE_IT_DOWN_S
        return max(_TIME_FOR_ONE_TRY_S, left_s)

    @contextmanager
    def doubt(self) -> Iterator[None]:
        """Count an outcome that stays unknown."""
        try:
            yield
        except OutcomeUnknown:
            self.unknown_outcomes += 1
            raise


class BoundedGateway:
    """`dojang.ports.Gateway` within bounds."""

    def __init__(self, gateway: Gateway, bounds: Bounds) -> None:
        self._gateway = gateway
        self._bounds = bounds

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        return await self._gateway.look_up(receipt_id, self._bounds.to_look(within_s))

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """See `Gateway.look_up_order`."""
        return await self._gateway.look_up_order(order_id, self._bounds.to_look(within_s))

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        within_s = self._bounds.to_move_money(within_s)
        with self._bounds.doubt():
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
        within_s = self._bounds.to_move_money(within_s)
        with self._bounds.doubt():
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


class BoundedFulfilment:
    """`dojang.ports.Fulfilment` within bounds."""

    def __init__(self, fulfilment: Fulfilment, bounds: Bounds) -> None:
        self._fulfilment = fulfilment
        self._bounds = bounds

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """See `Fulfilment.hand_over`."""
        within_s = min(within_s, self._bounds.left_s - _TIME_TO_WRITE_IT_DOWN_S)
        if within_s <= 0:
            return HandedOver(settled=False, words="no time was left to hand it over")
        return await self._fulfilment.hand_over(delivery, within_s)


class BoundedApproval:
    """`dojang.ports.Approval` within bounds."""

    def __init__(self, approval: Approval, bounds: Bounds) -> None:
        self._approval = approval
        self._bounds = bounds

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
        """See `Approval.ask`."""
        return await self._approval.ask(order, receipt, self._bounds.to_ask_the_shop(within_s))


class WatchedStore(AwaitedStore):
    """The store, and who passes into `attention` through it."""

    def __init__(self, backend: Backend, bounds: Bounds) -> None:
        super().__init__(backend, inline)
        self._bounds = bounds

    async def commit(self, record: Record, decision: Decision, /) -> Record:
        """See `Store.commit`."""
        after = await super().commit(record, decision)
        was, is_now = record.payment.state, decision.payment.state
        if is_now is State.ATTENTION and was is not State.ATTENTION:
            self._bounds.attention += 1
        return after
