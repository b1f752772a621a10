"""`verify` as a service: time beyond Bootpay's own answer, and throughput against FastAPI and the official SDK."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.load import Load, ask, send
from bench.processes import cpu_s, free_port, service, upstream
from dojang.adapters.sqlite import SqliteBackend
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import Event, What

_DELAY_S = 0.05
_PRICE = 1200
_ROUNDS = 3
_ALONE, _ALONE_ROUNDS = 50, 10


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """Medians over the rounds.

    Attributes:
        bootpay_ms: How long the pretend Bootpay's own answer really took, median.
        beyond_p50_ms: One verification at a time: time beyond Bootpay's own answer.
        beyond_p99_ms: The same, 99th percentile.
        ours_per_s: Verifications per second, one process, Bootpay answering in 50 ms.
        peer_per_s: The peer's.
        ours_cpu_ms: CPU time of the service per verification under load.
        peer_cpu_ms: The peer's.
        cost_ratio: Median time of one verification with many stored orders to that with few.
        many: How many is many.
    """

    bootpay_ms: float
    beyond_p50_ms: float
    beyond_p99_ms: float
    ours_per_s: float
    peer_per_s: float
    ours_cpu_ms: float
    peer_cpu_ms: float
    cost_ratio: float
    many: int


def measure(verifications: int, many: int) -> ServiceFigures:
    """Run both services in turn against the same pretend Bootpay.

    Args:
        verifications: Per round.
        many: How many orders are on file for the cost ratio.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "bench.sqlite3"
        _register(store, range(4_000 + verifications * _ROUNDS))
        alone: list[Load] = []
        direct: list[Load] = []
        loaded: list[tuple[Load, float]] = []
        peers: list[tuple[Load, float]] = []
        with upstream(_DELAY_S) as bootpay:
            with _ours(store, bootpay) as (port, _):
                send(port, range(200), 8)
                # In turn, so that what else the machine does befalls both alike.
                for first in range(1_000, 1_000 + _ALONE * _ALONE_ROUNDS, _ALONE):
                    alone.append(send(port, range(first, first + _ALONE), 1))
                    direct.append(ask(bootpay, range(first, first + _ALONE)))
            for round_number in range(_ROUNDS):
                first = 4_000 + round_number * verifications
                with _ours(store, bootpay) as (port, pid):
                    loaded.append(_loaded(port, pid, range(first, first + verifications)))
                with _peer(bootpay) as (port, pid):
                    peers.append(_loaded(port, pid, range(first, first + verifications)))
        cost_ratio = _cost_ratio(Path(folder), many)
    if any(load.failed for load in (*alone, *direct, *(load for load, _ in (*loaded, *peers)))):
        raise RuntimeError("a verification failed; the figures would lie")
    own_s = statistics.median(load.percentile_s(0.5) for load in direct)
    latencies = sorted(latency for load in alone for latency in load.latencies_s)
    return ServiceFigures(
        bootpay_ms=own_s * 1e3,
        beyond_p50_ms=(statistics.median(latencies) - own_s) * 1e3,
        beyond_p99_ms=(latencies[int(0.99 * len(latencies))] - own_s) * 1e3,
        ours_per_s=statistics.median(load.per_s for load, _ in loaded),
        peer_per_s=statistics.median(load.per_s for load, _ in peers),
        ours_cpu_ms=statistics.median(cpu for _, cpu in loaded) * 1e3,
        peer_cpu_ms=statistics.median(cpu for _, cpu in peers) * 1e3,
        cost_ratio=cost_ratio,
        many=many,
    )


def _loaded(port: int, pid: int, numbers: range) -> tuple[Load, float]:
    before = cpu_s(pid)
    load = send(port, numbers, 256)
    return load, (cpu_s(pid) - before) / len(numbers)


def _cost_ratio(folder: Path, many: int) -> float:
    """The same verifications on a small and on a large file, Bootpay answering at once."""
    files = {}
    for name, count in (("few", 10_000), ("many", many)):
        files[name] = folder / f"{name}.sqlite3"
        _register(files[name], range(count))
    # So many new rows are still on their way to the disk; that is not what is measured.
    os.sync()
    latencies: dict[str, list[float]] = {"few": [], "many": []}
    with (
        upstream() as bootpay,
        _ours(files["few"], bootpay) as (few, _),
        _ours(files["many"], bootpay) as (many_port, _),
    ):
        ports = {"few": few, "many": many_port}
        for port in ports.values():
            send(port, range(1_000, 1_200), 1)
        # In short turns, so that what else the machine does befalls both alike.
        for turn, first in enumerate(range(1_200, 3_200, 50)):
            # Neither is always the one that comes after the other.
            for name, port in sorted(ports.items(), reverse=turn % 2 == 1):
                latencies[name] += send(port, range(first, first + 50), 1).latencies_s
    return statistics.median(latencies["many"]) / statistics.median(latencies["few"])


def _register(store: Path, numbers: range) -> None:
    """Put orders on file directly, many per transaction."""
    now = datetime.now(UTC)
    event = Event(version=1, at=now, what=What.REGISTERED, who="shop")
    backend = SqliteBackend(store)
    try:
        for first in range(numbers.start, numbers.stop, 5_000):
            with backend.transaction():
                for number in range(first, min(first + 5_000, numbers.stop)):
                    order = Order(id=OrderId(f"o-{number}"), price=Money(_PRICE), name="bench")
                    backend.register(order, event, None)
    finally:
        backend.close()


@contextmanager
def _ours(store: Path, bootpay: int) -> Iterator[tuple[int, int]]:
    port = free_port()
    environment = {
        "DOJANG_MODE": "emulator",
        "BOOTPAY_URL": f"http://127.0.0.1:{bootpay}",
        "DOJANG_STORE": f"sqlite:///{store}",
    }
    command = [sys.executable, "-m", "dojang", "serve", "--port", str(port)]
    with service(command, environment, port) as pid:
        yield port, pid


@contextmanager
def _peer(bootpay: int) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "bench.peer:app", "--port", str(port)),
        # Everything that makes uvicorn fast, as `pip install uvicorn[standard]` brings it.
        *("--loop", "uvloop", "--http", "httptools", "--log-level", "error", "--no-access-log"),
    ]
    with service(command, {"BOOTPAY_URL": f"http://127.0.0.1:{bootpay}"}, port) as pid:
        yield port, pid
