"""A function that starts cold: INIT, its first verification, memory, and what it asks of DynamoDB."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import certifi
import trustme

from bench.borrowed import dynamodb_local
from bench.lambda_capacity import relay
from bench.lambda_instance import Figures, Instance
from bench.lambda_packages import Deployment, deploy
from bench.processes import upstream
from bench.secrets_manager import kept_elsewhere
from bench.upstream import receipt_id_of
from dojang.adapters.dynamodb import DynamoDBBackend
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import Event, What

__all__ = ["Result", "StartFigures", "measure"]

_ROOT = Path(__file__).parent.parent
_EVENT = json.loads((_ROOT / "tests" / "samples" / "aws" / "http_api.json").read_text(encoding="utf-8"))
_PRICE = 1200
_IDEMPOTENCY = "idempotency"
_CERT = "server.pem"
_KEYS = {
    "BOOTPAY_CLIENT_KEY": "client",
    "BOOTPAY_SECRET_KEY": "secret",
    "DOJANG_API_KEYS": "an-api-key-of-the-shop-0123456789",
    "DOJANG_DELIVER_SECRET": "whsec_" + "c2VjcmV0" * 4,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of one contender.

    Attributes:
        deployment: Who.
        rounds: Each start of it.
        verify: The operations on DynamoDB of a verification, and the capacity units they consume.
        replay: The same of its repetition.
        webhook: The same of Bootpay's webhook about a payment that has been verified; of the whole service alone.
    """

    deployment: Deployment
    rounds: tuple[Figures, ...]
    verify: tuple[tuple[str, ...], float]
    replay: tuple[tuple[str, ...], float]
    webhook: tuple[tuple[str, ...], float]

    def median(self, name: str) -> float:
        """The median of one figure over the rounds."""
        return statistics.median(getattr(figures, name) for figures in self.rounds)


@dataclass(frozen=True, slots=True)
class StartFigures:
    """All contenders, in the order of `CONTENDERS`."""

    results: tuple[Result, ...]

    def init_ratio(self, one: int, other: int) -> float:
        """How long one takes to initialise, as a share of the other: the median over rounds, each its own ratio."""
        pairs = zip(self.results[one].rounds, self.results[other].rounds, strict=True)
        return statistics.median(ours.init_ms / theirs.init_ms for ours, theirs in pairs)


def measure(rounds: int) -> StartFigures:
    """Start every contender once a round, in changing order.

    Args:
        rounds: How often; one more is thrown away, in which the machine reads the files for the first time.
    """
    with tempfile.TemporaryDirectory(prefix="bench-lambda-") as scratch:
        folder = Path(scratch)
        deployments = deploy(folder)
        endpoint = dynamodb_local.server_endpoint()
        os.environ.update(dynamodb_local.KEYS)
        # Each contender has an order of its own to verify in each round: a second one would be a replay.
        table = _tables((rounds + 2) * len(deployments))
        with _bootpay(folder) as settings:
            environment = settings | _stores(table, endpoint)
            found: dict[str, list[Figures]] = {one.contender.name: [] for one in deployments}
            for turn in range(rounds + 1):
                first = turn % len(deployments)
                for deployment in deployments[first:] + deployments[:first]:
                    with (
                        _keys(deployment, folder) as keys,
                        Instance(deployment, environment | keys, folder) as instance,
                    ):
                        found[deployment.contender.name].append(
                            instance.measured(
                                _verify(_order(turn, deployments, deployment), ours=deployment.contender.ours)
                            )
                        )
                    sys.stderr.write(".")
                    sys.stderr.flush()
            sys.stderr.write("\n")
            counted = {
                one.contender.name: _counted(
                    one, settings, table, endpoint, _order(rounds + 1, deployments, one), folder
                )
                for one in deployments
            }
    return StartFigures(
        tuple(
            Result(one, tuple(found[one.contender.name][1:]), *counted[one.contender.name])
            for one in deployments
        )
    )


def _order(turn: int, deployments: Sequence[Deployment], one: Deployment) -> int:
    return turn * len(deployments) + deployments.index(one)


def _counted(
    deployment: Deployment, settings: dict[str, str], table: str, endpoint: str, number: int, folder: Path
) -> Sequence[tuple[tuple[str, ...], float]]:
    """Once more, through a relay that counts: it would slow the figures down."""
    with (
        relay(endpoint) as counted,
        _keys(deployment, folder) as keys,
        Instance(deployment, settings | keys | _stores(table, counted.url), folder) as instance,
    ):
        found = []
        for _ in range(2):
            instance.verify(_verify(number, ours=deployment.contender.ours))
            found.append(counted.taken())
        if deployment.contender.ours:
            instance.invoke(_webhook(number))
        return [*found, counted.taken()]


def _verify(number: int, *, ours: bool) -> dict[str, Any]:
    """The page's request, as an HTTP API brings it."""
    path = f"/prod/v1/orders/o-{number}/verify"
    event: dict[str, Any] = json.loads(json.dumps(_EVENT)) | {"rawPath": path}
    event["requestContext"]["http"]["path"] = path
    body = {"receipt_id": receipt_id_of(number)}
    # Our own service has the order's id in the path.
    event["body"] = json.dumps(body if ours else body | {"order_id": f"o-{number}"})
    return event


def _webhook(number: int) -> dict[str, Any]:
    event = _verify(number, ours=True) | {"rawPath": "/prod/webhooks/bootpay"}
    event["requestContext"]["http"]["path"] = event["rawPath"]
    told = {"receipt_id": receipt_id_of(number), "order_id": f"o-{number}", "status": 1, "price": _PRICE}
    return event | {"body": json.dumps(told | {"webhook_type": "PAYMENT_COMPLETED"})}


@contextmanager
def _bootpay(folder: Path) -> Iterator[dict[str, str]]:
    """A pretend Bootpay over TLS, among as many trusted authorities as a machine has; the settings that name it."""
    authority = trustme.CA()
    cert, trusted = folder / _CERT, folder / "trusted.pem"
    cert.write_bytes(authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.bytes())
    trusted.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
    with upstream(cert=cert) as port:
        yield {
            "BOOTPAY_URL": f"https://localhost:{port}",
            # Nobody may vouch for real orders from this machine; that apart the modes do the same.
            "DOJANG_MODE": "emulator",
            # As the template deploys it: the shop is owed what its orders become, and the stream wakes who delivers.
            "DOJANG_DELIVER_TO": "https://shop.example/dojang",
            # The one is OpenSSL's own name for it, the other that of requests.
            "SSL_CERT_FILE": str(trusted),
            "REQUESTS_CA_BUNDLE": str(trusted),
            # /opt and /var/task cannot be written to in Lambda: what is compiled is compiled again by each start.
            "PYTHONDONTWRITEBYTECODE": "1",
            **dynamodb_local.KEYS,
        }


@contextmanager
def _keys(deployment: Deployment, folder: Path) -> Iterator[Mapping[str, str]]:
    """A contender's keys: in its environment, or named there and kept elsewhere."""
    if not deployment.contender.keys_elsewhere:
        yield _KEYS
        return
    with kept_elsewhere(_KEYS, folder / _CERT) as named:
        yield named


def _stores(table: str, endpoint: str) -> dict[str, str]:
    return {
        "DOJANG_STORE": f"dynamodb://{table}?region={dynamodb_local.REGION}&endpoint={endpoint}",
        "IDEMPOTENCY_TABLE": _IDEMPOTENCY,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
    }


def _tables(orders: int) -> str:
    """Both contenders' tables, ours with the orders that are going to be paid."""
    import boto3

    client = boto3.client(
        "dynamodb", region_name=dynamodb_local.REGION, endpoint_url=dynamodb_local.server_endpoint()
    )
    client.create_table(
        TableName=_IDEMPOTENCY,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    table: str = dynamodb_local.fresh_name()
    backend = DynamoDBBackend(table, dynamodb_local.REGION, dynamodb_local.server_endpoint())
    try:
        backend.migrate()
        now = datetime.now(UTC)
        for number in range(orders):
            order = Order(id=OrderId(f"o-{number}"), price=Money(_PRICE), name="bench")
            backend.register(order, Event(version=1, at=now, what=What.REGISTERED, who="shop"), now)
    finally:
        backend.close()
    return table
