"""As many threads as the store has connections, and nobody else's work in them.

asyncio's own threads are few (six on two processors) and shared with everything else that blocks: a handful of shops
that answer slowly would keep every look into the store waiting. Here a call waits only for a connection, and not
without end: what has not begun in time is taken back, and then certainly nothing was stored.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from dojang.errors import StoreUnavailable

__all__ = ["PoolingCaller"]

P = ParamSpec("P")
T = TypeVar("T")


class PoolingCaller:
    """A `dojang.drive.Caller` for a backend with a pool of connections.

    Args:
        threads_max: How many calls may run at once: the size of the backend's pool.
        patience_s: How long a call may wait for its turn.
    """

    def __init__(self, threads_max: int, *, patience_s: float = 5.0) -> None:
        self._patience_s = patience_s
        self._executor = ThreadPoolExecutor(threads_max, thread_name_prefix="dojang-store")

    def close(self) -> None:
        """Finish what has begun, take back what waits."""
        self._executor.shutdown(cancel_futures=True)

    async def __call__(self, f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f` in a thread and give its result.

        Raises:
            StoreUnavailable: If its turn does not come in time, or the caller has been closed.
        """
        context = contextvars.copy_context()
        try:
            job = self._executor.submit(partial(context.run, f, *args, **kwargs))
        except RuntimeError:
            raise StoreUnavailable("the store is closed") from None
        # Only what has not begun can be taken back; what has begun is waited for, or its outcome would be lost.
        tired = asyncio.get_running_loop().call_later(self._patience_s, job.cancel)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if job.cancelled() and not (task and task.cancelling()):
                raise StoreUnavailable("the store is busy: no connection became free in time") from None
            raise
        finally:
            tired.cancel()
