"""Which part of this package a function needs: whatever the handler, the client and the facade can come to import.

Read off the source at every build, late imports included, so that no list has to be kept up by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import dojang

__all__ = ["LEFT_OUT", "package_files"]

ROOTS = ("dojang", "dojang.bootpay", "dojang.bootpay.legacy", "dojang.entry.aws", "dojang.adapters.sql")
"""What a function imports: the facade, the client, the old library's class, the handler; and the queries of SQLite,
which are read and not imported."""

LEFT_OUT = (
    "dojang.__main__",
    # PostgreSQL's driver is several times the size of all the rest, and a function has DynamoDB.
    "dojang.adapters.postgres",
    "dojang.adapters.postgres_door",
    # How an event loop calls a store; a function has none.
    "dojang.adapters.batching",
    "dojang.adapters.pooling",
    "dojang.emulator",
    "dojang.console",
    "dojang.testing",
    "dojang.entry.asgi",
    "dojang.entry.cli",
    "dojang.entry.demo",
    "dojang.entry.demo_shop",
    "dojang.entry.layer",
    "dojang.entry.serving",
    "dojang.entry.template",
)
"""Where the search stops: named by something that a function needs, yet never used by it."""

_DATA_LEFT_OUT = ("postgres", "py.typed")


def package_files() -> dict[str, Path]:
    """The files of this package that belong into the layer, by their path below `python/`."""
    root = Path(dojang.__file__).parent
    modules = _modules(root)
    files = {}
    for module in sorted(_reached(modules)):
        file = modules[module]
        files[_path(root, file)] = file
        if file.name == "__init__.py":
            files |= {_path(root, data): data for data in _data(file.parent)}
    return files


def _path(root: Path, file: Path) -> str:
    return file.relative_to(root.parent).as_posix()


@cache
def _modules(root: Path) -> Mapping[str, Path]:
    found = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def _reached(modules: Mapping[str, Path]) -> set[str]:
    reached: set[str] = set()
    waiting = list(ROOTS)
    while waiting:
        module = waiting.pop()
        if module in reached or module not in modules or _left_out(module):
            continue
        reached.add(module)
        # Importing a module imports the packages that it is in.
        waiting.append(module.rpartition(".")[0])
        waiting += _named(ast.parse(modules[module].read_bytes()))
    return reached


def _left_out(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in LEFT_OUT)


def _named(node: ast.AST) -> Iterator[str]:
    """Every module that a piece of code may import; what only looks like one is not found later."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            for otherwise in node.orelse:
                yield from _named(otherwise)
            return
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        case ast.Constant(value=str(text)) if text.startswith("dojang."):
            # import_module("dojang.…"), and tables of what is imported when it is asked for.
            yield text
    for child in ast.iter_child_nodes(node):
        yield from _named(child)


def _data(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix not in (".py", ".pyc") and not file.name.startswith(_DATA_LEFT_OUT):
            yield file
