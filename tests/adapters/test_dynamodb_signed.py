"""The lean way to DynamoDB on the wire: signed as AWS checks it, and never a foreign exception."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from dojang.adapters.aws.credentials import Keys
from dojang.adapters.aws.signature import signed_headers
from dojang.adapters.dynamodb.signed import SignedTable, region_of
from dojang.adapters.dynamodb.table import TableRefused, TableSilent, Value
from dojang.errors import ConfigError

from .dynamodb_local import KEYS

REGION = "ap-northeast-2"


@dataclass
class Endpoint:
    """A loopback server that keeps what it was asked and answers as told."""

    url: str
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    body: bytes = b"{}"
    peers: list[int] = field(default_factory=list)
    crc32: str | None = None
    hang_up: bool = False


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """One that lives as long as the test."""
    told = Endpoint("")

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append((dict(self.headers.items()), said))
            told.peers.append(self.client_address[1])
            if told.hang_up:
                self.close_connection = True
                return
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            if told.crc32 is not None:
                self.send_header("x-amz-crc32", told.crc32)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield told
        server.shutdown()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys as a Lambda function has them."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session==")


@pytest.fixture
def table(endpoint: Endpoint) -> Iterator[SignedTable]:
    """The lean way to it."""
    with closing(SignedTable(REGION, endpoint.url)) as table:
        yield table


def test_what_arrives_bears_the_signature_aws_would_compute(endpoint: Endpoint, table: SignedTable) -> None:
    """Signed again from the bytes that arrived, host and port included, the signature is the same."""
    table.call("PutItem", {"TableName": "t", "Item": {"pk": Value(s="주문"), "n": Value(n="1")}}, 2)
    headers, body = endpoint.asked[0]
    request = AWSRequest("POST", f"http://{headers['Host']}/", data=body)
    shown = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    arrived = {name.lower(): value for name, value in headers.items()}
    for name in shown:
        request.headers[name] = arrived[name]
    request.context["timestamp"] = arrived["x-amz-date"]
    checker = SigV4Auth(
        Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "dynamodb", REGION
    )
    canonical = checker.canonical_request(request)
    signature = checker.signature(checker.string_to_sign(request, canonical), request)

    assert headers["Authorization"].endswith(f"Signature={signature}")
    assert {"host", "x-amz-date", "x-amz-target", "x-amz-security-token", "content-type"} <= set(shown)
    assert "DynamoDB_20120810.PutItem" == headers["X-Amz-Target"]
    assert {"TableName": "t", "Item": {"pk": {"S": "주문"}, "n": {"N": "1"}}} == json.loads(body)


@given(
    url=st.sampled_from(
        [
            "https://dynamodb.ap-northeast-2.amazonaws.com/",
            "http://127.0.0.1:8000/",
            "http://[::1]:8000/",
            "https://vpce-1.dynamodb.eu-north-1.vpce.amazonaws.com:443/",
        ]
    ),
    service=st.sampled_from(["dynamodb", "secretsmanager", "ssm", "sqs", "events"]),
    region=st.sampled_from(["ap-northeast-2", "cn-north-1", "us-gov-west-1"]),
    content_type=st.sampled_from(["application/x-amz-json-1.0", "application/x-amz-json-1.1"]),
    target=st.sampled_from(
        ["DynamoDB_20120810.PutItem", "secretsmanager.GetSecretValue", "AmazonSSM.GetParameter"]
    ),
    body=st.binary(max_size=64),
    secret=st.text("AZaz09/+", min_size=1, max_size=40),
    token=st.none() | st.text("AZaz09/+=", min_size=1, max_size=40),
    now=st.datetimes(timezones=st.just(UTC)).filter(lambda now: now.year > 1999),
)
def test_our_signature_is_botocores(
    url: str,
    service: str,
    region: str,
    content_type: str,
    target: str,
    body: bytes,
    secret: str,
    token: str | None,
    now: datetime,
) -> None:
    """Whatever the service, the endpoint, the keys and the body, botocore's own signer writes the same header."""
    headers = {"Content-Type": content_type, "X-Amz-Target": target}
    ours = signed_headers(
        url, service, region, headers, body, access_key="AKIDEXAMPLE", secret_key=secret, token=token, now=now
    )
    request = AWSRequest("POST", url, data=body, headers=headers | {"X-Amz-Date": ours["X-Amz-Date"]})
    request.context["timestamp"] = ours["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    judge = SigV4Auth(Credentials("AKIDEXAMPLE", secret, token), service, region)
    signature = judge.signature(judge.string_to_sign(request, judge.canonical_request(request)), request)
    judge._inject_signature_to_request(request, signature)

    assert request.headers["Authorization"] == ours["Authorization"]


def test_keys_are_read_anew_for_every_call(
    endpoint: Endpoint, table: SignedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that were changed under way are used from the next call on."""
    table.call("GetItem", {}, 2)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    table.call("GetItem", {}, 2)
    first, second = (headers for headers, _ in endpoint.asked)

    assert "Credential=AKIDEXAMPLE/" in first["Authorization"]
    assert "Credential=AKIDOTHER/" in second["Authorization"]
    assert "X-Amz-Security-Token" not in second


def test_a_profile_gives_keys_where_the_environment_has_none(
    endpoint: Endpoint, table: SignedTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Botocore's whole chain stands behind the environment."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s3cr3t\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    table.call("GetItem", {}, 2)

    assert "Credential=AKIDFILE/" in endpoint.asked[0][0]["Authorization"]


def test_no_keys_at_all_is_a_refusal_before_anything_is_sent(
    endpoint: Endpoint, table: SignedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing unsigned leaves, and keys that turn up later are found then."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(TableRefused) as refused:
        table.call("GetItem", {}, 2)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDLATE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    table.call("GetItem", {}, 2)

    assert "CredentialsUnavailable" == refused.value.code
    assert 1 == len(endpoint.asked)


def test_keys_are_never_shown() -> None:
    """Neither by their own words nor in an error."""
    shown = repr(Keys("AKIDEXAMPLE", "wJalrXUtn", "session=="))

    assert not any(secret in shown for secret in ("AKIDEXAMPLE", "wJalrXUtn", "session"))


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}', "ThrottlingException"),
        (400, b'{"__type":"X#AccessDeniedException","Message":"no"}', "AccessDeniedException"),
        (500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}', "InternalServerError"),
        (503, b"<html>busy</html>", "HTTP_503"),
        (400, b"{}", "HTTP_400"),
    ],
)
def test_a_no_is_read_with_its_name(
    endpoint: Endpoint, table: SignedTable, status: int, body: bytes, code: str
) -> None:
    """Whatever stands in front of DynamoDB may also speak."""
    endpoint.status, endpoint.body = status, body
    with pytest.raises(TableRefused) as refused:
        table.call("GetItem", {}, 2)

    assert (code, status) == (refused.value.code, refused.value.http_status)


def test_the_reasons_of_a_cancelled_transaction_are_read(endpoint: Endpoint, table: SignedTable) -> None:
    """One reason per part, and the item that stood in the way."""
    reasons: list[dict[str, Any]] = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "O#1"}}, "Message": "…"},
    ]
    said = {"__type": "x#TransactionCanceledException", "Message": "…", "CancellationReasons": reasons}
    endpoint.status, endpoint.body = 400, json.dumps(said).encode()
    with pytest.raises(TableRefused) as refused:
        table.call("TransactWriteItems", {}, 2)

    assert [("None", None), ("ConditionalCheckFailed", {"pk": Value(s="O#1")})] == [
        (reason.code, reason.item) for reason in refused.value.reasons
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"body": b"not json"},
        {"body": b'{"Item": 5}'},
        {"body": b'{"Item":{}}', "crc32": str(zlib.crc32(b'{"Item":{}}') ^ 1)},
        {"status": 301, "body": b"moved"},
        {"hang_up": True},
    ],
    ids=["not json", "another shape", "damaged", "redirect", "hung up"],
)
def test_an_answer_that_is_none_is_silence(endpoint: Endpoint, table: SignedTable, broken: Any) -> None:
    """It may have been carried out: nobody may conclude anything from it."""
    for name, value in broken.items():
        setattr(endpoint, name, value)
    with pytest.raises(TableSilent):
        table.call("GetItem", {}, 2)


def test_a_right_checksum_is_believed(endpoint: Endpoint, table: SignedTable) -> None:
    """What arrives whole is read."""
    endpoint.body = b'{"Item":{"pk":{"S":"x"}}}'
    endpoint.crc32 = str(zlib.crc32(endpoint.body))

    assert {"pk": Value(s="x")} == table.call("GetItem", {}, 2).item


def test_nobody_there_and_nobody_answering_are_silence_within_the_time_given() -> None:
    """A closed port at once, a mute server when the time is over."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(TableSilent, match="no answer in time"):
            SignedTable(REGION, address).call("GetItem", {}, 0.05)
    with pytest.raises(TableSilent, match="the connection was refused"):
        SignedTable(REGION, address).call("GetItem", {}, 2)


def test_connections_are_kept_and_made_anew_after_closing(endpoint: Endpoint, table: SignedTable) -> None:
    """A restored snapshot has no use for connections of the past: closing is forgetting, not the end."""
    for _ in range(2):
        table.call("GetItem", {}, 2)
    table.close()
    table.call("GetItem", {}, 2)

    assert 3 == len(endpoint.asked)
    assert [2, 1] == [endpoint.peers.count(peer) for peer in dict.fromkeys(endpoint.peers)]


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("ap-northeast-2", "dynamodb.ap-northeast-2.amazonaws.com"),
        ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_usual_endpoint_is_the_regions_own_over_tls(
    region: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no endpoint is named, certificates and host names are checked."""
    asked: list[tuple[object, object]] = []

    def connect(address: tuple[str, int], _timeout: float) -> Any:
        asked.append(address)
        return Opened()

    class Opened:
        def setsockopt(self, *_: object) -> None: ...
        def close(self) -> None: ...

    def greet(context: ssl.SSLContext, _socket: Any, *, server_hostname: str) -> None:
        asked.append((server_hostname, context.check_hostname and context.verify_mode))
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", greet)
    with pytest.raises(TableSilent):
        SignedTable(region).call("GetItem", {}, 2)

    assert [(host, 443), (host, ssl.CERT_REQUIRED)] == asked


def test_the_region_is_named_or_the_one_aws_tools_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The address, then the environment, then the profile; none at all stops the start with a sentence."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="region"):
        region_of(None)
    file = tmp_path / "config"
    file.write_text("[default]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    profile = region_of(None)
    monkeypatch.setenv("AWS_REGION", "ap-northeast-2")

    assert ("eu-north-1", "ap-northeast-2", "us-east-1") == (profile, region_of(None), region_of("us-east-1"))


@pytest.mark.parametrize("named", ["AP-NORTHEAST-2", "a.example.com/", "-", "서울"])
def test_what_is_no_region_is_told_before_it_becomes_part_of_an_address(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Also where AWS's own settings say it, not ours."""
    monkeypatch.setenv("AWS_REGION", named)
    for region in (None, named):
        with pytest.raises(ConfigError, match=r"region=ap-northeast-2"):
            region_of(region)


def test_a_profile_that_is_not_there_is_a_setting_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exception of botocore's gets no further, and the way out is in the sentence."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ConfigError, match=r"region=ap-northeast-2.*ProfileNotFound"):
        region_of(None)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "//localhost:8000",
        "ftp://localhost",
        "http://[::1",
        "http://a:port",
        "http://a:0",
        "https://",
    ],
)
def test_what_is_no_endpoint_is_told_when_it_is_named(address: str) -> None:
    """Not by the first request, and not as a table that does not answer."""
    with pytest.raises(ConfigError, match=r"DOJANG_STORE: endpoint .*https://dynamodb.example.com"):
        SignedTable(REGION, address)


def test_the_lean_way_brings_neither_boto3_nor_a_service_model() -> None:
    """What a cold start must not load: the client, its session, the models, the event loop."""
    code = """
import sys
from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.core.order import OrderId
from dojang.errors import StoreUnavailable
store = DynamoDBBackend("orders", "ap-northeast-2", "http://127.0.0.1:9", patience_s=0.01)
try:
    store.load(OrderId("o1"))
except StoreUnavailable:
    print(*sorted(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | KEYS
    )
    loaded = set(done.stdout.split())

    assert "dojang.adapters.dynamodb.signed" in loaded
    assert not loaded & {
        "asyncio", "boto3", "botocore",
        "concurrent.futures.thread", "sqlite3", "urllib3", "http.client", "email",
    }  # fmt: skip
