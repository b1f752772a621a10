"""Settings that are kept in AWS: `KEY_ARN` names a secret of Secrets Manager or a parameter of SSM.

`arn:aws:secretsmanager:…:secret:name-AbCdEf` is the whole secret; with `#field` at the end, one field of a secret that
is a JSON object. `arn:aws:ssm:…:parameter/name` is a parameter, decrypted if it is a SecureString. Permissions:
`secretsmanager:GetSecretValue` or `ssm:GetParameter`, and `kms:Decrypt` where a key of one's own encrypts it.
As for AWS's SDK, `AWS_ENDPOINT_URL_SECRETS_MANAGER`, `AWS_ENDPOINT_URL_SSM`, `AWS_ENDPOINT_URL` name other endpoints.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

from dojang.errors import ConfigError

if TYPE_CHECKING:
    from dojang.adapters.aws import Endpoint

__all__ = ["AwsSecrets"]

_ARN = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:(?P<service>secretsmanager|ssm):(?P<region>[a-z0-9-]+):[0-9]{12}:(?:secret:|parameter/)[^#\s]+)"
    r"(?:#(?P<field>.+))?"
)
_ASKS = {
    "secretsmanager": ("secretsmanager.GetSecretValue", "SECRETS_MANAGER"),
    "ssm": ("AmazonSSM.GetParameter", "SSM"),
}
"""Each service's operation, and what the variable with its endpoint ends with."""
_CONNECT_S = 2.0
_ANSWER_S = 4.0
_ATTEMPTS = 2
# Of the ten seconds that a starting Lambda function has, even where nobody answers and secrets are several.
_WITHIN_S = 8.0
_LATER = {"ThrottlingException", "Throttling", "TooManyUpdates", "RequestLimitExceeded"}


class AwsSecrets:
    """Reads secrets, each at most once; nothing is imported or asked before the first.

    Args:
        within_s: How long all of them together may take.
    """

    def __init__(self, within_s: float = _WITHIN_S) -> None:
        self._until = time.monotonic() + within_s
        self._read: dict[str, str] = {}
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

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
        for endpoint in self._endpoints.values():
            endpoint.close()
        self._endpoints.clear()
        self._read.clear()

    def _ask(self, key: str, service: str, region: str, arn: str) -> str:
        # Here rather than on top: most settings are in the environment, and nothing of AWS is read for those.
        from dojang.adapters.aws import NoKeys, Silent

        endpoint = self._endpoint(key, service, region)
        wanted = {"SecretId": arn} if service == "secretsmanager" else {"Name": arn, "WithDecryption": True}
        asked = json.dumps(wanted).encode()
        said = ""
        for _ in range(_ATTEMPTS):
            left_s = self._until - time.monotonic()
            if left_s <= 0:
                said = said or "AWS cannot be asked for it (its time is over)."
                break
            try:
                answer = endpoint.post(
                    _ASKS[service][0], asked, min(_ANSWER_S, left_s), connect_s=min(_CONNECT_S, left_s)
                )
            except NoKeys as error:
                said = f"AWS cannot be asked for it: no credentials ({error})."
                break
            except Silent as error:
                said = f"AWS cannot be asked for it ({error})."
                continue
            fields = _object(answer.body)
            if answer.status == 200:
                return _value(key, fields)
            # The code alone: the message may name more of the account than a log should hold.
            code = str(fields.get("__type", "")).rpartition("#")[2] or f"HTTP {answer.status}"
            said = f"AWS does not give it ({code}); check the ARN and the role."
            if answer.status < 500 and code not in _LATER:
                break
        raise ConfigError(f"{key}_ARN: {said}")

    def _endpoint(self, key: str, service: str, region: str) -> Endpoint:
        from dojang.adapters.aws import Endpoint, sound, usual_address

        if (service, region) not in self._endpoints:
            url = os.environ.get(f"AWS_ENDPOINT_URL_{_ASKS[service][1]}") or os.environ.get(
                "AWS_ENDPOINT_URL"
            )
            if url and not sound(url):
                raise ConfigError(
                    f"{key}_ARN: AWS_ENDPOINT_URL must be a plain address such as https://vpce.example."
                )
            self._endpoints[service, region] = Endpoint(
                service, region, url or usual_address(service, region), version="1.1", wanted_by=f"{key}_ARN"
            )
        return self._endpoints[service, region]


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; empty where somebody else than AWS has answered."""
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _value(key: str, fields: dict[str, Any]) -> str:
    if "SecretBinary" in fields:
        raise ConfigError(f"{key}_ARN: the secret is binary; dojang reads text.")
    parameter = fields.get("Parameter")
    value = parameter.get("Value") if isinstance(parameter, dict) else fields.get("SecretString")
    if not isinstance(value, str):
        raise ConfigError(f"{key}_ARN: what answers there is not AWS.")
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
