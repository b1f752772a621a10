"""Bootpay for simulations: the emulator's ledger asked directly, without a wire in between, some ten times faster.

`PretendBootpay` goes through the real reading of JSON; a test holds the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dojang.core.order import Money, OrderId, ReceiptId
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.emulator.books import Receipt as Entry
from dojang.emulator.ledger import Ledger, LedgerRefusal
from dojang.errors import OutcomeUnknown, Refused

__all__ = ["LedgerGateway", "receipt_from_ledger"]

_STATUS: Mapping[int, ReceiptStatus] = {
    0: ReceiptStatus.WAITING,
    1: ReceiptStatus.PAID,
    2: ReceiptStatus.AWAITING_APPROVAL,
    4: ReceiptStatus.APPROVING,
    5: ReceiptStatus.AWAITING_DEPOSIT,
    20: ReceiptStatus.CANCELLED,
    -2: ReceiptStatus.FAILED,
    -3: ReceiptStatus.ACCOUNT_CANCELLED,
    -4: ReceiptStatus.FAILED,
}


class LedgerGateway:
    """`dojang.ports.Gateway` over a ledger.

    Args:
        ledger: Bootpay's books.
        sighted: Whether receipts can be looked up by the shop's order id; the first generation cannot.
    """

    def __init__(self, ledger: Ledger, *, sighted: bool = True) -> None:
        self._ledger = ledger
        self._sighted = sighted

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:  # noqa: ARG002 - the port's
        """See `Gateway.look_up`."""
        self._ledger.tick()
        try:
            return receipt_from_ledger(self._ledger.find(receipt_id))
        except LedgerRefusal:
            return None

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:  # noqa: ARG002 - the port's
        """See `Gateway.look_up_order`."""
        if not self._sighted:
            return ()
        self._ledger.tick()
        state = self._ledger.state
        return [receipt_from_ledger(state.receipts[id_]) for id_ in state.by_order.get(order_id, ())]

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:  # noqa: ARG002 - the port's
        """See `Gateway.confirm`."""
        try:
            return receipt_from_ledger(self._ledger.confirm(receipt_id))
        except LedgerRefusal as no:
            raise _failure(no) from None

    async def cancel(
        self,
        receipt_id: ReceiptId,
        within_s: float,  # noqa: ARG002 - the port's
        /,
        *,
        cancel_id: str,
        amount: int | None = None,
        tax_free: int = 0,
        currency: str = "KRW",
        reason: str = "",  # noqa: ARG002 - the ledger keeps none
        refund_account: Mapping[str, str] | None = None,
    ) -> Receipt:
        """See `Gateway.cancel`."""
        try:
            return receipt_from_ledger(
                self._ledger.cancel(
                    receipt_id,
                    None if amount is None else Money(amount, currency).major,
                    tax_free=Money(tax_free, currency).major if amount is not None and tax_free else None,
                    cancel_id=cancel_id,
                    refund=dict(refund_account) if refund_account is not None else None,
                )
            )
        except LedgerRefusal as no:
            raise _failure(no) from None


def _failure(no: LedgerRefusal) -> Exception:
    if "_CRITICAL_" in no.error_code:
        return OutcomeUnknown(f"Bootpay answered {no.error_code}")
    return Refused(no.error_code, no.message, http_status=no.http_status, pg_code=no.pg_error_code)


def receipt_from_ledger(entry: Entry) -> Receipt:
    """A receipt as the real gateway would read it off the second generation's wire."""
    currency = entry.currency
    return Receipt(
        id=ReceiptId(entry.receipt_id),
        order_id=entry.order_id,
        status=_STATUS.get(entry.status, ReceiptStatus.UNKNOWN),
        number=entry.status,
        price=_minor(entry.price, currency),
        tax_free=_minor(entry.tax_free, currency),
        cancelled=_minor(entry.cancelled_price, currency),
        cancelled_tax_free=_minor(entry.cancelled_tax_free, currency),
        currency=currency,
        sandbox=entry.sandbox,
        method=entry.method,
        account=_account(entry),
        # The wire has no finer unit than the second.
        purchased_at=None
        if entry.purchased_at is None
        else datetime.fromtimestamp(int(entry.purchased_at), UTC),
    )


def _minor(amount: int | float, currency: str) -> int:
    if currency == "KRW" and type(amount) is int:
        return amount
    return Money.parse(amount, currency).minor


def _account(entry: Entry) -> Account | None:
    if entry.method != "vbank" or entry.details is None:
        return None
    details = entry.details
    expires_at = details.get("expired_at")
    return Account(
        bank_name=str(details.get("bank_name") or ""),
        bank_code=str(details.get("bank_code") or ""),
        number=str(details.get("bank_account") or ""),
        holder=str(details.get("bank_username") or ""),
        expires_at=datetime.fromisoformat(str(expires_at)) if expires_at else None,
    )
