"""Does this receipt pay for this order?

Rule 1: every condition that makes a payment acceptable is in this file.
Rule 2: nothing here waits, reads a clock, or raises for an answer we expect.
Rule 3: what is not plainly acceptable is refused, with the reason.
"""

from __future__ import annotations

from enum import StrEnum

from dojang.core.order import Order
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.core.rules import Mode
from dojang.core.values import Value

__all__ = ["AwaitsApproval", "AwaitsDeposit", "NotYet", "Reason", "Rejected", "Verdict", "Verified", "judge"]


class Reason(StrEnum):
    """Why a receipt does not pay, as the HTTP API names it. `sentence_ko` and `sentence_en` are for people."""

    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    TAX_FREE_MISMATCH = "tax_free_mismatch"
    ORDER_MISMATCH = "order_mismatch"
    SANDBOX_RECEIPT = "sandbox_receipt"
    LIVE_RECEIPT = "live_receipt"
    ALREADY_CANCELLED = "already_cancelled"
    PAYMENT_FAILED = "payment_failed"
    RECEIPT_ALREADY_USED = "receipt_already_used"
    ORDER_ALREADY_PAID = "order_already_paid"
    ORDER_EXPIRED = "order_expired"
    REFUSED_BY_SHOP = "refused_by_shop"

    @property
    def sentence_en(self) -> str:
        """What went wrong, in English."""
        return _SENTENCES[self][0]

    @property
    def sentence_ko(self) -> str:
        """What went wrong, in Korean."""
        return _SENTENCES[self][1]


_SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.AMOUNT_MISMATCH: (
        "The amount paid is not the price of this order.",
        "결제된 금액이 주문 금액과 다릅니다.",
    ),
    Reason.CURRENCY_MISMATCH: (
        "The currency paid is not the currency of this order.",
        "결제 통화가 주문 통화와 다릅니다.",
    ),
    Reason.TAX_FREE_MISMATCH: (
        "The tax-free part of the payment is not that of this order.",
        "결제의 비과세 금액이 주문과 다릅니다.",
    ),
    Reason.ORDER_MISMATCH: (
        "This receipt belongs to another order.",
        "다른 주문의 영수증입니다.",
    ),
    Reason.SANDBOX_RECEIPT: (
        "This is a test payment; it does not pay for a real order.",
        "테스트 결제로는 실제 주문을 결제할 수 없습니다.",
    ),
    Reason.LIVE_RECEIPT: (
        "This is a real payment, but this service only accepts test payments.",
        "실제 결제이지만 이 서비스는 테스트 결제만 받습니다.",
    ),
    Reason.ALREADY_CANCELLED: (
        "This payment was cancelled, wholly or partly.",
        "전부 또는 일부가 취소된 결제입니다.",
    ),
    Reason.PAYMENT_FAILED: (
        "The payment did not succeed; nothing was charged.",
        "결제가 이루어지지 않았습니다. 청구된 금액은 없습니다.",
    ),
    Reason.RECEIPT_ALREADY_USED: (
        "This receipt is on file for another order, and counts for no second one.",
        "이미 다른 주문에 등록된 영수증이므로 이 주문에는 쓸 수 없습니다.",
    ),
    Reason.ORDER_ALREADY_PAID: (
        "This order is already paid by another receipt.",
        "이미 다른 결제로 완료된 주문입니다.",
    ),
    Reason.ORDER_EXPIRED: (
        "The time to pay for this order is over.",
        "주문의 결제 기한이 지났습니다.",
    ),
    Reason.REFUSED_BY_SHOP: (
        "The shop declined this payment before any money moved.",
        "상점이 결제 승인 전에 거절했습니다. 청구된 금액은 없습니다.",
    ),
}


class Verified(Value, kw_only=False):
    """The receipt is paid and fits the order in every term."""

    receipt: Receipt


class AwaitsApproval(Value, kw_only=False):
    """Everything fits and the buyer has agreed; no money moves before we confirm."""

    receipt: Receipt


class AwaitsDeposit(Value, kw_only=False):
    """Everything fits; a virtual account waits for the money."""

    receipt: Receipt
    account: Account | None


class NotYet(Value, kw_only=False):
    """Nothing is decided at Bootpay yet: look again later."""

    receipt: Receipt


class Rejected(Value, kw_only=False):
    """The receipt does not pay for the order."""

    receipt: Receipt
    reason: Reason


Verdict = Verified | AwaitsApproval | AwaitsDeposit | NotYet | Rejected
"""What a receipt means for an order."""


def judge(order: Order, receipt: Receipt, mode: Mode = Mode.LIVE) -> Verdict:
    """Compare Bootpay's own account of a checkout with what the shop expects.

    Args:
        order: The terms fixed before checkout.
        receipt: Bootpay's answer; never a browser's or a webhook's.
        mode: Whether real or test payments count.
    """
    if receipt.order_id != order.id:
        return Rejected(receipt, Reason.ORDER_MISMATCH)
    match receipt.status:
        case ReceiptStatus.CANCELLED:
            return Rejected(receipt, Reason.ALREADY_CANCELLED)
        case ReceiptStatus.FAILED | ReceiptStatus.ACCOUNT_CANCELLED | ReceiptStatus.NOT_A_PAYMENT:
            return Rejected(receipt, Reason.PAYMENT_FAILED)
        case ReceiptStatus.WAITING | ReceiptStatus.APPROVING | ReceiptStatus.UNKNOWN:
            return NotYet(receipt)
        case _:
            pass
    if mode is Mode.SANDBOX and receipt.sandbox is False:
        return Rejected(receipt, Reason.LIVE_RECEIPT)
    if mode is not Mode.SANDBOX and receipt.sandbox is True:
        return Rejected(receipt, Reason.SANDBOX_RECEIPT)
    if receipt.currency != order.price.currency:
        return Rejected(receipt, Reason.CURRENCY_MISMATCH)
    if receipt.price != order.price.minor:
        return Rejected(receipt, Reason.AMOUNT_MISMATCH)
    if receipt.tax_free != order.tax_free:
        return Rejected(receipt, Reason.TAX_FREE_MISMATCH)
    if receipt.cancelled != 0 or receipt.cancelled_tax_free != 0:
        return Rejected(receipt, Reason.ALREADY_CANCELLED)
    if receipt.status is ReceiptStatus.AWAITING_APPROVAL:
        return AwaitsApproval(receipt)
    if receipt.status is ReceiptStatus.AWAITING_DEPOSIT:
        return AwaitsDeposit(receipt, receipt.account)
    return Verified(receipt)
