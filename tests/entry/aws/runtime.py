"""The real Lambda runtime: AWS's runtime client under AWS's Runtime Interface Emulator, one process per instance.

The emulator's binary is what the `aws-sam-cli` wheel carries; the wheel is fetched beside the project, never into its
environment. An instance serves one invocation at a time, as in Lambda.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).parents[3]
VERSION = "1.170.0"
FOLDER = ROOT / ".tools" / f"aws-lambda-rie-{VERSION}"
DIGESTS = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
"""SHA-256 of the binaries: whatever index the wheel comes from, they are these."""
STARTS_WITHIN_S = 20.0
HANDLER = "dojang.entry.aws.handler"


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
        fetch = [
            "sh",
            str(ROOT / "house" / "uv"),
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            scratch,
        ]
        try:
            subprocess.run([*fetch, f"aws-sam-cli=={VERSION}"], capture_output=True, timeout=180, check=True)
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
    """One instance of the function, in processes of its own.

    Args:
        environment: The function's settings.
        folder: Where it works, and its log is kept.
        timeout_s: After which Lambda kills it.
    """

    def __init__(self, environment: dict[str, str], folder: Path, *, timeout_s: int = 30) -> None:
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
            "TZ": ":UTC",
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/bin:/bin",
        }
        command = [
            str(emulator_binary()), "--log-level", "warn",
            "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
            "--runtime-api-address", f"127.0.0.1:{runtime_port}",
            sys.executable, "-m", "awslambdaric", HANDLER,
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=lambdas_own | environment,
                cwd=folder,
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
                    pytest.fail(f"the runtime does not start: {self.log[-500:]}")
                time.sleep(0.02)
            else:
                return

    def __call__(self, event: object) -> Any:
        """Invoke it and read its answer."""
        request = urllib.request.Request(self.url, json.dumps(event).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

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
    """Ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [server.getsockname()[1] for server in held]
    finally:
        for server in held:
            server.close()
