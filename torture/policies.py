"""What the shop has chosen about money that must not be kept: every server that starts finds other choices.

A shop changes its mind between two starts at most; here it does so at every one, so that what one server has begun is
finished under the choices of another.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping

__all__ = ["choices_by"]


def choices_by(seed: int, name: str, found: Counter[str]) -> Callable[[], Mapping[str, str]]:
    """What gives the settings of a server's next start.

    Args:
        seed: Decides all of them.
        name: Which server.
        found: Counts what was chosen.
    """
    rng = random.Random(f"{seed}:{name}:choices")

    def choices() -> Mapping[str, str]:
        mismatch, late = rng.choice(("cancel", "hold")), rng.choice(("hold", "accept", "cancel"))
        found[f"mismatch {mismatch}, late {late}"] += 1
        return {"DOJANG_ON_MISMATCH": mismatch, "DOJANG_LATE_PAYMENT": late}

    return choices
