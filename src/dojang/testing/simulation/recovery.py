"""The calm after: nobody dies any more, nothing goes wrong, and what was left undone is finished.

Bootpay repeats its webhooks as far as it would, the workers run, and time passes from one due moment to the next until
nothing is due that anybody waits for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dojang.core.delivery import DeliveryState
from dojang.core.payment import Record, State
from dojang.drive import run
from dojang.ports import OrderFilter
from dojang.testing.simulation.invariants import BrokenPromise
from dojang.testing.simulation.stage import Stage, notice_of
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.reconcile import reconcile

__all__ = ["recover"]

_ROUNDS_MAX = 400
_UNFINISHED = (State.CONFIRMING, State.CANCELLING)


def recover(stage: Stage, *, compare_all: bool = True) -> None:
    """Let everything calm down.

    Args:
        stage: Where nobody is at work any more.
        compare_all: Whether every unfinished and paid order is looked at once more in the end, as a careful shop
            does every night.

    Raises:
        BrokenPromise: If it does not calm down.
    """
    stage.calm = True
    stage.running = None
    stage.arrive(all_of_it=True)
    for _ in range(_ROUNDS_MAX):
        _work(stage)
        due = min(_waited_for(stage), default=None)
        if due is None:
            if not compare_all:
                return
            run(reconcile(stage.world, everything=True))
            compare_all = False
        else:
            stage.pass_time(max(1.0, due - stage.time_s))
    raise BrokenPromise("P7", f"after {_ROUNDS_MAX} rounds it has still not calmed down")


def _work(stage: Stage) -> None:
    for webhook in stage.ledger.due_webhooks():
        run(receive_webhook(stage.world, notice_of(webhook)))
        stage.acknowledge(webhook)(None)
    run(reconcile(stage.world))
    run(deliver_owed(stage.world))


def _waited_for(stage: Stage) -> Iterator[float]:
    """When whatever must not stay as it is will next be worked at."""
    webhook = stage.ledger.next_webhook_due()
    if webhook is not None:
        yield webhook - stage.epoch_s
    for stored in stage.backend.notices(1_000):
        if stored.due_at is not None:
            yield stage.seconds(stored.due_at)
    for record in stage.backend.orders(OrderFilter(limit=200)).records:
        if record.payment.state in _UNFINISHED:
            yield stage.seconds(_due(record))
        led: set[str] = set()
        for owed in stage.backend.deliveries(record.order.id):
            if owed.state is DeliveryState.DUE and owed.lane not in led:
                # The rest of its lane waits for it.
                led.add(owed.lane)
                yield stage.seconds(owed.due_at)


def _due(record: Record) -> datetime:
    if record.due_at is None:
        raise BrokenPromise("P7", f"{record.order.id} is {record.payment.state} and never looked at again")
    return record.due_at
