"""The calm after: nobody dies any more, nothing goes wrong, and what was left undone is finished.

Bootpay repeats its webhooks as far as it would, the workers run, and time passes from one due moment to the next until
nothing is due that anybody waits for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dojang.core.delivery import DeliveryState, Lane
from dojang.core.payment import Record, State
from dojang.drive import run
from dojang.ports import OrderFilter
from dojang.testing.simulation.evidence import BrokenPromise
from dojang.testing.simulation.stage import Stage, notice_of
from dojang.usecases.deliver_owed import deliver_owed
from dojang.usecases.receive_webhook import receive_webhook
from dojang.usecases.reconcile import reconcile

__all__ = ["A_YEAR_S", "recover"]

A_YEAR_S = 366 * 86_400.0
"""After this nobody looks at any order any more."""

_ROUNDS_MAX = 400
_UNFINISHED = (State.CONFIRMING, State.CANCELLING)


def recover(stage: Stage, *, watch_s: float | None = None) -> None:
    """Let everything calm down.

    Args:
        stage: Where nobody is at work any more.
        watch_s: For how long whatever is due is worked at, by the workers alone. None: until nothing is left that
            anybody waits for; then every order is looked at once more, as a careful shop does every night.

    Raises:
        BrokenPromise: If it does not calm down.
    """
    stage.calm = True
    stage.running = None
    ends = stage.time_s + (watch_s or 0.0)
    looked = watch_s is not None
    for _ in range(_ROUNDS_MAX):
        _work(stage)
        due = min(_waited_for(stage, ends), default=None)
        if due is not None:
            stage.pass_time(max(1.0, due - stage.time_s))
        elif looked:
            return
        else:
            run(reconcile(stage.world, everything=True))
            looked = True
    raise BrokenPromise("P7", f"after {_ROUNDS_MAX} rounds it has still not calmed down")


def _work(stage: Stage) -> None:
    for webhook in stage.ledger.due_webhooks():
        run(receive_webhook(stage.world, notice_of(webhook)))
        stage.acknowledge(webhook)(None)
    run(reconcile(stage.world))
    run(deliver_owed(stage.world))


def _waited_for(stage: Stage, ends: float) -> Iterator[float]:
    """When whatever must not stay as it is will next be worked at, and until `ends` any order."""
    yield from (at for at, _ in stage.late)
    outages = (stage.no_lists_until, *stage.hides.values(), *(until for until, _ in stage.at_work.values()))
    yield from (until for until in outages if until > stage.time_s)
    webhook = stage.ledger.next_webhook_due()
    if webhook is not None:
        yield webhook - stage.epoch_s
    for stored in stage.backend.notices(1_000):
        if stored.due_at is not None:
            yield stage.seconds(stored.due_at)
    for record in stage.backend.orders(OrderFilter(limit=200)).records:
        if record.payment.state in _UNFINISHED:
            yield stage.seconds(_due(record))
        elif record.due_at is not None and stage.seconds(record.due_at) <= ends:
            yield stage.seconds(record.due_at)
        due = [one for one in stage.backend.deliveries(record.order.id) if one.state is DeliveryState.DUE]
        first = min((owed.seq for owed in due if owed.lane is Lane.NOTICE), default=0)
        for owed in due:
            # The other notices of the order wait for its first; money back waits for nothing.
            if owed.lane is Lane.MONEY_BACK or owed.seq == first:
                yield stage.seconds(owed.due_at)


def _due(record: Record) -> datetime:
    if record.due_at is None:
        raise BrokenPromise("P7", f"{record.order.id} is {record.payment.state} and never looked at again")
    return record.due_at
