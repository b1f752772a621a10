"""Which ARNs lead somewhere, and where AWS's services are in each of its partitions."""

from __future__ import annotations

import pytest
from botocore.session import Session

from dojang.adapters.arn import Bus, Queue, read_arn
from dojang.adapters.aws import usual_address
from dojang.errors import InvalidValue

ACCOUNT = "111122223333"


@pytest.mark.parametrize(("name", "fifo"), [("orders", False), ("A-b_9", False), ("orders.fifo", True)])
@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "ap-northeast-2"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_a_queue_is_read(partition: str, region: str, name: str, fifo: bool) -> None:
    """In every partition; `.fifo` at the end is what makes it one that keeps the order."""
    arn = f"arn:{partition}:sqs:{region}:{ACCOUNT}:{name}"

    assert Queue(arn, region, ACCOUNT, name, fifo) == read_arn(arn)


@pytest.mark.parametrize("name", ["default", "shop.orders", "shop/orders_1-x"])
def test_a_bus_is_read(name: str) -> None:
    """By its whole name, which PutEvents takes as it is."""
    arn = f"arn:aws-iso-b:events:us-isob-east-1:{ACCOUNT}:event-bus/{name}"

    assert Bus(arn, "us-isob-east-1") == read_arn(arn)


@pytest.mark.parametrize(
    "text",
    [
        "arn:",
        f"arn:aws:sns:ap-northeast-2:{ACCOUNT}:orders",
        f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:",
        f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:{'q' * 81}",
        f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:{'q' * 76}.fifo",
        f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:orders.fifo.fifo",
        f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:orders/../x",
        f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:orders\n",
        f"arn:aws:sqs::{ACCOUNT}:orders",
        f"arn:aws:sqs:example.com/:{ACCOUNT}:orders",
        "arn:aws:sqs:ap-northeast-2:12345:orders",
        "arn:aws:sqs:ap-northeast-2:٠١٢٣٤٥٦٧٨٩٠١:orders",
        f"arn:gcp:sqs:ap-northeast-2:{ACCOUNT}:orders",
        f"arn:aws:events:ap-northeast-2:{ACCOUNT}:rule/orders",
        f"arn:aws:events:ap-northeast-2:{ACCOUNT}:event-bus/",
        f"arn:aws:events:ap-northeast-2:{ACCOUNT}:orders",
        f" arn:aws:sqs:ap-northeast-2:{ACCOUNT}:orders",
    ],
)
def test_what_names_neither_is_refused(text: str) -> None:
    """Nothing of it ever becomes part of an address."""
    with pytest.raises(InvalidValue, match=r"arn:aws:sqs:REGION:ACCOUNT:QUEUE"):
        read_arn(text)


@pytest.mark.parametrize("service", ["sqs", "events", "dynamodb"])
def test_a_service_is_where_botocore_looks_for_it(service: str) -> None:
    """In every region of every partition that botocore knows; signatures and certificates depend on it."""
    session = Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions(service, partition)
    ]
    ours = {region: usual_address(service, region) for region in regions}
    theirs = {}
    for region in regions:
        client = session.create_client(service, region, aws_access_key_id="x", aws_secret_access_key="x")
        theirs[region] = client.meta.endpoint_url

    assert {"cn-north-1", "us-gov-west-1", "us-iso-east-1"} <= set(regions)
    assert theirs == ours
