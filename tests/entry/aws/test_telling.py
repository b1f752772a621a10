"""What the function writes down: lines that CloudWatch reads as they are, and at once."""

from __future__ import annotations

import io
import json
import time

import pytest

from dojang.entry.aws.telling import Telling
from dojang.errors import InvalidValue

from .conftest import Deployed, request_event


def test_a_number_is_of_this_moment_and_of_its_own_unit() -> None:
    """Milliseconds, both: CloudWatch drops a metric of 1970, and draws a latency that is called a count as a count."""
    out = io.StringIO()
    Telling(out).count({"Attention": 1, "LatencyMs": 2.5})
    told = json.loads(out.getvalue())["_aws"]
    units = {metric["Name"]: metric["Unit"] for metric in told["CloudWatchMetrics"][0]["Metrics"]}

    assert pytest.approx(time.time(), abs=60) == told["Timestamp"] / 1000
    assert {"Attention": "Count", "LatencyMs": "Milliseconds"} == units


def test_a_line_waits_in_no_buffer() -> None:
    """A function may be frozen or killed right after it."""
    pipe = io.BytesIO()
    Telling(io.TextIOWrapper(pipe, encoding="utf-8")).write({"message": "paid"})

    assert b'{"message":"paid"}\n' == pipe.getvalue()


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("", ["INFO", "ERROR"]),
        ("DEBUG", ["INFO", "ERROR"]),
        ("info", ["INFO", "ERROR"]),
        ("WARN", ["ERROR"]),
        ("ERROR", ["ERROR"]),
        ("FATAL", []),
    ],
)
def test_the_log_level_of_the_function_decides_what_is_written(
    deployed: Deployed, level: str, written: list[str]
) -> None:
    """Lambda filters no line of ours: whoever asks for warnings alone must not pay for the rest."""
    deployed.restart(AWS_LAMBDA_LOG_LEVEL=level)
    deployed(request_event("http_api", "GET", "/healthz"))
    with pytest.raises(InvalidValue):
        deployed.function({}, None)

    assert written == [line["level"] for line in deployed.logs]
