"""A Lambda function of your own, for orders kept elsewhere: handler `lambda_stateless.handler`, with dojang's layer.

This tells whether the receipt *fits*. That it pays for one order only, and only once, is then your database's business:
store the receipt's id under a unique constraint in the same transaction that marks the order as paid.
"""

import json
import os

from dojang import InvalidValue, Money, Order, OrderId, Verified, judge, receipt_from_v2
from dojang.bootpay import PRODUCTION, Bootpay, BootpayError

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
        asked = json.loads(event["body"])
        order = find_order(asked["order_id"])
        verdict = judge(order, receipt_from_v2(bootpay.receipt(asked["receipt_id"])))
    except (InvalidValue, LookupError, TypeError, ValueError):
        return {"statusCode": 400, "body": '{"paid": false}'}
    except BootpayError:  # it did not answer, or refused: nothing is known, ask again
        return {"statusCode": 503, "body": '{"paid": null}', "headers": {"retry-after": "2"}}
    if isinstance(verdict, Verified):
        pass  # here your database takes note, once
    return {"statusCode": 200, "body": json.dumps({"paid": isinstance(verdict, Verified)})}
