"""A shop with dojang inside: no server, no queue, one SQLite file.

    python embedded_shop.py RECEIPT_ID        (a receipt of order shop-1 over 12000 won)

`in_stock` is asked before any money moves; `hand_over` may be called again after a crash, always under the same id.

A real shop calls `deliver()` and `reconcile()` every minute too, in a loop or from cron: what failed is tried again,
and a buyer whose browser was lost is found. Cancels, webhooks and decisions need `dojang serve` on the same store.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from dojang import Dojang, DojangError

STOCK = {"ink": 1}
HANDED_OVER: set[str] = set()


def in_stock(order_id: str, price: int | float, metadata: Mapping[str, object]) -> bool | str:
    """The shop's last word before the payment is approved."""
    if STOCK.get(str(metadata["good"]), 0) > 0:
        return True
    return f"{order_id}: sold out, nothing of the {price} won is taken"


def hand_over(delivery_id: str, message: Mapping[str, object]) -> None:
    """Send the goods, once per id."""
    if message["type"] != "order.paid" or delivery_id in HANDED_OVER:
        return
    HANDED_OVER.add(delivery_id)
    STOCK["ink"] -= 1
    print(f"handed over: {delivery_id}")


def main(receipt_id: str) -> None:
    """Register, verify, hand over."""
    with Dojang(
        mode="emulator",
        url=os.environ.get("BOOTPAY_URL", "http://127.0.0.1:8401"),
        store="sqlite:///embedded-shop.sqlite3",
        approve=in_stock,
        fulfil=hand_over,
    ) as dojang:
        dojang.register("shop-1", price=12_000, name="인주 한 통", metadata={"good": "ink"})
        outcome = dojang.verify("shop-1", receipt_id)
        print(outcome.state, outcome.reason.sentence_ko if outcome.reason else "")
        dojang.deliver()
        dojang.deliver()  # nothing is owed twice


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except DojangError as error:
        raise SystemExit(str(error)) from None
    except IndexError:
        raise SystemExit("usage: embedded_shop.py RECEIPT_ID") from None
