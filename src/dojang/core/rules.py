"""What a shop may choose, as plain values."""

from __future__ import annotations

from enum import StrEnum

from dojang.core.values import Value

__all__ = ["LatePayment", "Mode", "OnMismatch", "Rules"]


class Mode(StrEnum):
    """Which receipts count."""

    LIVE = "live"
    """Real money: sandbox receipts are refused."""
    SANDBOX = "sandbox"
    """Tests against Bootpay: receipts of real payments are refused."""
    EMULATOR = "emulator"
    """Our own pretend Bootpay; judges as `live` does, so that tests see what production will do."""


class OnMismatch(StrEnum):
    """What to do with money that must not be kept."""

    CANCEL = "cancel"
    """Owe it back and send it back."""
    HOLD = "hold"
    """Keep it where it is and call a person."""


class LatePayment(StrEnum):
    """What to do with money that came after the order ran out."""

    HOLD = "hold"
    ACCEPT = "accept"
    CANCEL = "cancel"


class Rules(Value):
    """The shop's choices and the machine's own times.

    Attributes:
        mode: Which receipts count.
        on_mismatch: What happens to money that must not be kept.
        late_payment: What happens to money that came too late.
        lease_s: How long an intent to move money is nobody else's business. Longer than any call that moves it.
        approve_again_s: How long after the first intent an unfinished approval is still finished, not undone.
    """

    mode: Mode = Mode.LIVE
    on_mismatch: OnMismatch = OnMismatch.CANCEL
    late_payment: LatePayment = LatePayment.HOLD
    lease_s: float = 45.0
    approve_again_s: float = 600.0
