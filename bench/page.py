"""docs/benchmarks.md: one part for each measurement, so that each can be taken again alone."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import client, lambda_start, verification
from bench.lambda_packages import POWERTOOLS

__all__ = ["PAGE", "client_part", "lambda_part", "replaced", "service_part"]

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

_BEGIN = """# Benchmarks

Written by `make bench`; `python -m bench --only lambda` measures one part anew. Contenders are measured in turn in one
run on one machine; figures are medians over the rounds. Compare ratios, not milliseconds: another machine has other
milliseconds.
"""

_WHY = """### What makes it fast

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
- SQLite looks at the file's pages where the system keeps them (`mmap_size`): one verification at ten million orders
  cost 1.14 and 1.19 times that at ten thousand without it, 1.02 and 1.04 with it, in turn, on a file that had been
  written minutes before. `top` counts those pages, up to 2 GB of a large file, as the process's memory; they are the
  system's cache.
- A commit writes about twelve pages to SQLite's log; by itself SQLite would copy the log into its file within every
  85th commit, and that commit waits. Here it is every 340th, out of the 99th percentile.
- Tried and left out, because it gained nothing: building a request's head without a list of lines.
- The first row and the ten million depend most on the machine. On 2026-11-25 the p50 was 1.53 ms at noon and 2.2 to
  2.4 ms in the evening, where the version of noon measured the same beside it: a machine that has waited 50 ms for
  Bootpay wakes slowly; without that wait a whole verification takes 0.8 ms. The cost at ten million, measured at once
  after they were written, was 1.11 to 1.25 without `mmap_size` and 1.21 with it. Both budgets are kept on a
  good day and **missed** on a bad one.
- Left out without a trial: reading the store on the event loop. A look-up takes 45 µs when its pages are in memory,
  but otherwise it waits for the disk, and everybody with it.
"""

_WHY_LAMBDA = """### What makes it start fast

Processor time of importing the handler, each step measured with the one before it, CPython 3.11, in November 2026.

| step | before | after |
|---|---|---|
| our own signature for DynamoDB instead of botocore's signer; what is not used is not imported | 131 ms | 110 ms |
| the garbage collector rests while modules are read | 110 ms | 100 ms |
| structs for most dataclasses outside `core`; cancels and repairs imported when used | 114 ms | 103 ms |
| urllib3 without Python's own description of packages, no `pathlib`, a pattern made when first used | 83 ms | 78 ms |
| rules of cancels, reading of webhooks and a dozen patterns are read by who needs them | 90 ms | 87 ms |
| values of our own instead of dataclasses; `inspect` is read by who asks for a signature | 88 ms | 72 ms |
| sockets and one reader of answers instead of urllib3 and `http.client` | 72 ms | 54 ms |

- What is left is Python's own modules (a third, TLS and hashes first), our own small ones, and msgspec.
- The rows after the second were measured later than those, on slower and faster days; the last two on a busy machine,
  in one run. With less beside it they began at 70 ms.
- What a shop is owed is posted with urllib3, which is read by the first that is posted: nobody waits for that. A
  function whose shop is asked before money moves (`DOJANG_APPROVE_AT`) reads it while it is initialised.
- Keys are read beside the modules. The stand-in for Secrets Manager answers at once; what AWS takes comes on top, but
  for the few milliseconds that modules take meanwhile.
- Earlier figures of this page with keys in Secrets Manager (0.54 on an idle machine, 0.45 to 0.50 on busy ones) held
  40 ms that the stand-in lost: its kernel kept the answer until TLS's tickets were acknowledged (Nagle's algorithm).
- Processor time until the first answer depends least on what else is done: (d) / (c) was 0.52 before the last two rows
  and is 0.37 to 0.39 since.
- The signature (`adapters/aws/signature.py`) is held to what botocore's signer writes by the tests, byte by byte.
- Neither the table nor Bootpay is asked anything before the first request: nothing is described, no token is bought.
- A replay answers from the table alone; whoever does not store has to ask Bootpay again, over a new connection.
"""


def client_part(figures: client.ClientFigures, load: str) -> str:
    """One call."""
    cpu_ratio = figures.ours_cpu_us / figures.official_cpu_us
    wall_ratio = figures.ours_wall_us / figures.official_wall_us
    return f"""## One call

`receipt()` against a server that answers at once, TLS on loopback, one caller. The official SDK opens a connection for
every call; ours keeps one.

{_taken(load, "bootpay-backend", "requests", "urllib3", "msgspec")}

| what | measured | budget |
|---|---|---|
| client call on a warm connection, CPU time | {cpu_ratio:.3f} × official SDK | 0.15 × |

| | wall per call | CPU per call |
|---|---|---|
| dojang `Bootpay` | {figures.ours_wall_us:.0f} µs | {figures.ours_cpu_us:.0f} µs |
| `bootpay-backend` | {figures.official_wall_us:.0f} µs | {figures.official_cpu_us:.0f} µs |
| ratio | {wall_ratio:.3f} | {cpu_ratio:.3f} |
"""


def service_part(figures: verification.ServiceFigures, load: str) -> str:
    """One service."""
    times = figures.ours_per_s / figures.peer_per_s
    times = figures.ours_per_s / figures.peer_per_s
    packages = (
        "bootpay-backend",
        "requests",
        "fastapi",
        "uvicorn",
        "httptools",
        "uvloop",
        "granian",
        "msgspec",
    )
    return f"""## One service

`POST /v1/orders/{{order_id}}/verify` over 256 kept connections, Bootpay answering after 50 ms, one server process. Ours
stores the order's new state, its history and what the shop is owed in SQLite (`synchronous=FULL`) before it answers;
the peer asks and compares, and stores nothing. Both run on uvloop, the peer on uvicorn with httptools. Where Bootpay is
real, ours looks up no more than 500 receipts a second for strangers ([why](scale.md#limits)); here it is not held back.

{_taken(load, *packages)}

| what | measured | budget |
|---|---|---|
| `verify` beyond Bootpay's own answer, SQLite, p50 | {figures.beyond_p50_ms:.2f} ms | 2 ms |
| `verify` beyond Bootpay's own answer, SQLite, p99 | {figures.beyond_p99_ms:.2f} ms | 10 ms |
| service throughput, one process, Bootpay answering in 50 ms | {times:.1f} × FastAPI + official SDK | at least 5 × |
| cost of one verify at {figures.many:,} stored orders / at 10,000 | {figures.cost_ratio:.2f} | 1.2 |

| | verifications per second | CPU per verification |
|---|---|---|
| dojang | {figures.ours_per_s:.0f} | {figures.ours_cpu_ms:.2f} ms |
| FastAPI + `bootpay-backend` | {figures.peer_per_s:.0f} | {figures.peer_cpu_ms:.2f} ms |

Load, pretend Bootpay and service share this machine's processors, so the figures per second depend on what else it
does; CPU time per verification depends on that least. "Beyond Bootpay's own answer" is one verification at a time,
less the median of asking the pretend Bootpay directly in the same minute ({figures.bootpay_ms:.1f} ms).

{_WHY}"""


def lambda_part(figures: lambda_start.StartFigures, load: str) -> str:
    """One cold function."""
    rows = "\n".join(
        f"| {one.deployment.contender.name} | {one.median('init_ms'):.0f} ms | {one.median('first_ms'):.0f} ms "
        f"| {one.median('replay_ms'):.1f} ms | {one.median('cpu_ms'):.0f} ms | {one.median('memory_mb'):.0f} MB "
        f"| {_megabytes(one.deployment.zipped)} |"
        for one in figures.results
    )
    storing = "\n".join(
        f"| {one.deployment.contender.name} | {what} | {_asked(counted)} |"
        for one in figures.results
        for what, counted in (
            ("verify", one.verify),
            ("replay", one.replay),
            ("webhook afterwards", one.webhook),
        )
        if counted[0]
    )
    powertools, dojang, stateless, in_environment, uncompiled = 2, 3, 4, 5, 6
    ours, theirs = figures.results[dojang], figures.results[powertools]
    total = (ours.median("init_ms") + ours.median("first_ms")) / (
        theirs.median("init_ms") + theirs.median("first_ms")
    )
    rounds = len(ours.rounds)
    return f"""## A function that starts cold

AWS's runtime client (`awslambdaric`) under AWS's Runtime Interface Emulator, a fresh process for every round, {rounds}
rounds in changing order. Every layer is a zip made by the same code, byte code included, and unpacked; boto3, botocore
and urllib3 are the runtime's own, as in Lambda. The event is an HTTP API's. Bootpay is a server on loopback over TLS,
with as many trusted authorities as a real machine has; DynamoDB is DynamoDB Local. (b) and (c) look the receipt up
and compare with a price that they are given; (c) keeps its answer under Powertools' idempotency. (d) stores order,
state, history, claim and what the shop is owed, and reads its keys from Secrets Manager while it is initialised, as
the template has it; a server on loopback over TLS stands in for that, which answers at once. The others have their
keys in the environment. "Without byte code" is the layer that is made where the function's Python is not at hand.

{_taken(load, "bootpay-backend", "requests", "boto3", "awslambdaric", "msgspec")}
aws-lambda-powertools {POWERTOOLS}.

| what | measured | budget |
|---|---|---|
| INIT of (d) / (c) | {figures.init_ratio(dojang, powertools):.2f} | 0.5 |
| INIT of (d) with keys in the environment / (c) | {figures.init_ratio(in_environment, powertools):.2f} | |
| INIT of (d) without byte code / (c) | {figures.init_ratio(uncompiled, powertools):.2f} | |
| INIT of (e) / (b) | {figures.init_ratio(stateless, 1):.2f} | 1 |
| layer zip of (d) | {_megabytes(ours.deployment.zipped)} | 3 MB |

INIT and first verification together, (d) / (c): {total:.2f}.

| | INIT | first verification | the same again | CPU until the first answer | peak memory | layer zip |
|---|---|---|---|---|---|---|
{rows}

What is asked of DynamoDB, and the capacity units it says that costs, indexes included:

| | | calls and units |
|---|---|---|
{storing}

(A write whose condition fails costs a unit too, which DynamoDB Local does not tell: (c)'s replay is such a write.
Neither does it round each item of a transaction, as AWS does:
[what a payment costs by AWS's rules](dynamodb.md#what-a-payment-costs).)

{_WHY_LAMBDA}"""


def replaced(page: str, parts: Mapping[str, str]) -> str:
    """The page with these parts in their places; a place that is not there yet is made at the end."""
    if not page.startswith(_BEGIN):
        page = _BEGIN
    for name, text in parts.items():
        block = f"<!-- {name}: begin -->\n{text.strip()}\n<!-- {name}: end -->\n"
        found = re.compile(rf"<!-- {name}: begin -->\n.*?<!-- {name}: end -->\n", re.DOTALL)
        if (old := found.search(page)) is not None:
            page = page[: old.start()] + block + page[old.end() :]
        else:
            page = f"{page}\n{block}"
    return page


def _taken(load: str, *packages: str) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Taken on {datetime.now(UTC):%Y-%m-%d}, {_machine()}, {load}. Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; {versions}."
    )


def _machine() -> str:
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model
        )
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}"


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.2f} MB" if size else "–"


def _asked(counted: tuple[tuple[str, ...], float]) -> str:
    operations, units = counted
    return f"{', '.join(f'`{one}`' for one in operations)}: {units:g} units"
