"""Failing assertions of the shipped contract show their values, like those of any other test."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("dojang.testing.store_contract")
