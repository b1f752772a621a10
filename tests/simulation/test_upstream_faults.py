"""Bootpay at its worst, on the wire: the real server answers rightly, stores nothing wrong, and settles later."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from torture.processes import Process, Server, emulator, free_port
from torture.wire import Answer, Wire

from dojang.emulator.options import EmulatorOptions
from dojang.emulator.rules import Keys
from dojang.emulator.server import EmulatorServer

# The servers of this file's fixtures are started once, not once per worker.
pytestmark = pytest.mark.xdist_group("upstream faults")

KEY = "shop-key-0123456789abcdef"
PRICE = 12_000

LOOKING = {
    "slow": ({"do": "delay", "delay_s": 0.5}, 200, None),
    "gateway page": ({"do": "html_502"}, 503, "upstream_unavailable"),
    "half an answer": ({"do": "malformed"}, 503, "upstream_unavailable"),
    "reset": ({"do": "reset"}, 503, "upstream_unavailable"),
    "silence, then reset": ({"do": "timeout_before", "delay_s": 0.5}, 503, "upstream_unavailable"),
    "keys refused": ({"do": "unauthorized"}, 502, "upstream_refused"),
}
"""How a look-up may go wrong, and what the buyer hears."""

APPROVING = {
    "slow": ({"do": "delay", "delay_s": 0.5}, 200),
    "gateway page, nothing moved": ({"do": "html_502"}, 202),
    "gateway page, money moved": ({"do": "html_502", "effect": True}, 200),
    "half an answer, money moved": ({"do": "malformed"}, 200),
    "reset, nothing moved": ({"do": "reset"}, 202),
    "reset, money moved": ({"do": "reset", "effect": True}, 200),
    "silence, nothing moved": ({"do": "timeout_before", "delay_s": 0.5}, 202),
    "silence, money moved": ({"do": "timeout_after", "delay_s": 0.5}, 200),
    "critical, nothing moved": ({"do": "critical", "effect": False}, 202),
    "critical, money moved": ({"do": "critical"}, 200),
}
"""How an approval may go wrong. Where money moved the buyer hears so; where it is not known, nothing is said."""

GIVING_BACK = {
    "slow": ({"do": "delay", "delay_s": 0.5}, 200),
    "gateway page, nothing moved": ({"do": "html_502"}, 202),
    "gateway page, money moved": ({"do": "html_502", "effect": True}, 200),
    "half an answer, money moved": ({"do": "malformed"}, 200),
    "reset, nothing moved": ({"do": "reset"}, 202),
    "reset, money moved": ({"do": "reset", "effect": True}, 200),
    "silence, nothing moved": ({"do": "timeout_before", "delay_s": 0.5}, 202),
    "silence, money moved": ({"do": "timeout_after", "delay_s": 0.5}, 200),
    "critical, money moved": ({"do": "critical"}, 200),
}
"""How a cancel may go wrong. Done is said when the running total shows it; else nothing is said."""


@dataclass
class Case:
    """What was heard and what was on file: while it went wrong, and when all was well again."""

    answer: Answer
    during: Any
    later: Answer
    settled: Any
    receipt: Any


def environment(folder: Path, bootpay: str, **more: str) -> Mapping[str, str]:
    """Settings of a server with a file of its own."""
    return {
        "DOJANG_MODE": "emulator",
        "BOOTPAY_URL": bootpay,
        "DOJANG_STORE": f"sqlite:///{folder / 'orders.sqlite3'}",
        "DOJANG_API_KEYS": KEY,
        **more,
    }


@contextmanager
def serving(folder: Path, settings: Mapping[str, str], ahead_s: float = 0.0) -> Iterator[Wire]:
    """The real server for as long as this lasts."""
    server = Server(folder, settings)
    server.start(ahead_s)
    try:
        server.wait_ready()
        yield Wire(server.url, KEY)
    finally:
        code = server.stop()

    assert (0, []) == (code, server.complaints())


def register(service: Wire, order_id: str) -> None:
    """Register an order."""
    service.need("POST", "/v1/orders", {"order_id": order_id, "price": PRICE, "name": "원두"}, keyed=True)


def checkout(bootpay: Wire, order_id: str, *, confirmed: bool, **more: object) -> str:
    """A window in which the buyer has agreed."""
    window = {"order_id": order_id, "price": PRICE, "separately_confirmed": confirmed, "webhook_url": ""}
    receipt_id = bootpay.need("POST", "/emulator/checkouts", window | more)["receipt_id"]
    bootpay.need("POST", f"/emulator/receipts/{receipt_id}/approve")
    return str(receipt_id)


def verify(service: Wire, order_id: str, receipt_id: str) -> Answer:
    """The buyer comes back."""
    return service.ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": receipt_id}, within_s=40)


def shown(service: Wire, order_id: str) -> Any:
    """The order as the shop sees it."""
    return service.need("GET", f"/v1/orders/{order_id}", keyed=True)


def code_of(answer: Answer) -> str | None:
    """Which problem was told, if one was."""
    return answer.body.get("code") if isinstance(answer.body, dict) else None


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Case]:
    """Every fault once, on one server; then the same file, a minute later, with a Bootpay that is well."""
    folder = tmp_path_factory.mktemp("faults")
    heard: dict[str, tuple[str, Answer, Any]] = {}
    silent: list[Answer] = []
    with EmulatorServer() as pretend:
        bootpay = Wire(pretend.url)
        settings = environment(folder, pretend.url)
        with serving(folder, settings) as service:
            register(service, "silent")
            silent_id = checkout(bootpay, "silent", confirmed=False)
            # Never an answer to this one: the whole deadline passes meanwhile.
            for_ever = {"on": f"GET /v2/receipt/{silent_id}", "do": "timeout_before", "delay_s": 300}
            bootpay.need("POST", "/emulator/faults", for_ever)
            waiting = threading.Thread(target=lambda: silent.append(verify(service, "silent", silent_id)))
            waiting.start()
            for number, (name, (fault, *_)) in enumerate(LOOKING.items()):
                order_id = f"look-{number}"
                register(service, order_id)
                receipt_id = checkout(bootpay, order_id, confirmed=False)
                bootpay.need("POST", "/emulator/faults", fault | {"on": f"GET /v2/receipt/{receipt_id}"})
                answer = verify(service, order_id, receipt_id)
                heard[f"look: {name}"] = (receipt_id, answer, shown(service, order_id))
            for number, (name, (fault, *_)) in enumerate(APPROVING.items()):
                order_id = f"approve-{number}"
                register(service, order_id)
                receipt_id = checkout(bootpay, order_id, confirmed=True)
                bootpay.need("POST", "/emulator/faults", fault | {"on": "POST /v2/confirm", "times": 1})
                answer = verify(service, order_id, receipt_id)
                heard[f"approve: {name}"] = (receipt_id, answer, shown(service, order_id))
            waiting.join()
            heard["look: silence"] = (silent_id, silent[0], shown(service, "silent"))
        bootpay.need("DELETE", "/emulator/faults")
        # The lease of whatever is pending is over by then.
        with serving(folder, settings, ahead_s=60) as service:
            done = {}
            for name, (receipt_id, answer, during) in heard.items():
                order_id = during["order_id"]
                later = verify(service, order_id, receipt_id)
                receipt = bootpay.need("GET", f"/emulator/receipts/{receipt_id}")
                done[name] = Case(answer, during, later, shown(service, order_id), receipt)
    return done


def give_back(service: Wire, order_id: str, key: str) -> Answer:
    """The shop cancels a part."""
    return service.ask(
        *("POST", f"/v1/orders/{order_id}/cancel", {"amount": 5_000, "reason": "품절"}),
        keyed=True,
        within_s=40,
        headers={"idempotency-key": key},
    )


@pytest.fixture(scope="module")
def cancels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Case]:
    """A part of every order is cancelled while it goes wrong, and asked for again under the same key later."""
    folder = tmp_path_factory.mktemp("cancels")
    heard: dict[str, tuple[str, Answer, Any]] = {}
    with EmulatorServer() as pretend:
        bootpay = Wire(pretend.url)
        settings = environment(folder, pretend.url)
        with serving(folder, settings) as service:
            for number, (name, (fault, _)) in enumerate(GIVING_BACK.items()):
                order_id = f"back-{number}"
                register(service, order_id)
                receipt_id = checkout(bootpay, order_id, confirmed=False)
                assert verify(service, order_id, receipt_id).status == 200
                bootpay.need("POST", "/emulator/faults", fault | {"on": "POST /v2/cancel", "times": 1})
                answer = give_back(service, order_id, "key-1")
                heard[name] = (receipt_id, answer, shown(service, order_id))
        # Ten minutes after an intent whose money has not moved, it is certain that it was not carried out.
        with serving(folder, settings, ahead_s=900) as service:
            service.need("POST", "/v1/reconcile", {"everything": True}, keyed=True)
            done = {}
            for name, (receipt_id, answer, during) in heard.items():
                order_id = during["order_id"]
                later = give_back(service, order_id, "key-1")
                receipt = bootpay.need("GET", f"/emulator/receipts/{receipt_id}")
                done[name] = Case(answer, during, later, shown(service, order_id), receipt)
    return done


@pytest.mark.parametrize("name", GIVING_BACK)
def test_a_cancel_in_doubt_is_looked_up_and_never_guessed(cancels: Mapping[str, Case], name: str) -> None:
    """Done is said when Bootpay's running total shows it; else the order is pending and nobody cancels again."""
    _, status = GIVING_BACK[name]
    case = cancels[name]
    back = case.during["cancelled"]

    assert status == case.answer.status
    assert {200: ("partially_cancelled", 5_000), 202: ("pending", 0)}[status] == (case.during["state"], back)


@pytest.mark.parametrize("name", GIVING_BACK)
def test_a_key_moves_its_money_once_whatever_went_wrong(cancels: Mapping[str, Case], name: str) -> None:
    """Asked again under the same key: the first answer, or what had not been carried out. Never a second time."""
    case = cancels[name]

    assert (200, 5_000) == (case.later.status, case.later.body["cancelled"])
    assert ("partially_cancelled", 5_000, 5_000) == (
        case.settled["state"],
        case.settled["cancelled"],
        case.receipt["cancelled_price"],
    )
    assert (case.answer.status == 200) == ("idempotency-replayed" in case.later.headers)


@pytest.mark.parametrize("name", LOOKING)
def test_a_look_up_that_goes_wrong_is_said_to_have_gone_wrong(cases: Mapping[str, Case], name: str) -> None:
    """No answer of Bootpay's is no answer of ours: the caller hears that it may ask again, and nothing is on file."""
    _, status, code = LOOKING[name]
    case = cases[f"look: {name}"]

    assert (status, code) == (case.answer.status, code_of(case.answer))
    if status != 200:
        assert ("open", 1) == (case.during["state"], case.during["version"])


def test_silence_is_ended_by_our_own_deadline(cases: Mapping[str, Case]) -> None:
    """Whoever hears nothing from Bootpay still answers in time."""
    case = cases["look: silence"]

    assert (503, "upstream_unavailable") == (case.answer.status, code_of(case.answer))
    assert ("open", 1) == (case.during["state"], case.during["version"])


def test_a_webhook_is_answered_while_bootpay_says_nothing(tmp_path: Path) -> None:
    """The look-up is given up in time and the webhook kept; when Bootpay speaks again the order is paid by it."""
    with EmulatorServer() as pretend:
        bootpay = Wire(pretend.url)
        settings = environment(tmp_path, pretend.url)
        with serving(tmp_path, settings) as service:
            register(service, "o-1")
            receipt_id = checkout(bootpay, "o-1", confirmed=False)
            for_ever = {"on": f"GET /v2/receipt/{receipt_id}", "do": "timeout_before", "delay_s": 300}
            bootpay.need("POST", "/emulator/faults", for_ever)
            hook = {"receipt_id": receipt_id, "order_id": "o-1", "status": 1}
            # Bootpay waits for five seconds; a machine that is busy with other tests is given more.
            answer = service.ask("POST", "/webhooks/bootpay", hook, within_s=20)
            during = shown(service, "o-1")
        bootpay.need("DELETE", "/emulator/faults")
        with serving(tmp_path, settings, ahead_s=60) as service:
            give_up = time.monotonic() + 20
            while (later := shown(service, "o-1")["state"]) != "paid" and time.monotonic() < give_up:
                pass

    assert (200, {"success": True}) == (answer.status, answer.body)
    assert ("open", "paid") == (during["state"], later)


@pytest.mark.parametrize("name", APPROVING)
def test_an_approval_in_doubt_is_looked_up_and_never_guessed(cases: Mapping[str, Case], name: str) -> None:
    """Paid is said when Bootpay shows the money; else the order is pending, and stays nobody else's business."""
    _, status = APPROVING[name]
    case = cases[f"approve: {name}"]

    assert status == case.answer.status
    assert {200: "paid", 202: "pending"}[status] == case.answer.body["state"] == case.during["state"]


def test_all_is_settled_when_the_fault_is_gone(cases: Mapping[str, Case]) -> None:
    """Every order of every fault is paid in the end, once, and Bootpay has the money."""
    assert dict.fromkeys(cases, (200, "paid", 1)) == {
        name: (case.later.status, case.settled["state"], case.receipt["status"])
        for name, case in cases.items()
    }
    assert {name: ["order.paid"] for name in cases} == {
        name: [delivery["type"] for delivery in case.settled["deliveries"]] for name, case in cases.items()
    }


def test_a_token_that_expires_on_the_way_is_renewed_without_anybody_noticing(tmp_path: Path) -> None:
    """With the older keys a token may end between two calls: a new one is asked for, and the buyer hears "paid"."""
    keys = {"BOOTPAY_APPLICATION_ID": "app-1", "BOOTPAY_PRIVATE_KEY": "private-1"}
    options = EmulatorOptions(keys=Keys(application_id="app-1", private_key="private-1"))
    with EmulatorServer(options) as pretend:
        bootpay = Wire(pretend.url)
        with serving(tmp_path, environment(tmp_path, pretend.url, **keys)) as service:
            heard = []
            for number, on in enumerate(("GET /v2/receipt", "POST /v2/confirm")):
                register(service, f"o-{number}")
                receipt_id = checkout(bootpay, f"o-{number}", confirmed=True)
                bootpay.need("POST", "/emulator/faults", {"on": on, "do": "expire_token", "times": 1})
                heard.append(verify(service, f"o-{number}", receipt_id))
            tokens = pretend.asked().count("POST /v2/request/token")

    assert [(200, "paid")] * 2 == [(answer.status, answer.body["state"]) for answer in heard]
    assert tokens > 1


def test_a_name_that_cannot_be_resolved_is_bootpay_out_of_reach(tmp_path: Path) -> None:
    """DNS fails: 503, nothing on file, the server lives; with DNS back the same order is paid."""
    settings = environment(tmp_path, "https://bootpay.invalid")
    with serving(tmp_path, settings) as service:
        register(service, "o-1")
        answer = verify(service, "o-1", "a" * 24)
        during = shown(service, "o-1")
        health = service.ask("GET", "/healthz").status
    with EmulatorServer() as pretend, serving(tmp_path, environment(tmp_path, pretend.url)) as service:
        receipt_id = checkout(Wire(pretend.url), "o-1", confirmed=True, receipt_id="a" * 24)
        later = verify(service, "o-1", receipt_id)

    assert (503, "upstream_unavailable", 200) == (answer.status, code_of(answer), health)
    assert ("open", 1) == (during["state"], during["version"])
    assert (200, "paid") == (later.status, later.body["state"])


def test_a_refused_connection_is_bootpay_out_of_reach(tmp_path: Path) -> None:
    """Nobody listens: 503 and nothing on file; as soon as somebody does, the same server settles the order."""
    port = free_port()
    bootpay = Wire(f"http://127.0.0.1:{port}")
    with serving(tmp_path, environment(tmp_path, bootpay.url)) as service:
        register(service, "o-1")
        answer = verify(service, "o-1", "b" * 24)
        during = shown(service, "o-1")
        pretend: Process = emulator(tmp_path, port, "", 1)
        try:
            while bootpay.ask("GET", "/emulator/clock").status != 200:
                assert not pretend.ended
            receipt_id = checkout(bootpay, "o-1", confirmed=True, receipt_id="b" * 24)
            later = verify(service, "o-1", receipt_id)
        finally:
            pretend.stop()

    assert (503, "upstream_unavailable") == (answer.status, code_of(answer))
    assert ("open", 1) == (during["state"], during["version"])
    assert (200, "paid") == (later.status, later.body["state"])
