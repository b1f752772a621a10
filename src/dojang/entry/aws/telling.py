"""What the function writes down: log lines in Lambda's JSON format, and metrics in CloudWatch's embedded format.

Both are single lines of JSON on stdout; Lambda passes them on as they are, whatever its own log format is set to.
No body, no header and no message of a foreign exception is ever among them.

- https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

__all__ = ["Telling"]

_FIELDS = ("event", "route", "status", "order_id", "receipt_id", "outcome", "drift", "ms")
_NAMESPACE = "dojang"
_LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}


class _Lines(logging.Handler):
    def __init__(self, telling: Telling) -> None:
        super().__init__()
        self._telling = telling

    def emit(self, record: logging.LogRecord) -> None:
        line: dict[str, object] = {
            "timestamp": _moment(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self._telling.request_id,
        }
        line |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        self._telling.write(line)


class Telling:
    """Writes lines about the invocation under way.

    Args:
        out: Where to; stdout as it is at that moment, unless a test brings its own.
        level: Of `AWS_LAMBDA_LOG_LEVEL`; what is less important is left out.
        function: The function's name, by which metrics are told apart.
    """

    def __init__(self, out: TextIO | None = None, *, level: str = "", function: str = "") -> None:
        self.request_id = ""
        self._out = out
        self._level = _LEVELS.get(level.upper(), logging.INFO)
        self._function = function or "dojang"
        self._handler = _Lines(self)

    @contextmanager
    def about(self, request_id: str) -> Iterator[None]:
        """Log dojang's own words as lines of this invocation, and leave logging as it was."""
        self.request_id = request_id
        logger = logging.getLogger("dojang")
        before = logger.handlers[:], logger.level, logger.propagate
        logger.handlers[:], logger.propagate = [self._handler], False
        logger.setLevel(self._level)
        try:
            yield
        finally:
            logger.handlers[:], logger.propagate = before[0], before[2]
            logger.setLevel(before[1])

    def count(self, values: Mapping[str, float], **dimensions: str) -> None:
        """Give CloudWatch some numbers; names that end in `Ms` are milliseconds, the others counts."""
        line: dict[str, object] = {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": _NAMESPACE,
                        "Dimensions": [["function", *dimensions]],
                        "Metrics": [
                            {"Name": name, "Unit": "Milliseconds" if name.endswith("Ms") else "Count"}
                            for name in values
                        ],
                    }
                ],
            },
            "function": self._function,
            "requestId": self.request_id,
            **dimensions,
            **values,
        }
        self.write(line)

    def write(self, line: Mapping[str, object]) -> None:
        """One line. Written at once: a process that is frozen or killed keeps nothing in a buffer."""
        out = self._out or sys.stdout
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"
        # An event may hold half a surrogate pair, and no stream can take that: what was done would look undone.
        text = text.encode("utf-8", "replace").decode()
        # One call: two processes that share a pipe do not get into each other's lines.
        out.write(text)
        out.flush()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
