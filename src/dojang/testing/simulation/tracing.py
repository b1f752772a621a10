"""A pretended world's story on paper: what the world is, who is who, then who did what and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dojang.testing.simulation.wording import moment

__all__ = ["BROKEN", "Note", "Trace", "table"]

Note = tuple[float, str, str, str]
"""A line of the trace: when, who, what, and what came of it."""

BROKEN = "BROKEN"
"""What happens in the last line of a trace that leads up to a broken promise."""

_DOES_MAX = 80
_WHO: Mapping[str, str] = {
    "a buyer": "at the payment window: what happens there, happens in Bootpay's books",
    "buyer": "is back from the payment window and wants to know whether the order is paid (verify)",
    "shop": "registers an order, or sends money back (cancel)",
    "bootpay": "one of Bootpay's webhooks on its way to us (receive_webhook)",
    "Bootpay": "what Bootpay does by itself",
    "forger": "sends what only looks like one of Bootpay's webhooks (receive_webhook)",
    "a console": "somebody who cancels in Bootpay's own console; nobody is told",
    "reconciler": "a worker that finishes what others left and asks Bootpay what nobody told (reconcile)",
    "deliverer": "a worker that hands to the shop what it must hear, and sends back money that must not stay (deliver)",
    "person": "somebody of the shop who decides about held money (resolve)",
    "looker": "somebody of the shop who has a receipt read again (look_again)",
    "worker": "webhooks and workers when all is calm and nothing goes wrong; looks that find nothing due are left out",
}
_WORDS: Mapping[str, str] = {
    "…": "stands before the end of a receipt's id",
    "(v": "stands before an order's version: how many steps its history has",
    "attention": "a person of the shop must decide about the order",
    "receipt_refused": "a receipt does not pay for the order, and no money has moved by it",
    "surplus_found": "money came that does not pay for the order",
    "settled": "that is done with",
    "settled_so_far": "that is done with; its twin may be about more",
    "not_yet": "the receipt does not show what the webhook says",
    "at_work": "the payment gateway has not finished; looked into again later",
    "dies": "our process that was at work for somebody ends here; what it had done stays done",
    "dead": "given up after the last attempt",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened in one world.

    Attributes:
        title: Which world.
        steps: What happened, in order.
        facts: What the world is, by name.
        ended: How each order ended, by its id.
    """

    title: str
    steps: Sequence[Note]
    facts: Mapping[str, str] = field(default_factory=dict)
    ended: Mapping[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> str:
        """The promise that broke at the end, and how; empty where all were kept."""
        return self.steps[-1][3] if self.steps and self.steps[-1][2] == BROKEN else ""

    @property
    def text(self) -> str:
        """For people; the last line tells of the broken promise, if one is."""
        heading = "\n".join([self.title, *_listed(self.facts)])
        parts = [
            ["who is who", *_listed(self._cast())],
            ["words", *_listed(self._words())],
            table(self.steps),
        ]
        if not self.broken:
            parts.append(["at the end", *_listed(self.ended)])
        return "\n\n".join([heading, *("\n".join(part) for part in parts if len(part) > 1)])

    @property
    def plain(self) -> dict[str, object]:
        """For programs."""
        names = ("at_s", "who", "does", "answer")
        return {
            "title": self.title,
            "facts": dict(self.facts),
            "steps": [dict(zip(names, step, strict=True)) for step in self.steps],
            "ended": dict(self.ended),
            "broken": self.broken or None,
        }

    def _cast(self) -> dict[str, str]:
        """Those who are on stage, explained."""
        there = {who.rstrip("0123456789 ") for _, who, _, _ in self.steps}
        return {who: words for who, words in _WHO.items() if who in there}

    def _words(self) -> dict[str, str]:
        text = " ".join(f"{what} {answer}" for _, _, what, answer in self.steps)
        return {word: words for word, words in _WORDS.items() if word in text}


def table(steps: Sequence[Note]) -> list[str]:
    """Steps under their heads, each column as wide as what is in it; what is very long pushes the rest aside."""
    rows = [("time", "who", "does", "what comes of it")]
    rows += [(moment(at), who, what, answer) for at, who, what, answer in steps]
    at, who, what = (max(len(row[column]) for row in rows) for column in range(3))
    what = min(what, _DOES_MAX)
    return [f"{row[0]:>{at}}  {row[1]:<{who}}  {row[2]:<{what}}  {row[3]}".rstrip() for row in rows]


def _listed(facts: Mapping[str, str]) -> Iterable[str]:
    width = max(map(len, facts), default=0)
    return [f"  {name:<{width}}  {words}" for name, words in facts.items()]
