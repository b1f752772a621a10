"""Runs actors against each other: at every stop, choices decide who goes on, who dies, what goes wrong.

Two neighbouring steps that cannot feel each other (two reads, a store and a shop) lead to the same world in either
order, so only one order is run: a way that was tried before stays asleep until a step comes that it could feel
(sleep sets, Godefroid 1996). A death is felt by nobody else, so each actor dies once at each of its stops per order of
the others, not once per moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dojang.testing.simulation.choices import Choices
from dojang.testing.simulation.stage import Stage
from dojang.testing.simulation.stepped import Actor, Mishap, Stop

__all__ = ["Bounds", "race"]

_LEAP_S = 5.0
# What is late may come at any moment of a race; what is very late, only afterwards.
_SOON_S = 30.0
_LATE = Stop("gateway", "late", writes=True)
_LOOK = (Mishap.LOST_BEFORE, Mishap.REFUSED, Mishap.UNKNOWN)
_MOVE = (
    Mishap.NOT_SENT,
    Mishap.LOST_BEFORE,
    Mishap.LOST_AFTER,
    Mishap.LATE,
    Mishap.VERY_LATE,
    Mishap.REFUSED,
)
_STORE = (Mishap.STORE_DOWN, Mishap.STORE_SILENT)
_MISHAPS: Mapping[str, Sequence[Mishap]] = {
    "look_up": _LOOK,
    "look_up_order": _LOOK,
    "confirm": _MOVE,
    "cancel": _MOVE,
    "hand_over": (Mishap.SHOP_DOWN, Mishap.SHOP_SILENT, Mishap.SHOP_GONE),
    "ask": (Mishap.DECLINED,),
    "commit": _STORE,
    "receive": _STORE,
    "claim_checks": _STORE,
    "claim_deliveries": _STORE,
    "claim_notices": _STORE,
    "reschedule": _STORE,
    "settle_delivery": _STORE,
    "settle_notice": _STORE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may go wrong in one schedule.

    Attributes:
        crashes: How many actors may die.
        mishaps: How many calls may go wrong.
        leaps: How often time may jump past every lease while everybody stands still.
        leap_s: How far.
    """

    crashes: int = 0
    mishaps: int = 0
    leaps: int = 0
    leap_s: float = 46.0

    def __str__(self) -> str:
        return f"({self.crashes} crashes, {self.mishaps} mishaps, {self.leaps} leaps)"


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to go on: `go`, `die`, `late` or `leap`, and whom and what it touches."""

    kind: str
    actor: Actor | None
    at: Stop | None


def race(stage: Stage, choices: Choices, actors: Sequence[Actor], bounds: Bounds) -> bool:
    """Run one schedule to its end.

    Returns:
        False where the schedule only repeats, in another order, what an earlier one has shown.
    """
    crashes, mishaps, leaps = bounds.crashes, bounds.mishaps, bounds.leaps
    asleep: list[_Way] = []
    while True:
        _think(stage, actors, leaps)
        going = [actor for actor in actors if actor.alive and _awake(stage, actor)]
        if not going:
            if not any(actor.alive for actor in actors):
                return True
            # Everybody waits for somebody who is dead or slow: let time pass.
            stage.pass_time(_LEAP_S)
            for actor in actors:
                actor.slept_at = -1
            asleep = []
            continue
        ways = [_Way("go", actor, actor.at) for actor in going]
        if any(at <= stage.time_s + _SOON_S for at, _ in stage.late):
            ways.append(_Way("late", None, _LATE))
        if leaps:
            ways.append(_Way("leap", None, None))
        if crashes:
            ways += [_Way("die", actor, None) for actor in actors if actor.alive]
        ways = [way for way in ways if way not in asleep]
        if not ways:
            for actor in actors:
                actor.die()
            return False
        picked = choices.pick(len(ways))
        way = ways[picked]
        asleep = [other for other in (*asleep, *ways[:picked]) if not _felt(way, other)]
        match way.kind:
            case "leap":
                leaps -= 1
                stage.pass_time(bounds.leap_s)
            case "late":
                stage.arrive(_SOON_S)
            case "die":
                assert way.actor is not None
                crashes -= 1
                way.actor.die()
                stage.note("dies", who=way.actor.name)
            case _:
                assert way.actor is not None
                mishap = None
                wrong = _wrong(stage, way.at) if mishaps and way.at is not None else ()
                if wrong:
                    which = choices.pick(1 + len(wrong))
                    if which:
                        mishaps -= 1
                        mishap = wrong[which - 1]
                stage.let_on(way.actor, mishap)


def _wrong(stage: Stage, at: Stop) -> Sequence[Mishap]:
    """What may go wrong with a call; a receipt that no list shows is always found when it is asked for."""
    wrong = _MISHAPS.get(at.name, ())
    return wrong if stage.sighted else [mishap for mishap in wrong if mishap is not Mishap.UNKNOWN]


def _think(stage: Stage, actors: Sequence[Actor], leaps: int) -> None:
    """Where time cannot jump any more, nothing can come between a call and what is made of its answer."""
    if leaps:
        return
    for actor in actors:
        while actor.at is not None and actor.at.name == "thinks":
            stage.let_on(actor)


def _awake(stage: Stage, actor: Actor) -> bool:
    """A sleeper wakes when something was written: before that it would only see what it saw."""
    return actor.wakes_at is None or actor.slept_at != stage.changes


def _felt(way: _Way, other: _Way) -> bool:
    """Whether the order of two ways can matter."""
    if way.actor is other.actor:
        return True
    if way.kind == "die" or other.kind == "die":
        return False
    if way.kind == "leap" or other.kind == "leap":
        return True
    assert way.at is not None
    assert other.at is not None
    if way.at.port == "clock" or other.at.port == "clock":
        return True
    return way.at.port == other.at.port and (way.at.writes or other.at.writes)
