"""A proof that cannot fail proves nothing: each plausible mistake is made once, and the simulation must notice it."""

from __future__ import annotations

import pytest
from mutations import MISTAKES, Mistake, made

from dojang.testing.simulation.evidence import BrokenPromise
from dojang.testing.simulation.exploring import Failure, run_everything
from dojang.testing.simulation.scenarios import SCENARIOS
from dojang.testing.simulation.seeded import simulate

SCHEDULES_MAX = 8_000
SEEDS = range(1, 1_500)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_mistake_is_noticed(mistake: Mistake) -> None:
    """With the mistake, some schedule or seed breaks the very promise that the mistake is against."""
    with made(mistake), pytest.raises(Failure) as noticed:
        _look(mistake)

    assert isinstance(noticed.value.broken, BrokenPromise), noticed.value
    assert noticed.value.broken.promise in mistake.breaks, noticed.value


def _look(mistake: Mistake) -> None:
    """Run what should notice the mistake: a failure is a success."""
    scenarios = {scenario.name: scenario for scenario in SCENARIOS}
    for name in mistake.caught_by:
        for bounds in scenarios[name].bounds:
            run_everything(scenarios[name], bounds, SCHEDULES_MAX)
    for seed in SEEDS if not mistake.caught_by else ():
        simulate(seed)


def test_without_a_mistake_the_same_runs_notice_nothing() -> None:
    """The seeds that notice mistakes are quiet when there is none."""
    for seed in SEEDS[:300]:
        simulate(seed)


def test_there_are_enough_mistakes() -> None:
    """Each is a different one."""
    names = {mistake.name for mistake in MISTAKES}

    assert len(MISTAKES) == len(names)
    assert len(names) >= 80
