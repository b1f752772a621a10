"""The layer as it is built and unpacked, under AWS's own runtime client and Runtime Interface Emulator.

Real processes, killed for real; none of them can find this source tree or its environment.
"""

from __future__ import annotations

import json
import re
import sysconfig
import threading
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from tests.adapters import dynamodb_local

from dojang.emulator.server import EmulatorServer
from dojang.entry.layer import Arch, Target
from dojang.entry.settings import read_settings
from dojang.entry.template import application
from dojang.entry.wiring import migrated

from .conftest import FACES, KEY, WHSEC, Buyer, Door, request_event, sample
from .runtime import HANDLER, Instance

if TYPE_CHECKING:
    from tests.entry.conftest import Opt

VERIFY = "/v1/orders/o-1/verify"
AT_ONCE, WORKERS = 50, 10
# A function of one's own around the handler: it tells where everything that was loaded came from.
HOMES = """
import sys
from dojang.entry.aws import handler


def tells(event, context):
    handler(event, context)
    return {
        "path": sys.path,
        "files": [module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)],
    }
"""
# A lease lasts 45 s. Nobody waits here: the schedule comes by a clock that is a minute fast.
LATER = """
from datetime import timedelta
from dojang.adapters.clock import SystemClock
import dojang.entry.wiring


class Later(SystemClock):
    def now(self):
        return super().now() + timedelta(seconds=60)


dojang.entry.wiring.SystemClock = Later
from dojang.entry.aws import handler
"""


class Start(Protocol):
    """Starts an instance; all of them are gone at the end."""

    def __call__(self, handler: str = HANDLER, code: str = "") -> Instance:
        """One more instance, of the layer's handler or of a function of one's own."""


@pytest.fixture(params=["sqlite", "dynamodb"])
def environment(
    request: pytest.FixtureRequest,
    bootpay: EmulatorServer,
    door: Door,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The function's settings, over a store file and over the official DynamoDB Local."""
    settings = {
        "DOJANG_MODE": "emulator",
        "BOOTPAY_URL": bootpay.url,
        "DOJANG_STORE": f"sqlite:///{tmp_path}/orders.sqlite3",
        "DOJANG_API_KEYS": KEY,
        "DOJANG_DELIVER_TO": door.url,
        "DOJANG_DELIVER_SECRET": WHSEC,
        # As the template has it.
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
    }
    if request.param == "dynamodb":
        for name, value in dynamodb_local.KEYS.items():
            monkeypatch.setenv(name, value)
        address = f"{dynamodb_local.fresh_name()}?region={dynamodb_local.REGION}"
        settings["DOJANG_STORE"] = f"dynamodb://{address}&endpoint={dynamodb_local.server_endpoint()}"
        settings |= dynamodb_local.KEYS
    migrated(read_settings(environment=settings))
    return settings


@pytest.fixture
def start(opt: Opt, environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts instances over the unpacked layer."""
    instances: list[Instance] = []

    def one_more(handler: str = HANDLER, code: str = "") -> Instance:
        folder = tmp_path / f"instance-{len(instances)}"
        task = folder / "task"
        task.mkdir(parents=True)
        if code:
            (task / f"{handler.partition('.')[0]}.py").write_text(code)
        instances.append(Instance(opt.path(task), environment, folder, handler=handler))
        return instances[-1]

    yield one_more
    for instance in instances:
        instance.kill()


def test_nothing_is_loaded_but_the_layer_the_image_and_the_standard_library(start: Start, opt: Opt) -> None:
    """The function first, then its layer, then Lambda's own: what this checkout has besides cannot be found."""
    instance = start("function.tells", HOMES)
    instance.ready()
    told = instance({"action": "state", "order_id": "o-1"})
    task, *path = told["path"][:5]
    ours = (task, f"{opt.python}/", f"{opt.image}/")
    python = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))
    strangers = [
        file
        for file in told["files"]
        if not file.startswith((*ours, *python)) or ("site-packages" in file and not file.startswith(ours))
    ]

    assert [task, str(opt.site), str(opt.python), str(opt.image)] == path
    assert [] == strangers
    assert any(file.startswith(f"{opt.python}/msgspec/") for file in told["files"])


def test_every_door_leads_to_the_whole_service(
    start: Start, buyer: Buyer, door: Door, bootpay: EmulatorServer
) -> None:
    """Registered, verified, cancelled, told by both kinds of webhook: whichever of AWS's services brings it.

    A replay asks Bootpay nothing; a cancel with the same key is the same cancel; a balancer gets its own shape.
    """
    instance = start()
    instance.ready()
    told = {face: _through(instance, face, buyer) for face in FACES}
    asked = bootpay.asked()
    scheduled = instance(sample("scheduler"))
    shapes = {
        face: set(instance(request_event(face, "GET", "/healthz")))
        - {"statusCode", "body", "isBase64Encoded"}
        for face in FACES
    }
    life = [
        (201, "open"), (422, "amount_mismatch"), (200, "paid", False), (200, "paid", True),
        (200, "partially_cancelled", 2000), (200, "partially_cancelled", 2000),
        (200, '{"success": true}'), (200, "OK"), (200, "partially_cancelled"),
    ]  # fmt: skip

    assert dict.fromkeys(FACES, life) == told, instance.log[-2000:]
    assert [len(FACES)] * 2 == [
        len([line for line in asked if word in line]) for word in ("POST /v2/confirm", "POST /v2/cancel")
    ]
    assert {"order.paid": len(FACES), "order.partially_cancelled": len(FACES)} == scheduled["deliver"][
        "settled"
    ]
    assert 2 * len(FACES) == len(set(door.types)) == len(door.types)
    assert {"statusDescription", "headers"} == shapes.pop("load_balancer")
    assert {"statusDescription", "multiValueHeaders"} == shapes.pop("load_balancer_multi")
    assert [{"headers"}] * 4 == list(shapes.values())


def _through(instance: Instance, face: str, buyer: Buyer) -> list[tuple[Any, ...]]:
    """The life of one payment through one door, told in a few words a step."""
    order_id = f"o-{face.replace('_', '-')}"
    at = f"/v1/orders/{order_id}"

    def asks(method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = instance(request_event(face, method, path, body, headers=named))
        text = answer["body"]
        return answer["statusCode"], text if path.startswith("/webhooks") else json.loads(text)

    shop = {"authorization": f"Bearer {KEY}"}
    registered = asks(
        "POST", "/v1/orders", {"order_id": order_id, "price": 3000, "name": "커피 원두"}, **shop
    )
    refused = asks("POST", f"{at}/verify", {"receipt_id": buyer.pays(order_id, 100)})
    receipt_id = buyer.pays(order_id)
    verified = [asks("POST", f"{at}/verify", {"receipt_id": receipt_id}) for _ in range(2)]
    cancel = {"amount": 1000, "reason": "한 개 품절", "expected_remaining": 3000}
    cancelled = [asks("POST", f"{at}/cancel", cancel, **shop, idempotency_key=f"k-{face}") for _ in range(2)]
    form = dict.fromkeys(("content_type", "Content_Type"), "application/x-www-form-urlencoded")
    webhooks = [
        asks("POST", "/webhooks/bootpay", {"receipt_id": receipt_id, "status": 1}),
        asks("POST", "/webhooks/bootpay/v1", f"receipt_id={receipt_id}&status=1", **form),
    ]
    shown = asks("GET", f"{at}/state")
    return [
        (registered[0], registered[1]["state"]),
        (refused[0], refused[1]["code"]),
        *((status, body["state"], body["replayed"]) for status, body in verified),
        *((status, body["state"], body["remaining"]) for status, body in cancelled),
        *webhooks,
        (shown[0], shown[1]["state"]),
    ]


def test_a_payment_through_the_real_runtime(start: Start, buyer: Buyer, door: Door) -> None:
    """Registered, verified, told by webhook, handed over by the schedule; a wrong event is one sentence.

    Whoever may invoke the function directly has the rest of the service.
    """
    instance = start()
    instance.ready()
    order = {"order_id": "o-1", "price": 3000, "name": "커피 원두"}
    bearer = {"authorization": f"Bearer {KEY}"}
    registered = instance(request_event("rest_api", "POST", "/v1/orders", order, headers=bearer))
    receipt_id = buyer.pays("o-1")
    verified = instance(request_event("http_api", "POST", VERIFY, {"receipt_id": receipt_id}))
    webhook = instance(
        request_event("function_url", "POST", "/webhooks/bootpay", {"receipt_id": receipt_id, "status": 1})
    )
    scheduled = instance(sample("event_rule"))
    cancelled = instance(
        {"action": "cancel", "order_id": "o-1", "key": "k-1", "amount": 1000, "reason": "품절"}
    )
    streamed = instance(sample("stream"))
    checked = instance({"action": "reconcile"})
    shown = instance({"action": "show", "order_id": "o-1"})
    refused = instance(sample("queue"))

    assert 201 == registered["statusCode"], registered
    assert (200, True) == (verified["statusCode"], '"state":"paid"' in verified["body"])
    assert '{"success": true}' == webhook["body"]
    assert {"order.paid": 1} == scheduled["deliver"]["settled"]
    assert (200, "partially_cancelled") == (cancelled["status"], cancelled["body"]["state"])
    assert {"batchItemFailures": []} == streamed
    assert (0, 0) == (checked["reconcile"]["errors"], checked["reconcile"]["drift"])
    assert 2000 == shown["body"]["remaining"]
    assert "InvalidValue" == refused["errorType"]
    assert "none that dojang knows" in refused["errorMessage"]
    assert [("o-1", "order.paid"), ("o-1", "order.partially_cancelled")] == door.types
    told = [
        line for line in instance.lines if line.get("order_id") == "o-1" and line.get("outcome") == "paid"
    ]
    assert told[0]["receipt_id"] == receipt_id
    assert f"START RequestId: {told[0]['requestId']}" in instance.log
    assert any(line.get("Verifications") == 1 for line in instance.lines)


@pytest.mark.parametrize("environment", ["dynamodb"], indirect=True)
def test_the_tables_own_stream_wakes_the_function(
    start: Start, environment: dict[str, str], buyer: Buyer, door: Door
) -> None:
    """What DynamoDB itself tells of a payment, as far as the template's filter lets it pass: the shop hears at once."""
    instance = start()
    instance.ready()
    instance({"action": "register", "order_id": "o-1", "price": 3000, "name": "커피"})
    unwoken = _passed(environment["DOJANG_STORE"])
    instance({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    woken = _passed(environment["DOJANG_STORE"])
    before = list(door.types)
    answer = instance({"Records": woken})

    assert ([], 1, []) == (unwoken, len(woken), before)
    assert {"batchItemFailures": []} == answer
    assert [("o-1", "order.paid")] == door.types


def _passed(store: str) -> list[dict[str, Any]]:
    """The records of the table's stream that the template's filter passes on."""
    table = store.removeprefix("dynamodb://").partition("?")[0]
    where = {"region_name": dynamodb_local.REGION, "endpoint_url": dynamodb_local.server_endpoint()}
    arn = boto3.client("dynamodb", **where).describe_table(TableName=table)["Table"]["LatestStreamArn"]
    streams = boto3.client("dynamodbstreams", **where)
    records: list[dict[str, Any]] = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        at = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        records += streams.get_records(ShardIterator=at["ShardIterator"])["Records"]
    template = application(Target("3.13", Arch.ARM64))["template.yaml"]
    (pattern,) = (json.loads(text) for text in re.findall(r"- Pattern: '(.*)'", template))
    (begins,) = (rule["prefix"] for rule in pattern["dynamodb"]["Keys"]["sk"]["S"])
    plain = json.loads(json.dumps(records, default=datetime.timestamp))
    return [
        record
        for record in plain
        if record["eventName"] in pattern["eventName"]
        and record["dynamodb"]["Keys"]["sk"]["S"].startswith(begins)
    ]


def test_fifty_invocations_at_once_are_one_payment_and_one_delivery(
    start: Start, buyer: Buyer, door: Door, bootpay: EmulatorServer
) -> None:
    """Fifty instances, as Lambda runs what comes at once, one receipt: approved once, told once.

    Bootpay takes two seconds to answer, so that none has ended when the last one begins.
    """
    instances = [start() for _ in range(AT_ONCE)]
    state = {"action": "state", "order_id": "o-1"}
    with ThreadPoolExecutor(4) as pool:
        # Starting costs far more than an invocation: first all are warm.
        list(pool.map(lambda instance: (instance.ready(), instance(state)), instances))
    instances[0]({"action": "register", "order_id": "o-1", "price": 3000, "name": "커피"})
    receipt_id = buyer.pays("o-1")
    verify = request_event("http_api", "POST", VERIFY, {"receipt_id": receipt_id})
    webhook = request_event("rest_api", "POST", "/webhooks/bootpay", {"receipt_id": receipt_id, "status": 2})
    together = threading.Barrier(AT_ONCE)

    def drive(number: int) -> tuple[float, float, int]:
        together.wait(30)
        begun = time.monotonic()
        answer = instances[number](webhook if number % 5 == 0 else verify)
        return begun, time.monotonic(), answer["statusCode"]

    with (
        ThreadPoolExecutor(AT_ONCE) as pool,
        bootpay.faulty(on="GET /v2/receipt", do="delay", delay_s=2.0),
    ):
        begun, ended, statuses = zip(*pool.map(drive, range(AT_ONCE)), strict=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda n: instances[n](sample("stream" if n % 2 else "scheduler")), range(WORKERS)))
    last = instances[0](verify)
    confirms = [line for line in bootpay.asked() if "confirm" in line]

    assert max(begun) < min(ended)
    assert {200} == set(statuses), [instance.log[-2000:] for instance in instances]
    assert '"state":"paid"' in last["body"]
    assert 1 == len(confirms)
    assert [("o-1", "order.paid")] == door.types


def test_a_function_killed_in_an_approval_is_finished_by_the_schedule(
    start: Start, buyer: Buyer, door: Door, bootpay: EmulatorServer
) -> None:
    """SIGKILL after Bootpay was told to approve and before it answered: nothing is approved twice, nothing is lost.

    While the dead function's lease lasts nobody touches the order; then the schedule looks, and finishes it.
    """
    instance = start()
    instance.ready()
    instance({"action": "register", "order_id": "o-1", "price": 3000, "name": "커피"})
    receipt_id = buyer.pays("o-1")
    verify = request_event("http_api", "POST", VERIFY, {"receipt_id": receipt_id})

    def invoke() -> None:
        with suppress(urllib.error.URLError, HTTPException, OSError):
            instance(verify)

    with bootpay.faulty(on="POST /v2/confirm", do="timeout_after", delay_s=20, times=1):
        caller = threading.Thread(target=invoke)
        caller.start()
        asked = threading.Event()
        for _ in range(500):
            if any("confirm" in line for line in bootpay.asked()):
                break
            asked.wait(0.02)
        runtime_too = len(instance.processes)
        instance.kill()
        left = instance.processes
        caller.join(20)
    successor = start()
    successor.ready()
    before = successor({"action": "state", "order_id": "o-1"})["body"]["state"]
    too_early = successor(sample("event_rule"))
    still = successor({"action": "state", "order_id": "o-1"})["body"]["state"]
    later = start("later.handler", LATER)
    later.ready()
    done = later(sample("event_rule"))
    verified = later(verify)

    assert (2, []) == (runtime_too, left)
    assert ("pending", "pending") == (before, still)
    assert 0 == too_early["reconcile"]["changes"]
    assert 1 == done["reconcile"]["changes"]
    assert (200, True) == (verified["statusCode"], '"replayed":true' in verified["body"])
    assert 1 == len([line for line in bootpay.asked() if "confirm" in line])
    assert [("o-1", "order.paid")] == door.types
