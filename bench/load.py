"""Sends verifications over many kept connections and notes how long each took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvloop

from bench.upstream import receipt_id_of


@dataclass(frozen=True, slots=True)
class Load:
    """What came back.

    Attributes:
        per_s: Answers per second over the whole run.
        latencies_s: One per answer, sorted.
        failed: Answers other than 200.
    """

    per_s: float
    latencies_s: list[float]
    failed: int

    def percentile_s(self, share: float) -> float:
        """The latency that this share of the answers did not exceed."""
        return self.latencies_s[min(len(self.latencies_s) - 1, int(share * len(self.latencies_s)))]


def send(port: int, numbers: range, connections: int) -> Load:
    """Verify each order `o-<number>` once."""
    return _load(port, numbers, connections, _verification, b'"paid"')


def ask(port: int, numbers: range) -> Load:
    """Ask the pretend Bootpay itself for each receipt, one at a time: how long its own answer really takes.

    The same connection handling as `send`, so that the difference between the two is the service alone.
    """
    return _load(port, numbers, 1, _question, b'"order_id"')


def _verification(number: int) -> bytes:
    body = b'{"receipt_id":"%s"}' % receipt_id_of(number).encode()
    return (
        b"POST /v1/orders/o-%d/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (number, len(body), body)
    )


def _question(number: int) -> bytes:
    return b"GET /v2/receipt/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % receipt_id_of(number).encode()


def _load(
    port: int, numbers: range, connections: int, request: Callable[[int], bytes], expected: bytes
) -> Load:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(port, numbers, connections, request, expected))


async def _send(
    port: int, numbers: range, connections: int, request: Callable[[int], bytes], expected: bytes
) -> Load:
    todo = iter(numbers)
    latencies: list[float] = []
    failed = 0

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in todo:
            begun = time.perf_counter()
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
            latencies.append(time.perf_counter() - begun)
            failed += not (head.startswith(b"HTTP/1.1 200") and expected in answer)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    took = time.perf_counter() - begun
    return Load(len(latencies) / took, sorted(latencies), failed)
