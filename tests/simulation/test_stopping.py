"""`dojang simulate` that is stopped: its processes end with it, however it ends, and it says how far it came."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dojang.entry.cli import app
from dojang.entry.cli.codes import Code
from dojang.testing.simulation import many
from dojang.testing.simulation.seeded import Outcome
from dojang.testing.simulation.spreading import spread

WORK = (("--runs", "10000000"), ("--schedules",))
STOPS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(params=WORK, ids=("seeds", "schedules"))
def simulation(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """One with two processes at work, in a group of its own as at a terminal."""
    words = [sys.executable, "-m", "dojang", "simulate", "--processes", "2", *request.param]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, start_new_session=True, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            _wait(lambda: len(_running(process.pid)) == 3)
            yield process
        finally:
            for pid in _running(process.pid):
                os.kill(pid, signal.SIGKILL)


def _running(group: int) -> list[int]:
    """Who of a process group still runs."""
    running = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = file.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            running.append(int(file.parent.name))
    return running


def _wait(until: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not until():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=("it alone", "its whole group"))
@pytest.mark.parametrize("number", STOPS)
def test_whoever_is_stopped_says_how_far_it_came(
    simulation: subprocess.Popen[str], number: signal.Signals, kill: Callable[[int, int], None]
) -> None:
    """Ctrl-C goes to all processes at a terminal, SIGTERM mostly to one: one sentence, code 130, and nobody is left."""
    kill(simulation.pid, number)
    said, talk = simulation.communicate(timeout=30)

    assert Code.INTERRUPTED == simulation.returncode
    assert "" == said
    assert re.fullmatch(r"Stopped: until then [\d,]+ \w+ were looked at, without a violation .*\n", talk)
    assert [] == _running(simulation.pid)


def test_nobody_survives_who_began_it(simulation: subprocess.Popen[str]) -> None:
    """`kill -9` leaves nobody time to end the others: they see by themselves that they are alone."""
    simulation.kill()
    simulation.wait(30)

    _wait(lambda: _running(simulation.pid) == [])
    assert "" == simulation.communicate()[1]


@pytest.mark.parametrize("number", STOPS)
def test_the_worlds_that_were_looked_at_are_counted(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Worlds are told of by 250: whoever stops in the 601st has looked at 500 for certain."""
    before = [signal.getsignal(one) for one in STOPS]

    def stopped(seed: int) -> Outcome:
        if seed == 601:
            signal.raise_signal(number)
        return Outcome()

    monkeypatch.setattr(many, "simulate", stopped)
    done = CliRunner().invoke(app, ["simulate", "--runs", "10000", "--processes", "1"])

    assert Code.INTERRUPTED == done.exit_code
    assert "until then 500 worlds were looked at" in done.stderr
    assert before == [signal.getsignal(one) for one in STOPS]


def _doubled(number: int) -> int:
    return 2 * number


def _dies_of(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_every_task_is_done_once() -> None:
    """More tasks than processes, or fewer: each result comes, and comes once."""
    assert [
        [2 * number for number in range(tasks)] == sorted(spread(_doubled, range(tasks), 3))
        for tasks in (0, 1, 2, 50)
    ] == [True] * 4


def test_a_process_that_dies_at_its_work_is_not_waited_for() -> None:
    """The machine has run out of memory, say: an error, and neither a hang nor a result less."""
    with pytest.raises(BrokenProcessPool):
        list(spread(_dies_of, range(10), 2))
