"""The store in memory keeps the promises of every store, or the tests that stand on it prove nothing."""

from __future__ import annotations

import pytest

from dojang.adapters.memory import MemoryBackend
from dojang.testing import StoreContract


class TestMemory(StoreContract):
    """Dictionaries under one lock."""

    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend()
