"""The SAM application: the files in `files/`, with the parts that other code decides put in their places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable

import dojang
from dojang.adapters.dynamodb.schema import definition
from dojang.entry.layer.target import Target
from dojang.entry.template.block import block
from dojang.entry.template.permissions import Resources, running, to_bus, to_queue
from dojang.errors import InvalidValue

__all__ = ["application"]

_PLACE = re.compile(r"^( *)# \[([a-z]+)\]$", re.MULTILINE)
_WORD = re.compile(r"\[\[([a-z_]+)\]\]")
_IN_THE_STACK = Resources(
    table="!GetAtt Orders.Arn",
    index='!Sub "${Orders.Arn}/index/*"',
    stream="!GetAtt Orders.StreamArn",
    streams='!Sub "${Orders.Arn}/stream/*"',
    secret="!Ref SecretArn",  # noqa: S106 - the name of a parameter
    log='!Sub "${Log.Arn}"',
    queue="!GetAtt Failed.Arn",
)
# Together with the function's own event 5, 10 and 25; EventBridge takes five targets of a rule.
_MORE_RUNS = (("FiveRuns", 4), ("TenRuns", 5), ("MostRuns", 5), ("MostRuns", 5), ("MostRuns", 5))
# It comes again in a minute by itself.
_ONCE = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}


def application(target: Target) -> dict[str, str]:
    """Every file of the application, by its path.

    Raises:
        InvalidValue: If the template's choices are none that this Python has.
    """
    if target.python == "3.11":
        raise InvalidValue("The template wants --python 3.12 or later: SnapStart knows no older one")
    words = {
        "runtime": target.runtime,
        "arch": str(target.arch),
        "python": target.python,
        "layer": target.file_name,
        "version": dojang.__version__,
    }
    places = {
        "permissions": block(running(_IN_THE_STACK), 0),
        "queue": block([to_queue("!Ref DeliverTo")], 0),
        "bus": block([to_bus("!Ref DeliverTo")], 0),
        "table": block(_table(), 0),
        "runs": block(_runs(), 0),
    }
    return {
        path: _filled(file.read_text(encoding="utf-8"), words, places)
        for path, file in _files(resources.files(__package__) / "files", "")
    }


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry


def _filled(text: str, words: Mapping[str, str], places: Mapping[str, str]) -> str:
    def lines(match: re.Match[str]) -> str:
        return "\n".join(match[1] + line for line in places[match[2]].splitlines())

    return _WORD.sub(lambda match: words[match[1]], _PLACE.sub(lines, text))


def _table() -> dict[str, object]:
    """What the store says of its table, in CloudFormation's words."""
    table = definition("")
    # CloudFormation chooses a name of its own: one that is given stands in the way of a replacement.
    del table["TableName"]
    stream = table["StreamSpecification"]
    assert isinstance(stream, dict)
    # There, to name what a stream shows is to have one.
    table["StreamSpecification"] = {key: part for key, part in stream.items() if key != "StreamEnabled"}
    return table


def _runs() -> dict[str, object]:
    """Rules for the runs of the schedule beside its first, each with the leave to start the function."""
    parts: dict[str, object] = {}
    for number, (condition, runs) in enumerate(_MORE_RUNS, start=1):
        targets = [
            {"Id": f"Run{run}", "Arn": "!Ref Function.Alias", "RetryPolicy": dict(_ONCE)}
            for run in range(1, runs + 1)
        ]
        rule = {
            "Description": "dojang: reconcile and deliver what is due",
            "ScheduleExpression": "rate(1 minute)",
            "Targets": targets,
        }
        leave = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "!Ref Function.Alias",
            "Principal": "events.amazonaws.com",
            "SourceArn": f"!GetAtt Runs{number}.Arn",
        }
        parts[f"Runs{number}"] = {"Type": "AWS::Events::Rule", "Condition": condition, "Properties": rule}
        parts[f"Runs{number}MayStart"] = {
            "Type": "AWS::Lambda::Permission",
            "Condition": condition,
            "Properties": leave,
        }
    return parts
