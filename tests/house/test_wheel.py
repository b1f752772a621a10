"""What is published works by itself: the wheel, installed bare, with the source tree out of reach."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repository

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def wheel(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built once."""
    folder = tmp_path_factory.mktemp("wheel")
    _uv(repository, "build", "--wheel", "--out-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(repository: Repository, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a fresh environment that holds the wheel, its dependencies as locked, and no extra."""
    folder = tmp_path_factory.mktemp("bare")
    locked = folder / "locked.txt"
    _uv(
        repository,
        "export",
        "--frozen",
        "--no-dev",
        "--no-emit-project",
        "--no-hashes",
        "--output-file",
        str(locked),
    )
    _uv(repository, "venv", "--python", sys.executable, str(folder / "env"))
    _uv(
        repository, "pip", "install", "--python", str(folder / "env"), "--constraints", str(locked), str(wheel)
    )  # fmt: skip
    return folder / "env" / "bin"


def test_the_wheel_carries_the_package_and_its_data(repository: Repository, wheel: Path) -> None:
    """Every file of the package is in the wheel, pages and SQL included, with the licence; nothing else is."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {str(path.relative_to("src")) for path in repository.files if path.parts[0] == "src"}
    others = {name for name in names - package if ".dist-info/" not in name}

    assert set() == package - names
    assert set() == others
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_a_bare_install_can_be_imported(bare: Path, tmp_path: Path) -> None:
    """`pip install dojang` gives the library, and it is the installed one that is imported."""
    shown = _run(tmp_path, bare / "python", "-c", "import dojang, dojang.bootpay; print(dojang.__file__)")

    assert Path(shown.strip()).is_relative_to(bare.parent)


def test_a_bare_install_has_no_optional_dependency(
    repository: Repository, bare: Path, tmp_path: Path
) -> None:
    """Whoever wants only the client gets no server, no database driver and no cloud library."""
    code = "import importlib.metadata as m; print(*(d.name.lower() for d in m.distributions()))"
    installed = set(_run(tmp_path, bare / "python", "-c", code).split())
    optional = {
        "starlette",
        "granian",
        "uvloop",
        "jinja2",
        "psycopg",
        "psycopg-pool",
        "boto3",
        "opentelemetry-api",
    }

    assert "msgspec" in installed
    assert set() == installed & optional


def test_a_bare_install_can_show_help(bare: Path, tmp_path: Path) -> None:
    """The command is there and explains itself without any extra."""
    shown = _run(tmp_path, bare / "dojang", "--help")

    assert "verify" in shown
    assert "orders" in shown


def test_a_bare_install_works_as_a_module(bare: Path, tmp_path: Path) -> None:
    """`python -m dojang` is the same command."""
    shown = _run(tmp_path, bare / "python", "-m", "dojang", "--help")

    assert "verify" in shown


def test_a_missing_extra_is_named_in_a_sentence(bare: Path, tmp_path: Path) -> None:
    """A command that needs an extra says which one to install; it shows no traceback."""
    done = subprocess.run(
        [bare / "dojang", "serve"], cwd=tmp_path, env=_far_from_the_source(tmp_path),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode != 0
    assert "dojang[server]" in done.stderr
    assert "Traceback" not in done.stderr


def _uv(repository: Repository, *arguments: str) -> None:
    command = ["sh", "house/uv", "--quiet", *arguments]
    done = subprocess.run(command, cwd=repository.root, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


def _run(folder: Path, *command: str | Path) -> str:
    environment = _far_from_the_source(folder)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def _far_from_the_source(folder: Path) -> dict[str, str]:
    """No PYTHONPATH, no settings of whoever runs the tests; wide enough that help is not cut."""
    return {"PATH": os.defpath, "HOME": str(folder), "COLUMNS": "120", "LANG": "C.UTF-8"}
