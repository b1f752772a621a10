"""What a run is to be, and what came of it, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from torture.buyers import Buyers
from torture.ledgers import Ledgers
from torture.people import People
from torture.processes import Server
from torture.shop import Shop

__all__ = ["Figures", "Plan", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run.

    Attributes:
        store: `sqlite` or `postgres`.
        kills: How often at least.
        seed: Decides stories, faults and kills.
        servers: How many servers share the store.
        buyers: How many buyers at once.
        longest_s: How long a server may live.
        minutes: When killing ends, whatever the count.
        patience_s: How long a buyer waits for one answer at most.
        waits: Let leases end by waiting, instead of setting the machine's clock ahead while no server runs.
        alone: Compare what the servers' own background work has reached before anybody reconciles by hand.
    """

    store: str = "sqlite"
    kills: int = 200
    seed: int = 1
    servers: int = 1
    buyers: int = 12
    longest_s: float = 3.0
    minutes: float = 30.0
    patience_s: float = 25.0
    waits: bool = False
    alone: bool = True


@dataclass(slots=True)
class Figures:
    """What came of it."""

    plan: Plan
    kills: int = 0
    starts: int = 0
    took_s: float = 0.0
    under_fire_s: float = 0.0
    orders: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    webhooks: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    repeats: int = 0
    cancel_keys: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    returned: int = 0
    rounds: int = 0
    recovered: Counter[str] = field(default_factory=Counter)
    example: str = ""
    rules: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    alone: str = "not compared"
    deviations: list[tuple[str, str]] = field(default_factory=list)
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)


def count(
    figures: Figures, ledgers: Ledgers, buyers: Buyers, shop: Shop, people: People, servers: Sequence[Server]
) -> None:
    """Count what was done and what came of it."""
    figures.kills = sum(server.kills for server in servers)
    figures.starts = sum(server.starts for server in servers)
    figures.answers = Counter(buyers.asked)
    notes = buyers.notes.values()
    figures.orders = Counter(note.kind for note in notes)
    figures.cancel_keys = Counter(cancel.outcome for note in notes for cancel in note.cancels)
    figures.states = Counter(order["state"] for order in ledgers.orders.values())
    figures.reasons = Counter(order["reason"] for order in ledgers.orders.values() if order.get("reason"))
    for order in ledgers.orders.values():
        figures.receipts.update(known["fate"] for known in order["receipts"])
    for events in ledgers.histories.values():
        figures.events.update(event["what"] for event in events)
        figures.recovered.update(_recovered(events))
    figures.asked = Counter("yes" if asked.approved else "no" for asked in shop.asked)
    figures.words = Counter(f"{word.decision} ({word.outcome})" for word in people.words)
    heard = Counter(arrival.delivery_id for arrival in shop.arrivals)
    figures.deliveries, figures.repeats = len(heard), heard.total() - len(heard)
    figures.paid = figures.receipts["pays"]
    figures.returned = figures.receipts["returned"]
    figures.example = _example(ledgers.histories)
    for order_id, _ in figures.deviations:
        if order_id:
            figures.evidence[order_id] = {  # printed in full: whoever reads it has nothing else
                "order": ledgers.orders.get(order_id),
                "history": ledgers.histories.get(order_id),
                "receipts": ledgers.receipts.get(order_id),
                "arrivals": ledgers.arrivals.get(order_id),
                "asked": ledgers.asked.get(order_id),
                "words": ledgers.words.get(order_id),
                "note": ledgers.notes.get(order_id),
            }


def _recovered(events: list[dict[str, Any]]) -> Iterator[str]:
    """What became of intents whose process did not live to see the end: somebody else wrote it down."""
    for before, after in pairwise(events):
        intended = before["what"] in ("approval_intended", "cancel_intended")
        if intended and _at(after["at"]) >= _at(before["lease_until"]):
            yield f"{before['what']} -> {after['what']}"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _example(histories: Mapping[str, list[dict[str, Any]]]) -> str:
    """The history of a payment whose server died between the intent and its end."""
    for order_id, events in histories.items():
        ends = "approval_intended -> paid" in _recovered(events)
        if ends and events[-1]["what"] == "paid" and events[-1]["who"] == "dojang":
            return f"order {order_id}\n" + "\n".join(
                f"  {event['version']:>2}  {event['at']}  {event['who']:<8}  {event['what']}"
                + (f"  lease until {event['lease_until']}" if "lease_until" in event else "")
                for event in events
            )
    return ""
