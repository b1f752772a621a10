"""What is in the zip, and what is not."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from dojang.entry.layer import Arch, CannotBuild, Layer, Target, build_layer
from dojang.entry.layer import archive as archive_module
from dojang.entry.layer.contents import LEFT_OUT, package_files
from dojang.errors import InvalidValue

TARGET = Target("3.13", Arch.ARM64)


def _entries(layer: Layer) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(layer.content)) as archive:
        return archive.infolist()


def test_only_what_a_function_needs_is_in_the_layer() -> None:
    """Everything the doors of a function are made of; no tests, emulator, server, command line or PostgreSQL."""
    files = package_files()
    rooms = {Path(path).parts[1] for path in files}
    doors = {Path(path).parts[2].removesuffix(".py") for path in files if path.startswith("dojang/entry/")}

    assert {"core", "usecases", "bootpay", "adapters", "web", "entry"} <= rooms
    assert set() == rooms & {"testing", "emulator", "console", "__main__.py"}
    assert {"aws", "embedded", "settings", "wiring"} <= doors
    assert set() == doors & {"asgi", "cli", "demo", "demo_shop", "layer", "serving", "template"}
    assert {"dojang/bootpay/legacy.py", "dojang/adapters/sql/sqlite.sql"} <= set(files)
    assert [] == [path for path in files if "postgres" in path]


def test_what_is_left_out_exists() -> None:
    """A name in the list that is no module any more leaves nothing out."""
    root = Path(archive_module.__file__).parents[3]
    paths = [root.joinpath(*name.split(".")) for name in LEFT_OUT if name != "dojang.console"]

    assert [] == [str(path) for path in paths if not path.is_dir() and not path.with_suffix(".py").is_file()]


@pytest.mark.usefixtures("pretend_wheels")
def test_the_same_input_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another day and another seed for hashes change nothing."""
    once = build_layer(TARGET)
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    again = build_layer(TARGET)

    assert once.content == again.content
    assert once.sha256 == again.sha256


@pytest.mark.usefixtures("pretend_wheels")
def test_entries_are_sorted_and_say_nothing_of_their_maker() -> None:
    """No time, no owner, no mode of this machine; Lambda's user can read every file."""
    entries = _entries(build_layer(TARGET))
    names = [entry.filename for entry in entries]

    assert sorted(names) == names
    assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in entries}
    assert {stat.S_IFREG | 0o644} == {entry.external_attr >> 16 for entry in entries}
    assert {"dojang", "lib", "msgspec", "msgspec-9.9.dist-info"} == {name.split("/")[1] for name in names}


@pytest.mark.usefixtures("pretend_wheels")
def test_traces_of_the_installer_and_of_type_checkers_stay_outside() -> None:
    """Who fetched a wheel, and stubs, are nothing that runs; licences and metadata go with their package."""
    names = [entry.filename for entry in _entries(build_layer(TARGET))]

    assert "python/msgspec-9.9.dist-info/METADATA" in names
    assert "python/dojang/LICENSE" in names
    assert [] == [name for name in names if name.endswith((".pyi", "INSTALLER", "py.typed", "RECORD"))]


@pytest.mark.usefixtures("pretend_wheels")
def test_the_table_of_contents_adds_up() -> None:
    """Every file is counted in one part, and the parts' versions are told."""
    layer = build_layer(TARGET)
    entries = _entries(layer)

    assert ["dojang", "lib", "msgspec"] == [part.name for part in layer.parts]
    assert [layer.version, "", "9.9"] == [part.version for part in layer.parts]
    assert len(entries) == sum(part.files for part in layer.parts)
    assert sum(entry.file_size for entry in entries) == layer.unzipped


@pytest.mark.usefixtures("pretend_wheels")
@pytest.mark.parametrize("limit", ["ZIPPED_MAX", "UNZIPPED_MAX"])
def test_more_than_lambda_takes_is_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip beyond the limits is not made; the sentence names both numbers."""
    monkeypatch.setattr(archive_module, limit, 1000)

    with pytest.raises(CannotBuild, match=r"bytes (un)?zipped; Lambda takes 1,000"):
        build_layer(TARGET)


def test_the_limits_are_lambdas() -> None:
    """50 MB sent directly, 250 MB unpacked."""
    assert (50 * 2**20, 250 * 2**20) == (archive_module.ZIPPED_MAX, archive_module.UNZIPPED_MAX)


def test_a_python_without_a_runtime_is_refused() -> None:
    """There is no such runtime, or dojang does not run on it."""
    with pytest.raises(InvalidValue, match=r"3\.13"):
        Target("3.9", Arch.ARM64)
