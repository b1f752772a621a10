"""The zip itself: sorted, without times and owners, within Lambda's limits."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from dojang.entry.layer.target import CannotBuild, Target

__all__ = ["UNZIPPED_MAX", "ZIPPED_MAX", "Layer", "Part", "zipped"]

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ZIPPED_MAX = 50 * 1024 * 1024
"""Bytes of a zip that is sent directly."""
UNZIPPED_MAX = 250 * 1024 * 1024
"""Bytes of a function with all its layers; a layer alone must not need them all."""

# The first moment that a zip can name.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_READABLE_BY_ALL = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the table of contents.

    Attributes:
        name: The package.
        version: Its version; empty for what belongs to dojang.
        files: How many files it has, byte code included.
        unzipped: Their bytes.
        zipped: Their bytes in the zip.
    """

    name: str
    version: str
    files: int
    unzipped: int
    zipped: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer.

    Attributes:
        target: What it was made for.
        version: Of dojang.
        content: The zip.
        parts: What is in it.
        compiled_by: The interpreter that made its byte code; None if there is none in it.
    """

    target: Target
    version: str
    content: bytes = field(repr=False)
    parts: tuple[Part, ...]
    compiled_by: str | None

    @property
    def sha256(self) -> str:
        """By which two builds are compared."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def unzipped(self) -> int:
        """Bytes under /opt."""
        return sum(part.unzipped for part in self.parts)


def zipped(files: Mapping[str, bytes], versions: Mapping[str, str]) -> tuple[bytes, tuple[Part, ...]]:
    """The files as a zip below `python/`, and its table of contents.

    Args:
        files: By their path below `python/`.
        versions: Of each top-level package.

    Raises:
        CannotBuild: If Lambda would not take it.
    """
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"python/{path}", _LONG_AGO)
            entry.create_system, entry.external_attr = _UNIX, _READABLE_BY_ALL
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path])
        entries = archive.infolist()
    content = sink.getvalue()
    _check(len(content), sum(entry.file_size for entry in entries))
    return content, _parts(entries, versions)


def _parts(entries: list[zipfile.ZipInfo], versions: Mapping[str, str]) -> tuple[Part, ...]:
    groups: dict[str, list[zipfile.ZipInfo]] = {}
    for entry in entries:
        # A package and the folder about it belong together.
        groups.setdefault(entry.filename.split("/")[1].partition("-")[0], []).append(entry)
    return tuple(
        Part(
            name,
            versions.get(name, ""),
            len(group),
            sum(entry.file_size for entry in group),
            sum(entry.compress_size for entry in group),
        )
        for name, group in sorted(groups.items())
    )


def _check(zipped_size: int, unzipped_size: int) -> None:
    for size, most, what in (
        (zipped_size, ZIPPED_MAX, "zipped"),
        (unzipped_size, UNZIPPED_MAX, "unzipped"),
    ):
        if size > most:
            raise CannotBuild(
                f"The layer would have {size:,} bytes {what}; Lambda takes {most:,} (Lambda의 한도를 넘습니다)."
            )
