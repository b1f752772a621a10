"""Small scenarios under every schedule, crash, lost answer and pause: all promises hold."""

from __future__ import annotations

import pytest

from dojang.testing.simulation.exploring import run_everything
from dojang.testing.simulation.race import Bounds
from dojang.testing.simulation.scenarios import SCENARIOS, Scenario

SCHEDULES_MAX = 400
"""Per scenario and bounds in this suite; `make simulate` runs them all."""


@pytest.mark.parametrize(
    ("scenario", "bounds"),
    [
        pytest.param(scenario, bounds, id=f"{scenario.name} {bounds}")
        for scenario in SCENARIOS
        for bounds in scenario.bounds
    ],
)
def test_every_promise_holds_in_every_schedule(scenario: Scenario, bounds: Bounds) -> None:
    """P1 to P11, right after the race and after the calm that follows it."""
    explored = run_everything(scenario, bounds, limit=SCHEDULES_MAX)

    assert explored.schedules > 0


def test_in_every_scenario_everybody_may_die() -> None:
    """Up to one crash per actor: no schedule is left out because one too many would have to die."""
    sparing = []
    for scenario in SCENARIOS:
        _, actors = scenario.set_up(False)
        if max(bounds.crashes for bounds in scenario.bounds) < len(actors):
            sparing.append(scenario.name)
        for actor in actors:
            actor.die()

    assert [] == sparing
