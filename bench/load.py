"""Sends verifications over many kept connections and notes how long each took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

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
    return asyncio.run(_send(port, numbers, connections))


async def _send(port: int, numbers: range, connections: int) -> Load:
    todo = iter(numbers)
    latencies: list[float] = []
    failed = 0

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in todo:
            body = b'{"receipt_id":"%s"}' % receipt_id_of(number).encode()
            begun = time.perf_counter()
            writer.write(
                b"POST /v1/orders/o-%d/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (number, len(body), body)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
            latencies.append(time.perf_counter() - begun)
            failed += not (head.startswith(b"HTTP/1.1 200") and b'"paid"' in answer)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    took = time.perf_counter() - begun
    return Load(len(latencies) / took, sorted(latencies), failed)
