"""One run: set up, load and kill, let it calm down, compare."""

from __future__ import annotations

import base64
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from torture.buyers import Buyers
from torture.killer import kill_at_random
from torture.ledgers import Ledgers, read_ledgers
from torture.processes import Command, Server, emulator, free_port
from torture.shop import Shop
from torture.stores import store
from torture.wire import Wire

__all__ = ["Figures", "Plan", "torture"]

# Far more trouble than any day brings, and still little enough that most stories come to an end.
_FAULTS: tuple[dict[str, object], ...] = (
    {"on": "POST /v2/confirm", "do": "delay", "probability": 0.3, "delay_s": 0.4},
    {"on": "POST /v2/confirm", "do": "timeout_after", "probability": 0.03, "delay_s": 2},
    {"on": "POST /v2/confirm", "do": "timeout_before", "probability": 0.03, "delay_s": 2},
    {"on": "POST /v2/confirm", "do": "critical", "probability": 0.03},
    {"on": "POST /v2/confirm", "do": "critical", "probability": 0.02, "effect": False},
    {"on": "POST /v2/confirm", "do": "reset", "probability": 0.02, "effect": True},
    {"on": "POST /v2/confirm", "do": "reset", "probability": 0.02},
    {"on": "POST /v2/confirm", "do": "malformed", "probability": 0.02},
    {"on": "POST /v2/confirm", "do": "html_502", "probability": 0.02},
    {"on": "POST /v2/cancel", "do": "delay", "probability": 0.3, "delay_s": 0.4},
    {"on": "POST /v2/cancel", "do": "timeout_after", "probability": 0.04, "delay_s": 2},
    {"on": "POST /v2/cancel", "do": "timeout_before", "probability": 0.02, "delay_s": 2},
    {"on": "POST /v2/cancel", "do": "critical", "probability": 0.03},
    {"on": "POST /v2/cancel", "do": "reset", "probability": 0.03, "effect": True},
    {"on": "POST /v2/cancel", "do": "malformed", "probability": 0.02},
    {"on": "POST /v2/cancel", "do": "html_502", "probability": 0.02},
    {"on": "GET /v2/receipt", "do": "delay", "probability": 0.1, "delay_s": 0.1},
    {"on": "GET /v2/receipt", "do": "timeout_before", "probability": 0.01, "delay_s": 2},
    {"on": "GET /v2/receipt", "do": "html_502", "probability": 0.01},
    {"on": "GET /v2/receipt", "do": "reset", "probability": 0.01},
    {"on": "GET /v2/receipt", "do": "malformed", "probability": 0.01},
    {"on": "GET /v2/lookup", "do": "html_502", "probability": 0.02},
    {"on": "*", "do": "drop_webhook", "probability": 0.1},
    {"on": "*", "do": "duplicate_webhook", "probability": 0.1},
    {"on": "*", "do": "delay_webhook", "probability": 0.1, "delay_s": 2},
    {"on": "*", "do": "reorder_webhooks", "probability": 0.1},
)
_CALM_ROUNDS_MAX = 40
# Leases (45 s) end in the first step; claims (120 s) and cancels that were not carried out (600 s) in the second.
_AHEAD_S = (60.0, 900.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run.

    Attributes:
        store: `sqlite` or `postgres`.
        kills: How often at least.
        seed: Decides stories, faults and kills.
        servers: How many servers share the store.
        buyers: How many buyers at once.
        longest_s: How long a server may live.
        minutes: When killing ends, whatever the count.
        patience_s: How long a buyer waits for one answer at most.
        waits: Let leases end by waiting, instead of setting the machine's clock ahead while no server runs.
    """

    store: str = "sqlite"
    kills: int = 200
    seed: int = 1
    servers: int = 1
    buyers: int = 12
    longest_s: float = 3.0
    minutes: float = 30.0
    patience_s: float = 25.0
    waits: bool = False


@dataclass(slots=True)
class Figures:
    """What came of it."""

    plan: Plan
    kills: int = 0
    starts: int = 0
    took_s: float = 0.0
    under_fire_s: float = 0.0
    orders: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    webhooks: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    repeats: int = 0
    cancel_keys: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    returned: int = 0
    rounds: int = 0
    recovered: Counter[str] = field(default_factory=Counter)
    example: str = ""
    deviations: list[tuple[str, str]] = field(default_factory=list)
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)


def torture(plan: Plan, folder: Path, say: Callable[[str], None]) -> Figures:
    """Do it, and compare.

    Args:
        plan: What.
        folder: Where stores and logs may be.
        say: Told how it goes.

    Raises:
        RuntimeError: Something ended that nobody killed, or it never calmed down.
    """
    begun = time.monotonic()
    rng = random.Random(f"{plan.seed}:kill")
    figures = Figures(plan)
    with ExitStack() as stack:
        dsn = stack.enter_context(store(plan.store, folder))
        secret = "whsec_" + base64.b64encode(rng.randbytes(24)).decode()
        key = rng.randbytes(16).hex()
        shop = Shop(secret, plan.seed)
        stack.callback(shop.close)
        bootpay = Wire(f"http://127.0.0.1:{free_port()}")
        environment = {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": bootpay.url,
            "DOJANG_STORE": dsn,
            "DOJANG_API_KEYS": key,
            "DOJANG_DELIVER_TO": shop.url,
            "DOJANG_DELIVER_SECRET": secret,
            "DOJANG_APPROVE_AT": shop.approve_at,
            # All of Bootpay's webhooks come from this machine.
            "DOJANG_WEBHOOK_SOURCES": "127.0.0.0/8",
        }
        servers = [Server(folder, environment, f"server-{number}") for number in range(plan.servers)]
        for server in servers:
            stack.callback(server.stop)
        told = f"{servers[0].url}/webhooks/bootpay"
        pretend = emulator(folder, int(bootpay.url.rpartition(":")[2]), told, plan.seed)
        stack.callback(pretend.stop)
        for server in servers:
            server.start()
        for server in servers:
            server.wait_ready()
        _wait_for(bootpay)
        services = [Wire(server.url, key) for server in servers]
        for fault in _FAULTS:
            bootpay.need("POST", "/emulator/faults", fault)
        buyers = Buyers(
            services,
            bootpay,
            plan.seed,
            threads=plan.buyers,
            pause_s=0.5,
            patience_s=plan.patience_s,
            cancels="/v1/orders/{order_id}/cancel" in services[0].need("GET", "/openapi.json")["paths"],
        )
        under_fire = time.monotonic()
        buyers.start()

        def told_so_far(kills: int) -> None:
            if kills % 20 == 0:
                say(f"{kills} kills, {len(buyers.notes)} orders, {len(shop.arrivals)} arrivals")

        until = under_fire + plan.minutes * 60
        kill_at_random(servers, plan.kills, rng, longest_s=plan.longest_s, until=until, done=told_so_far)
        bootpay.need("DELETE", "/emulator/faults")
        shop.calm = True
        buyers.stop()
        figures.under_fire_s = time.monotonic() - under_fire
        say(f"calm after {figures.under_fire_s:.0f} s and {len(buyers.notes)} orders")
        command = Command(folder, environment)
        ahead_s = _calm_down(plan, servers, services[0], bootpay, command, figures, say)
        ledgers = read_ledgers(services[0], bootpay, shop.arrivals, buyers.notes, shop.asked)
        figures.deviations += [("", f"a buyer failed: {words}") for words in buyers.failures]
        figures.deviations += ledgers.deviations()
        if pretend.ended:
            figures.deviations.append(("", "the pretend Bootpay ended by itself"))
        for server in servers:
            if (code := server.stop()) != 0:
                figures.deviations.append(("", f"a server that was asked to stop ended with {code}"))
            figures.deviations += [("", f"{server.log.name}: {words}") for words in server.complaints()[:20]]
        code, said = command.run("doctor", "--fold", ahead_s=ahead_s)
        if code != 0:
            figures.deviations.append(("", f"doctor --fold ends with {code}: {said}"))
        figures.webhooks = Counter(hook["verdict"] for hook in bootpay.need("GET", "/emulator/webhooks"))
        _count(figures, ledgers, buyers, shop, servers)
    figures.took_s = time.monotonic() - begun
    return figures


def _wait_for(bootpay: Wire) -> None:
    until = time.monotonic() + 30
    while bootpay.ask("GET", "/emulator/clock", within_s=1.0).status != 200:
        if time.monotonic() > until:
            raise RuntimeError("the pretend Bootpay does not answer")
        time.sleep(0.05)


def _calm_down(
    plan: Plan,
    servers: list[Server],
    service: Wire,
    bootpay: Wire,
    command: Command,
    figures: Figures,
    say: Callable[[str], None],
) -> float:
    """Until nothing is under way any more; gives how far ahead the clock is by then."""
    if plan.waits:
        _until_quiet(
            service, bootpay, command, 0.0, figures, say, until=time.monotonic() + 1_500, pause_s=20.0
        )
        return 0.0
    for ahead_s in _AHEAD_S:
        for server in servers:
            if (code := server.stop()) != 0:
                figures.deviations.append(("", f"a server that was asked to stop ended with {code}"))
        bootpay.need("POST", "/emulator/clock", {"advance_s": 90})
        for server in servers:
            server.start(ahead_s)
        for server in servers:
            server.wait_ready()
        last = ahead_s == _AHEAD_S[-1]
        until = time.monotonic() + (600 if last else 0)
        _until_quiet(service, bootpay, command, ahead_s, figures, say, until=until, pause_s=0.3)
    return _AHEAD_S[-1]


def _until_quiet(
    service: Wire,
    bootpay: Wire,
    command: Command,
    ahead_s: float,
    figures: Figures,
    say: Callable[[str], None],
    *,
    until: float,
    pause_s: float,
) -> None:
    """Reconcile everything until there is nothing left to find, nothing pending, nothing owed."""
    rounds = 0
    while rounds < _CALM_ROUNDS_MAX:
        rounds += 1
        figures.rounds += 1
        code, report = command.run("reconcile", "--all", "--rate", "1000", ahead_s=ahead_s)
        if code not in (0, 5, 6):
            raise RuntimeError(f"reconcile ends with {code}: {report}")
        bootpay.need("GET", "/emulator/webhooks?wait=idle")
        pending = service.need("GET", "/v1/orders?state=pending&limit=200", keyed=True)["orders"]
        owed = _owed(service)
        say(
            f"round {rounds} ({ahead_s:.0f} s ahead): reconcile {code}, {len(report.get('changes', ()))} changes, "
            f"{len(pending)} pending, {len(owed)} owed"
        )
        if code == 0 and not report["changes"] and not pending and not owed:
            return
        if time.monotonic() > until:
            return
        for delivery_id in owed:
            # What the shop refused more than once is due again in minutes or hours; a person need not wait for that.
            service.ask("POST", f"/v1/deliveries/{delivery_id}/retry", keyed=True)
        time.sleep(pause_s)


def _owed(service: Wire) -> list[str]:
    """The deliveries that are due, of every order: read through the door that shops have."""
    owed: list[str] = []
    cursor = ""
    while True:
        page = service.need("GET", f"/v1/orders?limit=200{cursor}", keyed=True)
        for order in page["orders"]:
            whole = service.need("GET", f"/v1/orders/{order['order_id']}", keyed=True)
            owed += [delivery["id"] for delivery in whole["deliveries"] if delivery["state"] == "due"]
        if page["next_cursor"] is None:
            return owed
        cursor = f"&cursor={page['next_cursor']}"


def _count(figures: Figures, ledgers: Ledgers, buyers: Buyers, shop: Shop, servers: list[Server]) -> None:
    figures.kills = sum(server.kills for server in servers)
    figures.starts = sum(server.starts for server in servers)
    figures.answers = Counter(buyers.asked)
    notes = buyers.notes.values()
    figures.orders = Counter(note.kind for note in notes)
    figures.cancel_keys = Counter(cancel.outcome for note in notes for cancel in note.cancels)
    figures.states = Counter(order["state"] for order in ledgers.orders.values())
    figures.reasons = Counter(order["reason"] for order in ledgers.orders.values() if order.get("reason"))
    for order in ledgers.orders.values():
        figures.receipts.update(known["fate"] for known in order["receipts"])
    for events in ledgers.histories.values():
        figures.events.update(event["what"] for event in events)
        figures.recovered.update(_recovered(events))
    heard = Counter(arrival.delivery_id for arrival in shop.arrivals)
    figures.deliveries, figures.repeats = len(heard), heard.total() - len(heard)
    figures.paid = figures.receipts["pays"]
    figures.returned = figures.receipts["returned"]
    figures.example = _example(ledgers.histories)
    for order_id, _ in figures.deviations:
        if order_id:
            figures.evidence[order_id] = {  # printed in full: whoever reads it has nothing else
                "order": ledgers.orders.get(order_id),
                "history": ledgers.histories.get(order_id),
                "receipts": ledgers.receipts.get(order_id),
                "arrivals": ledgers.arrivals.get(order_id),
                "note": ledgers.notes.get(order_id),
            }


def _recovered(events: list[dict[str, Any]]) -> Iterator[str]:
    """What became of intents whose process did not live to see the end: somebody else wrote it down."""
    for before, after in pairwise(events):
        intended = before["what"] in ("approval_intended", "cancel_intended")
        if intended and _at(after["at"]) >= _at(before["lease_until"]):
            yield f"{before['what']} -> {after['what']}"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _example(histories: Mapping[str, list[dict[str, Any]]]) -> str:
    """The history of a payment whose server died between the intent and its end."""
    for order_id, events in histories.items():
        ends = "approval_intended -> paid" in _recovered(events)
        if ends and events[-1]["what"] == "paid" and events[-1]["who"] == "dojang":
            return f"order {order_id}\n" + "\n".join(
                f"  {event['version']:>2}  {event['at']}  {event['who']:<8}  {event['what']}"
                + (f"  lease until {event['lease_until']}" if "lease_until" in event else "")
                for event in events
            )
    return ""
