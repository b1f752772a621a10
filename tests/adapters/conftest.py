"""What the tests of DynamoDB's store share."""

from __future__ import annotations

import pytest

from .dynamodb_local import KEYS, Watched, local_way


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that open nothing, so that no test ever finds real ones."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def watched() -> Watched:
    """A way to the server that a test can watch."""
    return Watched(local_way())
