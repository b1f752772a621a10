"""Environment, `dojang.toml` and flags become one checked value. Nobody else reads the environment.

Flags win over the environment, the environment over `dojang.toml`. Every key may also be given as `KEY_FILE` (the
value is read from that file) or `KEY_ARN` (it is read from AWS Secrets Manager or SSM). What is missing or
contradictory stops the start with a sentence that says the way out.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from dojang.adapters.address import Place, place_of
from dojang.adapters.arn import Queue, read_arn
from dojang.adapters.destination import plain_url
from dojang.core.rules import LatePayment, Mode, OnMismatch, Rules
from dojang.core.values import Value, field
from dojang.entry.aws_secrets import AwsSecrets
from dojang.errors import ConfigError, InvalidValue

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KEYS", "Settings", "dynamodb_address", "is_arn", "is_loopback", "read_settings"]

E = TypeVar("E", Mode, OnMismatch, LatePayment)

BOOTPAY_URL = "https://api.bootpay.co.kr"
EMULATOR_URL = "http://127.0.0.1:8401"
EMULATOR_KEY = "emulator"
STORE = "sqlite:///dojang.sqlite3"
WEBHOOK_SOURCES = "223.130.82.0/24"
_MAKE_ONE = """python -c "import base64, os; print('whsec_' + base64.b64encode(os.urandom(24)).decode())\""""
_MAKE_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
# Whoever copies a command from the documents has these; a test keeps the list whole.
_PUBLISHED = {
    "change-me-to-something-long",
    "shop-key-for-trying-out",
    "a-long-random-key-of-the-shop",
    "whsec_dHJ5aW5nLW91dC1zaWduZWQtd2ViaG9va3M=",
}

_TOML = "dojang.toml"
_TOML_LINE = 'DOJANG_MODE = "emulator"'
_LOOPBACK = ("127.0.0.0/8", "::1/128")
# Compiled when first used: what a deployed function is told needs one of them.
_REGION = r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}"
_ANY_REGION = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ENDPOINT = rf"https?://(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?/?"

KEYS: Mapping[str, tuple[str, str]] = {
    "BOOTPAY_CLIENT_KEY": (
        "Client key of the project (Basic authentication), shared with the browser.",
        "프로젝트의 클라이언트 키(Basic 인증). 브라우저도 씁니다.",
    ),
    "BOOTPAY_SECRET_KEY": (
        "Secret key of the project (Basic authentication), for servers only.",
        "프로젝트의 시크릿 키(Basic 인증). 서버에서만 씁니다.",
    ),
    "BOOTPAY_APPLICATION_ID": (
        "REST application id (legacy token authentication; always used by v1).",
        "REST 애플리케이션 ID(예전 토큰 인증, v1은 항상 이것을 씁니다).",
    ),
    "BOOTPAY_PRIVATE_KEY": (
        "Private key that goes with the REST application id.",
        "REST 애플리케이션 ID와 짝인 프라이빗 키.",
    ),
    "BOOTPAY_API": (
        "Which generation of Bootpay's API to ask: v2 (default) or v1.",
        "물어볼 부트페이 API의 세대. v2(기본) 또는 v1.",
    ),
    "BOOTPAY_URL": (
        (
            f"Bootpay's address, without a path; https, or loopback. Default {BOOTPAY_URL}; "
            f"in mode emulator {EMULATOR_URL}."
        ),
        f"부트페이 주소, 경로 없이. https 또는 루프백만. 기본 {BOOTPAY_URL}, 에뮬레이터 모드에서는 {EMULATOR_URL}.",
    ),
    "DOJANG_MODE": (
        "live (default): sandbox receipts are refused; sandbox: real ones are; emulator: needs no account.",
        "live(기본)는 테스트 결제의, sandbox는 실결제의 영수증을 거절합니다. emulator는 계정이 없어도 됩니다.",
    ),
    "DOJANG_STORE": (
        (
            f"Where orders are kept: sqlite:///file (default {STORE}), postgresql://… or "
            "dynamodb://table?region=&endpoint=."
        ),
        (
            f"주문을 보관하는 곳. sqlite:///파일(기본 {STORE}), postgresql://… 또는 "
            "dynamodb://테이블?region=&endpoint=."
        ),
    ),
    "DOJANG_API_KEYS": (
        "Keys of the shop's own servers, separated by commas. None: the shop's routes answer 503.",
        "상점 서버가 쓰는 키, 쉼표로 구분. 없으면 상점용 경로는 503으로 답합니다.",
    ),
    "DOJANG_DELIVER_TO": (
        (
            "Address that is told what an order has become: https://…; http:// only for loopback and private "
            "addresses, and only with DOJANG_ALLOW_PRIVATE_DESTINATIONS (in mode emulator loopback needs no "
            "permission). Or the ARN of a queue of Amazon SQS (arn:aws:sqs:REGION:ACCOUNT:QUEUE) or of an event bus "
            "of Amazon EventBridge (arn:aws:events:REGION:ACCOUNT:event-bus/NAME)."
        ),
        (
            "주문의 결과를 알릴 주소. https://…. http://는 루프백과 사설 주소에만, "
            "그것도 DOJANG_ALLOW_PRIVATE_DESTINATIONS가 있을 때만(에뮬레이터 모드의 루프백은 허락이 필요 없습니다). "
            "또는 Amazon SQS 대기열의 ARN(arn:aws:sqs:REGION:ACCOUNT:QUEUE)이나 Amazon EventBridge 이벤트 버스의 "
            "ARN(arn:aws:events:REGION:ACCOUNT:event-bus/NAME)."
        ),
    ),
    "DOJANG_DELIVER_SECRET": (
        (
            "Signing secrets, whsec_ and the base64 of 24 to 64 random bytes (Standard Webhooks), newest first, "
            "separated by spaces. Not needed where "
            "DOJANG_DELIVER_TO is an ARN: a message in a queue or on a bus bears no signature."
        ),
        (
            "서명용 비밀: whsec_ 뒤에 무작위 24~64바이트의 base64(Standard Webhooks), 새것부터, 공백으로 구분. "
            "DOJANG_DELIVER_TO가 ARN이면 필요 없습니다"
            "(대기열과 이벤트 버스로 보내는 메시지에는 서명이 없습니다)."
        ),
    ),
    "DOJANG_APPROVE_AT": (
        "Address that is asked before money moves; signed like deliveries, same rules, no ARN.",
        "돈이 움직이기 전에 물어볼 주소. 전달과 같이 서명하고 같은 규칙을 따릅니다. ARN은 안 됩니다.",
    ),
    "DOJANG_ALLOW_PRIVATE_DESTINATIONS": (
        (
            "true: deliveries and questions may go to loopback and private addresses, and there over http:// too; "
            "never over http:// to public ones. Default false."
        ),
        (
            "true: 전달과 질문을 루프백과 사설 주소에도 보내고, 거기에는 http://로도 보냅니다. "
            "공인 주소에는 http://로 보내지 않습니다. 기본 false."
        ),
    ),
    "DOJANG_ON_MISMATCH": (
        "Money that must not be kept: cancel (default) sends it back, hold calls a person.",
        "받으면 안 되는 돈. cancel(기본)은 돌려보내고, hold는 담당자를 부릅니다.",
    ),
    "DOJANG_LATE_PAYMENT": (
        "Money after the order ran out: hold (default), accept or cancel.",
        "주문 기한이 지난 뒤 들어온 돈. hold(기본), accept 또는 cancel.",
    ),
    "DOJANG_WEBHOOK_SOURCES": (
        f"Networks Bootpay sends from; advice only. Default {WEBHOOK_SOURCES}.",
        f"부트페이가 보내는 네트워크. 참고일 뿐입니다. 기본 {WEBHOOK_SOURCES}.",
    ),
    "DOJANG_TRUSTED_PROXIES": (
        "Networks of our own proxies, whose X-Forwarded-For is believed. Default none.",
        "X-Forwarded-For를 믿을 수 있는 우리 프록시의 네트워크. 기본 없음.",
    ),
    "DOJANG_CONSOLE_PASSWORD": (
        "Reserved for the console; not used by this version.",
        "콘솔을 위해 남겨 둔 것. 이 버전에서는 쓰지 않습니다.",
    ),
}
"""Every key and what it is for, in English and Korean, in the order of the reference."""

_MISNAMED = {
    "BOOTPAY_REST_APP_ID": "BOOTPAY_APPLICATION_ID",
    "BOOTPAY_REST_APPLICATION_ID": "BOOTPAY_APPLICATION_ID",
    "BOOTPAY_APP_ID": "BOOTPAY_APPLICATION_ID",
    "BOOTPAY_REST_API_KEY": "BOOTPAY_CLIENT_KEY",
    "BOOTPAY_API_KEY": "BOOTPAY_CLIENT_KEY",
    "BOOTPAY_PRIVATEKEY": "BOOTPAY_PRIVATE_KEY",
    "BOOTPAY_SECRET": "BOOTPAY_SECRET_KEY",
    "BOOTPAY_API_SECRET": "BOOTPAY_SECRET_KEY",
    "DOJANG_DATABASE_URL": "DOJANG_STORE",
    "DOJANG_API_KEY": "DOJANG_API_KEYS",
    "DOJANG_DELIVER_SECRETS": "DOJANG_DELIVER_SECRET",
}


class Settings(Value):
    """What the outside chose, checked. Secrets are left out of `repr`."""

    mode: Mode
    bootpay_url: str
    bootpay_api: str = "v2"
    client_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    application_id: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    store: str = field(default=STORE, repr=False)
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    deliver_to: str | None = None
    deliver_endpoint: str | None = None
    deliver_secrets: tuple[str, ...] = field(default=(), repr=False)
    approve_at: str | None = None
    allow_private_destinations: bool = False
    rules: Rules = field(default_factory=Rules)
    webhook_sources: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()


def read_settings(
    flags: Mapping[str, str | None] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    toml: Path | None = None,
    bootpay: bool = True,
    secrets: AwsSecrets | None = None,
) -> Settings:
    """Read and check all settings.

    Args:
        flags: Keys given on the command line; None values are not given.
        environment: `os.environ` unless a test brings its own.
        toml: `dojang.toml` in the working directory unless named; a named file must exist.
        bootpay: Whether Bootpay's keys must be there; False for what only reads or mends the store.
        secrets: Who reads what is kept in AWS, and is closed then; one who takes its time unless given.

    Raises:
        ConfigError: With a sentence that names the key and the way out.
    """
    environment = os.environ if environment is None else environment
    with closing(secrets or AwsSecrets()) as secrets:
        file = _TOML if toml is None else str(toml)
        found = _Found(flags or {}, environment, _toml(file, named=toml is not None), secrets, file)
        return _checked(found, bootpay=bootpay)


def secrets_elsewhere(environment: Mapping[str, str]) -> bool:
    """Whether a setting is kept in AWS: such a one takes time to read, and may change."""
    return any(f"{key}_ARN" in environment for key in KEYS)


def _checked(found: _Found, *, bootpay: bool) -> Settings:
    mode = found.choice("DOJANG_MODE", Mode, Mode.LIVE)
    url = found.text("BOOTPAY_URL") or (EMULATOR_URL if mode is Mode.EMULATOR else BOOTPAY_URL)
    _check_bootpay_url(url, mode)
    api = found.text("BOOTPAY_API") or "v2"
    if api not in ("v1", "v2"):
        raise ConfigError(f"BOOTPAY_API must be v2 or v1, not {api!r} (v2 또는 v1이어야 합니다).")
    client_key, secret_key = found.pair("BOOTPAY_CLIENT_KEY", "BOOTPAY_SECRET_KEY")
    application_id, private_key = found.pair("BOOTPAY_APPLICATION_ID", "BOOTPAY_PRIVATE_KEY")
    if mode is Mode.EMULATOR:
        # Nothing real is reached, so nothing real is needed.
        if not client_key and not application_id:
            client_key = secret_key = EMULATOR_KEY
        if not application_id:
            application_id = private_key = EMULATOR_KEY
    elif bootpay and api == "v1" and not application_id:
        raise ConfigError(
            "BOOTPAY_API=v1 needs BOOTPAY_APPLICATION_ID and BOOTPAY_PRIVATE_KEY: "
            "copy the REST application id and the private key from Bootpay's admin "
            "(부트페이 관리자의 REST Application ID와 Private Key를 설정해 주세요)."
        )
    elif bootpay and not client_key and not application_id:
        raise ConfigError(
            "No Bootpay keys: set BOOTPAY_CLIENT_KEY and BOOTPAY_SECRET_KEY (recommended) or "
            "BOOTPAY_APPLICATION_ID and BOOTPAY_PRIVATE_KEY, or try without an account: DOJANG_MODE=emulator "
            "(부트페이 키가 없습니다. 키를 설정하거나 DOJANG_MODE=emulator로 계정 없이 시험해 보세요)."
        )
    deliver_to = found.text("DOJANG_DELIVER_TO")
    approve_at = found.text("DOJANG_APPROVE_AT")
    secrets = found.list("DOJANG_DELIVER_SECRET")
    posted_to = deliver_to and not is_arn(deliver_to)
    if (posted_to or approve_at) and not secrets:
        raise ConfigError(
            "DOJANG_DELIVER_TO and DOJANG_APPROVE_AT need DOJANG_DELIVER_SECRET: without a signature the shop could "
            f"not tell dojang from anybody else. Make one: {_MAKE_ONE} "
            "(서명할 키가 없습니다. 위 명령으로 만들어 DOJANG_DELIVER_SECRET에 설정해 주세요)"
        )
    _check_secrets(secrets, mode)
    allow_private = found.flag("DOJANG_ALLOW_PRIVATE_DESTINATIONS")
    for key, destination in (("DOJANG_DELIVER_TO", deliver_to), ("DOJANG_APPROVE_AT", approve_at)):
        _check_destination(key, destination, mode, allow_private=allow_private)
    return Settings(
        mode=mode,
        bootpay_url=url.rstrip("/"),
        bootpay_api=api,
        client_key=client_key,
        secret_key=secret_key,
        application_id=application_id,
        private_key=private_key,
        store=_check_store(found.text("DOJANG_STORE") or STORE),
        api_keys=_check_api_keys(found.list("DOJANG_API_KEYS"), mode),
        deliver_to=deliver_to,
        deliver_endpoint=found.endpoint(deliver_to),
        deliver_secrets=secrets,
        approve_at=approve_at,
        allow_private_destinations=allow_private,
        rules=Rules(
            mode=mode,
            on_mismatch=found.choice("DOJANG_ON_MISMATCH", OnMismatch, OnMismatch.CANCEL),
            late_payment=found.choice("DOJANG_LATE_PAYMENT", LatePayment, LatePayment.HOLD),
        ),
        # In mode emulator it is our own machine that plays Bootpay.
        webhook_sources=found.networks("DOJANG_WEBHOOK_SOURCES", WEBHOOK_SOURCES)
        + (_LOOPBACK if mode is Mode.EMULATOR else ()),
        trusted_proxies=found.networks("DOJANG_TRUSTED_PROXIES", ""),
    )


class _Found:
    """Where a key's value comes from: flag, environment, toml, or what one of the latter two names."""

    def __init__(
        self,
        flags: Mapping[str, str | None],
        environment: Mapping[str, str],
        toml: Mapping[str, object],
        secrets: AwsSecrets,
        file: str,
    ) -> None:
        for source, where in ((environment, ""), (toml, f"{file}: ")):
            for wrong, right in _MISNAMED.items():
                if source.get(wrong) and not source.get(right) and not flags.get(right):
                    raise _unknown(f"{where}{wrong}", right)
        for key in toml:
            if not {key, key.removesuffix("_FILE"), key.removesuffix("_ARN")} & KEYS.keys():
                # Nobody else writes there: what is only a little like one of ours was meant to be it.
                meant = _meant(key.upper(), cutoff=0.8)
                if meant:
                    raise _unknown(f"{file}: {key}", meant)
                if isinstance(toml[key], dict):
                    raise ConfigError(
                        f"{file}: {key} is not a setting of dojang, whose settings stand under no heading. Leave the "
                        f"heading [{key}] out and write each name in full: {_TOML_LINE} "
                        f"(제목 [{key}] 없이 이름 전체를 써 주세요)."
                    )
                raise ConfigError(f"{file}: {key} is not a setting of dojang (알 수 없는 설정입니다).")
        for key in environment:
            _check_spelling(key)
        self._flags = flags
        self._environment = environment
        self._toml = toml
        self._secrets = secrets
        self._file = file

    def text(self, key: str) -> str | None:
        flag = self._flags.get(key)
        if flag is not None:
            return flag.strip() or None
        for source in (self._environment, self._toml):
            value, file = source.get(key), source.get(f"{key}_FILE")
            arn = source.get(f"{key}_ARN")
            given = [
                name for name, is_set in ((key, value), (f"{key}_FILE", file), (f"{key}_ARN", arn)) if is_set
            ]
            if len(given) > 1:
                raise ConfigError(
                    f"{given[0]} and {given[1]} are both set: keep one of them (하나만 남겨 주세요)."
                )
            if arn:
                return self._secrets.text(key, str(arn)).strip() or None
            if file:
                try:
                    return _text_of(str(file)).strip() or None
                except (OSError, UnicodeDecodeError) as error:
                    raise ConfigError(
                        f"{key}_FILE: {file} cannot be read ({type(error).__name__})."
                    ) from None
            if value is not None:
                if isinstance(value, dict):
                    raise ConfigError(f"{self._file}: {key} must be text, not a table.")
                if isinstance(value, list):
                    return ",".join(str(part) for part in value) or None
                if isinstance(value, bool):
                    return "true" if value else "false"
                return str(value).strip() or None
        return None

    def choice(self, key: str, kind: type[E], default: E) -> E:
        value = self.text(key)
        try:
            return kind(value.lower()) if value else default
        except ValueError:
            known = ", ".join(kind)
            raise ConfigError(
                f"{key} must be one of {known}, not {value!r} ({known} 중 하나여야 합니다)."
            ) from None

    def flag(self, key: str) -> bool:
        value = (self.text(key) or "false").lower()
        if value not in ("true", "false", "1", "0", "yes", "no"):
            raise ConfigError(f"{key} must be true or false, not {value!r} (true 또는 false여야 합니다).")
        return value in ("true", "1", "yes")

    def list(self, key: str) -> tuple[str, ...]:
        return tuple(part for part in re.split(r"[\s,]+", self.text(key) or "") if part)

    def pair(self, first: str, second: str) -> tuple[str | None, str | None]:
        one, other = self.text(first), self.text(second)
        if bool(one) != bool(other):
            missing, there = (second, first) if one else (first, second)
            raise ConfigError(
                f"{there} is set but {missing} is not: Bootpay needs both ({missing}도 설정해 주세요)."
            )
        return one, other

    def networks(self, key: str, default: str) -> tuple[str, ...]:
        value = self.text(key)
        parts = tuple(part for part in re.split(r"[\s,]+", default if value is None else value) if part)
        for part in parts:
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                raise ConfigError(f"{key}: {part!r} is no network such as 10.0.0.0/8.") from None
        return parts

    def endpoint(self, deliver_to: str | None) -> str | None:
        """Where SQS or EventBridge is, if a variable that AWS's SDKs know too says so."""
        if deliver_to is None or not is_arn(deliver_to):
            return None
        service = "SQS" if isinstance(read_arn(deliver_to), Queue) else "EVENTBRIDGE"
        for key in (f"AWS_ENDPOINT_URL_{service}", "AWS_ENDPOINT_URL"):
            if url := self._environment.get(key):
                _check_endpoint(key, url, f"https://{service.lower()}.example.com")
                return url
        return None


def _text_of(file: Path | str) -> str:
    # `open` rather than `Path`: a function that starts cold waits for every module.
    with open(file, encoding="utf-8") as text:
        return text.read()


def _toml(file: str, *, named: bool) -> Mapping[str, object]:
    try:
        text = _text_of(file)
    except FileNotFoundError:
        if named:
            raise ConfigError(f"{file} does not exist (파일이 없습니다).") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from None
    # Where settings come from the environment alone, reading TOML need not be learnt.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{file} cannot be read: {error}. Text stands in quotes: {_TOML_LINE} (글자는 따옴표로 감싸 주세요)."
        ) from None


def is_loopback(host: str | None) -> bool:
    """Whether a host of a URL is this very machine."""
    if host is None:
        return False
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _literal(name)
    # To connect to "no address" is to connect to this machine.
    return address is not None and (address.is_loopback or address.is_unspecified)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a host of a URL is; None for a name, which says nothing before it is resolved."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            # Every resolver takes 127.1 and 2130706433 for addresses too.
            address = ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError, ValueError):
            return None
    return getattr(address, "ipv4_mapped", None) or address


def _unknown(key: str, meant: str) -> ConfigError:
    return ConfigError(
        f"{key} is not a setting of dojang: did you mean {meant}? "
        f"(알 수 없는 설정입니다. {meant}을(를) 쓰려던 것인가요?)"
    )


def _check_spelling(key: str) -> None:
    """A mistyped key would be believed and do nothing; one that is quite another's is none of our business."""
    plain = key.removesuffix("_FILE").removesuffix("_ARN")
    if plain in KEYS or not plain.startswith(("DOJANG_", "BOOTPAY_")):
        return
    meant = _meant(key, cutoff=0.93)
    if meant and plain not in _MISNAMED:
        raise _unknown(key, meant)


def _meant(key: str, *, cutoff: float) -> str | None:
    """The setting that a mistyped key is most like, read from a file or from AWS if the key is."""
    # Only an error waits for this import.
    from difflib import get_close_matches

    plain = key.removesuffix("_FILE").removesuffix("_ARN")
    close = get_close_matches(plain, KEYS, n=1, cutoff=cutoff)
    return close[0] + key.removeprefix(plain) if close else None


def _split(key: str, url: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError(
            f"{key} must be a plain address such as {example} ({example}처럼 주소만 적어 주세요)."
        ) from None
    return parts


def _check_bootpay_url(url: str, mode: Mode) -> None:
    parts = _split("BOOTPAY_URL", url, BOOTPAY_URL)
    loopback = is_loopback(parts.hostname)
    if parts.username or parts.query or parts.fragment or not parts.hostname:
        raise ConfigError(
            f"BOOTPAY_URL must be a plain address such as {BOOTPAY_URL} ({BOOTPAY_URL}처럼 주소만 적어 주세요)."
        )
    if parts.path not in ("", "/"):
        raise ConfigError(
            f"BOOTPAY_URL must not have a path, because dojang adds /v2 where it belongs: set it to "
            f"{parts.scheme}://{parts.netloc}. (경로는 빼 주세요. /v2는 dojang이 붙입니다.)"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ConfigError(
            "BOOTPAY_URL must begin with https:// (http:// only for loopback): keys would travel in the clear "
            "(https://여야 합니다. http://는 이 기기 안에서만 쓸 수 있습니다)."
        )
    if mode is Mode.LIVE and loopback:
        raise ConfigError(
            "BOOTPAY_URL points at this machine, but DOJANG_MODE is live: an emulator must never vouch for real "
            "orders. Set DOJANG_MODE=emulator for trying things out, or remove BOOTPAY_URL "
            "(실제 주문을 에뮬레이터에 물을 수 없습니다. DOJANG_MODE=emulator로 시험하거나 BOOTPAY_URL을 지워 주세요)."
        )
    if mode is Mode.EMULATOR and (parts.hostname or "").endswith(("bootpay.co.kr", "bootpay.ai")):
        raise ConfigError(
            "DOJANG_MODE is emulator, but BOOTPAY_URL is Bootpay's own: use DOJANG_MODE=sandbox or live "
            "(부트페이의 주소에는 DOJANG_MODE=sandbox나 live를 써 주세요)."
        )


def _check_destination(key: str, url: str | None, mode: Mode, *, allow_private: bool) -> None:
    """Refuse what could never be delivered to. What a name resolves to is judged at every delivery."""
    if url is None:
        return
    if is_arn(url):
        _check_arn(key, url)
        return
    try:
        parts = plain_url(url)
    except InvalidValue:
        raise ConfigError(
            f"{key} must be an address such as https://shop.example/dojang "
            "(https://shop.example/dojang과 같은 주소여야 합니다)."
        ) from None
    plain_http = parts.scheme != "https"
    match _place(parts.hostname or ""):
        case Place.NOBODYS:
            raise ConfigError(
                f"{key}: nobody's shop is at this address, and no permission covers it. Name the shop's own, such as "
                "https://shop.example/dojang (상점의 주소를 적어 주세요)."
            )
        case Place.PUBLIC if plain_http:
            raise ConfigError(
                f"{key}: http:// to a public address would show everybody on the way what is told. Use https:// "
                "(공개 주소에는 https://를 써 주세요)."
            )
        case Place.INNER | Place.LOOPBACK as place if not (
            allow_private or (mode is Mode.EMULATOR and place is Place.LOOPBACK)
        ):
            raise ConfigError(
                f"{key}: this is a private address. Set DOJANG_ALLOW_PRIVATE_DESTINATIONS=true if it is in your own "
                "network, or name a public one (사설 주소입니다. 상점의 내부망이면 "
                "DOJANG_ALLOW_PRIVATE_DESTINATIONS=true를 설정해 주세요)."
            )
        case None if plain_http and not (allow_private or mode is Mode.EMULATOR):
            raise ConfigError(
                f"{key}: http:// is for loopback and private addresses alone. Use https://, or set "
                "DOJANG_ALLOW_PRIVATE_DESTINATIONS=true if the address is in your own network "
                "(https://를 쓰거나, 내부망의 주소라면 DOJANG_ALLOW_PRIVATE_DESTINATIONS=true로 허락해 주세요)."
            )
        case _:
            pass


def _place(host: str) -> Place | None:
    """Whose a host of a URL is, as far as it says so itself; None for a name that is to be resolved."""
    address = _literal(host.removesuffix("."))
    if address is not None:
        return place_of(str(address))
    return Place.LOOPBACK if is_loopback(host) else None


def is_arn(destination: str) -> bool:
    """Whether a destination is in AWS, rather than an address that is posted to."""
    return destination.startswith("arn:")


def _check_arn(key: str, arn: str) -> None:
    if key != "DOJANG_DELIVER_TO":
        raise ConfigError(
            f"{key} must be an address such as https://shop.example/dojang: a queue or a bus gives no answer "
            "(대기열과 이벤트 버스는 답하지 않으므로 주소여야 합니다)."
        )
    try:
        read_arn(arn)
    except InvalidValue as error:
        raise ConfigError(f"{key}: {error}.") from None


def _check_unpublished(key: str, values: tuple[str, ...], mode: Mode, make_one: str) -> None:
    if mode is Mode.LIVE and not _PUBLISHED.isdisjoint(values):
        raise ConfigError(
            f"{key}: a value from dojang's documentation is known to everybody and is not for mode live. "
            f"Make one: {make_one} (문서에 공개된 값입니다. 위 명령으로 새로 만들어 주세요)"
        )


def _check_secrets(secrets: tuple[str, ...], mode: Mode) -> None:
    _check_unpublished("DOJANG_DELIVER_SECRET", secrets, mode, _MAKE_ONE)
    for secret in secrets:
        length = len(_base64_of(secret))
        # What Standard Webhooks asks for. Whoever tries things out may have another one.
        if not length or (mode is Mode.LIVE and not 24 <= length <= 64):
            raise ConfigError(
                "DOJANG_DELIVER_SECRET must be whsec_ followed by base64, in mode live that of 24 to 64 random bytes "
                f"(several: separated by spaces). Make one: {_MAKE_ONE} "
                "(형식이 맞지 않습니다. 위 명령으로 만들어 DOJANG_DELIVER_SECRET에 설정해 주세요)"
            )


def _base64_of(secret: str) -> bytes:
    """The bytes that sign; none where the text is no such secret."""
    try:
        return (
            base64.b64decode(secret.removeprefix("whsec_"), validate=True) if secret[:6] == "whsec_" else b""
        )
    except (binascii.Error, ValueError):
        return b""


def _check_api_keys(keys: tuple[str, ...], mode: Mode) -> tuple[str, ...]:
    _check_unpublished("DOJANG_API_KEYS", keys, mode, _MAKE_KEY)
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise ConfigError(
            "DOJANG_API_KEYS: a key is letters, digits and signs of ASCII, because it comes in a header. Make one: "
            f"{_MAKE_KEY} (헤더로 보내는 키이므로 ASCII 문자만 쓸 수 있습니다. 위 명령으로 만들어 주세요)"
        )
    if mode is Mode.LIVE and any(len(key) < 16 for key in keys):
        raise ConfigError(
            "DOJANG_API_KEYS: in mode live every key needs at least 16 characters. Make one: "
            f"{_MAKE_KEY} (live 모드의 키는 16자 이상이어야 합니다. 위 명령으로 만들어 주세요)"
        )
    return keys


def _check_store(store: str) -> str:
    if store.startswith("dynamodb:"):
        dynamodb_address(store)
        return store
    if re.fullmatch(r"postgres(ql)?://.+", store):
        return store
    if not re.fullmatch(r"sqlite:///.+", store):
        raise ConfigError(
            "DOJANG_STORE must be sqlite:///file (four slashes for an absolute path), "
            "postgresql://user:password@host:5432/database or dynamodb://table?region=ap-northeast-2 "
            "(DOJANG_STORE는 위 셋 중 한 형식이어야 합니다)."
        )
    return store


def dynamodb_address(store: str) -> tuple[str, dict[str, str]]:
    """The table that `dynamodb://table?region=&endpoint=&shards=` names, and what is said about it.

    Raises:
        ConfigError: If it says something else, or would send orders unencrypted over a network.
    """
    form = "DOJANG_STORE must be dynamodb://table?region=ap-northeast-2 (also: endpoint=, shards=)"
    form_ko = "DOJANG_STORE는 dynamodb://table?region=ap-northeast-2 형식이어야 합니다"
    table, _, said = store.removeprefix("dynamodb://").partition("?")
    if not store.startswith("dynamodb://") or not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
        raise ConfigError(
            f"{form}, with a table's name of 3 to 255 of A-Z a-z 0-9 _ . - "
            f"({form_ko}. 테이블 이름은 A-Z a-z 0-9 _ . - 로 된 3~255자입니다)"
        )
    pairs = parse_qsl(said, keep_blank_values=True)
    options = {name: value for name, value in pairs if value}
    unknown = sorted({name for name, _ in pairs} - {"region", "endpoint", "shards"})
    if unknown or len(pairs) != len({name for name, _ in pairs}):
        raise ConfigError(f"{form}; it says {', '.join(unknown) or 'something twice'} ({form_ko}).")
    if not re.fullmatch(r"[1-9][0-9]?", options.get("shards", "1")):
        raise ConfigError("DOJANG_STORE: shards must be 1 to 99 (shards는 1~99여야 합니다).")
    # Only an endpoint of one's own, such as DynamoDB Local's, may be in a region that AWS has not.
    grammar = _ANY_REGION if "endpoint" in options else _REGION
    if not re.fullmatch(grammar, options.get("region", "ap-northeast-2")):
        raise ConfigError(
            "DOJANG_STORE: region must be a name such as ap-northeast-2 "
            "(region은 ap-northeast-2와 같은 이름이어야 합니다)."
        )
    if "endpoint" in options:
        _check_endpoint("DOJANG_STORE: endpoint", options["endpoint"], "https://dynamodb.example.com")
    return table, options


def _check_endpoint(key: str, url: str, example: str) -> None:
    """Refuse what is no address, and what would send orders unencrypted over a network."""
    parts = _split(key, url, example)
    if parts.path not in ("", "/") or (parts.scheme == "http" and not is_loopback(parts.hostname)):
        raise ConfigError(
            f"{key} must begin with https:// (http:// only for loopback) and have no path "
            "(https://로 시작하고 경로가 없어야 합니다)."
        )
    if not re.fullmatch(_ENDPOINT, url) or parts.port == 0:
        raise ConfigError(
            f"{key} must be a plain address such as {example} ({example}처럼 주소만 적어 주세요)."
        )
