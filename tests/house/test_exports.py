"""What users may import is what the lists say."""

from __future__ import annotations

import importlib
import importlib.metadata
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import dojang

if TYPE_CHECKING:
    from conftest import Repository

PUBLIC = ["dojang", "dojang.bootpay", "dojang.testing"]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_listed_name_is_really_there(name: str) -> None:
    """A name in `__all__` can be imported, lazily loaded ones included."""
    module = importlib.import_module(name)
    missing = [listed for listed in module.__all__ if not hasattr(module, listed)]

    assert [] == missing


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_that_is_there_is_listed(name: str) -> None:
    """Nothing becomes public by accident: what a module shows without an underscore is in `__all__`."""
    module = importlib.import_module(name)
    shown = {
        other
        for other, value in vars(module).items()
        if not other.startswith("_")
        and not isinstance(value, ModuleType)
        and other not in {"annotations", "TYPE_CHECKING"}
    }

    assert set() == shown - set(module.__all__)


def test_the_version_is_the_projects(repository: Repository) -> None:
    """`dojang.__version__`, the installed distribution and pyproject.toml name one version."""
    version = repository.project["project"]["version"]

    assert [version, version] == [dojang.__version__, importlib.metadata.version("dojang")]


def test_types_are_shipped(repository: Repository) -> None:
    """Users' type checkers read ours: `py.typed` lies in the package."""
    marker = repository.root / "src" / "dojang" / "py.typed"

    assert marker.is_file()
