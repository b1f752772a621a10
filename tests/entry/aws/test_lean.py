"""A cold start reads no more than it needs, and nobody notices what was left out."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# A process of its own: this one has read everything.
STARTED = """
import json, sys
from dojang.entry.aws.lean import metadata_when_asked
with metadata_when_asked():
    import urllib3.connection
    {within}
left_out = [name for name in ("importlib.metadata", "zipfile", "csv", "importlib.resources") if name not in sys.modules]
import urllib3.http2
asked = urllib3.http2.version("urllib3") == urllib3.__version__
import importlib.metadata
real = importlib.metadata
print(json.dumps([left_out, asked, real.__spec__ is not None, real.version("msgspec") != ""]))
"""


def _started(within: str = "") -> list[object]:
    code = STARTED.format(within=within or "pass")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told: list[object] = json.loads(ran.stdout)
    return told


def test_urllib3_is_read_without_what_it_does_not_use() -> None:
    """Who asks for a version afterwards is answered, and Python's own module is what it always was."""
    assert [["importlib.metadata", "zipfile", "csv", "importlib.resources"], True, True, True] == _started()


@pytest.mark.parametrize("within", [
    "from importlib.metadata import distribution",
    "import importlib.metadata; assert importlib.metadata.version('urllib3')",
    "import importlib.metadata as there; assert there.packages_distributions",
])  # fmt: skip
def test_whoever_wants_more_of_it_gets_the_real_one(within: str) -> None:
    """Another urllib3 may want another word of it: then it is read, as ever."""
    assert [[], True, True, True] == _started(within)


def test_a_function_that_only_verifies_reads_nothing_of_cancels_and_webhooks() -> None:
    """What other requests need is read by the first of them."""
    never = (
        "dojang.core.cancellation", "dojang.bootpay.webhook", "dojang.usecases.receive_webhook",
        "dojang.web.openapi", "concurrent.futures", "dataclasses", "urllib3", "http.client", "email",
    )  # fmt: skip
    code = f"import sys, dojang.entry.aws; print([name for name in {never!r} if name in sys.modules])"
    environment = {"DOJANG_MODE": "emulator", "DOJANG_STORE": "dynamodb://orders", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert "[]\n" == ran.stdout


def test_what_is_garbage_later_is_looked_for() -> None:
    """The collector rests while modules are read, not for the instance's life; what they left is never looked at."""
    code = "import gc, dojang.entry.aws; print(gc.isenabled(), gc.get_freeze_count() > 0)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "True True\n" == ran.stdout


@pytest.mark.parametrize(
    ("asks", "reads"), [({}, False), ({"DOJANG_APPROVE_AT": "https://shop.example/ok"}, True)]
)
def test_what_a_buyer_waits_for_is_read_at_the_start(asks: dict[str, str], reads: bool) -> None:
    """A shop that is asked before money moves is asked while a buyer waits; what it is told later can wait."""
    code = (
        "import sys, dojang.entry.aws; print('urllib3.connection' in sys.modules, 'zipfile' in sys.modules)"
    )
    environment = {
        "DOJANG_MODE": "emulator", "DOJANG_STORE": "dynamodb://orders", "PATH": "/usr/bin:/bin",
        "DOJANG_DELIVER_TO": "https://shop.example/told", "DOJANG_DELIVER_SECRET": "whsec_" + "c2VjcmV0" * 4,
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment | asks, capture_output=True, text=True, check=True
    )

    assert f"{reads} False\n" == ran.stdout
