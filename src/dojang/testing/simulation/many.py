"""Many seeds and all scenarios, on as many processors as there are."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field

from dojang.testing.simulation.exploring import Failure, run_everything
from dojang.testing.simulation.scenarios import SCENARIOS
from dojang.testing.simulation.seeded import Outcome, simulate
from dojang.testing.simulation.spreading import spread

__all__ = ["Broken", "ScenarioTally", "Tally", "processors", "run_scenarios", "run_seeds"]

_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that broke.

    Attributes:
        where: The seed, or the scenario and its bounds.
        words: Which promise, and how.
        trace: What happened, line by line.
    """

    where: str
    words: str
    trace: str


@dataclass(slots=True)
class Tally:
    """What many seeds brought, counted.

    Attributes:
        runs: Worlds lived to their end.
        outcome: Their steps, crashes, mishaps and final states in all.
        seconds: How long it took.
        broken: The first promise that broke, if one did.
    """

    runs: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    seconds: float = 0.0
    broken: Broken | None = None

    @property
    def rate(self) -> float:
        """Runs per second."""
        return self.runs / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class ScenarioTally:
    """One scenario counted through.

    Attributes:
        name: What raced.
        bounds: What was allowed to go wrong.
        schedules: Different schedules, each judged.
        broken: The promise that broke, if one did.
    """

    name: str
    bounds: str
    schedules: int
    broken: Broken | None = None


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_seeds(
    first: int, runs: int, processes: int = 1, tell: Callable[[int], object] = lambda _: None
) -> Tally:
    """Run the worlds of `first`, `first + 1` and so on; ends early when a promise breaks.

    Args:
        first: The first seed.
        runs: How many.
        processes: On how many processors.
        tell: Hears how many more runs are done.
    """
    tally, begun = Tally(), time.perf_counter()
    chunks = [range(at, min(at + _CHUNK, first + runs)) for at in range(first, first + runs, _CHUNK)]
    with closing(spread(_run_chunk, chunks, processes)) as results:
        for done in results:
            tally.runs += done.runs
            _add(tally.outcome, done.outcome)
            tell(done.runs)
            if done.broken is not None:
                tally.broken = done.broken
                break
    tally.seconds = time.perf_counter() - begun
    return tally


def _run_chunk(seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        try:
            _add(tally.outcome, simulate(seed))
        except Failure as failure:
            tally.broken = Broken(f"seed {seed}", str(failure.broken), failure.trace)
            return tally
        tally.runs += 1
    return tally


def _add(sum_: Outcome, one: Outcome) -> None:
    sum_.steps += one.steps
    sum_.crashes += one.crashes
    sum_.mishaps += one.mishaps
    sum_.states = Counter(sum_.states) + Counter(one.states)


def run_scenarios(processes: int = 1, limit: int | None = None) -> Generator[ScenarioTally]:
    """Count every small scenario through, or to `limit` schedules each; to be closed where it is left early."""
    tasks = [
        (scenario, bounds, limit)
        for scenario in range(len(SCENARIOS))
        for bounds in range(len(SCENARIOS[scenario].bounds))
    ]
    return spread(_run_scenario, tasks, processes)


def _run_scenario(task: tuple[int, int, int | None]) -> ScenarioTally:
    number, which, limit = task
    scenario = SCENARIOS[number]
    bounds = scenario.bounds[which]
    try:
        explored = run_everything(scenario, bounds, limit)
    except Failure as failure:
        broken = Broken(f"{scenario.name} {bounds}", str(failure.broken), failure.trace)
        return ScenarioTally(scenario.name, str(bounds), 0, broken)
    return ScenarioTally(scenario.name, str(bounds), explored.schedules)
