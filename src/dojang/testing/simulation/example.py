"""One payment that survived a crash, as its order's history tells it: the example in docs/reliability.md.

python -m dojang.testing.simulation.example                        prints it
python -m dojang.testing.simulation.example docs/reliability.md    writes it into the page, between its marks
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dojang.testing.simulation.cast import register, returning_buyer
from dojang.testing.simulation.collecting import evidence_of, plain_event
from dojang.testing.simulation.invariants import check, check_durable
from dojang.testing.simulation.recovery import recover
from dojang.testing.simulation.stage import Stage
from dojang.testing.simulation.tracing import table

__all__ = ["crashed_and_recovered", "page_with"]

_BEGIN = "<!-- example: written by `make reference` -->"
_END = "<!-- end of the example -->"


def crashed_and_recovered() -> str:
    """The story line by line, and the history that it leaves behind."""
    stage = Stage(trace=True, webhooks=False)
    order_id = register(stage, "A-1024", 15_000)
    assert stage.notes is not None
    stage.notes.clear()
    receipt_id = stage.pay(order_id, 15_000, separately_confirmed=True)
    stage.calm = False
    buyer = returning_buyer(stage, "buyer", order_id, receipt_id)
    # Bootpay takes the money; the process dies before it has heard of it.
    while not any(asked.what == "confirm" for asked in stage.asked):
        stage.let_on(buyer)
    buyer.die()
    stage.note(
        "dies", who=buyer.name, answer="our process is gone; Bootpay has the money, and nobody was told"
    )
    check_durable(evidence_of(stage))
    recover(stage, watch_s=0.0)
    check(evidence_of(stage))
    lines = [
        f"{event['version']}  {str(event['at'])[11:19]}  {event['who']:<7} {event['what']:<18} "
        + json.dumps(event["data"], ensure_ascii=False)
        for event in map(plain_event, stage.backend.history(order_id))
    ]
    return "\n".join([*table(stage.notes), "", "The history of A-1024:", *lines])


def page_with(page: str, example: str) -> str:
    """The page with the example between its marks.

    Raises:
        ValueError: If the page has no marks.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has no marks for the example")
    return f"{before}{_BEGIN}\n\n```text\n{example}\n```\n\n{_END}{after}"


def _main(arguments: list[str]) -> None:
    example = crashed_and_recovered()
    if not arguments:
        sys.stdout.write(example + "\n")
        return
    page = Path(arguments[0])
    page.write_text(page_with(page.read_text(encoding="utf-8"), example), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
