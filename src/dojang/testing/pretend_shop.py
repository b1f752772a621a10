"""A shop that remembers what it was handed and answers as it is told."""

from __future__ import annotations

from collections.abc import Callable

from dojang.core.delivery import Delivery
from dojang.core.order import Order
from dojang.core.receipt import Receipt
from dojang.ports import Approved, Declined, HandedOver

__all__ = ["PretendShop"]


class PretendShop:
    """`dojang.ports.Fulfilment` and `dojang.ports.Approval`.

    Attributes:
        received: Every delivery handed over, repeats included, in order.
        asked: Every receipt it was asked to approve.
        answers: What it says to the next deliveries; afterwards it takes everything.
        word: What it says before an approval.
        meanwhile: Runs while it thinks about an approval.
    """

    def __init__(self) -> None:
        self.received: list[Delivery] = []
        self.asked: list[Receipt] = []
        self.answers: list[HandedOver] = []
        self.word: Approved | Declined = Approved()
        self.meanwhile: Callable[[], object] = lambda: None

    @property
    def told(self) -> list[str]:
        """The types of what it was handed, in order."""
        return [delivery.type for delivery in self.received]

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:  # noqa: ARG002 - the port's
        """See `Fulfilment.hand_over`."""
        self.received.append(delivery)
        return self.answers.pop(0) if self.answers else HandedOver(settled=True)

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:  # noqa: ARG002
        """See `Approval.ask`."""
        self.asked.append(receipt)
        self.meanwhile()
        return self.word
