"""What is deployed: each contender's layer as a zip with byte code, unpacked as Lambda unpacks it into /opt."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.borrowed import lambda_runtime
from dojang.entry.layer import build_layer
from dojang.entry.layer.archive import zipped
from dojang.entry.layer.bytecode import compile_all
from dojang.entry.layer.wheels import files_of

__all__ = ["CONTENDERS", "POWERTOOLS", "Contender", "Deployment", "deploy"]

_ROOT = Path(__file__).parent.parent
_FUNCTIONS = Path(__file__).parent / "functions"
POWERTOOLS = "3.37.0"
_OFFICIAL = ("bootpay-backend==2.9.0",)
# What Lambda's image has by itself, for every contender alike.
_RUNTIME = ("awslambdaric", "boto3")


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those who are compared.

    Attributes:
        name: As the table of figures calls it.
        handler: What Lambda is told to call.
        sources: The function's own files.
        packages: What its layer is made of; empty for dojang's own layer, None for no layer.
        ours: Whether it is the whole service, with its own routes.
        keys_elsewhere: Whether its keys are in Secrets Manager, as the template has it, and not in the environment.
        byte_code: Whether its layer was made with the function's Python at hand.
    """

    name: str
    handler: str
    sources: tuple[Path, ...] = ()
    packages: tuple[str, ...] | None = None
    ours: bool = False
    keys_elsewhere: bool = False
    byte_code: bool = True


_HANDLER = "dojang.entry.aws.handler"
CONTENDERS = (
    Contender("(a) bare handler", "bare.handler", (_FUNCTIONS / "bare.py",)),
    Contender("(b) official SDK alone", "official.handler", (_FUNCTIONS / "official.py",), _OFFICIAL),
    Contender(
        "(c) official SDK + Powertools idempotency + boto3",
        "powertools.handler",
        (_FUNCTIONS / "official.py", _FUNCTIONS / "powertools.py"),
        (*_OFFICIAL, f"aws-lambda-powertools=={POWERTOOLS}", "jmespath"),
    ),
    Contender("(d) dojang as the template deploys it", _HANDLER, packages=(), ours=True, keys_elsewhere=True),
    Contender(
        "(e) dojang, stateless",
        "stateless.handler",
        (_FUNCTIONS / "stateless.py", _ROOT / "examples" / "lambda_stateless.py"),
        (),
    ),
    Contender("(d) with keys in the environment", _HANDLER, packages=(), ours=True),
    Contender(
        "(d) without byte code",
        _HANDLER,
        packages=(),
        ours=True,
        keys_elsewhere=True,
        byte_code=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A contender, ready to be started.

    Attributes:
        contender: Which.
        path: Where Python looks, in Lambda's order: the function, its layer, the runtime.
        zipped: Bytes of its layer's zip.
        unzipped: Bytes of that in /opt.
    """

    contender: Contender
    path: tuple[Path, ...]
    zipped: int
    unzipped: int


def deploy(folder: Path) -> list[Deployment]:
    """Build every contender below a folder."""
    runtime = folder / "runtime"
    _install([f"{name}=={version(name)}" for name in _RUNTIME], runtime)
    _compile(runtime)
    layers: dict[tuple[tuple[str, ...], bool], tuple[tuple[Path, ...], int, int]] = {}
    found = []
    for number, contender in enumerate(CONTENDERS):
        task = folder / f"task-{number}"
        task.mkdir()
        for source in contender.sources:
            shutil.copy(source, task)
        _compile(task)
        if contender.packages is None:
            found.append(Deployment(contender, (task, runtime), 0, 0))
            continue
        kind = contender.packages, contender.byte_code
        if kind not in layers:
            content = _layer(contender.packages, folder / f"wheels-{number}", byte_code=contender.byte_code)
            opt = folder / f"opt-{number}"
            path = lambda_runtime.unpacked(content, opt)
            unzipped = sum(file.stat().st_size for file in opt.rglob("*") if file.is_file())
            layers[kind] = (path, len(content), unzipped)
        path, size, unzipped = layers[kind]
        found.append(Deployment(contender, (task, *path, runtime), size, unzipped))
    return found


def _layer(packages: Sequence[str], folder: Path, *, byte_code: bool) -> bytes:
    if not packages:
        layer = build_layer(lambda_runtime.HERE)
        assert layer.compiled_by is not None
        return layer.content if byte_code else _without_byte_code(layer.content)
    _install(packages, folder)
    # The same files are left out, the same byte code is made, the same zip is written as for our own layer.
    files = {path: file.read_bytes() for path, file in files_of(folder).items()}
    stage = folder.with_name(f"{folder.name}-stage")
    for path, content in files.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_bytes(content)
    _compile(stage)
    content, _ = zipped(
        {
            file.relative_to(stage).as_posix(): file.read_bytes()
            for file in stage.rglob("*")
            if file.is_file()
        },
        {},
    )
    return content


def _without_byte_code(layer: bytes) -> bytes:
    """The same layer as a machine makes it that lacks the function's Python."""
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        files = {
            name.removeprefix("python/"): archive.read(name)
            for name in archive.namelist()
            if not name.endswith(".pyc")
        }
    return zipped(files, {})[0]


def _compile(folder: Path) -> None:
    sources = [file.relative_to(folder).as_posix() for file in folder.rglob("*.py")]
    compile_all(sys.executable, folder, sources)


def _install(packages: Sequence[str], folder: Path) -> None:
    # Beside the project, never into its environment.
    command = ["sh", str(_ROOT / "house" / "uv"), "pip", "install", "--quiet", "--link-mode=copy"]
    command += ["--python", sys.executable, "--target", str(folder), *packages]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
