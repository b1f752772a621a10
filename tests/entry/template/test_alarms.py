"""Alarms watch metrics that exist: those that the function really writes, and AWS's own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dojang.emulator.server import EmulatorServer
from dojang.emulator.windows import Checkout
from dojang.entry.aws import Function

if TYPE_CHECKING:
    from conftest import Template

SAMPLES = Path(__file__).parents[2] / "samples" / "aws"


def _alarms(template: Template) -> dict[str, Any]:
    return {
        name: part["Properties"]
        for name, part in template["Resources"].items()
        if part["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.fixture
def gone() -> Iterator[str]:
    """A shop that wants no deliveries any more."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(410)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def emitted(
    gone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
    """Each metric with its dimensions: a schedule's run, a delivery given up, nothing set up, something away."""
    out = io.StringIO()
    with EmulatorServer() as bootpay:
        with bootpay.changing() as ledger:
            checkout = Checkout(
                order_id="o-1", price=3000, method="card", separately_confirmed=True, webhook_url=""
            )
            receipt_id = ledger.open_checkout(checkout).receipt_id
            ledger.approve(receipt_id)
        environment = {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": bootpay.url,
            "DOJANG_STORE": f"sqlite:///{tmp_path}/orders.sqlite3",
            "DOJANG_DELIVER_TO": gone,
            "DOJANG_DELIVER_SECRET": "whsec_" + "c2VjcmV0" * 4,
            "AWS_LAMBDA_FUNCTION_NAME": "the-function",
        }
        function = Function(environment, out=out)
        try:
            function({"action": "register", "order_id": "o-1", "price": 3000, "name": "커피"}, None)
            verify = {"action": "verify", "order_id": "o-1", "receipt_id": receipt_id}
            function(verify, None)
            function(json.loads((SAMPLES / "stream.json").read_text()), None)
            function(json.loads((SAMPLES / "event_rule.json").read_text()), None)
            other = verify | {"receipt_id": "0" * 24}
            with bootpay.faulty(on="GET /v2/receipt", do="unauthorized"):
                function(other, None)
            with bootpay.faulty(on="GET /v2/receipt", do="reset"):
                function(other, None)
            with monkeypatch.context() as patched:
                patched.delattr("dojang.web.buyers.verify")
                function(other, None)
        finally:
            function.forget()
        away = {"DOJANG_STORE": "dynamodb://orders?region=ap-northeast-2&endpoint=http://127.0.0.1:9"}
        keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        without_table = Function(environment | away, out=out)
        without_table(verify, SimpleNamespace(get_remaining_time_in_millis=lambda: 1_500))
        without_table.forget()
        closed = Function(environment | {"DOJANG_MODE": "nonsense"}, out=out)
        closed(json.loads((SAMPLES / "http_api.json").read_text()), None)
    lines = [line for line in map(json.loads, out.getvalue().splitlines()) if "_aws" in line]
    return {
        (told["Namespace"], metric["Name"], frozenset((name, line[name]) for name in told["Dimensions"][0]))
        for line in lines
        for told in line["_aws"]["CloudWatchMetrics"]
        for metric in told["Metrics"]
    }


def test_each_alarm_of_ours_watches_what_the_function_writes(template: Template, emitted: set[Any]) -> None:
    """Namespace, name and dimensions agree to the letter: an alarm on a metric that is not there stays silent."""
    watched = {
        (
            alarm["Namespace"],
            alarm["MetricName"],
            frozenset(
                (part["Name"], "the-function" if part["Value"] == {"Ref": "Function"} else part["Value"])
                for part in alarm["Dimensions"]
            ),
        )
        for alarm in _alarms(template).values()
        if not alarm["Namespace"].startswith("AWS/")
    }

    assert {
        "UnknownOutcomes",
        "Attention",
        "Deliveries",
        "Errors",
        "Failures",
        "Schedules",
        "Unfinished",
    } == {name for _, name, _ in watched}
    assert set() == watched - emitted


@pytest.mark.parametrize(
    ("alarm", "namespace", "metric"),
    [
        ("UnknownOutcomes", "dojang", "UnknownOutcomes"),
        ("Attention", "dojang", "Attention"),
        ("DeadDeliveries", "dojang", "Deliveries"),
        ("NotSetUp", "dojang", "Errors"),
        ("StoreUnavailable", "dojang", "Failures"),
        ("BootpayUnavailable", "dojang", "Failures"),
        ("BootpayRefuses", "dojang", "Failures"),
        ("InternalErrors", "dojang", "Failures"),
        ("FunctionErrors", "AWS/Lambda", "Errors"),
        ("Throttles", "AWS/Lambda", "Throttles"),
        ("StreamLate", "AWS/Lambda", "IteratorAge"),
        ("ScheduleSilent", "dojang", "Schedules"),
        ("ScheduleBehind", "dojang", "Unfinished"),
        ("SomethingFailed", "AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ],
)
def test_what_an_operator_must_know_has_an_alarm(
    template: Template, alarm: str, namespace: str, metric: str
) -> None:
    """Each tells somebody, says in both languages what is the matter, and is silent when there is nothing to count."""
    properties = _alarms(template)[alarm]

    assert (namespace, metric) == (properties["Namespace"], properties["MetricName"])
    assert [{"Ref": "Alarms"}] == properties["AlarmActions"]
    assert any("가" <= mark <= "힣" for mark in properties["AlarmDescription"])
    assert ("breaching" if alarm == "ScheduleSilent" else "notBreaching") == properties["TreatMissingData"]


ONCE_A_MINUTE = ("Sum", 60, 1, "GreaterThanOrEqualToThreshold", 1)
ONCE_IN_FIVE = ("Sum", 300, 1, "GreaterThanOrEqualToThreshold", 1)
GOES_OFF = {
    "UnknownOutcomes": ONCE_IN_FIVE,
    "Attention": ONCE_A_MINUTE,
    "DeadDeliveries": ONCE_A_MINUTE,
    "NotSetUp": ONCE_A_MINUTE,
    "StoreUnavailable": ONCE_A_MINUTE,
    "BootpayUnavailable": ONCE_IN_FIVE,
    "BootpayRefuses": ONCE_IN_FIVE,
    "InternalErrors": ONCE_A_MINUTE,
    "FunctionErrors": ONCE_A_MINUTE,
    "Throttles": ONCE_A_MINUTE,
    "StreamLate": ("Maximum", 60, 5, "GreaterThanThreshold", 60_000),
    "ScheduleSilent": ("Sum", 300, 1, "LessThanThreshold", 1),
    # One run of fifteen that got through is enough.
    "ScheduleBehind": ("Minimum", 900, 1, "GreaterThanThreshold", 0),
    "SomethingFailed": ("Maximum", 300, 1, "GreaterThanThreshold", 0),
}


def test_an_alarm_goes_off_when_its_description_says(template: Template) -> None:
    """What is rare and serious at the first time; what may be late, when it stays late."""
    when = ("Statistic", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold")
    goes_off = {name: tuple(alarm[part] for part in when) for name, alarm in _alarms(template).items()}

    assert GOES_OFF == goes_off


def test_nothing_is_needed_to_be_told_by_mail_but_an_address(template: Template) -> None:
    """Without an address the topic is there, and somebody may subscribe to it later."""
    mail = template["Resources"]["AlarmsByMail"]

    assert ("TellsSomebody", "email") == (mail["Condition"], mail["Properties"]["Protocol"])
    assert "" == template["Parameters"]["AlarmEmail"]["Default"]
