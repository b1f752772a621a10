"""What the shop is owed in notifications: what is said, when it is due, and when it counts as heard.

Nothing is sent here. Whoever sends asks `due_webhooks()`, and reports back with `answered()`.
"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import urlencode

import msgspec

from dojang.emulator.books import Attempt, Books, Json, Receipt, Webhook
from dojang.emulator.faces import korean, v1_done, v1_payment_data, v1_receipt, v2_receipt
from dojang.emulator.words import STATUS_LOCALES

__all__ = ["WebhookLog", "form_encoded"]


class WebhookLog(Books):
    """The books with their notifications."""

    def owe(self, receipt: Receipt, type_: str, **more: object) -> Webhook | None:
        """Owe the shop word of what just happened to `receipt`; nothing when it gave no address."""
        url = self.webhook_url if receipt.webhook_url is None else receipt.webhook_url
        if not url:
            return None
        now = self.now()
        webhook = Webhook(
            id=f"wh_{self._next():06d}",
            receipt_id=receipt.receipt_id,
            generation=receipt.generation,
            type=type_,
            url=url,
            form=receipt.webhook_form,
            body=self._v1_body(receipt) if receipt.generation == 1 else self._v2_body(receipt, type_, more),
            created_at=now,
            due_at=now + receipt.webhook_delay_s,
        )
        self.state.webhooks[webhook.id] = webhook
        self.state.owed.append(webhook.id)
        self.changes += 1
        return webhook

    def tell_again(self, receipt_id: str, url: str = "") -> bool:
        """Owe the latest word of a receipt once more, to `url` when given; whether there was any.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`.
        """
        self.tick()
        receipt = self.find(receipt_id)
        told = [hook for hook in self.state.webhooks.values() if hook.receipt_id == receipt_id]
        again = self.owe(receipt, told[-1].type) if told else None
        if again is not None and url.startswith(("http://", "https://")):
            again.url = url
        return again is not None

    def _v2_body(self, receipt: Receipt, type_: str, more: Json) -> Json:
        body = v2_receipt(receipt, self.rules) | more
        if (
            type_ == "PAYMENT_PARTIAL_CANCELLED"
            and self.rules.partial_cancel_webhook_status != receipt.status
        ):
            body["status"] = self.rules.partial_cancel_webhook_status
            body["status_locale"] = STATUS_LOCALES.get(self.rules.partial_cancel_webhook_status, "")
        if receipt.webhook_typed:
            body["webhook_type"] = type_
        return body

    def _v1_body(self, receipt: Receipt) -> Json:
        if not receipt.webhook_form:
            return v1_done(receipt, self.rules) | {"payment_data": v1_payment_data(receipt)}
        seen = v1_receipt(receipt, self.rules)
        first = ("receipt_id", "pg", "pg_name", "method", "method_name", "receipt_url")
        body: Json = {field: seen.get(field) for field in first}
        body |= {
            "application_id": self.state.application_id,
            "name": seen.get("name"),
            "private_key": self.state.private_key,
            "order_id": seen.get("order_id"),
            "payment_data": seen.get("payment_data"),
            "unit": seen.get("unit"),
            "purchased_at": seen.get("purchased_at"),
            "price": seen.get("price"),
            "retry_count": 0,
            "status": seen.get("status"),
        }
        if receipt.metadata:
            body["params"] = receipt.metadata
        if receipt.cancelled_at is not None:
            body["revoked_at"] = korean(receipt.cancelled_at)
        return body

    # Sending

    def due_webhooks(self) -> list[Webhook]:
        """Those to be sent now, longest due first; each counts as in flight until it is answered."""
        self.tick()
        now = self.now()
        due = [hook for hook in self._owed() if hook.due_at <= now and not hook.in_flight]
        due.sort(key=lambda hook: hook.due_at)
        return due

    def next_webhook_due(self, besides: Container[str] = ()) -> float | None:
        """When the next webhook is due, if any is waiting, of other receipts than those named."""
        waiting = (hook for hook in self._owed() if not hook.in_flight and hook.receipt_id not in besides)
        return min((hook.due_at for hook in waiting), default=None)

    def _owed(self) -> list[Webhook]:
        return [self.state.webhooks[id_] for id_ in self.state.owed]

    def payload(self, webhook: Webhook) -> tuple[str, bytes]:
        """What travels: the content type and the body of the coming attempt."""
        if not webhook.form:
            return "application/json", msgspec.json.encode(webhook.body)
        body = webhook.body
        if webhook.generation == 1:
            body = body | {"retry_count": len(webhook.attempts)}
        return "application/x-www-form-urlencoded", form_encoded(body).encode()

    def answered(self, webhook: Webhook, *, status: int | None, answer: bytes = b"", error: str = "") -> None:
        """Note what the shop answered; what was not heard is due again, until patience ends."""
        webhook.in_flight = False
        short = answer[:200].decode("utf-8", "replace")
        webhook.attempts = [
            *webhook.attempts,
            Attempt(at=self.now(), status=status, answer=short, error=error),
        ]
        self.changes += 1
        if heard(webhook.generation, status, answer):
            return self._settle(webhook, "acknowledged")
        tries = len(webhook.attempts) - webhook.resends
        if webhook.verdict != "pending" or tries > self.rules.webhook_retries:
            return self._settle(webhook, "failed" if webhook.verdict == "pending" else webhook.verdict)
        # Counted from when this attempt was due, not from when it was made: moving the clock by an hour
        # is to send all that an hour would have sent.
        webhook.due_at += self.rules.webhook_interval_s * 2.0 ** (tries - 1)
        return None

    def drop(self, webhook: Webhook) -> None:
        """Lose a webhook on the way, as networks do."""
        self.changes += 1
        self._settle(webhook, "dropped")

    def _settle(self, webhook: Webhook, verdict: str) -> None:
        webhook.verdict = verdict
        if webhook.id in self.state.owed:
            self.state.owed.remove(webhook.id)

    def resend(self, webhook_id: str) -> Webhook | None:
        """Send a webhook once more, whatever became of it; None when there is none of that id."""
        webhook = self.state.webhooks.get(webhook_id)
        if webhook is None:
            return None
        webhook.due_at = self.now()
        webhook.resends += 1
        webhook.judged = True
        if webhook.id not in self.state.owed:
            self.state.owed.append(webhook.id)
        self.changes += 1
        return webhook


def heard(generation: int, status: int | None, answer: bytes) -> bool:
    """Whether an answer counts: `OK` for the first generation, 200 and `{"success": true}` for the second."""
    if status != 200:
        return False
    if generation == 1:
        return answer.strip() == b"OK"
    try:
        said = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(said, dict) and said.get("success") is True


def form_encoded(body: Json) -> str:
    """A body as a form, nested values as `outer[inner]=…`."""
    return urlencode(list(_pairs("", body)))


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            pair
            for key, inner in value.items()
            for pair in _pairs(f"{name}[{key}]" if name else str(key), inner)
        ]
    if isinstance(value, list):
        return [pair for inner in value for pair in _pairs(f"{name}[]", inner)]
    if value is None:
        return [(name, "")]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    return [(name, str(value))]
