"""A body nested deeper than anybody means is refused like any other garbage."""

from __future__ import annotations

import pytest
import urllib3

from dojang.emulator.server import EmulatorServer


@pytest.mark.parametrize("path", ["/v2/confirm", "/submit.json", "/emulator/checkouts", "/emulator/faults"])
@pytest.mark.parametrize("body", [b"[" * 50_000, b'{"a":' * 50_000])
def test_a_deeply_nested_body_is_refused(path: str, body: bytes) -> None:
    """The answer is a 4xx, never a 5xx."""
    with EmulatorServer() as emulator:
        headers = {"Authorization": "Basic Y2xpZW50OnNlY3JldA==", "Content-Type": "application/json"}
        answer = urllib3.PoolManager().request(
            "POST", emulator.url + path, body=body, headers=headers, retries=False
        )

    assert 400 <= answer.status < 500
