"""The Lambda function, invoked with every kind of event: what it answers, what it does, what it writes down."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.adapters.shop_door import opened

from dojang.adapters.clock import SystemClock
from dojang.adapters.memory import MemoryBackend
from dojang.adapters.throttle import LookUpThrottle
from dojang.core.delivery import DeliveryState
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, What
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.emulator.server import EmulatorServer
from dojang.entry.aws import Function
from dojang.entry.aws.actions import ACTIONS, WORK
from dojang.entry.aws.bounds import BoundedApproval, BoundedFulfilment, BoundedGateway, Bounds, WatchedStore
from dojang.entry.aws.keeping import Keeper, Open
from dojang.errors import ConfigError, DojangError, InvalidValue, OutcomeUnknown, StoreUnavailable
from dojang.usecases.reconcile import ReconcileReport
from dojang.web.senders import SenderThrottle
from dojang.web.shapes import ShownReport
from dojang.web.table import ROUTES

from .conftest import FACES, KEY, Buyer, Deployed, Door, request_event, sample

BEARER = {"authorization": f"Bearer {KEY}"}
BALANCERS = ["load_balancer", "load_balancer_multi"]


@pytest.mark.parametrize("face", FACES)
def test_a_payment_is_verified_through_every_door(deployed: Deployed, buyer: Buyer, face: str) -> None:
    """Registered with the shop's key, verified by a browser, seen as paid: whoever brings the requests."""
    order = {"order_id": "o-1", "price": 3000, "name": "커피 원두"}
    registered = deployed.asks(face, "POST", "/v1/orders", order, headers=BEARER)
    receipt_id = buyer.pays("o-1")
    verified = deployed.asks(face, "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})
    again = deployed.asks(face, "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})
    shown = deployed.asks(face, "GET", "/v1/orders/o-1/state")

    assert 201 == registered["statusCode"]
    assert (200, "paid", False) == (
        verified["statusCode"],
        verified["json"]["state"],
        verified["json"]["replayed"],
    )
    assert (200, True) == (again["statusCode"], again["json"]["replayed"])
    assert {"order_id": "o-1", "state": "paid"} == shown["json"]


@pytest.mark.parametrize("face", FACES)
def test_a_webhook_is_acknowledged_in_bootpays_words(deployed: Deployed, buyer: Buyer, face: str) -> None:
    """Byte for byte, through every door; and the order is paid by it."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1", approved=True)
    said = {"receipt_id": receipt_id, "order_id": "o-1", "status": 1, "webhook_type": "PAYMENT_COMPLETED"}
    second = deployed(request_event(face, "POST", "/webhooks/bootpay", said))
    form = {
        "content-type": "application/x-www-form-urlencoded",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = f"receipt_id={receipt_id}&status=1"
    first = deployed(request_event(face, "POST", "/webhooks/bootpay/v1", body, headers=form))

    assert (200, '{"success": true}') == (second["statusCode"], second["body"])
    assert (200, "OK") == (first["statusCode"], first["body"])
    assert "paid" == deployed({"action": "state", "order_id": "o-1"})["body"]["state"]


@pytest.mark.parametrize("face", FACES)
def test_refusals_and_errors_keep_their_codes(deployed: Deployed, buyer: Buyer, face: str) -> None:
    """A wrong price, an unknown order, garbage, no key, no such address: the same problem as from any server."""
    deployed.registers("o-1", 3000)
    cheap = buyer.pays("o-1", 100)
    verify = "/v1/orders/o-1/verify"
    answers = [
        deployed.asks(face, "POST", verify, {"receipt_id": cheap}),
        deployed.asks(face, "POST", "/v1/orders/o-2/verify", {"receipt_id": cheap}),
        deployed.asks(face, "POST", verify, "not json"),
        deployed.asks(face, "POST", "/v1/orders", {"order_id": "o-3"}),
        deployed.asks(face, "GET", "/nowhere"),
        deployed.asks(face, "PUT", verify),
        deployed.asks(face, "POST", verify, "x" * 70_000),
    ]
    codes = [(answer["statusCode"], answer["json"]["code"]) for answer in answers]

    assert [
        (422, "amount_mismatch"), (404, "order_not_found"), (400, "invalid_request"), (401, "unauthorized"),
        (404, "not_found"), (405, "method_not_allowed"), (413, "too_large"),
    ] == codes  # fmt: skip


@pytest.mark.parametrize("face", FACES)
def test_an_answer_has_the_shape_its_caller_reads(deployed: Deployed, face: str) -> None:
    """Text is never base64; a balancer gets its status line, and multi-value headers back where it sent them."""
    answer = deployed(request_event(face, "GET", "/healthz"))
    multi = face == "load_balancer_multi"
    names = {"statusCode", "body", "isBase64Encoded", "multiValueHeaders" if multi else "headers"}
    kind = answer["multiValueHeaders" if multi else "headers"]["content-type"]

    assert names | ({"statusDescription"} if face in BALANCERS else set()) == answer.keys()
    assert answer["isBase64Encoded"] is False
    assert "200 OK" == answer.get("statusDescription", "200 OK")
    assert (["application/json"] if multi else "application/json") == kind


@pytest.mark.parametrize("face", FACES)
def test_the_length_of_an_answer_is_the_platforms_to_tell(deployed: Deployed, face: str) -> None:
    """The answer to HEAD names the length of what GET would bring; passed on, the platform makes a 502 of it."""
    answer = deployed(request_event(face, "HEAD", "/healthz"))

    assert (200, "") == (answer["statusCode"], answer["body"])
    assert "content-length" not in answer.get("headers", answer.get("multiValueHeaders"))


def test_a_preflight_is_answered(deployed: Deployed) -> None:
    """A page of any origin may verify: its browser asks first."""
    answer = deployed(request_event("http_api", "OPTIONS", "/v1/orders/o-1/verify"))

    assert 204 == answer["statusCode"]
    assert "POST" == answer["headers"]["access-control-allow-methods"]
    assert "" == answer["body"]


@pytest.mark.parametrize("event", ["event_rule", "scheduler"])
def test_a_schedule_finds_what_nobody_told_and_hands_it_over(
    deployed: Deployed, buyer: Buyer, door: Door, event: str
) -> None:
    """Browser and webhook got lost: the notice that was kept is looked into, and the shop hears of it."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": receipt_id})
    done = deployed(sample(event))

    assert {"order.paid": 1} == done["deliver"]["settled"]
    assert not done["more"]
    assert [("o-1", "order.paid")] == door.types


def test_a_schedule_leaves_time_for_what_is_owed(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks may take (29 s, less 1 s for the answer) × 0.6: what docs/scale.md reckons with."""
    granted: list[float] = []

    async def noted(*_: object, within_s: float) -> ReconcileReport:
        granted.append(within_s)
        return ReconcileReport()

    monkeypatch.setattr("dojang.usecases.reconcile.reconcile", noted)
    deployed(sample("event_rule"), left_ms=29_000)

    assert [pytest.approx((29 - 1) * 0.6, abs=0.5)] == granted


def test_a_schedule_goes_on_looking_when_nothing_is_owed_any_more(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of its time is not thrown away; both halves are told as one."""
    granted: list[float] = []

    async def noted(*_: object, within_s: float) -> ReconcileReport:
        granted.append(within_s)
        return ReconcileReport(checked=3, calls=4, more=len(granted) == 1)

    monkeypatch.setattr("dojang.usecases.reconcile.reconcile", noted)
    done = deployed(sample("event_rule"), left_ms=29_000)

    assert [pytest.approx(16.8, abs=0.5), pytest.approx(29 - 1 - 3, abs=0.5)] == granted
    assert (6, 8, False) == (done["reconcile"]["checked"], done["reconcile"]["calls"], done["more"])
    # Under the names that HTTP and the command line have for them.
    assert {*done["reconcile"], "more"} < set(ShownReport.__struct_fields__)


def test_a_look_that_is_asked_for_has_time_as_well(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends while a look has three seconds yet, so none fails for want of time as if Bootpay were silent."""
    granted: list[float] = []

    async def noted(*_: object, within_s: float) -> ReconcileReport:
        granted.append(within_s)
        return ReconcileReport()

    monkeypatch.setattr("dojang.usecases.reconcile.reconcile", noted)
    deployed({"action": "reconcile"}, left_ms=29_000)

    assert [pytest.approx(29 - 1 - 3, abs=0.5)] == granted


@pytest.mark.parametrize(("path", "most_s"), [("/webhooks/bootpay", 4.0), ("/webhooks/bootpay/v1", 4.0)])
def test_a_webhook_has_no_more_time_than_bootpay_waits(deployed: Deployed, path: str, most_s: float) -> None:
    """For the table as well: a busy one is not asked again and again while Bootpay hangs up and sends again."""
    deployed(request_event("http_api", "POST", path, {"receipt_id": "66f0a1b2c3d4e5f601234567", "status": 1}))
    bounds = deployed.function._keeper.ready().bounds

    assert 0 < bounds.for_the_store(True) <= most_s


@pytest.mark.parametrize(
    ("event", "kept_s"),
    [
        (sample("event_rule"), 5.0),
        (sample("stream"), 5.0),
        ({"action": "reconcile"}, 5.0),
        ({"action": "deliver"}, 5.0),
        ({"action": "state", "order_id": "o-1"}, 0.0),
        (request_event("http_api", "GET", "/healthz"), 0.0),
    ],
)
def test_only_work_in_the_background_keeps_time_for_what_a_look_leads_to(
    deployed: Deployed, event: object, kept_s: float
) -> None:
    """Nobody waits for it, so a look may leave the five seconds that an approval needs; a buyer's may use them up."""
    deployed(event)
    bounds = deployed.function._keeper.ready().bounds

    assert pytest.approx(kept_s, abs=0.5) == bounds.left_s - bounds.to_look(99.0)


def test_a_stream_hands_over_what_is_owed(deployed: Deployed, buyer: Buyer, door: Door) -> None:
    """The store has changed: the shop hears of it at once, and only once."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    first, second = deployed(sample("stream")), deployed(sample("stream"))

    assert [("o-1", "order.paid")] == door.types
    assert {"batchItemFailures": []} == first == second


def test_a_direct_invocation_does_what_a_shop_may_do(deployed: Deployed, buyer: Buyer, door: Door) -> None:
    """Register, verify, show, history, list, cancel, deliver, reconcile: without a key, because IAM has checked."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    verified = deployed({"action": "verify", "order_id": "o-1", "receipt_id": receipt_id})
    cancel = {"action": "cancel", "order_id": "o-1", "key": "k-1", "amount": 1000, "reason": "한 개 품절"}
    cancelled, replayed = deployed(cancel), deployed(cancel)
    delivered = deployed({"action": "deliver"})
    checked = deployed({"action": "reconcile"})
    shown = deployed({"action": "show", "order_id": "o-1"})
    history = deployed({"action": "history", "order_id": "o-1"})
    listed = deployed({"action": "list", "state": "partially_cancelled", "limit": 10})

    assert (200, "paid") == (verified["status"], verified["body"]["state"])
    assert (200, "partially_cancelled") == (cancelled["status"], cancelled["body"]["state"])
    assert cancelled == replayed
    assert {"order.paid": 1, "order.partially_cancelled": 1} == delivered["deliver"]["settled"]
    assert [("o-1", "order.paid"), ("o-1", "order.partially_cancelled")] == door.types
    assert 0 == checked["reconcile"]["errors"]
    assert 2000 == shown["body"]["remaining"]
    assert "registered" == history["body"]["events"][0]["what"]
    assert ["o-1"] == [order["order_id"] for order in listed["body"]["orders"]]


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan], ids=str)
@pytest.mark.parametrize("field", ["amount", "expected_remaining"])
def test_a_number_that_is_none_is_not_taken_for_all_that_is_left(
    deployed: Deployed, buyer: Buyer, field: str, number: float
) -> None:
    """Lambda's runtime reads 1e999 as infinity, and a cancel without an amount sends everything back."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    cancel = {"action": "cancel", "order_id": "o-1", "key": "k-1", "amount": 1000, "reason": "x"}
    answer = deployed(cancel | {field: number})

    assert (400, "invalid_request") == (answer["status"], answer["body"]["code"])
    assert 3000 == deployed({"action": "show", "order_id": "o-1"})["body"]["remaining"]


def test_a_key_is_still_asked_of_who_comes_over_http(deployed: Deployed) -> None:
    """That direct invocations need none opens nothing to anybody else."""
    for face in FACES:
        answer = deployed.asks(face, "GET", "/v1/orders", headers={"x-vouched": "true"})

        assert 401 == answer["statusCode"]


def test_an_event_of_nobodys_fails_with_one_sentence(deployed: Deployed) -> None:
    """It fails, so that a dead-letter queue gets it; the log has the same sentence."""
    with pytest.raises(InvalidValue, match="none that dojang knows"):
        deployed.function(sample("queue"), None)

    assert "ERROR" == deployed.logs[-1]["level"]
    assert "none that dojang knows" in deployed.logs[-1]["message"]


@pytest.mark.parametrize(
    ("event", "said", "said_ko"),
    [
        ({"action": "pay"}, "There is no action 'pay'; dojang knows register, list,", "쓸 수 있는 action: register"),
        ({"action": ""}, "There is no action ''", "알 수 없는 action"),
        ({"action": "verify"}, "The action verify needs order_id", "verify에는 1~200자의 문자열 order_id"),
        ({"action": "verify", "order_id": 7}, "needs order_id", "order_id이(가) 필요합니다"),
        ({"action": "cancel", "order_id": "o-1", "reason": "x"}, "needs key", "key이(가) 필요합니다"),
        ({"action": "retry"}, "needs delivery_id", "delivery_id이(가) 필요합니다"),
        ({"action": "register", "order_id": "\ud83d"}, "no Unicode", "유니코드가 아닌"),
    ],
)  # fmt: skip
def test_a_wrong_direct_invocation_is_answered_as_over_http(
    deployed: Deployed, event: dict[str, object], said: str, said_ko: str
) -> None:
    """400 in both languages, as a field that the route refuses; a traceback would tell the caller less."""
    answer = deployed(event)

    assert (400, 400, "invalid_request") == (
        answer["status"],
        answer["body"]["status"],
        answer["body"]["code"],
    )
    assert said in answer["body"]["detail"]
    assert said_ko in answer["body"]["detail_ko"]
    assert not re.search("[가-힣]", answer["body"]["detail"])
    assert "WARNING" == deployed.logs[-1]["level"]
    assert said in deployed.logs[-1]["message"]


PAGES = ["docs/aws.md", "docs/aws.ko.md"]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_has_every_action_with_its_fields(name: str) -> None:
    """What is required and what may be given, as the routes have it; an account is never taken."""
    page = (Path(__file__).parents[3] / name).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    routes = {(route.method, route.path): route for route in ROUTES}
    wanted = {action: ([], [], "–") for action in WORK}
    for action, way in ACTIONS.items():
        route = routes[way.method, way.path]
        fields = msgspec.structs.fields(route.body) if route.body else ()
        named = [way.parameter] * bool(way.parameter) + ["key"] * way.keyed
        wanted[action] = (
            named + [field.encode_name for field in fields if field.required],
            [field.encode_name for field in fields if not field.required and field.name != "refund_account"]
            + [parameter.name for parameter in route.query],
            f"`{way.method} {way.path}`",
        )

    assert wanted == {
        action: (re.findall(r"\w+", needed), re.findall(r"\w+", may), same)
        for action, needed, may, same in rows
    }


@pytest.mark.parametrize("name", PAGES)
def test_the_answers_that_the_page_shows_are_given(deployed: Deployed, buyer: Buyer, name: str) -> None:
    """Every action, invoked in the page's order; where it says … there is more."""
    page = (Path(__file__).parents[3] / name).read_text(encoding="utf-8")
    shown = re.findall(r'^(\{"action".*)\n→ (.*)$', page, re.MULTILINE)
    receipt_id = ""
    for asked, told in shown:
        if '"verify", "order_id"' in asked:
            receipt_id = buyer.pays("o-1")
        event, wanted = (
            json.loads(text.replace(", …", "").replace("5afd6be8e13f33616f2876ac", receipt_id))
            for text in (asked, told)
        )

        assert wanted == _as_far_as(wanted, deployed(event))

    assert {*ACTIONS, *WORK} == {json.loads(asked)["action"] for asked, _ in shown}


def _as_far_as(wanted: Any, told: Any) -> Any:
    """Of an answer, the part that somebody wants to see."""
    if isinstance(wanted, dict):
        return {name: _as_far_as(value, told.get(name)) for name, value in wanted.items()}
    if isinstance(wanted, list):
        return [_as_far_as(*pair) for pair in zip(wanted, told, strict=False)]
    return told


@pytest.mark.parametrize(("event", "mode"), [({}, "emulator"), (sample("event_rule"), "nonsense")])
def test_a_failure_leads_no_further_than_the_door(deployed: Deployed, event: object, mode: str) -> None:
    """The platform prints every frame of what is raised: the sentence is all that an operator needs."""
    deployed.restart(DOJANG_MODE=mode)
    with pytest.raises(DojangError) as failed:
        deployed.function(event, None)

    assert ["__call__"] == [frame.name for frame in failed.traceback[1:]]
    assert failed.value.__suppress_context__


def test_values_of_a_wrong_kind_are_the_routes_to_refuse(deployed: Deployed) -> None:
    """An action with a bad order id is answered as the route answers it."""
    answer = deployed({"action": "verify", "order_id": "a b/c", "receipt_id": "x"})

    assert (400, "invalid_request") == (answer["status"], answer["body"]["code"])


def test_no_approval_begins_without_time_to_finish_it(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer
) -> None:
    """With four seconds left the receipt is looked at and no more; with enough, the same request is paid."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    verify = "/v1/orders/o-1/verify"
    short = deployed.asks("http_api", "POST", verify, {"receipt_id": receipt_id}, left_ms=4_500)
    confirmed_then = [line for line in bootpay.asked() if "confirm" in line]
    long = deployed.asks("http_api", "POST", verify, {"receipt_id": receipt_id})

    assert (202, "pending") == (short["statusCode"], short["json"]["state"])
    assert [] == confirmed_then
    assert (200, "paid") == (long["statusCode"], long["json"]["state"])


def test_no_approval_begins_in_the_time_that_opening_took(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets may be read for seconds before a request is looked at: what is left then is all it has."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    opened, at = deployed.function._keeper.ready(), [100.0]

    def slowly() -> Open:
        at[0] += 26.0
        return opened

    monkeypatch.setattr(deployed.function._keeper, "ready", slowly)
    monkeypatch.setattr("dojang.entry.aws.function.time", SimpleNamespace(monotonic=lambda: at[0]))
    answer = deployed.asks("http_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})

    assert (202, "pending") == (answer["statusCode"], answer["json"]["state"])
    assert [] == [line for line in bootpay.asked() if "confirm" in line]


def test_no_cancel_begins_without_time_to_finish_it(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer
) -> None:
    """A cancel that could not be written down is not sent."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    cancel = {"action": "cancel", "order_id": "o-1", "key": "k-1", "reason": "x"}
    answer = deployed(cancel, left_ms=4_500)

    assert (503, "upstream_unavailable") == (answer["status"], answer["body"]["code"])
    assert "out_of_time" == deployed.logs[-1]["outcome"]
    assert 0 == deployed.counted("Failures")
    assert [] == [line for line in bootpay.asked() if "cancel" in line]


def test_a_slow_bootpay_does_not_outlast_the_function(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer
) -> None:
    """The look-up is given up while there is time to say so: 503, and nothing has been decided."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    with bootpay.faulty(on="GET /v2/receipt", do="timeout_before", delay_s=5):
        answer = deployed.asks(
            "http_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id}, left_ms=1_200
        )

    assert (503, "upstream_unavailable") == (answer["statusCode"], answer["json"]["code"])
    assert "open" == deployed({"action": "state", "order_id": "o-1"})["body"]["state"]
    assert 1 == deployed.counted("Verifications", outcome="error")


@pytest.mark.parametrize("left_ms", [4_000, 8_900])
def test_background_work_stops_while_there_is_time(
    deployed: Deployed, buyer: Buyer, door: Door, left_ms: int
) -> None:
    """With less than eight seconds for it nothing is begun; what is owed waits and is handed over by the next."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    short = deployed(sample("event_rule"), left_ms=left_ms)
    deployed(sample("stream"), left_ms=left_ms)
    nothing_yet = list(door.types)
    deployed(sample("event_rule"))

    assert short["more"]
    assert [] == nothing_yet
    assert [("o-1", "order.paid")] == door.types


@pytest.mark.parametrize("more", [False, True])
def test_checks_that_are_left_undone_are_counted(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, more: bool
) -> None:
    """The alarm about a schedule that falls behind watches that count."""

    async def ended(*_: object, **__: object) -> ReconcileReport:
        return ReconcileReport(more=more)

    monkeypatch.setattr("dojang.usecases.reconcile.reconcile", ended)
    done = deployed(sample("event_rule"))

    assert (more, int(more)) == (done["more"], deployed.counted("Unfinished"))


def test_a_doubtful_approval_is_looked_into_and_counted(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer
) -> None:
    """The answer to an approval is lost: the receipt tells that the money moved, and an alarm can count the doubt."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    with bootpay.faulty(on="POST /v2/confirm", do="reset", times=1, effect=True):
        answer = deployed.asks("http_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})

    assert (200, "paid") == (answer["statusCode"], answer["json"]["state"])
    assert 1 == deployed.counted("UnknownOutcomes")
    assert 1 == len([line for line in bootpay.asked() if "confirm" in line])


def test_an_order_that_needs_a_person_is_counted_once(deployed: Deployed, buyer: Buyer) -> None:
    """Money of a wrong amount, and the shop wants to decide itself: what else is written meanwhile calls nobody."""
    deployed.restart(DOJANG_ON_MISMATCH="hold")
    deployed.registers("o-1")
    for price in (100, 200):
        receipt_id = buyer.pays("o-1", price, approved=True)
        deployed({"action": "verify", "order_id": "o-1", "receipt_id": receipt_id})
    events = deployed({"action": "history", "order_id": "o-1"})["body"]["events"]

    assert "attention" == deployed({"action": "state", "order_id": "o-1"})["body"]["state"]
    assert ["attention", "surplus_found"] == [event["what"] for event in events[-2:]]
    assert 1 == deployed.counted("Attention")


def test_the_log_is_what_lambda_calls_json(deployed: Deployed, buyer: Buyer) -> None:
    """Each line has timestamp, level, message and requestId; a verification names order, receipt and outcome."""
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    deployed.asks("http_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})
    line = deployed.logs[-1]

    assert {"timestamp", "level", "message", "requestId"} <= line.keys()
    assert "11111111-2222-3333-4444-555555555555" == line["requestId"]
    assert ("o-1", receipt_id, "paid", 200) == (
        line["order_id"], line["receipt_id"], line["outcome"], line["status"],
    )  # fmt: skip
    assert line["timestamp"].endswith("Z")


def test_half_a_character_in_an_event_stops_no_line(tmp_path: Path) -> None:
    """JSON can hold half a surrogate pair, a stream cannot: what was done must not end as an error of its log line."""
    settings = {"DOJANG_MODE": "emulator", "DOJANG_STORE": f"sqlite:///{tmp_path}/o.sqlite3"}
    with (tmp_path / "log").open("w", encoding="utf-8") as out:
        function = Function(settings, out=out)
        answer = function(request_event("rest_api", "\ud83d", "/healthz"), None)
        function.forget()

    assert isinstance(answer, dict)
    assert 405 == answer["statusCode"]
    assert '"message":"? /healthz"' in (tmp_path / "log").read_text(encoding="utf-8")


def test_metrics_are_in_the_embedded_format(deployed: Deployed, buyer: Buyer) -> None:
    """CloudWatch reads numbers out of the log: every metric that is declared is there, its dimensions too."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    receipt_id = buyer.pays("o-2", approved=True)
    deployed.asks("http_api", "POST", "/webhooks/bootpay", {"receipt_id": receipt_id, "status": 1})
    deployed(sample("stream"))
    metrics = [line for line in deployed.lines if "_aws" in line]

    for line in metrics:
        told = line["_aws"]["CloudWatchMetrics"][0]
        assert "dojang" == told["Namespace"]
        assert isinstance(line["_aws"]["Timestamp"], int)
        assert all(isinstance(line[metric["Name"]], int | float) for metric in told["Metrics"])
        assert all(isinstance(line[name], str) for name in told["Dimensions"][0])
    assert 1 == deployed.counted("Verifications", outcome="paid", function="dojang")
    assert 1 == deployed.counted("Webhooks", outcome="order_unknown")
    assert 1 == deployed.counted("Deliveries", outcome="settled")
    assert 4 == len([line for line in metrics if "LatencyMs" in line])
    assert 0 == deployed.counted("UnknownOutcomes") + deployed.counted("Attention")


def test_nothing_secret_is_written_down(deployed: Deployed, buyer: Buyer) -> None:
    """No key, no body, no header, no answer of the buyer: not in any line, whatever goes wrong."""
    deployed.restart(BOOTPAY_APPLICATION_ID="app-id-secret", BOOTPAY_PRIVATE_KEY="private-key-secret")
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")
    said = {"receipt_id": receipt_id, "private_key": "wrong-key-secret", "status": 1, "buyer": "홍길동"}
    refused = deployed.asks("http_api", "POST", "/webhooks/bootpay/v1", said)
    said["private_key"] = "private-key-secret"
    deployed(request_event("http_api", "POST", "/webhooks/bootpay/v1", said))
    deployed.asks("http_api", "GET", "/v1/orders", headers={"authorization": "Bearer guessed-secret"})
    deployed.asks("http_api", "POST", "/v1/orders", {"note": "body-secret"}, headers=BEARER)
    deployed(sample("event_rule"))
    written = deployed.out.getvalue()

    assert 401 == refused["statusCode"]
    assert [] == [word for word in ("secret", "홍길동", KEY, "whsec", "Bearer") if word in written]


def test_a_world_is_opened_once_and_used_again(deployed: Deployed, bootpay: EmulatorServer) -> None:
    """Warm invocations find connections, tokens and throttles as the one before left them."""
    deployed.registers("o-1")
    first = deployed.function._keeper.ready()
    deployed.registers("o-2")

    assert first is deployed.function._keeper.ready()


def test_every_port_keeps_to_the_invocations_time(deployed: Deployed, door: Door) -> None:
    """The store, Bootpay and the shop, whether it is told or asked: none of them outlasts the function."""
    deployed.restart(DOJANG_APPROVE_AT=door.url)
    opened = deployed.function._keeper.ready()
    world = opened.world
    ports: list[Any] = [world.store, world.gateway, world.fulfilment, world.approval]

    assert [WatchedStore, BoundedGateway, BoundedFulfilment, BoundedApproval] == [
        type(port) for port in ports
    ]
    assert all(port._bounds is opened.bounds for port in ports)


@pytest.mark.parametrize(
    ("path", "settings", "status"),
    [
        ("/v1/orders/o-1/verify", {}, 429),
        ("/webhooks/bootpay", {}, 429),
        ("/webhooks/bootpay", {"DOJANG_WEBHOOK_SOURCES": "203.0.113.0/24"}, 200),
        ("/webhooks/bootpay", {"DOJANG_WEBHOOK_SOURCES": "198.51.100.0/24"}, 429),
        (
            "/webhooks/bootpay",
            {"DOJANG_WEBHOOK_SOURCES": "198.51.100.0/24", "DOJANG_TRUSTED_PROXIES": "203.0.113.7"},
            200,
        ),
    ],
)
def test_strangers_are_limited_and_bootpay_is_not(
    deployed: Deployed,
    buyer: Buyer,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    settings: dict[str, str],
    status: int,
) -> None:
    """At the limit nobody burns the shop's quota; who Bootpay is, and what stands in front of us, is a setting."""
    deployed.restart(**settings)
    deployed.registers("o-1")
    for throttle in (LookUpThrottle, SenderThrottle):
        monkeypatch.setattr(throttle, "take", lambda *_: 60.0)
    answer = deployed.asks("http_api", "POST", path, {"receipt_id": buyer.pays("o-1", approved=True)})

    assert status == answer["statusCode"]


def test_a_restored_snapshot_opens_its_own_world(deployed: Deployed) -> None:
    """After a restore nothing of the snapshot's connections is used; jitter is not what its siblings draw."""
    import random

    deployed.registers("o-1")
    before = deployed.function._keeper.ready()
    deployed.function.forget()
    random.seed(1)
    same = random.random()
    random.seed(1)
    after = deployed.function._keeper.ready()

    assert before is not after
    assert same != random.random()


def test_a_machine_that_was_halted_opens_its_world_anew(tmp_path: Path) -> None:
    """An instance may be halted between invocations, and its own clock with it: its connections are dead by then."""
    inside, outside = [100.0], [1_000_000.0]
    environment = {"DOJANG_MODE": "emulator", "DOJANG_STORE": f"sqlite:///{tmp_path}/o.sqlite3"}
    keeper = Keeper(environment, monotonic=lambda: inside[0], wall=lambda: outside[0])
    first = keeper.ready()
    inside[0], outside[0] = 700.0, 1_000_600.0
    idle = keeper.ready()
    outside[0] += 300.0
    halted = keeper.ready()
    keeper.forget()

    assert first is idle
    assert halted is not idle


def test_where_money_is_real_a_private_address_is_told_with_permission_only(
    deployed: Deployed, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function's own network is no place that a setting for the shop may lead into unasked."""
    names["here.example"] = "127.0.0.1"
    backend = MemoryBackend()
    # Where money is real a function takes no SQLite file; which store it is makes no difference here.
    monkeypatch.setattr("dojang.entry.aws.keeping.open_backend", lambda *_, **__: backend)
    order = Order(id=OrderId("o-1"), price=Money(3000), name="커피")
    real = {"DOJANG_MODE": "live", "BOOTPAY_CLIENT_KEY": "ck", "BOOTPAY_SECRET_KEY": "sk"}
    real |= {"DOJANG_STORE": "dynamodb://orders?region=ap-northeast-2", "BOOTPAY_URL": ""}
    with opened() as door:
        deployed.restart(**real, DOJANG_DELIVER_TO=f"https://here.example:{door.port}/d")
        _pays(backend, order)
        deployed({"action": "deliver"})
        (owed,) = backend.deliveries(order.id)
        knocked = door.connections
        deployed({"action": "retry", "delivery_id": owed.id})
        deployed.restart(DOJANG_DELIVER_TO=door.url, DOJANG_ALLOW_PRIVATE_DESTINATIONS="true")
        deployed({"action": "deliver"})
        (told,) = backend.deliveries(order.id)

    assert (0, True) == (knocked, "DOJANG_ALLOW_PRIVATE_DESTINATIONS" in owed.last_error)
    assert (DeliveryState.SETTLED, 1) == (told.state, len(door.bodies))


def _pays(backend: MemoryBackend, order: Order) -> None:
    """The order is registered and paid, so that the shop is owed the news."""
    now = datetime.now(UTC)
    record, _ = backend.register(order, Event(version=1, at=now, what=What.REGISTERED, who="shop"), now)
    receipt = Receipt(
        id=ReceiptId("a" * 24), order_id=order.id, status=ReceiptStatus.PAID, price=3000, purchased_at=now
    )
    backend.commit(record, observe(record, receipt, Rules(), now, "buyer"))


def test_the_runtime_is_told_what_to_do_around_a_snapshot() -> None:
    """SnapStart: everything is forgotten before the snapshot is taken and after each restore."""
    hooks = pytest.importorskip("snapshot_restore_py", reason="Lambda's runtime client is for Linux alone")
    import dojang.entry.aws

    forget = dojang.entry.aws._function.forget

    assert forget in [hook for hook, _, _ in hooks.get_before_snapshot()]
    assert forget in [hook for hook, _, _ in hooks.get_after_restore()]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"DOJANG_MODE": "live", "BOOTPAY_URL": ""}, "No Bootpay keys"),
        ({"DOJANG_MODE": "perhaps"}, "DOJANG_MODE"),
        (
            {
                "DOJANG_MODE": "sandbox",
                "BOOTPAY_URL": "",
                "BOOTPAY_CLIENT_KEY": "a",
                "BOOTPAY_SECRET_KEY": "b",
                "DOJANG_ALLOW_PRIVATE_DESTINATIONS": "true",
            },
            "SQLite file of its own",
        ),
        ({"DOJANG_STORE": "sqlite:////nowhere/at/all.sqlite3"}, "does not exist"),
        ({"DOJANG_STORE": "dynamodb://x"}, "DOJANG_STORE"),
    ],
)
def test_a_wrong_setting_answers_500_and_says_why_in_the_log(
    deployed: Deployed, wrong: dict[str, str], word: str
) -> None:
    """The process lives on: a caller gets a plain 500, the log the sentence, and a mended setting is noticed."""
    right = dict(deployed.environment)
    deployed.restart(**wrong)
    answer = deployed.asks("http_api", "GET", "/v1/orders/o-1/state")
    with pytest.raises(ConfigError, match=word):
        deployed.function(sample("event_rule"), None)
    deployed.environment.update(right)
    mended = deployed.asks("http_api", "GET", "/healthz")

    assert (500, "internal_error") == (answer["statusCode"], answer["json"]["code"])
    assert word not in answer["body"]
    assert any(word in line["message"] and line["level"] == "ERROR" for line in deployed.logs)
    assert 200 == mended["statusCode"]


def test_a_store_that_is_away_answers_503(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again is safe, and says so; a schedule fails, so that the platform tries again."""

    def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("the database does not answer")

    monkeypatch.setattr("dojang.entry.aws.keeping.open_backend", away)
    answer = deployed.asks("rest_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": "x"})
    with pytest.raises(StoreUnavailable):
        deployed.function(sample("event_rule"), None)

    assert (503, "store_unavailable") == (answer["statusCode"], answer["json"]["code"])
    assert answer["json"]["retryable"]


def test_an_outage_is_counted_whatever_the_answer(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store or a Bootpay that is away, keys that are refused, a mistake of ours: to Lambda the answer is a success.

    The log line still names order, receipt and outcome.
    """
    deployed.registers("o-1")
    receipt_id = buyer.pays("o-1")

    def verifies() -> tuple[int, str]:
        answer = deployed.asks("http_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})
        return answer["statusCode"], answer["json"]["code"]

    def away(*_: object) -> Any:
        raise StoreUnavailable("the table does not answer")

    with bootpay.faulty(on="GET /v2/receipt", do="reset"):
        unreachable = verifies()
    with bootpay.faulty(on="GET /v2/receipt", do="unauthorized"):
        refused = verifies()
    monkeypatch.setattr(deployed.function._keeper.ready().world.store, "load", away)
    storeless = verifies()
    monkeypatch.setattr("dojang.web.buyers.verify", None)
    mistaken = verifies()
    answers = [unreachable, refused, storeless, mistaken]

    assert [
        (503, "upstream_unavailable"), (502, "upstream_refused"), (503, "store_unavailable"), (500, "internal_error"),
    ] == answers  # fmt: skip
    assert [1, 1, 1, 1] == [deployed.counted("Failures", outcome=code) for _, code in answers]
    told = [
        (line["order_id"], line["receipt_id"], line["outcome"])
        for line in deployed.logs
        if "receipt_id" in line
    ]
    assert [("o-1", receipt_id, code) for _, code in answers[:3]] == told


def test_what_a_buyer_is_refused_is_no_failure(deployed: Deployed, buyer: Buyer) -> None:
    """A wrong price, an unknown order, no key: nothing is out of order."""
    deployed.registers("o-1", 3000)
    cheap = {"receipt_id": buyer.pays("o-1", 100)}
    for path in ("/v1/orders/o-1/verify", "/v1/orders/o-2/verify", "/v1/orders"):
        deployed.asks("http_api", "POST", path, cheap)

    assert 0 == deployed.counted("Failures")


class Later(SystemClock):
    """The machine's clock, a minute fast."""

    def now(self) -> datetime:
        """A minute after now."""
        return super().now() + timedelta(seconds=60)


def test_a_schedule_counts_what_it_could_not_check(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook is acknowledged although Bootpay is away; that it is away shows where the schedule asks again."""
    deployed.registers("o-1")
    said = {"receipt_id": buyer.pays("o-1", approved=True), "order_id": "o-1", "status": 1}
    with bootpay.faulty(on="GET /v2/receipt", do="reset"):
        heard = deployed(request_event("http_api", "POST", "/webhooks/bootpay", said))
        before = deployed.counted("Failures")
        monkeypatch.setattr("dojang.entry.wiring.SystemClock", Later)
        deployed.restart()
        checked = deployed(sample("event_rule"))

    assert (200, 0) == (heard["statusCode"], before)
    assert 1 == checked["reconcile"]["errors"]
    assert 1 == deployed.counted("Failures", outcome="upstream_unavailable")


@pytest.mark.parametrize("event", [
    {"action": "cancel", "order_id": "o-1", "key": "k", "reason": "품절"},
    {"action": "cancel"},
    {"action": "nonsense"},
])  # fmt: skip
@pytest.mark.parametrize("set_up", [True, False])
def test_a_buyers_account_is_not_taken_from_an_event(
    deployed: Deployed, event: dict[str, str], set_up: bool
) -> None:
    """Answered, never raised: Lambda keeps an event that failed, and here it would keep the account for days."""
    if not set_up:
        deployed.restart(DOJANG_MODE="nonsense")
    account = {"bank_username": "홍길동", "bank_account": "12345678901234", "bank_code": "004"}
    answer = deployed(event | {"refund_account": account})

    assert (400, "invalid_request") == (answer["status"], answer["body"]["code"])
    assert "/v1/orders/{order_id}/cancel" in answer["body"]["detail"]
    assert not any(word in deployed.out.getvalue() for word in ("12345678901234", "홍길동"))


def test_only_a_schedule_that_got_through_is_counted(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm watches that count: a run without a store, or any other event, is none."""

    def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("the table does not answer")

    deployed(sample("event_rule"))
    deployed({"action": "reconcile"})
    once = deployed.counted("Schedules")
    monkeypatch.setattr("dojang.entry.aws.function.check", away)
    with pytest.raises(StoreUnavailable):
        deployed.function(sample("event_rule"), None)

    assert (1, 1) == (once, deployed.counted("Schedules"))


def test_our_own_lack_of_time_is_no_failure_of_bootpays(
    deployed: Deployed, buyer: Buyer, bootpay: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an invocation had no time to ask raises no alarm about Bootpay; whoever waits may ask again."""
    deployed.registers("o-1")
    said = {"receipt_id": buyer.pays("o-1", approved=True)}
    monkeypatch.setattr(Bounds, "to_look", lambda self, _: self._granted(0.0, enough=False))
    verified = deployed.asks("http_api", "POST", "/v1/orders/o-1/verify", said)
    deployed(request_event("http_api", "POST", "/webhooks/bootpay", said))
    monkeypatch.setattr("dojang.entry.wiring.SystemClock", Later)
    deployed.restart()
    checked = deployed(sample("event_rule"))

    assert (503, True) == (verified["statusCode"], verified["json"]["retryable"])
    assert 1 == checked["reconcile"]["errors"]
    assert [] == [line for line in bootpay.asked() if "receipt" in line]
    assert 0 == deployed.counted("Failures")


def test_a_mistake_of_ours_shows_nothing_of_what_it_met(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform would print an exception with its message; it gets ours, and the log only the place."""

    def broken(*_: object, **__: object) -> Any:
        raise KeyError("whsec_secret in a message")

    monkeypatch.setattr("dojang.entry.aws.function.check", broken)
    with pytest.raises(RuntimeError, match="its log says where") as failed:
        deployed.function(sample("event_rule"), None)

    assert failed.value.__cause__ is None
    assert "whsec" not in deployed.out.getvalue()
    assert "KeyError at" in deployed.logs[-1]["message"]


def test_the_shop_hears_what_it_is_owed_though_no_order_can_be_checked(
    deployed: Deployed, buyer: Buyer, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in the first half of the schedule's work ends the invocation, but not before the second half."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})

    def broken(*_: object, **__: object) -> Any:
        raise KeyError("o-2")

    monkeypatch.setattr("dojang.entry.aws.function.check", broken)
    with pytest.raises(RuntimeError, match="its log says where"):
        deployed.function(sample("event_rule"), None)

    assert [("o-1", "order.paid")] == door.types


def test_what_was_handed_over_is_counted_though_the_store_goes_away(
    deployed: Deployed, buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that is counted only at the end would not be there for the alarm about deliveries given up."""
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    store = deployed.function._keeper.ready().world.store
    claim, claims = store.claim_deliveries, []

    async def once(*words: Any, **more: Any) -> Any:
        claims.append(words)
        # The first looks for money that goes back.
        if len(claims) > 2:
            raise StoreUnavailable("the table does not answer")
        return await claim(*words, **more)

    monkeypatch.setattr(store, "claim_deliveries", once)
    with pytest.raises(StoreUnavailable):
        deployed.function(sample("stream"), None)

    assert 1 == deployed.counted("Deliveries", outcome="settled")


def test_what_could_not_be_checked_is_counted_though_nothing_can_be_handed_over(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alarm about Bootpay does not wait for the table to be well again."""

    async def in_vain(*_: object, **__: object) -> ReconcileReport:
        return ReconcileReport(failures=[("o-1", OutcomeUnknown("no answer"))])

    def away(*_: object, **__: object) -> Any:
        raise StoreUnavailable("the table does not answer")

    monkeypatch.setattr("dojang.usecases.reconcile.reconcile", in_vain)
    monkeypatch.setattr("dojang.entry.aws.function.hand_over", away)
    with pytest.raises(StoreUnavailable):
        deployed.function(sample("event_rule"), None)

    assert 1 == deployed.counted("Failures", outcome="upstream_unavailable")


def test_a_failed_delivery_is_told_with_its_cause(deployed: Deployed, buyer: Buyer) -> None:
    """The order, the host alone, why in plain words, and the next try; a token in the address stays out."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    deployed.restart(DOJANG_DELIVER_TO=f"http://127.0.0.1:{port}/?token=s3cret")
    deployed.registers("o-1")
    deployed({"action": "verify", "order_id": "o-1", "receipt_id": buyer.pays("o-1")})
    deployed({"action": "deliver"})
    (line,) = (line for line in deployed.logs if line.get("event") == "delivery")
    (owed,) = deployed({"action": "show", "order_id": "o-1"})["body"]["deliveries"]
    told = (
        "delivery o-1:3:order_paid of order o-1 to 127.0.0.1 failed: the connection was refused; next try 20"
    )

    assert ("WARNING", "o-1", "failed") == (line["level"], line["order_id"], line["outcome"])
    assert told in line["message"]
    assert "the connection was refused" == owed["last_error"]
    assert "s3cret" not in deployed.out.getvalue()


def test_too_short_a_timeout_is_told_once(deployed: Deployed) -> None:
    """Three seconds, Lambda's default, are never enough to approve a payment."""
    for _ in range(2):
        deployed(request_event("http_api", "GET", "/healthz"), left_ms=3_000)
    warnings = [line for line in deployed.logs if line["level"] == "WARNING"]

    assert 1 == len(warnings)
    assert "15 s" in warnings[0]["message"]


@pytest.mark.parametrize("event", [sample("scheduler"), sample("stream"), {"action": "deliver"}])
def test_that_nobody_is_told_is_said_once(deployed: Deployed, event: object) -> None:
    """Without an address every run ends well with nothing handed over: the log says that this is why."""
    del deployed.environment["DOJANG_DELIVER_TO"]
    deployed.restart()
    for _ in range(2):
        deployed(event)
    warnings = [line["message"] for line in deployed.logs if line["level"] == "WARNING"]

    assert 1 == len(warnings)
    assert "DOJANG_DELIVER_TO is not set" in warnings[0]


@pytest.mark.parametrize(
    ("told", "event"), [(True, {"action": "deliver"}), (False, {"action": "reconcile"}), (False, None)]
)
def test_who_is_not_about_to_tell_anybody_does_not_warn(
    deployed: Deployed, told: bool, event: object
) -> None:
    """Where the shop is told, and where nothing would be handed over, there is nothing to warn of."""
    if not told:
        del deployed.environment["DOJANG_DELIVER_TO"]
        deployed.restart()
    deployed(event or request_event("http_api", "GET", "/healthz"))

    assert [] == [line for line in deployed.logs if line["level"] == "WARNING"]


def test_the_door_needs_no_event_loop_and_no_framework(tmp_path: Path) -> None:
    """Importing the handler and serving a request loads neither asyncio nor a web framework nor the AWS SDK."""
    code = (
        "import sys, json\n"
        "from dojang.entry.aws import handler\n"
        f"handler({json.dumps({'action': 'state', 'order_id': 'o-1'})}, None)\n"
        "print('LOADED', *sys.modules)"
    )
    environment = {
        "DOJANG_MODE": "emulator",
        "DOJANG_STORE": f"sqlite:///{tmp_path}/o.sqlite3",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.rpartition("LOADED ")[2].split()}
    never = {
        "asyncio",
        "starlette",
        "granian",
        "typer",
        "rich",
        "aiohttp",
        "boto3",
        "botocore",
        "jinja2",
        "urllib3",
    }

    assert set() == loaded & never
    assert {"msgspec", "dojang"} <= loaded


@pytest.mark.parametrize("page", ["aws.md", "aws.ko.md"])
def test_the_page_on_costs_counts_what_a_payment_writes(deployed: Deployed, buyer: Buyer, page: str) -> None:
    """Registered, verified, told by a webhook and delivered: so many KB of lines, so many metrics."""
    text = (Path(__file__).parents[3] / "docs" / page).read_text(encoding="utf-8")
    (kilobytes,) = re.findall(r"([\d.]+) ?KB(?: of ours|\(셈\))", text)
    (metrics,) = re.findall(r"\| (\d+) × 0\.30 = ", text)
    authorization = {"authorization": f"Bearer {KEY}"}
    order = {"order_id": "o-1", "price": 3000, "name": "커피"}
    deployed.asks("http_api", "POST", "/v1/orders", order, headers=authorization)
    receipt_id = buyer.pays("o-1", approved=True)
    verify = ("http_api", "POST", "/v1/orders/o-1/verify", {"receipt_id": receipt_id})
    deployed.asks(*verify)
    deployed.asks("http_api", "POST", "/webhooks/bootpay", {"receipt_id": receipt_id, "status": 1})
    deployed(sample("stream"))
    written = len(deployed.out.getvalue().encode())
    deployed.asks(*verify)
    deployed(sample("event_rule"))
    occurred = {
        (metric["Name"], *(line[dimension] for dimension in told["Dimensions"][0]))
        for line in deployed.lines
        if "_aws" in line
        for told in line["_aws"]["CloudWatchMetrics"]
        for metric in told["Metrics"]
    }

    assert float(kilobytes) == pytest.approx(written / 1000, rel=0.05)
    assert int(metrics) == len(occurred)
