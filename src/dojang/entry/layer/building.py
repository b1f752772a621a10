"""From a target to a finished layer."""

from __future__ import annotations

import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import dojang
from dojang.entry.layer.archive import Layer, zipped
from dojang.entry.layer.bytecode import compile_all, interpreter_of
from dojang.entry.layer.contents import package_files
from dojang.entry.layer.target import Target
from dojang.entry.layer.wheels import fetch, files_of

__all__ = ["build_layer"]

# No `__init__.py` beside it: Python then puts this folder and a function's own `lib` together, where a package of the
# layer would hide the function's.
_LIB = {
    "lib/BootpayApi.py": "\n".join(
        (
            '"""The old library\'s import line, unchanged; dojang.bootpay.legacy tells what is better now."""\n',
            "from dojang.bootpay.legacy import BootpayApi\n",
            '__all__ = ["BootpayApi"]\n',
        )
    ),
}


def build_layer(target: Target) -> Layer:
    """Make the layer for a target.

    Raises:
        ConfigError: If this machine cannot fetch wheels.
        CannotBuild: If one cannot be had, or the layer would be too large.
    """
    with tempfile.TemporaryDirectory(prefix="dojang-layer-") as place:
        wheels, stage = Path(place, "wheels"), Path(place, "python")
        wheels.mkdir()
        versions = fetch(target, wheels)
        files = {path: file.read_bytes() for path, file in (package_files() | files_of(wheels)).items()}
        files |= {path: text.encode() for path, text in _LIB.items()} | _licence()
        interpreter = interpreter_of(target)
        if interpreter is not None:
            files |= _byte_code(interpreter, files, stage)
    content, parts = zipped(files, {"dojang": dojang.__version__, **versions})
    return Layer(target, dojang.__version__, content, parts, interpreter)


def _byte_code(interpreter: str, files: dict[str, bytes], stage: Path) -> dict[str, bytes]:
    sources = [path for path in files if path.endswith(".py")]
    for path in sources:
        place = stage / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(files[path])
    compile_all(interpreter, stage, sources)
    return {file.relative_to(stage).as_posix(): file.read_bytes() for file in stage.rglob("*.pyc")}


def _licence() -> dict[str, bytes]:
    try:
        text = distribution("dojang").read_text("licenses/LICENSE")
    except PackageNotFoundError:
        text = None
    return {"dojang/LICENSE": text.encode()} if text else {}
