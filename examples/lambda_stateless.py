"""A Lambda function of your own, for orders kept elsewhere: handler `lambda_stateless.handler`, with dojang's layer.

This tells whether the receipt *fits*. That it pays for one order only, and only once, is then your database's business:
store the receipt's id under a unique constraint in the same transaction that marks the order as paid.
"""

import base64
import json
import os

from dojang import InvalidValue, Money, Order, OrderId, Verified, judge, receipt_from_v2
from dojang.bootpay import PRODUCTION, Bootpay, BootpayError, Refused

bootpay = Bootpay(
    client_key=os.environ["BOOTPAY_CLIENT_KEY"],
    secret_key=os.environ["BOOTPAY_SECRET_KEY"],
    url=os.environ.get("BOOTPAY_URL", PRODUCTION),
)


def find_order(order_id):
    """Stands for your database. The price comes from there, never from the browser."""
    prices = {"1526557671321": "3000"}
    return Order(id=OrderId(order_id), price=Money.parse(prices[order_id]), name="테스트음식")


def handler(event, context):
    """Takes `{"order_id": …, "receipt_id": …}` from the page that the buyer comes back to."""
    try:
        body = event["body"]
        asked = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
        order = find_order(asked["order_id"])
        verdict = judge(order, receipt_from_v2(bootpay.receipt(asked["receipt_id"])))
    except (InvalidValue, LookupError, RecursionError, TypeError, ValueError):
        return answer(400, False)
    except BootpayError as no:
        if (
            isinstance(no, Refused) and not no.retryable
        ):  # a receipt that nobody has; keys that Bootpay does not take
            return answer(404, False) if no.code == "RC_NOT_FOUND" else answer(502, None)
        return answer(503, None, {"retry-after": "2"})  # nothing is known: ask again
    if isinstance(verdict, Verified):
        pass  # here your database takes note, once
    return answer(200, isinstance(verdict, Verified))


def answer(status, paid, headers=None):
    """What the page is told; null where nobody knows."""
    return {"statusCode": status, "body": json.dumps({"paid": paid}), "headers": headers or {}}
