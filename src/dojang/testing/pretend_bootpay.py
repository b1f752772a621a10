"""Bootpay as a use case meets it: the emulator's ledger behind the real gateway, with faults on call.

bootpay = PretendBootpay(clock)
receipt_id = bootpay.pay("o1", 1000)
bootpay.on("confirm", Fault.LOST_AFTER)         # the next approval happens, but its answer is lost
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

import msgspec

from dojang.adapters.gateway import GatewayV2
from dojang.bootpay.answers import result_of
from dojang.bootpay.call import Answer, Call
from dojang.core.order import ReceiptId
from dojang.emulator.asking import Ask, read_body
from dojang.emulator.ledger import Checkout, Ledger, LedgerRefusal
from dojang.emulator.v2 import ROUTES
from dojang.errors import NotSent, OutcomeUnknown
from dojang.ports import Clock

__all__ = ["Fault", "PretendBootpay"]

T = TypeVar("T")


class Fault(Enum):
    """What may go wrong with one call."""

    NOT_SENT = "not_sent"
    """It never leaves."""
    LOST_BEFORE = "lost_before"
    """It is lost on the way there, but the caller cannot know that."""
    LOST_AFTER = "lost_after"
    """It is carried out and the answer is lost."""


class PretendBootpay(GatewayV2):
    """`dojang.ports.Gateway` over the emulator's ledger, through the same reading and judging as the real one.

    Attributes:
        ledger: Bootpay's books: open, approve, tamper, cancel there.
        calls: How often each endpoint was asked: `receipt`, `confirm`, `cancel`, `lookup/order`.

    Args:
        clock: Bootpay's time is this clock's.
        seed: What ids are made of.
    """

    def __init__(self, clock: Clock, *, seed: int = 0) -> None:
        self.ledger = Ledger(seed=seed, clock=lambda: clock.now().timestamp())
        self.calls: Counter[str] = Counter()
        self._script: dict[str, list[Fault | LedgerRefusal]] = {}
        self._meanwhile: dict[str, list[Callable[[], object]]] = {}
        super().__init__(self._answer)

    def on(self, endpoint: str, *faults: Fault | LedgerRefusal) -> None:
        """Let the next calls of an endpoint go wrong, one fault each. A `LedgerRefusal` is Bootpay's no."""
        self._script.setdefault(endpoint, []).extend(faults)

    def meanwhile(self, endpoint: str, do: Callable[[], object]) -> None:
        """Let something happen after the endpoint's next answer was made and before it arrives."""
        self._meanwhile.setdefault(endpoint, []).append(do)

    def open(self, order_id: str, price: int, **terms: object) -> ReceiptId:
        """A payment window: status 0."""
        checkout = msgspec.convert({"order_id": order_id, "price": price, **terms}, Checkout)
        return ReceiptId(self.ledger.open_checkout(checkout).receipt_id)

    def pay(self, order_id: str, price: int, **terms: object) -> ReceiptId:
        """A buyer who pays at once: status 1."""
        receipt_id = self.open(order_id, price, **terms)
        self.ledger.approve(receipt_id)
        return receipt_id

    def agree(self, order_id: str, price: int, **terms: object) -> ReceiptId:
        """A buyer who agrees to a payment that the server must approve: status 2."""
        return self.pay(order_id, price, separately_confirmed=True, **terms)

    def issue(self, order_id: str, price: int, **terms: object) -> ReceiptId:
        """A buyer who takes a virtual account: status 5."""
        receipt_id = self.open(order_id, price, **terms)
        self.ledger.issue(receipt_id)
        return receipt_id

    def status(self, receipt_id: ReceiptId) -> int:
        """Where a receipt stands at Bootpay."""
        return self.ledger.find(receipt_id).status

    async def _answer(self, call: Call[T], within_s: float, /) -> T:
        endpoint = call.template.partition("/{")[0] or call.path
        self.calls[endpoint] += 1
        scripted = self._script.get(endpoint)
        fault = scripted.pop(0) if scripted else None
        if within_s <= 0 or fault is Fault.NOT_SENT:
            raise NotSent(f"{call.label} never left")
        if fault is Fault.LOST_BEFORE:
            raise OutcomeUnknown(f"{call.label} got no answer")
        answer = self._refused(fault) if isinstance(fault, LedgerRefusal) else self._carried_out(call)
        for do in self._meanwhile.pop(endpoint, ()):
            do()
        if fault is Fault.LOST_AFTER:
            raise OutcomeUnknown(f"{call.label} got no answer")
        return result_of(call, answer)

    def _carried_out(self, call: Call[T]) -> Answer:
        body = msgspec.json.encode(call.body or {}, enc_hook=float)
        for route in ROUTES:
            found = route.pattern.fullmatch(f"/v2/{call.path}") if route.method == call.method else None
            if found is not None:
                ask = Ask(found.groupdict(), dict(call.query or {}), read_body(body))
                try:
                    return Answer(200, msgspec.json.encode(route.answer(self.ledger, ask)))
                except LedgerRefusal as refusal:
                    return self._refused(refusal)
        return self._refused(LedgerRefusal("NOT_FOUND"))

    @staticmethod
    def _refused(refusal: LedgerRefusal) -> Answer:
        words = {"error_code": refusal.error_code, "message": refusal.message}
        return Answer(refusal.http_status, msgspec.json.encode(words))
