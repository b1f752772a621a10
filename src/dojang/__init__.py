"""dojang (도장): has this order really been paid, exactly once?

```python
from dojang import Dojang

with Dojang(mode="emulator") as dojang:
    dojang.register("o-1", price=3000, name="테스트음식")
    print(dojang.verify("o-1", "5afd6be8e13f33616f2876ac"))
```

For judging alone, with orders kept elsewhere: `judge(order, receipt_from_v2(bootpay.receipt(receipt_id)))`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.core.rules import LatePayment, Mode, OnMismatch, Rules
from dojang.core.verification import (
    AwaitsApproval,
    AwaitsDeposit,
    NotYet,
    Reason,
    Rejected,
    Verified,
    judge,
)
from dojang.errors import (
    BootpayError,
    ConfigError,
    Conflict,
    DojangError,
    InvalidValue,
    NotSent,
    OutcomeUnknown,
    Refused,
    StoreError,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from dojang.adapters.gateway import receipt_from_v2
    from dojang.adapters.gateway_v1 import receipt_from_v1
    from dojang.entry.embedded import Dojang, Outcome

__version__ = "0.1.0"

__all__ = [
    "Account",
    "AwaitsApproval",
    "AwaitsDeposit",
    "BootpayError",
    "ConfigError",
    "Conflict",
    "Dojang",
    "DojangError",
    "InvalidValue",
    "LatePayment",
    "Mode",
    "Money",
    "NotSent",
    "NotYet",
    "OnMismatch",
    "Order",
    "OrderId",
    "Outcome",
    "OutcomeUnknown",
    "Reason",
    "Receipt",
    "ReceiptId",
    "ReceiptStatus",
    "Refused",
    "Rejected",
    "Rules",
    "StoreError",
    "StoreUnavailable",
    "Verified",
    "judge",
    "receipt_from_v1",
    "receipt_from_v2",
]

# These bring the client or the store along, which somebody who only judges does not need.
_LATER = {
    "Dojang": "dojang.entry.embedded",
    "Outcome": "dojang.entry.embedded",
    "receipt_from_v1": "dojang.adapters.gateway_v1",
    "receipt_from_v2": "dojang.adapters.gateway",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
