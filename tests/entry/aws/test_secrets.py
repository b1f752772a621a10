"""Settings kept in AWS: asked of a small pretend Secrets Manager and SSM, which check signatures with AWS's own SDK."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.adapters import dynamodb_local

from dojang.adapters.aws import Endpoint, Silent
from dojang.bootpay.call import Answer
from dojang.emulator.server import EmulatorServer
from dojang.entry.aws.keeping import Keeper
from dojang.entry.aws_secrets import AwsSecrets
from dojang.entry.settings import read_settings
from dojang.errors import ConfigError

from .conftest import Deployed, request_event, sample
from .runtime import Instance

if TYPE_CHECKING:
    from tests.entry.conftest import Opt

SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:dojang/bootpay-AbCdEf"
PARAMETER = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dojang/api-keys"
API_KEY = "an-api-key-of-the-shop"
SERVICES = {"secretsmanager": "secretsmanager", "AmazonSSM": "ssm"}
NOT_SIGNED: tuple[int, dict[str, object]] = (400, {"__type": "InvalidSignatureException"})


def _signed(headers: dict[str, str], body: bytes, service: str) -> bool:
    """Whether botocore would have signed what arrived in the same way."""
    arrived = {name.lower(): value for name, value in headers.items()}
    request = AWSRequest("POST", f"http://{arrived['host']}/", data=body)
    for name in arrived["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";"):
        request.headers[name] = arrived[name]
    request.context["timestamp"] = arrived["x-amz-date"]
    judge = SigV4Auth(Credentials("local", "local"), service, "ap-northeast-2")
    wanted = judge.string_to_sign(request, judge.canonical_request(request))
    return arrived["authorization"].endswith(f"Signature={judge.signature(wanted, request)}")


class PretendAws:
    """Answers GetSecretValue and GetParameter in their JSON protocol, and nobody whose signature is not right."""

    def __init__(self) -> None:
        self.secrets: dict[str, object] = {}
        self.parameters: dict[str, str] = {}
        self.asked: list[str] = []
        self.down = False
        self.first: list[tuple[int, bytes]] = []
        pretend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["content-length"]))
                service, _, operation = self.headers["x-amz-target"].rpartition(".")
                pretend.asked.append(operation)
                if pretend.first:
                    status, body = pretend.first.pop(0)
                else:
                    signed = _signed(dict(self.headers.items()), said, SERVICES[service])
                    status, answer = pretend.answer(operation, json.loads(said)) if signed else NOT_SIGNED
                    body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, operation: str, request: dict[str, object]) -> tuple[int, dict[str, object]]:
        """What AWS says."""
        if self.down:
            return 400, {
                "__type": "AccessDeniedException",
                "message": "arn:aws:iam::123456789012:role/x may not",
            }
        if operation == "GetSecretValue" and request["SecretId"] in self.secrets:
            value = self.secrets[str(request["SecretId"])]
            kind = "SecretString" if isinstance(value, str) else "SecretBinary"
            return 200, {
                "ARN": request["SecretId"],
                "Name": "x",
                kind: value if isinstance(value, str) else "AAEC",
            }
        if operation == "GetParameter" and request["Name"] in self.parameters and request["WithDecryption"]:
            return 200, {"Parameter": {"Name": "x", "Value": self.parameters[str(request["Name"])]}}
        return 400, {"__type": "ResourceNotFoundException", "message": "no such thing"}

    def close(self) -> None:
        """Answer no more."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendAws]:
    """A pretend AWS that everybody is pointed to, and keys that it knows."""
    pretend = PretendAws()
    pretend.secrets[SECRET] = json.dumps({"client": "client-key", "secret": "secret-key", "n": 7})
    pretend.parameters[PARAMETER] = f"{API_KEY}\n"
    for name, value in {
        "AWS_ENDPOINT_URL": pretend.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    yield pretend
    pretend.close()


KEPT = {
    "DOJANG_MODE": "sandbox",
    "BOOTPAY_CLIENT_KEY_ARN": f"{SECRET}#client",
    "BOOTPAY_SECRET_KEY_ARN": f"{SECRET}#secret",
    "DOJANG_API_KEYS_ARN": PARAMETER,
    "DOJANG_STORE": "dynamodb://dojang?region=ap-northeast-2",
}


def test_settings_come_from_a_secret_and_a_parameter(aws: PretendAws) -> None:
    """One field of a JSON secret each, a parameter decrypted, and one question per ARN."""
    settings = read_settings(environment=KEPT)

    assert ("client-key", "secret-key") == (settings.client_key, settings.secret_key)
    assert (API_KEY,) == settings.api_keys
    assert ["GetParameter", "GetSecretValue"] == sorted(aws.asked)
    assert "secret-key" not in repr(settings)


def test_a_whole_secret_is_a_value(aws: PretendAws) -> None:
    """Without a field the secret itself is the value."""
    aws.secrets[SECRET] = " the-key "
    kept = {"DOJANG_MODE": "sandbox", "BOOTPAY_CLIENT_KEY": "c", "BOOTPAY_SECRET_KEY_ARN": SECRET}

    assert "the-key" == read_settings(environment=kept).secret_key


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"BOOTPAY_SECRET_KEY_ARN": "arn:aws:s3:::bucket/key"}, "must be the ARN"),
        ({"BOOTPAY_SECRET_KEY_ARN": "dojang/bootpay"}, "must be the ARN"),
        ({"BOOTPAY_SECRET_KEY_ARN": f"{PARAMETER}#field"}, "must be the ARN"),
        ({"BOOTPAY_SECRET_KEY_ARN": f"{SECRET}#nobody"}, "no text under 'nobody'"),
        ({"BOOTPAY_SECRET_KEY_ARN": f"{SECRET}#n"}, "no text under 'n'"),
        ({"BOOTPAY_SECRET_KEY_ARN": f"{SECRET}x"}, "ResourceNotFoundException"),
        ({"BOOTPAY_SECRET_KEY": "given"}, "both set"),
        ({"BOOTPAY_SECRET_KEY_FILE": "/etc/hostname"}, "both set"),
    ],
)
def test_a_wrong_reference_stops_the_start(aws: PretendAws, changes: dict[str, str], word: str) -> None:
    """The sentence names the setting, and nothing of any secret."""
    with pytest.raises(ConfigError, match=word) as refused:
        read_settings(environment=KEPT | changes)

    assert "BOOTPAY_SECRET_KEY" in str(refused.value)
    assert "secret-key" not in str(refused.value)


def test_a_field_of_what_is_no_json_object_is_refused(aws: PretendAws) -> None:
    """Text and binary secrets have no fields."""
    aws.secrets[SECRET] = "plain"
    with pytest.raises(ConfigError, match="no JSON object"):
        read_settings(environment=KEPT)
    aws.secrets[SECRET] = b"\0\1\2"
    with pytest.raises(ConfigError, match="binary"):
        read_settings(environment=KEPT)


def test_what_aws_says_of_the_account_stays_out(aws: PretendAws) -> None:
    """The code of a refusal is told, not its message."""
    aws.down = True
    with pytest.raises(ConfigError, match="AccessDeniedException") as refused:
        read_settings(environment=KEPT)

    assert "role/x" not in str(refused.value)


@pytest.mark.parametrize(
    "first",
    [
        (400, b'{"__type": "ThrottlingException"}'),
        (500, b'{"__type": "InternalServiceError"}'),
        (503, b"<html>busy</html>"),
    ],
)
def test_who_is_busy_is_asked_once_more(aws: PretendAws, first: tuple[int, bytes]) -> None:
    """A moment's trouble at AWS keeps nobody from paying."""
    aws.first = [first]
    settings = read_settings(environment=KEPT)

    assert "client-key" == settings.client_key
    assert 3 == len(aws.asked)


@pytest.mark.parametrize(
    ("answers", "word", "times"),
    [
        ([(400, b'{"__type": "X#AccessDeniedException"}')], "AccessDeniedException", 1),
        ([(503, b""), (503, b"<html>busy</html>")], "HTTP 503", 2),
        ([(200, b"<html>Welcome to this network</html>")], "not AWS", 1),
        ([(200, b'["SecretString"]')], "not AWS", 1),
    ],
)
def test_a_no_is_a_sentence(aws: PretendAws, answers: list[tuple[int, bytes]], word: str, times: int) -> None:
    """What another question would not change is not asked again."""
    aws.first = answers
    with pytest.raises(ConfigError, match=rf"_ARN: .*{word}"):
        read_settings(environment=KEPT)

    assert times == len(aws.asked)


def test_nobody_there_is_a_sentence(aws: PretendAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port, and an endpoint that is no address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
    with pytest.raises(
        ConfigError, match=r"BOOTPAY_CLIENT_KEY_ARN: AWS cannot be asked for it \(.*was refused\)"
    ):
        read_settings(environment=KEPT)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "localhost:4566")
    with pytest.raises(ConfigError, match="plain address"):
        read_settings(environment=KEPT)

    assert [] == aws.asked


def test_without_keys_of_aws_nothing_leaves(aws: PretendAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cannot sign is told so; whoever has a profile is served."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigError, match="no credentials"):
        read_settings(environment=KEPT)

    assert [] == aws.asked


def test_a_profile_signs_where_the_environment_has_no_keys(
    aws: PretendAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Botocore's whole chain stands behind the environment."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = local\naws_secret_access_key = local\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    assert "secret-key" == read_settings(environment=KEPT).secret_key


def test_a_start_with_keys_in_aws_reads_no_sdk(aws: PretendAws) -> None:
    """The function as the template deploys it: its keys are there when it is initialised, botocore is not."""
    code = """
import sys
from dojang.entry.aws import _function
assert _function._keeper._settings.secret_key == "secret-key"
print(*sorted(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | KEPT
    )

    assert not {"boto3", "botocore", "asyncio"} & set(done.stdout.split())
    assert ["GetParameter", "GetSecretValue"] == sorted(aws.asked)


def test_what_cannot_be_read_ahead_is_tried_again_by_the_first_invocation(aws: PretendAws) -> None:
    """Not within the initialisation, whose ten seconds are one attempt's; what is wrong is told then."""
    aws.down = True
    keeper = Keeper(KEPT)
    keeper.prepare()
    asked = list(aws.asked)
    with pytest.raises(ConfigError, match="AccessDeniedException"):
        keeper.ready()

    assert (1, 2) == (len(asked), len(aws.asked))


def test_the_function_asks_again_after_five_minutes(aws: PretendAws) -> None:
    """A rotated secret is taken over without a deployment; while AWS is away, what was valid stays."""
    at = [0.0]
    keeper = Keeper(KEPT, monotonic=lambda: at[0])
    keeper.prepare()
    asked_at_init = sorted(aws.asked)
    first = keeper.ready()
    at[0] = 299.0
    same = keeper.ready()
    aws.secrets[SECRET] = json.dumps({"client": "client-key", "secret": "rotated"})
    at[0] = 301.0
    rotated = keeper.ready()
    aws.down = True
    at[0] = 700.0
    kept = keeper.ready()
    keeper.forget()

    assert ["GetParameter", "GetSecretValue"] == asked_at_init
    assert first is same
    assert "rotated" == rotated.settings.secret_key
    assert kept is rotated


def test_keys_that_stay_valid_because_new_ones_cannot_be_read_are_said_to(
    aws: PretendAws, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever replaces a leaked key by what cannot be read learns that the old one still works, and sees no key."""
    at = [0.0]
    keeper = Keeper(KEPT, monotonic=lambda: at[0])
    keeper.prepare()
    before = keeper.ready()
    aws.secrets[SECRET] = json.dumps({"client": "client-key", "secret": ["rotated"]})
    at[0] = 301.0
    after = keeper.ready()
    keeper.forget()

    assert before is after
    (told,) = [line for line in caplog.messages if "older keys stay valid" in line]
    assert "BOOTPAY_SECRET_KEY_ARN" in told
    assert "rotated" not in told


def test_who_has_valid_keys_waits_a_second_at_most_for_new_ones(
    aws: PretendAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A buyer waits for an answer, and Bootpay hangs up after five: a mute Secrets Manager costs them little."""
    at = [0.0]
    keeper = Keeper(KEPT, monotonic=lambda: at[0])
    keeper.prepare()
    first = keeper.ready()
    at[0] = 301.0
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{mute.getsockname()[1]}")
        began = time.monotonic()
        kept = keeper.ready()
        took_s = time.monotonic() - began
    keeper.forget()

    assert kept is first
    # Every try of a patient reader would take four.
    assert took_s < 4


def test_several_mute_secrets_fit_into_the_start(aws: PretendAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda ends an initialisation after ten seconds and begins it again: all secrets share one time."""
    granted: list[float] = []

    def silent(_: Endpoint, __: str, ___: bytes, within_s: float, **____: object) -> Answer:
        granted.append(within_s)
        at[0] += within_s
        raise Silent("no answer")

    at = [0.0]
    monkeypatch.setattr("dojang.entry.aws_secrets.time", SimpleNamespace(monotonic=lambda: at[0]))
    monkeypatch.setattr(Endpoint, "post", silent)
    secrets = AwsSecrets()
    for number in range(3):
        with pytest.raises(ConfigError, match="AWS cannot be asked"):
            secrets.text("DOJANG_API_KEYS", f"{PARAMETER}-{number}")

    assert [4.0, 4.0] == granted


def test_a_halt_closes_connections_and_leaves_the_keys(aws: PretendAws) -> None:
    """Between two runs of the schedule the machine stands still: secrets are read once in five minutes."""
    monotonic, wall = [0.0], [1_000.0]
    keeper = Keeper(KEPT, lambda: monotonic[0], lambda: wall[0])
    keeper.prepare()
    opened = []
    asked = []
    for _ in range(6):
        monotonic[0] += 1
        wall[0] += 60
        opened.append(keeper.ready())
        asked.append(len(aws.asked))
    keeper.forget()

    assert [2, 2, 2, 2, 2, 4] == asked
    assert 6 == len({id(one) for one in opened})


def test_a_clock_that_is_set_back_makes_no_key_last(aws: PretendAws) -> None:
    """The other clock goes on, so a rotated key is taken over all the same."""
    monotonic, wall = [0.0], [1_000_000.0]
    keeper = Keeper(KEPT, lambda: monotonic[0], lambda: wall[0])
    keeper.prepare()
    monotonic[0], wall[0] = 301.0, 0.0
    keeper.ready()
    keeper.forget()

    assert 4 == len(aws.asked)


def test_no_secret_is_read_into_a_snapshot(aws: PretendAws) -> None:
    """With SnapStart secrets are read after the restore, and what was read is forgotten before another snapshot."""
    keeper = Keeper(KEPT | {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"})
    keeper.prepare()
    before = list(aws.asked)
    keeper.ready()
    restored = len(aws.asked)
    keeper.forget()
    keeper.ready()
    keeper.forget()

    assert [] == before
    assert (2, 4) == (restored, len(aws.asked))


def test_a_snapshot_holds_the_sdk_that_its_copies_get_their_keys_with(aws: PretendAws) -> None:
    """Restored, a function asks Lambda's own endpoint for its keys, and only botocore can: it is read beforehand."""
    code = "import sys, dojang.entry.aws; print('botocore.session' in sys.modules)"
    snapshot = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | KEPT | snapshot,
    )

    assert "True\n" == done.stdout


def test_a_secret_that_cannot_be_read_is_a_500_and_a_sentence(
    aws: PretendAws, deployed: Deployed, bootpay: EmulatorServer
) -> None:
    """The function lives, says what is missing, and works as soon as it is there."""
    aws.down = True
    del deployed.environment["DOJANG_API_KEYS"]
    deployed.restart(DOJANG_API_KEYS_ARN=PARAMETER)
    refused = deployed.asks("http_api", "GET", "/healthz")
    aws.down = False
    served = deployed.asks("http_api", "GET", "/healthz")

    assert (500, 200) == (refused["statusCode"], served["statusCode"])
    assert "DOJANG_API_KEYS_ARN" in deployed.logs[0]["message"]
    assert not deployed(sample("event_rule"))["more"]


def test_the_layer_asks_by_itself(aws: PretendAws, opt: Opt, bootpay: EmulatorServer, tmp_path: Path) -> None:
    """In the real runtime, where the layer has no SDK: the shop's key is fetched once, and opens its routes."""
    task = tmp_path / "task"
    task.mkdir()
    settings = {
        "DOJANG_MODE": "emulator",
        "BOOTPAY_URL": bootpay.url,
        "DOJANG_STORE": f"sqlite:///{tmp_path}/orders.sqlite3",
        "DOJANG_API_KEYS_ARN": PARAMETER,
        "AWS_ENDPOINT_URL": aws.url,
    }
    instance = Instance(opt.path(task), settings | dynamodb_local.KEYS, tmp_path / "instance")
    try:
        instance.ready()
        answers = [
            instance(
                request_event("http_api", "GET", "/v1/orders", headers={"authorization": f"Bearer {key}"})
            )
            for key in (API_KEY, API_KEY, "guessed")
        ]
    finally:
        instance.kill()

    assert [200, 200, 401] == [answer["statusCode"] for answer in answers], instance.log
    assert ["GetParameter"] == aws.asked
