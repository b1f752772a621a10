"""What `import dojang` costs: nothing optional, no event loop, no command line."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repository

# A bare install has these, yet only the room that needs one may import it, and only when it is used.
LATE = {"asyncio", "aiohttp", "typer", "click", "rich", "sqlite3"}


@pytest.mark.parametrize(
    "statement", ["import dojang", "import dojang.bootpay", "import dojang, dojang.bootpay"]
)
def test_import_brings_nothing_that_may_be_missing_or_is_not_needed_yet(
    repository: Repository, statement: str
) -> None:
    """No optional dependency, no asyncio client, no CLI library is loaded by importing the library."""
    loaded = _loaded_after(statement)

    assert set() == loaded & (LATE | _optional(repository))


def test_the_check_would_notice_an_optional_dependency(repository: Repository) -> None:
    """The list of what must not be loaded is not empty, and a loaded one is seen."""
    optional = _optional(repository)

    assert {"starlette", "psycopg"} <= optional
    assert "starlette" in _loaded_after("import starlette")


def test_core_and_ports_load_nothing_but_the_standard_library() -> None:
    """Deciding needs no third party: the core, the ports and the use cases import none."""
    loaded = _loaded_after(
        "import dojang.core.verification, dojang.ports, dojang.usecases.verify, dojang.drive"
    )
    ours = {"dojang", "__main__"}
    # Hooks of an editable install or of the environment itself are not ours to judge: compare with a bare start.
    foreign = loaded - ours - set(sys.stdlib_module_names) - _loaded_after("pass")

    assert set() == foreign


def _loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def _optional(repository: Repository) -> set[str]:
    """The importable names of every distribution that an extra asks for."""
    asked = {
        re.split(r"[\[<>=~! ;]", requirement)[0].lower().replace("_", "-")
        for extra in repository.project["project"]["optional-dependencies"].values()
        for requirement in extra
    } - {"dojang"}
    return {
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if asked & {name.lower().replace("_", "-") for name in distributions}
    } | {"boto3", "botocore"}
