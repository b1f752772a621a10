"""Settings that are kept in AWS are read while the rest of the program is: AWS takes as long to answer as that does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from threading import Thread

from dojang.entry.settings import Settings, read_settings, secrets_elsewhere

__all__ = ["Ahead", "before_snapshot"]


class Ahead:
    """Settings that are being read; no secret where a snapshot is going to be taken.

    Args:
        environment: `os.environ` unless a test brings its own.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._settings: Settings | None = None
        self._thread: Thread | None = None
        self._elsewhere = secrets_elsewhere(self._environment)
        if self._elsewhere and not before_snapshot(self._environment):
            # All that reading needs is there before a second thread begins: two may wait for each other's imports.
            import dojang.adapters.aws  # noqa: F401 - see above

            self._thread = Thread(target=self._read, daemon=True)
            self._thread.start()

    def settings(self) -> Settings | None:
        """What was found, as soon as it is; None if it must not be read yet, or could not be."""
        if self._thread is not None:
            self._thread.join()
        elif not self._elsewhere:
            self._read()
        return self._settings

    def _read(self) -> None:
        # Whatever is wrong, the first invocation meets it again and tells it: an initialisation that fails is repeated
        # without end.
        with suppress(Exception):
            self._settings = read_settings(environment=self._environment)


def before_snapshot(environment: Mapping[str, str]) -> bool:
    """Whether many copies of this process are going to be started (SnapStart)."""
    return environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
