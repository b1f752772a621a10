"""`dojang template`: what it writes and prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dojang.adapters.dynamodb.schema import MIGRATING_ACTIONS, RUNNING_ACTIONS
from dojang.entry.cli import app


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _type(*words: str) -> Result:
    return CliRunner().invoke(app, ["template", *words], env={"COLUMNS": "200"})


def test_a_whole_application_is_written(tmp_path: Path) -> None:
    """Template, deployment settings, instructions, the function's folder and the secret to fill in."""
    result = _type("sam")
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}

    assert 0 == result.exit_code, result.stderr
    assert {"file", *files} == set(result.stdout.split())
    assert {
        "dojang-aws/README.md",
        "dojang-aws/function/README.md",
        "dojang-aws/samconfig.toml",
        "dojang-aws/secret.example.json",
        "dojang-aws/template.yaml",
    } == files
    assert "dojang-aws/README.md" in result.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """What somebody has changed stays, and nothing is written beside it."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "template.yaml").write_text("mine")
    result = _type("sam", "--output", "mine")

    assert 2 == result.exit_code
    assert "mine/template.yaml exists already" in result.stderr
    assert ["template.yaml"] == [file.name for file in (tmp_path / "mine").iterdir()]
    assert "mine" == (tmp_path / "mine" / "template.yaml").read_text()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 2, no traceback."""
    (tmp_path / "file").write_text("")
    result = _type("sam", "--output", "file/below")

    assert 2 == result.exit_code
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"), [(["--python", "3.11"], "SnapStart"), (["--python", "2.7"], "3.12")]
)
def test_a_python_that_cannot_be_is_refused(words: list[str], sentence: str, tmp_path: Path) -> None:
    """With the ones that can, and without a half-written folder."""
    result = _type("sam", *words)

    assert 2 == result.exit_code
    assert sentence in result.stderr
    assert [] == list(tmp_path.iterdir())


def test_the_policy_is_the_stores_list() -> None:
    """Actions on the table and its indexes are the adapter's, on these resources by name."""
    result = _type("policy", "--table", "orders", "--region", "ap-northeast-2", "--account", "111122223333")
    statements = {part["Sid"]: part for part in json.loads(result.stdout)["Statement"]}
    table = "arn:aws:dynamodb:ap-northeast-2:111122223333:table/orders"

    assert list(RUNNING_ACTIONS["table"]) == statements["KeepOrders"]["Action"]
    assert list(RUNNING_ACTIONS["index"]) == statements["FindWhatIsDue"]["Action"]
    assert (table, f"{table}/index/*") == (
        statements["KeepOrders"]["Resource"],
        statements["FindWhatIsDue"]["Resource"],
    )
    assert "Scan" not in result.stdout
    assert "DeleteItem" not in result.stdout
    assert [] == [
        part for part in statements.values() if part["Resource"] == "*" or part["Effect"] != "Allow"
    ]


def test_who_migrates_needs_another_policy() -> None:
    """Making the table is a person's right, not the function's."""
    functions, persons = json.loads(_type("policy").stdout), json.loads(_type("policy", "--migrate").stdout)
    (statement,) = persons["Statement"]

    assert list(MIGRATING_ACTIONS) == statement["Action"]
    assert "CreateTable" not in json.dumps(functions)


def test_china_is_another_partition() -> None:
    """An ARN of the usual partition would allow nothing there."""
    assert "arn:aws-cn:dynamodb:cn-north-1:" in _type("policy", "--region", "cn-north-1").stdout
