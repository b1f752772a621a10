"""Byte code, made by the very interpreter that will read it: a layer is read-only, so no function can keep its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dojang.entry.layer.target import CannotBuild, Target

__all__ = ["compile_all", "interpreter_of"]

# Unchecked: nobody changes a file of a layer, and a time of change would differ between two builds.
_COMPILE = """
import importlib.util, json, py_compile, sys
for path in json.load(sys.stdin):
    py_compile.compile(
        path, importlib.util.cache_from_source(path), "/opt/python/" + path, doraise=True, optimize=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""
_ASK = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.version_info.releaselevel)"
# Sets are written in the order of their hashes.
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}
_COMPILING_S = 120
_ASKING_S = 20


def interpreter_of(target: Target) -> str | None:
    """An interpreter of this machine that writes the same byte code as Lambda's; None if there is none."""
    wanted = ["cpython", target.python, "final"]
    return next((found for found in _candidates(target) if _answer(found) == wanted), None)


def compile_all(interpreter: str, folder: Path, sources: Sequence[str]) -> None:
    """Write the byte code of each source below the folder into its `__pycache__`.

    Raises:
        CannotBuild: If a source is none for this Python.
    """
    done = subprocess.run(  # noqa: S603 - no shell, and the interpreter was asked who it is
        [interpreter, "-s", "-S", "-P", "-c", _COMPILE],
        cwd=folder,
        env=_ENVIRONMENT,
        input=json.dumps(sorted(sources)),
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMPILING_S,
    )
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise CannotBuild(f"{interpreter} could not compile the layer: {words}")


def _candidates(target: Target) -> Iterator[str]:
    yield sys.executable
    for name in (target.runtime, "python3", "python"):
        if found := shutil.which(name):
            yield found


def _answer(interpreter: str) -> list[str]:
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            [interpreter, "-I", "-S", "-c", _ASK],
            capture_output=True,
            text=True,
            check=False,
            timeout=_ASKING_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    # A version manager's shim that has no such version fails.
    return done.stdout.split() if done.returncode == 0 else []
