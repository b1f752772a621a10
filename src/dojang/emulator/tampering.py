"""What only a tester can do to a receipt: change what it says, or bring one along from elsewhere.

A field that the ledger understands is really changed, and both generations show it. Any other field or value is
only shown, as Bootpay would show something that nobody expected.
"""

from __future__ import annotations

from collections.abc import Callable

from dojang.emulator.books import Json, Receipt
from dojang.emulator.faces import read_time, v1_receipt, v2_receipt
from dojang.emulator.payments import Payments
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.words import method_symbol, pg_alias

__all__ = ["Tampering"]

_TIMES = frozenset({"requested_at", "purchased_at", "cancelled_at", "authorised_at"})
_MONEY = frozenset({"price", "tax_free", "cancelled_price", "cancelled_tax_free"})
_TEXTS = frozenset({"order_name", "currency"})
_FLAGS = frozenset({"sandbox", "separately_confirmed", "escrow"})

# The first generation's names for the same things.
_OTHER_NAMES = {"name": "order_name", "unit": "currency", "params": "metadata", "revoked_at": "cancelled_at"}


class Tampering(Payments):
    """The books, with a tester's hand in them."""

    def tamper(self, receipt_id: str, fields: Json) -> Receipt:
        """Change what a receipt says; `missing` names fields to leave out of it.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, or a change of the receipt's own id, or `missing` that names no fields.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if "receipt_id" in fields:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "a receipt's own id cannot be changed")
        gone = fields.get("missing", [])
        if not isinstance(gone, list) or not all(isinstance(name, str) for name in gone):
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "missing must be a list of field names")
        receipt.missing = [*receipt.missing, *gone]
        for said, value in fields.items():
            if said == "missing":
                continue
            name = _OTHER_NAMES.get(said, said)
            receipt.missing = [field for field in receipt.missing if field != said]
            receipt.tampered = {key: old for key, old in receipt.tampered.items() if key not in (said, name)}
            if not self._really(receipt, name, value):
                receipt.tampered = receipt.tampered | {said: value}
        self.changes += 1
        return receipt

    def _really(self, receipt: Receipt, name: str, value: object) -> bool:
        """Change the record itself where it can hold the value; whether it could."""
        if name in _MONEY and isinstance(value, int | float) and not isinstance(value, bool):
            setattr(receipt, name, value)
        elif name in _TIMES and (value is None or read_time(value) is not None):
            setattr(receipt, name, read_time(value))
        elif name == "currency" and isinstance(value, str):
            receipt.currency = value.upper()
        elif (name in _TEXTS and isinstance(value, str)) or (name in _FLAGS and isinstance(value, bool)):
            setattr(receipt, name, value)
        elif name == "metadata" and value is not None:
            receipt.metadata = value
        elif name == "order_id" and isinstance(value, str):
            self._reorder(receipt, value)
        elif name == "status" and isinstance(value, int) and not isinstance(value, bool):
            self._restate(receipt, value)
        elif name == "pg" and isinstance(value, str) and pg_alias(value) is not None:
            receipt.pg = pg_alias(value) or value
        else:
            return False
        return True

    def _reorder(self, receipt: Receipt, order_id: str) -> None:
        self.state.by_order[receipt.order_id].remove(receipt.receipt_id)
        receipt.order_id = order_id
        self.state.by_order.setdefault(order_id, []).append(receipt.receipt_id)

    def _restate(self, receipt: Receipt, status: int) -> None:
        receipt.status = status
        if status in (1, 20) and receipt.purchased_at is None:
            receipt.purchased_at = self.now()
            receipt.details = receipt.details or self._details(receipt)
        if status == 2 and receipt.authorised_at is None:
            receipt.authorised_at = self.now()
            self._later(self.now() + self.rules.confirm_window_s, "confirm", receipt.receipt_id)

    def load_receipt(self, body: Json) -> Receipt:
        """Take in a receipt as either generation shows it; it is shown again exactly so.

        Raises:
            LedgerRefusal: The body lacks an id, an order id or a price, or the id is taken.
        """
        order_id, price = body.get("order_id"), body.get("price")
        receipt_id = body.get("receipt_id")
        named = isinstance(order_id, str) and isinstance(receipt_id, str)
        if not named or isinstance(price, bool) or not isinstance(price, int | float):
            raise LedgerRefusal(
                "INVALID_REQUEST_PARAMS", "a receipt to load needs receipt_id, order_id and a number as price"
            )
        assert isinstance(order_id, str)
        assert isinstance(receipt_id, str)
        old = "unit" in body or "payment_data" in body
        receipt = Receipt(
            receipt_id=self._wanted_id(receipt_id),
            order_id=order_id,
            price=price,
            order_name="",
            requested_at=self.now(),
            generation=1 if old else 2,
            webhook_form=old,
        )
        method = body.get("method") if old else body.get("method_symbol", body.get("method"))
        receipt.method = receipt.method_origin = (isinstance(method, str) and method_symbol(method)) or "card"
        self._record(receipt)
        known = {"receipt_id", "order_id", "price"}
        self.tamper(receipt_id, {key: value for key, value in body.items() if key not in known})
        show: Callable[[Receipt], Json] = (
            (lambda r: v1_receipt(r, self.rules)) if old else (lambda r: v2_receipt(r, self.rules))
        )
        # What the ledger would say by itself gives way to what the body says, field by field.
        shown = show(receipt)
        receipt.tampered = receipt.tampered | {
            key: value for key, value in body.items() if key in shown and shown[key] != value
        }
        receipt.missing = [key for key in shown if key not in body]
        return receipt
