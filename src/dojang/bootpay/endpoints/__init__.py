"""Every endpoint of generation 2, bound to whatever client inherits this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dojang.bootpay.binding import Later, endpoint
from dojang.bootpay.endpoints import payments

if TYPE_CHECKING:
    from dojang.bootpay.endpoints import authentication as _authentication
    from dojang.bootpay.endpoints import automatic_transfer as _automatic_transfer
    from dojang.bootpay.endpoints import billing_keys as _billing_keys
    from dojang.bootpay.endpoints import cash_receipts as _cash_receipts
    from dojang.bootpay.endpoints import easy_pay as _easy_pay
    from dojang.bootpay.endpoints import escrow as _escrow
    from dojang.bootpay.endpoints import subscriptions as _subscriptions
else:
    # Whoever verifies payments needs none of these, and making their types takes as long as the rest of the client.
    _authentication = Later("dojang.bootpay.endpoints.authentication")
    _automatic_transfer = Later("dojang.bootpay.endpoints.automatic_transfer")
    _billing_keys = Later("dojang.bootpay.endpoints.billing_keys")
    _cash_receipts = Later("dojang.bootpay.endpoints.cash_receipts")
    _easy_pay = Later("dojang.bootpay.endpoints.easy_pay")
    _escrow = Later("dojang.bootpay.endpoints.escrow")
    _subscriptions = Later("dojang.bootpay.endpoints.subscriptions")

__all__ = ["Endpoints"]


class Endpoints:
    """The endpoints of generation 2 as methods."""

    receipt = endpoint(payments.receipt)
    lookup_order = endpoint(payments.lookup_order)
    confirm = endpoint(payments.confirm)
    cancel = endpoint(payments.cancel)

    certificate = endpoint(_authentication.certificate)
    request_authentication = endpoint(_authentication.request_authentication)
    confirm_authentication = endpoint(_authentication.confirm_authentication)
    resend_authentication = endpoint(_authentication.resend_authentication)

    request_billing_key = endpoint(_billing_keys.request_billing_key)
    billing_key_of_receipt = endpoint(_billing_keys.billing_key_of_receipt)
    billing_key = endpoint(_billing_keys.billing_key)
    sequential_billing_key = endpoint(_billing_keys.sequential_billing_key)
    destroy_billing_key = endpoint(_billing_keys.destroy_billing_key)

    pay_with_billing_key = endpoint(_subscriptions.pay_with_billing_key)
    reserve_payment = endpoint(_subscriptions.reserve_payment)
    reserved_payment = endpoint(_subscriptions.reserved_payment)
    cancel_reserved_payment = endpoint(_subscriptions.cancel_reserved_payment)

    request_automatic_transfer = endpoint(_automatic_transfer.request_automatic_transfer)
    publish_automatic_transfer = endpoint(_automatic_transfer.publish_automatic_transfer)

    publish_cash_receipt = endpoint(_cash_receipts.publish_cash_receipt)
    cancel_published_cash_receipt = endpoint(_cash_receipts.cancel_published_cash_receipt)
    request_cash_receipt = endpoint(_cash_receipts.request_cash_receipt)
    cancel_cash_receipt = endpoint(_cash_receipts.cancel_cash_receipt)

    start_shipping = endpoint(_escrow.start_shipping)

    request_user_token = endpoint(_easy_pay.request_user_token)
    wallets = endpoint(_easy_pay.wallets)
    pay_with_wallet = endpoint(_easy_pay.pay_with_wallet)
    payment_methods = endpoint(_easy_pay.payment_methods)
    service_wallet = endpoint(_easy_pay.service_wallet)
