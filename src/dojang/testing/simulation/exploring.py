"""Counts a scenario through: every schedule, then the calm, then every invariant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dojang.testing.simulation.choices import Choices, explore
from dojang.testing.simulation.collecting import evidence_of
from dojang.testing.simulation.invariants import check, check_durable
from dojang.testing.simulation.race import Bounds, race
from dojang.testing.simulation.recovery import recover
from dojang.testing.simulation.scenarios import Scenario
from dojang.testing.simulation.stage import Stage
from dojang.testing.simulation.stepped import Actor
from dojang.testing.simulation.tracing import BROKEN, Trace

__all__ = ["Explored", "Failure", "run_everything", "run_schedule"]


@dataclass(frozen=True, slots=True)
class Explored:
    """How much was run.

    Attributes:
        schedules: Different schedules, each judged.
        repeats: Schedules left off half-way, because they only repeat another one.
    """

    schedules: int
    repeats: int


class Failure(AssertionError):
    """A promise broke.

    Attributes:
        broken: Which, and how; or a mistake that no use case may make.
        trace: What happened, line by line.
    """

    def __init__(self, title: str, broken: Exception, trace: str) -> None:
        super().__init__(f"{title}: {broken}\n{trace}")
        self.broken = broken
        self.trace = trace


def run_everything(scenario: Scenario, bounds: Bounds, limit: int | None = None) -> Explored:
    """Run each schedule of a scenario, or the first `limit` of them.

    Raises:
        Failure: At the first schedule that breaks a promise.
    """
    schedules = repeats = 0
    for choices in explore(limit):
        stage, actors = scenario.set_up(False)
        try:
            whole = run_schedule(stage, actors, choices, bounds, scenario.watch_s)
        except Exception as broken:
            raise Failure(scenario.name, broken, _again(scenario, bounds, choices)) from broken
        schedules += whole
        repeats += not whole
    return Explored(schedules, repeats)


def run_schedule(
    stage: Stage, actors: Sequence[Actor], choices: Choices, bounds: Bounds, watch_s: float | None = None
) -> bool:
    """Run one schedule to its end and judge it; False where it only repeats another one."""
    if not race(stage, choices, actors, bounds):
        return False
    check_durable(evidence_of(stage))
    recover(stage, watch_s=watch_s)
    check(evidence_of(stage))
    return True


def _again(scenario: Scenario, bounds: Bounds, choices: Choices) -> str:
    """The same schedule once more, with a trace."""
    choices.rewind()
    stage, actors = scenario.set_up(True)
    try:
        run_schedule(stage, actors, choices, bounds, scenario.watch_s)
    except Exception as broken:  # noqa: BLE001 - it is what the trace leads up to
        stage.note(BROKEN, answer=broken)
    return Trace(f"{scenario.name} {bounds}", stage.notes or []).text
