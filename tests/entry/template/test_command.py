"""`dojang template`: what it writes and prints."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore.session
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


def test_its_own_files_are_written_anew_where_that_is_asked_for(tmp_path: Path) -> None:
    """After an update, say: `--force` touches the files of the command by name, and nothing beside them."""
    _type("sam", "--arch", "x86_64")
    (tmp_path / "dojang-aws" / "dojang-layer.zip").write_text("zip")
    refused = _type("sam")
    before = (tmp_path / "dojang-aws" / "template.yaml").read_text(encoding="utf-8")
    again = _type("sam", "--force")
    after = (tmp_path / "dojang-aws" / "template.yaml").read_text(encoding="utf-8")

    assert (2, 0) == (refused.exit_code, again.exit_code), again.stderr
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert ("x86_64" in before, before == after) == (True, False)
    assert "zip" == (tmp_path / "dojang-aws" / "dojang-layer.zip").read_text()


@pytest.mark.parametrize("name", ["README.md", "template.yaml"])
def test_what_it_has_not_made_is_not_overwritten_by_force(tmp_path: Path, name: str) -> None:
    """Whoever names a folder of something else loses nothing, and is not told to try."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    result = _type("sam", "--output", "mine", "--force")

    assert 2 == result.exit_code
    assert f"mine/{name} exists already" in result.stderr
    assert "--force" not in result.stderr
    assert ["mine"] == [file.read_text() for file in (tmp_path / "mine").iterdir()]


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


@pytest.mark.parametrize(
    "region",
    [
        "us-west-1",
        "cn-north-1",
        "us-gov-west-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
    ],
)
def test_a_region_has_the_partition_that_botocore_knows(region: str) -> None:
    """An ARN of the usual partition would allow nothing elsewhere."""
    partition = botocore.session.get_session().get_partition_for_region(region)

    assert f"arn:{partition}:dynamodb:{region}:" in _type("policy", "--region", region).stdout


def test_what_a_setting_in_ssm_and_a_key_of_ones_own_need_is_said_when_asked_for() -> None:
    """Each by name; without them the policy has no word of it."""
    key = "arn:aws:kms:ap-northeast-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    plain = _type("policy").stdout
    more = _type(
        *("policy", "--parameter", "/shop/api-keys", "--parameter", "other", "--kms-key", key),
        *("--region", "ap-northeast-2"),
    ).stdout
    statements = {part["Sid"]: part for part in json.loads(more)["Statement"]}

    assert ["ssm:GetParameter"] == statements["ReadTheParameters"]["Action"]
    assert [
        "arn:aws:ssm:ap-northeast-2:*:parameter/shop/api-keys",
        "arn:aws:ssm:ap-northeast-2:*:parameter/other",
    ] == statements["ReadTheParameters"]["Resource"]
    assert (["kms:Decrypt"], key) == (
        statements["DecryptTheKeys"]["Action"],
        statements["DecryptTheKeys"]["Resource"],
    )
    assert not re.search("ssm|kms", plain)


@pytest.mark.parametrize(
    ("words", "secrets"),
    [
        ([], ["dojang"]),
        (["--secret", "shop"], ["shop"]),
        (["--parameter", "/shop/api-keys"], []),
        (["--parameter", "/shop/api-keys", "--secret", "shop"], ["shop"]),
    ],
)
def test_only_the_secret_that_is_named_may_be_read(words: list[str], secrets: list[str]) -> None:
    """The usual name is meant where nothing is named: whoever keeps all in SSM has no secret."""
    printed = _type("policy", *words).stdout

    assert secrets == re.findall(r":secret:(.*)-\?\?\?\?\?\?", printed)
    assert bool(secrets) == ("secretsmanager:GetSecretValue" in printed)


def test_a_parameter_that_is_named_twice_is_listed_once() -> None:
    """With and without its slash it has the same ARN."""
    printed = _type("policy", "--parameter", "/keys", "--parameter", "keys", "--parameter", "/keys").stdout
    statements = {part["Sid"]: part for part in json.loads(printed)["Statement"]}

    assert ["arn:aws:ssm:*:*:parameter/keys"] == statements["ReadTheParameters"]["Resource"]


@pytest.mark.parametrize("given", ["alias/shop", "arn:aws:kms:ap-northeast-2:111122223333:alias/shop"])
def test_an_alias_is_no_key(given: str) -> None:
    """IAM would take a policy about it, and allow nothing."""
    result = _type("policy", "--kms-key", given)

    assert 2 == result.exit_code
    assert "--kms-key must be the ARN of a key" in result.stderr
    assert "an alias does not work here" in result.stderr


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--kms-key", "arn:aws:kms:ap-northeast-2:111122223333:key/1234abcd"),
        ("--parameter", "x"),
        ("--secret", "x"),
        ("--deliver-to", "arn:aws:sqs:ap-northeast-2:111122223333:orders"),
    ],
)
def test_what_a_migration_does_not_need_is_not_dropped_without_a_word(option: str, given: str) -> None:
    """A policy that leaves out what was asked for would be missed only when it is needed."""
    result = _type("policy", "--migrate", option, given)

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"{option}: who migrates needs the table alone" in result.stderr


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("/a b", "up to 512 letters and digits of English"),
        ("비밀", "up to 512 letters and digits of English"),
        ("", "it is empty"),
        ("a*b", "no ARN and no * in it"),
        ("arn:aws:ssm:ap-northeast-2:111122223333:parameter/x", "no ARN and no * in it"),
    ],
)
def test_a_name_that_cannot_be_is_told_what_is_wrong_with_it(given: str, wrong: str) -> None:
    """Who has a blank in it would look for an asterisk in vain."""
    assert f"as AWS's console shows it: {wrong}" in " ".join(
        _type("policy", "--parameter", given).stderr.split()
    )


@pytest.mark.parametrize(
    ("arn", "actions"),
    [
        ("arn:aws:sqs:ap-northeast-2:111122223333:orders.fifo", ["sqs:SendMessage"]),
        (
            "arn:aws:events:ap-northeast-2:111122223333:event-bus/orders",
            ["events:DescribeEventBus", "events:PutEvents"],
        ),
    ],
)
def test_who_delivers_to_a_queue_or_a_bus_may_write_there(arn: str, actions: list[str]) -> None:
    """That one alone; without it the policy has no word of it."""
    statements = json.loads(_type("policy", "--deliver-to", arn).stdout)["Statement"]
    plain = json.loads(_type("policy").stdout)["Statement"]
    (more,) = [statement for statement in statements if statement not in plain]

    assert (actions, arn) == (more["Action"], more["Resource"])


@pytest.mark.parametrize("said", ["https://shop.example/d", "arn:aws:sns:ap-northeast-2:111122223333:orders"])
def test_a_policy_about_another_destination_is_refused(said: str) -> None:
    """An address needs no permission, and nothing else is delivered to."""
    result = _type("policy", "--deliver-to", said)

    assert 2 == result.exit_code
    assert "--deliver-to: it must be the ARN of a queue" in result.stderr


@pytest.mark.parametrize(("option", "given"), [
    ("--secret", "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:dojang-AbCdEf"),
    ("--parameter", "arn:aws:ssm:ap-northeast-2:111122223333:parameter/x"),
    ("--parameter", "a*b"),
    ("--table", "t*"),
    ("--function", ""),
    ("--region", "seoul"),
    ("--account", "12"),
])  # fmt: skip
def test_what_would_be_a_policy_about_something_else_is_refused(option: str, given: str) -> None:
    """IAM would take it, and allow nothing, or too much."""
    result = _type("policy", option, given)

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"{option} must be" in result.stderr
