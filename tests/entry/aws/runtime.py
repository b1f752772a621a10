"""The real Lambda runtime: AWS's runtime client under AWS's Runtime Interface Emulator, one process per instance.

The emulator's binary is what the `aws-sam-cli` wheel carries; the wheel is fetched beside the project, never into its
environment. An instance finds the function, its layer and what Lambda's image has, in that order and nothing else; it
serves one invocation at a time, as in Lambda.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.fetched import fetch

from dojang.entry.layer import Arch, Target

ROOT = Path(__file__).parents[3]
VERSION = "1.170.0"
FOLDER = ROOT / ".tools" / f"aws-lambda-rie-{VERSION}"
DIGESTS = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
"""SHA-256 of the binaries: whatever index the wheel comes from, they are these."""
STARTS_WITHIN_S = 20.0
# Below those that Linux gives to outgoing connections: a call of one instance would take the port that another, which
# is still starting, was told to listen on. In an order of its own for each process of the tests.
_PORTS = iter(random.SystemRandom().sample(range(12_000, 32_000), k=20_000))
HANDLER = "dojang.entry.aws.handler"
HERE = Target(
    f"{sys.version_info.major}.{sys.version_info.minor}",
    Arch.ARM64 if platform.machine() in ("aarch64", "arm64") else Arch.X86_64,
)
"""This machine, as a target: its layer can be run here."""
IN_THE_IMAGE = (
    "awslambdaric", "runtime_client", "snapshot_restore_py", "simplejson",
    "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3",
)  # fmt: skip
"""What Lambda's image has besides the standard library: the runtime client and the AWS SDK."""


def image(folder: Path) -> Path:
    """A folder with what Lambda's image has, and nothing else of this environment."""
    folder.mkdir()
    for name in IN_THE_IMAGE:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            unavailable(f"{name} is not installed; it belongs to the development dependencies")
        origin = Path(spec.origin)
        source = origin.parent if spec.submodule_search_locations else origin
        (folder / source.name).symlink_to(source)
    return folder


def unpacked(layer: bytes, opt: Path) -> tuple[Path, Path]:
    """A layer's zip where Lambda unpacks it; the two folders in it that Python looks into, in Lambda's order."""
    with zipfile.ZipFile(io.BytesIO(layer)) as archive:
        archive.extractall(opt)
    python = opt / "python"
    return python / "lib" / HERE.runtime / "site-packages", python


def unavailable(reason: str) -> NoReturn:
    """Skip with a reason; where the machine promised to have everything, fail instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, but there is no Lambda runtime: {reason}")
    pytest.skip(f"no Lambda runtime: {reason}")


@cache
def emulator_binary() -> Path:
    """The Runtime Interface Emulator for this machine, fetched now if it is not there yet."""
    if sys.platform != "linux":
        unavailable("AWS builds the Runtime Interface Emulator for Linux alone")
    machine = {"aarch64": "arm64", "x86_64": "x86_64"}.get(platform.machine(), "")
    if machine not in DIGESTS:
        unavailable(f"AWS builds no Runtime Interface Emulator for {platform.machine()}")
    binary = FOLDER / "aws-lambda-rie"
    FOLDER.parent.mkdir(exist_ok=True)
    with (FOLDER.parent / "aws-lambda-rie.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same run may be at it
        if not binary.exists():
            _fetch(machine, binary)
    return binary


def _fetch(machine: str, binary: Path) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
        try:
            fetch(f"aws-sam-cli=={VERSION}", Path(scratch))
        except (subprocess.SubprocessError, OSError) as error:
            unavailable(f"aws-sam-cli could not be fetched: {error}")
        found = Path(scratch) / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{machine}"
        digest = hashlib.sha256(found.read_bytes()).hexdigest()
        if digest != DIGESTS[machine]:
            pytest.fail(f"{found.name} is not the binary this test was written for: its SHA-256 is {digest}")
        FOLDER.mkdir(exist_ok=True)
        found.chmod(0o755)
        shutil.move(found, binary)


class Instance:
    """One instance of a function, in processes of its own.

    Args:
        path: Where Python looks, in Lambda's order: the function, its layer, the image.
        environment: The function's settings.
        folder: Where its log is kept.
        handler: What Lambda is told to call.
        timeout_s: After which Lambda kills it.
        log_level: Of the emulator; at `info` it tells how long everything took.
    """

    def __init__(
        self,
        path: Sequence[Path],
        environment: Mapping[str, str],
        folder: Path,
        *,
        handler: str = HANDLER,
        timeout_s: int = 30,
        log_level: str = "warn",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port, runtime_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self._port = port
        self._log = folder / "log"
        lambdas_own = {
            "AWS_LAMBDA_FUNCTION_NAME": "dojang",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
            "AWS_REGION": "ap-northeast-2",
            "AWS_DEFAULT_REGION": "ap-northeast-2",
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(map(str, path)),
        }
        command = [
            str(emulator_binary()), "--log-level", log_level,
            "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
            "--runtime-api-address", f"127.0.0.1:{runtime_port}",
            # The interpreter behind the environment, without site-packages: only what was deployed can be found.
            getattr(sys, "_base_executable", sys.executable), "-S", "-m", "awslambdaric", handler,
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=lambdas_own | dict(environment),
                cwd=path[0],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ready(self) -> None:
        """Wait until it can be invoked."""
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the runtime does not start: {self.log[-500:]}") from None
                time.sleep(0.02)
            else:
                return

    def __call__(self, event: object) -> Any:
        """Invoke it and read its answer."""
        return json.loads(self.invoke(event))

    def invoke(self, event: object) -> bytes:
        """Invoke it; what it answers, word for word."""
        request = urllib.request.Request(self.url, json.dumps(event).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said: bytes = answer.read()
        except urllib.error.HTTPError as error:
            error.add_note(self.log[-2000:])
            raise
        return said

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Our own lines of that."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def processes(self) -> list[int]:
        """Its processes: the emulator puts the runtime into a group of its own, but not into another session."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, _, _, session = stat.read_text().rpartition(") ")[2].split()[:4]
                if int(session) == self._process.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return found

    def kill(self) -> None:
        """It dies, with everything it had begun: no signal handler, no last word."""
        # The runtime first: it is the one that must not live to write anything down.
        for process in sorted(self.processes, reverse=True):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait(10)
        until = time.monotonic() + 10
        while self.processes and time.monotonic() < until:
            time.sleep(0.01)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, none of them told twice."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            with suppress(OSError):
                held.append(socket.create_server(("127.0.0.1", next(_PORTS))))
        return [server.getsockname()[1] for server in held]
    finally:
        for server in held:
            server.close()
