"""dojang in a server that is loaded once and then forks its workers."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.adapters.postgres_server import address_of, fresh_schema, server_conninfo

WORKERS = """
import os, sys
from dojang import Dojang
from dojang.core.order import OrderId
from dojang.drive import run

dojang = Dojang(mode="emulator", url="http://127.0.0.1:9", store=sys.argv[1])
for number in range(3):
    dojang.register(f"o-{number}", price=1000 + number, name="x")
workers = []
for number in range(3):
    worker = os.fork()
    if worker == 0:
        for _ in range(100):
            record = run(dojang._world.store.load(OrderId(f"o-{number}")))
            assert record.order.id == f"o-{number}", record.order.id
        dojang.close()
        sys.exit(0)
    workers.append(worker)
print([os.waitpid(worker, 0)[1] for worker in workers])
print(dojang.register("o-0", price=1000, name="x"))
dojang.close()
"""

KEPT = """
import os, sys
from dojang.adapters.postgres import PostgresBackend
from dojang.core.order import OrderId
from dojang.errors import ConfigError

backend = PostgresBackend(sys.argv[1])
worker = os.fork()
if worker == 0:
    try:
        backend.load(OrderId("o-0"))
    except ConfigError as error:
        os._exit(7 if "before the process was forked" in str(error) else 1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]), backend.load(OrderId("o-0")))
backend.close()
"""


def _said(program: str, store: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, store], capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_each_forked_worker_reads_its_own_orders(kind: str, tmp_path: Path) -> None:
    """On one connection they would read each other's, and tell buyers of the wrong ones; the parent goes on as well."""
    with ExitStack() as stack:
        store = (
            f"sqlite:///{tmp_path}/d.sqlite3"
            if kind == "sqlite"
            else address_of(stack.enter_context(fresh_schema(server_conninfo())))
        )
        assert "[0, 0, 0]\nFalse\n" == _said(WORKERS, store)


def test_a_store_that_somebody_keeps_across_a_fork_refuses() -> None:
    """Alone it does not know how to be opened anew; it says so instead of answering about somebody else's order."""
    with fresh_schema(server_conninfo()) as conninfo:
        assert "7 None\n" == _said(KEPT, conninfo)
