"""The recording server, once for all comparisons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .operation import sample
from .recorder import Recorder, recording


@pytest.fixture(scope="session")
def one_recorder() -> Iterator[Recorder]:
    """The server every comparison shares."""
    with recording() as recorder:
        recorder.tokens = {
            "/request/token": sample("v1_token_response"),
            "/v2/request/token": sample("v2_token_response"),
        }
        yield recorder


@pytest.fixture
def recorder(one_recorder: Recorder) -> Recorder:
    """The shared server, with nothing heard yet."""
    one_recorder.heard()
    return one_recorder
