"""The first generation of Bootpay's API as a use case meets it: the emulator's ledger behind the real gateway.

It says less than the second (`PretendBootpay`): neither lists of an order's receipts nor whether one is a test.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from dojang.adapters.gateway_v1 import GatewayV1
from dojang.bootpay.answers import result_of
from dojang.bootpay.call import Answer, Call
from dojang.emulator.asking import Ask, read_body
from dojang.emulator.ledger import Ledger, LedgerRefusal
from dojang.emulator.v1 import ROUTES
from dojang.errors import NotSent
from dojang.ports import Clock

__all__ = ["PretendFirstGeneration"]

T = TypeVar("T")


class PretendFirstGeneration(GatewayV1):
    """`dojang.ports.Gateway` over the emulator's ledger, through the real reading of first-generation bodies.

    Attributes:
        ledger: Bootpay's books.

    Args:
        clock: Bootpay's time is this clock's.
        seed: What ids are made of.
    """

    def __init__(self, clock: Clock, *, seed: int = 0) -> None:
        self.ledger = Ledger(seed=seed, clock=lambda: clock.now().timestamp())
        super().__init__(self._answer)

    async def _answer(self, call: Call[T], within_s: float, /) -> T:
        if within_s <= 0:
            raise NotSent(f"{call.label} never left")
        return result_of(call, self._carried_out(call))

    def _carried_out(self, call: Call[T]) -> Answer:
        body = msgspec.json.encode(call.body or {}, enc_hook=float)
        for route in ROUTES:
            found = route.pattern.fullmatch(f"/{call.path}") if route.method == call.method else None
            if found is not None:
                ask = Ask(found.groupdict(), dict(call.query or {}), read_body(body))
                try:
                    data = route.answer(self.ledger, ask)
                except LedgerRefusal as refusal:
                    return _refused(refusal)
                words = {"status": 200, "code": 0, "message": "", "data": data}
                return Answer(200, msgspec.json.encode(words))
        return _refused(LedgerRefusal("NOT_FOUND"))


def _refused(refusal: LedgerRefusal) -> Answer:
    words = {"status": refusal.v1_status, "code": refusal.v1_code, "message": refusal.message}
    return Answer(refusal.v1_status, msgspec.json.encode(words))
