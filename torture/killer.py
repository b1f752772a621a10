"""kill -9 at random moments, and up again at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from torture.processes import Server

__all__ = ["kill_at_random"]


def kill_at_random(
    servers: Sequence[Server],
    kills: int,
    rng: random.Random,
    *,
    longest_s: float,
    until: float,
    done: Callable[[int], None],
) -> None:
    """Kill one of the servers again and again.

    Args:
        servers: Each is up when this begins and when it ends.
        kills: How often at least.
        rng: Chooses victims and moments.
        longest_s: How long a server may live after it can serve.
        until: `time.monotonic()` at which it is enough, whatever the count.
        done: Told after each kill how many there were.
    """
    while (count := sum(server.kills for server in servers)) < kills and time.monotonic() < until:
        done(count)
        victim = rng.choice(servers)
        if rng.random() < 0.12:
            # A server may also die while it starts: in the middle of opening the store, or of its first look-ups.
            victim.kill()
            victim.start()
            time.sleep(rng.uniform(0.0, 1.0))
        else:
            time.sleep(rng.uniform(0.02, longest_s))
        victim.kill()
        victim.start()
        victim.wait_ready()
