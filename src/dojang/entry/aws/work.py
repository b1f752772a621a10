"""What a schedule or a stream sets going: look after what is unfinished, hand over what is owed, within the time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from dojang.drive import run
from dojang.entry.aws.bounds import Bounds
from dojang.errors import NotSent, OutcomeUnknown, Refused, StoreUnavailable
from dojang.ports import World
from dojang.web.metrics import Metrics
from dojang.web.problems import Code

if TYPE_CHECKING:
    from dojang.usecases.deliver_owed import Attempt

__all__ = ["KEEP_S", "Done", "check", "hand_over"]

log = logging.getLogger("dojang.entry")

KEEP_S = 5.0
"""What a look-up leaves of the time, so that an approval it leads to can be finished."""

_TIME_FOR_ONE_S = 8.0
# A run begins a look while it has five seconds left, all of which are kept: without more of them Bootpay would have no
# time to answer, and be told to be silent.
_LOOK_S = 3.0
# What the same error would have answered over HTTP. That somebody else was quicker is no failure.
_CODES = {
    NotSent.__name__: Code.UPSTREAM_UNAVAILABLE.value,
    OutcomeUnknown.__name__: Code.UPSTREAM_UNAVAILABLE.value,
    Refused.__name__: Code.UPSTREAM_REFUSED.value,
    StoreUnavailable.__name__: Code.STORE_UNAVAILABLE.value,
}


class Done(msgspec.Struct):
    """What one invocation did.

    Attributes:
        told: For whoever invoked it.
        looked_after: Whether nothing that is due for a look was left for lack of time.
        handed_over: Whether nothing that is owed and due was.
        failures: What could not be checked, by the code of the reason.
        checks: What the checks found, by kind.
    """

    told: dict[str, Mapping[str, object]] = msgspec.field(default_factory=dict)
    looked_after: bool = True
    handed_over: bool = True
    failures: Counter[str] = msgspec.field(default_factory=Counter)
    checks: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def more(self) -> bool:
        """Whether something that is due may be left, for lack of time."""
        return not (self.looked_after and self.handed_over)

    def as_answer(self) -> dict[str, object]:
        """As the answer of the invocation."""
        return {**self.told, "more": self.more}


def check(world: World, bounds: Bounds, done: Done, *, share: float = 1.0) -> None:
    """Reconcile what is due; a second time in an invocation, what the first had no time for.

    Args:
        world: The ports.
        bounds: The time of this invocation.
        done: Where it is told.
        share: How much of the time that is left it may take.
    """
    # Here rather than on top, as below: whoever starts cold to verify a payment waits for every import.
    from dojang.usecases.reconcile import reconcile

    report = run(reconcile(world, within_s=min(bounds.left_s * share, bounds.left_s - _LOOK_S)))
    for change in report.changes:
        log.info(
            "an order was not as we believed: %s to %s",
            change.before,
            change.after,
            extra={
                "order_id": str(change.order_id),
                "receipt_id": change.receipt_id,
                "outcome": change.after,
                "drift": change.drift,
            },
        )
    for id_, why in report.errors:
        log.warning("%s could not be checked now and will be again: %s", id_, why)
        if why in _CODES:
            done.failures[_CODES[why]] += 1
    done.checks.update(
        checked=report.checked,
        notices=report.notices,
        calls=report.calls,
        changes=len(report.changes),
        drift=len(report.drift),
        errors=len(report.errors),
    )
    done.told["reconcile"] = dict(done.checks)
    done.looked_after = not report.more


def hand_over(world: World, bounds: Bounds, metrics: Metrics, done: Done) -> None:
    """Hand over what is owed and due: money first, so that no shop that hangs can hold it up."""
    from dojang.usecases.deliver_owed import DeliveryReport, deliver_owed

    settled: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for money_back_only in (True, False):
        while True:
            if bounds.left_s < _TIME_FOR_ONE_S:
                # One more might be killed between handing over and writing that down.
                done.handed_over = False
                break
            report: DeliveryReport = run(deliver_owed(world, limit=1, money_back_only=money_back_only))
            # Told and counted one by one: the next may find no store, and what was given up would raise no alarm.
            for attempt in report.attempts:
                _tell(attempt)
                metrics.deliveries.add(attempt.result)
            if not report.tried:
                break
            settled += report.settled
            other += Counter(failed=report.failed, dead=report.dead)
    done.told["deliver"] = {"settled": dict(settled), "failed": other["failed"], "dead": other["dead"]}


def _tell(attempt: Attempt) -> None:
    log.log(
        logging.INFO if attempt.result == "settled" else logging.WARNING,
        "%s",
        attempt.sentence,
        extra={
            "event": "delivery",
            "order_id": str(attempt.delivery.order_id),
            "receipt_id": attempt.delivery.data.get("receipt_id"),
            "outcome": attempt.result,
        },
    )
