"""`dojang migrate`: bring the store up to date."""

from __future__ import annotations

from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.errors import StoreUnavailable

__all__ = ["migrate"]


@with_settings
def migrate(invocation: Invocation) -> Code:
    """Make the store or bring it up to date. Safe to run again, and from several machines at once.

    Ends with 1 if a DynamoDB table holds orders beyond the parts that `shards=` names.

    Example:
      dojang migrate --store sqlite:////var/lib/dojang/orders.sqlite3
    """
    from dojang.entry.wiring import left_out, migrated, store_name

    settings = invocation.settings(bootpay=False)
    with invocation.terminal.working("migrating (저장소를 갱신하는 중)"):
        ran = migrated(settings)
    invocation.terminal.facts({"store": store_name(settings.store), "migrations": ran})
    try:
        if missed := left_out(settings):
            invocation.terminal.warn(missed)
            return Code.FAILURE
    except StoreUnavailable as error:
        # Who may make the table need not be allowed to read it.
        invocation.terminal.warn(f"Whether shards= leaves orders out could not be seen: {error}")
    invocation.terminal.say(
        "Brought up to date (갱신했습니다)." if ran else "It was up to date (이미 최신입니다)."
    )
    return Code.FINE
