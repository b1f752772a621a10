"""One instance of a function: AWS's runtime client under AWS's Runtime Interface Emulator, told to begin and ended."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from bench.borrowed import lambda_runtime
from bench.lambda_packages import Deployment

__all__ = ["Figures", "Instance"]

_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_INVOKED = re.compile(r"INVOKE RTDONE\(status: (\w+), .*?duration: ([\d.]+)ms\)")


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


class Instance(lambda_runtime.Instance):
    """A fresh instance.

    Args:
        deployment: What runs in it.
        environment: The function's settings.
        folder: Where its log is kept.
    """

    def __init__(self, deployment: Deployment, environment: Mapping[str, str], folder: Path) -> None:
        super().__init__(
            deployment.path,
            environment,
            folder,
            handler=deployment.contender.handler,
            timeout_s=29,
            log_level="info",
        )
        self.ready()

    def __enter__(self) -> Instance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def verify(self, event: object) -> None:
        """Have a payment verified.

        Raises:
            RuntimeError: If it does not find the order paid.
        """
        said = self.invoke(event)
        body = json.loads(json.loads(said).get("body", "{}"))
        if not (body.get("paid") is True or body.get("state") == "paid"):
            raise RuntimeError(f"not verified: {said[:500]!r}; {self.log[-2000:]}")

    def measured(self, event: object) -> Figures:
        """Verify, and verify again."""
        self.verify(event)
        cpu_ms, memory_mb = self._spent()
        self.verify(event)
        log = self.log
        (init,) = _INIT.findall(log)
        first, replay = (float(ms) for status, ms in _INVOKED.findall(log) if status == "success")
        return Figures(float(init), first, replay, cpu_ms, memory_mb)

    def _spent(self) -> tuple[float, float]:
        (runtime,) = set(self.processes) - {self._process.pid}
        # Linux's number for the clock of a process, threads included that have ended (clock_getcpuclockid).
        on_processor = time.clock_gettime_ns((~runtime << 3) | 2)
        status = Path(f"/proc/{runtime}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak
        return on_processor / 1e6, int(peak[1]) / 1024
