"""Wheels without a network, and a pretend Bootpay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dojang.emulator.server import EmulatorServer
from dojang.entry.layer import Target


@pytest.fixture
def pretend_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels without a network: one module that stands for all."""

    def fetch(_: Target, folder: Path) -> dict[str, str]:
        (folder / "msgspec").mkdir()
        (folder / "msgspec" / "__init__.py").write_text("answer = {'a', 'b', 'c'}\n")
        (folder / "msgspec" / "__init__.pyi").write_text("answer: set[str]\n")
        (folder / "msgspec-9.9.dist-info").mkdir()
        (folder / "msgspec-9.9.dist-info" / "METADATA").write_text("Name: msgspec\n")
        (folder / "msgspec-9.9.dist-info" / "INSTALLER").write_text("somebody\n")
        return {"msgspec": "9.9"}

    monkeypatch.setattr("dojang.entry.layer.building.fetch", fetch)


@pytest.fixture(scope="session")
def bootpay() -> Iterator[EmulatorServer]:
    """A pretend Bootpay."""
    with EmulatorServer() as server:
        yield server
