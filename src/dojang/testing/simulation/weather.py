"""How bad a day a seed brings: what goes wrong, how often, and how time passes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from dojang.testing.simulation.stepped import Mishap, Stop
from dojang.testing.simulation.wording import moment

__all__ = ["MOVES_MONEY", "Weather"]

MOVES_MONEY = ("confirm", "cancel")
"""Calls to Bootpay after which money is elsewhere."""

# Fine weather is part of it: most mistakes need only one thing to go wrong.
_CRASHES = (0.0, 0.0, 0.003, 0.01, 0.04)
_MISHAPS = (0.0, 0.0, 0.02, 0.08, 0.25)
_PAUSES = (0.0, 0.01, 0.03, 0.1)

_STORE = (Mishap.STORE_DOWN, Mishap.STORE_SILENT)
_LOOK = (Mishap.NOT_SENT, Mishap.LOST_BEFORE, Mishap.LOST_BEFORE, Mishap.REFUSED, Mishap.UNKNOWN)
_MOVE = (
    Mishap.NOT_SENT,
    Mishap.LOST_BEFORE,
    Mishap.LOST_AFTER,
    Mishap.LOST_AFTER,
    Mishap.LATE,
    Mishap.VERY_LATE,
    Mishap.REFUSED,
)
_HAND_OVER = (Mishap.SHOP_DOWN, Mishap.SHOP_DOWN, Mishap.SHOP_SILENT, Mishap.SHOP_SILENT, Mishap.SHOP_GONE)
_WRONG = {
    "load": (Mishap.STORE_DOWN,),
    "look_up": _LOOK,
    "look_up_order": _LOOK,
    "confirm": _MOVE,
    "cancel": _MOVE,
    "hand_over": _HAND_OVER,
    "ask": (Mishap.DECLINED,),
}
# Whatever is off for long stays so after everybody has calmed down.
_NO_LISTS_S = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 600.0, 7_200.0)
_SHOP_DOWN_S = (0.0,) * 14 + (3_600.0, 400_000.0)
_PAST_LEASES_S = (6.0, 25.0, 47.0, 50.0, 82.0, 95.0, 130.0, 700.0)


@dataclass(frozen=True, slots=True)
class Weather:
    """One day's weather.

    Attributes:
        crash: How likely an actor dies at a stop.
        blackout: How likely all of them die at once.
        mishap: How likely a call goes wrong.
        pause: How likely everybody stands still for long.
        no_lists_s: For how long receipts cannot be found by order id, though each can be looked up.
        shop_down_s: For how long the shop takes nothing: two days and a half exhaust all attempts.
        lost_webhook: How likely a webhook is lost for good.
        skewed: Whether processes' clocks are wrong, two of them by ten seconds at most, and set meanwhile.
        zombies_send: Whether one who wakes late may still send what it was about to.
    """

    crash: float
    blackout: float
    mishap: float
    pause: float
    no_lists_s: float
    shop_down_s: float
    lost_webhook: float
    skewed: bool
    zombies_send: bool

    @classmethod
    def of(cls, rng: Random) -> Weather:
        """The weather that a seed brings."""
        crash = rng.choice(_CRASHES)
        return cls(
            crash=crash,
            blackout=crash / 10,
            mishap=rng.choice(_MISHAPS),
            pause=rng.choice(_PAUSES),
            no_lists_s=rng.choice(_NO_LISTS_S),
            shop_down_s=rng.choice(_SHOP_DOWN_S),
            lost_webhook=rng.choice((0.0, 0.0, 0.1)),
            skewed=rng.random() < 0.2,
            zombies_send=rng.random() < 0.15,
        )

    def faults(self) -> list[str]:
        """What is switched on, in words; nothing on a fine day."""
        words = {
            f"processes die at {self.crash:.1%} of their steps": self.crash,
            f"calls go wrong, {self.mishap:.0%} of them": self.mishap,
            f"all stand still for long, at {self.pause:.0%} of the pauses": self.pause,
            f"no receipt is found by its order before {moment(self.no_lists_s)}": self.no_lists_s,
            f"the shop takes nothing before {moment(self.shop_down_s)}": self.shop_down_s,
            f"webhooks are lost, {self.lost_webhook:.0%} of them": self.lost_webhook,
            "clocks are wrong by five seconds": self.skewed,
            "who wakes too late sends what it was about to": self.zombies_send,
        }
        return [fault for fault, switched_on in words.items() if switched_on]

    def strikes(self, rng: Random, at: Stop, *, sighted: bool) -> Mishap | None:
        """What goes wrong with the call that an actor is about to make.

        Where receipts cannot be found by order id, one that Bootpay does not find when it is asked for is taken for
        a stranger's, so there it is always found.
        """
        if not self.mishap or at.port in ("", "clock", "answer"):
            return None
        # Calls that move money are few among the others, and what becomes of them matters most.
        likely = self.mishap * 4 if at.name in MOVES_MONEY else self.mishap
        if rng.random() >= likely:
            return None
        struck = rng.choice(_WRONG.get(at.name, _STORE))
        return Mishap.LOST_BEFORE if struck is Mishap.UNKNOWN and not sighted else struck

    def skew_s(self, rng: Random) -> float:
        """How wrong a new process's clock is."""
        return rng.choice((-5.0, 0.0, 0.0, 5.0)) if self.skewed else 0.0

    def steps(self, rng: Random) -> bool:
        """Whether a process's clock is set just now, forward or back."""
        return self.skewed and rng.random() < 0.05

    def passing_s(self, rng: Random) -> float:
        """How long nothing happens."""
        return rng.choice(_PAST_LEASES_S) if rng.random() < self.pause else rng.random() * 2
