"""Named faults: what goes wrong, where, how often. The choice is seeded, so a bad day can be lived again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Literal

import msgspec

from dojang.emulator.books import Webhook
from dojang.emulator.refusals import LedgerRefusal

__all__ = ["REQUEST_FAULTS", "WEBHOOK_FAULTS", "WEBHOOK_TYPES", "Fault", "Faults"]

REQUEST_FAULTS = frozenset(
    {
        "delay",
        "refuse",
        "critical",
        "timeout_before",
        "timeout_after",
        "reset",
        "html_502",
        "malformed",
        "unauthorized",
        "expire_token",
    }
)
"""What can go wrong with a request."""
WEBHOOK_FAULTS = frozenset({"drop_webhook", "duplicate_webhook", "delay_webhook", "reorder_webhooks"})
"""What can go wrong with a webhook."""
WEBHOOK_TYPES = frozenset(
    {
        "PAYMENT_COMPLETED",
        "PAYMENT_VIRTUAL_ACCOUNT_ISSUED",
        "PAYMENT_CANCELLED",
        "PAYMENT_PARTIAL_CANCELLED",
        "PAYMENT_CONFIRM_FAILED",
        "PAYMENT_REQUEST_FAILED",
        "PAYMENT_EXPIRED",
    }
)
"""Every type of webhook that the emulator sends."""

# A path is compared with what was asked, which has no placeholders, no blanks and no query.
_PLACE = re.compile(
    r"(?:(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|\*) )?/[^\s{}?#]*", re.ASCII | re.IGNORECASE
)

# Whether the request has its effect when the fault itself does not say.
_HAPPENS_ANYWAY = {"critical": True, "malformed": True, "reset": False, "html_502": False}


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong.

    Attributes:
        on: `METHOD /path-prefix`, `/path-prefix`, a webhook's type, or `*` for all.
        do: What goes wrong.
        times: How often; without it, until the faults are taken away.
        probability: How likely each time, from 0 to 1.
        delay_s: How long a delay lasts (default 1), or how long silence is kept (default 60).
        error_code: What `refuse` and `critical` answer with; by default what fits the endpoint.
        message: The words they answer with.
        pg_error_code: The payment company's code they pass on.
        http_status: The HTTP status they answer with.
        effect: Whether the request is carried out all the same (`critical malformed reset html_502`).
    """

    on: str
    do: Literal[
        "delay",
        "refuse",
        "critical",
        "timeout_before",
        "timeout_after",
        "reset",
        "html_502",
        "malformed",
        "drop_webhook",
        "duplicate_webhook",
        "delay_webhook",
        "reorder_webhooks",
        "unauthorized",
        "expire_token",
    ]
    times: int | None = None
    probability: float = 1.0
    delay_s: float | None = None
    error_code: str | None = None
    message: str | None = None
    pg_error_code: str | None = None
    http_status: int | None = None
    effect: bool | None = None

    @property
    def happens_anyway(self) -> bool:
        """Whether the request has its effect although its answer is spoilt."""
        return self.effect if self.effect is not None else _HAPPENS_ANYWAY.get(self.do, False)

    def wait_s(self, default: float) -> float:
        """How long this fault waits."""
        return default if self.delay_s is None else self.delay_s


class Faults:
    """The faults in force, oldest first."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.list: list[Fault] = []
        self.rolled = 0

    def add(self, fault: Fault) -> None:
        """Let `fault` happen from now on.

        Raises:
            LedgerRefusal: Its numbers make no sense, or it names no place where it could strike.
        """
        place = "'METHOD /path' or '/path', the beginning of a real path without {…} or query"
        told = {
            f"on must be {place}, a webhook's type ({', '.join(sorted(WEBHOOK_TYPES))}) or '*'": fault.on
            == "*"
            or fault.on in WEBHOOK_TYPES
            or _PLACE.fullmatch(fault.on) is not None,
            f"{fault.do} strikes requests, so on must be {place}, or '*'": fault.do not in REQUEST_FAULTS
            or fault.on not in WEBHOOK_TYPES,
            f"{fault.do} strikes webhooks, so on must be a webhook's type or '*'": fault.do
            not in WEBHOOK_FAULTS
            or "/" not in fault.on,
            "times must be at least 1": fault.times is None or fault.times >= 1,
            "probability must be from 0 to 1": 0 <= fault.probability <= 1,
            "delay_s must be from 0 to 86400": fault.delay_s is None or 0 <= fault.delay_s <= 86400,
            "http_status must be from 400 to 599": fault.http_status is None
            or 400 <= fault.http_status <= 599,
        }
        for sentence, true in told.items():
            if not true:
                raise LedgerRefusal("INVALID_REQUEST_PARAMS", sentence)
        self.list.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self.list.clear()

    def on_request(self, method: str, path: str) -> Iterator[Fault]:
        """The faults that strike this request: any delays, then at most one other."""
        for fault in list(self.list):
            if fault.do in REQUEST_FAULTS and _meant(fault.on, method, path) and self._strikes(fault):
                yield fault
                if fault.do != "delay":
                    return

    def on_webhook(self, webhook: Webhook) -> Fault | None:
        """The fault that strikes this webhook, if one does."""
        for fault in list(self.list):
            if fault.do in WEBHOOK_FAULTS and fault.on in ("*", webhook.type) and self._strikes(fault):
                return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        if fault.probability < 1:
            self.rolled += 1
            word = blake2b(f"{self.seed}:fault:{self.rolled}".encode(), digest_size=8).digest()
            if int.from_bytes(word) / 2**64 >= fault.probability:
                return False
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self.list.remove(fault)
        return True


def _meant(on: str, method: str, path: str) -> bool:
    if on == "*":
        return True
    wanted, _, prefix = on.rpartition(" ")
    return wanted.upper() in ("", "*", method) and prefix.startswith("/") and path.startswith(prefix)
