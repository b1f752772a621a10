"""A store in one Amazon DynamoDB table: for functions and servers that share their orders and run no database."""

from __future__ import annotations

from dojang.adapters.dynamodb.backend import DynamoDBBackend

__all__ = ["DynamoDBBackend"]
