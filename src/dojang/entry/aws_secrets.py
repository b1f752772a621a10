"""Settings that are kept in AWS: `KEY_ARN` names a secret of Secrets Manager or a parameter of SSM.

`arn:aws:secretsmanager:…:secret:name-AbCdEf` is the whole secret; with `#field` at the end, one field of a secret that
is a JSON object. `arn:aws:ssm:…:parameter/name` is a parameter, decrypted if it is a SecureString. Permissions:
`secretsmanager:GetSecretValue` or `ssm:GetParameter`, and `kms:Decrypt` where a key of one's own encrypts it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dojang.errors import ConfigError

__all__ = ["AwsSecrets"]

_ARN = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):[0-9]{12}:(?:secret:|parameter/)[^#\s]+)"
    r"(?:#(?P<field>.+))?"
)
_CONNECT_S = 2.0
_READ_S = 4.0
# Within the ten seconds that a starting Lambda function has, even where nobody answers.
_ATTEMPTS = 2


class AwsSecrets:
    """Reads secrets through AWS's SDK, each at most once; nothing is imported or asked before the first."""

    def __init__(self) -> None:
        self._read: dict[str, str] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    def text(self, key: str, reference: str) -> str:
        """The value that a reference stands for.

        Args:
            key: The setting, for the sentence of an error.
            reference: An ARN, perhaps with `#field`.

        Raises:
            ConfigError: If it is no such ARN, or AWS does not give the value.
        """
        named = _ARN.fullmatch(reference.strip())
        if named is None or (named["field"] and named["service"] == "ssm"):
            raise ConfigError(
                f"{key}_ARN must be the ARN of a Secrets Manager secret (with #field at the end: one field of a JSON "
                "secret) or of an SSM parameter."
            )
        if named["arn"] not in self._read:
            self._read[named["arn"]] = self._ask(key, named["service"], named["region"], named["arn"])
        return _field(key, self._read[named["arn"]], named["field"])

    def close(self) -> None:
        """Close the connections; what was read is forgotten."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._read.clear()

    def _ask(self, key: str, service: str, region: str, arn: str) -> str:
        try:
            from botocore.config import Config  # type: ignore[import-untyped]  # botocore has no types
            from botocore.exceptions import (  # type: ignore[import-untyped]  # botocore has no types
                BotoCoreError,
                ClientError,
            )
            from botocore.session import get_session  # type: ignore[import-untyped]  # botocore has no types
        except ImportError:
            raise ConfigError(f"{key}_ARN needs one more part: pip install 'dojang[aws]'.") from None
        try:
            client = self._clients.get((service, region))
            if client is None:
                config = Config(
                    connect_timeout=_CONNECT_S,
                    read_timeout=_READ_S,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                )
                client = get_session().create_client(service, region_name=region, config=config)
                self._clients[service, region] = client
            if service == "ssm":
                value = client.get_parameter(Name=arn, WithDecryption=True)["Parameter"]["Value"]
            else:
                value = client.get_secret_value(SecretId=arn).get("SecretString")
        except ClientError as error:
            # The code alone: the message may name more of the account than a log should hold.
            code = error.response.get("Error", {}).get("Code", "")
            raise ConfigError(
                f"{key}_ARN: AWS does not give it ({code}); check the ARN and the role."
            ) from None
        except BotoCoreError as error:
            raise ConfigError(f"{key}_ARN: AWS cannot be asked for it ({type(error).__name__}).") from None
        if not isinstance(value, str):
            raise ConfigError(f"{key}_ARN: the secret is binary; dojang reads text.")
        return value


def _field(key: str, value: str, field: str | None) -> str:
    if field is None:
        return value
    try:
        fields = json.loads(value)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise ConfigError(f"{key}_ARN names the field {field!r}, but the secret is no JSON object.")
    if not isinstance(fields.get(field), str):
        raise ConfigError(f"{key}_ARN: the secret has no text under {field!r}.")
    return str(fields[field])
