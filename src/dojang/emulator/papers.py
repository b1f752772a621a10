"""What accompanies money: cash receipts for the tax office, and the shipping that escrow waits for."""

from __future__ import annotations

from dojang.emulator.books import Json, Money, Receipt
from dojang.emulator.faces import iso
from dojang.emulator.payments import Payments
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.windows import check_money
from dojang.emulator.words import pg_alias

__all__ = ["Papers"]

# Receipts carry numbers where requests carry words; some clients send the number.
_CASH_TYPES = {"소득공제": 1, "지출증빙": 2, "1": 1, "2": 2}


class Papers(Payments):
    """The books' cash receipts and shipping notes."""

    # Cash receipts

    def publish_cash_receipt(self, receipt_id: str, identity_no: str, type_: str) -> Receipt:
        """Issue a cash receipt for a paid transfer or deposit that has none.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND` or `RC_CASH_RECEIPT_FAILED`.
        """
        self.tick()
        receipt = self.find(receipt_id)
        by_account = receipt.kind == "payment" and receipt.method in ("bank", "vbank")
        if not by_account or receipt.status != 1 or receipt.cash_receipt_data is not None:
            raise LedgerRefusal("RC_CASH_RECEIPT_FAILED")
        receipt.cash_receipt_data = self._cash_receipt(receipt.receipt_id, identity_no, type_)
        self.changes += 1
        return receipt

    def revoke_cash_receipt(self, receipt_id: str) -> Receipt:
        """Take back the cash receipt of a payment.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, or `RC_CASH_RECEIPT_FAILED` when it has none.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.kind != "payment" or receipt.cash_receipt_data is None:
            raise LedgerRefusal("RC_CASH_RECEIPT_FAILED")
        receipt.cash_receipt_data = None
        self.changes += 1
        return receipt

    def issue_cash_receipt(
        self,
        *,
        order_id: str,
        order_name: str,
        identity_no: str,
        type_: str,
        price: Money,
        tax_free: Money = 0,
        purchased_at: float | None = None,
        pg: str | None = None,
        metadata: object = None,
        user: Json | None = None,
    ) -> Receipt:
        """A cash receipt for money that Bootpay never saw: 60.

        Raises:
            LedgerRefusal: `RC_CASH_RECEIPT_FAILED`, or bad values.
        """
        self.tick()
        amount = check_money(price, "KRW", "price")
        free = check_money(tax_free, "KRW", "tax_free")
        if not order_id or amount <= 0 or free > amount:
            raise LedgerRefusal("RC_CASH_RECEIPT_FAILED")
        receipt = Receipt(
            receipt_id=self.new_id(),
            order_id=order_id,
            price=amount,
            tax_free=free,
            order_name=order_name,
            requested_at=self.now(),
            purchased_at=self.now() if purchased_at is None else purchased_at,
            kind="cash",
            status=60,
            pg=(pg_alias(pg) or pg) if pg else "nicepay",
            method="cash_receipt",
            method_origin="cash_receipt",
            metadata={} if metadata is None else metadata,
            user=user,
        )
        receipt.details = self._cash_receipt(receipt.receipt_id, identity_no, type_)
        return self._record(receipt)

    def cancel_cash_receipt(self, receipt_id: str) -> Receipt:
        """Take back a cash receipt issued by itself: 61.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, `RC_ALREADY_CANCELLED` or `RC_CASH_RECEIPT_FAILED`.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.kind != "cash":
            raise LedgerRefusal("RC_CASH_RECEIPT_FAILED")
        if receipt.status == 61:
            raise LedgerRefusal("RC_ALREADY_CANCELLED")
        receipt.status = 61
        receipt.cancelled_price, receipt.cancelled_tax_free = receipt.price, receipt.tax_free
        receipt.cancelled_at = self.now()
        self.changes += 1
        return receipt

    def _cash_receipt(self, receipt_id: str, identity_no: str, type_: str) -> Json:
        number = _CASH_TYPES.get(type_)
        digits = identity_no.replace("-", "")
        if number is None or not digits.isdecimal() or not 10 <= len(digits) <= 18:
            raise LedgerRefusal("RC_CASH_RECEIPT_FAILED")
        return {
            "tid": self.new_digits(20),
            "cash_receipt_type": number,
            "cash_receipt_no": self.new_digits(9),
            "receipt_url": f"{self.rules.receipt_host}/cash/{receipt_id}",
        }

    # Escrow

    def start_shipping(self, receipt_id: str, *, tracking_number: str, delivery_corp: str) -> Receipt:
        """The goods are on their way.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, `RC_NOT_ESCROW`, or a parcel that cannot be followed.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if not receipt.escrow or receipt.status != 1:
            raise LedgerRefusal("RC_NOT_ESCROW")
        if not tracking_number or not delivery_corp:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "tracking_number, delivery_corp 값이 필요합니다.")
        receipt.escrow_data = {
            "status": 2,
            "status_locale": "배송중",
            "shipping_started_at": iso(self.now()),
            "receipt_confirmed_at": None,
        }
        self.changes += 1
        return receipt
