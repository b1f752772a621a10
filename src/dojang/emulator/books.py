"""What the pretend Bootpay remembers, and the two things it must not invent: time and ids.

Everything it knows is one `State`, a plain record that can be copied, compared and written as JSON. Time is a clock
handed in (or stands still), ids are counted and mixed with a seed: the same steps give the same ids, always.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from hashlib import blake2b
from typing import ClassVar, Self

import msgspec

from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.rules import Keys, Rules

__all__ = ["BillingKey", "Books", "Json", "Money", "Receipt", "Reserve", "State", "Token", "Webhook"]

Json = dict[str, object]
"""An object as it travels."""
Money = int | float
"""An amount: whole where the currency has no smaller coin."""

# 2026-01-01 00:00 in Korea: where time stands when no clock is handed in.
DAY_ONE = 1_767_193_200.0


class Receipt(msgspec.Struct, kw_only=True):
    """One checkout, issuance, identity check or cash receipt, as Bootpay's books hold it."""

    receipt_id: str
    order_id: str
    price: Money
    order_name: str
    requested_at: float
    kind: str = "payment"  # payment | billing | identity | cash
    generation: int = 2
    status: int = 0
    tax_free: Money = 0
    cancelled_price: Money = 0
    cancelled_tax_free: Money = 0
    currency: str = "KRW"
    pg: str = "nicepay"
    method: str = "card"
    method_origin: str = "card"
    sandbox: bool = False
    metadata: object = msgspec.field(default_factory=dict)
    user: Json | None = None
    separately_confirmed: bool = False
    escrow: bool = False
    closed: bool = False
    authorised_at: float | None = None
    purchased_at: float | None = None
    cancelled_at: float | None = None
    cancel_ids: list[str] = []
    # Details of the card, account or telephone: written when the money is agreed on.
    details: Json | None = None
    escrow_data: Json | None = None
    cash_receipt_data: Json | None = None
    account_expires_at: float | None = None
    # Where webhooks go: None is the project's own address, "" is nowhere.
    webhook_url: str | None = None
    webhook_form: bool = False
    webhook_typed: bool = True
    webhook_delay_s: float = 0
    error_webhooks: bool = False
    event_webhooks: bool = False
    # Ties to other records.
    subscription_id: str = ""
    billing_key: str = ""
    charge_receipt_id: str = ""
    authentication: Json | None = None
    # What a tester did to the receipt: values shown instead of the true ones, and fields left out.
    tampered: Json = {}
    missing: list[str] = []


class BillingKey(msgspec.Struct, kw_only=True):
    """One key that stands for a buyer's card or account."""

    billing_key: str
    receipt_id: str
    data: Json
    expires_at: float
    published_at: float
    user_id: str = ""
    destroyed_at: float | None = None


class Reserve(msgspec.Struct, kw_only=True):
    """One charge that Bootpay will make by itself at its time."""

    reserve_id: str
    billing_key: str
    order_id: str
    order_name: str
    price: Money
    tax_free: Money
    requested_at: float
    execute_at: float
    generation: int = 2
    user: Json | None = None
    items: list[object] = []
    metadata: object = msgspec.field(default_factory=dict)
    extra: Json = {}
    card_quota: str = "00"
    feedback_url: str = ""
    content_type: str = ""
    status: int = 0  # 0 waiting, 1 done, 2 failed, 3 cancelled
    receipt_id: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    revoked_at: float | None = None


class Token(msgspec.Struct, kw_only=True):
    """An access token and its life."""

    token: str
    application_id: str
    generation: int
    issued_at: float
    expires_at: float


class Attempt(msgspec.Struct, kw_only=True):
    """One try at handing a webhook over, and what came back."""

    at: float
    status: int | None = None
    answer: str = ""
    error: str = ""


class Webhook(msgspec.Struct, kw_only=True):
    """One notification owed to the shop."""

    id: str
    receipt_id: str
    generation: int
    type: str
    url: str
    form: bool
    body: Json
    created_at: float
    due_at: float
    verdict: str = "pending"  # pending | acknowledged | failed | dropped
    in_flight: bool = False
    attempts: list[Attempt] = []
    # Sends made by hand are tried once more each, outside the schedule.
    resends: int = 0
    # Set once the faults have had their say, so that a held webhook is not held for ever.
    judged: bool = False


class State(msgspec.Struct, kw_only=True):
    """Everything there is to remember."""

    seed: str
    serial: int = 0
    # What the first eight digits of ids count from; None: they are the present, as Bootpay's are.
    ids_from: int | None = None
    frozen_at: float | None = DAY_ONE
    offset_s: float = 0.0
    receipts: dict[str, Receipt] = {}
    by_order: dict[str, list[str]] = {}
    billing_keys: dict[str, BillingKey] = {}
    reserves: dict[str, Reserve] = {}
    tokens: dict[str, Token] = {}
    webhooks: dict[str, Webhook] = {}
    owed: list[str] = []
    # (due, serial, what, id): what happens by itself as time passes, soonest first.
    timers: list[tuple[float, int, str, str]] = []
    # The pair last used for a token: first-generation webhooks carry the project's private key.
    application_id: str = "emulator-application-id"
    private_key: str = "emulator-private-key"


class Books:
    """The state with its clock and its counter of ids.

    Args:
        rules: Bootpay's habits, where they can differ.
        keys: The only keys accepted, or any when left out.
        seed: What ids are made of. Same seed, same steps at the same times: same ids.
        same_ids: Make ids without the present, so that the same steps give the same ids at any time.
        clock: Seconds since 1970, or None for a time that stands still until it is moved.
        webhook_url: The project's own webhook address; "" when it has none.
    """

    DUE: ClassVar[dict[str, str]] = {}
    """What a timer stands for: the name of the method that runs when it is due."""

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        keys: Keys | None = None,
        seed: int | str = 0,
        same_ids: bool = False,
        clock: Callable[[], float] | None = None,
        webhook_url: str = "",
    ) -> None:
        self.rules = rules if rules is not None else Rules()
        self.keys = keys if keys is not None else Keys()
        self.webhook_url = webhook_url
        self.clock = clock
        self.state = State(seed=str(seed), ids_from=_ids_from(str(seed)) if same_ids else None)
        self.changes = 0
        self._acting_at: float | None = None
        self.forget()

    # Remembering and forgetting

    def forget(self) -> None:
        """Forget everything; time is the clock's again. Ids go on, so that none is ever given twice."""
        self.state = State(
            seed=self.state.seed,
            serial=self.state.serial,
            ids_from=self.state.ids_from,
            frozen_at=DAY_ONE if self.clock is None else None,
        )
        self.state.application_id = self.keys.application_id or self.state.application_id
        self.state.private_key = self.keys.private_key or self.state.private_key
        self.changes += 1

    def snapshot(self) -> bytes:
        """Everything remembered, as JSON."""
        return msgspec.json.encode(self.state)

    def restore(self, snapshot: bytes) -> None:
        """Remember what `snapshot` holds instead.

        Raises:
            ValueError: The bytes are not a snapshot; nothing was changed.
        """
        self.state = msgspec.json.decode(snapshot, type=State)
        for webhook in self.state.webhooks.values():
            webhook.in_flight = False  # whoever was sending it is gone
        self.changes += 1

    def copy(self) -> Self:
        """An independent twin: what happens to one does not happen to the other."""
        twin = type(self)(
            self.rules, keys=self.keys, seed=self.state.seed, clock=self.clock, webhook_url=self.webhook_url
        )
        twin.state = msgspec.json.decode(self.snapshot(), type=State)
        return twin

    # Time

    def now(self) -> float:
        """Bootpay's present, in seconds since 1970."""
        if self._acting_at is not None:
            return self._acting_at
        if self.state.frozen_at is not None:
            return self.state.frozen_at
        assert self.clock is not None
        return self.clock() + self.state.offset_s

    def advance(self, seconds: float) -> float:
        """Let time pass, with all that happens by itself meanwhile; answers the new present."""
        if self.state.frozen_at is not None:
            self.state.frozen_at += seconds
        else:
            self.state.offset_s += seconds
        self.changes += 1
        self.tick()
        return self.now()

    def set_now(self, at: float) -> float:
        """Make it `at` and let it stay so until time is moved again."""
        self.state.frozen_at = at
        self.changes += 1
        self.tick()
        return at

    def tick(self) -> None:
        """Do what became due, oldest first, each at its own moment."""
        timers = self.state.timers
        while timers and timers[0][0] <= self.now():
            due, _, what, about = heapq.heappop(timers)
            before, self._acting_at = self._acting_at, due
            try:
                getattr(self, self.DUE[what])(about)
            finally:
                self._acting_at = before
            self.changes += 1

    def next_due(self) -> float | None:
        """When something will next happen by itself, if anything will."""
        return self.state.timers[0][0] if self.state.timers else None

    def _later(self, due: float, what: str, about: str) -> None:
        heapq.heappush(self.state.timers, (due, self._next(), what, about))

    # Ids

    def _next(self) -> int:
        self.state.serial += 1
        return self.state.serial

    def _mixed(self, size: int) -> str:
        word = f"{self.state.seed}:{self._next()}".encode()
        return blake2b(word, digest_size=size).hexdigest()

    def new_id(self) -> str:
        """A fresh id of Bootpay's form: 24 hexadecimal digits, the first eight of them a time that only grows."""
        mixed = self._mixed(8)
        began = self.state.ids_from
        return f"{(int(self.now()) if began is None else began + self.state.serial) & 0xFFFFFFFF:08x}{mixed}"

    def new_token(self) -> str:
        """A fresh access token: 64 hexadecimal digits."""
        return self._mixed(32)

    def new_digits(self, length: int) -> str:
        """Fresh decimal digits, as payment companies number approvals and accounts."""
        return str(int(self._mixed(16), 16))[-length:].rjust(length, "0")

    # Finding

    def find(self, receipt_id: str) -> Receipt:
        """The record of a receipt.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`.
        """
        receipt = self.state.receipts.get(receipt_id)
        if receipt is None:
            raise LedgerRefusal("RC_NOT_FOUND")
        return receipt

    def _record(self, receipt: Receipt) -> Receipt:
        self.state.receipts[receipt.receipt_id] = receipt
        self.state.by_order.setdefault(receipt.order_id, []).append(receipt.receipt_id)
        self.changes += 1
        return receipt


def _ids_from(seed: str) -> int:
    """A second of the year that begins at `DAY_ONE`, drawn from the seed."""
    drawn = int.from_bytes(blake2b(f"{seed}:ids".encode(), digest_size=8).digest())
    return int(DAY_ONE) + drawn % (365 * 86_400)
