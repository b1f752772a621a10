"""Asks the first generation of Bootpay's API. Apart, so that whoever asks the current one does not load both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from dojang.adapters.gateway import Sender, decimal_of, judged_by, knows_no_such, same
from dojang.bootpay.v1 import Receipt as ReceiptV1
from dojang.bootpay.v1 import payments
from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.errors import NotSent, OutcomeUnknown, Refused

__all__ = ["GatewayV1", "receipt_from_v1"]

_STATUS_V1: Mapping[int, ReceiptStatus] = {
    0: ReceiptStatus.WAITING,
    1: ReceiptStatus.PAID,
    2: ReceiptStatus.AWAITING_APPROVAL,
    3: ReceiptStatus.APPROVING,
    11: ReceiptStatus.NOT_A_PAYMENT,
    20: ReceiptStatus.CANCELLED,
    -1: ReceiptStatus.FAILED,
    -2: ReceiptStatus.FAILED,
    -3: ReceiptStatus.ACCOUNT_CANCELLED,
    -11: ReceiptStatus.FAILED,
    # A cancel that failed leaves the money where it was; one in progress has not decided anything yet.
    -20: ReceiptStatus.PAID,
    -30: ReceiptStatus.APPROVING,
}


def receipt_from_v1(wire: ReceiptV1) -> Receipt:
    """What we judge by, out of a v1 receipt; bodies of 2018 name no tax-free part and no cancelled amount.

    Raises:
        OutcomeUnknown: If Bootpay's own amounts or ids make no sense.
    """
    status = _STATUS_V1.get(wire.status, ReceiptStatus.UNKNOWN)
    account = None
    if wire.method == "vbank":
        account = _account_v1(wire.payment_data)
        if wire.status == 2:
            # The first generation has one number for "approve me" and "pay into this account".
            status = ReceiptStatus.AWAITING_DEPOSIT
    none = Decimal(0)
    return judged_by(
        receipt_id=wire.receipt_id,
        order_id=wire.order_id,
        status=status,
        number=wire.status,
        amounts=(
            wire.price,
            wire.tax_free or none,
            wire.cancelled_price or none,
            wire.cancelled_tax_free or none,
        ),
        currency=(wire.unit or "KRW").upper(),
        sandbox=None,
        method=wire.method or "",
        account=account,
        purchased_at=wire.purchased_at,
    )


def _account_v1(data: Mapping[str, object]) -> Account | None:
    number = data.get("account")
    if not number:
        return None
    return Account(
        bank_name=str(data.get("bankname") or ""),
        number=str(number),
        holder=str(data.get("accountholder") or ""),
    )


class GatewayV1:
    """`dojang.ports.Gateway` over the first generation, which cannot look up by order id."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        try:
            wire = await self._send(payments.verify(str(receipt_id)), within_s)
        except Refused as no:
            if knows_no_such(no):
                return None
            raise
        return same(receipt_id, receipt_from_v1(wire))

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:  # noqa: ARG002 - the port's
        """See `Gateway.look_up_order`: always empty."""
        return ()

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        await self._send(payments.submit(str(receipt_id)), within_s)
        # The answer lacks what was cancelled and the currency: judge by the receipt itself.
        return await self._read_back(receipt_id, within_s)

    async def cancel(
        self,
        receipt_id: ReceiptId,
        within_s: float,
        /,
        *,
        cancel_id: str,
        amount: int | None = None,
        tax_free: int = 0,
        currency: str = "KRW",
        reason: str = "",
        refund_account: Mapping[str, str] | None = None,
    ) -> Receipt:
        """See `Gateway.cancel`."""
        refund = None
        if refund_account is not None:
            refund = {
                "account": refund_account.get("bank_account", ""),
                "accountholder": refund_account.get("bank_username", ""),
                "bankcode": refund_account.get("bank_code", ""),
            }
        call = payments.cancel(
            str(receipt_id),
            None if amount is None else decimal_of(amount, currency),
            tax_free=decimal_of(tax_free, currency) if amount is not None and tax_free else None,
            cancel_id=cancel_id,
            name="dojang",
            reason=reason or None,
            refund=refund,
            currency=currency,
        )
        await self._send(call, within_s)
        return await self._read_back(receipt_id, within_s)

    async def _read_back(self, receipt_id: ReceiptId, within_s: float) -> Receipt:
        try:
            receipt = await self.look_up(receipt_id, within_s)
        except (NotSent, Refused) as error:
            raise OutcomeUnknown(
                f"it was done, but the receipt could not be read back: {type(error).__name__}"
            ) from None
        if receipt is None:
            raise OutcomeUnknown("it was done, but Bootpay no longer knows the receipt")
        return receipt
