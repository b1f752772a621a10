"""Hands over to the shop what it is owed: as a signed HTTP POST, or to a Python function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from dojang.adapters.destination import Answered, Destination
from dojang.adapters.retry_after import asked_to_wait_s
from dojang.adapters.signature import signed_headers
from dojang.core.delivery import Delivery, delivery_id
from dojang.core.order import Order
from dojang.core.receipt import Receipt
from dojang.drive import Caller
from dojang.ports import Approved, Declined, HandedOver

__all__ = ["FunctionApproval", "FunctionFulfilment", "HttpApproval", "HttpFulfilment", "delivery_body"]


def delivery_body(delivery: Delivery) -> bytes:
    """The JSON of a delivery: `{"type", "timestamp", "data"}`; the same bytes at every attempt."""
    message = {
        "type": delivery.type,
        "timestamp": delivery.created_at.isoformat().replace("+00:00", "Z"),
        "data": delivery.data,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


class HttpFulfilment:
    """A signed POST (Standard Webhooks). 2xx settles, 410 stops, everything else is tried again.

    Args:
        destination: Where to.
        secrets: Signing secrets, newest first.
        call: How blocking code is called here.
        now: The time that is signed.
    """

    def __init__(
        self, destination: Destination, secrets: Sequence[str], call: Caller, now: Callable[[], datetime]
    ) -> None:
        self._destination = destination
        self._secrets = secrets
        self._call = call
        self._now = now

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """See `Fulfilment.hand_over`."""
        body = delivery_body(delivery)
        headers = signed_headers(self._secrets, delivery.id, int(self._now().timestamp()), body)
        answer = await self._call(self._destination.post, body, headers, within_s)
        if not isinstance(answer, Answered):
            return HandedOver(settled=False, words=answer.words, to=self._destination.host)
        return HandedOver(
            settled=200 <= answer.status < 300,
            gone=answer.status == 410,
            words=f"HTTP {answer.status}",
            wait_s=asked_to_wait_s(answer.status, answer.retry_after, self._now()),
            to=self._destination.host,
        )


class FunctionFulfilment:
    """Calls a Python function with the delivery's message; returning means it is handed over.

    A running function cannot be stopped, so it takes as long as it takes, whatever `within_s` says. Where that is
    longer than its claim, another process may call it beside the first, under the same id. Renewing the claim would
    take a thread beside each call, and would keep a function that hangs for ever from being tried elsewhere.

    Args:
        function: Takes `(id, message)`; must do nothing the second time it sees the same id.
        call: How blocking code is called here.
    """

    def __init__(self, function: Callable[[str, Mapping[str, object]], object], call: Caller) -> None:
        self._function = function
        self._call = call

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:  # noqa: ARG002 - the port's
        """See `Fulfilment.hand_over`."""
        message: dict[str, object] = json.loads(delivery_body(delivery))
        try:
            await self._call(self._function, delivery.id, message)
        except Exception as error:  # noqa: BLE001 - whatever the shop's function raises, it is owed again
            return HandedOver(settled=False, words=type(error).__name__)
        return HandedOver(settled=True)


class HttpApproval:
    """Asks the shop with a signed POST: `{"type": "payment.approve", …}` → `{"approve": true}`.

    Args:
        destination: Where to.
        secrets: Signing secrets, newest first.
        call: How blocking code is called here.
        now: The time that is signed.
    """

    def __init__(
        self, destination: Destination, secrets: Sequence[str], call: Caller, now: Callable[[], datetime]
    ) -> None:
        self._destination = destination
        self._secrets = secrets
        self._call = call
        self._now = now

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
        """See `Approval.ask`."""
        now = self._now()
        message = {
            "type": "payment.approve",
            "timestamp": now.isoformat().replace("+00:00", "Z"),
            "data": {
                "order_id": order.id,
                "receipt_id": receipt.id,
                "price": order.price.major,
                "currency": order.price.currency,
                "metadata": dict(order.metadata),
            },
        }
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        message_id = delivery_id(order.id, receipt.id, "approve")
        headers = signed_headers(self._secrets, message_id, int(now.timestamp()), body)
        answer = await self._call(self._destination.post, body, headers, within_s)
        if not isinstance(answer, Answered):
            return Declined(f"the shop did not answer: {answer.words}")
        return _word(answer)


def _word(answer: Answered) -> Approved | Declined:
    if not 200 <= answer.status < 300:
        return Declined(f"the shop answered HTTP {answer.status}")
    try:
        said = json.loads(answer.body, object_pairs_hook=_said_once)
    except (ValueError, RecursionError):  # the second: nested deeper than anybody means
        return Declined("the shop's answer is no JSON")
    if not isinstance(said, dict):
        return Declined("the shop's answer is no JSON object")
    if said.get("approve") is True:
        return Approved()
    return Declined(str(said.get("reason") or "the shop declined"))


def _said_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a name twice: which of the two was meant, nobody knows")
    return said


class FunctionApproval:
    """Asks a Python function: True, or a sentence why not.

    Args:
        function: Takes the order's id, the price in major units and the order's metadata.
        call: How blocking code is called here.
    """

    def __init__(
        self, function: Callable[[str, int | float, Mapping[str, object]], bool | str], call: Caller
    ) -> None:
        self._function = function
        self._call = call

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:  # noqa: ARG002 - the port's
        """See `Approval.ask`."""
        try:
            said = await self._call(self._function, str(order.id), order.price.major, order.metadata)
        except Exception as error:  # noqa: BLE001 - a hook that fails has not approved
            return Declined(f"the approval hook failed: {type(error).__name__}")
        return Approved() if said is True else Declined(str(said or "the shop declined"))
