"""What `dojang serve` puts together: the HTTP API, and beside it deliveries and reconciliation, in one process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TypeVar

from dojang.core.rules import Mode
from dojang.entry.asgi import Application, Loop, create_app
from dojang.entry.asgi import serve as serve_app
from dojang.entry.log import log_to_stderr
from dojang.entry.settings import EMULATOR_KEY, Settings
from dojang.entry.wiring import left_out, serving_world, store_name, without_keys
from dojang.errors import StoreUnavailable
from dojang.ports import World
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.reconcile import ReconcileReport, reconcile
from dojang.web.metrics import Metrics
from dojang.web.routes import Api, WebOptions

__all__ = ["beside", "delivering", "open_service", "reconciling", "serve"]

log = logging.getLogger("dojang.entry")

T = TypeVar("T")

DELIVER_EVERY_S = 0.5
RECONCILE_EVERY_S = 5.0
# A shop that takes its time over one delivery must not hold up the others. One more sees to money back alone: all of
# these may be waiting for a shop that never answers, with hundreds of notices due before the money.
DELIVERERS = 3
# Counted from the signal, beside the last callers: longer than a shop may take over one delivery, as long as Bootpay
# may over one order.
FINISH_WITHIN_S = 20.0


def serve(
    settings: Settings,
    host: str,
    port: int,
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    requests: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: Checked settings.
        host: Where to listen.
        port: 0 for any that is free.
        say: Told where it listens.
        warn: Told what is missing.
        requests: Whether every request is a line in the log.

    Raises:
        ConfigError: If the store cannot be opened or the address is taken.
    """
    log_to_stderr(requests=requests)
    if not settings.api_keys:
        warn(
            "DOJANG_API_KEYS is not set: the shop's own routes answer 503 until it is "
            "(상점용 경로가 닫혀 있습니다. DOJANG_API_KEYS를 설정해 주세요)."
        )
    if not settings.deliver_to:
        warn(
            "DOJANG_DELIVER_TO is not set: what is owed waits in the store "
            "(결제 결과를 알릴 주소가 없습니다. DOJANG_DELIVER_TO를 설정해 주세요)."
        )

    if without := without_keys(settings):
        # They may still come, from a role that is being given: not a reason to end.
        warn(without)
    else:
        # A store that is away now is told of by who needs it.
        with suppress(StoreUnavailable):
            if missed := left_out(settings):
                warn(missed)

    async def open_app(stack: AsyncExitStack) -> Application:
        return await open_service(settings, stack)

    def ready(url: str) -> None:
        say(
            f"dojang listens on {url} (mode {settings.mode}, store {store_name(settings.store)}). Ctrl-C ends it."
        )

    serve_app(open_app, host=host, port=port, ready=ready)


async def open_service(settings: Settings, stack: AsyncExitStack) -> Application:
    """The whole service as an ASGI application, for the event loop it is opened on.

    Args:
        settings: Checked settings.
        stack: Closes the store and the connections.
    """
    world = await serving_world(settings, stack)
    # In mode emulator the key is often nobody's choice; then there is nothing to compare a webhook's with.
    chosen = settings.mode is not Mode.EMULATOR or settings.private_key != EMULATOR_KEY
    api = Api(
        world,
        WebOptions(
            api_keys=settings.api_keys,
            webhook_private_key=settings.private_key if chosen else None,
            webhook_sources=settings.webhook_sources,
        ),
    )
    return create_app(api, background=beside(world, api.metrics), trusted_proxies=settings.trusted_proxies)


def beside(world: World, metrics: Metrics) -> Sequence[Loop]:
    """The loops that run beside the HTTP API."""

    async def deliveries() -> None:
        await delivering(world, metrics)

    async def money_back() -> None:
        await delivering(world, metrics, money_back_only=True)

    async def checks() -> None:
        await reconciling(world)

    return *[deliveries] * DELIVERERS, money_back, checks


async def delivering(
    world: World, metrics: Metrics, *, every_s: float = DELIVER_EVERY_S, money_back_only: bool = False
) -> None:
    """Hand over what is owed, for ever: at once again while there is something, else after a pause.

    Cancelled, it finishes the delivery in hand: its answer would be lost, and the shop told twice.

    Args:
        world: The ports.
        metrics: Where attempts are counted.
        every_s: The pause.
        money_back_only: Whether notices are left to others.
    """
    stop = asyncio.Event()
    while True:
        # One at a time, as they are claimed: a shop that hangs would keep a hundred from being counted and told of.
        run = deliver_owed(world, limit=1, stopped=stop.is_set, money_back_only=money_back_only)
        report = await _to_its_end(run, stop)
        metrics.deliveries.add("settled", times=report.settled.total())
        metrics.deliveries.add("failed", times=report.failed)
        metrics.deliveries.add("dead", times=report.dead)
        for attempt in report.attempts:
            if attempt.result != "settled":
                log.warning("%s", attempt.sentence)
        if not report.tried:
            await world.clock.sleep(every_s)


async def reconciling(world: World, *, every_s: float = RECONCILE_EVERY_S) -> None:
    """Check what is due, for ever. Cancelled, it finishes the order in hand, whose money may be moving."""
    stop = asyncio.Event()
    while True:
        await _to_its_end(reconcile(world, limit=1_000, stopped=stop.is_set, told=_tell), stop)
        await world.clock.sleep(every_s)


def _tell(look: ReconcileReport) -> None:
    for change in look.changes:
        log.info("order %s: %s -> %s%s", change.order_id, change.before, change.after, _told(change.drift))
    for id_, why in look.errors:
        log.warning("%s could not be checked: %s", id_, why)


async def _to_its_end(work: Coroutine[object, None, T], stop: asyncio.Event) -> T:
    """Await `work`; if that is cancelled, set `stop` and let the work end by itself, but not for ever."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait((task,), timeout=FINISH_WITHIN_S)
        # What is cut off here is as after a crash: the claim or the lease runs out, and then it is looked into.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


def _told(drift: bool) -> str:
    return " (nobody had told us)" if drift else ""
