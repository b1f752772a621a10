"""Measure everything and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import client, verification

_PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


_WHY = """## What makes it fast

CPU time of the service per verification under load, each step measured in turn with the one before it, on two
processors in November 2026. Other work ran beside it, so compare within a row. Elsewhere the figures differ; the order
should stay.

| step | before | after |
|---|---|---|
| uvloop instead of asyncio's own event loop | 0.52 ms | 0.47 ms |
| connections of our own (`bootpay/over_asyncio.py`) instead of aiohttp's session | 0.52 ms | 0.36 ms |
| the garbage collector leaves the program itself alone | 0.40 ms | 0.36 ms |
| that, one timer for the body, and zero amounts not parsed | 0.34 ms | 0.31 ms |
| SQLite may keep 32 MB of pages instead of 2 MB | 0.33 ms | 0.30 ms |
| a batch of commits runs without savepoints, and with them only if one fails | 0.33 ms | 0.29 ms |

- The last of these raised the verifications per second by about half: every statement gives Python's lock away and
  has to win it back from a busy event loop, so fewer statements are worth more than their own time.
- Nothing is claimed for delivery where there is nowhere to deliver to: that had cost two commits more for each order.
- A commit is mostly its disk flush. What waits together is flushed together (`adapters/batching.py`), and nobody is
  answered before.
- A commit writes about twelve pages to SQLite's log; by itself SQLite would copy the log into its file within every
  85th commit, and that commit waits. Here it is every 340th, out of the 99th percentile.
- Tried and left out, because it gained nothing: building a request's head without a list of lines.
- Left out without a trial: reading the store on the event loop. A look-up takes 45 µs when its pages are in memory,
  but otherwise it waits for the disk, and everybody with it.
"""


def _machine() -> str:
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model
        )
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}"


def _page(clients: client.ClientFigures, services: verification.ServiceFigures, load: str) -> str:
    cpu_ratio = clients.ours_cpu_us / clients.official_cpu_us
    wall_ratio = clients.ours_wall_us / clients.official_wall_us
    packages = ", ".join(
        f"{name} {version(name)}"
        for name in (
            "bootpay-backend",
            "requests",
            "urllib3",
            "fastapi",
            "uvicorn",
            "httptools",
            "uvloop",
            "granian",
            "msgspec",
        )
    )
    rows = [
        ("client call on a warm connection, CPU time", f"{cpu_ratio:.3f} × official SDK", "0.15 ×"),
        ("`verify` beyond Bootpay's own answer, SQLite, p50", f"{services.beyond_p50_ms:.2f} ms", "2 ms"),
        ("`verify` beyond Bootpay's own answer, SQLite, p99", f"{services.beyond_p99_ms:.2f} ms", "10 ms"),
        (
            "service throughput, one process, Bootpay answering in 50 ms",
            f"{services.ours_per_s / services.peer_per_s:.1f} × FastAPI + official SDK",
            "at least 5 ×",
        ),
        (
            f"cost of one verify at {services.many:,} stored orders / at 10,000",
            f"{services.cost_ratio:.2f}",
            "1.2 (at 10 million)",
        ),
    ]
    table = "\n".join(f"| {what} | {figure} | {budget} |" for what, figure, budget in rows)
    return f"""# Benchmarks

Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. Contenders are measured in turn in one run on one machine;
figures are medians over the rounds. Compare ratios, not milliseconds: another machine has other milliseconds.

Machine: {_machine()}, {load}. Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}; {packages}.

| what | measured | budget |
|---|---|---|
{table}

## One call

`receipt()` against a server that answers at once, TLS on loopback, one caller. The official SDK opens a connection for
every call; ours keeps one.

| | wall per call | CPU per call |
|---|---|---|
| dojang `Bootpay` | {clients.ours_wall_us:.0f} µs | {clients.ours_cpu_us:.0f} µs |
| `bootpay-backend` | {clients.official_wall_us:.0f} µs | {clients.official_cpu_us:.0f} µs |
| ratio | {wall_ratio:.3f} | {cpu_ratio:.3f} |

## One service

`POST /v1/orders/{{order_id}}/verify` over 256 kept connections, Bootpay answering after 50 ms, one server process. Ours
stores the order's new state, its history and what the shop is owed in SQLite (`synchronous=FULL`) before it answers;
the peer asks and compares, and stores nothing. Both run on uvloop, the peer on uvicorn with httptools.

| | verifications per second | CPU per verification |
|---|---|---|
| dojang | {services.ours_per_s:.0f} | {services.ours_cpu_ms:.2f} ms |
| FastAPI + `bootpay-backend` | {services.peer_per_s:.0f} | {services.peer_cpu_ms:.2f} ms |

Load, pretend Bootpay and service share this machine's processors, so the figures per second depend on what else it
does; CPU time per verification depends on that least. "Beyond Bootpay's own answer" is one verification at a time,
less the median of asking the pretend Bootpay directly in the same minute ({services.bootpay_ms:.1f} ms).

{_WHY}"""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls, figures for a first look only")
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    arguments = parser.parse_args()
    calls, verifications, many = (60, 1_000, 20_000) if arguments.quick else (400, 6_000, 1_000_000)
    # Whoever reads the figures should know what else went on.
    load = f"load average {os.getloadavg()[0]:.1f} before the start"
    sys.stderr.write("client …\n")
    clients = client.measure(calls)
    sys.stderr.write("service …\n")
    services = verification.measure(verifications, many)
    page = _page(clients, services, load)
    if arguments.print or arguments.quick:
        sys.stdout.write(page)
    else:
        _PAGE.write_text(page, encoding="utf-8")
        sys.stderr.write(f"wrote {_PAGE}\n")


if __name__ == "__main__":
    main()
