"""Packages that one test needs and the project does not, in a folder of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

_WITHIN_S = 180


def fetch(requirement: str, into: Path) -> None:
    """Put one package there, without what it needs.

    Raises:
        subprocess.SubprocessError: If it cannot be had.
        OSError: If nothing can be run.
    """
    uv = Path(__file__).resolve().parents[1] / "house" / "uv"
    command = ["sh", str(uv), "pip", "install", "--quiet", "--no-deps", "--target", str(into), requirement]
    subprocess.run(command, capture_output=True, timeout=_WITHIN_S, check=True)
