"""What happened, counted in this process and told in Prometheus' text format."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence

import msgspec

__all__ = ["Counter", "Histogram", "Metrics"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)


class Counter:
    """How often something happened, by its labels.

    Args:
        name: As Prometheus has it; ends in `_total`.
        words: What is counted.
        labels: What it is told apart by. Their values must be few: never an order's id.
    """

    def __init__(self, name: str, words: str, labels: Sequence[str]) -> None:
        self._name = name
        self._words = words
        self._labels = tuple(labels)
        self._counts: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def add(self, *values: str, times: int = 1) -> None:
        """It happened."""
        with self._lock:
            self._counts[values] = self._counts.get(values, 0) + times

    @property
    def counts(self) -> dict[tuple[str, ...], int]:
        """The count of every combination of labels seen so far."""
        with self._lock:
            return dict(self._counts)

    def lines(self) -> list[str]:
        """The metric as text."""
        with self._lock:
            counts = sorted(self._counts.items())
        return [
            f"# HELP {self._name} {self._words}",
            f"# TYPE {self._name} counter",
            *(f"{self._name}{_labelled(self._labels, values)} {count}" for values, count in counts),
        ]


class _Row(msgspec.Struct):
    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(_SECONDS) + 1))
    total_s: float = 0.0


class Histogram:
    """How long something took, by its labels.

    Args:
        name: As Prometheus has it; ends in `_seconds`.
        words: What is measured.
        labels: What it is told apart by.
    """

    def __init__(self, name: str, words: str, labels: Sequence[str]) -> None:
        self._name = name
        self._words = words
        self._labels = tuple(labels)
        self._rows: dict[tuple[str, ...], _Row] = {}
        self._lock = threading.Lock()

    def observe(self, seconds: float, *values: str) -> None:
        """It took so long."""
        with self._lock:
            row = self._rows.get(values)
            if row is None:
                row = self._rows[values] = _Row()
            row.buckets[bisect_left(_SECONDS, seconds)] += 1
            row.total_s += seconds

    def lines(self) -> list[str]:
        """The metric as text."""
        lines = [f"# HELP {self._name} {self._words}", f"# TYPE {self._name} histogram"]
        labels = (*self._labels, "le")
        with self._lock:
            for values, row in sorted(self._rows.items()):
                below = 0
                for edge, count in zip((*map(str, _SECONDS), "+Inf"), row.buckets, strict=True):
                    below += count
                    lines.append(f"{self._name}_bucket{_labelled(labels, (*values, edge))} {below}")
                own = _labelled(self._labels, values)
                lines.append(f"{self._name}_sum{own} {row.total_s:.6f}")
                lines.append(f"{self._name}_count{own} {below}")
        return lines


class Metrics:
    """Everything this process counts. Whoever runs deliveries in the background counts them here too."""

    def __init__(self) -> None:
        self.requests = Counter(
            "dojang_http_requests_total", "HTTP requests by route and status.", ("route", "status")
        )
        self.seconds = Histogram(
            "dojang_http_request_seconds", "Time to answer, Bootpay's own time included.", ("route",)
        )
        self.verifications = Counter(
            "dojang_verifications_total", "What verify answered, by outcome.", ("outcome",)
        )
        self.webhooks = Counter(
            "dojang_webhooks_total",
            "Webhooks by generation and what came of them.",
            ("generation", "outcome"),
        )
        self.deliveries = Counter(
            "dojang_deliveries_total", "Attempts to hand over what is owed, by result.", ("result",)
        )
        self.upstream_errors = Counter(
            "dojang_upstream_errors_total", "Calls to Bootpay that gave no usable answer, by kind.", ("kind",)
        )

    def text(self) -> str:
        """All of it in Prometheus' text format."""
        metrics: tuple[Counter | Histogram, ...] = (
            self.requests,
            self.seconds,
            self.verifications,
            self.webhooks,
            self.deliveries,
            self.upstream_errors,
        )
        return "\n".join(line for metric in metrics for line in metric.lines()) + "\n"


def _labelled(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
