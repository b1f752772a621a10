"""`dojang serve`, `dojang emulator` and `dojang demo` as processes: how they begin, and how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3
from tests.adapters import dynamodb_local

if TYPE_CHECKING:
    from conftest import Buyer, Door
    from dojang.emulator.server import EmulatorServer

KEY = "a-key-for-tests-only"
STOPS = [signal.SIGINT, signal.SIGTERM]


class Process:
    """A `dojang` that goes on until it is told to stop."""

    def __init__(self, folder: Path, words: tuple[str, ...], environment: dict[str, str]) -> None:
        plain = {
            name: value for name, value in os.environ.items() if not name.startswith(("DOJANG_", "BOOTPAY_"))
        }
        self._out = (folder / "out").open("w+", encoding="utf-8")
        self._err = (folder / "err").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dojang", *words],
            cwd=folder,
            env=plain | environment,
            stdout=self._out,
            stderr=self._err,
        )

    def said(self) -> str:
        """Everything it has said so far."""
        return Path(self._out.name).read_text(encoding="utf-8") + Path(self._err.name).read_text(
            encoding="utf-8"
        )

    def until(self, pattern: str, within_s: float = 30.0) -> str:
        """Wait until it says something; what it said there."""
        deadline = time.monotonic() + within_s
        while (found := re.search(pattern, self.said())) is None:
            assert self.process.poll() is None, f"it ended: {self.said()}"
            assert time.monotonic() < deadline, f"it never said {pattern}: {self.said()}"
            time.sleep(0.02)
        return found[1] if found.groups() else found[0]

    def stop(self, number: signal.Signals) -> int:
        """Tell it to stop; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self) -> None:
        """End it in any case."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._out.close()
        self._err.close()


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts processes that end with the test."""
    running: list[Process] = []

    def start(*words: str, **environment: str) -> Process:
        running.append(Process(tmp_path, words, environment))
        return running[-1]

    yield start
    for process in running:
        process.close()


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("number", STOPS)
def test_serve_judges_delivers_and_ends_cleanly(
    start: Start,
    port: int,
    bootpay: EmulatorServer,
    buyer: Buyer,
    door: Door,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    """One process answers, makes its store at the start, delivers what is owed, and ends with 0 and no traceback."""
    serving = start(
        "serve", "--port", str(port), "--store", f"sqlite:///{tmp_path}/served.sqlite3", "--mode", "emulator",
        BOOTPAY_URL=bootpay.url, DOJANG_API_KEYS=KEY, DOJANG_DELIVER_TO=door.url,
        DOJANG_DELIVER_SECRET="whsec_" + "c2VjcmV0" * 4,
    )  # fmt: skip
    url = serving.until(
        r"dojang listens on (http://\S+) \(mode emulator, store sqlite:///\S+served.sqlite3\)"
    )
    terms = {"order_id": "S-1", "price": 3000, "name": "x"}
    registered = urllib3.request(
        "POST", f"{url}/v1/orders", json=terms, headers={"Authorization": f"Bearer {KEY}"}
    )
    receipt_id = buyer.pays("S-1")
    verified = urllib3.request("POST", f"{url}/v1/orders/S-1/verify", json={"receipt_id": receipt_id})
    assert door.knocked.wait(20)
    code = serving.stop(number)

    assert (201, 200, "paid") == (registered.status, verified.status, verified.json()["state"])
    assert ["order.paid"] == [message["type"] for message in door.received]
    assert 0 == code, serving.said()
    assert "Traceback" not in serving.said()
    assert KEY not in serving.said()
    assert "c2VjcmV0" not in serving.said()


@pytest.mark.parametrize(
    ("keys", "warned"), [({}, True), ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, False)]
)
def test_serve_says_at_the_start_that_its_table_cannot_be_asked(
    start: Start, port: int, keys: dict[str, str], warned: bool
) -> None:
    """Without AWS's keys every request would be answered 503; they may still come, so it serves."""
    serving = start(
        "serve", "--port", str(port),
        DOJANG_MODE="emulator",
        DOJANG_STORE="dynamodb://orders?region=ap-northeast-2&endpoint=http://127.0.0.1:9",
        AWS_EC2_METADATA_DISABLED="true",
        **keys,
    )  # fmt: skip
    serving.until(r"dojang listens on")
    said = serving.said()
    serving.stop(signal.SIGTERM)

    assert warned == ("cannot be asked before there are AWS keys" in said)


@pytest.mark.xdist_group("dynamodb")
def test_serve_says_at_the_start_that_its_table_has_more_parts(start: Start, port: int) -> None:
    """An order in a part that is not asked would be looked after by nobody: it is said before anybody misses it."""
    table = f"{dynamodb_local.fresh_name()}?region={dynamodb_local.REGION}"
    address = f"dynamodb://{table}&endpoint={dynamodb_local.server_endpoint()}"
    environment = {"DOJANG_MODE": "emulator", **dynamodb_local.KEYS}
    whole = environment | {"DOJANG_STORE": f"{address}&shards=2"}
    for words in (("migrate",), ("orders", "add", "S-4", "--price", "3000", "--name", "x")):
        ran = start(*words, **whole)
        assert 0 == ran.process.wait(30), ran.said()
    serving = start("serve", "--port", str(port), **environment, DOJANG_STORE=f"{address}&shards=1")
    serving.until(r"dojang listens on")
    said = serving.said()
    serving.stop(signal.SIGTERM)

    assert "split into at least 2 parts" in said


def test_serve_reconciles_beside(
    start: Start, port: int, bootpay: EmulatorServer, buyer: Buyer, tmp_path: Path
) -> None:
    """What nobody told is found without anybody asking: the inbox and the schedule are looked into at the start."""
    environment = {
        "BOOTPAY_URL": bootpay.url,
        "DOJANG_MODE": "emulator",
        "DOJANG_STORE": f"sqlite:///{tmp_path}/served.sqlite3",
    }
    adding = start("orders", "add", "S-1", "--price", "3000", "--name", "x", **environment)
    assert 0 == adding.process.wait(30), adding.said()
    with closing(sqlite3.connect(tmp_path / "served.sqlite3")) as database:
        # As if it had waited long enough for its first check.
        database.execute("UPDATE orders SET due_at = 1")
        database.commit()
    buyer.pays("S-1", separately_confirmed=False)
    serving = start("serve", "--port", str(port), **environment)
    found = serving.until(r"order S-1: open -> paid")
    warned = serving.said()
    code = serving.stop(signal.SIGTERM)

    assert found
    assert "DOJANG_API_KEYS is not set" in warned
    assert "DOJANG_DELIVER_TO is not set" in warned
    assert 0 == code


def test_serve_logs_lines_a_machine_can_read(
    start: Start, port: int, bootpay: EmulatorServer, buyer: Buyer, door: Door, tmp_path: Path
) -> None:
    """Where no person watches, each event is one JSON object that names no key and nothing of the buyer."""
    door.status = 500
    environment = {
        "BOOTPAY_URL": bootpay.url,
        "DOJANG_MODE": "emulator",
        "DOJANG_STORE": f"sqlite:///{tmp_path}/served.sqlite3",
        "DOJANG_DELIVER_TO": door.url,
        "DOJANG_DELIVER_SECRET": "whsec_" + "c2VjcmV0" * 4,
    }
    adding = start("orders", "add", "S-1", "--price", "3000", "--name", "x", **environment)
    assert 0 == adding.process.wait(30), adding.said()
    serving = start("serve", "--port", str(port), **environment)
    url = serving.until(r"dojang listens on (http://\S+) ")
    receipt_id = buyer.pays("S-1", user={"username": "홍길동"})
    urllib3.request("POST", f"{url}/v1/orders/S-1/verify", json={"receipt_id": receipt_id})
    serving.until("failed: HTTP 500")
    serving.stop(signal.SIGTERM)
    lines = [json.loads(line) for line in serving.said().splitlines() if line.startswith("{")]

    told = [line["message"].rpartition("; ")[0] for line in lines]
    assert ["delivery S-1:3:order_paid of order S-1 to 127.0.0.1 failed: HTTP 500"] == told
    assert {"at", "level", "logger", "message"} == set(lines[0])
    assert ("warning", "dojang.entry") == (lines[0]["level"], lines[0]["logger"])
    assert "홍길동" not in serving.said()


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("serve",), {}, "No Bootpay keys"),
        (("serve", "--mode", "production"), {}, "DOJANG_MODE must be one of"),
        (("serve", "--mode", "emulator", "--store", "sqlite:///no/such/x"), {}, "folder"),
        (("serve", "--mode", "emulator", "--port", "0"), {}, "--port"),
        (("serve", "--mode", "emulator", "--config", "nothing.toml"), {}, "nothing.toml does not exist"),
        (
            ("serve", "--mode", "live", "--bootpay-url", "http://127.0.0.1:1"),
            {},
            "BOOTPAY_URL points at this machine",
        ),
        (("serve", "--mode", "emulator"), {"DOJANG_DELIVER_TO": "https://x"}, "DOJANG_DELIVER_SECRET"),
        (("emulator", "--webhook-url", "nowhere"), {}, "--webhook-url"),
        (("emulator", "--state", "no/such/file"), {}, "no folder"),
        (("emulator", "--state", "."), {}, "folder"),
        (("emulator", "--port", "99999"), {}, "--port"),
        (("demo", "--port", "0"), {}, "--port"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    start: Start, words: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    """Exit code 2 and one sentence."""
    process = start(*words, **environment)
    code = process.process.wait(30)

    assert 2 == code, process.said()
    assert said in process.said()
    assert 1 == len([line for line in process.said().splitlines() if line.startswith("dojang: ")])
    assert "Traceback" not in process.said()


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (("serve", "--mode", "emulator"), "--host, --port"),
        (("emulator",), "--host, --port"),
        (("demo",), "--port"),
    ],
)
def test_a_taken_port_is_said(start: Start, words: tuple[str, ...], flags: str) -> None:
    """Nobody shares a port without a word, and the words are the same whoever wants it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(*words, "--port", str(port))
        code = process.process.wait(30)

    assert 2 == code
    assert f"listen on 127.0.0.1:{port}" in process.said()
    assert (
        f"Cannot listen on 127.0.0.1:{port}: somebody else does. Choose another with {flags} "
        f"(이미 사용 중인 포트입니다. {flags}로 다른 곳을 지정해 주세요)."
    ) in process.said()
    assert "Traceback" not in process.said()


@pytest.mark.parametrize("number", STOPS)
def test_the_emulator_answers_remembers_and_ends_cleanly(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """It says where it listens, knows only its keys, keeps its state in the file, and ends with 0."""
    keys = ("--client-key", "right", "--secret-key", "right", "--state", "state.json", "--seed", "7")
    emulator = start("emulator", "--port", "0", *keys)
    url = emulator.until(r"listens on (http://\S+) ")
    body = {"order_id": "E-1", "price": 3000, "order_name": "x"}
    receipt_id = urllib3.request("POST", f"{url}/emulator/checkouts", json=body).json()["receipt_id"]
    asked = [
        urllib3.request(
            "GET", f"{url}/v2/receipt/{receipt_id}", headers=urllib3.make_headers(basic_auth=f"{pair}:{pair}")
        )
        for pair in ("right", "wrong")
    ]
    code = emulator.stop(number)
    again = start("emulator", "--port", "0", *keys)
    url = again.until(r"listens on (http://\S+) ")
    remembered = urllib3.request("GET", f"{url}/emulator/receipts").json()

    assert 200 == asked[0].status
    assert asked[1].status >= 400
    assert 0 == code
    assert "Traceback" not in emulator.said()
    assert [receipt_id] == [receipt["receipt_id"] for receipt in remembered]
    assert "forgets" not in again.said()


def test_an_emulator_without_a_file_says_that_it_forgets(start: Start) -> None:
    """Whoever restarts it looks for yesterday's receipts otherwise."""
    start("emulator", "--port", "0").until(r"forgets everything when it ends; with --state FILE")


@pytest.mark.slow
def test_the_story_of_the_demo_ends_well(start: Start) -> None:
    """`dojang demo --check`: five verdicts from the real HTTP API, exit code 0, ports of its own."""
    demo = start("demo", "--check", NO_COLOR="1")
    code = demo.process.wait(60)
    said = demo.said()

    assert 0 == code, said
    assert ["1", "2", "3", "4", "5"] == re.findall(r"^(\d)\. ", said, re.MULTILINE)
    assert 5 == said.count("✔")
    for words in (
        "200 paid",
        "422 amount_mismatch",
        "409 receipt_already_used",
        "webhook × 2",
        "order.paid × 1",
    ):
        assert words in said
    assert "\x1b" not in said


def _free_ports() -> list[str]:
    """The demo's three ports, as words of its command."""
    words = []
    for word in ("--port", "--emulator-port", "--shop-port"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            words += [word, str(probe.getsockname()[1])]
    return words


@pytest.mark.slow
def test_a_demo_that_was_killed_is_cleared_away_by_the_next(start: Start, tmp_path: Path) -> None:
    """One that still runs keeps its folder, and what is no demo's is nobody's to remove."""
    foreign = tmp_path / "dojang-demo-notes"
    foreign.mkdir()
    demo = start("demo", *_free_ports(), TMPDIR=str(tmp_path))
    folder = Path(demo.until(r"sqlite:///(\S+)/demo.sqlite3"))
    beside = start("demo", "--check", TMPDIR=str(tmp_path)).process.wait(60)
    alive = folder.exists()
    demo.process.kill()
    demo.process.wait(30)
    left = folder.exists()
    after = start("demo", "--check", TMPDIR=str(tmp_path)).process.wait(60)

    assert (0, 0) == (beside, after)
    assert (True, True) == (alive, left)
    assert [foreign] == list(tmp_path.glob("dojang-demo-*"))


@pytest.mark.slow
@pytest.mark.parametrize("number", STOPS)
def test_the_demo_serves_until_it_is_stopped(start: Start, number: signal.Signals) -> None:
    """After the story it prints its addresses, serves, and ends with 0, leaving no folder behind."""
    demo = start("demo", *_free_ports())
    shop = demo.until(r"shop +(http://\S+)")
    demo.until("Ctrl-C ends it")
    front = urllib3.request("GET", shop)
    folder = Path(demo.until(r"sqlite:///(\S+)/demo.sqlite3"))
    there = folder.exists()
    code = demo.stop(number)

    assert 200 == front.status
    assert there
    assert 0 == code, demo.said()
    assert not folder.exists()
    assert "Traceback" not in demo.said()
