"""Whether people's words were kept: written down once, and obeyed until their next word."""

from __future__ import annotations

from collections.abc import Iterator

from torture.case import CANCELLED, PAID, Case

__all__ = ["kept"]


def kept(case: Case) -> Iterator[str]:
    """What people were answered is on file, nobody else's word is, and the money does as they said."""
    words = {f"person:{word.who}": word for word in case.words}
    written = case.steps("resolved")
    for who, word in words.items():
        found = [(step["resolution"], step.get("receipt_id")) for step in written if step["who"] == who]
        expected = [(word.decision, word.receipt_id)]
        fits = {"done": found == expected, "no": not found, "unknown": found in (expected, [])}
        if not fits[word.outcome]:
            yield f"{who} said {expected}, was answered {word.outcome}, and the history has {found}"
    for step in written:
        if step["who"] not in words:
            yield f"{step['who']} decided in the history, and nobody did"
    for receipt_id in dict.fromkeys(step["receipt_id"] for step in written if "receipt_id" in step):
        yield from _obeyed(case, receipt_id)


def _obeyed(case: Case, receipt_id: str) -> Iterator[str]:
    word, fate = case.last_word(receipt_id), case.fates.get(receipt_id)
    status = {receipt["receipt_id"]: receipt["status"] for receipt in case.receipts}.get(receipt_id)
    allowed = {
        "accept": {("pays", PAID), ("pays", CANCELLED)},
        "return": {("returned", CANCELLED)},
        "dismiss": {("held", PAID)},
    }
    if (fate, status) not in allowed[word]:
        yield f"receipt {receipt_id}: the last word was {word}, but it is {fate}, and at Bootpay {status}"
    if word == "dismiss":
        since = case.steps("resolved", receipt_id=receipt_id)[-1]["version"]
        again = [
            step["version"]
            for step in case.steps("attention", receipt_id=receipt_id)
            if step["version"] > since
        ]
        if again:
            yield f"receipt {receipt_id} was dismissed in step {since} and asked about again in {again}"
