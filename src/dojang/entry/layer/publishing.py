"""A finished layer becomes a version of a layer in somebody's AWS account."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from dojang.entry.layer.archive import Layer
from dojang.entry.layer.target import CannotBuild
from dojang.errors import ConfigError

__all__ = ["Published", "publish"]


@dataclass(frozen=True, slots=True)
class Published:
    """What AWS has made of it.

    Attributes:
        arn: Of this version, as functions name it.
        version: Its number.
        region: Where it is.
        endpoint: Whom we spoke to, where that was not AWS itself.
    """

    arn: str
    version: int
    region: str
    endpoint: str | None


def publish(layer: Layer, name: str, region: str | None = None) -> Published:
    """Publish a layer version. Repeating it makes another version with the same content, and harms nobody.

    Args:
        layer: The finished layer.
        name: Of the layer in the account.
        region: Where to; by default where the AWS tools are configured to.

    Raises:
        ConfigError: If boto3, credentials or the region are missing.
        CannotBuild: If AWS refuses, or cannot be reached.
    """
    try:
        import boto3  # type: ignore[import-untyped]  # it has no types
        from botocore.exceptions import (  # type: ignore[import-untyped]  # it has no types
            BotoCoreError,
            ClientError,
            InvalidRegionError,
            NoCredentialsError,
            NoRegionError,
            PartialCredentialsError,
            ProfileNotFound,
        )
    except ImportError:
        raise ConfigError("--publish needs one more part: pip install 'dojang[aws]'.") from None
    try:
        try:
            client = boto3.Session(region_name=region).client("lambda")
        except InvalidRegionError:
            raise ConfigError(
                "--publish needs a region such as ap-northeast-2 (올바른 리전이 아닙니다)."
            ) from None
        except ValueError as error:
            raise ConfigError(f"AWS_ENDPOINT_URL: {error} (올바른 주소가 아닙니다).") from None
        answer = client.publish_layer_version(
            LayerName=name,
            Description=f"dojang {layer.version}: payment verification for Bootpay",
            Content={"ZipFile": layer.content},
            CompatibleRuntimes=[layer.target.runtime],
            CompatibleArchitectures=[str(layer.target.arch)],
            LicenseInfo="Apache-2.0",
        )
    except NoRegionError:
        raise ConfigError(
            "--publish needs a region: --region ap-northeast-2, or AWS_REGION (리전을 지정해 주세요)."
        ) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise ConfigError(
            "--publish found no AWS credentials: run `aws configure`, or set AWS_PROFILE (AWS 자격 증명이 없습니다)."
        ) from None
    except ProfileNotFound as error:
        raise ConfigError(f"AWS_PROFILE: {error}.") from None
    except ClientError as error:
        told = error.response.get("Error", {})
        raise CannotBuild(
            f"AWS refuses to publish the layer (AWS가 거절했습니다): {told.get('Code', '')}: {told.get('Message', '')}"
        ) from None
    except BotoCoreError as error:
        raise CannotBuild(
            f"AWS cannot be reached (AWS에 연결할 수 없습니다): {type(error).__name__}."
        ) from None
    ours = base64.b64encode(hashlib.sha256(layer.content).digest()).decode()
    if answer.get("Content", {}).get("CodeSha256") != ours:
        raise CannotBuild(
            f"{answer['LayerVersionArn']} is not what was sent: its checksum differs. Do not use it; publish again."
        )
    endpoint = str(client.meta.endpoint_url)
    usual = ".amazonaws.com" in endpoint
    return Published(
        str(answer["LayerVersionArn"]),
        int(answer["Version"]),
        str(client.meta.region_name),
        None if usual else endpoint,
    )
