"""One call on a warm client: ours against the official SDK, TLS on loopback, wall and CPU time."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import trustme
from bootpay_backend import BootpayBackend

from bench.processes import upstream
from bench.upstream import receipt_id_of
from dojang.bootpay import Bootpay

_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class ClientFigures:
    """Medians over the rounds, microseconds per call."""

    ours_wall_us: float
    ours_cpu_us: float
    official_wall_us: float
    official_cpu_us: float


def measure(calls: int) -> ClientFigures:
    """Alternate rounds of both clients in one process against one server.

    Args:
        calls: Calls per round and client.
    """
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        cert = Path(folder) / "server.pem"
        trusted = Path(folder) / "ca.pem"
        issued = authority.issue_cert("127.0.0.1", "localhost")
        cert.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        authority.cert_pem.write_to_path(trusted)
        with upstream(cert=cert) as port:
            return _measure(f"https://localhost:{port}", trusted, calls)


def _measure(url: str, trusted: Path, calls: int) -> ClientFigures:
    import os

    os.environ["REQUESTS_CA_BUNDLE"] = str(trusted)
    BootpayBackend.BASE_URL["production"] = f"{url}/v2"
    official = BootpayBackend(client_key="client", secret_key="secret")
    receipt_id = receipt_id_of(7)
    with Bootpay(client_key="client", secret_key="secret", url=url, ca_certs=str(trusted)) as ours:
        assert ours.receipt(receipt_id).price == official.receipt_payment(receipt_id)["price"]
        ours_rounds, official_rounds = [], []
        for _ in range(_ROUNDS):
            ours_rounds.append(_round(lambda: ours.receipt(receipt_id), calls))
            official_rounds.append(_round(lambda: official.receipt_payment(receipt_id), calls))
    return ClientFigures(
        ours_wall_us=statistics.median(wall for wall, _ in ours_rounds),
        ours_cpu_us=statistics.median(cpu for _, cpu in ours_rounds),
        official_wall_us=statistics.median(wall for wall, _ in official_rounds),
        official_cpu_us=statistics.median(cpu for _, cpu in official_rounds),
    )


def _round(call: Callable[[], object], calls: int) -> tuple[float, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return (time.perf_counter() - wall) / calls * 1e6, (time.process_time() - cpu) / calls * 1e6
