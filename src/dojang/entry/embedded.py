"""dojang inside another program: the same use cases as plain method calls, no server and no event loop.

```python
from dojang import Dojang

with Dojang(store="sqlite:///shop.sqlite3", mode="emulator", fulfil=hand_over_goods) as dojang:
    dojang.register("o-1", price=3000, name="테스트음식")
    outcome = dojang.verify("o-1", receipt_id)
    if outcome.state == "paid":
        dojang.deliver()  # calls hand_over_goods(delivery_id, message), exactly once in effect
```
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from dojang.adapters.fulfilment import FunctionApproval, FunctionFulfilment
from dojang.bootpay.forking import Forking
from dojang.core.decision import Accepted, Answer, Refusal
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.receipt import Account
from dojang.core.verification import Reason
from dojang.drive import inline, run
from dojang.entry.settings import read_settings
from dojang.entry.wiring import blocking_world
from dojang.errors import Conflict, InvalidValue
from dojang.ports import World
from dojang.usecases.deliver_owed import DeliveryReport, deliver_owed
from dojang.usecases.reconcile import ReconcileReport, reconcile
from dojang.usecases.register_order import OrderExists, register_order
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown, Throttled, verify

__all__ = ["Dojang", "Outcome"]

log = logging.getLogger("dojang.entry")
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a verification.

    Attributes:
        state: `paid`, `awaiting_deposit`, `pending` (ask again) or `refused`.
        reason: Why it was refused.
        replayed: True where an earlier answer is repeated.
        account: Where to pay, while a deposit is awaited.
    """

    state: str
    reason: Reason | None = None
    replayed: bool = False
    account: Account | None = None


class Dojang:
    """The use cases as methods. Serves many threads; calls of one object take turns at the store.

    It may be made before a server forks its workers: each of them opens connections of its own.

    Args:
        fulfil: Called by `deliver` with `(delivery_id, message)` for everything owed; must do nothing the second time
            it sees the same id, also while the first call is still going on: one that takes longer than 90 seconds
            may be made again meanwhile by another process or object (never by this one). What takes long belongs
            into a queue of yours. What it raises is logged with the place, and the delivery is owed again. By default
            DOJANG_DELIVER_TO is told.
        approve: Called before money moves with `(order_id, price, metadata)`: True, or a sentence why not. What it
            raises is logged with the place, and nothing is approved.
        settings: The keys of the environment in lower case without their prefix where that is unambiguous
            (`store`, `mode`, `client_key`, `secret_key`, `application_id`, `private_key`, `url`, `api`,
            `on_mismatch`, `late_payment`); what is not given comes from the environment and `dojang.toml`.

    Raises:
        InvalidValue: If there is no such argument.
        ConfigError: If a setting is missing or contradicts another.
    """

    def __init__(
        self,
        *,
        fulfil: Callable[[str, Mapping[str, object]], object] | None = None,
        approve: Callable[[str, int | float, Mapping[str, object]], bool | str] | None = None,
        **settings: str,
    ) -> None:
        unknown = settings.keys() - _KEYS.keys()
        if unknown:
            raise _unknown(min(unknown))
        self._settings = read_settings({_KEYS[name]: value for name, value in settings.items()})
        self._fulfil, self._approve = fulfil, approve
        self._begin()
        self._open()
        _forking.add(self)

    def _begin(self) -> None:
        """Nothing is open yet."""
        self._stack = ExitStack()
        self._ports: World | None = None
        self._opening, self._delivering = threading.Lock(), threading.Lock()

    def _open(self) -> World:
        world = blocking_world(self._settings, self._stack)
        if self._fulfil is not None:
            world = replace(world, fulfilment=FunctionFulfilment(_watched("fulfil", self._fulfil), inline))
        if self._approve is not None:
            world = replace(world, approval=FunctionApproval(_watched("approve", self._approve), inline))
        self._ports = world
        return world

    @property
    def _world(self) -> World:
        """The ports, opened anew after a fork: two processes on one connection get each other's answers."""
        with self._opening:
            return self._ports or self._open()

    def _after_fork(self) -> None:
        # Never closed here: the other process goes on with what it holds.
        _left_behind.append(self._stack)
        self._begin()

    def register(
        self,
        order_id: str,
        *,
        price: object,
        name: str,
        currency: str = "KRW",
        tax_free: object = 0,
        expires_at: datetime | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> bool:
        """Put an order on file before checkout; True if it is new, False if the same was there.

        Raises:
            InvalidValue: If a term cannot be.
            Conflict: If another order is on file under this id.
        """
        order = Order(
            id=OrderId(order_id),
            price=Money.parse(price, currency),
            name=name,
            tax_free=Money.parse(tax_free, currency, what="tax_free").minor,
            expires_at=expires_at,
            metadata=metadata or {},
        )
        registered = run(register_order(self._world, order))
        if isinstance(registered, OrderExists):
            raise Conflict(
                f"order {order_id} is on file with other terms: {registered.difference} "
                f"(같은 order_id로 다른 조건의 주문이 있습니다. 다른 항목: {', '.join(registered.differs)})"
            )
        return registered.created

    def verify(self, order_id: str, receipt_id: str, *, within_s: float = 20.0) -> Outcome:
        """Tell whether this receipt pays for this order, and write down what follows.

        Raises:
            InvalidValue: If an id cannot be one, or no such order or receipt exists.
            BootpayError: If Bootpay cannot be asked; nothing has been decided.
        """
        result = run(verify(self._world, OrderId(order_id), ReceiptId(receipt_id), within_s=within_s))
        match result:
            case OrderUnknown():
                raise InvalidValue(f"order {order_id} was never registered (등록되지 않은 주문입니다)")
            case ReceiptUnknown():
                raise InvalidValue("Bootpay knows no such receipt (부트페이에 없는 영수증입니다)")
            case Throttled():
                return Outcome(state="pending")
            case _:
                return _outcome(result.answer)

    def deliver(self, *, limit: int = 100) -> DeliveryReport:
        """Hand over what is owed and due, once each. Call it after a verification, and now and then."""
        with self._delivering:
            return run(deliver_owed(self._world, limit=limit))

    def reconcile(self, *, everything: bool = False) -> ReconcileReport:
        """Ask Bootpay about everything unfinished. Call it every few minutes."""
        return run(reconcile(self._world, everything=everything))

    def close(self) -> None:
        """Close the store and the connections."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


_left_behind: list[ExitStack] = []
_forking: Forking[Dojang] = Forking(Dojang._after_fork)


def _unknown(name: str) -> InvalidValue:
    # Only an error waits for this import.
    from difflib import get_close_matches

    known = ["fulfil", "approve", *_KEYS]
    close = get_close_matches(name, known, n=1)
    guess = f": did you mean {close[0]}? (혹시 {close[0]}인가요?)" if close else ""
    return InvalidValue(f"unknown setting {name}{guess}; known are {', '.join(known)}")


def _watched(name: str, function: Callable[P, T]) -> Callable[P, T]:
    """The shop's own function, whose mistakes are told where its programmer looks: Python shows errors unasked."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            # Only an error waits for this import.
            from dojang.web.problems import trace_of

            log.error("%s failed: %s", name, trace_of(error))  # noqa: TRY400 - see trace_of
            raise

    return call


def _outcome(answer: Answer) -> Outcome:
    match answer:
        case Accepted():
            return Outcome(state=answer.state, replayed=answer.replayed, account=answer.account)
        case Refusal():
            return Outcome(state="refused", reason=answer.reason)
        case _:
            return Outcome(state="pending")


_KEYS = {
    "store": "DOJANG_STORE",
    "mode": "DOJANG_MODE",
    "client_key": "BOOTPAY_CLIENT_KEY",
    "secret_key": "BOOTPAY_SECRET_KEY",
    "application_id": "BOOTPAY_APPLICATION_ID",
    "private_key": "BOOTPAY_PRIVATE_KEY",
    "url": "BOOTPAY_URL",
    "api": "BOOTPAY_API",
    "deliver_to": "DOJANG_DELIVER_TO",
    "deliver_secret": "DOJANG_DELIVER_SECRET",
    "on_mismatch": "DOJANG_ON_MISMATCH",
    "late_payment": "DOJANG_LATE_PAYMENT",
}
