"""The program as a whole: help, version, formats, and how anything ends."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dojang.entry.cli import app
from dojang.entry.cli.codes import Code, ending
from dojang.entry.cli.root import ended
from dojang.entry.cli.terminal import Terminal, printable
from dojang.entry.cli.usage import usage
from dojang.errors import (
    ConfigError,
    Conflict,
    InvalidValue,
    NotSent,
    OutcomeUnknown,
    Refused,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from conftest import Buyer, Shell

EXTRAS = ("starlette", "granian", "jinja2", "psycopg", "psycopg_pool", "boto3", "opentelemetry")
HEAVY = (
    "aiohttp",
    "urllib3",
    "starlette",
    "granian",
    "jinja2",
    "rich",
    "asyncio",
    "sqlite3",
    "boto3",
    "psycopg",
)


def _run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dojang", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=60
    )


def test_help_lists_the_commands_without_their_heavy_parts() -> None:
    """`dojang --help` in a fresh process imports no server, no client, no database, not even rich."""
    script = (
        "import sys\nfrom dojang.entry.cli import app\n"
        "try:\n    app(['--help'], prog_name='dojang')\n"
        f"except SystemExit as end:\n    print(end.code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "0 []"
    assert "reconcile" in done.stdout


def test_what_needs_no_extra_runs_without_any(dojang: Shell, buyer: Buyer) -> None:
    """A bare install verifies, cancels and reconciles; only servers ask for more, in one sentence."""
    receipt_id = buyer.pays("B-1")
    lines = [
        ["orders", "add", "B-1", "--price", "3000", "--name", "x"],
        ["verify", "B-1", receipt_id],
        ["cancel", "B-1", "--amount", "1000", "--reason", "x"],
        ["receipt", receipt_id],
        ["orders", "list"],
        ["orders", "show", "B-1"],
        ["orders", "history", "B-1"],
        ["reconcile", "--all"],
        ["webhooks", "list"],
        ["doctor", "--fold"],
        ["migrate"],
        ["openapi"],
        ["serve"],
        ["emulator"],
        ["demo"],
    ]
    script = (
        "import sys\n"
        f"for name in {EXTRAS!r}:\n    sys.modules[name] = None\n"
        "from dojang.entry.cli import app\n"
        f"for words in {lines!r}:\n"
        "    try:\n        app(words)\n"
        "    except SystemExit as end:\n        print('ENDED', words[0], int(end.code), flush=True)\n"
    )
    environment = {
        "DOJANG_MODE": "emulator",
        "BOOTPAY_URL": dojang.url,
        "DOJANG_STORE": f"sqlite:///{dojang.file}",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    ended = re.findall(r"^ENDED (\w+) (\d+)$", done.stdout, re.MULTILINE)
    codes = [int(code) for _, code in ended]

    assert [0] * 12 + [2] * 3 == codes, done.stderr
    assert 3 == done.stderr.count('pip install "dojang[server]"')
    assert "Traceback" not in done.stderr


def test_the_version_is_the_packages() -> None:
    """`--version` prints one line and is fine."""
    done = _run("--version")

    assert 0 == done.returncode
    assert re.fullmatch(r"dojang \d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize("words", [(), ("orders",), ("webhooks",), ("layer",), ("template",)])
def test_without_a_command_the_whole_help_is_shown(dojang: Shell, words: tuple[str, ...]) -> None:
    """As `--help` shows it, on stdout; exit code 2, as nothing was done."""
    ended = dojang(*words)

    assert (2, dojang(*words, "--help").out, "") == (ended.code, ended.out, ended.err)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frobnicate",), "No such command 'frobnicate'"),
        (("verfy",), "Did you mean 'verify'"),
        (("orders", "frob"), "No such command 'frob'"),
        (("orders", "list", "--format", "yaml"), "yaml"),
        (("orders", "list", "--limit", "0"), "--limit"),
        (("orders", "list", "--limit", "many"), "--limit"),
        (("verify",), "ORDER_ID"),
    ],
)
def test_a_misspelt_command_is_one_sentence(dojang: Shell, words: tuple[str, ...], said: str) -> None:
    """Exit code 2, one line on stderr, nothing on stdout."""
    ended = dojang(*words)

    assert (2, "") == (ended.code, ended.out)
    assert said.lower() in ended.err.lower()
    assert 1 == len(ended.err.splitlines())


@pytest.mark.parametrize(
    ("words", "said", "said_ko"),
    [
        (
            "layer build --arch amd64",
            "--arch must be one of arm64, x86_64, not 'amd64'",
            "중 하나여야 합니다",
        ),
        ("layer build --python 2.7", "--python must be one of 3.11, ", "중 하나여야 합니다"),
        ("simulate --seed abc", "--seed must be a whole number", "정수여야 합니다"),
        ("simulate --seed -1", "--seed must be at least 0", "0 이상이어야 합니다"),
        ("orders list --limit 201", "--limit must be at most 200", "200 이하여야 합니다"),
        ("reconcile --rate fast", "--rate must be a number", "숫자여야 합니다"),
        ("simulate --seed", "--seed needs a value", "값이 필요합니다"),
        ("simulate --trace=3", "--trace takes no value", "값을 줄 수 없습니다"),
        ("orders list --fromat json", "No such option --fromat: did you mean --format?", "옵션은 없습니다"),
        ("verfy", "No such command 'verfy': did you mean 'verify'?", "명령은 없습니다"),
        ("verify", "ORDER_ID is missing", "ORDER_ID 인자가 필요합니다"),
        ("orders add A-1 --name x", "--price is missing", "--price 옵션이 필요합니다"),
        ("verify A-1 B-1 C-1", "One word too many: C-1", "필요 없는 인자"),
        ("orders list --state foo", "state must be one of open, ", "중 하나여야 합니다"),
        ("resolve A-1 explode", "the decision must be one of accept, return, dismiss", "결정은"),
        ("resolve A-1 accept --look-again", "--look-again decides nothing", "결정이 아닙니다"),
        ("orders list", "does not exist; `dojang migrate` makes it", "만들어 주세요"),
        ("orders list --store mysql://x", "DOJANG_STORE must be sqlite:///file", "형식이어야 합니다"),
        ("orders list --store dynamodb://x", "DOJANG_STORE must be dynamodb://table", "형식이어야 합니다"),
        ("orders list --config no.toml", "no.toml does not exist", "파일이 없습니다"),
        ("migrate --store sqlite:////nowhere/at/all", "/nowhere/at does not exist", "폴더가 없습니다"),
    ],
)
def test_what_is_wrong_is_told_in_english_and_korean(
    dojang: Shell, words: str, said: str, said_ko: str
) -> None:
    """A sentence of ours and then (in Korean), whichever library found it out, and nothing of that library's words."""
    ended = dojang(*words.split())

    assert (2, "", 1) == (ended.code, ended.out, len(ended.err.splitlines()))
    assert said in ended.err
    assert re.search(rf"\([^()]*(?:\([^()]*\)[^()]*)*{re.escape(said_ko)}.*\)\.?$", ended.err.strip())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Invalid value for '--seed': 'abc' is not a valid integer.", "--seed must be a whole number"),
        ("Invalid value for '--rate': 'x' is not a valid float.", "--rate must be a number"),
        ("Invalid value for '--arch': 'x' is not one of 'a', 'b'.", "--arch must be one of a, b, not 'x'"),
        (
            "Invalid value for '--limit': 0 is not in the range 1<=x<=9.",
            "--limit must be in the range 1<=x<=9",
        ),
        ("Missing argument 'ORDER_ID'.", "ORDER_ID is missing"),
        ("No such option: --sed Did you mean --seed?", "No such option --sed: did you mean --seed?"),
        ("Invalid value for 'DIR': it is odd.", "DIR does not fit: it is odd"),
        ("Something new.", "Something new"),
    ],
)
def test_other_releases_of_typer_are_understood_too(said: str, told: str) -> None:
    """What they say in other words comes to the same sentence, with the command's help where that is known."""
    pointed = usage(said, "dojang x")

    assert usage(said, None).startswith(told)
    assert "see `dojang x --help` (" in pointed.lower()


def test_the_format_may_stand_in_front_or_behind(dojang: Shell) -> None:
    """`dojang --format json orders list` is `dojang orders list --format json`; behind wins."""
    dojang("migrate")
    front, behind = dojang("--format", "json", "orders", "list"), dojang("orders", "list", "--format", "json")
    both = dojang("--format", "json", "orders", "list", "--format", "table")

    assert front.data == behind.data
    assert both.out.startswith("order_id")


def test_a_mistyped_store_is_not_an_empty_shop(dojang: Shell) -> None:
    """Only what registers orders or migrates makes a file; the others say that there is none."""
    answers = [
        dojang(*words)
        for words in (
            ("orders", "list"),
            ("verify", "A-1", "0" * 24),
            ("deliver",),
            ("reconcile",),
            ("webhooks", "list"),
        )
    ]

    assert [2] * 5 == [answer.code for answer in answers]
    assert all("does not exist" in answer.err for answer in answers)
    assert not dojang.file.exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidValue("x"), Code.USAGE),
        (ConfigError("x"), Code.USAGE),
        (NotSent("x"), Code.UNREACHABLE),
        (OutcomeUnknown("x"), Code.UNREACHABLE),
        (Refused("C", "m", http_status=503, retryable=True), Code.UNREACHABLE),
        (Refused("C", "m", http_status=400, cause_en="why", cure_ko="이렇게"), Code.FAILURE),
        (Conflict("x"), Code.FAILURE),
        (StoreUnavailable("x"), Code.FAILURE),
        (RuntimeError("whsec_secret"), Code.FAILURE),
    ],
)
def test_every_failure_ends_in_a_code_and_one_sentence(error: Exception, code: Code) -> None:
    """What the world can raise has its exit code; an unexpected error's own words are never shown."""
    found, sentence = ending(error)

    assert code == found
    assert sentence
    assert "\n" not in sentence
    assert "whsec_secret" not in sentence


def test_no_traceback_reaches_a_person_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of ours is named; `--debug` shows where."""

    def run() -> None:
        raise KeyError("BOOTPAY_SECRET_KEY=abc")

    code = ended(run)
    said = capsys.readouterr().err
    ended(run, debug=True)
    shown = capsys.readouterr().err

    assert Code.FAILURE == code
    assert "KeyError" in said
    assert "Traceback" not in said
    assert "abc" not in said
    assert "Traceback" in shown


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    """`dojang orders list | head -1` ends quietly."""
    script = f"{sys.executable} -m dojang openapi | head -c 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert ("{", "") == (done.stdout, done.stderr)


def test_ctrl_c_in_the_middle_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that was meant to end by itself says by its code that it did not."""

    def run() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dojang.web.openapi.document", run)
    with pytest.raises(SystemExit) as end:
        app(["openapi"])

    assert Code.INTERRUPTED == end.value.code


def test_colour_is_for_people_who_want_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is honoured where colour would be shown; a pipe never gets any."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    Terminal().warn("careful")
    coloured = capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    Terminal().warn("careful")
    plain = capsys.readouterr().err
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.delenv("NO_COLOR")
    Terminal().warn("careful")
    piped = capsys.readouterr().err

    assert "\x1b[33m" in coloured
    assert "\x1b[33m" not in plain
    assert "careful\n" == piped


def test_long_work_shows_a_bar_only_to_people(dojang: Shell) -> None:
    """On a terminal stderr moves; stdout holds nothing but the data, and no pipe ever sees the bar."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    environment = {
        **os.environ,
        "DOJANG_MODE": "emulator",
        "BOOTPAY_URL": dojang.url,
        "DOJANG_STORE": f"sqlite:///{dojang.file}",
        "TERM": "xterm",
    }
    words = [sys.executable, "-m", "dojang", "reconcile", "--all", "--rate", "2", "--format", "json"]
    person, terminal = pty.openpty()
    watched = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=terminal, text=True, check=True, env=environment
    )
    os.close(terminal)
    seen = os.read(person, 65536).decode()
    os.close(person)
    piped = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)

    assert "asking Bootpay" in seen
    assert 1 == json.loads(watched.stdout)["checked"]
    assert "" == piped.stderr


def test_nothing_that_is_shown_commands_the_terminal() -> None:
    """Bootpay's words and webhooks' claims may hold anything; escape sequences do not survive."""
    assert "?[31mrot?" == printable("\x1b[31mrot\x07")


def test_markup_in_data_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    """An order named `[red]` is shown as it is."""
    Terminal().rows(None, ("name",), [["[red]x[/red]"]])
    Terminal().facts({"name": "[bold]y"})
    Terminal().say("[/]z")
    shown = capsys.readouterr()

    assert "[red]x[/red]" in shown.out
    assert "[bold]y" in shown.out
    assert "[/]z" in shown.err
