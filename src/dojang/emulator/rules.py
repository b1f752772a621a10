"""Bootpay's habits that its documents leave open, each with the default taken here, each switchable."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Keys", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """How the pretend Bootpay behaves where the real one may differ.

    Attributes:
        token_life_s: How long an access token is good for.
        token_reuse_s: For how long asking again gives the same token.
        user_token_life_s: How long an easy-pay window's token is good for.
        confirm_window_s: How long an authorised payment waits for its approval before it fails.
        checkout_window_s: How long a payment window stays open.
        account_life_s: How long a virtual account waits for its deposit.
        identity_window_s: How long an identity check may take, and its result may be read.
        sandbox_auto_cancel_s: When sandbox payments are cancelled by themselves; None is never.
        webhook_retries: How often a webhook is sent again.
        webhook_interval_s: The wait before the first repetition; each later one doubles it.
        webhook_timeout_s: How long a receiver may take to answer.
        partial_cancel_webhook_status: The status that the webhook of a partial cancel carries: 1 or 20.
        reserves_max: How many charges may wait on one billing key.
        v1_partial_cancel_min: The least the first generation gives back in part.
        sandbox_vbank_cancellable: Whether deposits to a sandbox's virtual account can be sent back.
        company_name: The shop's name on receipts.
        gateway_url: The payment window's address on receipts.
        receipt_host: The address under which receipts are shown to buyers.
    """

    token_life_s: float = 1800
    token_reuse_s: float = 1500
    user_token_life_s: float = 3600
    confirm_window_s: float = 1800
    checkout_window_s: float = 1800
    account_life_s: float = 3 * 86400
    identity_window_s: float = 1800
    sandbox_auto_cancel_s: float | None = None
    webhook_retries: int = 10
    webhook_interval_s: float = 60
    webhook_timeout_s: float = 5
    partial_cancel_webhook_status: int = 1
    reserves_max: int = 10
    v1_partial_cancel_min: int = 1000
    sandbox_vbank_cancellable: bool = True
    company_name: str = "테스트상점"
    gateway_url: str = "https://gw.bootpay.co.kr"
    receipt_host: str = "https://door.bootpay.co.kr"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are right. An empty one is not checked."""

    client_key: str = ""
    secret_key: str = field(default="", repr=False)
    application_id: str = ""
    private_key: str = field(default="", repr=False)
