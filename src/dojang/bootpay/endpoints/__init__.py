"""Every endpoint of generation 2, bound to whatever client inherits this."""

from __future__ import annotations

from dojang.bootpay.binding import endpoint
from dojang.bootpay.endpoints import (
    authentication,
    automatic_transfer,
    billing_keys,
    cash_receipts,
    easy_pay,
    escrow,
    payments,
    subscriptions,
)

__all__ = ["Endpoints"]


class Endpoints:
    """The endpoints of generation 2 as methods."""

    receipt = endpoint(payments.receipt)
    lookup_order = endpoint(payments.lookup_order)
    confirm = endpoint(payments.confirm)
    cancel = endpoint(payments.cancel)

    certificate = endpoint(authentication.certificate)
    request_authentication = endpoint(authentication.request_authentication)
    confirm_authentication = endpoint(authentication.confirm_authentication)
    resend_authentication = endpoint(authentication.resend_authentication)

    request_billing_key = endpoint(billing_keys.request_billing_key)
    billing_key_of_receipt = endpoint(billing_keys.billing_key_of_receipt)
    billing_key = endpoint(billing_keys.billing_key)
    sequential_billing_key = endpoint(billing_keys.sequential_billing_key)
    destroy_billing_key = endpoint(billing_keys.destroy_billing_key)

    pay_with_billing_key = endpoint(subscriptions.pay_with_billing_key)
    reserve_payment = endpoint(subscriptions.reserve_payment)
    reserved_payment = endpoint(subscriptions.reserved_payment)
    cancel_reserved_payment = endpoint(subscriptions.cancel_reserved_payment)

    request_automatic_transfer = endpoint(automatic_transfer.request_automatic_transfer)
    publish_automatic_transfer = endpoint(automatic_transfer.publish_automatic_transfer)

    publish_cash_receipt = endpoint(cash_receipts.publish_cash_receipt)
    cancel_published_cash_receipt = endpoint(cash_receipts.cancel_published_cash_receipt)
    request_cash_receipt = endpoint(cash_receipts.request_cash_receipt)
    cancel_cash_receipt = endpoint(cash_receipts.cancel_cash_receipt)

    start_shipping = endpoint(escrow.start_shipping)

    request_user_token = endpoint(easy_pay.request_user_token)
    wallets = endpoint(easy_pay.wallets)
    pay_with_wallet = endpoint(easy_pay.pay_with_wallet)
    payment_methods = endpoint(easy_pay.payment_methods)
    service_wallet = endpoint(easy_pay.service_wallet)
