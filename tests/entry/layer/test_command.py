"""`dojang layer build`: what it says, writes and publishes."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dojang.entry.cli import app
from dojang.entry.layer import CannotBuild, Target

ARN = "arn:aws:lambda:ap-northeast-2:111122223333:layer:dojang"


def _type(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["layer", "build", *words], env={"COLUMNS": "200", **environment})


class PretendLambda:
    """Takes layers on loopback, as AWS would."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuses: tuple[int, str, str] | None = None
        self.damages = False
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                ours.asked.append((self.path, body))
                self._answer(*ours.answer(body))

            def _answer(self, status: int, kind: str, answer: dict[str, object]) -> None:
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                if kind:
                    self.send_header("x-amzn-errortype", kind)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, body: dict[str, Any]) -> tuple[int, str, dict[str, object]]:
        """Status, kind of error and body."""
        if self.refuses:
            status, kind, message = self.refuses
            return status, kind, {"message": message}
        content = base64.b64decode(body["Content"]["ZipFile"]) + (b"x" if self.damages else b"")
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        number = len(self.asked)
        return 201, "", {
            "LayerVersionArn": f"{ARN}:{number}",
            "Version": number,
            "Content": {"CodeSha256": checksum, "CodeSize": len(content)},
        }  # fmt: skip

    def close(self) -> None:
        """Take no more."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pretend_wheels: None) -> None:
    """An empty folder, no AWS account, no network."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
        "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendLambda]:
    """An account on loopback, and credentials for it."""
    pretend = PretendLambda()
    monkeypatch.setenv("AWS_ENDPOINT_URL", pretend.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    yield pretend
    pretend.close()


def test_it_writes_the_zip_and_shows_what_is_in_it(tmp_path: Path) -> None:
    """Data on stdout: parts and bytes; talk on stderr: where it is."""
    result = _type("--python", "3.13", "--arch", "arm64", "--output", "made/here")
    file = tmp_path / "made" / "here" / "dojang-layer-python3.13-arm64.zip"

    assert 0 == result.exit_code, result.stderr
    assert file.is_file()
    assert ["part", "dojang", "lib", "msgspec", "together"] == [
        line.split()[0] for line in result.stdout.splitlines()
    ]
    assert hashlib.sha256(file.read_bytes()).hexdigest() in result.stderr
    assert [] == list(tmp_path.rglob("*.part"))


def test_json_is_for_programs(tmp_path: Path) -> None:
    """The same as one document."""
    result = _type("--arch", "x86_64", "--format", "json")
    data = json.loads(result.stdout)
    content = Path(data["file"]).read_bytes()

    assert ("python3.13", "x86_64") == (data["runtime"], data["architecture"])
    assert (len(content), hashlib.sha256(content).hexdigest()) == (data["zipped"], data["sha256"])
    assert data["unzipped"] == sum(part["unzipped"] for part in data["contents"])


def test_missing_byte_code_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the function's Python at hand every cold start compiles, so that is said; with it, nothing is."""
    monkeypatch.setattr("dojang.entry.layer.building.interpreter_of", lambda _: None)
    without = _type()
    monkeypatch.setattr("dojang.entry.layer.building.interpreter_of", lambda _: sys.executable)
    with_it = _type("--format", "json")

    assert "Without byte code: no python3.13 is at hand" in without.stderr
    assert "byte code" not in with_it.stderr
    assert json.loads(with_it.stdout)["byte_code"]


def test_a_failed_download_leaves_no_zip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence and exit code 1; a zip of before stays."""

    def fetch(_: Target, __: Path) -> dict[str, str]:
        raise CannotBuild("No wheel could be fetched")

    before = tmp_path / "dojang-layer-python3.13-arm64.zip"
    before.write_bytes(b"before")
    monkeypatch.setattr("dojang.entry.layer.building.fetch", fetch)
    result = _type()

    assert 1 == result.exit_code
    assert "dojang: No wheel could be fetched\n" == result.stderr
    assert b"before" == before.read_bytes()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--python", "3.9"], "--python must be one of 3.11"),
        (["--arch", "mips"], "--arch must be one of arm64, x86_64, not 'mips'"),
        (["--output", "file/below"], "cannot be written"),
        (["--output", "taken"], "cannot be written"),
    ],
)
def test_a_wrong_word_is_one_sentence(words: list[str], sentence: str, tmp_path: Path) -> None:
    """Exit code 2, and what would be right."""
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "dojang-layer-python3.13-arm64.zip").mkdir(parents=True)
    result = _type(*words)

    assert 2 == result.exit_code
    assert sentence in result.stderr
    assert 1 == len(result.stderr.strip().splitlines())
    assert [] == list(tmp_path.rglob("*.part"))


def test_publishing_sends_the_very_zip(aws: PretendLambda, tmp_path: Path) -> None:
    """AWS gets what was written, for which runtime and processor; the answer's ARN is shown, and who it came from."""
    result = _type("--publish", "--name", "payments", "--region", "ap-northeast-2", "--format", "json")
    data = json.loads(result.stdout)
    (path, body), *rest = aws.asked

    assert [] == rest
    assert "/2018-10-31/layers/payments/versions" == path
    assert Path(data["file"]).read_bytes() == base64.b64decode(body["Content"]["ZipFile"])
    assert (["python3.13"], ["arm64"]) == (body["CompatibleRuntimes"], body["CompatibleArchitectures"])
    assert (f"{ARN}:1", "ap-northeast-2") == (data["layer_version_arn"], data["region"])
    assert f"not AWS but {aws.url}" in result.stderr


def test_the_region_may_come_from_the_environment(aws: PretendLambda) -> None:
    """AWS_REGION, as in the rest of AWS's tools."""
    result = _type("--publish", "--format", "json", AWS_REGION="ap-northeast-1")

    assert "ap-northeast-1" == json.loads(result.stdout)["region"]


def test_missing_credentials_are_one_sentence() -> None:
    """No account, no traceback."""
    result = _type("--publish", "--region", "ap-northeast-2")

    assert 2 == result.exit_code
    assert "no AWS credentials" in result.stderr
    assert "aws configure" in result.stderr


def test_a_missing_region_is_one_sentence(aws: PretendLambda) -> None:
    """Where to is nobody's guess."""
    result = _type("--publish")

    assert 2 == result.exit_code
    assert "--region ap-northeast-2" in result.stderr
    assert [] == aws.asked


def test_a_missing_profile_is_one_sentence() -> None:
    """A name that AWS's files do not have."""
    result = _type("--publish", "--region", "ap-northeast-2", AWS_PROFILE="nobodys")

    assert 2 == result.exit_code
    assert "AWS_PROFILE" in result.stderr


@pytest.mark.parametrize(
    ("region", "endpoint", "sentence"),
    [
        ("seoul 1", "", "--publish needs a region such as ap-northeast-2"),
        ("ap-northeast-2", "nonsense", "AWS_ENDPOINT_URL: Invalid endpoint: nonsense"),
    ],
)
def test_a_wrong_region_or_address_is_one_sentence(
    aws: PretendLambda, region: str, endpoint: str, sentence: str
) -> None:
    """Nobody was asked, so nobody is called unreachable."""
    result = _type("--publish", "--region", region, AWS_ENDPOINT_URL=endpoint or aws.url)

    assert 2 == result.exit_code
    assert sentence in result.stderr
    assert [] == aws.asked


def test_missing_boto3_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare install builds layers; publishing needs the extra."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    result = _type("--publish", "--region", "ap-northeast-2")

    assert 2 == result.exit_code
    assert "dojang[aws]" in result.stderr


def test_a_refusal_of_aws_is_repeated(aws: PretendLambda) -> None:
    """What AWS says is what a person needs; the exit code is 1."""
    aws.refuses = (
        403,
        "AccessDeniedException",
        "User is not authorized to perform lambda:PublishLayerVersion",
    )
    result = _type("--publish", "--region", "ap-northeast-2")

    assert 1 == result.exit_code
    assert "AccessDeniedException: User is not authorized" in result.stderr
    assert "" == result.stdout


def test_an_aws_that_is_away_is_one_sentence(aws: PretendLambda) -> None:
    """Nobody listens there."""
    aws.close()
    result = _type("--publish", "--region", "ap-northeast-2")

    assert 1 == result.exit_code
    assert "AWS cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_layer_is_not_called_published(aws: PretendLambda) -> None:
    """AWS tells the checksum of what arrived; if it is another one, that version must not be used."""
    aws.damages = True
    result = _type("--publish", "--region", "ap-northeast-2")

    assert 1 == result.exit_code
    assert f"{ARN}:1 is not what was sent" in result.stderr
