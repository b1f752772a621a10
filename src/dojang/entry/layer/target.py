"""What a layer is made for: a Python and a processor, and what Lambda's image of them can load."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dojang.errors import InvalidValue

__all__ = ["PYTHONS", "Arch", "CannotBuild", "Target"]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Pythons that dojang runs on and Lambda knows."""

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: 3.11 is on Amazon Linux 2 (glibc 2.26), the later
# ones on Amazon Linux 2023 (2.34). A wheel says the oldest glibc that it can be loaded with; these two are usual.
_GLIBC_AL2 = 17
_GLIBC_AL2023 = 28


class CannotBuild(Exception):
    """The layer cannot be made or published now, and no argument and no setting is the reason."""


class Arch(StrEnum):
    """A processor, as Lambda calls it."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


@dataclass(frozen=True, slots=True)
class Target:
    """A Python on a processor.

    Attributes:
        python: Such as `3.13`.
        arch: The processor.
    """

    python: str
    arch: Arch

    def __post_init__(self) -> None:
        """Refuse a Python for which there is no runtime, or no dojang."""
        if self.python not in PYTHONS:
            known = ", ".join(PYTHONS)
            raise InvalidValue(
                f"--python must be one of {known}, not {self.python!r} (--python은 {known} 중 하나여야 합니다)"
            )

    @property
    def runtime(self) -> str:
        """Lambda's name of the runtime."""
        return f"python{self.python}"

    @property
    def machine(self) -> str:
        """The processor, as wheels call it."""
        return "aarch64" if self.arch is Arch.ARM64 else "x86_64"

    @property
    def glibc(self) -> int:
        """The newest glibc, 2.x, that a wheel may ask for."""
        return _GLIBC_AL2 if self.python == "3.11" else _GLIBC_AL2023

    @property
    def file_name(self) -> str:
        """What the zip is called. Without a version, so that a template can name it."""
        return f"dojang-layer-{self.runtime}-{self.arch}.zip"
