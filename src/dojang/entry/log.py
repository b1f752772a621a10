"""What a server writes down about itself: one line per event on stderr, JSON where no person is watching."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["log_to_stderr"]


class _Lines(logging.Formatter):
    """`{"at", "level", "logger", "message"}` on one line. Nobody logs a secret, so none is searched for here."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(*, requests: bool = False) -> None:
    """Send dojang's own log to stderr, and nobody else's.

    Args:
        requests: Whether every request is a line too.
    """
    handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    else:
        handler.setFormatter(_Lines())
    logger = logging.getLogger("dojang")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("dojang.access").setLevel(logging.INFO if requests else logging.WARNING)
