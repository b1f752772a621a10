"""Approval questions in threads of their own, each waited for no longer than its buyer can.

asyncio's own threads are few (six on two processors) and deliveries wait in them too: under a shop that hangs, buyers
would queue for a thread and wait far longer than they said they could.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from concurrent.futures import ThreadPoolExecutor

from dojang.core.order import Order
from dojang.core.receipt import Receipt
from dojang.drive import run
from dojang.ports import Approval, Approved, Declined

__all__ = ["PooledApproval"]


class PooledApproval:
    """An `Approval` for an event loop, over one that blocks.

    Args:
        approval: Never suspends.
        threads_max: How many buyers may be asked about at once; who comes when all are busy waits for a turn.
    """

    def __init__(self, approval: Approval, *, threads_max: int) -> None:
        self._approval = approval
        self._executor = ThreadPoolExecutor(threads_max, thread_name_prefix="dojang-approval")

    def close(self) -> None:
        """Take back what waits; nobody listens any more to what has begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
        """See `Approval.ask`. Waiting for a thread is a part of the time."""
        ends_at = time.monotonic() + within_s

        def turn() -> Approved | Declined:
            return run(self._approval.ask(order, receipt, ends_at - time.monotonic()))

        job = self._executor.submit(contextvars.copy_context().run, turn)
        try:
            # Out of time, what has not begun is taken back. What has begun cannot be stopped, but moves no money.
            return await asyncio.wait_for(asyncio.wrap_future(job), within_s)
        except TimeoutError:
            return Declined("the shop did not answer in time")
