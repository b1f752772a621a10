"""`dojang simulate`: thousands of shops on paper, in any weather, with every promise checked in each."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import with_format
from dojang.entry.cli.terminal import Format, Terminal
from dojang.errors import ConfigError, InvalidValue

if TYPE_CHECKING:
    from dojang.testing.simulation.many import Broken

__all__ = ["simulate"]


@with_format
def simulate(
    terminal: Terminal,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="The first seed, by default 1; each run takes the next one."),
    ] = None,
    runs: Annotated[
        int | None, typer.Option("--runs", min=1, help="How many worlds; by default 1,000.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="On how many processors; by default on all.")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Tell everything that happens under the one seed.")
    ] = False,
    schedules: Annotated[
        bool, typer.Option("--schedules", help="Count small scenarios through every schedule instead.")
    ] = False,
) -> Code:
    """Run the real use cases in pretended worlds, with crashes, lost answers and races, and check every promise.

    Nothing is asked of Bootpay and no setting is read. The same seed is the same world, to the last step.
    Ends with 1 if a promise breaks, and prints the seed and what happened; with 130 where it is stopped before its end.

    Example:
      dojang simulate --seed 1 --runs 1000
    """
    if find_spec("dojang.testing") is None:
        raise ConfigError("`dojang simulate` needs dojang.testing, which this installation leaves out.")
    _fitting(
        "--trace tells one world, that of --seed" if trace else "",
        {"--runs": runs is not None, "--processes": processes is not None, "--schedules": schedules},
    )
    _fitting(
        "--schedules counts all its scenarios through" if schedules else "",
        {"--seed": seed is not None, "--runs": runs is not None},
    )
    seed, runs = 1 if seed is None else seed, 1_000 if runs is None else runs
    if trace:
        return _trace(terminal, seed)
    looked = _Looked()
    with _stopping():
        try:
            return (
                _scenarios(terminal, processes, looked)
                if schedules
                else _seeds(terminal, seed, runs, processes, looked)
            )
        except KeyboardInterrupt:
            what = "schedules" if schedules else "worlds"
            terminal.warn(
                f"Stopped: until then {looked.at:,} {what} were looked at, without a violation "
                f"(중단했습니다. 그때까지 {looked.at:,}개를 확인했고 위반은 없었습니다)."
            )
            return Code.INTERRUPTED


def _fitting(what: str, others: Mapping[str, bool]) -> None:
    """Refuse a flag that would be ignored beside another one."""
    given = [flag for flag, is_given in others.items() if is_given]
    if what and given:
        raise InvalidValue(
            f"{what}: leave out {' and '.join(given)} ({', '.join(given)} 옵션은 함께 쓸 수 없습니다)"
        )


def _trace(terminal: Terminal, seed: int) -> Code:
    from dojang.testing.simulation.seeded import trace_of

    story = trace_of(seed)
    terminal.json(story.plain) if terminal.format is Format.JSON else print(story.text)
    if story.broken:
        terminal.say(f"seed {seed}: a promise broke; the last line says which (약속이 깨졌습니다)", "red")
        return Code.FAILURE
    terminal.say(f"seed {seed}: every promise was kept (모든 약속을 지켰습니다)", "green")
    return Code.FINE


def _seeds(terminal: Terminal, seed: int, runs: int, processes: int | None, looked: _Looked) -> Code:
    from dojang.testing.simulation.many import processors, run_seeds

    processes = processes or processors()
    with _progress("worlds", runs) as tell:

        def done(more: int) -> None:
            looked.at += more
            tell(more)

        tally = run_seeds(seed, runs, processes, done)
    if tally.broken is not None:
        return _broke(terminal, tally.broken)
    terminal.facts(
        {
            "runs": tally.runs,
            "violations": 0,
            "seconds": round(tally.seconds, 1),
            "runs_per_s": round(tally.rate),
            "processes": processes,
            "steps": tally.outcome.steps,
            "crashes": tally.outcome.crashes,
            "mishaps": tally.outcome.mishaps,
            "orders": dict(sorted(tally.outcome.states.items())),
        }
    )
    return Code.FINE


def _scenarios(terminal: Terminal, processes: int | None, looked: _Looked) -> Code:
    from dojang.testing.simulation.many import processors, run_scenarios
    from dojang.testing.simulation.scenarios import SCENARIOS

    counted: dict[str, int] = {}
    with (
        _progress("scenarios", sum(len(scenario.bounds) for scenario in SCENARIOS)) as tell,
        closing(run_scenarios(processes or processors())) as tallies,
    ):
        for tally in tallies:
            tell(1)
            looked.at += tally.schedules
            if tally.broken is not None:
                return _broke(terminal, tally.broken)
            counted[tally.name] = counted.get(tally.name, 0) + tally.schedules
    rows = [(scenario.name, counted[scenario.name]) for scenario in SCENARIOS]
    rows.append(("all", sum(counted.values())))
    terminal.rows(
        [{"scenario": name, "schedules": number} for name, number in rows], ("scenario", "schedules"), rows
    )
    return Code.FINE


def _broke(terminal: Terminal, broken: Broken) -> Code:
    print(broken.trace)
    terminal.say(f"{broken.where}: {broken.words}", "red")
    if broken.where.startswith("seed "):
        terminal.say(f"Again: dojang simulate --seed {broken.where.removeprefix('seed ')} --trace")
    return Code.FAILURE


class _Looked:
    """How many worlds or schedules were looked at so far."""

    at = 0


@contextmanager
def _stopping() -> Iterator[None]:
    """SIGTERM means what Ctrl-C means, also where a shell has begun us deaf to it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while there is a person to see it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    from dojang.testing.simulation.spreading import held_back

    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task(what, total=total)
    # The bar moves in a thread of its own, which is not to hear Ctrl-C while the main one must not.
    with held_back():
        progress.start()
    try:
        yield lambda done: progress.advance(task, done)
    finally:
        progress.stop()
