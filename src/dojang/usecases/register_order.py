"""The shop says what an order should cost, before checkout."""

from __future__ import annotations

from collections.abc import Mapping

from dojang.core.order import Order
from dojang.core.payment import Event, Payment, Record, State, What
from dojang.core.schedule import next_check
from dojang.core.values import Value
from dojang.ports import World

__all__ = ["OrderExists", "Registered", "register_order"]


class Registered(Value, kw_only=False):
    """The order is on file under these terms.

    Attributes:
        record: As the store has it.
        created: False where the same order had been registered before.
        over: Whether the time to pay is over by now with no money seen: whatever comes will be late.
    """

    record: Record
    created: bool
    over: bool = False


class OrderExists(Value, kw_only=False):
    """Another order is on file under this id; its terms stay as they are.

    Attributes:
        record: The order that is there.
        differs: The terms that are not the same.
    """

    record: Record
    differs: tuple[str, ...]

    @property
    def difference(self) -> str:
        """What is not the same, as the end of a sentence."""
        return f"{', '.join(self.differs)} {'differs' if len(self.differs) == 1 else 'differ'}"


async def register_order(world: World, order: Order) -> Registered | OrderExists:
    """Put an order on file. Doing it again with the same terms changes nothing."""
    now = world.clock.now()
    event = Event(
        version=1,
        at=now,
        what=What.REGISTERED,
        who="shop",
        data={
            "price": order.price.minor,
            "currency": order.price.currency,
            "tax_free": order.tax_free,
            "expires_at": order.expires_at.isoformat() if order.expires_at else None,
        },
    )
    record, created = await world.store.register(
        order, event, next_check(order, Payment(), now, now, world.spread())
    )
    differs = _differences(order, record.order)
    if differs:
        return OrderExists(record, differs)
    # Taken all the same: what a shop does with late money is its own rule. But mostly it is a clock or a time zone.
    over = order.expires_at is not None and order.expires_at <= now
    return Registered(record, created, over and record.payment.state in (State.OPEN, State.EXPIRED))


def _differences(wanted: Order, stored: Order) -> tuple[str, ...]:
    pairs = {
        "price": (wanted.price.minor, stored.price.minor),
        "currency": (wanted.price.currency, stored.price.currency),
        "tax_free": (wanted.tax_free, stored.tax_free),
        "name": (wanted.name, stored.name),
        "expires_at": (wanted.expires_at, stored.expires_at),
        "metadata": (_exact(wanted.metadata), _exact(stored.metadata)),
    }
    return tuple(name for name, (ours, theirs) in pairs.items() if ours != theirs)


def _exact(metadata: Mapping[str, object]) -> dict[str, tuple[bool, bool, object]]:
    """Each value with its kind: to Python `True`, `1` and `1.0` are equal, to the shop that reads them they are not."""
    return {
        # Not its exact type: a store gives a shop's own kind of text back as plain text.
        name: (isinstance(value, bool), isinstance(value, float), value)
        for name, value in metadata.items()
    }
