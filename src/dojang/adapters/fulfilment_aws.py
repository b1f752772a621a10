"""Hands over to a queue of Amazon SQS or an event bus of Amazon EventBridge what the shop is owed.

Nothing is signed with DOJANG_DELIVER_SECRET: whoever may write there is decided by AWS, by the keys of whoever asks.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dojang.adapters.arn import Bus, Queue
from dojang.adapters.aws import Endpoint, NoKeys, Silent, usual_address
from dojang.adapters.fulfilment import delivery_body
from dojang.core.delivery import Delivery
from dojang.drive import Caller
from dojang.errors import ConfigError
from dojang.ports import HandedOver

__all__ = ["BusFulfilment", "QueueFulfilment"]

_CONNECT_S = 3.0
_CONNECTIONS_MAX = 8
_BUS_KNOWN_FOR_S = 60.0
# What an answer calls its error. Anything else is somebody's words, which may hold anything.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,79}", re.ASCII)
_CURES = {
    "AccessDenied": "these AWS credentials may not: see `dojang template policy --deliver-to`",
    "AccessDeniedException": "these AWS credentials may not: see `dojang template policy --deliver-to`",
    "QueueDoesNotExist": "there is no such queue",
    "ResourceNotFoundException": "there is no such event bus",
}


class _Failed(Exception):
    """The answer is not the one that was hoped for; its words are for people."""


class QueueFulfilment:
    """A message in a queue. SQS has it once it says so, with the checksum of what was sent.

    The message is the JSON that a POST would carry; `webhook-id` and `webhook-timestamp` are its attributes. A FIFO
    queue keeps the messages of an order in order, and takes an id that it has seen within five minutes for a repeat.

    Permissions: `sqs:SendMessage`; `kms:GenerateDataKey` and `kms:Decrypt` where a key of one's own encrypts the queue.

    Args:
        queue: Where to.
        endpoint: Another address than SQS's own; a sound one.
        call: How blocking code is called here.
        now: The time that is told with a message.
    """

    def __init__(self, queue: Queue, endpoint: str | None, call: Caller, now: Callable[[], datetime]) -> None:
        url = endpoint or usual_address("sqs", queue.region)
        self._endpoint = _endpoint("sqs", queue.region, url, "1.0")
        self._url = f"{url.rstrip('/')}/{queue.account}/{queue.name}"
        self._fifo = queue.fifo
        self._call = call
        self._now = now

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """See `Fulfilment.hand_over`."""
        return await self._call(_tried, self._send, delivery, within_s)

    def _send(self, delivery: Delivery, within_s: float) -> None:
        # SQS refuses these two characters, which are none; JSON has other words for them.
        body = delivery_body(delivery).decode().replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
        sent_at = str(int(self._now().timestamp()))
        message: dict[str, object] = {
            "QueueUrl": self._url,
            "MessageBody": body,
            "MessageAttributes": {
                "webhook-id": {"DataType": "String", "StringValue": delivery.id},
                "webhook-timestamp": {"DataType": "String", "StringValue": sent_at},
            },
        }
        if self._fifo:
            message |= {"MessageGroupId": delivery.order_id, "MessageDeduplicationId": delivery.id}
        said = _asked(self._endpoint, "AmazonSQS.SendMessage", message, within_s)
        if said.get("MD5OfMessageBody") != hashlib.md5(body.encode(), usedforsecurity=False).hexdigest():
            raise _Failed("the answer does not say that SQS has this message")


class BusFulfilment:
    """An event on a bus: `source` is `dojang`, `detail-type` the type, `detail` the JSON of a POST and its `id`.

    EventBridge takes events for a bus that is not there, answers as always and drops them. So the bus is looked for
    before the first event, and again after a minute: what is owed must not vanish by a wrong letter. What no rule of
    the bus matches is dropped as well, and that cannot be seen from here.

    Permissions: `events:PutEvents` and `events:DescribeEventBus`.

    Args:
        bus: Where to; in the account of whoever asks.
        endpoint: Another address than EventBridge's own; a sound one.
        call: How blocking code is called here.
        monotonic: Seconds that never go back.
    """

    def __init__(self, bus: Bus, endpoint: str | None, call: Caller, monotonic: Callable[[], float]) -> None:
        self._endpoint = _endpoint(
            "events", bus.region, endpoint or usual_address("events", bus.region), "1.1"
        )
        self._arn = bus.arn
        self._call = call
        self._monotonic = monotonic
        self._known_until: float | None = None

    async def hand_over(self, delivery: Delivery, within_s: float, /) -> HandedOver:
        """See `Fulfilment.hand_over`."""
        return await self._call(_tried, self._send, delivery, within_s)

    def _send(self, delivery: Delivery, within_s: float) -> None:
        until = self._monotonic() + within_s
        self._look_for_the_bus(within_s)
        detail = {"id": delivery.id, **json.loads(delivery_body(delivery))}
        entry = {
            "Source": "dojang",
            "DetailType": delivery.type,
            "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
            "EventBusName": self._arn,
            "Time": int(delivery.created_at.timestamp()),
        }
        request = {"Entries": [entry]}
        said = _asked(self._endpoint, "AWSEvents.PutEvents", request, until - self._monotonic())
        # HTTP 200 means no more than that the request was read.
        result = _first(said.get("Entries"))
        if said.get("FailedEntryCount") != 0 or "ErrorCode" in result or not result.get("EventId"):
            raise _Failed(
                _named(result.get("ErrorCode")) or "EventBridge does not say that it has this event"
            )

    def _look_for_the_bus(self, within_s: float) -> None:
        asked_at = self._monotonic()
        if self._known_until is not None and asked_at < self._known_until:
            return
        said = _asked(self._endpoint, "AWSEvents.DescribeEventBus", {"Name": self._arn}, within_s)
        if said.get("Arn") != self._arn:
            raise _Failed("EventBridge does not say that there is such a bus")
        self._known_until = asked_at + _BUS_KNOWN_FOR_S


def _endpoint(service: str, region: str, url: str, version: str) -> Endpoint:
    return Endpoint(
        service,
        region,
        url,
        version=version,
        wanted_by="DOJANG_DELIVER_TO",
        connections_max=_CONNECTIONS_MAX,
    )


def _tried(send: Callable[[Delivery, float], None], delivery: Delivery, within_s: float) -> HandedOver:
    try:
        send(delivery, within_s)
    except NoKeys as error:
        return HandedOver(settled=False, words=f"no AWS credentials could be had ({error})")
    except (Silent, ConfigError, _Failed) as error:
        return HandedOver(settled=False, words=str(error))
    return HandedOver(settled=True)


def _asked(
    endpoint: Endpoint, target: str, request: Mapping[str, object], within_s: float
) -> Mapping[str, Any]:
    """The JSON object of an answer with status 200; anything else is told by its code."""
    within_s = max(0.001, within_s)
    answer = endpoint.post(target, json.dumps(request).encode(), within_s, connect_s=_CONNECT_S)
    said = _object(answer.body)
    if answer.status == 200:
        return said
    code = str(said.get("__type", "")).rpartition("#")[2]
    raise _Failed(f"HTTP {answer.status} {_named(code)}".rstrip())


def _named(code: object) -> str:
    """What an error is called and what helps; empty where it has no name."""
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return ""
    return f"{code}: {_CURES[code]}" if code in _CURES else code


def _first(entries: object) -> Mapping[str, Any]:
    first = entries[0] if isinstance(entries, list) and len(entries) == 1 else None
    return first if isinstance(first, dict) else {}


def _object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer; empty where somebody else than AWS has answered."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
