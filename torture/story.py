"""What one buyer and one shop can do about an order.

Everybody repeats what got no answer a bounded number of times, as browsers and servers do, and then gives up. What was
done and what was answered is noted, for the comparison at the end.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from torture.notes import CancelNote, Note
from torture.wire import Answer, Wire

if TYPE_CHECKING:
    from torture.buyers import Buyers

__all__ = ["Story"]

_DOUBTFUL = (0, 202, 429, 503)
_REFUND = {"bank_code": "004", "bank_account": "11122233344455", "bank_username": "구매자"}


class Story:
    """One buyer and one order.

    Args:
        buyers: Among whom; they know the servers and how patient anybody is.
        number: Which order it is.
        kind: What is going to happen.
        rng: Decides how exactly.
    """

    def __init__(self, buyers: Buyers, number: int, kind: str, rng: random.Random) -> None:
        self.buyers = buyers
        self.rng = rng
        price = rng.randrange(1_000, 100_000)
        tax_free = rng.randrange(1, price) if rng.random() < 0.25 else 0
        self.note = Note(f"t-{number}", kind, price, tax_free)
        self.number = number
        self._hand = "a"
        self._keys = 0

    def hand(self, name: str) -> Story:
        """The same buyer in another thread, with dice of its own: whose throw comes first must not matter."""
        rng = random.Random(f"{self.buyers.seed}:{self.number}:{name}")
        other = Story(self.buyers, self.number, self.note.kind, rng)
        other.note = self.note
        other._hand = name
        return other

    # What a shop does

    def register(self, expires_s: float | None = None) -> bool:
        """Tell the service what is to be paid; whether it heard."""
        body: dict[str, Any] = {
            "order_id": self.note.order_id,
            "price": self.note.price,
            "tax_free": self.note.tax_free,
            "name": "원두 200g",
            "metadata": {"kind": self.note.kind},
        }
        if expires_s is not None:
            body["expires_at"] = (datetime.now(UTC) + timedelta(seconds=expires_s)).isoformat()
        for _ in self._tries(20):
            answer = self._service().ask("POST", "/v1/orders", body, keyed=True, within_s=self._within_s())
            self._count(answer)
            if answer.status in (200, 201):
                self.buyers.notes[self.note.order_id] = self.note
                return True
            if answer.status not in _DOUBTFUL:
                raise RuntimeError(f"registering answered {answer.status}: {answer.body}")
        return False

    def cancel(self, amount: int | None = None, *, refund: bool = False) -> None:
        """Ask under one key until there is a word on it, or patience ends."""
        if not self.buyers.cancels:
            return
        self._keys += 1
        note = CancelNote(f"{self.note.order_id}-{self._hand}-{self._keys}", amount)
        self.note.cancels.append(note)
        body: dict[str, Any] = {"reason": "고객 변심"}
        if amount is not None:
            body["amount"] = amount
            body["tax_free"] = amount * self.note.tax_free // self.note.price
        if refund:
            body["refund_account"] = _REFUND
        path = f"/v1/orders/{self.note.order_id}/cancel"
        for _ in self._tries(self.rng.randrange(2, 12)):
            answer = self._service().ask(
                *("POST", path, body),
                keyed=True,
                within_s=self._within_s(),
                headers={"idempotency-key": note.key},
            )
            self._count(answer)
            if answer.status == 200:
                note.outcome = "done"
                return
            code = answer.body.get("code", "") if isinstance(answer.body, dict) else ""
            if answer.status in _DOUBTFUL or code in ("cancel_in_progress", "needs_attention"):
                continue
            if answer.status not in (409, 422):
                raise RuntimeError(f"a cancel answered {answer.status}: {answer.body}")
            # The key is looked up before anything else: whatever stands in the way now, this was never carried out.
            note.outcome = "no"
            return

    # What a buyer does

    def checkout(
        self,
        price: int | None = None,
        *,
        confirmed: bool,
        method: str = "card",
        tax_free: int | None = None,
    ) -> str:
        """Open a window, by its own terms where they are given; the receipt's id."""
        body = {
            "order_id": self.note.order_id,
            "price": self.note.price if price is None else price,
            "tax_free": self.note.tax_free if tax_free is None else tax_free,
            "order_name": "원두 200g",
            "method": method,
            "separately_confirmed": confirmed,
        }
        receipt_id = str(self.buyers.bootpay.need("POST", "/emulator/checkouts", body)["receipt_id"])
        if confirmed:
            self.note.waiting.add(receipt_id)
        return receipt_id

    def step(self, receipt_id: str, step: str, **body: object) -> Any:
        """Do something at the payment company."""
        return self.buyers.bootpay.need("POST", f"/emulator/receipts/{receipt_id}/{step}", body)

    def verify(self, receipt_id: str, tries: int | None = None, order_id: str | None = None) -> Answer:
        """Ask until there is an answer, or patience ends."""
        path = f"/v1/orders/{order_id or self.note.order_id}/verify"
        answer = Answer(0)
        for _ in self._tries(tries or self.rng.choice((1, 3, 10, 40))):
            answer = self._service().ask("POST", path, {"receipt_id": receipt_id}, within_s=self._within_s())
            self._count(answer)
            if answer.status not in (*_DOUBTFUL, 502):
                break
        if order_id is not None:
            return answer
        if answer.status == 200 and answer.body["state"] == "paid":
            self.note.told_paid.add(receipt_id)
        elif answer.status in (409, 422):
            self.note.told_refused[receipt_id] = answer.body["code"]
        elif answer.status not in (200, 502, *_DOUBTFUL):
            raise RuntimeError(f"a verification answered {answer.status}: {answer.body}")
        return answer

    def _tries(self, most: int) -> Any:
        for number in range(most):
            if number:
                if self.buyers.closing:
                    return
                self.buyers.pause(self.rng.uniform(0.05, 0.6))
            yield number

    def _within_s(self) -> float:
        return min(self.buyers.patience_s, self.rng.choice((1.0, 5.0, 25.0)))

    def _service(self) -> Wire:
        return self.rng.choice(self.buyers.services)

    def _count(self, answer: Answer) -> None:
        self.buyers.asked[answer.status] += 1
