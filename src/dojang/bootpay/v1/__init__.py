"""The first generation of Bootpay's API ("3.x"): every call as a value, and as a method of both clients.

Bootpay calls it deprecated; shops whose checkout still runs on it need it. Its receipts are of another shape than the
second generation's, and so are their names: `unit` for `currency`, `name` for `order_name`.
"""

from __future__ import annotations

from dojang.bootpay.binding import endpoint
from dojang.bootpay.endpoints.tokens import TokenV1
from dojang.bootpay.v1 import billing, payments
from dojang.bootpay.v1.billing import BillingKey, BillingPayment, Reservation, UserToken
from dojang.bootpay.v1.envelope import Done, Envelope
from dojang.bootpay.v1.inputs import Item, RefundAccount, UserInfo
from dojang.bootpay.v1.receipts import (
    Approved,
    CancelResult,
    Certificate,
    PaymentData,
    Receipt,
    ReceiptStatus,
)

__all__ = [
    "Approved",
    "BillingKey",
    "BillingPayment",
    "CancelResult",
    "Certificate",
    "Done",
    "Endpoints",
    "Envelope",
    "Item",
    "PaymentData",
    "Receipt",
    "ReceiptStatus",
    "RefundAccount",
    "Reservation",
    "TokenV1",
    "UserInfo",
    "UserToken",
]


class Endpoints:
    """The endpoints of the first generation as attributes of a client."""

    request_token = endpoint(payments.request_token)
    verify = endpoint(payments.verify)
    cancel = endpoint(payments.cancel)
    submit = endpoint(payments.submit)
    certificate = endpoint(payments.certificate)
    request_payment_link = endpoint(payments.request_payment_link)
    request_billing_key = endpoint(billing.request_billing_key)
    pay_with_billing_key = endpoint(billing.pay_with_billing_key)
    billing_payment = endpoint(billing.billing_payment)
    reserve_payment = endpoint(billing.reserve_payment)
    cancel_reserved_payment = endpoint(billing.cancel_reserved_payment)
    destroy_billing_key = endpoint(billing.destroy_billing_key)
    request_user_token = endpoint(billing.request_user_token)
