"""`examples/lambda_stateless.py`, with this measurement's orders."""

import lambda_stateless

from dojang import Money, Order, OrderId


def _find(order_id):
    return Order(id=OrderId(order_id), price=Money.parse("1200"), name="order")


lambda_stateless.find_order = _find
handler = lambda_stateless.handler
