"""The processes of a run: the pretend Bootpay, the servers that are killed, the commands of a person."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torture.wire import Wire

__all__ = ["Command", "Process", "Server", "emulator", "free_port"]

_ROOT = Path(__file__).parent.parent
# What stands beside this file is what is tortured, whatever else may be installed.
_PATH = os.pathsep.join((str(_ROOT / "src"), str(_ROOT)))
_READY_WITHIN_S = 60.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A command of ours in a process of its own; what it says goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("DOJANG_", "BOOTPAY_"))
        }
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=log.parent,
                env={**inherited, "PYTHONPATH": _PATH, **environment},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it as a loss of power would."""
        self._process.kill()
        self._process.wait()

    def stop(self, within_s: float = 30.0) -> int:
        """Ask it to end; its exit code."""
        if not self.ended:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9


def emulator(folder: Path, port: int, webhook_url: str, seed: int) -> Process:
    """A pretend Bootpay that tells the shop's service."""
    command = ["-m", "dojang", "emulator", "--port", str(port), "--webhook-url", webhook_url]
    return Process([*command, "--seed", str(seed)], {}, folder / "emulator.log")


class Server:
    """`dojang serve`, over and over again.

    Args:
        folder: Where its words go.
        environment: Its settings.
        name: Tells servers of one store apart.
        choices: Gives more settings, other ones at each start perhaps.
        module: What is run: the program itself, or one that puts it in a worse place first.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        name: str = "server",
        choices: Callable[[], Mapping[str, str]] = dict,
        module: str = "dojang",
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.kills = 0
        self.starts = 0
        self.log = folder / f"{name}.log"
        self._environment = environment
        self._choices = choices
        self._module = module
        self._process: Process | None = None
        self._wire = Wire(self.url)

    @property
    def pid(self) -> int:
        """The present process."""
        assert self._process is not None
        return self._process.pid

    def start(self, ahead_s: float = 0.0) -> None:
        """Start it; it may not listen yet when this returns."""
        module = ["-m", "torture.later", str(ahead_s)] if ahead_s else ["-m", self._module]
        environment = {**self._environment, **self._choices()}
        self._process = Process([*module, "serve", "--port", str(self.port)], environment, self.log)
        self.starts += 1

    def wait_ready(self) -> None:
        """Wait until it can serve.

        Raises:
            RuntimeError: It ended, or does not become ready.
        """
        until = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < until:
            if self._wire.ask("GET", "/readyz", within_s=5.0).status == 200:
                return
            if self._process is None or self._process.ended:
                raise RuntimeError(f"the server ended by itself: see {self.log}")
            time.sleep(0.02)
        raise RuntimeError(f"the server does not become ready: see {self.log}")

    def kill(self) -> None:
        """End it with kill -9.

        Raises:
            RuntimeError: It had ended by itself before.
        """
        assert self._process is not None
        if self._process.ended:
            raise RuntimeError(f"the server ended by itself: see {self.log}")
        self._process.kill()
        self.kills += 1

    def complaints(self) -> list[str]:
        """What its log tells of mistakes of its own: errors it logged, and tracebacks."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line[:600] for line in lines if '"level": "error"' in line or line.startswith("Traceback")]

    def stop(self, within_s: float = 30.0) -> int:
        """End it in good order, if it does so in time; its exit code."""
        return 0 if self._process is None else self._process.stop(within_s)


class Command:
    """The command line beside the servers, as a person has it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment

    def run(self, *arguments: str, ahead_s: float = 0.0, within_s: float = 900.0) -> tuple[int, Any]:
        """Run a command; its exit code and the JSON it says."""
        module = ["-m", "torture.later", str(ahead_s)] if ahead_s else ["-m", "dojang"]
        done = subprocess.run(
            [sys.executable, *module, *arguments, "--format", "json"],
            cwd=self._folder,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith(("DOJANG_", "BOOTPAY_"))},
                "PYTHONPATH": _PATH,
                **self._environment,
            },
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"words": (done.stdout + done.stderr)[-2000:]}
