"""A layer that was really built, unpacked as Lambda would, beside what Lambda's own image has and nothing else."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dojang.entry.layer import CannotBuild, Layer, build_layer

from .aws.runtime import HERE, image, unpacked


@dataclass(frozen=True)
class Opt:
    """The layer where a function finds it.

    Attributes:
        site: Its `lib/python3.X/site-packages`, where other layers keep what they bring.
        python: Its own folder.
        image: What Lambda's image has.
    """

    site: Path
    python: Path
    image: Path

    def path(self, task: Path) -> tuple[Path, ...]:
        """Where Python looks, in Lambda's order, for a function that is in a folder."""
        return task, self.site, self.python, self.image

    def run(self, code: str, **environment: str) -> str:
        """Run code that sees the standard library, the layer, Lambda's own packages, and nothing else."""
        head = f"import sys; sys.path += [{str(self.python)!r}, {str(self.image)!r}]\n"
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


def _built() -> Layer:
    try:
        return build_layer(HERE)
    except CannotBuild as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true, but the layer could not be built: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """The layer for this machine, built once in a run; a machine without network cannot have it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = shared / "layer.pickle"
    with (shared / "layer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same run may be at it
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_built()))
    found: Layer = pickle.loads(kept.read_bytes())
    return found


@pytest.fixture(scope="session")
def opt(layer: Layer, tmp_path_factory: pytest.TempPathFactory) -> Opt:
    """That layer, unpacked."""
    folder = tmp_path_factory.mktemp("opt")
    return Opt(*unpacked(layer.content, folder), image(folder / "image"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Where names lead in this test: settings cannot know, a delivery can."""
    known: dict[str, str] = {}
    real = socket.getaddrinfo

    def resolve(host: str, *more: Any, **options: Any) -> list[Any]:
        return real(known.get(host, host), *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known
