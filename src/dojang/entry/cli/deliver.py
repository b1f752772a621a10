"""`dojang deliver`: hand over what is owed, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from dojang.core.delivery import DeliveryState
from dojang.drive import run
from dojang.entry.cli.answers import as_json
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.web.showing import shown_delivery

__all__ = ["deliver"]


@with_settings
def deliver(
    invocation: Invocation,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many attempts.")] = 1_000,
    retry: Annotated[
        str | None,
        typer.Option(metavar="DELIVERY_ID", help="Only make this one due again, even if it was given up."),
    ] = None,
) -> Code:
    """Hand over everything that is due, once: notices to the shop, and money back to buyers.

    Ends with 1 if something could not be handed over; it will be tried again.

    Example:
      dojang deliver
      dojang deliver --retry A-1024:2:order_paid
    """
    if retry is not None:
        return _retry(invocation, retry)
    from dojang.usecases.deliver_owed import deliver_owed

    with invocation.world() as world:
        if world.fulfilment is None:
            invocation.terminal.warn(
                "DOJANG_DELIVER_TO is not set: notices to the shop wait in the store, only money back is handed over "
                "(결제 결과를 알릴 주소가 없어 환불만 처리합니다. DOJANG_DELIVER_TO를 설정해 주세요)."
            )
        report = run(deliver_owed(world, limit=limit))
    for attempt in report.attempts:
        if attempt.result != "settled":
            invocation.terminal.warn(attempt.sentence)
    invocation.terminal.facts(
        {"settled": report.settled.total(), "failed": report.failed, "dead": report.dead}
        | ({"by_type": dict(report.settled)} if report.settled else {})
    )
    return Code.FAILURE if report.failed or report.dead else Code.FINE


def _retry(invocation: Invocation, delivery_id: str) -> Code:
    with invocation.backend() as backend:
        delivery = backend.retry_delivery(delivery_id, datetime.now(UTC))
    if delivery is None:
        invocation.terminal.say(
            f"There is no such delivery (존재하지 않는 전달 건입니다): {delivery_id}", "red"
        )
        return Code.REFUSED
    invocation.terminal.facts(as_json(shown_delivery(delivery)))
    if delivery.state is DeliveryState.SETTLED:
        invocation.terminal.say("It was handed over before; nothing changes (이미 전달되었습니다).")
    return Code.FINE
