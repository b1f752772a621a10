"""Every public name and every test says what it is for. `make check` runs this file too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Repository

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_every_public_name_has_a_docstring(repository: Repository) -> None:
    """Whatever a module lists in `__all__` is described, with every public method of its classes."""
    undescribed = [
        f"{path}:{line} {name}"
        for path, module in repository.python("src").items()
        for line, name in _undescribed(module)
    ]

    assert [] == undescribed


def test_every_test_has_a_docstring_with_its_rule(repository: Repository) -> None:
    """A test's name is a claim; its docstring is the rule behind it."""
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, module in repository.python("tests").items()
        if path.name.startswith("test_") and "samples" not in path.parts
        for node in ast.walk(module)
        if isinstance(node, Function) and node.name.startswith("test") and not ast.get_docstring(node)
    ]

    assert [] == silent


def test_the_rule_finds_what_is_missing() -> None:
    """A check that never fails proves nothing: here is a module with one of each gap."""
    module = ast.parse('''
"""A module."""
__all__ = ["A", "LIMIT", "f"]
LIMIT = 3
class A:
    """Described."""
    def method(self): ...
    def _private(self): ...
def f(): ...
def unlisted(): ...
''')

    assert ["LIMIT", "A.method", "f"] == [name for _, name in _undescribed(module)]


def _undescribed(module: ast.Module) -> Iterator[tuple[int, str]]:
    if not ast.get_docstring(module):
        yield 1, "the module itself"
    public = set(_listed(module))
    for position, node in enumerate(module.body):
        after = module.body[position + 1] if position + 1 < len(module.body) else None
        if isinstance(node, Documented) and node.name in public:
            yield from _silent_definitions(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not _is_sentence(after):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id in public:
                    yield node.lineno, target.id


def _listed(module: ast.Module) -> list[str]:
    for node in module.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def _silent_definitions(node: Documented) -> Iterator[tuple[int, str]]:
    if not ast.get_docstring(node) and not _inherits_its_words(node):
        yield node.lineno, node.name
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            if isinstance(inner, Documented) and not inner.name.startswith("_"):
                yield from ((line, f"{node.name}.{name}") for line, name in _silent_definitions(inner))


def _inherits_its_words(node: Documented) -> bool:
    """An overload or an override is described where it comes from; a setter by its getter."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter"})


def _is_sentence(node: ast.stmt | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
