"""Every file in examples/ runs as its first lines say."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dojang.entry.settings import read_settings

if TYPE_CHECKING:
    from conftest import Buyer, Shell
    from dojang.emulator.server import EmulatorServer

EXAMPLES = Path(__file__).parents[3] / "examples"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _run(folder: Path, name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_the_list_names_every_example() -> None:
    """README.md and the folder agree."""
    listed = re.findall(
        r"^\| \[`([^`]+)`\]", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    there = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}

    assert there == set(listed)


def test_asking_bootpay(bootpay: EmulatorServer, buyer: Buyer, tmp_path: Path) -> None:
    """A receipt that fits, one that does not, and bad input in one sentence."""
    paid = buyer.pays("ask-1", separately_confirmed=False)
    fits, lower, wrong = (
        _run(tmp_path, "ask_bootpay.py", *words, BOOTPAY_URL=bootpay.url)
        for words in (("ask-1", "3000", paid), ("ask-1", "9000", paid), ("ask-1", "3000", "x"))
    )

    assert (0, f"{paid} pays 3,000 KRW for ask-1\n") == (fits.returncode, fits.stdout)
    assert 1 == lower.returncode
    assert lower.stdout.startswith("amount_mismatch: ")
    assert 1 == wrong.returncode
    assert "Traceback" not in wrong.stderr


def test_the_embedded_shop(bootpay: EmulatorServer, buyer: Buyer, tmp_path: Path) -> None:
    """It asks the stock, takes the money, hands over once."""
    receipt_id = buyer.pays("shop-1", 12_000)
    done = _run(tmp_path, "embedded_shop.py", receipt_id, BOOTPAY_URL=bootpay.url)

    assert 0 == done.returncode, done.stderr
    assert ["paid ", "handed over: shop-1:3:order_paid"] == done.stdout.splitlines()


def test_the_function_for_orders_kept_elsewhere(bootpay: EmulatorServer, buyer: Buyer) -> None:
    """What fits is paid, another price and another order are not, nonsense is the caller's mistake."""
    order_id = "1526557671321"
    asked = [
        {"order_id": order_id, "receipt_id": buyer.pays(order_id, 3000, separately_confirmed=False)},
        {"order_id": order_id, "receipt_id": buyer.pays(order_id, 2000, separately_confirmed=False)},
        {"order_id": order_id, "receipt_id": buyer.pays("another", 3000, separately_confirmed=False)},
        {"order_id": "unknown", "receipt_id": "0" * 24},
        {"order_id": order_id, "receipt_id": "../x"},
    ]
    script = (
        "import json, sys\nfrom lambda_stateless import handler\n"
        "print(json.dumps([handler({'body': json.dumps(each)}, None) for each in json.load(sys.stdin)]))"
    )
    keys = {"BOOTPAY_CLIENT_KEY": "ck", "BOOTPAY_SECRET_KEY": "sk", "BOOTPAY_URL": bootpay.url}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=EXAMPLES,
        input=json.dumps(asked),
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr
    told = [(each["statusCode"], json.loads(each["body"])["paid"]) for each in json.loads(done.stdout)]

    assert [(200, True), (200, False), (200, False), (400, False), (400, False)] == told


def test_taking_deliveries(dojang: Shell, buyer: Buyer, tmp_path: Path) -> None:
    """The example takes what dojang signed, and nothing else."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    receiver = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "take_deliveries.py"), str(port)],
        env={**os.environ, "DOJANG_DELIVER_SECRET": WHSEC},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 30
        while not _listens(port) and time.monotonic() < deadline:
            time.sleep(0.02)
        dojang("orders", "add", "T-1", "--price", "3000", "--name", "x")
        dojang("verify", "T-1", buyer.pays("T-1"))
        dojang.environment |= {
            "DOJANG_DELIVER_TO": f"http://127.0.0.1:{port}/dojang",
            "DOJANG_DELIVER_SECRET": WHSEC,
        }
        foreign = dojang("deliver", "--format", "json", DOJANG_DELIVER_SECRET="whsec_" + "A" * 32)
        dojang("deliver", "--retry", "T-1:3:order_paid")
        ours = dojang("deliver", "--format", "json")
    finally:
        receiver.terminate()
        told, _ = receiver.communicate(timeout=30)

    assert (1, 1) == (foreign.code, foreign.data["failed"])
    assert (0, 1) == (ours.code, ours.data["settled"])
    assert "order.paid T-1 paid\n" == told


def test_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key in it is one, and with its secrets mounted it is complete."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret-key").write_text("sk\n")
    (tmp_path / "deliver-secret").write_text(WHSEC + "\n")
    settings = read_settings(environment={}, toml=EXAMPLES / "dojang.toml")

    assert ("sandbox", "sk", (WHSEC,)) == (settings.mode, settings.secret_key, settings.deliver_secrets)
