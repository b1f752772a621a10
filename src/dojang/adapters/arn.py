"""Which queue of Amazon SQS or event bus of Amazon EventBridge an ARN names. Nothing is asked for that."""

from __future__ import annotations

import re

import msgspec

from dojang.errors import InvalidValue

__all__ = ["Bus", "Queue", "read_arn"]

_OWNER = r"(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}):(?P<account>[0-9]{12})"
# Compiled when first used: most shops are told over HTTP.
_QUEUE = rf"arn:aws[a-z-]*:sqs:{_OWNER}:(?P<name>[A-Za-z0-9_-]{{1,80}}|[A-Za-z0-9_-]{{1,75}}(?P<fifo>\.fifo))"
_BUS = rf"arn:aws[a-z-]*:events:{_OWNER}:event-bus/[A-Za-z0-9._/-]{{1,256}}"


class Queue(msgspec.Struct, frozen=True):
    """A queue of Amazon SQS.

    Attributes:
        arn: Its whole name.
        region: Where it is.
        account: Whose it is.
        name: Its last part; with `.fifo` at the end where messages keep their order.
        fifo: Whether they do.
    """

    arn: str
    region: str
    account: str
    name: str
    fifo: bool


class Bus(msgspec.Struct, frozen=True):
    """An event bus of Amazon EventBridge.

    Attributes:
        arn: Its whole name.
        region: Where it is.
    """

    arn: str
    region: str


def read_arn(text: str) -> Queue | Bus:
    """The queue or the bus, in any of AWS's partitions.

    Raises:
        InvalidValue: If it is the ARN of neither.
    """
    queue = re.fullmatch(_QUEUE, text)
    if queue is not None:
        return Queue(text, queue["region"], queue["account"], queue["name"], queue["fifo"] is not None)
    bus = re.fullmatch(_BUS, text)
    if bus is not None:
        return Bus(text, bus["region"])
    raise InvalidValue(
        "it must be the ARN of a queue (arn:aws:sqs:REGION:ACCOUNT:QUEUE) or of an event bus "
        "(arn:aws:events:REGION:ACCOUNT:event-bus/NAME)"
    )
