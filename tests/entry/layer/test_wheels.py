"""Dependencies come as wheels for Lambda's platform, by whichever installer is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dojang.entry.layer import Arch, CannotBuild, Target
from dojang.entry.layer import bytecode as bytecode_module
from dojang.entry.layer import wheels as wheels_module
from dojang.entry.layer.bytecode import interpreter_of
from dojang.entry.layer.wheels import fetch, files_of, installers, pinned
from dojang.errors import ConfigError

TARGET = Target("3.13", Arch.ARM64)


def _with(monkeypatch: pytest.MonkeyPatch, *, pip: bool, uv: str | None, base_pip: bool = False) -> None:
    monkeypatch.setattr(wheels_module, "find_spec", lambda _: object() if pip else None)
    monkeypatch.setattr(wheels_module.shutil, "which", lambda _: uv)
    monkeypatch.setattr(wheels_module, "_has_pip", lambda _: base_pip)


def test_the_version_is_the_one_that_runs_here() -> None:
    """What dojang was tried with is what goes to AWS."""
    import msgspec

    assert {"msgspec": msgspec.__version__} == dict(pinned())


def test_pip_of_this_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform is asked for by every name an older glibc goes by; never for a source package."""
    _with(monkeypatch, pip=True, uv="/usr/bin/uv")
    words = installers(TARGET)[0]

    assert [sys.executable, "-m", "pip"] == list(words[:3])
    assert "--only-binary=:all:" in words
    assert {"manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(words)
    assert not [word for word in words if "x86_64" in word]


def test_uv_does_where_pip_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments without pip were made by uv, so it is there itself."""
    _with(monkeypatch, pip=False, uv="/usr/bin/uv")
    words = installers(TARGET)[0]

    assert "/usr/bin/uv" == words[0]
    assert "aarch64-manylinux_2_28" in words


def test_the_old_runtime_gets_wheels_for_its_old_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 runs on Amazon Linux 2, whose glibc is 2.26."""
    _with(monkeypatch, pip=True, uv=None)
    words = installers(Target("3.11", Arch.X86_64))[0]

    assert "manylinux_2_17_x86_64" in words
    assert "manylinux_2_28_x86_64" not in words


def test_neither_pip_nor_uv_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is named."""
    _with(monkeypatch, pip=False, uv=None)

    with pytest.raises(ConfigError, match="ensurepip"):
        installers(TARGET)


def test_a_failed_download_is_one_sentence_without_passwords(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No network: the installer's last word is repeated, the password of an index is not."""
    script = tmp_path / "failing"
    script.write_text(
        "#!/bin/sh\necho first >&2\necho 'no route to https://me:hidden@index.example/' >&2\nexit 1\n"
    )
    script.chmod(0o755)
    _with(monkeypatch, pip=False, uv=str(script))

    with pytest.raises(CannotBuild) as failed:
        fetch(TARGET, tmp_path)

    sentence = str(failed.value)
    assert "msgspec==" in sentence
    assert "python3.13 on arm64" in sentence
    assert "no route to https://index.example/" in sentence
    assert "hidden" not in sentence
    assert "\n" not in sentence


def test_the_next_installer_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that is broken does not stand in the way of one that works."""
    tried: list[str] = []
    _with(monkeypatch, pip=True, uv="/usr/bin/uv")

    def failure(command: list[str], _: Path) -> str | None:
        tried.append(command[0])
        return "broken" if command[0] == sys.executable else None

    monkeypatch.setattr(wheels_module, "_failure", failure)
    fetch(TARGET, tmp_path)

    assert [sys.executable, "/usr/bin/uv"] == tried


@pytest.mark.slow
@pytest.mark.xdist_group("layer")
def test_every_installer_of_this_machine_brings_the_same_files(tmp_path: Path) -> None:
    """From pip and from uv comes the same layer, each foreign platform's own extension module included."""
    brought = []
    for number, installer in enumerate(installers(TARGET)):
        folder = tmp_path / str(number)
        folder.mkdir()
        wanted = [f"{name}=={version}" for name, version in pinned().items()]
        done = subprocess.run(
            [*installer, "--target", str(folder), *wanted], capture_output=True, text=True, check=False
        )
        if done.returncode and os.environ.get("CI") != "true":
            pytest.skip(f"no wheel could be fetched: {done.stderr[-200:]}")
        assert 0 == done.returncode, done.stderr
        brought.append({path: file.read_bytes() for path, file in files_of(folder).items()})

    assert any(path.endswith("313-aarch64-linux-gnu.so") for path in brought[0])
    assert [brought[0]] * len(brought) == brought


def test_an_interpreter_must_be_the_very_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shim that fails, another version, or another implementation writes byte code that Lambda cannot use."""
    shim = tmp_path / "python3.14"
    shim.write_text("#!/bin/sh\necho 'no such version' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setattr(bytecode_module.shutil, "which", lambda _: str(shim))
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    other = "3.14" if running != "3.14" else "3.13"

    assert sys.executable == interpreter_of(Target(running, Arch.ARM64))
    assert interpreter_of(Target(other, Arch.ARM64)) is None
