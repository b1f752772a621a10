"""The figures of a run, to be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from torture.figures import Figures

__all__ = ["rows", "table"]


def rows(figures: Figures) -> list[tuple[str, str]]:
    """What was done and what came of it, one line each."""
    plan = figures.plan
    unanswered = figures.answers[0]
    return [
        ("store, servers, seed", f"{plan.store}, {plan.servers}, {plan.seed}"),
        ("kills, starts", f"{figures.kills}, {figures.starts}"),
        ("time under fire, in all", f"{figures.under_fire_s:.0f} s, {figures.took_s:.0f} s"),
        ("orders", _counted(figures.orders)),
        ("order states at the end", _counted(figures.states)),
        ("receipts at the end", _counted(figures.receipts)),
        ("background alone, before anybody reconciled by hand", figures.alone),
        ("starts, by what the shop had chosen", _counted(figures.rules)),
        ("the shop asked before money moved", _counted(figures.asked)),
        ("what people decided", _counted(figures.words)),
        ("attention because of", _counted(figures.reasons)),
        ("steps in the histories", _counted(figures.events)),
        ("intents that outlived their process", _counted(figures.recovered)),
        ("cancels asked for, by last answer", _counted(figures.cancel_keys)),
        (
            "requests, of them without an answer (server dead or starting, caller impatient)",
            f"{figures.answers.total()}, {unanswered}",
        ),
        ("webhooks of Bootpay", _counted(figures.webhooks)),
        ("deliveries, repeated arrivals", f"{figures.deliveries}, {figures.repeats}"),
        ("deviations", str(len(figures.deviations))),
    ]


def table(figures: Figures) -> str:
    """The same for a terminal."""
    return "".join(f"{name:<80} {value}\n" for name, value in rows(figures))


def _counted(counter: Counter[Any]) -> str:
    parts: Iterable[str] = (f"{name} {count}" for name, count in counter.most_common())
    return f"{counter.total()}: {', '.join(parts)}" if counter else "none"
