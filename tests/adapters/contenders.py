"""Sixteen contenders, four in each of four processes: what no lock of one process can decide, the store must.

Run as a program, it is one of the four: it waits until all are ready, lets its four threads go, and says what each got.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from ast import literal_eval
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from dojang.adapters.clock import SystemClock, sleep_inline
from dojang.adapters.gateway import GatewayV2
from dojang.adapters.sender import BlockingSender
from dojang.adapters.store import AwaitedStore, Backend
from dojang.bootpay import Bootpay
from dojang.core.cancellation import WantedCancel
from dojang.core.observation import observe
from dojang.core.order import OrderId, ReceiptId
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import Rules
from dojang.drive import inline, run
from dojang.errors import Conflict
from dojang.ports import World
from dojang.usecases.cancel import CancelNotDone, cancel

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
RECEIPT = "a" * 24
CONTENDERS = 16
THREADS = 4
PATIENCE_S = 60.0
STEPS = ("to open the store", "to contend")


def contend(
    store: tuple[str, ...], what: str, *more: str, environment: dict[str, str] | None = None
) -> list[Any]:
    """Let sixteen contenders go at once, each with a store of its own, and give what each one got.

    Args:
        store: Where: `sqlite` and a path, `postgres` and an address, `dynamodb` and a table, region and endpoint.
        what: A function of this file.
        more: What it takes besides the store and its number.
        environment: Of their processes; by default this one's.
    """
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(first), what, *store, "--", *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for first in range(0, CONTENDERS, THREADS)
    ]
    for step in STEPS:
        for process in processes:
            assert process.stdout is not None
            assert f"{step}\n" == process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
    return [got for process in processes for got in literal_eval(process.communicate(timeout=120)[0])]


def world_at(backend: Backend, bootpay: Bootpay) -> World:
    """The ports over a store and a client of Bootpay."""
    return World(
        store=AwaitedStore(backend, inline),
        gateway=GatewayV2(BlockingSender(bootpay, inline)),
        clock=SystemClock(sleep_inline),
    )


def client(url: str) -> Bootpay:
    """A client of the emulator at this address."""
    return Bootpay(client_key="client", secret_key="secret", url=url)


def claim(backend: Backend, number: int) -> list[int]:
    """Take everything that is due; how much of each kind it was."""
    return [
        len(take(NOW, LATER, 10))
        for take in (backend.claim_deliveries, backend.claim_notices, backend.claim_checks)
    ]


def one_receipt(backend: Backend, number: int) -> str:
    """Let an order of one's own be paid by the receipt that everybody has."""
    record = backend.load(OrderId(f"race{number}"))
    assert record is not None
    try:
        backend.commit(record, observe(record, _paid(record.order.id, RECEIPT), Rules(), NOW, "buyer"))
    except Conflict:
        return "conflict"
    return "paid"


def same_receipt(backend: Backend, number: int) -> str:
    """See the one order paid by the one receipt."""
    return _observed(backend, RECEIPT)


def own_receipt(backend: Backend, number: int) -> str:
    """See the one order paid by a receipt of one's own."""
    return _observed(backend, f"{number:024x}")


def _observed(backend: Backend, receipt_id: str) -> str:
    # As a use case does it: who meets a conflict loads again and decides again.
    while True:
        record = backend.load(OrderId("o1"), ReceiptId(receipt_id))
        assert record is not None
        try:
            backend.commit(record, observe(record, _paid("o1", receipt_id), Rules(), NOW, "buyer"))
        except Conflict:
            continue
        return "observed"


def _paid(order_id: str, receipt_id: str) -> Receipt:
    return Receipt(id=ReceiptId(receipt_id), order_id=order_id, status=ReceiptStatus.PAID, price=1000)


def refund(backend: Backend, number: int, url: str, amount: str) -> object:
    """Want a part of the one order's money back, under a key of one's own."""
    wanted = WantedCancel(amount=int(amount), tax_free=None, reason="환불")
    with client(url) as bootpay:
        while True:
            told = run(
                cancel(world_at(backend, bootpay), OrderId("o1"), f"k{number}", wanted, within_s=PATIENCE_S)
            )
            why = told.refusal.why.value if isinstance(told, CancelNotDone) else type(told).__name__
            if why != "cancel_in_progress":
                return why


def opened(kind: str, *where: str) -> Any:
    """A store with the patience that sixteen on one machine need."""
    match kind:
        case "sqlite":
            from dojang.adapters.sqlite import SqliteBackend

            return SqliteBackend(where[0], busy_timeout_s=PATIENCE_S)
        case "postgres":
            from dojang.adapters.postgres import PostgresBackend

            return PostgresBackend(where[0], patience_s=PATIENCE_S)
        case _:
            from dojang.adapters.dynamodb import DynamoDBBackend

            return DynamoDBBackend(*where, patience_s=PATIENCE_S)


def _one_process(first: int, what: Callable[..., object], store: list[str], more: list[str]) -> None:
    said: list[object] = []
    together = threading.Barrier(THREADS + 1, timeout=PATIENCE_S)

    def one(number: int) -> None:
        together.wait()
        backend = opened(*store)
        together.wait()
        together.wait()
        said.append(what(backend, number, *more))
        backend.close()

    threads = [threading.Thread(target=one, args=(first + number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for step in STEPS:
        if step != STEPS[0]:
            together.wait()
        print(step, flush=True)
        sys.stdin.readline()
        together.wait()
    for thread in threads:
        thread.join()
    print(said)


if __name__ == "__main__":
    _, _first, _what, *_rest = sys.argv
    _one_process(int(_first), globals()[_what], _rest[: _rest.index("--")], _rest[_rest.index("--") + 1 :])
