"""A function's own packages go before its layer's, and an older runtime has an older urllib3: the client runs with it.

The tests of the client and of the way to AWS are run once more, by a process that finds urllib3 1.26 first.
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
# It speaks no TLS with a bare address, which Bootpay and AWS are not: refused there as well, in other words.
LEFT_OUT = "test_a_certificate_for_another_name_never_left"
TESTS = (
    "tests/bootpay/test_client_outcomes.py",
    "tests/bootpay/test_client_tls.py",
    "tests/adapters/test_dynamodb_signed.py",
    "tests/adapters/test_destination.py",
)


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


@pytest.mark.parametrize("tests", TESTS)
def test_the_client_runs_with_an_older_urllib3(older: Path, tests: str) -> None:
    """Kept connections, TLS, every way a call can fail, and what is signed for AWS."""
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
            "-k",
            f"not {LEFT_OUT}",
            tests,
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
