"""A shop in memory: real use cases and store, a Bootpay that says what the test wrote down, an obedient clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.decision import Decision
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Record
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.drive import inline, run
from dojang.errors import BootpayError
from dojang.ports import Approval, Approved, Declined, Throttle, World
from dojang.web.http import Request, Response
from dojang.web.routes import Api, WebOptions

KEY = "shop-key-0123456789abcdef"
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """The present moment."""
        return self.at

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return (self.at - START).total_seconds()

    async def sleep(self, seconds: float, /) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


class Bootpay:
    """Says what the test wrote down."""

    def __init__(self) -> None:
        self.receipts: dict[str, Receipt] = {}
        self.error: BootpayError | Exception | None = None
        self.asked = 0

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """One receipt."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.receipts.get(receipt_id)

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> list[Receipt]:
        """All receipts of an order."""
        return [receipt for receipt in self.receipts.values() if receipt.order_id == order_id]

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """Approve."""
        receipt = replace(self.receipts[receipt_id], status=ReceiptStatus.PAID)
        self.receipts[receipt_id] = receipt
        return receipt

    async def cancel(self, receipt_id: ReceiptId, within_s: float, /, **_: object) -> None:
        """Give everything back."""
        self.receipts[receipt_id] = replace(self.receipts[receipt_id], status=ReceiptStatus.CANCELLED)


class Memory(MemoryBackend):
    """The store in memory, which can be made to fail as a database does."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None

    def _maybe_fail(self) -> None:
        if self.error is not None:
            raise self.error

    def load(self, order_id: OrderId, receipt_id: ReceiptId | None = None, /) -> Record | None:
        """Fail or load."""
        self._maybe_fail()
        return super().load(order_id, receipt_id)

    def register(self, order: Order, *rest: Any) -> Any:
        """Fail or register."""
        self._maybe_fail()
        return super().register(order, *rest)

    def receive(self, *rest: Any) -> Any:
        """Fail or keep."""
        self._maybe_fail()
        return super().receive(*rest)

    def orders(self, *rest: Any) -> Any:
        """Fail or list."""
        self._maybe_fail()
        return super().orders(*rest)

    def retry_delivery(self, *rest: Any) -> Any:
        """Fail or make due again."""
        self._maybe_fail()
        return super().retry_delivery(*rest)

    def commit(self, record: Record, decision: Decision, /) -> Record:
        """Fail or commit."""
        self._maybe_fail()
        return super().commit(record, decision)

    @property
    def stored(self) -> tuple[int, int, int]:
        """How many orders, events and notices there are."""
        return (
            len(self._records),
            sum(len(events) for events in self._events.values()),
            len(self._inbox),
        )


class Answering:
    """The shop's word before money moves."""

    def __init__(self, word: Approved | Declined) -> None:
        self.word = word

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
        """Say it."""
        return self.word


@dataclass
class Answer:
    """A response, its body read."""

    response: Response
    status: int = field(init=False)
    headers: Mapping[str, str] = field(init=False)
    body: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.status = self.response.status
        self.headers = self.response.headers
        self.body = self.response.body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        return str(self.json["code"])


class Shop:
    """Everything a test needs to ask the API something."""

    def __init__(
        self,
        options: WebOptions | None = None,
        rules: Rules | None = None,
        approval: Approval | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        self.clock = Clock()
        self.bootpay = Bootpay()
        self.memory = Memory()
        self.world = World(
            store=AwaitedStore(self.memory, inline),
            gateway=self.bootpay,
            clock=self.clock,
            approval=approval,
            throttle=throttle,
            rules=rules or Rules(),
        )
        self.api = Api(self.world, options or WebOptions(api_keys=(KEY,)))

    def ask(
        self,
        method: str,
        path: str,
        body: object = b"",
        *,
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
        source: str | None = "203.0.113.9",
    ) -> Answer:
        """Ask the API; a body that is no bytes is sent as JSON."""
        sent = dict(headers or {})
        if key is not None:
            sent.setdefault("authorization", f"Bearer {key}")
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        plain, _, query = path.partition("?")
        return Answer(run(self.api.handle(Request(method, plain, query, sent, data, source))))

    def register(self, order_id: str = "o1", **terms: Any) -> Answer:
        """Register an order of 3000 won."""
        return self.ask("POST", "/v1/orders", {"order_id": order_id, "price": 3000, "name": "커피"} | terms)

    def verify(self, receipt_id: str, order_id: str = "o1") -> Answer:
        """Come back from checkout."""
        return self.ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": receipt_id}, key=None)

    def receipt(self, number: int = 1, **facts: Any) -> str:
        """Let Bootpay know a receipt: paid, 3000 won, for order o1, unless told otherwise."""
        receipt_id = ReceiptId(f"{number:024x}")
        known: dict[str, Any] = {
            "order_id": "o1",
            "status": ReceiptStatus.PAID,
            "price": 3000,
            "purchased_at": self.clock.now(),
        }
        self.bootpay.receipts[receipt_id] = Receipt(id=receipt_id, **(known | facts))
        return receipt_id


@pytest.fixture
def shop() -> Shop:
    """A shop with one key."""
    return Shop()


@pytest.fixture
def open_shop() -> Callable[..., Shop]:
    """Makes a shop with choices of its own."""
    return Shop


@pytest.fixture
def declining() -> Approval:
    """A shop that does not want the money."""
    return Answering(Declined("sold out: 010-1234-5678"))
