"""The window a buyer sees, and the stand-in for Bootpay's browser script.

```
 shop's page ── GET /js/bootpay.js ──▶ window.Bootpay
      │ requestPayment(options)
      ▼
 POST /v2/request/payment ──▶ a receipt (status 0) and the address of its window
      ▼
 GET  /checkout/{receipt_id}            the buyer pays, declines, closes, deposits (plain forms, no script needed)
      ▼
 the outcome: a message to the shop's page (iframe, popup), or a redirect with a query
```

Nothing here decides about money: every step is the ledger's own, and the ledger refuses what it would refuse anybody.
"""

from __future__ import annotations

from dojang.emulator.checkout.routes import checkout_routes

__all__ = ["checkout_routes"]
