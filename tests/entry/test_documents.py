"""What the README and the tutorial show is run here, word by word."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from dojang.core.surplus import AWAITING_DECISION
from dojang.emulator.server import EmulatorServer
from dojang.web.reading import read_body
from dojang.web.shapes import ResolveOrder

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(name: str) -> list[tuple[str, str]]:
    return _BLOCK.findall((_ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readme_program_verifies_and_delivers(name: str, tmp_path: Path) -> None:
    """The first Python block is a whole program: it hands over the goods of the blog's own order."""
    ran = _bought(_program(name), tmp_path)

    assert (0, "1526557671321:3:order_paid order.paid 1526557671321\n") == (ran.returncode, ran.stdout), (
        ran.stderr
    )


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readme_program_tells_a_mistake_in_the_shops_function(name: str, tmp_path: Path) -> None:
    """A typo in a key: file and line on stderr without any set-up, what is still owed, and no success."""
    program = _program(name).replace('["order_id"]', '["oder_id"]')
    line = 1 + next(number for number, text in enumerate(program.splitlines()) if "oder_id" in text)
    ran = _bought(program, tmp_path)
    logged, sentence = ran.stderr.splitlines()

    assert (1, "") == (ran.returncode, ran.stdout)
    assert logged.startswith("fulfil failed: KeyError at ")
    assert logged.endswith(f"<string>:{line}")
    assert "order 1526557671321 failed: KeyError; next try " in sentence


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("README.md", "Bootpay could not be asked, nothing is decided"),
        ("README.ko.md", "부트페이에 물을 수 없어 아무것도 결정하지 않았습니다"),
    ],
)
def test_the_readme_program_ends_in_a_sentence_while_bootpay_is_away(
    name: str, said: str, tmp_path: Path
) -> None:
    """Nobody listens where Bootpay should be: no traceback, and the order can be verified later."""
    ran = _ran(_program(name), tmp_path, f"http://127.0.0.1:{_free_port()}")

    assert (1, "") == (ran.returncode, ran.stdout)
    assert ran.stderr.startswith(said)
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("README.md", "This receipt cannot be verified, nothing is decided: "),
        ("README.ko.md", "검증할 수 없는 영수증이라 아무것도 결정하지 않았습니다: "),
    ],
)
@pytest.mark.parametrize("receipt_id", ["nonsense", "0" * 24])
def test_the_readme_program_ends_in_a_sentence_at_a_receipt_id_of_nobody(
    receipt_id: str, name: str, said: str, tmp_path: Path
) -> None:
    """The browser chooses what it sends: that is no traceback of the shop's."""
    ran = _bought(_program(name).replace("5afd6be8e13f33616f2876ac", receipt_id), tmp_path)

    assert (1, "") == (ran.returncode, ran.stdout)
    assert ran.stderr.startswith(said)
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("name", ["README.md", "README.ko.md", "examples/embedded_shop.py"])
def test_who_embeds_dojang_is_told_of_the_clock_and_of_the_server(name: str) -> None:
    """The program alone repeats nothing, finds no lost browser, cancels nothing and hears no webhook."""
    # Blocks apart, so that a call in the program is no word about when to call.
    prose = _BLOCK.sub("", (_ROOT / name).read_text(encoding="utf-8"))
    (told,) = [
        each for each in re.split(r"\n{2,}", prose) if "`deliver()`" in each and "`reconcile()`" in each
    ]

    assert "cron" in told
    assert "`dojang serve`" in told


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readmes_server_is_told_where_the_programs_orders_are(name: str) -> None:
    """The program names a store of its own; a server with defaults would look into another file."""
    (store,) = re.findall(r'store="([^"]+)"', _program(name))
    text = (_ROOT / name).read_text(encoding="utf-8")

    assert f"DOJANG_STORE={store}" in text


@pytest.mark.parametrize("name", ["docs/attention.md", "docs/attention.ko.md"])
def test_the_page_about_attention_shows_a_body_that_is_read(name: str) -> None:
    """Whoever copies it is not answered 400."""
    (curl,) = [code for _, code in _blocks(name) if code.startswith("curl")]
    body = curl.partition("-d '")[2].rpartition("'")[0]

    assert "return" == read_body(body.encode(), ResolveOrder).decision


@pytest.mark.parametrize("name", ["docs/attention.md", "docs/attention.ko.md"])
def test_the_page_about_attention_says_what_its_commands_need(name: str) -> None:
    """In a fresh terminal they would ask another store, or miss the keys."""
    _, _, below = (_ROOT / name).read_text(encoding="utf-8").partition("dojang resolve A-1024")
    told = below.split("\n\n")[1]

    assert {"`dojang.toml`", "`DOJANG_STORE`"} <= set(re.findall("`[^`]+`", told))


@pytest.mark.parametrize("name", ["docs/attention.md", "docs/attention.ko.md"])
def test_the_page_about_attention_names_every_word_at_held_money(name: str) -> None:
    """A reason that an order shows and no page explains helps nobody."""
    assert f"`{AWAITING_DECISION}`" in (_ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["docs/tutorial.md", "docs/tutorial.ko.md"])
def test_the_tutorial_can_be_followed_to_the_letter(name: str, tmp_path: Path) -> None:
    """Every shell block runs in order in one shell, and every verdict the text promises is there."""
    blocks = _blocks(name)
    (shop,) = [code for language, code in blocks if language == "python"]
    script = "\n".join(code for language, code in blocks if language == "sh" and "pip install" not in code)
    ports = {port: _free_port() for port in ("8400", "8401", "8403")}
    for port, free in ports.items():
        script = script.replace(f":{port}", f":{free}").replace(f"--port {port}", f"--port {free}")
        shop = shop.replace(port, str(free))
    (tmp_path / "shop.py").write_text(shop, encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("DOJANG_", "BOOTPAY_"))},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # The tutorial leaves Bootpay's address at its default, the emulator's usual port.
        "BOOTPAY_URL": f"http://127.0.0.1:{ports['8401']}",
    }
    with (tmp_path / "out.txt").open("w+", encoding="utf-8") as out:
        ran = subprocess.run(
            ["bash", "-euc", "trap 'kill $(jobs -p)' EXIT\n" + script],
            cwd=tmp_path,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        out.seek(0)
        said = out.read()

    assert ran.returncode == 0, said
    assert '"state":"paid"' in said.replace(" ", ""), said
    assert "order.paid dish-1" in said, said
    assert '"code":"amount_mismatch"' in said.replace(" ", ""), said
    # A run in which all is well shows no error while it waits for the start, and each body on its own line.
    assert "curl:" not in said, said
    assert [] == [ends for ends in ("}{", "}[") if ends in said], said


def _program(name: str) -> str:
    return next(code for language, code in _blocks(name) if language == "python")


def _bought(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program after a buyer has paid for its order."""
    with EmulatorServer() as emulator:
        wanted = {
            "receipt_id": "5afd6be8e13f33616f2876ac",
            "order_id": "1526557671321",
            "price": 3000,
            "order_name": "테스트음식",
            "separately_confirmed": True,
        }
        pool = urllib3.PoolManager()
        opened = pool.request("POST", f"{emulator.url}/emulator/checkouts", json=wanted).json()
        assert opened["receipt_id"] == wanted["receipt_id"]
        pool.request("POST", f"{emulator.url}/emulator/receipts/{wanted['receipt_id']}/approve", json={})
        return _ran(program, folder, emulator.url)


def _ran(program: str, folder: Path, bootpay_url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "BOOTPAY_URL": bootpay_url, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
