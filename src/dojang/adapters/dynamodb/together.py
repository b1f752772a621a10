"""Several requests at once: an index in shards is asked shard by shard, and none should wait for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["Together"]

T = TypeVar("T")


class Together:
    """A few threads, made when first needed: a function that only verifies never makes one.

    Args:
        threads_max: How many jobs run at once.
    """

    def __init__(self, threads_max: int) -> None:
        self._threads_max = threads_max
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    def __call__(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Run them all to their end; their results in order, or the first one's exception."""
        if len(jobs) < 2:
            return [job() for job in jobs]
        from concurrent.futures import ThreadPoolExecutor, wait

        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads_max, thread_name_prefix="dojang-dynamodb")
            running = [self._executor.submit(job) for job in jobs]
        # A function must not be frozen with a request under way that the next invocation would go on with.
        wait(running)
        return [one.result() for one in running]

    def close(self) -> None:
        """End the threads; the next call makes new ones."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()
