"""Dependencies as wheels that somebody has built for Lambda's platform, fetched by pip or uv, whichever is at hand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from dojang.entry.layer.target import CannotBuild, Target
from dojang.errors import ConfigError

__all__ = ["DEPENDENCIES", "IN_THE_RUNTIME", "fetch", "files_of", "installers", "pinned"]

DEPENDENCIES = ("msgspec",)
"""What a function needs of what `pip install dojang` brings. typer and rich serve others."""

IN_THE_RUNTIME = ("boto3", "botocore", "urllib3")
"""What Lambda's own image has, kept up to date by AWS: a second copy would hide it, and its security fixes."""

_FETCHING_S = 300
_WORDS_MAX = 300
_PASSWORD = re.compile(r"//[^/@\s]+@")
# Who installed it and when is no part of what it is.
_NOT_CONTENT = (
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "WHEEL",
    "direct_url.json",
    "uv_cache.json",
    "top_level.txt",
)
_FOR_TYPE_CHECKERS = (".pyi", ".typed")


def pinned() -> Mapping[str, str]:
    """Each dependency in the version that runs here: the one that dojang is installed and tried with."""
    return {name: version(name) for name in DEPENDENCIES}


def fetch(target: Target, folder: Path) -> Mapping[str, str]:
    """Unpack each dependency's wheel into an empty folder; their versions.

    Raises:
        ConfigError: If there is neither pip nor uv.
        CannotBuild: If a wheel cannot be had.
    """
    wanted = pinned()
    requirements = [f"{name}=={version}" for name, version in wanted.items()]
    failures = []
    for installer in installers(target):
        command = [*installer, "--target", str(folder), *requirements]
        failure = _failure(command, folder)
        if failure is None:
            return wanted
        failures.append(failure)
    raise CannotBuild(
        f"No wheel of {', '.join(requirements)} for {target.runtime} on {target.arch} could be fetched: is the network "
        f"there? (의존성을 내려받지 못했습니다. 네트워크를 확인해 주세요.) {failures[0]}".rstrip()
    )


def installers(target: Target) -> list[Sequence[str]]:
    """The beginning of every command on this machine that can unpack a foreign platform's wheels, best first.

    Raises:
        ConfigError: If there is none.
    """
    found: list[Sequence[str]] = []
    pip_words = _pip_words(target)
    if find_spec("pip"):
        found.append((sys.executable, *pip_words))
    if uv := shutil.which("uv"):
        found.append((uv, *_uv_words(target)))
    # An environment without pip was made by an interpreter that often has it.
    base = getattr(sys, "_base_executable", sys.executable)
    if base != sys.executable and _has_pip(base):
        found.append((base, *pip_words))
    if not found:
        raise ConfigError(
            "The layer's dependencies are fetched with pip or uv, and this machine has neither: "
            f"`{sys.executable} -m ensurepip` installs pip (pip 또는 uv가 필요합니다)."
        )
    return found


def files_of(folder: Path) -> dict[str, Path]:
    """What the wheels have brought that a function needs, by its path below `python/`."""
    return {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and _is_content(file.relative_to(folder))
    }


def _is_content(path: Path) -> bool:
    if path.name.startswith(".") or path.parts[0] == "bin" or "__pycache__" in path.parts:
        return False
    if path.parts[0].endswith(".dist-info"):
        return path.name not in _NOT_CONTENT
    return path.suffix not in _FOR_TYPE_CHECKERS and path.name != "py.typed"


def _pip_words(target: Target) -> list[str]:
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2"]
    words += ["--no-deps", "--no-compile", "--only-binary=:all:"]
    words += ["--implementation", "cp", "--python-version", target.python]
    # pip takes each name by its word, and does not know that an older glibc's wheel does as well.
    for minor in range(target.glibc, 16, -1):
        words += ["--platform", f"manylinux_2_{minor}_{target.machine}"]
    return [*words, "--platform", f"manylinux2014_{target.machine}"]


def _uv_words(target: Target) -> list[str]:
    words = ["pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--link-mode=copy"]
    words += ["--python", sys.executable, "--python-version", target.python]
    return [*words, "--python-platform", f"{target.machine}-manylinux_2_{target.glibc}"]


def _has_pip(interpreter: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that runs this
            [interpreter, "-m", "pip", "--version"], capture_output=True, check=False, timeout=_FETCHING_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _failure(command: Sequence[str], folder: Path) -> str | None:
    """Run an installer; its last words if it failed."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and every word is ours
            command,
            # Far from a project whose own settings the installer would follow.
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_FETCHING_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return _last_words(done.stderr) if done.returncode else None


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _PASSWORD.sub("//", lines[-1])[:_WORDS_MAX] if lines else ""
