"""Draws the states of a payment into docs/architecture.md, from the one table that decides them.

python house/states.py            writes the picture between its markers
python house/states.py --check    only says whether it is out of date (tests/core runs this)
"""

from __future__ import annotations

import sys
from pathlib import Path

from dojang.core.payment import TRANSITIONS, State, What

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"
BEGIN = "<!-- generated: states (from dojang.core.payment.TRANSITIONS) -->"
END = "<!-- end of generated: states -->"
BESIDE = (What.RECEIPT_REFUSED, What.SURPLUS_FOUND, What.MONEY_RETURNED)


def diagram() -> str:
    """The table as a mermaid diagram. What every state allows is said once, in words."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.OPEN}: {What.REGISTERED}"]
    for state, row in TRANSITIONS.items():
        reached: dict[State, list[str]] = {}
        for what, after in row.items():
            if what not in (*BESIDE, What.ATTENTION):
                reached.setdefault(after, []).append(what.value)
        lines += [f"    {state} --> {after}: {', '.join(whats)}" for after, whats in reached.items()]
    lines += [
        f"    {State.CANCELLED} --> [*]",
        f"    {State.ATTENTION} --> [*]: {What.RESOLVED} (to any state)",
        "```",
    ]
    beside = ", ".join(f"`{what}`" for what in BESIDE)
    return "\n".join(lines) + (
        f"\n\nFrom every state `{What.ATTENTION}` leads to `{State.ATTENTION}`, and {beside} change nothing but the "
        "list of\nother receipts: money that is not the order's price comes and goes beside the payment."
    )


def main(check: bool) -> int:
    """Write the picture, or with `check` tell whether that would change the page."""
    page = PAGE.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        print(f"{PAGE.name} must hold the markers of the states once each", file=sys.stderr)
        return 1
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    drawn = f"{before}{BEGIN}\n\n{diagram()}\n\n{END}{after}"
    if check and drawn != page:
        print(
            "docs/architecture.md shows other states than the code: run `python house/states.py`",
            file=sys.stderr,
        )
        return 1
    if not check:
        PAGE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
