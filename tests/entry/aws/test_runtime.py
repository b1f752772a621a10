"""The function under AWS's own runtime client and Runtime Interface Emulator: real processes, killed for real."""

from __future__ import annotations

import threading
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.adapters import dynamodb_local

from dojang.adapters.clock import SystemClock
from dojang.emulator.server import EmulatorServer
from dojang.entry.settings import read_settings
from dojang.entry.wiring import migrated

from .conftest import KEY, WHSEC, Buyer, Deployed, Door, request_event, sample
from .runtime import Instance

Start = Callable[[], Instance]
VERIFY = "/v1/orders/o-1/verify"
INSTANCES, INVOCATIONS = 5, 50


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
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts instances of the function; all of them are gone at the end."""
    instances: list[Instance] = []

    def one_more() -> Instance:
        instances.append(Instance(environment, tmp_path / f"instance-{len(instances)}"))
        return instances[-1]

    yield one_more
    for instance in instances:
        instance.kill()


def test_a_payment_through_the_real_runtime(start: Start, buyer: Buyer, door: Door) -> None:
    """Registered, verified, told by webhook, handed over by the schedule; a wrong event is one sentence."""
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
    streamed = instance(sample("stream"))
    refused = instance(sample("queue"))

    assert 201 == registered["statusCode"], registered
    assert (200, True) == (verified["statusCode"], '"state":"paid"' in verified["body"])
    assert '{"success": true}' == webhook["body"]
    assert {"order.paid": 1} == scheduled["deliver"]["settled"]
    assert {"batchItemFailures": []} == streamed
    assert "InvalidValue" == refused["errorType"]
    assert "none that dojang knows" in refused["errorMessage"]
    assert [("o-1", "order.paid")] == door.types
    told = [
        line for line in instance.lines if line.get("order_id") == "o-1" and line.get("outcome") == "paid"
    ]
    assert told[0]["receipt_id"] == receipt_id
    assert f"START RequestId: {told[0]['requestId']}" in instance.log
    assert any(line.get("Verifications") == 1 for line in instance.lines)


def test_fifty_invocations_in_five_instances_are_one_payment_and_one_delivery(
    start: Start, buyer: Buyer, door: Door, bootpay: EmulatorServer
) -> None:
    """Browser, webhooks, streams and schedules all at once, about one receipt: approved once, told once."""
    instances = [start() for _ in range(INSTANCES)]
    for instance in instances:
        instance.ready()
    instances[0]({"action": "register", "order_id": "o-1", "price": 3000, "name": "커피"})
    receipt_id = buyer.pays("o-1")
    verify = request_event("http_api", "POST", VERIFY, {"receipt_id": receipt_id})
    webhook = request_event("rest_api", "POST", "/webhooks/bootpay", {"receipt_id": receipt_id, "status": 2})
    kinds = [
        verify,
        webhook,
        verify,
        sample("stream"),
        verify,
        sample("scheduler"),
        verify,
        webhook,
        verify,
        verify,
    ]
    together = threading.Barrier(INSTANCES)

    def drive(number: int) -> list[int]:
        together.wait(30)
        answers = [
            instances[number](kinds[(turn + number) % len(kinds)]) for turn in range(INVOCATIONS // INSTANCES)
        ]
        return [answer["statusCode"] for answer in answers if "statusCode" in answer]

    with ThreadPoolExecutor(INSTANCES) as pool:
        statuses = [status for one in pool.map(drive, range(INSTANCES)) for status in one]
    last = instances[0](verify)
    instances[1](sample("stream"))
    confirms = [line for line in bootpay.asked() if "confirm" in line]

    assert {200} == set(statuses), [instance.log[-2000:] for instance in instances]
    assert '"state":"paid"' in last["body"]
    assert 1 == len(confirms)
    assert [("o-1", "order.paid")] == door.types


class Later(SystemClock):
    """The machine's clock, a minute fast."""

    def now(self) -> datetime:
        """A minute after now."""
        return super().now() + timedelta(seconds=60)


def test_a_function_killed_in_an_approval_is_finished_by_the_schedule(
    start: Start,
    environment: dict[str, str],
    buyer: Buyer,
    door: Door,
    bootpay: EmulatorServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SIGKILL after Bootpay was told to approve and before it answered: nothing is approved twice, nothing is lost.

    The dead function's lease lasts 45 s. Instead of waiting, the schedule runs here, in this process, over the same
    store and by a clock that is a minute fast.
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
    successor = Deployed(environment)
    before = successor({"action": "state", "order_id": "o-1"})["body"]["state"]
    too_early = successor(sample("event_rule"))
    still = successor({"action": "state", "order_id": "o-1"})["body"]["state"]
    monkeypatch.setattr("dojang.entry.wiring.SystemClock", Later)
    later = Deployed(environment)
    done = later(sample("event_rule"))
    verified = later(verify)
    for function in (successor, later):
        function.function.forget()

    assert (2, []) == (runtime_too, left)
    assert ("pending", "pending") == (before, still)
    assert 0 == too_early["reconcile"]["changed"]
    assert 1 == done["reconcile"]["changed"]
    assert (200, True) == (verified["statusCode"], '"replayed":true' in verified["body"])
    assert 1 == len([line for line in bootpay.asked() if "confirm" in line])
    assert [("o-1", "order.paid")] == door.types
