"""A small shop that sells three things, to see dojang at work; its memory is its process.

```
 browser                      shop (8402)                 dojang (8400)           emulator (8401)
    │  buy ──────────────────────▶│ POST /v1/orders ────────────▶│
    │◀──────────── order, options │                              │
    │  Bootpay.requestPayment ───────────────────────────────────────────────────────▶│
    │◀─────────────────────────────────────────────────────────── confirm, receipt id │
    │  receipt id ───────────────▶│ POST /v1/orders/…/verify ───▶│ look up, judge, confirm ─▶│
    │◀──────────────────── verdict│◀─────────────── paid, or why not                  │
    │                             │◀──── POST /deliveries (signed): hand over the goods
```

The price is the shop's own and is registered before the window opens. The browser brings back nothing but a receipt
id; goods leave only when dojang's signed delivery says so.
"""

from __future__ import annotations

from dojang.entry.demo_shop.app import create_shop
from dojang.entry.demo_shop.options import ShopOptions
from dojang.entry.demo_shop.server import ShopServer
from dojang.entry.demo_shop.shop import DemoShop

__all__ = ["DemoShop", "ShopOptions", "ShopServer", "create_shop"]
