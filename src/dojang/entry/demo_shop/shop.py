"""The shop's goods, its orders and what it has handed over; all of it in memory.

A delivery counts once, whatever happens: its id is remembered, and news older than what is known changes nothing.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

__all__ = ["GOODS", "DemoShop", "Good", "Parcel", "Placed"]

_KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Good:
    """Something for sale.

    Attributes:
        id: Its name in addresses.
        name: What it is called in Korean.
        name_en: What it is called in English.
        about: One line about it, in Korean and English.
        price: Won, tax included.
    """

    id: str
    name: str
    name_en: str
    about: tuple[str, str]
    price: int


GOODS: Mapping[str, Good] = {
    good.id: good
    for good in (
        Good(
            "seal",
            "대추나무 도장",
            "Jujube wood seal",
            ("이름 세 글자까지 새겨 드립니다", "Up to three characters"),
            38_000,
        ),
        Good(
            "ink",
            "인주 한 통",
            "Cinnabar ink pad",
            ("마르지 않는 붉은 인주", "Red ink that stays wet"),
            12_000,
        ),
        Good(
            "paper",
            "한지 열 장",
            "Hanji, ten sheets",
            ("닥나무로 뜬 종이", "Paper made from mulberry bark"),
            3_000,
        ),
    )
}
"""All that there is, by id."""


@dataclass(slots=True)
class Placed:
    """One order as the shop sees it.

    Attributes:
        order_id: Its number, the same at dojang and Bootpay.
        good: What was ordered.
        state: What dojang's deliveries last said; `ordered` before the first.
        version: Which version of the order said so.
        handed_over: How often the goods left; 1 at most.
        placed_at: When it was ordered.
        note: Why a person should look, when one should.
    """

    order_id: str
    good: Good
    state: str = "ordered"
    version: int = 0
    handed_over: int = 0
    placed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    note: str = ""


@dataclass(slots=True)
class Parcel:
    """One delivery from dojang, and how often it came.

    Attributes:
        id: dojang's id for it, the same at every attempt.
        type: What it tells.
        order_id: Which order it is about.
        times: How often it arrived; only the first time counts.
        at: When it arrived first.
    """

    id: str
    type: str
    order_id: str
    times: int
    at: datetime


class DemoShop:
    """The shop's books."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, Placed] = OrderedDict()
        self._parcels: OrderedDict[str, Parcel] = OrderedDict()

    def place(self, good: Good) -> Placed:
        """Write down an order under a number nobody can guess."""
        placed = Placed(f"demo-{datetime.now(UTC):%m%d}-{secrets.token_hex(5)}", good)
        with self._lock:
            self._orders[placed.order_id] = placed
            _trim(self._orders)
        return placed

    def find(self, order_id: str) -> Placed | None:
        """An order by its number."""
        return self._orders.get(order_id)

    def receive(self, delivery_id: str, type_: str, data: Mapping[str, object]) -> Parcel:
        """Take in a delivery whose signature was right; the second time, only count it."""
        order_id, version = str(data.get("order_id", "")), data.get("version")
        with self._lock:
            parcel = self._parcels.get(delivery_id)
            if parcel is not None:
                parcel.times += 1
                return parcel
            parcel = self._parcels[delivery_id] = Parcel(delivery_id, type_, order_id, 1, datetime.now(UTC))
            _trim(self._parcels)
            placed = self._orders.get(order_id)
            if placed is not None:
                if type_ == "order.paid" and placed.handed_over == 0:
                    placed.handed_over = 1
                if isinstance(version, int) and version > placed.version:
                    placed.version = version
                    placed.state = str(data.get("state", placed.state))
                    placed.note = str(data.get("reason") or "")
            return parcel

    def orders(self) -> list[Placed]:
        """Every order, newest first."""
        with self._lock:
            return list(reversed(self._orders.values()))

    def parcels(self) -> list[Parcel]:
        """Every delivery, newest first."""
        with self._lock:
            return list(reversed(self._parcels.values()))


def _trim(kept: OrderedDict[str, Placed] | OrderedDict[str, Parcel]) -> None:
    while len(kept) > _KEPT_MAX:
        kept.popitem(last=False)
