"""What a function may do, and nothing besides: the same list for the template's role and for `template policy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dojang.adapters.arn import Queue, read_arn
from dojang.adapters.dynamodb.schema import MIGRATING_ACTIONS, RUNNING_ACTIONS

__all__ = ["Resources", "Statement", "migrating", "policy", "running", "to_bus", "to_queue"]

Statement = Mapping[str, object]
"""One statement of a policy, in IAM's words."""


_PARTITIONS = {
    "cn-": "aws-cn",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Whom the permissions are about: ARNs, or a template's words for them.

    Attributes:
        table: The table.
        index: All of its indexes.
        stream: Its stream.
        streams: Any stream of the table.
        secret: The secret with the settings; empty if there is none.
        log: All streams of the function's log group.
        queue: Where what could not be handled is kept; empty if there is no such queue.
        parameters: Parameters of SSM, each with a setting.
        key: The key of one's own that encrypts secret or parameter; empty if AWS's own does.
        deliver_to: The queue or event bus that is told what an order has become; empty if an address is.
    """

    table: str
    index: str
    stream: str
    streams: str
    secret: str
    log: str
    queue: str = ""
    parameters: Sequence[str] = ()
    key: str = ""
    deliver_to: str = ""

    @classmethod
    def named(
        cls,
        *,
        table: str,
        region: str,
        account: str,
        secret: str,
        function: str,
        parameters: Sequence[str] = (),
        key: str = "",
        deliver_to: str = "",
    ) -> Resources:
        """By names, key and destination by their ARNs; `*` for a region or an account that is not known yet."""
        partition = next((name for begin, name in _PARTITIONS.items() if region.startswith(begin)), "aws")

        def arn(service: str, what: str) -> str:
            return f"arn:{partition}:{service}:{region}:{account}:{what}"

        orders = arn("dynamodb", f"table/{table}")
        return cls(
            table=orders,
            index=f"{orders}/index/*",
            stream=f"{orders}/stream/*",
            streams=f"{orders}/stream/*",
            # Secrets Manager puts six letters of its own behind the name.
            secret=arn("secretsmanager", f"secret:{secret}-??????") if secret else "",
            log=arn("logs", f"log-group:/aws/lambda/{function}:*"),
            # The name of one in a folder begins with a slash, its ARN has but one.
            parameters=list(
                dict.fromkeys(arn("ssm", f"parameter/{name.removeprefix('/')}") for name in parameters)
            ),
            key=key,
            deliver_to=deliver_to,
        )


def running(resources: Resources) -> list[Statement]:
    """What the function needs while it runs. No Scan and no DeleteItem: its key cannot empty the table."""
    statements = [
        _allow("KeepOrders", RUNNING_ACTIONS["table"], resources.table),
        _allow("FindWhatIsDue", RUNNING_ACTIONS["index"], resources.index),
        _allow(
            "FollowTheStream",
            ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
            resources.stream,
        ),
        _allow("FindTheStream", ("dynamodb:ListStreams",), resources.streams),
    ]
    if resources.secret:
        statements.append(_allow("ReadTheKeys", ("secretsmanager:GetSecretValue",), resources.secret))
    statements.append(_allow("WriteTheLog", ("logs:CreateLogStream", "logs:PutLogEvents"), resources.log))
    if resources.parameters:
        statements.append(_allow("ReadTheParameters", ("ssm:GetParameter",), list(resources.parameters)))
    if resources.key:
        statements.append(_allow("DecryptTheKeys", ("kms:Decrypt",), resources.key))
    if resources.queue:
        statements.append(_allow("KeepWhatFailed", ("sqs:SendMessage",), resources.queue))
    if resources.deliver_to:
        place = read_arn(resources.deliver_to)
        statements.append((to_queue if isinstance(place, Queue) else to_bus)(place.arn))
    return statements


def to_queue(arn: str) -> Statement:
    """What it takes to tell a queue what an order has become."""
    return _allow("DeliverToTheQueue", ("sqs:SendMessage",), arn)


def to_bus(arn: str) -> Statement:
    """What it takes to tell an event bus, and to see that it is there."""
    return _allow("DeliverToTheBus", ("events:DescribeEventBus", "events:PutEvents"), arn)


def migrating(resources: Resources) -> list[Statement]:
    """What a person needs who runs `dojang migrate` or `dojang doctor`; a function never does."""
    return [_allow("MakeTheTable", MIGRATING_ACTIONS, resources.table)]


def policy(statements: Sequence[Statement]) -> dict[str, object]:
    """An IAM policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: Sequence[str], resource: str | list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
