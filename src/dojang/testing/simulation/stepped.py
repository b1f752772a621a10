"""The third way to run a use case: it stops before and after each port call, and somebody else decides what happens.

At a stop an actor can be let on, be told that the call goes wrong, be left alone for as long as one likes (others go
on, time passes), or die: then nothing of it remains but what it had done.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from enum import Enum

from dojang.errors import DojangError

__all__ = ["AFTER", "Actor", "Mishap", "Stop", "stop"]


class Mishap(Enum):
    """What may go wrong with one port call."""

    STORE_DOWN = "store_down"
    """The store cannot be reached; nothing was stored."""
    STORE_SILENT = "store_silent"
    """The store did it, but its answer was lost."""
    NOT_SENT = "not_sent"
    """The request never left."""
    LOST_BEFORE = "lost_before"
    """The request was lost on the way, but the caller cannot know that."""
    LOST_AFTER = "lost_after"
    """Bootpay did it and the answer was lost, or read `*_CRITICAL_*`."""
    LATE = "late"
    """The caller gives up waiting; Bootpay does it afterwards."""
    VERY_LATE = "very_late"
    """The caller gives up waiting; Bootpay does it when everybody has written it off."""
    UNKNOWN = "unknown"
    """Bootpay does not find the receipt, or has not put it on its list yet."""
    REFUSED = "refused"
    """Bootpay or the payment gateway says no."""
    SHOP_DOWN = "shop_down"
    """The shop does not answer."""
    SHOP_SILENT = "shop_silent"
    """The shop has taken the delivery, but its answer was lost."""
    SHOP_GONE = "shop_gone"
    """The shop answers that it wants no more of these (410)."""
    DECLINED = "declined"
    """The shop does not want the money."""

    @property
    def late_s(self) -> float:
        """After how long Bootpay does what its caller has given up."""
        return {Mishap.LATE: 20.0, Mishap.VERY_LATE: 700.0}[self]


class Stop:
    """Where an actor stands.

    Attributes:
        port: `store`, `gateway`, `shop`, `clock`, or empty for a moment of thought.
        name: Which call.
        writes: Whether the call changes what others may see.
        detail: The call's arguments, for the trace.
    """

    __slots__ = ("detail", "name", "port", "writes")

    def __init__(self, port: str, name: str, *, writes: bool, detail: tuple[object, ...] = ()) -> None:
        self.port = port
        self.name = name
        self.writes = writes
        self.detail = detail


AFTER = Stop("", "thinks", writes=False)
"""The call is over; what is done with its answer comes next, and time may have passed until then."""


@types.coroutine
def stop(at: Stop) -> Generator[Stop, Mishap | None, Mishap | None]:
    """Stop here until somebody says how to go on."""
    return (yield at)


class Actor:
    """One run of a use case, by one process.

    Attributes:
        name: Who it is in the trace.
        kind: Which use case it runs.
        at: Where it stands; None before it begins and after its end.
        done: Whether it came to its end by itself.
        dead: Whether it died before.
        answer: What it answered.
        error: The expected error it ended in.
        wakes_at: While it sleeps, when it wakes.
        slept_at: While it sleeps, how many changes the store had seen.
        skew_s: How wrong this process's clock is.
        since: When it came to where it stands.
        ends_at: When whoever waits for it gives up, if anybody waits.
    """

    __slots__ = (
        "_coroutine", "answer", "at", "dead", "done", "ends_at", "error", "kind", "name", "since", "skew_s",
        "slept_at", "wakes_at",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: str,
        coroutine: Coroutine[Stop, Mishap | None, object],
    ) -> None:
        self.name = name
        self.kind = kind
        self._coroutine = coroutine
        self.at: Stop | None = None
        self.done = self.dead = False
        self.answer: object = None
        self.error: DojangError | None = None
        self.wakes_at: float | None = None
        self.slept_at = 0
        self.skew_s = 0.0
        self.since = 0.0
        self.ends_at: float | None = None

    @property
    def alive(self) -> bool:
        """Whether it can go on."""
        return not (self.done or self.dead)

    def go(self, mishap: Mishap | None = None) -> None:
        """Let it on to its next stop or to its end."""
        try:
            self.at = self._coroutine.send(mishap)
        except StopIteration as ended:
            self.at, self.done, self.answer = None, True, ended.value
        except DojangError as error:
            self.at, self.done, self.error = None, True, error

    def die(self) -> None:
        """End it where it stands; what it has done stays done."""
        self.dead = True
        self.at = None
        self._coroutine.close()
