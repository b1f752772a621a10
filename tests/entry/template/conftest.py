"""The application as it is written, read back as CloudFormation reads it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode

from dojang.entry.layer import Arch, Target
from dojang.entry.template import application

ROOT = Path(__file__).parents[3]
SAM = ROOT / ".tools" / "sam"
"""The SAM command line has an environment of its own: it pins what the project wants newer."""

Template = dict[str, Any]


def _written(folder: Path, target: Target) -> Path:
    for path, text in application(target).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def write() -> Callable[[Path, Target], Path]:
    """Writes the application into a folder."""
    return _written


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application for the usual target."""
    return _written(tmp_path_factory.mktemp("application"), Target("3.13", Arch.ARM64))


@pytest.fixture(scope="session")
def template(folder: Path) -> Template:
    """The template as plain values."""
    read, problems = decode(str(folder / "template.yaml"))
    assert [] == problems
    plain = _plain(read)
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, str) else value


@pytest.fixture(scope="session")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of AWS's SAM command line, installed once into .tools/sam."""
    SAM.parent.mkdir(exist_ok=True)
    with (SAM.parent / "sam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same run may be at it
        if not (SAM / "bin" / "sam").exists():
            _install()
    return SAM / "bin"


def _install() -> None:
    for words in (
        ["venv", "--clear", "--python", sys.executable, str(SAM)],
        ["pip", "install", "--python", str(SAM), "aws-sam-cli>=1.140,<2"],
    ):
        command = ["sh", str(ROOT / "house" / "uv"), "--quiet", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
        if done.returncode:
            reason = f"aws-sam-cli could not be installed: {done.stderr[-300:]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
