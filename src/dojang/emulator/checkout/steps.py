"""What a buyer can do in the window, each the ledger's own step."""

from __future__ import annotations

from dojang.emulator.books import Receipt
from dojang.emulator.checkout.window import Window
from dojang.emulator.ledger import Ledger, LedgerRefusal

__all__ = ["take"]

_PG_OF_METHOD = {"kakao": "kakao"}
"""Wallets that are their own payment company."""


def take(ledger: Ledger, receipt_id: str, window: Window, step: str, method: str) -> Receipt:
    """Do what the buyer pressed.

    Raises:
        LedgerRefusal: There is no such step, the shop does not offer that method, or the ledger says no.
    """
    match step:
        case "pay":
            return _pay(ledger, receipt_id, window, method)
        case "decline":
            return ledger.decline(receipt_id)
        case "close":
            return ledger.close(receipt_id)
        case "deposit":
            return ledger.deposit(receipt_id)
        case _:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "결제창에 없는 동작입니다.")


def _pay(ledger: Ledger, receipt_id: str, window: Window, method: str) -> Receipt:
    if method not in window.methods:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "결제수단을 선택해 주세요.")
    receipt = ledger.find(receipt_id)
    if receipt.status == 0 and not receipt.closed:
        # The choice is part of the payment only while the window is open; approve() refuses the rest.
        receipt.method = receipt.method_origin = method
        if receipt.pg in ("nicepay", "kakao"):
            receipt.pg = _PG_OF_METHOD.get(method, "nicepay")
    return ledger.approve(receipt_id)
