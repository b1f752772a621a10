"""Does the server stay as it is? Its memory and its file descriptors over many requests, good, bad and unlucky.

Beside them it hands over what it owes, to a shop that fails and moves on to other addresses, by a bad name server.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torture import names
from torture.page import STORE_NAMES, write_flat
from torture.processes import Process, Server, emulator, free_port
from torture.shop import Shop
from torture.stores import store
from torture.wire import Wire

__all__ = ["Flatness", "Sample", "main_flat", "stay_flat"]

_KEY = "flat-key-0123456789abcdef"
_PRICE = 5_000
_THREADS = 8
_ORDERS = 400
_KEYS = 40
# Less than a lease lasts: a cancel whose outcome nobody knows must not hold up all callers.
_PATIENCE_S = 2.0
_SEED = 1
_LOOK, _CANCEL = "GET /v2/", "POST /v2/cancel"
_FAULTS: tuple[dict[str, object], ...] = (
    {"on": _LOOK, "do": "html_502", "probability": 0.03},
    {"on": _LOOK, "do": "malformed", "probability": 0.03},
    {"on": _LOOK, "do": "reset", "probability": 0.03},
    {"on": _LOOK, "do": "delay", "probability": 0.03, "delay_s": 0.2},
    {"on": _LOOK, "do": "timeout_before", "probability": 0.002, "delay_s": 1},
    {"on": _CANCEL, "do": "delay", "probability": 0.1, "delay_s": 0.2},
    {"on": _CANCEL, "do": "timeout_after", "probability": 0.01, "delay_s": 1},
    {"on": _CANCEL, "do": "reset", "probability": 0.01, "effect": True},
    {"on": _CANCEL, "do": "html_502", "probability": 0.01},
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The server after so many requests."""

    requests: int
    rss_kib: int
    descriptors: int
    threads: int


@dataclass(slots=True)
class Flatness:
    """What was seen.

    Attributes:
        samples: The first is taken after the warm-up.
        answers: How the requests were answered, by status.
        cancels: How those among them were answered that asked for money back.
        told: How many attempts to hand something over the shop met, and how many it took.
        genuine: Whether each of them bore the right signature.
        took_s: How long it took.
        complaints: Errors the server logged.
    """

    samples: list[Sample] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    cancels: Counter[int] = field(default_factory=Counter)
    told: tuple[int, int] = (0, 0)
    genuine: bool = True
    took_s: float = 0.0
    complaints: list[str] = field(default_factory=list)

    @property
    def growth_bytes(self) -> float:
        """Bytes that each request left behind: the slope through the second half of the samples."""
        later = self.samples[len(self.samples) // 2 :]
        count = len(later)
        mean_x = sum(sample.requests for sample in later) / count
        mean_y = sum(sample.rss_kib for sample in later) / count
        spread = sum((sample.requests - mean_x) ** 2 for sample in later)
        rise = sum((sample.requests - mean_x) * (sample.rss_kib - mean_y) for sample in later)
        return rise / spread * 1024 if spread else 0.0


def stay_flat(
    requests: int, folder: Path, say: Callable[[str], None], samples: int = 20, kind: str = "sqlite"
) -> Flatness:
    """Send many requests to one server and watch it.

    A few hundred orders are verified, asked about, told about, cancelled in parts under a few keys each and got wrong
    over and over again, so that whatever grows is the server and not the shop's business.

    Args:
        requests: How many after the warm-up.
        folder: Where store and logs may be.
        say: Told how it goes.
        samples: How often it is looked at.
        kind: On which of the stores.
    """
    with store(kind, folder) as dsn:
        return _stay_flat(requests, folder, say, samples, dsn)


def _stay_flat(requests: int, folder: Path, say: Callable[[str], None], samples: int, dsn: str) -> Flatness:
    port = free_port()
    bootpay = Wire(f"http://127.0.0.1:{port}")
    secret = "whsec_" + base64.b64encode(random.Random(_SEED).randbytes(24)).decode()
    shop = Shop(secret, _SEED, everywhere=True)
    server = Server(
        folder,
        {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": f"http://{names.BOOTPAY}:{port}",
            "DOJANG_STORE": dsn,
            "DOJANG_API_KEYS": _KEY,
            "DOJANG_DELIVER_TO": f"http://{names.SHOP}:{shop.port}/deliveries",
            "DOJANG_DELIVER_SECRET": secret,
            "DOJANG_ALLOW_PRIVATE_DESTINATIONS": "true",
            "DOJANG_WEBHOOK_SOURCES": "127.0.0.0/8",
        },
        module="torture.names",
    )
    pretend: Process = emulator(folder, port, "", _SEED)
    flatness = Flatness()
    try:
        server.start()
        server.wait_ready()
        while bootpay.ask("GET", "/emulator/clock", within_s=1.0).status != 200:
            time.sleep(0.05)
        _load(server, bootpay, requests, samples, flatness, say)
    finally:
        # Whoever waits for a lease, its caller long gone, would hold up the end; all is measured by now.
        server.stop(within_s=2.0)
        pretend.stop()
        shop.close()
    flatness.told = len(shop.arrivals), sum(200 <= arrival.answered < 300 for arrival in shop.arrivals)
    flatness.genuine = all(arrival.genuine for arrival in shop.arrivals)
    flatness.complaints = server.complaints()
    return flatness


def _load(
    server: Server,
    bootpay: Wire,
    requests: int,
    samples: int,
    flatness: Flatness,
    say: Callable[[str], None],
) -> None:
    service = Wire(server.url, _KEY)
    receipts: list[tuple[str, str]] = []
    for number in range(_ORDERS):
        order_id = f"f-{number}"
        service.need(
            "POST", "/v1/orders", {"order_id": order_id, "price": _PRICE, "name": "원두"}, keyed=True
        )
        # A third has another price than its order, a third waits for its approval, a third is never paid.
        window = {"order_id": order_id, "price": _PRICE - (number % 3 == 1), "webhook_url": ""}
        window["separately_confirmed"] = number % 3 == 0
        receipt_id = bootpay.need("POST", "/emulator/checkouts", window)["receipt_id"]
        if number % 3 != 2:
            bootpay.need("POST", f"/emulator/receipts/{receipt_id}/approve")
        receipts.append((order_id, receipt_id))
    for fault in _FAULTS:
        bootpay.need("POST", "/emulator/faults", fault)
    _send(service, receipts, max(2_000, requests // 10), 0, flatness)
    flatness.answers.clear()
    flatness.cancels.clear()
    flatness.samples.append(_sample(server.pid, 0))
    begun = time.monotonic()
    done = 0
    for number in range(1, samples + 1):
        count = requests * number // samples - done
        _send(service, receipts, count, number, flatness)
        done += count
        flatness.samples.append(_sample(server.pid, done))
        say(f"{flatness.samples[-1]}")
    flatness.took_s = time.monotonic() - begun


def _send(
    service: Wire, receipts: list[tuple[str, str]], count: int, round_number: int, flatness: Flatness
) -> None:
    lock = threading.Lock()

    def work(part: int) -> None:
        rng = random.Random(f"{round_number}:{part}")
        cancels = Counter[int]()
        answers = Counter(_one(service, receipts, rng, cancels) for _ in range(part, count, _THREADS))
        with lock:
            flatness.answers.update(answers)
            flatness.cancels.update(cancels)

    threads = [threading.Thread(target=work, args=(part,), daemon=True) for part in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _one(service: Wire, receipts: list[tuple[str, str]], rng: random.Random, cancels: Counter[int]) -> int:
    """One request of one of many kinds; its status."""
    order_id, receipt_id = rng.choice(receipts)
    ask = partial(service.ask, within_s=_PATIENCE_S)
    dice = rng.random()
    if dice < 0.05:
        status = _cancel(service, order_id, rng)
        cancels[status] += 1
        return status
    if dice < 0.35:
        return ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": receipt_id}).status
    if dice < 0.45:
        return ask("GET", f"/v1/orders/{order_id}/state").status
    if dice < 0.55:
        return ask("GET", f"/v1/orders/{order_id}", keyed=True).status
    if dice < 0.65:
        # Sometimes one that nobody has seen before, as a stranger would send.
        strange = rng.random() < 0.3
        told = {"receipt_id": f"{rng.randrange(10_000):024x}" if strange else receipt_id, "status": 1}
        told["order_id"] = order_id
        return ask("POST", "/webhooks/bootpay", told).status
    if dice < 0.75:
        other = rng.choice(receipts)[1]
        return ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": other}).status
    if dice < 0.80:
        unknown = {"receipt_id": f"{rng.getrandbits(96):024x}"}
        return ask("POST", f"/v1/orders/{order_id}/verify", unknown).status
    if dice < 0.85:
        return ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": "no receipt"}).status
    if dice < 0.90:
        return ask("GET", f"/nowhere/{rng.getrandbits(32)}").status
    if dice < 0.94:
        return ask("GET", f"/v1/orders/none-{rng.getrandbits(48)}", keyed=True).status
    if dice < 0.97:
        return ask("GET", f"/v1/orders/{order_id}", headers={"authorization": "Bearer wrong"}).status
    # Gone before the answer comes.
    return ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": receipt_id}, within_s=0.001).status


def _cancel(service: Wire, order_id: str, rng: random.Random) -> int:
    """A part back, or its repeat; now and then another part under the same key."""
    key = rng.randrange(_KEYS)
    asked = {"amount": 1 + key % 3 + (rng.random() < 0.05), "reason": "변심"}
    path, headers = f"/v1/orders/{order_id}/cancel", {"idempotency-key": f"k-{key}"}
    return service.ask("POST", path, asked, keyed=True, headers=headers, within_s=_PATIENCE_S).status


def _sample(pid: int, requests: int) -> Sample:
    # What the last callers left open is closed a moment later.
    time.sleep(0.3)
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return Sample(
        requests,
        int(fields["VmRSS"].split()[0]),
        len(os.listdir(f"/proc/{pid}/fd")),
        int(fields["Threads"]),
    )


def main_flat(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """The command: 0 if it stayed flat on every store that is named, on SQLite if none is."""
    fine = True
    for kind in arguments.store or ["sqlite"]:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            flatness = stay_flat(arguments.requests, Path(folder), say, kind=kind)
        words = _words(flatness, kind)
        say(words)
        grown = flatness.samples[-1].descriptors - flatness.samples[0].descriptors
        # Callers who wait for another one's lease hold a connection each, in some samples more than in others.
        flat = flatness.growth_bytes < 100 and grown < 40 and not flatness.complaints and flatness.genuine
        for complaint in flatness.complaints[:20]:
            say(complaint)
        if arguments.write and flat:
            write_flat(kind, words)
        fine &= flat
    return 0 if fine else 1


def _words(flatness: Flatness, kind: str) -> str:
    first, last = flatness.samples[0], flatness.samples[-1]
    answers, cancels = (
        ", ".join(f"{status or 'none'} {count:,}" for status, count in counted.most_common())
        for counted in (flatness.answers, flatness.cancels)
    )
    met, taken = flatness.told
    every = max(1, len(flatness.samples) // 10)
    rows = "\n".join(
        f"| {sample.requests:,} | {sample.rss_kib / 1024:.1f} | {sample.descriptors} | {sample.threads} |"
        for sample in flatness.samples[::every]
    )
    return (
        f"### Flat over {last.requests:,} requests on {STORE_NAMES[kind]}\n\n"
        f"One server, {_THREADS} callers at once, {flatness.took_s:.0f} s: verifications (right, wrong, foreign,\n"
        "unknown, malformed, given up before the answer), cancels of parts (new, repeated, another part under the\n"
        "same key), states, orders, webhooks (true and invented), wrong keys, unknown paths. Meanwhile Bootpay spoils\n"
        "one answer in eleven to a look-up and one in thirty to a cancel, and is slow or silent with others. What\n"
        "is owed is handed to a shop that fails, hangs up or is slow, at another address each time; one search\n"
        f"for an address in twenty fails. Callers wait for {_PATIENCE_S:.0f} s.\n"
        f"Memory went from {first.rss_kib / 1024:.1f} to {last.rss_kib / 1024:.1f} MiB "
        f"({flatness.growth_bytes:+.1f} bytes per request over the second half), descriptors from "
        f"{first.descriptors} to {last.descriptors}.\nAnswers: {answers}. Of these to cancels: {cancels}. "
        f"The shop met {met:,} deliveries and took {taken:,}.\n\n"
        "| requests | MiB | descriptors | threads |\n|---|---|---|---|\n" + rows
    )
