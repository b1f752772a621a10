"""`python -m torture.later 900 serve …`: the real program on a machine whose clock is so many seconds ahead.

The program has no setting for this and gets none. It stands for a machine that was down for a while: leases of 45
seconds, claims of two minutes and undecided cancels of ten come to their end without anybody waiting that long.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from dojang.__main__ import main
from dojang.adapters.clock import SystemClock


def _later(ahead: timedelta) -> None:
    def now(self: SystemClock) -> datetime:  # noqa: ARG001 - a method's
        return datetime.now(UTC) + ahead

    SystemClock.now = now  # type: ignore[method-assign]  # this machine's clock is wrong on purpose


if __name__ == "__main__":
    _later(timedelta(seconds=float(sys.argv.pop(1))))
    main()
