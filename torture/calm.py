"""After the fire: what does the service reach by itself, and what does it take to bring everything to rest?

First its background work alone: servers run as always, nobody reconciles by hand, and the ledgers are compared. Only
then `dojang reconcile --all`, as a person would after such a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torture.buyers import Buyers
from torture.figures import Figures, Plan
from torture.ledgers import Ledgers, read_ledgers
from torture.people import People
from torture.processes import Command, Server
from torture.shop import Shop
from torture.wire import Wire

__all__ = ["Scene", "calm_down"]

# Leases (45 s) end in the first step; claims (120 s) and cancels that were not carried out (600 s) in the second.
_AHEAD_S = (60.0, 900.0)
# Left to itself, the service compares a paid order with Bootpay after an hour, and tries what the shop refused four
# times after three.
_ALONE_AHEAD_S = (60.0, 900.0, 12_000.0)
_ROUNDS_MAX = 40
# Long enough for every order to have its turn, at twenty questions a second.
_PATIENCE_S, _PATIENCE_PER_ORDER_S = 30.0, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everybody who is there when the fire is out."""

    plan: Plan
    servers: Sequence[Server]
    service: Wire
    bootpay: Wire
    command: Command
    shop: Shop
    buyers: Buyers
    people: People
    figures: Figures
    say: Callable[[str], None]

    def ledgers(self) -> Ledgers:
        """All of them as they stand."""
        return read_ledgers(
            *(self.service, self.bootpay, self.shop.arrivals, self.buyers.notes),
            *(self.shop.asked, self.people.words),
        )


def calm_down(scene: Scene) -> float:
    """Until nothing is under way any more; gives how far ahead the clock is by then."""
    if scene.plan.waits:
        scene.people.decide()
        _until_quiet(scene, 0.0, until=time.monotonic() + 1_500, pause_s=20.0)
        return 0.0
    if scene.plan.alone:
        _alone(scene)
        _until_quiet(scene, _ALONE_AHEAD_S[-1], until=time.monotonic() + 600, pause_s=0.3)
        return _ALONE_AHEAD_S[-1]
    for ahead_s in _AHEAD_S:
        _later(scene, ahead_s)
        scene.people.decide()
        last = ahead_s == _AHEAD_S[-1]
        _until_quiet(scene, ahead_s, until=time.monotonic() + (600 if last else 0), pause_s=0.3)
    return _AHEAD_S[-1]


def _later(scene: Scene, ahead_s: float) -> None:
    """All servers once more, on a clock that is so far ahead."""
    for server in scene.servers:
        if ahead_s == _AHEAD_S[0]:
            # What it has in hand waits for leases of the dead: asked to stop, it would do so for twenty seconds.
            server.kill()
        elif (code := server.stop()) != 0:
            scene.figures.deviations.append(("", f"a server that was asked to stop ended with {code}"))
    scene.bootpay.need("POST", "/emulator/clock", {"advance_s": 90})
    for server in scene.servers:
        server.start(ahead_s)
    for server in scene.servers:
        server.wait_ready()


def _alone(scene: Scene) -> None:
    """Nobody helps: compare what deliveries and reconciliation in the background have reached."""
    patience_s = _PATIENCE_S + _PATIENCE_PER_ORDER_S * len(scene.buyers.notes)
    for ahead_s in _ALONE_AHEAD_S[:-1]:
        _later(scene, ahead_s)
        scene.people.decide()
        # Approvals are finished within ten minutes of their intent, undone afterwards; cancels end afterwards only.
        what = "approval_intended" if ahead_s == _ALONE_AHEAD_S[0] else ""
        until = time.monotonic() + (_PATIENCE_S if what else patience_s)
        while _pending(scene, what) and time.monotonic() < until:
            time.sleep(0.3)
        scene.say(f"background alone, {ahead_s:.0f} s ahead")
    _later(scene, _ALONE_AHEAD_S[-1])
    begun = time.monotonic()
    while (wrong := scene.ledgers().deviations()) and time.monotonic() < begun + patience_s:
        time.sleep(1.0)
    scene.bootpay.need("GET", "/emulator/webhooks?wait=idle")
    took_s = time.monotonic() - begun
    scene.figures.alone = f"compared after {took_s:.0f} s: {len(wrong)} deviations"
    scene.figures.deviations += [(order_id, f"background alone: {words}") for order_id, words in wrong]
    scene.say(f"background alone, {scene.figures.alone}")


def _pending(scene: Scene, what: str) -> bool:
    """Whether an intent of this kind is unfinished; of any kind if none is named."""
    pending = scene.service.need("GET", "/v1/orders?state=pending&limit=200", keyed=True)["orders"]
    for order in pending:
        steps = scene.service.need("GET", f"/v1/orders/{order['order_id']}/history", keyed=True)["events"]
        if steps[-1]["what"].startswith(what):
            return True
    return False


def _until_quiet(scene: Scene, ahead_s: float, *, until: float, pause_s: float) -> None:
    """Reconcile everything until there is nothing left to find, nothing pending, nothing owed."""
    for number in range(1, _ROUNDS_MAX + 1):
        scene.figures.rounds += 1
        code, report = scene.command.run("reconcile", "--all", "--rate", "1000", ahead_s=ahead_s)
        if code not in (0, 5, 6):
            raise RuntimeError(f"reconcile ends with {code}: {report}")
        scene.bootpay.need("GET", "/emulator/webhooks?wait=idle")
        pending = scene.service.need("GET", "/v1/orders?state=pending&limit=200", keyed=True)["orders"]
        owed = _owed(scene.service)
        scene.say(
            f"round {number} ({ahead_s:.0f} s ahead): reconcile {code}, {len(report.get('changes', ()))} changes, "
            f"{len(pending)} pending, {len(owed)} owed"
        )
        if code == 0 and not report["changes"] and not pending and not owed:
            return
        if time.monotonic() > until:
            return
        for delivery_id in owed:
            # What the shop refused more than once is due again in minutes or hours; a person need not wait for that.
            scene.service.ask("POST", f"/v1/deliveries/{delivery_id}/retry", keyed=True)
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
