"""What SQS and EventBridge are asked, held to botocore, and which of their answers settles."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from dojang.adapters.arn import Bus, Queue, read_arn
from dojang.adapters.fulfilment import delivery_body
from dojang.adapters.fulfilment_aws import BusFulfilment, QueueFulfilment
from dojang.core.delivery import Delivery, Lane
from dojang.core.order import Money, Order, OrderId
from dojang.drive import inline, run
from dojang.ports import Fulfilment, HandedOver

from .shop_door import SILENCE, Door, answer, opened

REGION, ACCOUNT = "ap-northeast-2", "111122223333"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders"
CREATED = datetime(2026, 11, 23, 3, 4, 5, 600_000, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 4, 0, 0, 900_000, tzinfo=UTC)
DELIVERY = Delivery(
    id="o-1:3:order_paid",
    order_id=OrderId("o-1"),
    seq=3,
    lane=Lane.NOTICE,
    type="order.paid",
    data={"order_id": "o-1", "metadata": {"name": "도장"}},
    created_at=CREATED,
    due_at=CREATED,
)
SECRETS = ("AKIDEXAMPLE", "wJalrXUtnFEMI", "session==")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys as a Lambda function has them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", SECRETS[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[1])
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRETS[2])


@pytest.fixture
def door() -> Iterator[Door]:
    """Whoever answers in AWS's place."""
    with opened() as door:
        yield door


class Seconds:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def origin(door: Door) -> str:
    """Its address."""
    return f"http://127.0.0.1:{door.port}"


def to_queue(door: Door, arn: str = QUEUE) -> QueueFulfilment:
    """Messages to this door."""
    queue = read_arn(arn)
    assert isinstance(queue, Queue)
    return QueueFulfilment(queue, origin(door), inline, lambda: NOW)


def to_bus(door: Door, monotonic: Callable[[], float] | None = None) -> BusFulfilment:
    """Events to this door."""
    bus = read_arn(BUS)
    assert isinstance(bus, Bus)
    return BusFulfilment(bus, origin(door), inline, monotonic or Seconds())


def hand_over(fulfilment: Fulfilment, delivery: Delivery = DELIVERY, within_s: float = 5) -> HandedOver:
    """Try once."""
    return run(fulfilment.hand_over(delivery, within_s))


def says(body: object, status: int = 200) -> bytes:
    """An answer in AWS's words."""
    return answer(status, json.dumps(body).encode())


def message(door: Door, number: int = -1) -> dict[str, Any]:
    """What was asked."""
    said: dict[str, Any] = json.loads(door.bodies[number])
    return said


def targets(door: Door) -> list[str]:
    """Which operations were asked for."""
    return [door.headers(n)["x-amz-target"].partition(".")[2] for n in range(len(door.heads))]


THERE = says({"Name": "orders", "Arn": BUS})
TAKEN = says({"FailedEntryCount": 0, "Entries": [{"EventId": "11710aed"}]})
HAS_IT = says({"MD5OfMessageBody": hashlib.md5(delivery_body(DELIVERY)).hexdigest(), "MessageId": "1"})

MAY_NOT = "these AWS credentials may not: see `dojang template policy --deliver-to`"


# --- what is asked -------------------------------------------------------------------------------------------------


def _by_botocore(door: Door, service: str, operation: str, request: Mapping[str, object]) -> dict[str, str]:
    """The same call, made by AWS's own client."""
    # A session of its own: the one that boto3 shares remembers keys of tests before.
    client = boto3.session.Session().client(
        service,
        region_name=REGION,
        endpoint_url=origin(door),
        config=Config(retries={"total_max_attempts": 1}),
    )
    getattr(client, operation)(**request)
    return door.headers()


@pytest.mark.parametrize("arn", [QUEUE, f"{QUEUE}.fifo"])
def test_a_message_is_sent_as_botocore_sends_it(arn: str, door: Door) -> None:
    """Target, content type, body and scope of the signature; botocore also asks for the old names of errors."""
    door.script = [HAS_IT]
    hand_over(to_queue(door, arn))
    ours, sent = door.headers(), message(door)
    theirs = _by_botocore(door, "sqs", "send_message", sent)

    assert sent == message(door)
    assert door.bodies[0] == door.bodies[1]
    assert _told(theirs) == _told(ours)
    assert _signed(theirs) - {"x-amzn-query-mode"} == _signed(ours)
    assert "AmazonSQS.SendMessage" == ours["x-amz-target"]


def test_an_event_is_sent_as_botocore_sends_it(door: Door) -> None:
    """Both of its requests."""
    door.script = [THERE, TAKEN, THERE, TAKEN]
    hand_over(to_bus(door))
    (look, ours), (_, sent) = (door.headers(0), door.headers(1)), (message(door, 0), message(door, 1))
    theirs_look = _by_botocore(door, "events", "describe_event_bus", {"Name": BUS})
    entry = sent["Entries"][0]
    theirs = _by_botocore(
        door, "events", "put_events", {"Entries": [entry | {"Time": CREATED.replace(microsecond=0)}]}
    )

    assert door.bodies[:2] == door.bodies[2:]
    assert (_told(theirs_look), _told(theirs)) == (_told(look), _told(ours))
    assert (_signed(theirs_look), _signed(theirs)) == (_signed(look), _signed(ours))
    assert "AWSEvents.PutEvents" == ours["x-amz-target"]


def _told(headers: Mapping[str, str]) -> list[str]:
    scope = headers["authorization"].split("/")[2:4]
    return [*(headers[name] for name in ("host", "x-amz-target", "content-type")), *scope]


def _signed(headers: Mapping[str, str]) -> set[str]:
    return set(headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";"))


def test_a_message_is_the_json_of_a_post(door: Door) -> None:
    """The very bytes; its id and the time of this attempt stand beside it, and no signature of ours."""
    door.script = [HAS_IT]
    hand_over(to_queue(door))
    sent = message(door)

    assert delivery_body(DELIVERY) == sent["MessageBody"].encode()
    assert f"{origin(door)}/{ACCOUNT}/orders" == sent["QueueUrl"]
    assert {"webhook-id": DELIVERY.id, "webhook-timestamp": str(int(NOW.timestamp()))} == {
        name: value["StringValue"] for name, value in sent["MessageAttributes"].items()
    }
    assert not {"MessageGroupId", "MessageDeduplicationId"} & set(sent)


def test_a_fifo_queue_is_told_the_order_and_the_id(door: Door) -> None:
    """One group per order keeps it in order; the id is what SQS knows a repeat by."""
    door.script = [HAS_IT]
    hand_over(to_queue(door, f"{QUEUE}.fifo"))
    sent = message(door)

    assert ("o-1", DELIVERY.id) == (sent["MessageGroupId"], sent["MessageDeduplicationId"])


def test_an_event_is_the_json_of_a_post_and_its_id(door: Door) -> None:
    """`time` is when it came to be owed: the same at every attempt."""
    door.script = [THERE, TAKEN]
    hand_over(to_bus(door))
    (entry,) = message(door)["Entries"]

    assert {"id": DELIVERY.id} | json.loads(delivery_body(DELIVERY)) == json.loads(entry.pop("Detail"))
    assert {
        "Source": "dojang",
        "DetailType": "order.paid",
        "EventBusName": BUS,
        "Time": int(CREATED.timestamp()),
    } == entry


def test_characters_that_sqs_refuses_are_sent_in_other_words(door: Door) -> None:
    """Of what an order may carry, only U+FFFE and U+FFFF are not among those that SQS takes; JSON can escape them.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    odd = {"metadata": {"\uffff": "a\ufffe\x01\ud7ff\U0001ffff"}}
    hand_over(to_queue(door), replace(DELIVERY, data=odd))
    body = message(door)["MessageBody"]

    assert odd == json.loads(body)["data"]
    assert not set(body) & {"\ufffe", "\uffff", "\x01"}


def test_the_largest_order_fits(door: Door) -> None:
    """SQS and EventBridge take 1 MiB; all that an order may carry, in the longest words of JSON, is a third of it.

    A queue that was given a lower `MaximumMessageSize` says so in its answer; it is told like every other.
    """
    metadata = {f"{n:02}".ljust(500, "\x01"): "\x01" * 500 for n in range(50)}
    order = Order(id=OrderId("o" * 64), price=Money(1), name="x", metadata=metadata)
    largest = replace(
        DELIVERY, id=f"{order.id}:999999:order_partially_cancelled", data={"metadata": dict(order.metadata)}
    )
    door.script = [HAS_IT, THERE, TAKEN]
    hand_over(to_queue(door), largest)
    body = message(door)["MessageBody"]
    hand_over(to_bus(door), largest)
    detail = message(door)["Entries"][0]["Detail"]

    assert 290_000 < len(body.encode()) < len(detail.encode()) < 350_000
    assert len(largest.id) <= 128


# --- which answers settle ------------------------------------------------------------------------------------------


def test_sqs_has_a_message_once_it_tells_its_checksum(door: Door) -> None:
    """And only then: a proxy's friendly page settles nothing."""
    door.script = [HAS_IT]

    assert HandedOver(settled=True) == hand_over(to_queue(door))
    assert 1 == len(door.heads)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (says({"MD5OfMessageBody": "0" * 32}), "the answer does not say that SQS has this message"),
        (says({}), "the answer does not say that SQS has this message"),
        (says([]), "the answer does not say that SQS has this message"),
        (answer(200, b"<html>welcome</html>"), "the answer does not say that SQS has this message"),
        (answer(200, b"[" * 60_000), "the answer does not say that SQS has this message"),
        (answer(204), "HTTP 204"),
        (answer(302, b"", "Location: /elsewhere"), "HTTP 302"),
        (
            says({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "…"}, 400),
            "HTTP 400 QueueDoesNotExist: there is no such queue",
        ),
        (
            says({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "…"}, 403),
            f"HTTP 403 AccessDeniedException: {MAY_NOT}",
        ),
        (says({"__type": "com.amazonaws.sqs#RequestThrottled"}, 400), "HTTP 400 RequestThrottled"),
        (says({"__type": 5}, 400), "HTTP 400"),
        (says({"__type": "홍길동 010-1234-5678"}, 400), "HTTP 400"),
        (answer(410), "HTTP 410"),
        (says({"__type": "x#InternalFailure"}, 500), "HTTP 500 InternalFailure"),
        (answer(503, b"<html>busy</html>"), "HTTP 503"),
    ],
)
def test_every_other_answer_of_sqs_is_tried_again(said: bytes, words: str, door: Door) -> None:
    """Named by its code; the sentence beside it may hold anything and is not kept. Nothing in AWS means 410."""
    door.script = [said]

    assert HandedOver(settled=False, words=words) == hand_over(to_queue(door))


def test_eventbridge_has_an_event_once_it_gives_it_an_id(door: Door) -> None:
    """And counts no failed entry."""
    door.script = [THERE, TAKEN]

    assert HandedOver(settled=True) == hand_over(to_bus(door))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            says({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "…"}]}),
            "InternalFailure",
        ),
        (
            says({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "AccessDeniedException"}]}),
            f"AccessDeniedException: {MAY_NOT}",
        ),
        (
            says({"FailedEntryCount": 0, "Entries": [{"EventId": "1", "ErrorCode": "InternalFailure"}]}),
            "InternalFailure",
        ),
        (
            says({"FailedEntryCount": 1, "Entries": [{"EventId": "1"}]}),
            "EventBridge does not say that it has this event",
        ),
        *(
            (says(body), "EventBridge does not say that it has this event")
            for body in (
                {},
                {"FailedEntryCount": 0},
                {"FailedEntryCount": 0, "Entries": []},
                {"FailedEntryCount": 0, "Entries": [{}]},
                {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}, {"EventId": "2"}]},
                {"Entries": [{"EventId": "1"}]},
            )
        ),
        (says({"__type": "ThrottlingException"}, 400), "HTTP 400 ThrottlingException"),
        (answer(500), "HTTP 500"),
    ],
)
def test_every_other_answer_of_eventbridge_is_tried_again(said: bytes, words: str, door: Door) -> None:
    """HTTP 200 with a failed entry most of all."""
    door.script = [THERE, said]

    assert HandedOver(settled=False, words=words) == hand_over(to_bus(door))


@pytest.mark.parametrize("to", [to_queue, to_bus])
@pytest.mark.parametrize("said", [None, SILENCE, b"nonsense\r\n\r\n"])
def test_no_usable_answer_is_tried_again(said: bytes | None, to: Any, door: Door) -> None:
    """Closed, silent or garbage: not settled, not gone, never an exception, within the time that was given."""
    door.script = [said]
    result = hand_over(to(door), within_s=0.05)

    assert (False, False) == (result.settled, result.gone)
    assert result.words


def test_nobody_there_is_tried_again() -> None:
    """A port that has been closed."""
    with opened() as door:
        queue, port = to_queue(door), door.port
    words = f"no connection to 127.0.0.1:{port}: the connection was refused"

    assert HandedOver(settled=False, words=words) == hand_over(queue)


def test_without_keys_nothing_is_sent(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is owed again, and goes with the keys that turn up later."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    door.script = [HAS_IT]
    fulfilment = to_queue(door)
    before = hand_over(fulfilment)
    sent = len(door.heads)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDLATE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    assert "no AWS credentials could be had (no AWS credentials were found)" == before.words
    assert 0 == sent
    assert hand_over(fulfilment).settled


def test_what_is_missing_for_a_profile_is_told(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AWS's parts are not installed the way out stands with the delivery; no run ends by it."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setitem(sys.modules, "botocore.session", None)

    assert "pip install 'dojang[aws]'" in hand_over(to_queue(door)).words


@pytest.mark.parametrize("to", [to_queue, to_bus])
def test_no_key_and_nothing_of_the_order_is_in_the_words(to: Any, door: Door) -> None:
    """Also where whoever answers repeats all that it was sent."""
    echo = f"{SECRETS} 도장 {BUS} {QUEUE}"
    door.script = [says({"__type": echo, "message": echo, "Entries": [{"ErrorCode": echo}]}, 400)]
    words = hand_over(to(door)).words

    assert "HTTP 400" == words


# --- a bus that is not there ---------------------------------------------------------------------------------------


def test_no_event_goes_to_a_bus_that_is_not_there(door: Door) -> None:
    """EventBridge would take it, answer as always and drop it: an order would be paid and nobody told.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    door.script = [says({"__type": "ResourceNotFoundException", "message": "…"}, 400)]
    result = hand_over(to_bus(door))

    assert "HTTP 400 ResourceNotFoundException: there is no such event bus" == result.words
    assert ["DescribeEventBus"] == targets(door)


@pytest.mark.parametrize("said", [says({}), says({"Arn": BUS.replace(ACCOUNT, "999988887777")})])
def test_another_bus_of_that_name_will_not_do(said: bytes, door: Door) -> None:
    """What EventBridge shows must be the one that was named."""
    door.script = [said]

    assert "EventBridge does not say that there is such a bus" == hand_over(to_bus(door)).words
    assert 1 == len(door.heads)


def test_a_bus_is_looked_for_once_a_minute(door: Door) -> None:
    """One request per event is the rule; that it has been deleted is found out soon."""
    seconds = Seconds()
    bus = to_bus(door, seconds)
    door.script = [THERE, TAKEN, TAKEN, says({"__type": "ResourceNotFoundException"}, 400)]
    first, second = hand_over(bus), hand_over(bus)
    seconds.now += 60
    third = hand_over(bus)

    assert (True, True, False) == (first.settled, second.settled, third.settled)
    assert ["DescribeEventBus", "PutEvents", "PutEvents", "DescribeEventBus"] == targets(door)


def test_a_name_server_that_is_silent_holds_no_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finding AWS's address is a part of the time as well."""
    let_go = threading.Event()

    def hang(*_: object, **__: object) -> list[Any]:
        let_go.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    queue, bus = read_arn(QUEUE), read_arn(BUS)
    assert isinstance(queue, Queue)
    assert isinstance(bus, Bus)
    silent = [
        hand_over(to, within_s=0.05)
        for to in (
            QueueFulfilment(queue, None, inline, lambda: NOW),
            BusFulfilment(bus, None, inline, Seconds()),
        )
    ]
    let_go.set()

    assert [False, False] == [told.settled for told in silent]
    assert all("no answer in time" in told.words for told in silent)


def test_looking_for_the_bus_takes_from_the_time_of_the_event(door: Door) -> None:
    """Together no longer than a POST may take."""
    seconds = Seconds()
    bus = to_bus(door, seconds)
    door.script = [THERE, SILENCE]
    # The look alone uses up the five seconds.
    times = iter([100.0, 100.0, 105.0])
    bus._monotonic = lambda: next(times)

    assert HandedOver(settled=False, words="no answer in time") == hand_over(bus)


# --- what it costs -------------------------------------------------------------------------------------------------


def test_neither_boto3_nor_an_event_loop_is_loaded(door: Door) -> None:
    """A function that starts cold waits for none of AWS's SDK."""
    code = f"""
import sys
from datetime import UTC, datetime
from dojang.adapters.arn import read_arn
from dojang.adapters.fulfilment_aws import QueueFulfilment
from dojang.core.delivery import Delivery, Lane
from dojang.core.order import OrderId
from dojang.drive import inline, run
now = datetime.now(UTC)
delivery = Delivery(id="d", order_id=OrderId("o"), seq=1, lane=Lane.NOTICE, type="t", created_at=now, due_at=now)
queue = QueueFulfilment(read_arn({QUEUE!r}), {origin(door)!r}, inline, lambda: now)
assert not run(queue.hand_over(delivery, 5)).settled
print(*sorted(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert 1 == len(door.heads)
    assert not loaded & {"asyncio", "boto3", "botocore", "sqlite3"}


def test_settings_and_the_world_load_nothing_of_it_when_it_is_not_used() -> None:
    """Who posts to an address pays for nothing in AWS."""
    code = "import sys, dojang.entry.wiring; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not set(done.stdout.split()) & {"dojang.adapters.fulfilment_aws", "dojang.adapters.aws", "urllib3"}
