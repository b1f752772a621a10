"""The emulator as a process: its state file, its end, its address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from dojang.emulator.options import EmulatorOptions
from dojang.emulator.server import EmulatorServer, serve
from dojang.errors import ConfigError, StoreUnavailable

AUTH = ("client", "secret")


def test_state_file_survives_a_restart(tmp_path: Path, shop: Any) -> None:
    """Receipts, clock, tokens and unheard webhooks are still there; the webhook goes out."""
    file = tmp_path / "bootpay.json"
    shop.usual = (500, b"")
    with EmulatorServer(EmulatorOptions(state_file=file, webhook_url=shop.url)) as server:
        checkout = {"order_id": "o1", "price": 3000}
        receipt_id = requests.post(f"{server.url}/emulator/checkouts", json=checkout, timeout=5).json()[
            "receipt_id"
        ]
        requests.post(f"{server.url}/emulator/receipts/{receipt_id}/approve", timeout=5)
        assert server.wait_idle()
        before = server.ledger.receipt(receipt_id)
    shop.usual = (200, b'{"success": true}')
    with EmulatorServer(EmulatorOptions(state_file=file, webhook_url=shop.url)) as server:
        after = requests.get(f"{server.url}/v2/receipt/{receipt_id}", auth=AUTH, timeout=5).json()
        with server.changing() as ledger:
            ledger.advance(60)
        assert server.wait_idle()
        verdicts = [hook.verdict for hook in server.ledger.state.webhooks.values()]

    assert before == after
    assert ["acknowledged"] == verdicts
    assert [file] == list(tmp_path.iterdir())


def test_each_change_is_on_file_before_it_is_answered(tmp_path: Path) -> None:
    """Killed right after an answer, the file already knows."""
    file = tmp_path / "bootpay.json"
    with EmulatorServer(EmulatorOptions(state_file=file)) as server:
        checkout = {"order_id": "o1", "price": 3000}
        answer = requests.post(f"{server.url}/emulator/checkouts", json=checkout, timeout=5).json()
        on_file = file.read_text()

    assert answer["receipt_id"] in on_file


@pytest.mark.parametrize("content", [b"", b"{}", b'{"receipts": 3}', b"\xff"])
def test_foreign_state_file_is_not_overwritten(content: bytes, tmp_path: Path) -> None:
    """A file that holds something else stops the start and stays as it is."""
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        EmulatorServer(EmulatorOptions(state_file=file))

    assert content == file.read_bytes()


def test_state_file_needs_a_folder(tmp_path: Path) -> None:
    """A folder that is not there stops the start; one that goes away is said when it matters."""
    with pytest.raises(ConfigError, match="no folder"):
        EmulatorServer(EmulatorOptions(state_file=tmp_path / "none" / "state.json"))
    folder = tmp_path / "soon-gone"
    folder.mkdir()
    server = EmulatorServer(EmulatorOptions(state_file=folder / "state.json"))
    folder.rmdir()
    with pytest.raises(StoreUnavailable, match="cannot be written"), server.changing() as ledger:
        ledger.advance(1)


def test_taken_port_is_said_clearly() -> None:
    """Two cannot listen at one place."""
    with EmulatorServer() as server, pytest.raises(ConfigError, match="cannot listen"):
        serve(EmulatorOptions(port=int(server.url.rpartition(":")[2])))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_ends_cleanly(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it at once, without a traceback, even while a client is kept waiting."""
    words = (
        "from dojang.emulator.server import serve; from dojang.emulator.options import EmulatorOptions;"
        "serve(EmulatorOptions(port=0), ready=lambda url: print(url, flush=True))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    with subprocess.Popen(
        [sys.executable, "-c", words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        requests.post(f"{url}/emulator/faults", json={"on": "*", "do": "timeout_before"}, timeout=5)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/v2/receipt/0", timeout=0.05)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)

    assert (0, "") == (process.returncode, errors)
