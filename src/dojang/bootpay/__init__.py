"""A complete client of Bootpay's server API, usable alone: blocking and asyncio, generations 1 and 2.

```python
from dojang.bootpay import Bootpay, OutcomeUnknown, ReceiptStatus

with Bootpay(client_key="...", secret_key="...") as bootpay:
    receipt = bootpay.receipt("645c58be755e270022e1e8db")
    if receipt.known_status is ReceiptStatus.AWAITING_CONFIRM and receipt.price == 1200:
        try:
            receipt = bootpay.within(10).confirm(receipt.receipt_id)
        except OutcomeUnknown:  # it may have been paid: look, never repeat
            receipt = bootpay.receipt(receipt.receipt_id)
```

`AsyncBootpay` has the same methods, awaited; `bootpay.v1` has the first generation's. Errors say what may be done
next: `NotSent`, `OutcomeUnknown`, `Refused`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dojang.bootpay.amount import AmountLike
from dojang.bootpay.call import Answer, Auth, Call, Encoding
from dojang.bootpay.client import PRODUCTION, Bootpay
from dojang.bootpay.endpoints.receipts import (
    BankData,
    CardData,
    CashReceiptData,
    EscrowData,
    PhoneData,
    PointData,
    Receipt,
    ReceiptStatus,
    WalletData,
)
from dojang.errors import BootpayError, ConfigError, InvalidValue, NotSent, OutcomeUnknown, Refused

if TYPE_CHECKING:
    from dojang.bootpay.async_client import AsyncBootpay
    from dojang.bootpay.endpoints.authentication import AuthenticateData, Certificate
    from dojang.bootpay.endpoints.billing_keys import Billing, BillingData, DestroyedBillingKey, IssuedBilling
    from dojang.bootpay.endpoints.cash_receipts import CashReceipt
    from dojang.bootpay.endpoints.easy_pay import BatchData, PaymentMethod, ServiceWallet, UserToken, Wallet
    from dojang.bootpay.endpoints.escrow import Company
    from dojang.bootpay.endpoints.subscriptions import CancelledReservation, Reservation, ReservedPayment
    from dojang.bootpay.endpoints.tokens import Token
    from dojang.bootpay.endpoints.values import Item, Refund, User
    from dojang.bootpay.error_table import ERRORS, ErrorEntry
    from dojang.bootpay.webhook import Webhook, parse_webhook

__all__ = [
    "ERRORS",
    "PRODUCTION",
    "AmountLike",
    "Answer",
    "AsyncBootpay",
    "Auth",
    "AuthenticateData",
    "BankData",
    "BatchData",
    "Billing",
    "BillingData",
    "Bootpay",
    "BootpayError",
    "Call",
    "CancelledReservation",
    "CardData",
    "CashReceipt",
    "CashReceiptData",
    "Certificate",
    "Company",
    "ConfigError",
    "DestroyedBillingKey",
    "Encoding",
    "ErrorEntry",
    "EscrowData",
    "InvalidValue",
    "IssuedBilling",
    "Item",
    "NotSent",
    "OutcomeUnknown",
    "PaymentMethod",
    "PhoneData",
    "PointData",
    "Receipt",
    "ReceiptStatus",
    "Refund",
    "Refused",
    "Reservation",
    "ReservedPayment",
    "ServiceWallet",
    "Token",
    "User",
    "UserToken",
    "Wallet",
    "WalletData",
    "Webhook",
    "parse_webhook",
]


# Who looks up a receipt needs none of these, and the asyncio client brings asyncio along.
_LATER = {
    "AsyncBootpay": "dojang.bootpay.async_client",
    "AuthenticateData": "dojang.bootpay.endpoints.authentication",
    "BatchData": "dojang.bootpay.endpoints.easy_pay",
    "Billing": "dojang.bootpay.endpoints.billing_keys",
    "BillingData": "dojang.bootpay.endpoints.billing_keys",
    "CancelledReservation": "dojang.bootpay.endpoints.subscriptions",
    "CashReceipt": "dojang.bootpay.endpoints.cash_receipts",
    "Certificate": "dojang.bootpay.endpoints.authentication",
    "Company": "dojang.bootpay.endpoints.escrow",
    "DestroyedBillingKey": "dojang.bootpay.endpoints.billing_keys",
    "ERRORS": "dojang.bootpay.error_table",
    "ErrorEntry": "dojang.bootpay.error_table",
    "IssuedBilling": "dojang.bootpay.endpoints.billing_keys",
    "Item": "dojang.bootpay.endpoints.values",
    "PaymentMethod": "dojang.bootpay.endpoints.easy_pay",
    "Refund": "dojang.bootpay.endpoints.values",
    "Reservation": "dojang.bootpay.endpoints.subscriptions",
    "ReservedPayment": "dojang.bootpay.endpoints.subscriptions",
    "ServiceWallet": "dojang.bootpay.endpoints.easy_pay",
    "Token": "dojang.bootpay.endpoints.tokens",
    "User": "dojang.bootpay.endpoints.values",
    "UserToken": "dojang.bootpay.endpoints.easy_pay",
    "Wallet": "dojang.bootpay.endpoints.easy_pay",
    "Webhook": "dojang.bootpay.webhook",
    "parse_webhook": "dojang.bootpay.webhook",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
