"""Installed from the wheel, with the source tree out of reach, the commands do the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dojang.entry.layer import Layer

ROOT = Path(__file__).parents[3]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layer")]


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    # Far from our settings; the installer's own (an index, certificates) it may follow.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DOJANG_", "PYTHON"))
    }
    done = subprocess.run(
        command, cwd=cwd, env=environment | {"NO_COLOR": "1"}, capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a fresh environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    _run("sh", "house/uv", "--quiet", "build", "--wheel", "--out-dir", folder)
    (wheel,) = folder.glob("*.whl")
    locked = folder / "locked.txt"
    _run(
        "sh", "house/uv", "--quiet", "export", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes",
        "--output-file", locked,
    )  # fmt: skip
    env = folder / "env"
    _run("sh", "house/uv", "--quiet", "venv", "--python", sys.executable, env)
    _run("sh", "house/uv", "--quiet", "pip", "install", "--python", env, "--constraints", locked, wheel)
    return env / "bin"


def test_the_layer_of_the_wheel_is_the_layer_of_the_checkout(
    installed: Path, layer: Layer, tmp_path: Path
) -> None:
    """The same input gives the same bytes, wherever dojang was installed from."""
    words = ["--python", layer.target.python, "--arch", str(layer.target.arch), "--format", "json"]
    built = json.loads(_run(installed / "dojang", "layer", "build", *words, cwd=tmp_path))

    assert layer.sha256 == built["sha256"]


def test_the_template_ships_with_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Every file of the application is in the package."""
    shown = json.loads(_run(installed / "dojang", "template", "sam", "--format", "json", cwd=tmp_path))
    policy = json.loads(_run(installed / "dojang", "template", "policy", cwd=tmp_path))

    assert 5 == len(shown["files"])
    assert all((tmp_path / file).is_file() for file in shown["files"])
    assert "2012-10-17" == policy["Version"]
    assert shutil.which("dojang", path=str(installed)) is not None
