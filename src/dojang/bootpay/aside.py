"""Work that cannot be told when to end, in threads that nobody has to wait for.

The system looks for a name's address as long as it likes, half a minute where its name servers are silent, and no
timeout of a connection covers that. Done aside, it is waited for no longer than there is time, and only so many threads
ever hang.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Aside"]

T = TypeVar("T")


class Aside:
    """Threads for such work.

    Args:
        threads_max: As many may be at it at once, those included that nobody waits for any more.
    """

    def __init__(self, threads_max: int) -> None:
        self._free = threading.BoundedSemaphore(threads_max)

    def do(self, work: Callable[[], T], within_s: float, *, too_late: Callable[[T], object]) -> T:
        """What `work` gives or raises, if that is in time.

        Args:
            work: Done once, or not at all where no thread becomes free.
            within_s: As long as there is time, waiting for a thread included.
            too_late: Given what came of work that nobody waits for any more: clears up.

        Raises:
            TimeoutError: The time is over. The work may still go on.
        """
        ends_at = time.monotonic() + within_s
        if within_s <= 0 or not self._free.acquire(timeout=within_s):
            raise TimeoutError
        errand = _Errand(work, too_late, self._free)
        try:
            # A daemon: a process that ends does not wait for it either.
            threading.Thread(target=errand.run, name="dojang-aside", daemon=True).start()
        except RuntimeError:
            self._free.release()
            raise OSError("the system gives no thread") from None
        return errand.result(ends_at - time.monotonic())


class _Errand(Generic[T]):
    def __init__(
        self, work: Callable[[], T], too_late: Callable[[T], object], thread: threading.BoundedSemaphore
    ) -> None:
        self._work = work
        self._too_late = too_late
        self._thread = thread
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._given_up = False
        self._given: list[T] = []
        self._raised: BaseException | None = None

    def run(self) -> None:
        try:
            self._given.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._raised = error
        with self._lock:
            self._done.set()
            given_up = self._given_up
        try:
            if given_up and self._given:
                self._too_late(self._given[0])
        finally:
            self._thread.release()

    def result(self, within_s: float) -> T:
        try:
            self._done.wait(max(0.0, within_s))
        finally:
            # Also where the wait itself is broken off, by Ctrl-C for one.
            with self._lock:
                self._given_up = not self._done.is_set()
        if self._given_up:
            raise TimeoutError
        if self._raised is not None:
            raise self._raised
        return self._given[0]
