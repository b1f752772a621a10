"""Claiming what is due, by an index that follows the table after a moment and shows everybody the same.

So what it shows first may be somebody else's already. A claim passes over that and comes back empty only where nothing
is left. It begins with what is longest due, unless somebody was quicker a moment ago: then others are at work, and each
begins somewhere else, so that many share the work instead of all reaching for the same item.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from dojang.adapters.dynamodb.asking import query
from dojang.adapters.dynamodb.items import Shards, number
from dojang.adapters.dynamodb.patience import Patience
from dojang.adapters.dynamodb.table import Item
from dojang.adapters.dynamodb.together import Together
from dojang.adapters.rows import micros
from dojang.errors import StoreUnavailable

__all__ = ["Due"]

T = TypeVar("T")

# Twenty keys are less than 4 KB: reading them costs half a unit, as reading one does.
_PAGE = 20
_LOOKED_AT_MAX = 400
_CROWDED_S = 5.0


def _itself(item: Item) -> Hashable:
    return str(item["pk"].s), str(item["sk"].s)


class Due:
    """The `due` index of a table.

    Args:
        table: Its name.
        patience: Asks it.
        shards: How its indexes are split.
        together: Runs several requests at once.
        clock: Monotonic seconds.
        spread: A random number in [0, 1).
    """

    def __init__(
        self,
        table: str,
        patience: Patience,
        shards: Shards,
        together: Together,
        clock: Callable[[], float],
        spread: Callable[[], float],
    ) -> None:
        self._table = table
        self._patience = patience
        self._shards = shards
        self._together = together
        self._clock = clock
        self._spread = spread
        self._crowded_until = float("-inf")

    def claim(
        self,
        kinds: Sequence[str],
        now: datetime,
        limit: int,
        take: Callable[[Sequence[Item], int], Sequence[T | None]],
        *,
        one_of: Callable[[Item], Hashable] = _itself,
        at_once: int = 1,
    ) -> list[T]:
        """Go through what is due until enough is taken, nothing is left, or 400 have been looked at.

        Args:
            kinds: Of what.
            now: The present moment.
            limit: How many are wanted.
            take: Given keys, and how many are still wanted, takes what it can; None for each that was somebody else's.
            one_of: Of items that are the same by this only the first is looked at.
            at_once: How many to look at together after the first could not be had.
        """
        claimed: list[T] = []
        seen: set[Hashable] = set()
        looked_at = 0
        try:
            for page in self._pages(kinds, now, limit):
                left = []
                for item in page:
                    if (same := one_of(item)) not in seen:
                        seen.add(same)
                        left.append(item)
                if self._clock() < self._crowded_until:
                    self._disperse(left)
                while left:
                    wanted = limit - len(claimed)
                    width = max(wanted, at_once) if looked_at else wanted
                    batch, left = left[:width], left[width:]
                    looked_at += len(batch)
                    taken = take(batch, wanted)
                    claimed += [one for one in taken if one is not None]
                    if None in taken:
                        self._crowded_until = self._clock() + _CROWDED_S
                        self._disperse(left)
                    if len(claimed) >= limit or looked_at >= _LOOKED_AT_MAX:
                        return claimed
        except StoreUnavailable:
            # What has been taken would be nobody's until its lease is over.
            if not claimed:
                raise
        return claimed

    def _disperse(self, items: list[Item]) -> None:
        items.sort(key=lambda _: self._spread())

    def _pages(self, kinds: Sequence[str], now: datetime, limit: int) -> Iterator[list[Item]]:
        """Keys of what the index shows as due, a page of every shard at a time, the longest due first."""
        if limit < 1:
            return
        asked = [
            query(
                self._table,
                "#due_in = :shard AND #due <= :now",
                {":shard": shard, ":now": number(micros(now) or 0)},
                index="due",
                limit=max(limit, _PAGE),
            )
            for kind in kinds
            for shard in self._shards.all(kind)
        ]
        while asked:
            answers = self._together([partial(self._patience.ask, "Query", one) for one in asked])
            found = [item for answer in answers for item in answer.items]
            yield sorted(
                found, key=lambda item: (int(str(item["due"].n)), str(item["pk"].s), str(item["sk"].s))
            )
            asked = [
                one | {"ExclusiveStartKey": answer.last_evaluated_key}
                for one, answer in zip(asked, answers, strict=True)
                if answer.last_evaluated_key
            ]
