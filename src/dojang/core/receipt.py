"""What Bootpay says happened in one checkout, narrowed to what we judge by.

Rule 1: nothing here comes from a browser, an app or a webhook body; only from Bootpay's own answer to us.
Rule 2: no card number, no buyer data.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from dojang.core.order import ReceiptId
from dojang.core.values import Value

__all__ = ["Account", "Receipt", "ReceiptStatus"]


class ReceiptStatus(StrEnum):
    """Where a checkout stands, one meaning for both generations of the API."""

    WAITING = "waiting"
    """The window is open, or something is still being prepared."""
    AWAITING_APPROVAL = "awaiting_approval"
    """The buyer has agreed; money moves only when the server confirms (status 2)."""
    APPROVING = "approving"
    """The payment gateway is at work right now (v2: 4, v1: 3), or a cancel is (v1: -30, -20)."""
    AWAITING_DEPOSIT = "awaiting_deposit"
    """A virtual account is issued (v2: 5)."""
    PAID = "paid"
    """Money was taken. Stays so after a partial cancel (status 1)."""
    CANCELLED = "cancelled"
    """All of it went back (status 20)."""
    ACCOUNT_CANCELLED = "account_cancelled"
    """The virtual account was withdrawn (status -3)."""
    FAILED = "failed"
    """Ended without money (other negative numbers)."""
    NOT_A_PAYMENT = "not_a_payment"
    """A billing key, an identity check, a standalone cash receipt."""
    UNKNOWN = "unknown"
    """A number nobody documented: not paid, look again."""


class Account(Value):
    """A virtual account the buyer must pay into. Not the buyer's own.

    Attributes:
        bank_name: For the eye.
        bank_code: Three digits, where known.
        number: The account number to pay into.
        holder: In whose name the account is kept.
        expires_at: Aware, where known.
    """

    bank_name: str
    number: str
    bank_code: str = ""
    holder: str = ""
    expires_at: datetime | None = None


class Receipt(Value):
    """One checkout as Bootpay tells it.

    Attributes:
        id: Bootpay's id.
        order_id: The shop's id as Bootpay has it: any text, so a plain str.
        status: Where it stands.
        price: Minor units of `currency`.
        tax_free: The non-taxable part; 0 where an old body does not say.
        cancelled: Running total of what went back.
        cancelled_tax_free: The non-taxable part of that.
        currency: ISO 4217.
        sandbox: Whether it is a test payment; None where the first generation does not say.
        method: Bootpay's alias of the method, such as `card` or `vbank`.
        account: Where a deposit is awaited.
        purchased_at: When the money was taken, aware.
        number: The status number as it stood on the wire.
    """

    id: ReceiptId
    order_id: str
    status: ReceiptStatus
    price: int
    tax_free: int = 0
    cancelled: int = 0
    cancelled_tax_free: int = 0
    currency: str = "KRW"
    sandbox: bool | None = None
    method: str = ""
    account: Account | None = None
    purchased_at: datetime | None = None
    number: int = 0

    @property
    def at_work(self) -> bool:
        """Whether nobody can say yet where its money is: the payment gateway is at work, or the number is unknown."""
        return self.status in (ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN)

    @property
    def remaining(self) -> int:
        """What is still with the shop if the receipt was paid, in minor units."""
        return self.price - self.cancelled if self.status is ReceiptStatus.PAID else 0
