"""The layer by itself: unpacked, with nothing beside it but what Lambda's image has."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dojang.emulator.server import EmulatorServer
from dojang.emulator.windows import Checkout
from dojang.entry.layer import Layer

if TYPE_CHECKING:
    from tests.entry.conftest import Opt

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("layer")]


def _paid(bootpay: EmulatorServer, order_id: str, price: int, *, approved: bool) -> str:
    with bootpay.changing() as ledger:
        checkout = Checkout(
            order_id=order_id, price=price, method="card", separately_confirmed=not approved, webhook_url=""
        )
        receipt_id = ledger.open_checkout(checkout).receipt_id
        ledger.approve(receipt_id)
    return receipt_id


def test_the_layer_is_small(layer: Layer) -> None:
    """Three megabytes at most, byte code included."""
    assert layer.compiled_by is not None
    assert 3 * 1024 * 1024 > len(layer.content)


def test_every_module_of_the_layer_can_be_imported(opt: Opt) -> None:
    """Nothing in it needs what is not there; what it loads is its own, the standard library's or Lambda's."""
    names = sorted(
        ".".join(file.relative_to(opt.python).with_suffix("").parts).removesuffix(".__init__")
        for folder in ("dojang", "lib")
        for file in (opt.python / folder).rglob("*.py")
    )
    foreign = opt.json(f"""
import importlib, json, sysconfig
for name in {names!r}:
    importlib.import_module(name)
homes = [*sys.path[-2:], sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
files = {{name: getattr(module, "__file__", None) for name, module in sys.modules.items()}}
strangers = [n for n, f in files.items() if f and n != "__main__" and not f.startswith(tuple(homes))]
strangers += [n for n, f in files.items() if f and "site-packages" in f and not f.startswith(tuple(homes[:2]))]
print(json.dumps(strangers))
""")

    assert len(names) > 80
    assert [] == foreign


def test_byte_code_is_used_as_it_is(opt: Opt, tmp_path: Path) -> None:
    """A cold start compiles nothing: it would not even notice sources that say something else."""
    copied = replace(opt, python=tmp_path / "python")
    shutil.copytree(opt.python, copied.python)
    sources = list(copied.python.rglob("*.py"))
    for source in sources:
        source.write_text("raise SystemExit('this was compiled')\n")
    loaded = copied.run("import dojang.entry.aws, lib.BootpayApi, msgspec; print(*sys.modules)").split()

    assert len(sources) > 80
    assert {"dojang.entry.aws", "lib.BootpayApi", "msgspec._core"} <= set(loaded)


def test_the_handler_verifies_a_payment(opt: Opt, bootpay: EmulatorServer, tmp_path: Path) -> None:
    """Registered and verified through the handler: the layer has all of the service."""
    receipt_id = _paid(bootpay, "o-1", 3000, approved=False)
    events = [
        {"action": "register", "order_id": "o-1", "price": 3000, "name": "커피"},
        {"action": "verify", "order_id": "o-1", "receipt_id": receipt_id},
        {"source": "aws.events", "detail-type": "Scheduled Event"},
    ]
    answers = opt.json(
        f"""
import json
from dojang.entry.aws import handler
print(json.dumps([handler(event, None) for event in json.loads({json.dumps(events)!r})]))
""",
        DOJANG_MODE="emulator",
        BOOTPAY_URL=bootpay.url,
        DOJANG_STORE=f"sqlite:///{tmp_path}/orders.sqlite3",
        AWS_LAMBDA_FUNCTION_NAME="dojang",
    )
    assert isinstance(answers, list)
    registered, verified, scheduled = answers

    assert 201 == registered["status"]
    assert (200, "paid", False) == (
        verified["status"],
        verified["body"]["state"],
        verified["body"]["replayed"],
    )
    assert not scheduled["more"]


def test_the_facade_and_the_dynamodb_store_are_there(opt: Opt, tmp_path: Path) -> None:
    """A function of one's own may use `Dojang` or the client, and the store reaches for Lambda's botocore alone."""
    told = opt.json(f"""
import json
from dojang import Dojang, Money, Order, judge, receipt_from_v2
from dojang.bootpay import AsyncBootpay, Bootpay
from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.adapters.dynamodb.signed import SignedTable
SignedTable("ap-northeast-2").close()
with Dojang(store="sqlite:///{tmp_path}/own.sqlite3", mode="emulator") as dojang:
    dojang.register("o-1", price=3000, name="커피")
import botocore, urllib3
print(json.dumps([module.__file__.startswith(sys.path[-1]) for module in (botocore, urllib3)]))
""")

    assert [True, True] == told
