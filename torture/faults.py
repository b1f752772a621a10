"""What goes wrong at Bootpay while servers are killed."""

from __future__ import annotations

__all__ = ["FAULTS"]

# Far more trouble than any day brings, and still little enough that most stories come to an end.
FAULTS: tuple[dict[str, object], ...] = (
    {"on": "POST /v2/confirm", "do": "delay", "probability": 0.3, "delay_s": 0.4},
    {"on": "POST /v2/confirm", "do": "timeout_after", "probability": 0.03, "delay_s": 2},
    {"on": "POST /v2/confirm", "do": "timeout_before", "probability": 0.03, "delay_s": 2},
    {"on": "POST /v2/confirm", "do": "critical", "probability": 0.03},
    {"on": "POST /v2/confirm", "do": "critical", "probability": 0.02, "effect": False},
    {"on": "POST /v2/confirm", "do": "reset", "probability": 0.02, "effect": True},
    {"on": "POST /v2/confirm", "do": "reset", "probability": 0.02},
    {"on": "POST /v2/confirm", "do": "malformed", "probability": 0.02},
    {"on": "POST /v2/confirm", "do": "html_502", "probability": 0.02},
    {"on": "POST /v2/cancel", "do": "delay", "probability": 0.3, "delay_s": 0.4},
    {"on": "POST /v2/cancel", "do": "timeout_after", "probability": 0.04, "delay_s": 2},
    {"on": "POST /v2/cancel", "do": "timeout_before", "probability": 0.02, "delay_s": 2},
    {"on": "POST /v2/cancel", "do": "critical", "probability": 0.03},
    {"on": "POST /v2/cancel", "do": "reset", "probability": 0.03, "effect": True},
    {"on": "POST /v2/cancel", "do": "malformed", "probability": 0.02},
    {"on": "POST /v2/cancel", "do": "html_502", "probability": 0.02},
    {"on": "GET /v2/receipt", "do": "delay", "probability": 0.1, "delay_s": 0.1},
    {"on": "GET /v2/receipt", "do": "timeout_before", "probability": 0.01, "delay_s": 2},
    {"on": "GET /v2/receipt", "do": "html_502", "probability": 0.01},
    {"on": "GET /v2/receipt", "do": "reset", "probability": 0.01},
    {"on": "GET /v2/receipt", "do": "malformed", "probability": 0.01},
    {"on": "GET /v2/lookup", "do": "html_502", "probability": 0.02},
    {"on": "*", "do": "drop_webhook", "probability": 0.1},
    {"on": "*", "do": "duplicate_webhook", "probability": 0.1},
    {"on": "*", "do": "delay_webhook", "probability": 0.1, "delay_s": 2},
    {"on": "*", "do": "reorder_webhooks", "probability": 0.1},
)
