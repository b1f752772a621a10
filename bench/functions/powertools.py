"""The same, once per receipt: the idempotency of AWS Lambda Powertools, as its documentation shows it."""

import os

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
)
from official import handler as compare

_layer = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
_config = IdempotencyConfig(event_key_jmespath="powertools_json(body).receipt_id")


@idempotent(config=_config, persistence_store=_layer)
def handler(event, context):
    """Compare, or give the first answer again."""
    return compare(event, context)
