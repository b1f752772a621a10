"""What a history says, read by a second pair of eyes: shares nothing with the code that writes histories.

It knows events as plain dictionaries and keeps only what a shop would ask about: the state, which receipt pays, what
went back, what became of other receipts, how each cancel request ended, and what a person is still asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

__all__ = ["read_history"]

Json = Mapping[str, object]

# event → (states it may come in, state it leads to; None: stays)
_ANY = frozenset(
    {"open", "awaiting_deposit", "confirming", "paid", "cancelling", "cancelled", "expired", "attention"}
)
_STEPS: Mapping[str, tuple[frozenset[str], str | None]] = {
    "account_issued": (frozenset({"open"}), "awaiting_deposit"),
    "account_withdrawn": (frozenset({"awaiting_deposit"}), "open"),
    "approval_intended": (frozenset({"open", "confirming"}), "confirming"),
    "approval_refused": (frozenset({"confirming"}), "open"),
    "paid": (frozenset({"open", "awaiting_deposit", "confirming", "expired"}), "paid"),
    "receipt_refused": (_ANY, None),
    "surplus_found": (_ANY, None),
    "money_returned": (_ANY, None),
    "cancel_intended": (frozenset({"paid", "cancelling"}), "cancelling"),
    "cancel_refused": (frozenset({"cancelling"}), "paid"),
    "partially_cancelled": (frozenset({"paid", "cancelling"}), "paid"),
    "cancelled": (frozenset({"paid", "cancelling"}), "cancelled"),
    "stands_again": (frozenset({"paid"}), "paid"),
    "expired": (frozenset({"open", "awaiting_deposit"}), "expired"),
    "attention": (_ANY, "attention"),
    "resolved": (_ANY, None),
}
_FATES = {"receipt_refused": "refused", "money_returned": "returned"}


def read_history(events: Sequence[Json]) -> dict[str, object]:
    """Where a history leads.

    Raises:
        ValueError: If a step could not have followed the ones before it.
    """
    state, receipt_id, cancelled, cancelled_tax_free = "open", None, 0, 0
    others: dict[str, str] = {}
    requests: dict[str, str] = {}
    under_way: str | None = None
    repeats = False
    account: str | None = None
    interrupted = ""
    questions: list[tuple[str, str | None]] = []
    for number, event in enumerate(events):
        what, data = str(event["what"]), cast("Json", event["data"])
        if (what == "registered") != (number == 0):
            raise ValueError(f"{what} is step {number + 1}")
        if what == "registered":
            continue
        allowed, target = _STEPS[what]
        if state not in allowed:
            raise ValueError(f"{what} came while {state}")
        about = str(data["receipt_id"]) if data.get("receipt_id") else None
        if what == "resolved":
            called, to, accepted = state == "attention", str(data["to"]), data.get("resolution") == "accept"
            if accepted and (to != "paid" or state in ("confirming", "paid", "cancelling", "cancelled")):
                raise ValueError(f"money was accepted while {state}")
            if not called and not accepted and (to != state or data.get("resolution") != "return"):
                raise ValueError(f"a person led from {state} to {to}")
            if called and interrupted == "cancelling":
                requests.update({key: "undone" for key, end in requests.items() if end == "in_flight"})
            if called and interrupted == "confirming" and receipt_id is not None:
                others.setdefault(receipt_id, "set_aside")
                receipt_id = None
            state, questions, interrupted = to, [], ""
            if accepted:
                if account is not None:
                    others[account] = "set_aside"
                receipt_id, account = about, None
                others.pop(about or "", None)
        elif target is not None:
            if what == "attention" and state != "attention":
                interrupted = state
            state = target
        if what == "attention" and (str(data["reason"]), about) not in questions:
            questions.append((str(data["reason"]), about))
        if what == "account_issued":
            account = about
        if what in ("account_withdrawn", "paid", "expired"):
            account = None
        if what in ("account_issued", "approval_intended", "paid"):
            receipt_id = about
        if what in ("account_withdrawn", "approval_refused"):
            receipt_id = None
        if what in ("account_withdrawn", "approval_refused") and data.get("set_aside"):
            others[about or ""] = "set_aside"
        if what in ("paid", "account_issued", "approval_intended"):
            others.pop(about or "", None)
        if what in _FATES:
            others[about or ""] = "set_aside" if data.get("set_aside") else _FATES[what]
        if what == "surplus_found":
            others[about or ""] = str(data["fate"])
        if what in ("partially_cancelled", "cancelled"):
            cancelled, cancelled_tax_free = (
                cast("int", data["cancelled"]),
                cast("int", data["cancelled_tax_free"]),
            )
        if what == "cancel_intended":
            under_way = str(data["cancel_id"])
            requests[under_way], repeats = "in_flight", bool(data.get("left_before"))
        elif under_way is not None and what == "cancel_refused":
            refused = "refused_repeat" if repeats else "refused"
            requests[under_way] = "undone" if data.get("undone") else refused
            under_way = None
        elif what in ("partially_cancelled", "cancelled"):
            ended = str(data["cancel_id"]) if "cancel_id" in data else under_way
            if ended is not None:
                requests[ended] = "done"
            requests.update(dict.fromkeys(cast("Sequence[str]", data.get("in_doubt", ())), "unknown"))
            under_way = None
        elif what == "attention":
            under_way = None
    return {
        "state": state,
        "receipt_id": receipt_id,
        "cancelled": cancelled,
        "cancelled_tax_free": cancelled_tax_free,
        "others": others,
        "requests": requests,
        "questions": questions,
    }
