"""What the application promises, read off the template."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from dojang.adapters.arn import read_arn
from dojang.adapters.dynamodb.items import claim_key, delivery_key, events_key, order_key
from dojang.adapters.dynamodb.schema import RUNNING_ACTIONS, definition
from dojang.core.order import ReceiptId
from dojang.entry.layer import Arch, Target
from dojang.entry.settings import KEYS, dynamodb_address
from dojang.entry.template import application
from dojang.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Template

NOTHING = {"Ref": "AWS::NoValue"}


def _properties(template: Template, name: str) -> Any:
    return template["Resources"][name]["Properties"]


def _of_kind(template: Template, kind: str) -> dict[str, Any]:
    return {name: part for name, part in template["Resources"].items() if part["Type"] == kind}


def _named(template: Template, value: object) -> set[str]:
    """The parameters that a value is made of, those behind its conditions included."""
    text = json.dumps(value)
    names = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    for condition in re.findall(r'"Fn::If": \["(\w+)"', text) + re.findall(r'"Condition": "(\w+)"', text):
        names |= _named(template, template["Conditions"][condition])
    return names & set(template["Parameters"])


def test_the_table_is_the_one_the_store_makes(template: Template) -> None:
    """Keys, indexes, stream, billing and protection are those of `dojang migrate`."""
    table = _properties(template, "Orders")
    made = definition("")
    del made["TableName"]
    made["StreamSpecification"] = {"StreamViewType": "NEW_AND_OLD_IMAGES"}

    assert made == {name: part for name, part in table.items() if name in made}
    assert {"PointInTimeRecoverySpecification"} == set(table) - set(made)


def test_no_order_is_lost_with_the_stack(template: Template) -> None:
    """Kept when the stack is deleted, protected against deletion, recoverable to any second."""
    table = template["Resources"]["Orders"]

    assert ("Retain", "Retain") == (table["DeletionPolicy"], table["UpdateReplacePolicy"])
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert "PAY_PER_REQUEST" == table["Properties"]["BillingMode"]


def test_the_function_is_the_layers_handler(template: Template) -> None:
    """Handler, layer, processor and log are what the issue of the day needs; the zip is the one the command writes."""
    function, layer = _properties(template, "Function"), _properties(template, "Layer")

    assert "dojang.entry.aws.handler" == function["Handler"]
    assert [{"Ref": "Layer"}] == function["Layers"]
    assert ("python3.13", ["arm64"]) == (function["Runtime"], function["Architectures"])
    assert Target("3.13", Arch.ARM64).file_name == layer["ContentUri"]
    assert (["python3.13"], ["arm64"]) == (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"])
    assert "JSON" == function["LoggingConfig"]["LogFormat"]
    assert "INFO" == function["LoggingConfig"]["ApplicationLogLevel"]
    assert {"Ref": "Log"} == function["LoggingConfig"]["LogGroup"]
    assert {"Ref": "LogRetentionDays"} == _properties(template, "Log")["RetentionInDays"]


def test_the_log_outlives_the_stack(template: Template) -> None:
    """What happened to somebody's money may be asked after the stack is gone."""
    log = template["Resources"]["Log"]

    assert ("Retain", "Retain") == (log["DeletionPolicy"], log["UpdateReplacePolicy"])


def test_the_function_has_the_memory_that_it_is_reckoned_with(template: Template) -> None:
    """docs/scale.md supposes 512 MB; the processor's share shrinks with them, so far less cannot be chosen."""
    memory = template["Parameters"]["MemorySize"]

    assert {"Ref": "MemorySize"} == _properties(template, "Function")["MemorySize"]
    assert (256, 512) == (memory["MinValue"], memory["Default"])


def test_the_function_ends_before_the_api_gives_up(template: Template) -> None:
    """Whoever waits at the API gets the function's own answer; docs/scale.md reckons with all the time there is."""
    function = _properties(template, "Function")
    patience_s = function["Events"]["Http"]["Properties"]["TimeoutInMillis"] / 1000

    assert 29 == function["Timeout"] < patience_s


def test_every_variable_is_a_setting(template: Template) -> None:
    """No variable that nobody reads; no secret's value in any of them."""
    variables = _properties(template, "Function")["Environment"]["Variables"]

    assert {name.removesuffix("_ARN") for name in variables} <= set(KEYS)
    for name in ("BOOTPAY_SECRET_KEY", "BOOTPAY_PRIVATE_KEY", "DOJANG_API_KEYS", "DOJANG_DELIVER_SECRET"):
        assert name not in variables
        assert f"SecretArn}}#{name}" in json.dumps(variables[f"{name}_ARN"])


def test_what_is_not_chosen_is_not_set(template: Template) -> None:
    """An optional setting is left out as a whole: an empty reference would be asked for in vain."""
    variables = _properties(template, "Function")["Environment"]["Variables"]
    optional = {name: value["Fn::If"] for name, value in variables.items() if "Fn::If" in value}

    assert [NOTHING] * len(optional) == [branches[2] for branches in optional.values()]
    assert {"DOJANG_DELIVER_TO", "DOJANG_APPROVE_AT", "DOJANG_DELIVER_SECRET_ARN"} <= set(optional)
    assert {"BOOTPAY_CLIENT_KEY_ARN", "BOOTPAY_APPLICATION_ID_ARN"} <= set(optional)


def test_the_store_is_the_table(template: Template) -> None:
    """Filled in, DOJANG_STORE is an address that the settings take."""
    store = _properties(template, "Function")["Environment"]["Variables"]["DOJANG_STORE"]["Fn::Sub"]
    filled = store.replace("${Orders}", "dojang-Orders-1ABC").replace("${Shards}", "8")
    address = dynamodb_address(filled.replace("${AWS::Region}", "ap-northeast-2"))

    assert ("dojang-Orders-1ABC", {"region": "ap-northeast-2", "shards": "8"}) == address


def test_the_api_passes_everything_on(template: Template) -> None:
    """One route for all; preflights are the function's, or it could not say which routes are open."""
    event = _properties(template, "Function")["Events"]["Http"]["Properties"]

    assert ("/{proxy+}", "ANY", "2.0") == (event["Path"], event["Method"], event["PayloadFormatVersion"])
    assert "CorsConfiguration" not in _properties(template, "Api")


def test_nobody_runs_up_a_bill(template: Template) -> None:
    """The API lets through what was chosen, at once as well as for good; AWS's own limit of a burst is thousands."""
    chosen = {"Ref": "RequestsPerSecond"}
    limits = {"ThrottlingRateLimit": chosen, "ThrottlingBurstLimit": chosen}

    assert limits == _properties(template, "Api")["DefaultRouteSettings"]


def test_the_stream_delivers_and_never_stops_at_one_record(template: Template) -> None:
    """Halved, tried again a few times, put aside; from the first record on, and without waiting for more."""
    event = _properties(template, "Function")["Events"]["Owed"]
    stream = event["Properties"]

    assert "DynamoDB" == event["Type"]
    assert {"Fn::GetAtt": ["Orders", "StreamArn"]} == stream["Stream"]
    assert "TRIM_HORIZON" == stream["StartingPosition"]
    assert 0 == stream["MaximumBatchingWindowInSeconds"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert 0 < stream["MaximumRetryAttempts"] <= 10
    assert 0 < stream["MaximumRecordAgeInSeconds"] <= 86_400
    assert ["ReportBatchItemFailures"] == stream["FunctionResponseTypes"]
    assert {"Fn::GetAtt": ["Failed", "Arn"]} == stream["DestinationConfig"]["OnFailure"]["Destination"]


@pytest.mark.parametrize(
    ("key", "change", "wakes"),
    [
        (delivery_key("o-1", "d-1"), "INSERT", True),
        (delivery_key("o-1", "d-1"), "MODIFY", False),
        (order_key("o-1"), "INSERT", False),
        (events_key("o-1", 2), "INSERT", False),
        (claim_key(ReceiptId("6561a5e0c0ffee0123456789")), "INSERT", False),
    ],
)
def test_only_what_is_newly_owed_wakes_the_function(
    template: Template, key: Any, change: str, wakes: bool
) -> None:
    """Each payment changes several items; the function is called for those that it has something to do about."""
    (chosen,) = _properties(template, "Function")["Events"]["Owed"]["Properties"]["FilterCriteria"]["Filters"]
    pattern = json.loads(chosen["Pattern"])
    (prefix,) = pattern["dynamodb"]["Keys"]["sk"]["S"]
    passes = change in pattern["eventName"] and key["sk"].s.startswith(prefix["prefix"])

    assert wakes == passes
    assert {"prefix"} == set(prefix)


def test_the_schedule_looks_after_what_is_due_every_minute(template: Template) -> None:
    """A minute later it comes again by itself, so nothing is repeated in between; what fails is kept."""
    function = _properties(template, "Function")
    event = function["Events"]["EveryMinute"]

    assert ("Schedule", "rate(1 minute)") == (event["Type"], event["Properties"]["Schedule"])
    for tries in (function["EventInvokeConfig"], event["Properties"]["RetryPolicy"]):
        assert (0, 60) == (tries["MaximumRetryAttempts"], tries["MaximumEventAgeInSeconds"])
    assert {"Fn::GetAtt": ["Failed", "Arn"]} == (
        function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
    )
    assert "AWS::SQS::Queue" == template["Resources"]["Failed"]["Type"]


def _rules(template: Template, runs: int) -> dict[str, list[Any]]:
    """The targets of each rule that is there with so many runs a minute, by the rule's name."""
    given = {"RunsPerMinute": runs}
    return {
        name: part["Properties"]["Targets"]
        for name, part in _of_kind(template, "AWS::Events::Rule").items()
        if _resolved(template, {"Condition": part["Condition"]}, given)
    }


@pytest.mark.parametrize("runs", [1, 5, 10, 25])
def test_the_schedule_starts_as_many_functions_as_were_chosen(template: Template, runs: int) -> None:
    """The function's own event is the first; EventBridge takes five targets of a rule, each under its own name."""
    rules = _rules(template, runs)
    targets = [target for targets in rules.values() for target in targets]

    assert runs == 1 + len(targets)
    assert all(len(targets) == len({target["Id"] for target in targets}) <= 5 for targets in rules.values())
    assert all({"Ref": "Function.Alias"} == target["Arn"] for target in targets)


def test_the_choices_of_runs_are_those_that_there_are_rules_for(template: Template) -> None:
    """One by default, which is free of further rules; as many as the choices name, and no more."""
    parameter = template["Parameters"]["RunsPerMinute"]

    assert (1, [1, 5, 10, 25]) == (parameter["Default"], parameter["AllowedValues"])
    assert set(_rules(template, 25)) == set(_of_kind(template, "AWS::Events::Rule"))


def test_more_runs_of_the_schedule_are_as_the_first(template: Template) -> None:
    """Every minute, tried once, and allowed to start the function by their rule alone."""
    permissions = {
        part["Properties"]["SourceArn"]["Fn::GetAtt"][0]: part
        for part in _of_kind(template, "AWS::Lambda::Permission").values()
    }
    rules = _of_kind(template, "AWS::Events::Rule")

    assert set(rules) == set(permissions)
    for name, rule in rules.items():
        leave = permissions[name]
        tries = [target["RetryPolicy"] for target in rule["Properties"]["Targets"]]

        assert "rate(1 minute)" == rule["Properties"]["ScheduleExpression"]
        assert [{"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}] * len(tries) == tries
        assert rule["Condition"] == leave["Condition"]
        assert ({"Ref": "Function.Alias"}, "lambda:InvokeFunction", "events.amazonaws.com") == (
            leave["Properties"]["FunctionName"],
            leave["Properties"]["Action"],
            leave["Properties"]["Principal"],
        )


def test_the_stream_may_be_read_by_several_functions(template: Template) -> None:
    """One for each part of the stream by default, at most the ten that Lambda allows."""
    stream = _properties(template, "Function")["Events"]["Owed"]["Properties"]
    parameter = template["Parameters"]["ParallelizationFactor"]

    assert {"Ref": "ParallelizationFactor"} == stream["ParallelizationFactor"]
    assert (1, 1, 10) == (parameter["Default"], parameter["MinValue"], parameter["MaxValue"])


def test_every_parameter_is_shown_in_a_group(template: Template) -> None:
    """The console shows what no group names at the end, without a heading."""
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]

    assert sorted(template["Parameters"]) == sorted(shown)


def test_what_failed_is_kept_for_two_weeks_and_encrypted(template: Template) -> None:
    """It waits for a person; and an event names orders."""
    queue = _properties(template, "Failed")

    assert (14 * 24 * 3600, True) == (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"])


def test_the_role_may_do_what_the_store_asks_and_nothing_else(template: Template) -> None:
    """Every action on DynamoDB's items is one of the store's; there is no Scan, no DeleteItem and no wildcard."""
    role = _properties(template, "Role")
    always, *chosen = role["Policies"]
    statements = always["PolicyDocument"]["Statement"]
    on_items = {
        tuple(statement["Action"])
        for statement in statements
        if statement["Sid"] in ("KeepOrders", "FindWhatIsDue")
    }
    actions = {action for statement in statements for action in statement["Action"]}

    assert {RUNNING_ACTIONS["table"], RUNNING_ACTIONS["index"]} == on_items
    assert {
        *RUNNING_ACTIONS["table"],
        *RUNNING_ACTIONS["index"],
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
    } == actions
    assert [] == [action for action in actions if "*" in action or action.endswith((":Scan", ":DeleteItem"))]
    assert "*" not in [statement["Resource"] for statement in statements]
    assert [("OwnKey", NOTHING), ("ToQueue", NOTHING), ("ToBus", NOTHING), ("InNetwork", NOTHING)] == [
        (part["Fn::If"][0], part["Fn::If"][2]) for part in chosen
    ]
    assert "ManagedPolicyArns" not in role


def _chosen(template: Template, condition: str) -> dict[str, Any]:
    """The one statement of the role that hangs on a condition."""
    (policy,) = (
        part["Fn::If"][1]
        for part in _properties(template, "Role")["Policies"]
        if part.get("Fn::If", [""])[0] == condition
    )
    (statement,) = policy["PolicyDocument"]["Statement"]
    return dict(statement)


def _resolved(template: Template, value: Any, given: Mapping[str, object]) -> Any:
    """What CloudFormation makes of a part of the template, with these values for parameters."""
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": str(name)}:
            return given.get(name, template["Parameters"].get(name, {}).get("Default", f"<{name}>"))
        case {"Fn::Sub": str(text)}:
            return re.sub(
                r"\$\{(\w+)\}", lambda name: str(_resolved(template, {"Ref": name[1]}, given)), text
            )
        case {"Condition": str(name)}:
            return _resolved(template, template["Conditions"][name], given)
        case {"Fn::If": [condition, then, otherwise]}:
            chosen = _resolved(template, {"Condition": condition}, given)
            return _resolved(template, then if chosen else otherwise, given)
        case {"Fn::Select": [int(at), list_]}:
            return _resolved(template, list_, given)[at]
        case {"Fn::Split": [str(mark), text]}:
            return _resolved(template, text, given).split(mark)
        case {"Fn::Join": [str(between), words]}:
            return between.join(str(word) for word in _resolved(template, words, given))
        case {"Fn::Equals": [one, other]}:
            return _resolved(template, one, given) == _resolved(template, other, given)
        case {"Fn::Not": [part]}:
            return not _resolved(template, part, given)
        case {"Fn::And": parts}:
            return all(_resolved(template, part, given) for part in parts)
        case {"Fn::Or": parts}:
            return any(_resolved(template, part, given) for part in parts)
        case dict():
            return {name: _resolved(template, part, given) for name, part in value.items()}
        case list():
            return [_resolved(template, part, given) for part in value]
        case _:
            return value


QUEUE = "arn:aws:sqs:ap-northeast-2:111122223333:shop-orders.fifo"
BUS = "arn:aws-cn:events:cn-north-1:111122223333:event-bus/shop/orders"


@pytest.mark.parametrize(
    ("deliver_to", "approve_at", "allowed", "signs"),
    [
        ("", "", [], False),
        ("", "https://shop.example/a", [], True),
        ("https://shop.example:8443/arn:aws:sqs:x", "", [], True),
        ("https://shop.example/a:sqs", "", [], True),
        (QUEUE, "", [("sqs:SendMessage", QUEUE)], False),
        (QUEUE, "https://shop.example/a", [("sqs:SendMessage", QUEUE)], True),
        (BUS, "", [("events:DescribeEventBus", BUS), ("events:PutEvents", BUS)], False),
    ],
)
def test_the_function_may_write_where_it_delivers_to_and_nowhere_else(
    template: Template, deliver_to: str, approve_at: str, allowed: list[tuple[str, str]], signs: bool
) -> None:
    """Exactly that queue or bus, if it is one; only what is posted needs the secret that signs it."""
    given = {"DeliverTo": deliver_to, "ApproveAt": approve_at, "SecretArn": "arn:aws:secretsmanager:x"}
    role = _resolved(template, _properties(template, "Role"), given)
    more = [policy for policy in role["Policies"][1:] if policy is not None]
    variables = _resolved(template, _properties(template, "Function")["Environment"]["Variables"], given)

    assert allowed == [
        (action, statement["Resource"])
        for policy in more
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    ]
    assert (deliver_to or None, approve_at or None, signs) == (
        variables["DOJANG_DELIVER_TO"],
        variables["DOJANG_APPROVE_AT"],
        variables["DOJANG_DELIVER_SECRET_ARN"] is not None,
    )


def test_another_queue_is_another_version(template: Template) -> None:
    """Whichever part of its ARN differs; the old one would go on being told otherwise."""
    description = _properties(template, "Function")["VersionDescription"]
    secret = "arn:aws:secretsmanager:ap-northeast-2:111122223333:secret:dojang-AbCdEf"
    others = [
        QUEUE,
        QUEUE.replace("northeast-2", "northeast-1"),
        QUEUE.replace("1111", "2222"),
        QUEUE.replace(".fifo", ""),
        BUS,
        "https://shop.example/d",
        "",
    ]
    told = [
        _resolved(template, description, {"DeliverTo": other, "SecretArn": secret, "MemorySize": "512"})
        for other in others
    ]

    assert len(others) == len(set(told))
    assert "ap-northeast-2:111122223333:shop-orders.fifo" in told[0]


@pytest.mark.parametrize(
    "value", [QUEUE, BUS, QUEUE.removesuffix(".fifo"), "arn:aws:sqs:us-isof-south-1:111122223333:" + "q" * 38]
)
def test_what_the_parameter_takes_the_settings_take(template: Template, value: str) -> None:
    """The deployment and the start are of one mind."""
    assert re.fullmatch(template["Parameters"]["DeliverTo"]["AllowedPattern"], value)
    assert value == read_arn(value).arn
    assert not re.fullmatch(template["Parameters"]["ApproveAt"]["AllowedPattern"], value)


def test_a_function_in_a_network_may_enter_it(template: Template) -> None:
    """The six actions that Lambda's guide lists for a function in a VPC; nothing of it without a network.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    statement = _chosen(template, "InNetwork")

    assert [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ] == statement["Action"]
    assert "*" == statement["Resource"]


def test_a_key_of_ones_own_may_be_used_to_read_the_secret(template: Template) -> None:
    """That key alone, by its ARN, and for decryption alone; without such a key nothing."""
    statement = _chosen(template, "OwnKey")
    pattern = re.compile(template["Parameters"]["KmsKeyArn"]["AllowedPattern"])

    assert ("kms:Decrypt", {"Ref": "KmsKeyArn"}) == (statement["Action"], statement["Resource"])
    assert "" == template["Parameters"]["KmsKeyArn"]["Default"]
    assert pattern.fullmatch(
        "arn:aws:kms:ap-northeast-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    )
    assert not pattern.fullmatch("arn:aws:kms:ap-northeast-2:111122223333:alias/shop")


def test_a_warm_start_is_a_choice(template: Template) -> None:
    """SnapStart, provisioned concurrency, or neither, which is the default and free."""
    function, parameter = _properties(template, "Function"), template["Parameters"]["WarmStart"]

    assert ("none", ["none", "snapstart", "provisioned"]) == (
        parameter["Default"],
        parameter["AllowedValues"],
    )
    assert {"Fn::If": ["SnapStart", "PublishedVersions", "None"]} == function["SnapStart"]["ApplyOn"]
    assert "Provisioned" == function["ProvisionedConcurrencyConfig"]["Fn::If"][0]
    assert NOTHING == function["ProvisionedConcurrencyConfig"]["Fn::If"][2]
    assert "live" == function["AutoPublishAlias"]


def test_another_value_of_a_parameter_is_another_version(template: Template) -> None:
    """Events go to a published version, and SAM does not see parameters' values: the description must name them all.

    Not one that the function is not made of: Lambda publishes no version without a change.
    """
    function = dict(_properties(template, "Function"))
    description = function.pop("VersionDescription")
    beside = ("Events", "ProvisionedConcurrencyConfig")
    made_of = {name: part for name, part in function.items() if name not in beside}

    assert _named(template, made_of) == _named(template, description)
    assert function["AutoPublishAliasAllProperties"] is True
    assert _properties(template, "Layer")["PublishLambdaVersion"] is True


def _width(pattern: str) -> int:
    """How long a text may be that matches."""
    return int(re._parser.parse(pattern).getwidth()[1])  # type: ignore[attr-defined]  # not told to the public


def test_the_longest_description_of_a_version_fits(template: Template) -> None:
    """Lambda takes 256 characters; with all parameters at their longest there are no more."""
    parts = _properties(template, "Function")["VersionDescription"]["Fn::Join"][1]

    def longest(part: Any) -> int:
        if isinstance(part, str):
            return len(part)
        if "Fn::If" in part:
            return max(longest(branch) for branch in part["Fn::If"][1:])
        if "Fn::Join" in part:
            between, words = part["Fn::Join"]
            return sum(longest(word) for word in words) + len(between) * (len(words) - 1)
        (name,) = _named(template, part)
        parameter = template["Parameters"][name]
        if "AllowedValues" in parameter:
            return max(len(str(value)) for value in parameter["AllowedValues"])
        if "MaxValue" in parameter:
            return len(str(parameter["MaxValue"]))
        # Of an ARN only a part is named: the kinds of a parameter's value are between the bars of its pattern.
        kinds = parameter["AllowedPattern"].split("|")
        if "https://" in str(part):
            return max(_width(kind) for kind in kinds if kind.startswith("https://")) - len("https://")
        if "Fn::Select" in part:
            arns = [kind.split(":") for kind in kinds if kind.startswith("arn:")]
            return max(_width(arn[part["Fn::Select"][0]]) for arn in arns)
        return max(_width(kind) for kind in kinds if not kind.startswith("arn:"))

    assert 256 >= sum(longest(part) for part in parts) + len(parts) - 1


@pytest.mark.parametrize("address", [
    f"https://{'u' * 32}.lambda-url.ap-northeast-2.on.aws",
    f"https://{'a' * 10}.execute-api.ap-northeast-2.amazonaws.com/prod/webhooks/dojang",
])  # fmt: skip
@pytest.mark.parametrize("parameter", ["DeliverTo", "ApproveAt"])
def test_a_shop_that_is_a_function_itself_may_be_named(
    template: Template, parameter: str, address: str
) -> None:
    """Addresses that AWS makes by itself are long."""
    assert re.fullmatch(template["Parameters"][parameter]["AllowedPattern"], address)


def test_a_fixed_address_is_there_only_if_wanted(template: Template) -> None:
    """Network, NAT gateways and their addresses cost by the hour: each of them hangs on the parameter."""
    network = {
        name: part for name, part in template["Resources"].items() if part["Type"].startswith("AWS::EC2::")
    }
    addresses = {name: part["Condition"] for name, part in _of_kind(template, "AWS::EC2::EIP").items()}
    function = _properties(template, "Function")

    assert "none" == template["Parameters"]["FixedAddress"]["Default"]
    assert {"InNetwork", "TwoZones"} == {part.get("Condition") for part in network.values()}
    assert {"AddressA": "InNetwork", "AddressB": "TwoZones"} == addresses
    assert ("InNetwork", NOTHING) == (function["VpcConfig"]["Fn::If"][0], function["VpcConfig"]["Fn::If"][2])
    assert {"FirstAddress", "SecondAddress"} <= set(template["Outputs"])


def test_the_function_reaches_out_by_the_fixed_address_alone(template: Template) -> None:
    """Its subnets' way out is the NAT gateway of their zone, and nobody can come in."""
    routes = {
        part["Properties"]["RouteTableId"]["Ref"]: part["Properties"]
        for part in _of_kind(template, "AWS::EC2::Route").values()
    }
    inside = {
        part["Properties"]["SubnetId"]["Ref"]: part["Properties"]["RouteTableId"]["Ref"]
        for part in _of_kind(template, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    nats = _of_kind(template, "AWS::EC2::NatGateway")
    subnets = _named_resources(_properties(template, "Function")["VpcConfig"]) - {"Outwards"}

    assert {"InsideA", "InsideB"} == subnets
    for subnet in subnets:
        nat = routes[inside[subnet]]["NatGatewayId"]["Ref"]
        assert nats[nat]["Properties"]["AllocationId"]["Fn::GetAtt"][0].startswith("Address")
    assert "SecurityGroupIngress" not in _properties(template, "Outwards")


def test_the_way_to_the_table_is_free(template: Template) -> None:
    """A gateway endpoint costs nothing, an interface by the hour; without either the NAT gateway counts each byte."""
    endpoint = _properties(template, "StraightToDynamoDB")

    assert "Gateway" == endpoint["VpcEndpointType"]
    assert endpoint["ServiceName"]["Fn::Sub"].endswith(".dynamodb")
    assert {"InsideRoutesA", "InsideRoutesB"} == _named_resources(endpoint["RouteTableIds"])


def test_a_shop_on_any_port_hears(template: Template) -> None:
    """DeliverTo and ApproveAt may name a port, so the way out is open for each of them; to TCP alone."""
    (way_out,) = _properties(template, "Outwards")["SecurityGroupEgress"]
    address = "https://shop.example:8443/dojang"

    assert all(
        re.fullmatch(template["Parameters"][name]["AllowedPattern"], address)
        for name in ("DeliverTo", "ApproveAt")
    )
    assert ("tcp", 1, 65535) == (way_out["IpProtocol"], way_out["FromPort"], way_out["ToPort"])


def _named_resources(value: object) -> set[str]:
    return {name for name in re.findall(r'"Ref": "(\w+)"', json.dumps(value)) if name != "AWS"}


def test_the_reason_for_the_address_is_told() -> None:
    """Whoever reads the template learns what the network is for, and what it is not needed for."""
    text = application(Target("3.13", Arch.ARM64))["template.yaml"]

    assert re.search(r"# Bootpay lets a project name the addresses .*허용 IP", text)


def test_keys_are_only_named(template: Template) -> None:
    """The secret's ARN is asked for; no parameter holds a key."""
    assert "secretsmanager" in template["Parameters"]["SecretArn"]["AllowedPattern"]
    assert "Default" not in template["Parameters"]["SecretArn"]
    assert [] == [
        name for name in template["Parameters"] if re.search(r"Password|PrivateKey|SecretKey", name)
    ]


def test_the_example_of_the_secret_has_every_field(template: Template) -> None:
    """What the function asks the secret for is in the file that is copied, and empty there."""
    files = application(Target("3.13", Arch.ARM64))
    asked = set(re.findall(r"SecretArn\}#(\w+)", files["template.yaml"]))
    example = json.loads(files["secret.example.json"])

    assert asked == set(example)
    assert {""} == set(example.values())


@pytest.mark.parametrize("target", [Target("3.12", Arch.X86_64), Target("3.14", Arch.ARM64)], ids=str)
def test_every_mark_is_filled_in(target: Target) -> None:
    """No place and no word of the packaged files is left open, whatever the target."""
    files = application(target)
    mark = re.compile(r"\[\[[a-z_]+\]\]|^ *# \[\w+\]$", re.MULTILINE)

    assert [] == [path for path, text in files.items() if mark.search(text)]
    assert f"dojang layer build --python {target.python} --arch {target.arch}" in files["README.md"]


def test_snapstart_has_no_older_python() -> None:
    """A template for 3.11 would offer a choice that AWS refuses."""
    with pytest.raises(InvalidValue, match="SnapStart"):
        application(Target("3.11", Arch.ARM64))
