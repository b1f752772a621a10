"""One thread owns the SQLite connection; what waits together is committed together.

A commit that is safe against power loss costs a disk flush. Under load many transactions wait for the same disk;
this caller runs them as parts of one transaction, each able to fail alone, and flushes once. Nobody is answered
before the flush, so a promise kept is still a promise on disk.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

from dojang.errors import StoreUnavailable

__all__ = ["BatchingCaller", "TransactionalBackend"]

P = ParamSpec("P")
T = TypeVar("T")

_BATCH_MAX = 128
# These change nothing, so they need no place in a transaction that locks the file.
_READS = frozenset({"load", "history", "orders", "deliveries", "notices"})


class TransactionalBackend(Protocol):
    """A backend whose transactions may be nested: the inner ones are parts that can fail alone."""

    def transaction(self, *, indivisible: bool = False) -> AbstractContextManager[object]:
        """All or nothing; `indivisible` where the inner ones need not be able to fail alone."""
        ...


@dataclass(slots=True)
class _Job:
    call: Callable[[], Any]
    is_read: bool
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class BatchingCaller:
    """A `dojang.drive.Caller` for one backend: runs its methods in one thread, several writes per commit."""

    def __init__(self, backend: TransactionalBackend) -> None:
        self._backend = backend
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="dojang-sqlite", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        with self._closing:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    async def __call__(self, f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f` in the thread and give its result once it is on disk.

        Raises:
            StoreUnavailable: If the caller has been closed: nobody would ever answer.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        is_read = getattr(f, "__name__", "") in _READS
        with self._closing:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            self._jobs.put(_Job(lambda: f(*args, **kwargs), is_read, future, loop))
        return await future

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            batch = [job]
            stop = False
            while len(batch) < _BATCH_MAX:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                    break
                batch.append(more)
            self._run(batch)
            if stop:
                return

    def _run(self, batch: list[_Job]) -> None:
        reads = [job for job in batch if job.is_read]
        writes = [job for job in batch if not job.is_read]
        for job in reads:
            _run_one(job)
        _answer(reads)
        if len(writes) == 1:
            _run_one(writes[0])
        elif writes and not self._run_together(writes):
            try:
                with self._backend.transaction():
                    for job in writes:
                        _run_one(job)
            except BaseException as error:  # noqa: BLE001 - this thread must live on, and everybody be told
                # The flush failed: nothing of this batch is stored, whatever its parts had reported.
                for job in writes:
                    job.error = error
        _answer(writes)

    def _run_together(self, writes: list[_Job]) -> bool:
        """All as one transaction without parts, which is how nearly every batch ends; False if one failed.

        Then nothing of it has happened, and each is run again as a part that can fail alone.
        """
        begun = False
        try:
            with self._backend.transaction(indivisible=True):
                begun = True
                for job in writes:
                    job.result = job.call()
        except BaseException as error:  # noqa: BLE001 - handed to whoever awaits it, or met again
            if begun:
                return False
            # Somebody else holds the file: waiting for it once was long enough.
            for job in writes:
                job.error = error
        return True


def _run_one(job: _Job) -> None:
    try:
        job.result = job.call()
    except BaseException as error:  # noqa: BLE001 - handed to whoever awaits it
        job.error = error


def _answer(jobs: list[_Job]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        loops.setdefault(job.loop, []).append(job)
    for loop, theirs in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, theirs)
        except RuntimeError:
            # That event loop has ended; nobody is waiting any more.
            continue


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
