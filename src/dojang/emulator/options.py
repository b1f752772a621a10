"""What `dojang emulator` can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dojang.emulator.rules import Keys, Rules

__all__ = ["EmulatorOptions"]


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """How an emulator runs.

    Attributes:
        host: The address it listens on.
        port: The port it listens on; 0 takes a free one.
        webhook_url: The project's webhook address; "" when it has none.
        state_file: Where it remembers across restarts; None forgets.
        seed: What its ids are made of: the same steps give the same ids. None takes a new one each time.
        keys: The only keys accepted; by default any.
        rules: Bootpay's habits, where they can differ.
    """

    host: str = "127.0.0.1"
    port: int = 8401
    webhook_url: str = ""
    state_file: Path | None = None
    seed: int | None = None
    keys: Keys = field(default_factory=Keys)
    rules: Rules = field(default_factory=Rules)
