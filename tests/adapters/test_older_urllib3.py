"""A function's own packages go before its layer's, and an older runtime has an older urllib3: the shop is told with it.

The tests of the way to the shop are run once more, by a process that finds urllib3 1.26 first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fetched import fetch

ROOT = Path(__file__).parents[2]
VERSION = "1.26.20"
TESTS = "tests/adapters/test_destination.py"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the last release before 2."""
    folder = tmp_path_factory.mktemp("urllib3")
    try:
        fetch(f"urllib3=={VERSION}", folder)
    except (subprocess.SubprocessError, OSError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"urllib3 {VERSION} could not be fetched: {error}")
        pytest.skip(f"urllib3 {VERSION} could not be fetched")
    return folder


def test_the_shop_is_told_with_an_older_urllib3(older: Path) -> None:
    """Kept connections, TLS, and every way a POST can fail."""
    check = (
        f"import urllib3, pytest; assert urllib3.__version__ == {VERSION!r}; raise SystemExit(pytest.main())"
    )
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            check,
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            TESTS,
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(older)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == ran.returncode, ran.stdout[-4000:]
    assert " passed" in ran.stdout
