"""One run: set up, load and kill, let it calm down, compare."""

from __future__ import annotations

import base64
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from torture.buyers import Buyers
from torture.calm import Scene, calm_down
from torture.faults import FAULTS
from torture.figures import Figures, Plan, count
from torture.killer import kill_at_random
from torture.people import People
from torture.policies import choices_by
from torture.processes import Command, Process, Server, emulator, free_port
from torture.shop import Shop
from torture.stores import store
from torture.wire import Wire

__all__ = ["torture"]


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
        servers = []
        for number in range(plan.servers):
            name = f"server-{number}"
            choices = choices_by(plan.seed, name, figures.rules)
            servers.append(Server(folder, environment, name, choices))
            stack.callback(servers[-1].stop)
        told = f"{servers[0].url}/webhooks/bootpay"
        pretend = emulator(folder, int(bootpay.url.rpartition(":")[2]), told, plan.seed)
        stack.callback(pretend.stop)
        for server in servers:
            server.start()
        for server in servers:
            server.wait_ready()
        _wait_for(bootpay)
        services = [Wire(server.url, key) for server in servers]
        buyers = Buyers(
            services,
            bootpay,
            plan.seed,
            threads=plan.buyers,
            pause_s=0.5,
            patience_s=plan.patience_s,
            cancels="/v1/orders/{order_id}/cancel" in services[0].need("GET", "/openapi.json")["paths"],
        )
        scene = Scene(
            plan=plan,
            servers=servers,
            service=services[0],
            bootpay=bootpay,
            command=Command(folder, environment),
            shop=shop,
            buyers=buyers,
            people=People(services, plan.seed),
            figures=figures,
            say=say,
        )
        _fire(scene, rng)
        ahead_s = calm_down(scene)
        ledgers = scene.ledgers()
        figures.deviations += ledgers.deviations()
        _end(scene, pretend, ahead_s)
        count(figures, ledgers, buyers, shop, scene.people, servers)
    figures.took_s = time.monotonic() - begun
    return figures


def _wait_for(bootpay: Wire) -> None:
    until = time.monotonic() + 30
    while bootpay.ask("GET", "/emulator/clock", within_s=1.0).status != 200:
        if time.monotonic() > until:
            raise RuntimeError("the pretend Bootpay does not answer")
        time.sleep(0.05)


def _fire(scene: Scene, rng: random.Random) -> None:
    """Load, faults and kills, until there were enough."""
    plan, buyers, shop = scene.plan, scene.buyers, scene.shop
    for fault in FAULTS:
        scene.bootpay.need("POST", "/emulator/faults", fault)
    begun = time.monotonic()
    buyers.start()
    scene.people.start()

    def told_so_far(kills: int) -> None:
        if kills % 20 == 0:
            scene.say(f"{kills} kills, {len(buyers.notes)} orders, {len(shop.arrivals)} arrivals")

    until = begun + plan.minutes * 60
    kill_at_random(scene.servers, plan.kills, rng, longest_s=plan.longest_s, until=until, done=told_so_far)
    scene.bootpay.need("DELETE", "/emulator/faults")
    shop.calm = True
    buyers.stop()
    scene.people.stop()
    scene.figures.under_fire_s = time.monotonic() - begun
    scene.say(f"calm after {scene.figures.under_fire_s:.0f} s and {len(buyers.notes)} orders")


def _end(scene: Scene, pretend: Process, ahead_s: float) -> None:
    """Nobody failed, everything ends when it is asked to, and the histories fold to what is stored."""
    wrong = scene.figures.deviations
    wrong += [("", f"a buyer failed: {words}") for words in scene.buyers.failures]
    wrong += [("", words) for words in scene.people.failures]
    if pretend.ended:
        wrong.append(("", "the pretend Bootpay ended by itself"))
    for server in scene.servers:
        if (code := server.stop()) != 0:
            wrong.append(("", f"a server that was asked to stop ended with {code}"))
        wrong += [("", f"{server.log.name}: {words}") for words in server.complaints()[:20]]
    code, said = scene.command.run("doctor", "--fold", ahead_s=ahead_s)
    if code != 0:
        wrong.append(("", f"doctor --fold ends with {code}: {said}"))
    hooks = scene.bootpay.need("GET", "/emulator/webhooks")
    scene.figures.webhooks = Counter(hook["verdict"] for hook in hooks)
