"""`dojang reconcile`: ask Bootpay about everything unfinished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import typer

from dojang.core.pace import CALLS_PER_S, Pace
from dojang.core.rules import Mode
from dojang.drive import run
from dojang.entry.cli.answers import as_json
from dojang.entry.cli.codes import Code, ending, start_emulator
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.entry.cli.terminal import Format, Terminal
from dojang.errors import StoreError
from dojang.ports import World
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.reconcile import ReconcileReport
from dojang.usecases.reconcile import reconcile as reconcile_orders
from dojang.web.showing import shown_report

__all__ = ["reconcile"]

_NOTHING_DUE = (
    "Nothing was due. Orders that wait for a buyer are looked at later; `--all` looks at every order now "
    "(확인할 때가 된 주문이 없습니다. 결제를 기다리는 주문은 나중에 확인하며, `--all`은 모든 주문을 지금 확인합니다)."
)
_LIMIT = 1_000
_PAUSE_S = 5.0
_DELIVER_EVERY_S = 1.0
# A shop that takes its time over one delivery must not hold up the others.
_DELIVERERS = 3


@with_settings
def reconcile(
    invocation: Invocation,
    everything: Annotated[bool, typer.Option("--all", help="Every order, due or not.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until stopped, and deliver what is owed.")
    ] = False,
    rate: Annotated[
        float,
        typer.Option(min=0.1, max=1000, help="Ask Bootpay at most so often a second, from this process."),
    ] = CALLS_PER_S,
) -> Code:
    """Finish what a crash left, find what Bootpay never told. Safe from many machines at once.

    One run looks at 1,000 webhooks and 1,000 orders at most, with --all at every order; `more` tells that something
    may be left. Ends with 5 if Bootpay knew something that was not on file, be it that its webhook waits to be
    looked into; 6 if it was not reached, 1 if something else kept an order from its check: keys that Bootpay
    refuses, a store that is away.

    Example:
      dojang reconcile --all
    """
    with invocation.world() as usual:
        world = replace(usual, pace=Pace(rate))
        if watch:
            _warn_of_left_out(invocation)
            return _watch(invocation.terminal, world, everything=everything)
        with invocation.terminal.working("asking Bootpay (부트페이에 확인하는 중)"):
            report = run(reconcile_orders(world, everything=everything, limit=_LIMIT))
    _show(invocation.terminal, report, world.rules.mode)
    if report.idle and not everything:
        # Right after a webhook was lost, a report of zeros would pass for "all is well".
        invocation.terminal.say(_NOTHING_DUE)
    if report.more:
        invocation.terminal.warn(
            "Something may be left: run it again (남은 것이 있을 수 있으니 다시 실행해 주세요)."
        )
    return _code(report)


def _warn_of_left_out(invocation: Invocation) -> None:
    from dojang.entry.wiring import left_out

    # A store that is away now may be back soon: whoever watches goes on watching.
    with suppress(StoreError):
        if missed := left_out(invocation.settings()):
            invocation.terminal.warn(missed)


def _watch(terminal: Terminal, world: World, *, everything: bool) -> Code:
    """Reconcile and deliver beside each other, as `dojang serve` does beside its HTTP API."""
    stop = threading.Event()
    restore = _on_signal(stop.set)
    terminal.say("Watching until Ctrl-C (Ctrl-C로 끝냅니다).")
    try:
        with ThreadPoolExecutor(_DELIVERERS + 1, thread_name_prefix="dojang-deliver") as threads:
            # One sees to money back alone: all others may be waiting for a shop that never answers.
            delivering = [
                threads.submit(_deliver, terminal, world, stop, money_back_only=number == 0)
                for number in range(_DELIVERERS + 1)
            ]
            for one in delivering:
                one.add_done_callback(lambda _: stop.set())
            try:
                _check(terminal, world, stop, everything=everything)
            finally:
                stop.set()
        for one in delivering:
            # A mistake in a thread ends the command as one anywhere else does.
            one.result()
    finally:
        restore()
    return Code.FINE


def _check(terminal: Terminal, world: World, stop: threading.Event, *, everything: bool) -> None:
    def tell(look: ReconcileReport) -> None:
        # Each as it ends: a silent Bootpay would keep a hundred from being told of for half an hour.
        if look.changes or look.errors:
            _show(terminal, look, world.rules.mode)

    while not stop.is_set():
        more = False
        try:
            report = run(
                reconcile_orders(world, everything=everything, limit=100, stopped=stop.is_set, told=tell)
            )
            everything, more = False, report.more
        except StoreError as error:
            # Whoever watches goes on watching; what was claimed comes due again by itself.
            terminal.warn(ending(error)[1])
        stop.wait(0 if more else _PAUSE_S)


def _deliver(terminal: Terminal, world: World, stop: threading.Event, *, money_back_only: bool) -> None:
    while not stop.is_set():
        tried = 0
        try:
            # One at a time, as they are claimed: a shop that hangs is told of at once.
            report = run(deliver_owed(world, limit=1, stopped=stop.is_set, money_back_only=money_back_only))
            tried = report.tried
            for attempt in report.attempts:
                (terminal.say if attempt.result == "settled" else terminal.warn)(attempt.sentence)
        except StoreError as error:
            terminal.warn(ending(error)[1])
        stop.wait(0 if tried else _DELIVER_EVERY_S)


def _on_signal(stop: Callable[[], None]) -> Callable[[], None]:
    """Let SIGINT and SIGTERM end the loop after the order in hand; gives what puts the old handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop())

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def _show(terminal: Terminal, report: ReconcileReport, mode: Mode) -> None:
    data = as_json(shown_report(report))
    if terminal.format is Format.JSON:
        terminal.json(data)
    else:
        # Under the same names a person sees how many: which ones, stands below.
        terminal.facts({name: len(each) if isinstance(each, list) else each for name, each in data.items()})
        if report.changes:
            rows = [[c.order_id, c.before, c.after, c.drift] for c in report.changes]
            terminal.rows(None, ("order", "before", "after", "drift"), rows)
        for id_, why in report.errors:
            terminal.warn(f"{id_} could not be checked now and will be again: {why}")
        for sentence in dict.fromkeys(ending(error)[1] for _, error in report.failures):
            terminal.warn(sentence)
    for hint in {start_emulator(mode, error) for _, error in report.failures} - {""}:
        terminal.warn(hint)


def _code(report: ReconcileReport) -> Code:
    if report.drift:
        return Code.DRIFT
    # Not reached at all is less than what a person must mend: the lower code.
    return min((ending(error)[0] for _, error in report.failures), default=Code.FINE)
