"""A stand-in for Amazon SQS and EventBridge: moto's server, one per process. AWS has no local edition of either.

It knows their protocols, FIFO queues and their memory of ids. It is not AWS: what AWS says in its documents stands
beside the tests that rely on it.
"""

from __future__ import annotations

import atexit
import logging
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION, ACCOUNT = "ap-northeast-2", "123456789012"
"""moto keeps everything in one account."""


@cache
def address() -> str:
    """Where it is."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def client(service: str) -> Any:
    """AWS's own client of a service: a second opinion on what has arrived."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=address(),
        aws_access_key_id="stand-in",
        aws_secret_access_key="stand-in",
    )


def new_queue(*, fifo: bool = False) -> str:
    """The ARN of a queue that nobody else uses."""
    name = f"q{secrets.token_hex(6)}" + (".fifo" if fifo else "")
    client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def new_bus() -> str:
    """The ARN of a bus whose events all go to the queue of the same name."""
    name = f"b{secrets.token_hex(6)}"
    client("sqs").create_queue(QueueName=name)
    events = client("events")
    arn: str = events.create_event_bus(Name=name)["EventBusArn"]
    events.put_rule(Name=name, EventBusName=name, EventPattern='{"source": ["dojang"]}')
    target = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}
    events.put_targets(Rule=name, EventBusName=name, Targets=[target])
    return arn


def messages(arn: str) -> list[Mapping[str, Any]]:
    """What is in the queue of this name, as a consumer takes it: all messages at once, and gone from the queue."""
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=arn.replace("/", ":").rpartition(":")[2])["QueueUrl"]
    asked = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
    found: list[Mapping[str, Any]] = sqs.receive_message(QueueUrl=url, **asked).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
