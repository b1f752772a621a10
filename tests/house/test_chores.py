"""The chores: what `make` offers, what continuous integration runs, what a commit hook calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repository

PROMISED = {"help", "demo", "test", "check", "bench"}


def test_help_lists_every_chore(repository: Repository) -> None:
    """`make` alone says what there is; nothing can be run that it does not name."""
    makefile = repository.texts[Path("Makefile")]
    targets = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    described = re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE)
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    shown = subprocess.run(
        ["make"], cwd=repository.root, capture_output=True, text=True, check=True, env=_plain()
    )

    assert set(targets) >= PROMISED
    assert targets == described == phony
    assert targets == re.findall(r"^  make (\w+)", shown.stdout, re.MULTILINE)


def test_continuous_integration_runs_the_two_chores_and_nothing_else(repository: Repository) -> None:
    """A person can run exactly what the machine runs, and README says so."""
    script = repository.texts[Path(".ci/run")]
    commands = [line for line in script.splitlines() if line and not re.match(r"#|set |cd ", line)]

    assert ["make check", "make test"] == commands
    assert "set -euo pipefail" in script
    for name in ("README.md", "README.ko.md"):
        assert [] == [command for command in commands if command not in repository.texts[Path(name)]]


def test_commit_hooks_call_the_tools_of_make_check(repository: Repository) -> None:
    """A hook neither fetches another version of a tool nor knows a rule that `make check` does not."""
    hooks = repository.texts[Path(".pre-commit-config.yaml")]
    makefile = repository.texts[Path("Makefile")]
    entries = re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE)

    assert ["local"] == re.findall(r"^ *- repo: (.+)$", hooks, re.MULTILINE)
    assert entries
    for entry in entries:
        tool = entry.removeprefix(".venv/bin/")
        assert tool != entry
        assert f"$(BIN)/{tool}" in makefile


@pytest.mark.skipif(os.name != "posix", reason="house/uv is a POSIX script")
class TestFindingUv:
    """`house/uv` works with what a machine has, or says in one sentence what is missing."""

    def test_without_a_python_it_says_what_to_do(self, repository: Repository, tmp_path: Path) -> None:
        """No interpreter new enough: one sentence, no traceback, a failing exit code."""
        self._command(tmp_path, "python3", "exit 1")
        done = self._run(repository, tmp_path)

        assert done.returncode != 0
        assert done.stdout == ""
        assert done.stderr.startswith("dojang needs Python 3.11 or newer")
        assert 1 == done.stderr.count("\n")

    def test_a_python_that_was_named_is_not_replaced_by_another(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        """PYTHON names one that is too old: that is said, and nothing else is tried."""
        old = self._command(tmp_path, "old", "exit 1")
        self._command(tmp_path, "python3", "echo /usr/bin/python3")
        done = self._run(repository, tmp_path, PYTHON=str(old))

        assert done.returncode != 0
        assert f"PYTHON={old} is not a Python 3.11 or newer" in done.stderr

    def test_a_recent_uv_on_path_is_used_and_never_fetches_a_python(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        """What the machine has is used; Python builds are never downloaded."""
        self._command(tmp_path, "python3", "echo /the/python")
        self._command(
            tmp_path,
            "uv",
            '[ "$1" = --version ] && echo "uv 1.2.3" || echo "$UV_PYTHON_DOWNLOADS $UV_PYTHON $*"',
        )
        done = self._run(repository, tmp_path, "sync", "--frozen")

        assert "never /the/python sync --frozen\n" == done.stdout

    @pytest.mark.parametrize("answer", ["echo uv 0.4.30", "echo nonsense", "exit 127"])
    def test_an_old_or_broken_uv_is_not_used(
        self, repository: Repository, tmp_path: Path, answer: str
    ) -> None:
        """A uv too old for the lock file counts as none: pip fetches another, and its failure is explained."""
        copy = tmp_path / "checkout"
        (copy / "house").mkdir(parents=True)
        shutil.copy(repository.root / "house" / "uv", copy / "house" / "uv")
        self._command(tmp_path, "uv", answer)
        self._command(
            tmp_path, "python3", f'case "$1" in -c) echo "{tmp_path}/bin/python3" ;; *) exit 1 ;; esac'
        )
        done = self._run(repository, tmp_path, script=copy / "house" / "uv")

        assert done.returncode != 0
        assert "uv could not be fetched" in done.stderr

    def _run(
        self, repository: Repository, folder: Path, *arguments: str, script: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        shell = shutil.which("sh")
        assert shell
        environment = {"PATH": str(folder / "bin"), "UV_PROJECT_ENVIRONMENT": str(folder / "none"), **more}
        return subprocess.run(
            [shell, str(script or repository.root / "house" / "uv"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _command(self, folder: Path, name: str, body: str) -> Path:
        """Put a command on the PATH of the script under test, which otherwise has only what it needs."""
        commands = folder / "bin"
        commands.mkdir(exist_ok=True)
        for needed in ("dirname", "rm"):
            found = shutil.which(needed)
            assert found
            if not (commands / needed).exists():
                (commands / needed).symlink_to(found)
        path = commands / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path


def _plain() -> dict[str, str]:
    """An environment in which a make does not take itself for a part of another make."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"
    }
