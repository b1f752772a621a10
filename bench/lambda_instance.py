"""One instance of a function: AWS's runtime client under AWS's Runtime Interface Emulator, told to begin and ended."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from bench.borrowed import lambda_runtime
from bench.lambda_packages import Deployment
from bench.processes import free_port

__all__ = ["Figures", "Instance"]

_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_INVOKED = re.compile(r"INVOKE RTDONE\(status: (\w+), .*?duration: ([\d.]+)ms\)")
_STARTS_WITHIN_S = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """One start, one verification, the same verification again.

    Attributes:
        init_ms: What the emulator reports of the initialisation.
        first_ms: What it reports of the first invocation.
        replay_ms: And of the second, the same one again.
        cpu_ms: Processor time of the runtime's process until the first answer.
        memory_mb: Its peak resident memory until then.
    """

    init_ms: float
    first_ms: float
    replay_ms: float
    cpu_ms: float
    memory_mb: float


class Instance:
    """A fresh instance.

    Args:
        deployment: What runs in it.
        environment: The function's settings.
        folder: Where its log is kept.
    """

    def __init__(self, deployment: Deployment, environment: Mapping[str, str], folder: Path) -> None:
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations"
        self._log = folder / "instance.log"
        lambdas_own = {
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
            "AWS_REGION": "ap-northeast-2",
            "AWS_DEFAULT_REGION": "ap-northeast-2",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(map(str, deployment.path)),
        }
        # The interpreter behind the environment, without site-packages: only what was deployed can be found.
        python = [getattr(sys, "_base_executable", sys.executable), "-S"]
        command = [str(lambda_runtime.emulator_binary()), "--log-level", "info"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
        command += [*python, "-m", "awslambdaric", deployment.contender.handler]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=lambdas_own | dict(environment),
                cwd=deployment.path[0],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _STARTS_WITHIN_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the runtime does not start: {self._log.read_text()[-500:]}")
            time.sleep(0.02)

    def __enter__(self) -> Instance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The emulator puts the runtime into a group of its own, but not into another session.
        for process in sorted(self._processes(), reverse=True):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait(10)

    def verify(self, event: object) -> None:
        """Have a payment verified.

        Raises:
            RuntimeError: If it does not find the order paid.
        """
        said = self.invoke(event)
        body = json.loads(json.loads(said).get("body", "{}"))
        if not (body.get("paid") is True or body.get("state") == "paid"):
            raise RuntimeError(f"not verified: {said[:500]!r}; {self._log.read_text()[-2000:]}")

    def invoke(self, event: object) -> bytes:
        """Invoke it; what it answers."""
        request = urllib.request.Request(self._url, json.dumps(event).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            said: bytes = answer.read()
        return said

    def measured(self, event: object) -> Figures:
        """Verify, and verify again."""
        self.verify(event)
        cpu_ms, memory_mb = self._spent()
        self.verify(event)
        log = self._log.read_text(errors="replace")
        (init,) = _INIT.findall(log)
        first, replay = (float(ms) for status, ms in _INVOKED.findall(log) if status == "success")
        return Figures(float(init), first, replay, cpu_ms, memory_mb)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
            return True
        return False

    def _processes(self) -> list[int]:
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                session = stat.read_text().rpartition(") ")[2].split()[3]
                if int(session) == self._process.pid:
                    found.append(int(stat.parent.name))
        return found

    def _spent(self) -> tuple[float, float]:
        (runtime,) = set(self._processes()) - {self._process.pid}
        # Nanoseconds; the clock ticks of `stat` are ten milliseconds long.
        on_processor = sum(
            int(task.read_text().split()[0]) for task in Path(f"/proc/{runtime}/task").glob("*/schedstat")
        )
        status = Path(f"/proc/{runtime}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak
        return on_processor / 1e6, int(peak[1]) / 1024
