"""What a careful developer writes today: FastAPI, the official SDK in the thread pool, one comparison.

It is given every advantage: no store, no outbox, no lock; it only asks and compares.
"""

from __future__ import annotations

import os

from bootpay_backend import BootpayBackend
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

BootpayBackend.BASE_URL["production"] = os.environ["BOOTPAY_URL"] + "/v2"
_bootpay = BootpayBackend(client_key="client", secret_key="secret")
_paid: dict[str, str] = {}

app = FastAPI()


class Verify(BaseModel):
    """The body of a verification."""

    receipt_id: str


@app.post("/v1/orders/{order_id}/verify")
def verify(order_id: str, body: Verify) -> dict[str, object]:
    """Ask Bootpay and compare. A plain function, so FastAPI runs it in its thread pool."""
    receipt = _bootpay.receipt_payment(body.receipt_id)
    if receipt["order_id"] != order_id or receipt["price"] != 1200 or receipt["status"] != 1:
        raise HTTPException(422)
    _paid[order_id] = body.receipt_id
    return {"order_id": order_id, "state": "paid", "receipt_id": body.receipt_id}
