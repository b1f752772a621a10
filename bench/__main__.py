"""Measure everything, or one part of it, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

from bench import client, lambda_start, verification
from bench.page import PAGE, client_part, lambda_part, replaced, service_part

Part: TypeAlias = Callable[[bool, str], str]


def _client(quick: bool, load: str) -> str:
    return client_part(client.measure(60 if quick else 400), load)


def _service(quick: bool, load: str) -> str:
    verifications, many = (1_000, 20_000) if quick else (6_000, 10_000_000)
    return service_part(verification.measure(verifications, many), load)


def _lambda(quick: bool, load: str) -> str:
    return lambda_part(lambda_start.measure(2 if quick else 15), load)


_PARTS: Mapping[str, Part] = {"client": _client, "service": _service, "lambda": _lambda}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, help="one part; the others stay as they are")
    parser.add_argument("--quick", action="store_true", help="fewer calls, figures for a first look only")
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    arguments = parser.parse_args()
    parts = {}
    for name in [arguments.only] if arguments.only else _PARTS:
        sys.stderr.write(f"{name} …\n")
        # Whoever reads the figures should know what else went on.
        load = f"load average {os.getloadavg()[0]:.1f} before the start"
        parts[name] = _PARTS[name](arguments.quick, load)
    page = replaced(PAGE.read_text(encoding="utf-8") if PAGE.exists() else "", parts)
    if arguments.print or arguments.quick:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")
        sys.stderr.write(f"wrote {PAGE}\n")


if __name__ == "__main__":
    main()
