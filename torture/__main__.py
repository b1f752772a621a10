"""`python -m torture`: the kill proof. `python -m torture flat`: memory and file descriptors stay flat."""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import signal
import sys
import tempfile
from pathlib import Path

from torture.figures import Figures, Plan
from torture.page import write_kills
from torture.run import torture
from torture.stores import STORES
from torture.table import table


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _plan(arguments: argparse.Namespace, store: str) -> Plan:
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    if arguments.quick:
        return Plan(
            store=store,
            kills=arguments.kills or 6,
            seed=seed,
            servers=arguments.servers,
            buyers=8,
            longest_s=1.2,
            minutes=1.0,
            patience_s=2.0,
            alone=not arguments.by_hand,
        )
    return Plan(
        store=store,
        kills=arguments.kills or {"sqlite": 200, "postgres": 100}[store],
        seed=seed,
        servers=arguments.servers,
        minutes=arguments.minutes,
        waits=arguments.wait,
        alone=not arguments.by_hand,
    )


def _show(figures: Figures) -> bool:
    """Print everything; whether all is well."""
    sys.stdout.write(table(figures))
    for order_id, words in figures.deviations:
        sys.stdout.write(f"DEVIATION {order_id}: {words}\n")
    for order_id, evidence in figures.evidence.items():
        sys.stdout.write(
            f"--- {order_id}\n{json.dumps(evidence, default=_plain, ensure_ascii=False, indent=1)}\n"
        )
    sys.stdout.flush()
    return not figures.deviations


def _plain(value: object) -> object:
    if isinstance(value, set):
        return sorted(value)
    return (
        dataclasses.asdict(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type)
        else str(value)
    )


def main() -> int:
    """Run; 0 if nothing was lost and nothing happened twice."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("kill", "flat"), default="kill")
    parser.add_argument(
        "--store", choices=STORES, action="append", help="both unless one is named (flat: SQLite)"
    )
    parser.add_argument("--kills", type=int, help="how often at least (200 on SQLite, 100 on PostgreSQL)")
    parser.add_argument("--seed", type=int, help="makes stories, faults and moments the same again")
    parser.add_argument("--minutes", type=float, default=30.0, help="killing ends after so many")
    parser.add_argument("--servers", type=int, default=1, help="how many servers share the store")
    parser.add_argument("--wait", action="store_true", help="wait for leases; no clock is set ahead")
    parser.add_argument("--by-hand", action="store_true", help="reconcile --all at once, nothing before it")
    parser.add_argument("--quick", action="store_true", help="a few kills, half a minute")
    parser.add_argument("--keep", type=Path, help="a folder for stores and logs; kept afterwards")
    parser.add_argument("--write", action="store_true", help="write the figures to docs/reliability.md")
    parser.add_argument("--requests", type=int, default=100_000, help="flat: how many")
    arguments = parser.parse_args()
    # Whoever is asked to stop ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if arguments.what == "flat":
        from torture.flat import main_flat

        return main_flat(arguments, _say)
    fine = True
    for store in arguments.store or STORES:
        plan = _plan(arguments, store)
        _say(f"{plan}")
        with tempfile.TemporaryDirectory(prefix="torture-") as temporary:
            folder = arguments.keep / store if arguments.keep else Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            figures = torture(plan, folder.resolve(), _say)
        if not _show(figures):
            fine = False
        elif arguments.write:
            write_kills(figures)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
