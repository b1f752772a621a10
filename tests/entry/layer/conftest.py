"""A layer that was really built, unpacked as Lambda would, beside what Lambda's own image has and nothing else."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from dojang.emulator.server import EmulatorServer
from dojang.entry.layer import Arch, CannotBuild, Layer, Target, build_layer

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's image has besides the standard library."""

HERE = Target(
    f"{sys.version_info.major}.{sys.version_info.minor}",
    Arch.ARM64 if platform.machine() in ("aarch64", "arm64") else Arch.X86_64,
)
"""This machine, as a target: its layer can be run here."""


@dataclass(frozen=True)
class Opt:
    """The layer where a function finds it."""

    python: Path
    runtime: Path

    def run(self, code: str, **environment: str) -> str:
        """Run code that sees the standard library, the layer, Lambda's own packages, and nothing else."""
        head = f"import sys; sys.path += [{str(self.python)!r}, {str(self.runtime)!r}]\n"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", head + code],
            env={"PATH": os.defpath, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def json(self, code: str, **environment: str) -> object:
        """What the code's last line printed, as JSON."""
        return json.loads(self.run(code, **environment).splitlines()[-1])


def built(target: Target) -> Layer:
    """The layer for a target; a machine without network cannot have it."""
    try:
        return build_layer(target)
    except CannotBuild as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true, but the layer could not be built: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def layer() -> Layer:
    """The layer for this machine."""
    return built(HERE)


@pytest.fixture(scope="session")
def opt(layer: Layer, tmp_path_factory: pytest.TempPathFactory) -> Opt:
    """That layer, unpacked."""
    folder = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(io.BytesIO(layer.content)) as archive:
        archive.extractall(folder)
    runtime = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if spec.submodule_search_locations else origin
        (runtime / source.name).symlink_to(source)
    return Opt(folder / "python", runtime)


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
