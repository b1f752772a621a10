"""What the demo shop must be told."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ShopOptions"]


@dataclass(frozen=True, slots=True)
class ShopOptions:
    """How a demo shop runs.

    Attributes:
        dojang_url: Where dojang answers.
        emulator_url: Where the emulator answers, as the browser reaches it.
        api_key: One of dojang's `DOJANG_API_KEYS`; stays on the server.
        deliver_secret: dojang's `DOJANG_DELIVER_SECRET`, `whsec_…`; "" refuses every delivery.
        port: Where the shop listens; 0 takes a free port.
        host: The address it listens on.
        client_key: The public key that the browser opens payment windows with.
        open_type: How the window opens: iframe, popup or redirect.
    """

    dojang_url: str = "http://127.0.0.1:8400"
    emulator_url: str = "http://127.0.0.1:8401"
    api_key: str = field(default="", repr=False)
    deliver_secret: str = field(default="", repr=False)
    port: int = 8402
    host: str = "127.0.0.1"
    client_key: str = "demo"
    open_type: str = "iframe"
