"""docs/aws.md and docs/aws.ko.md are followed word by word, but for what needs an AWS account (```sh aws), or Docker.

Docker's DynamoDB Local, and npm's (```sh java), is the same program as ours.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tomllib
import zipfile
from math import ceil
from pathlib import Path

import pytest
from cfnlint.decode import decode
from tests.adapters import dynamodb_local
from typer.core import TyperGroup
from typer.main import get_command

from dojang.entry.cli import app
from dojang.entry.layer import Arch, Target
from dojang.entry.settings import KEYS
from dojang.entry.template import application

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dynamodb")]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["docs/aws.md", "docs/aws.ko.md"]
TEMPLATES_README = "the template's README.md"
SHELLS = [*PAGES, "docs/scale.md", TEMPLATES_README]
FILES = application(Target("3.13", Arch.ARM64))


def _blocks(name: str) -> list[tuple[str, str]]:
    """Each block's words behind its fence, and what it holds."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [(language + more, code) for language, more, code in BLOCK.findall(text)]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_can_be_followed_to_the_letter(name: str, tmp_path: Path) -> None:
    """The blog's function and the handler that remembers say what the page promises; the application is written."""
    (function,) = [code for kind, code in _blocks(name) if kind == "python"]
    (tmp_path / "lambda_function.py").write_text(function, encoding="utf-8")
    script = "\n".join(code for kind, code in _blocks(name) if kind == "sh" and "pip install" not in code)
    bootpay = _free_port()
    script = script.replace("http://127.0.0.1:8000", dynamodb_local.server_endpoint())
    script = script.replace(":8401", f":{bootpay}").replace("--port 8401", f"--port {bootpay}")
    # The server is this whole run's: the table must be nobody else's.
    script = script.replace("dynamodb://orders?", f"dynamodb://{dynamodb_local.fresh_name()}?")
    environment = {
        **{
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("DOJANG_", "BOOTPAY_", "AWS_"))
        },
        **dynamodb_local.KEYS,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }
    said = _followed(script, environment, tmp_path)
    answers = [line for line in said.splitlines() if line.startswith('{"status": ')]
    files = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}

    assert "the function says: paid" in said, said
    assert "curl:" not in said, said
    assert ['{"status": 201', '{"status": 200', '{"status": 200'] == [line[:14] for line in answers], said
    assert [False, True] == ['"replayed": true' in line for line in answers[1:]]
    assert '"dynamodb:TransactWriteItems"' not in said
    assert "table/orders" in said
    assert "log-group:/aws/lambda/my-function:*" in said
    assert {
        "dojang-aws/template.yaml",
        "dojang-aws/secret.example.json",
        "dojang-aws/samconfig.toml",
    } <= files
    with zipfile.ZipFile(tmp_path / "dojang-aws" / "dojang-layer-python3.13-arm64.zip") as layer:
        assert "python/lib/BootpayApi.py" in layer.namelist()


def _followed(script: str, environment: dict[str, str], folder: Path) -> str:
    with (folder / "out.txt").open("w+", encoding="utf-8") as out:
        ran = subprocess.run(
            ["bash", "-euc", "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + script],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=240,
            check=False,
        )
        out.seek(0)
        said = out.read()
    if "could be fetched" in said and os.environ.get("CI") != "true":
        pytest.skip("no package index can be reached, so no layer can be built")

    assert 0 == ran.returncode, said
    return said


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_both_languages_show_the_same_blocks() -> None:
    """A Korean reader types what an English reader types; only comments are in another language."""
    english, korean = (
        [
            (kind, [line.partition("#")[0].rstrip() for line in code.splitlines()])
            for kind, code in _blocks(name)
        ]
        for name in PAGES
    )

    assert english == korean


@pytest.mark.parametrize(("readme", "page"), [("README.md", PAGES[0]), ("README.ko.md", PAGES[1])])
def test_the_readme_shows_commands_that_the_page_runs(readme: str, page: str) -> None:
    """The short way in is the beginning of the long one, which is followed to the letter."""
    (short,) = [code for kind, code in _blocks(readme) if kind == "sh" and "dojang layer" in code]
    run = [line for kind, code in _blocks(page) if kind == "sh" for line in code.splitlines()]
    shown = [line.partition("#")[0].rstrip() for line in short.splitlines()]

    assert shown == [line for line in run if line.startswith(("dojang layer", "dojang template sam"))]


def test_the_costs_are_what_the_arithmetic_says() -> None:
    """Quantities times prices: the sum in both pages is the sum of their rows."""
    abandoned = 1_000_000 * (0.1 + 12 * 0.1) * 0.5  # GB-seconds: registered, and checked twelve times
    dollars = {
        "approved": 3 * 1.00 + 4 * 0.20 + 200_000 * 0.0000133334 + 46 * 0.625 + 26 * 0.125 + 5.1 * 0.50,
        "abandoned": 1.00 + 0.20 + abandoned * 0.0000133334 + 75 * 0.625 + 60 * 0.125,
        "payments": 3 * 1.00 + 4 * 0.20 + 200_000 * 0.0000133334 + 32 * 0.625 + 26 * 0.125 + 5.1 * 0.50,
        "checks": 750_000 * 0.0000133334 + 60 * 0.625 + 90 * 0.125,
        "replays": 1.00 + 0.20 + 2 * 0.125 + 1_000_000 * 0.02 * 0.5 * 0.0000133334,
        "secret": 10 * 12 * 730 / 10_000 * 0.05,
        "schedule": 21_900 * 0.0000133334 + 0.0438 * 0.20 + 1.1 * 0.125,
    }
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in PAGES]

    assert all(f"| **{dollars['payments']:.2f}** |" in page for page in pages)
    assert all(f"= {dollars['approved']:.2f} |" in page for page in pages)
    assert all(f"= {dollars['abandoned']:.2f} |" in page for page in pages)
    assert all(f"= {dollars['checks']:.2f} |" in page for page in pages)
    assert all(f"= {dollars['replays']:.2f} |" in page for page in pages)
    assert all(f"= {dollars['schedule']:.2f} |" in page for page in pages)
    assert all(f"10 × 0.876 × 0.05 = {dollars['secret']:.2f} |" in page for page in pages)
    assert all(f"{12 * 730:,}" in page for page in pages)


def test_blocks_that_need_an_account_say_so_where_a_reader_sees_it() -> None:
    """The word behind a fence is not shown: the first line of the block is."""
    tops = {
        name: [code.splitlines()[0] for kind, code in _blocks(name) if kind == "sh aws"] for name in PAGES
    }

    assert {"docs/aws.md": {"# needs an AWS account"}, "docs/aws.ko.md": {"# AWS 계정 필요"}} == {
        name: set(lines) for name, lines in tops.items()
    }


def _shell(name: str) -> str:
    """All that a page, or the README beside the template, tells a reader to type; continued lines are one."""
    text = FILES["README.md"] if name == TEMPLATES_README else (ROOT / name).read_text(encoding="utf-8")
    lines = "".join(code for kind, _, code in BLOCK.findall(text) if kind == "sh").replace("\\\n", " ")
    return re.sub(r"(?m)(^|\s)#.*$", "", lines)


@pytest.mark.parametrize("name", SHELLS)
def test_what_a_page_deploys_with_are_parameters_of_the_template(name: str, tmp_path: Path) -> None:
    """A parameter that is renamed would be refused by AWS, and only there."""
    (tmp_path / "template.yaml").write_text(FILES["template.yaml"], encoding="utf-8")
    template, problems = decode(str(tmp_path / "template.yaml"))
    deployments = re.findall(r"--parameter-overrides (.+)", _shell(name))
    given = [word.partition("=") for words in deployments for word in shlex.split(words)]

    assert ([], True) == (problems, bool(given))
    for parameter, equals, value in given:
        told = template["Parameters"].get(parameter)

        assert told is not None, f"{parameter} is no parameter"
        assert "=" == equals
        assert "AllowedValues" not in told or value in map(str, told["AllowedValues"])


@pytest.mark.parametrize("name", SHELLS)
def test_every_command_on_a_page_is_one_that_dojang_takes(name: str) -> None:
    """Those that need an account are not run: they are read as the command line reads them, and go no further."""
    commands = re.findall(r"(?m)^dojang (.+?)(?: &)?$", _shell(name))

    assert commands
    for words in commands:
        command, rest, context = get_command(app), shlex.split(words), None
        while isinstance(command, TyperGroup):
            context = command.make_context("dojang", [], parent=context, resilient_parsing=True)
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command = found
        command.make_context(words, rest, parent=context).close()


@pytest.mark.parametrize("name", [*PAGES, TEMPLATES_README])
def test_a_secret_that_is_not_filled_in_is_not_uploaded(name: str, tmp_path: Path) -> None:
    """Whoever pastes all at once is stopped before AWS is asked; what is filled in goes there, and away from here."""
    (upload,) = re.findall(r"(?m)^python -c .*create-secret.*$", _shell(name))
    told = tmp_path / "aws"
    told.write_text('#!/bin/sh\necho "$@" >> asked\n', encoding="utf-8")
    told.chmod(0o755)
    path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    empty = json.loads(FILES["secret.example.json"])
    asked = []
    for keys in ({}, {"DOJANG_API_KEYS": "k"}, {"BOOTPAY_SECRET_KEY": "k"}, dict.fromkeys(empty, "k")):
        (tmp_path / "secret.json").write_text(json.dumps(empty | keys), encoding="utf-8")
        done = subprocess.run(
            ["bash", "-uc", upload], cwd=tmp_path, env={"PATH": path}, capture_output=True, check=False
        )
        asked.append(
            (done.returncode == 0, (tmp_path / "asked").exists(), (tmp_path / "secret.json").exists())
        )

    assert [(False, False, True)] * 3 + [(True, True, False)] == asked
    assert tomllib.loads(FILES["samconfig.toml"])["default"]["deploy"]["parameters"]["region"] in upload


@pytest.mark.parametrize("name", PAGES)
def test_a_function_of_ones_own_gets_what_its_code_reads(name: str) -> None:
    """Handler, variables and enough time: a new function has 3 s and no variables."""
    (code,) = [code for kind, code in _blocks(name) if kind == "python"]
    posted, remembering = [
        set(json.loads(code)["Variables"]) for kind, code in _blocks(name) if kind == "json"
    ]
    configured = [
        (handler, int(seconds))
        for handler, seconds in re.findall(r"--handler (\S+) --timeout (\d+) .*--environment", _shell(name))
    ]

    assert set(re.findall(r'os\.environ\["(\w+)"\]', code)) - {"BOOTPAY_URL"} == posted
    assert {variable.removesuffix("_ARN") for variable in remembering} <= set(KEYS)
    assert {"DOJANG_STORE", "DOJANG_MODE", "DOJANG_API_KEYS_ARN"} <= remembering
    assert [("lambda_function.lambda_handler", 29), ("dojang.entry.aws.handler", 29)] == configured
    assert "def lambda_handler(" in code


def test_the_worker_on_the_page_has_settings_that_are_read() -> None:
    """What it exports are settings, or ARNs of settings."""
    exported = re.findall(r"\b((?:DOJANG|BOOTPAY)_\w+)=", _shell("docs/scale.md"))

    assert {"DOJANG_STORE", "DOJANG_MODE", "BOOTPAY_SECRET_KEY_ARN"} <= set(exported)
    assert {name.removesuffix("_ARN") for name in exported} <= set(KEYS)


def test_the_page_on_scale_multiplies_what_the_others_count() -> None:
    """Rates times what a payment and an abandoned checkout cost: from the calm case to the busy one."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    a_minute = (10, 1_000, 100_000)
    # Register, verify, webhook, delivery, and ten checks; with approval, and an abandoned checkout with twelve.
    units, units_at_most = 4 + 18 + 5 + 5 + 60, 4 + 32 + 5 + 5 + 60 + 4 + 71
    rows = {
        "DynamoDB write units a second": [
            f"{rate / 60 * units:,.0f} to {rate / 60 * units_at_most:,.0f}" for rate in a_minute
        ],
        "checks a minute": [f"{rate * 10:,} to {rate * 22:,}" for rate in a_minute],
        # Verification and webhook, and two for each check; with approval one more, and an abandoned checkout.
        "questions to Bootpay a second": [
            f"{rate / 60 * 22:,.0f} to {rate / 60 * 35:,.0f}" for rate in a_minute
        ],
        "runs a minute after half a year": [f"{ceil(rate / 7):,} to {ceil(rate / 4):,}" for rate in a_minute],
    }
    told = {
        what: cells
        for what in rows
        for cells in re.findall(rf"^\| {what}[^|]*\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    }

    assert {what: tuple(cells) for what, cells in rows.items()} == told


@pytest.mark.parametrize(("answers_in_s", "calm", "busy"), [(0.05, 7, 4), (0.1, 4, 2)])
def test_a_rule_carries_as_many_payments_as_the_page_says(answers_in_s: float, calm: int, busy: int) -> None:
    """Ten comparisons each; and with as many abandoned checkouts their twelve checks besides, within 11.8 s."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    compared_s, unpaid_s = 10 * (2 * answers_in_s + 0.05), 12 * (answers_in_s + 0.05)

    assert (calm, busy) == (11.8 // compared_s, 11.8 // (compared_s + unpaid_s))
    assert f"| {answers_in_s * 1000:.0f} ms | {calm} | {busy} |" in page


def test_a_worker_carries_as_many_payments_as_the_page_says() -> None:
    """It checks for all of each minute; the page counts workers, and shards, from that."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    compared_ms = 10 * (2 * 50 + 50)
    both_ms = compared_ms + 12 * (50 + 50)
    workers = [
        [ceil(rate * spent_ms / 60_000) for spent_ms in (compared_ms, both_ms)] for rate in (1_000, 100_000)
    ]

    assert f"so one carries {60_000 // compared_ms} payments a minute" in page
    assert f"and {60_000 // both_ms} with as many abandoned checkouts" in page
    for least, most in workers:
        assert re.search(rf"^\| workers [^\n]* {least:,} to {most:,}[ :]", page, re.MULTILINE)
    assert (70, 98) == (ceil(100_000 / 60 / 24), round(100_000 / 60 / 17))
    assert "(1,667 / 24 = 70). With the abandoned checkouts 1,667 / 17 = 98" in page
    assert f"25 carry {25 * 7} payments a minute\nwhere Bootpay answers within 50 ms, {25 * 4} with" in page


def test_every_page_tells_which_fields_the_secret_needs() -> None:
    """Whoever follows a page fills in all that the template reads, and the command on it makes a secret that counts."""
    files = application(Target("3.13", Arch.ARM64))
    read = set(re.findall(r"\$\{SecretArn\}#(\w+)", files["template.yaml"]))
    pages = [files["README.md"], *((ROOT / name).read_text(encoding="utf-8") for name in PAGES)]
    commands = [
        command.replace("\n", " ")
        for page in pages
        for command in re.findall(r"python -c \"(import base64[^\"]*)\"", page)
    ]
    made = {
        subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
        for command in commands
    }

    assert read == set(json.loads(files["secret.example.json"]))
    assert all(name in page for page in pages for name in read)
    assert len(pages) == len(made)
    assert all(re.fullmatch(r"whsec_[A-Za-z0-9+/]{32}\n", secret) for secret in made)
