"""`dojang migrate`: bring the store up to date."""

from __future__ import annotations

from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings

__all__ = ["migrate"]


@with_settings
def migrate(invocation: Invocation) -> Code:
    """Make the store or bring it up to date. Safe to run again, and from several machines at once.

    Example:
      dojang migrate --store sqlite:////var/lib/dojang/orders.sqlite3
    """
    from dojang.entry.wiring import migrated, store_name

    settings = invocation.settings(bootpay=False)
    with invocation.terminal.working("migrating (저장소를 갱신하는 중)"):
        ran = migrated(settings)
    invocation.terminal.facts({"store": store_name(settings.store), "migrations": ran})
    invocation.terminal.say(
        "Brought up to date (갱신했습니다)." if ran else "It was up to date (이미 최신입니다)."
    )
    return Code.FINE
