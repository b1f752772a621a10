"""Work spread over processes that end with whoever began it, however that one ends.

Each process has a line of its own to the one that began it, and shares no queue and no lock with the others: any of
them can be ended at any moment, and nobody waits for what it held.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import Pipe, Process, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

__all__ = ["held_back", "spread"]

A = TypeVar("A")
T = TypeVar("T")

# What a line says whose other end is no more.
_GONE = (EOFError, BrokenPipeError, ConnectionResetError)
_STOPS = (signal.SIGINT, signal.SIGTERM)


def spread(work: Callable[[A], T], tasks: Sequence[A], processes: int) -> Generator[T]:
    """The results of some tasks, as they come. Closing it ends at once whoever is still at one.

    Raises:
        BrokenProcessPool: If a process ended without its result, killed for want of memory for instance.
    """
    if processes <= 1 or len(tasks) <= 1:
        yield from map(work, tasks)
        return
    left = list(reversed(tasks))
    team: list[BaseProcess] = []
    try:
        busy = [_hired(work, team) for _ in tasks[:processes]]
        for line in busy:
            line.send(left.pop())
        while busy:
            for ready in wait(busy):
                assert isinstance(ready, Connection)
                result: T = ready.recv()
                if left:
                    ready.send(left.pop())
                else:
                    busy.remove(ready)
                yield result
    except _GONE:
        raise BrokenProcessPool("a process ended without its result") from None
    finally:
        for process in team:
            process.kill()
        for process in team:
            process.join()


@contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait, here and for good in whatever begins meanwhile.

    In the middle of a fork Python swallows what they raise, and a new process must first make up its mind about them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hired(work: Callable[[A], T], team: list[BaseProcess]) -> Connection:
    """The line to one process more."""
    here, there = Pipe()
    process = Process(target=_serve, args=(work, there), daemon=True)
    with held_back():
        process.start()
        team.append(process)
    # Held by the process alone, its end closes when that one ends.
    there.close()
    return here


def _serve(work: Callable[[A], T], line: Connection) -> None:
    """What a process does: one task after another, until there is nobody left to do them for."""
    Thread(target=_end_with_parent, daemon=True).start()
    # Whoever began it hears Ctrl-C as well, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    with suppress(*_GONE):
        while True:
            line.send(work(line.recv()))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    # Not `sys.exit`: that would end this thread, and let the work go on.
    os._exit(1)
