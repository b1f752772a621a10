"""Ask Bootpay about one receipt, and judge it by the terms of an order that is kept elsewhere.

    python ask_bootpay.py ORDER_ID PRICE RECEIPT_ID

Nothing is stored and nothing is approved: this tells whether the receipt *fits*. That it pays for one order only,
and only once, is what dojang's store is for.
"""

from __future__ import annotations

import os
import sys

from dojang import InvalidValue, Mode, Money, Order, OrderId, Rejected, Verified, judge, receipt_from_v2
from dojang.bootpay import Bootpay, BootpayError


def main(order_id: str, price: str, receipt_id: str) -> int:
    """Print the verdict; 0 if the receipt is paid and fits."""
    order = Order(id=OrderId(order_id), price=Money.parse(price), name="an order")
    with Bootpay(
        client_key=os.environ.get("BOOTPAY_CLIENT_KEY", "emulator"),
        secret_key=os.environ.get("BOOTPAY_SECRET_KEY", "emulator"),
        url=os.environ.get("BOOTPAY_URL", "http://127.0.0.1:8401"),
    ) as bootpay:
        receipt = receipt_from_v2(bootpay.receipt(receipt_id))
    match judge(order, receipt, Mode.LIVE):
        case Verified():
            print(f"{receipt.id} pays {receipt.price:,} {receipt.currency} for {order.id}")
            return 0
        case Rejected(reason=reason):
            print(f"{reason.value}: {reason.sentence_ko} {reason.sentence_en}")
        case undecided:
            print(f"not decided: {type(undecided).__name__}")
    return 1


if __name__ == "__main__":
    try:
        raise SystemExit(main(*sys.argv[1:4]))
    except (InvalidValue, BootpayError) as error:
        raise SystemExit(str(error)) from None
    except TypeError:
        raise SystemExit("usage: ask_bootpay.py ORDER_ID PRICE RECEIPT_ID") from None
