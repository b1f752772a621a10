"""Every rule of the settings: what is refused, by which name, and what wins."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from dojang.core.rules import LatePayment, Mode, OnMismatch
from dojang.entry.settings import KEYS, Settings, is_loopback, read_settings
from dojang.errors import ConfigError

BASIC = {"BOOTPAY_CLIENT_KEY": "ck-abc", "BOOTPAY_SECRET_KEY": "sk-very-secret"}
LEGACY = {"BOOTPAY_APPLICATION_ID": "app-abc", "BOOTPAY_PRIVATE_KEY": "pk-very-secret"}
EMULATOR = {"DOJANG_MODE": "emulator"}
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(environment: dict[str, str], **more: Any) -> Settings:
    """Settings from this environment and nothing else."""
    return read_settings(environment=environment, **more)


def test_two_keys_are_enough_for_a_live_shop() -> None:
    """Everything else has a default, and the defaults are the careful ones."""
    settings = read(BASIC)

    assert Mode.LIVE is settings.mode
    assert "https://api.bootpay.co.kr" == settings.bootpay_url
    assert ("v2", "sqlite:///dojang.sqlite3") == (settings.bootpay_api, settings.store)
    assert (OnMismatch.CANCEL, LatePayment.HOLD) == (settings.rules.on_mismatch, settings.rules.late_payment)
    assert (("223.130.82.0/24",), ()) == (settings.webhook_sources, settings.trusted_proxies)
    assert not settings.allow_private_destinations


def test_the_emulator_needs_no_account() -> None:
    """DOJANG_MODE=emulator alone is complete, and points at this machine."""
    settings = read(EMULATOR)

    assert "http://127.0.0.1:8401" == settings.bootpay_url
    assert settings.client_key
    assert settings.application_id


@pytest.mark.parametrize(
    ("environment", "key", "way_out"),
    [
        ({}, "BOOTPAY_CLIENT_KEY", "DOJANG_MODE=emulator"),
        ({"BOOTPAY_CLIENT_KEY": "x"}, "BOOTPAY_SECRET_KEY", "needs both"),
        ({"BOOTPAY_SECRET_KEY": "x"}, "BOOTPAY_CLIENT_KEY", "needs both"),
        ({"BOOTPAY_APPLICATION_ID": "x"}, "BOOTPAY_PRIVATE_KEY", "needs both"),
        ({"BOOTPAY_PRIVATE_KEY": "x"}, "BOOTPAY_APPLICATION_ID", "needs both"),
        (BASIC | {"BOOTPAY_API": "v1"}, "BOOTPAY_APPLICATION_ID", "BOOTPAY_PRIVATE_KEY"),
        (BASIC | {"BOOTPAY_API": "v3"}, "BOOTPAY_API", "v2 or v1"),
        (BASIC | {"DOJANG_MODE": "production"}, "DOJANG_MODE", "live, sandbox, emulator"),
        (BASIC | {"BOOTPAY_URL": "http://api.bootpay.co.kr"}, "BOOTPAY_URL", "https://"),
        (BASIC | {"BOOTPAY_URL": "api.bootpay.co.kr"}, "BOOTPAY_URL", "plain address"),
        (BASIC | {"BOOTPAY_URL": "https://u:p@api.bootpay.co.kr"}, "BOOTPAY_URL", "plain address"),
        (BASIC | {"BOOTPAY_URL": "https://api.bootpay.co.kr?x=1"}, "BOOTPAY_URL", "plain address"),
        (BASIC | {"BOOTPAY_URL": "https://[::1"}, "BOOTPAY_URL", "plain address"),
        (BASIC | {"BOOTPAY_URL": "https://x:99999"}, "BOOTPAY_URL", "plain address"),
        (BASIC | {"BOOTPAY_URL": "http://127.0.0.1:8401"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (BASIC | {"BOOTPAY_URL": "https://localhost.:8401"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (BASIC | {"BOOTPAY_URL": "https://127.1:8401"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (BASIC | {"BOOTPAY_URL": "https://2130706433"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (BASIC | {"BOOTPAY_URL": "https://0.0.0.0:8401"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (BASIC | {"BOOTPAY_URL": "https://[::]:8401"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (BASIC | {"BOOTPAY_URL": "https://[::ffff:127.0.0.1]"}, "BOOTPAY_URL", "DOJANG_MODE=emulator"),
        (
            BASIC | {"BOOTPAY_URL": "https://api.bootpay.co.kr/v2"},
            "BOOTPAY_URL",
            "set it to https://api.bootpay.co.kr.",
        ),
        (
            EMULATOR | {"BOOTPAY_URL": "http://127.0.0.1:8401/v2/"},
            "BOOTPAY_URL",
            "set it to http://127.0.0.1:8401.",
        ),
        (EMULATOR | {"BOOTPAY_URL": "https://api.bootpay.co.kr"}, "BOOTPAY_URL", "DOJANG_MODE=sandbox"),
        (EMULATOR | {"DOJANG_DELIVER_TO": "https://shop.example/d"}, "DOJANG_DELIVER_SECRET", "Make one"),
        (EMULATOR | {"DOJANG_APPROVE_AT": "https://shop.example/a"}, "DOJANG_DELIVER_SECRET", "Make one"),
        (
            EMULATOR | {"DOJANG_DELIVER_TO": "shop", "DOJANG_DELIVER_SECRET": WHSEC},
            "DOJANG_DELIVER_TO",
            "https://",
        ),
        (
            EMULATOR | {"DOJANG_APPROVE_AT": "ftp://shop.example", "DOJANG_DELIVER_SECRET": WHSEC},
            "DOJANG_APPROVE_AT",
            "https://",
        ),
        (
            EMULATOR | {"DOJANG_DELIVER_TO": "https://[x", "DOJANG_DELIVER_SECRET": WHSEC},
            "DOJANG_DELIVER_TO",
            "https://",
        ),
        (EMULATOR | {"DOJANG_DELIVER_SECRET": "secret"}, "DOJANG_DELIVER_SECRET", "whsec_"),
        (EMULATOR | {"DOJANG_DELIVER_SECRET": "whsec_a"}, "DOJANG_DELIVER_SECRET", "base64"),
        (
            BASIC | {"DOJANG_DELIVER_SECRET": "whsec_c2hvcnQ="},
            "DOJANG_DELIVER_SECRET",
            "24 to 64 random bytes",
        ),
        (BASIC | {"DOJANG_API_KEYS": "short"}, "DOJANG_API_KEYS", "16 characters"),
        (BASIC | {"DOJANG_API_KEYS": "상점서버용-아주-긴-비밀열쇠-하나"}, "DOJANG_API_KEYS", "ASCII"),
        (EMULATOR | {"DOJANG_STORE": "mysql://x"}, "DOJANG_STORE", "sqlite:///"),
        (EMULATOR | {"DOJANG_STORE": "sqlite://"}, "DOJANG_STORE", "sqlite:///"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://t"}, "DOJANG_STORE", "dynamodb://table?region="),
        (EMULATOR | {"DOJANG_STORE": "dynamodb:table"}, "DOJANG_STORE", "dynamodb://table?region="),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?Region=a"}, "DOJANG_STORE", "Region"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?region=a&region=b"}, "DOJANG_STORE", "twice"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?region=a/b"}, "DOJANG_STORE", "ap-northeast-2"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?shards=0"}, "DOJANG_STORE", "1 to 99"),
        (
            EMULATOR | {"DOJANG_STORE": "dynamodb://orders?endpoint=http://db:8000"},
            "DOJANG_STORE",
            "https://",
        ),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?endpoint=https://a/b"}, "DOJANG_STORE", "no path"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://or/ders?region=us-east-1"}, "DOJANG_STORE", "3 to 255"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://o" + "o" * 255}, "DOJANG_STORE", "3 to 255"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://주문들"}, "DOJANG_STORE", "3 to 255"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?region=-"}, "DOJANG_STORE", "ap-northeast-2"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?region=seoul"}, "DOJANG_STORE", "ap-northeast-2"),
        (EMULATOR | {"DOJANG_STORE": "dynamodb://orders?region=%ff"}, "DOJANG_STORE", "ap-northeast-2"),
        (EMULATOR | {"DOJANG_ON_MISMATCH": "keep"}, "DOJANG_ON_MISMATCH", "cancel, hold"),
        (EMULATOR | {"DOJANG_LATE_PAYMENT": "never"}, "DOJANG_LATE_PAYMENT", "hold, accept, cancel"),
        (
            EMULATOR | {"DOJANG_ALLOW_PRIVATE_DESTINATIONS": "perhaps"},
            "DOJANG_ALLOW_PRIVATE_DESTINATIONS",
            "true",
        ),
        (EMULATOR | {"DOJANG_WEBHOOK_SOURCES": "somewhere"}, "DOJANG_WEBHOOK_SOURCES", "10.0.0.0/8"),
        (EMULATOR | {"DOJANG_TRUSTED_PROXIES": "10.0.0.0/40"}, "DOJANG_TRUSTED_PROXIES", "10.0.0.0/8"),
        (EMULATOR | {"BOOTPAY_SECRET_KEY_ARN": "arn:x"}, "BOOTPAY_SECRET_KEY_ARN", "must be the ARN"),
        (EMULATOR | {"BOOTPAY_REST_APP_ID": "x"}, "BOOTPAY_REST_APP_ID", "BOOTPAY_APPLICATION_ID"),
        (EMULATOR | {"BOOTPAY_API_KEY": "x"}, "BOOTPAY_API_KEY", "BOOTPAY_CLIENT_KEY"),
        (EMULATOR | {"DOJANG_DATABASE_URL": "x"}, "DOJANG_DATABASE_URL", "DOJANG_STORE"),
        (EMULATOR | {"DOJANG_ON_MISMACH": "hold"}, "DOJANG_ON_MISMACH", "DOJANG_ON_MISMATCH"),
        (EMULATOR | {"BOOTPAY_CLIENT_KEYS": "x"}, "BOOTPAY_CLIENT_KEYS", "BOOTPAY_CLIENT_KEY"),
    ],
)
def test_what_is_missing_or_contradictory_names_the_key_and_the_way_out(
    environment: dict[str, str], key: str, way_out: str
) -> None:
    """One sentence, and never the value of a secret."""
    with pytest.raises(ConfigError) as refused:
        read(environment)
    sentence = str(refused.value)

    assert key in sentence
    assert way_out in sentence
    assert "\n" not in sentence
    assert "sk-very-secret" not in sentence
    assert "whsec_c2hvcnQ" not in sentence


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "//localhost:8000",
        "ftp://localhost:8000",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://[::1",
        "http://[nothing]:8000",
        "http://localhost%0a:8000",
        "http://localhost:8000%23here",
        "https://@dynamodb.example.com",
        "https://me:word@dynamodb.example.com",
        "https://dynamodb..example.com",
        "https://dynamodb example.com",
        "https://주문.example.com",
        "https://",
        "https:///",
        "?",
    ],
)
def test_an_endpoint_that_is_no_address_is_told_as_a_setting(address: str) -> None:
    """Before anything is opened, with the key and the way out, and without what it says: that may hold a password."""
    with pytest.raises(ConfigError) as refused:
        read(EMULATOR | {"DOJANG_STORE": f"dynamodb://orders?region=local&endpoint={address}"})
    sentence = str(refused.value)

    assert sentence.startswith("DOJANG_STORE: endpoint must ")
    assert "https://" in sentence
    assert "word" not in sentence


@pytest.mark.parametrize(
    "store",
    [
        "dynamodb://orders",
        "dynamodb://orders?region=&endpoint=",
        "dynamodb://Shop_1.orders-v2?region=us-gov-west-1&shards=32",
        "dynamodb://orders?region=localhost&endpoint=http://localhost:8000/",
        "dynamodb://orders?region=ap-northeast-2&endpoint=http://[::1]:8000",
        "dynamodb://orders?endpoint=https://vpce-0a1b.dynamodb.ap-northeast-2.vpce.amazonaws.com",
    ],
)
def test_a_table_is_named_in_the_ways_the_documents_show(store: str) -> None:
    """What people write down rightly goes through as it is."""
    assert store == read(EMULATOR | {"DOJANG_STORE": store}).store


@pytest.mark.parametrize(
    "environment",
    [
        {"DOJANG_MODE": "live"},
        {"DOJANG_MODE": "live", "BOOTPAY_API": "v1"},
        {"DOJANG_MODE": "live", "BOOTPAY_CLIENT_KEY": "x"},
        {"DOJANG_MODE": "production"},
        {"BOOTPAY_API": "v3"},
        {"BOOTPAY_REST_APP_ID": "x"},
        {"DOJANG_DELIVERS_TO": "https://shop.example"},
        {"DOJANG_MODE": "emulator", "DOJANG_DELIVER_TO": "https://shop.example"},
        {"DOJANG_MODE": "emulator", "DOJANG_ALLOW_PRIVATE_DESTINATIONS": "maybe"},
        {"DOJANG_STORE": "sqlite:///x", "DOJANG_STORE_FILE": "y"},
        EMULATOR | {"BOOTPAY_URL": "http://user@127.0.0.1"},
        EMULATOR | {"BOOTPAY_URL": "http://[::1"},
        EMULATOR | {"BOOTPAY_URL": "http://127.0.0.1:8401/v2"},
        EMULATOR | {"BOOTPAY_URL": "http://bootpay.example"},
        EMULATOR | {"BOOTPAY_URL": "https://api.bootpay.co.kr"},
        BASIC | {"BOOTPAY_URL": "http://127.0.0.1:8401"},
        BASIC | {"DOJANG_API_KEYS": "short"},
        EMULATOR | {"DOJANG_STORE": "mysql://x"},
        EMULATOR | {"DOJANG_STORE": "dynamodb://x"},
        EMULATOR | {"DOJANG_STORE": "dynamodb://orders?zone=a"},
        EMULATOR | {"DOJANG_STORE": "dynamodb://orders?shards=0"},
        EMULATOR | {"DOJANG_STORE": "dynamodb://orders?region=seoul"},
        EMULATOR | {"DOJANG_STORE": "dynamodb://orders?endpoint=http://db.example"},
        BASIC | {"DOJANG_DELIVER_TO": "https://shop.example", "DOJANG_DELIVER_SECRET": "secret"},
        *(
            BASIC | {key: to, "DOJANG_DELIVER_SECRET": f"whsec_{'c2VjcmV0' * 4}"}
            for key, to in (
                ("DOJANG_DELIVER_TO", "shop"),
                ("DOJANG_DELIVER_TO", "http://93.184.215.14"),
                ("DOJANG_DELIVER_TO", "http://10.0.0.7"),
                ("DOJANG_APPROVE_AT", "arn:aws:sqs:ap-northeast-2:111122223333:q"),
            )
        ),
    ],
)
def test_the_mistakes_that_most_people_make_are_told_in_korean_too(environment: dict[str, str]) -> None:
    """A key that is missing or misspelt, a value that is none of those there are, an address that will not do."""
    with pytest.raises(ConfigError, match=r"[가-힣]"):
        read(environment)


def test_the_right_name_beside_a_wrong_one_is_enough() -> None:
    """Other tools' names may stay where they are once dojang's own is set."""
    settings = read(BASIC | {"BOOTPAY_API_KEY": "for another tool"})

    assert "ck-abc" == settings.client_key


def test_names_of_others_are_none_of_our_business() -> None:
    """Only what looks like a slip of the pen is refused."""
    settings = read(EMULATOR | {"DOJANG_TEST_POSTGRES": "x", "BOOTPAY_STORE_NAME": "y", "PATH": "z"})

    assert Mode.EMULATOR is settings.mode


def test_flags_win_over_the_environment_and_it_over_the_file(tmp_path: Path) -> None:
    """Each key by itself: what is not given further up comes from further down."""
    toml = tmp_path / "dojang.toml"
    toml.write_text(
        'DOJANG_MODE = "emulator"\nDOJANG_STORE = "sqlite:///toml"\nDOJANG_ON_MISMATCH = "hold"\n'
    )
    environment = {"DOJANG_STORE": "sqlite:///environment", "DOJANG_LATE_PAYMENT": "accept"}
    settings = [
        read_settings({"DOJANG_STORE": flag, "DOJANG_MODE": None}, environment=environment)
        for flag in ("sqlite:///flag", None)
    ]
    without = read_settings(environment={})

    assert ["sqlite:///flag", "sqlite:///environment"] == [found.store for found in settings]
    assert "sqlite:///toml" == without.store
    assert (Mode.EMULATOR, OnMismatch.HOLD, LatePayment.ACCEPT) == (
        settings[0].mode,
        settings[0].rules.on_mismatch,
        settings[0].rules.late_payment,
    )


def test_a_file_may_write_lists_and_truths_as_toml_does(tmp_path: Path) -> None:
    """Lists and booleans mean what they say."""
    (tmp_path / "dojang.toml").write_text(
        'DOJANG_MODE = "emulator"\nDOJANG_API_KEYS = ["one", "two"]\nDOJANG_ALLOW_PRIVATE_DESTINATIONS = true\n'
    )
    settings = read({})

    assert ("one", "two") == settings.api_keys
    assert settings.allow_private_destinations


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('DOJANG_STOER = "x"', "DOJANG_STOER is not a setting"),
        ('DOJANG_STOR = "x"', "DOJANG_STOR is not a setting of dojang: did you mean DOJANG_STORE?"),
        ('dojang_store = "x"', "did you mean DOJANG_STORE?"),
        ('BOOTPAY_SECRET_FILE = "x"', "did you mean BOOTPAY_SECRET_KEY_FILE?"),
        ('colour = "red"', "colour is not a setting of dojang"),
        ('[DOJANG_STORE]\nfile = "x"', "DOJANG_STORE must be text"),
        ('[dojang]\nstore = "x"', "dojang is not a setting"),
        ('[dojang]\nmode = "emulator"', 'heading [dojang] out and write each name in full: DOJANG_MODE = "'),
        ('[server.more]\nport = "x"', "heading [server] out"),
        ("DOJANG_MODE = emulator", 'Text stands in quotes: DOJANG_MODE = "emulator" ('),
        ("DOJANG_STORE = ", "cannot be read"),
        ('BOOTPAY_REST_APP_ID = "x"', "did you mean BOOTPAY_APPLICATION_ID"),
    ],
)
def test_a_wrong_file_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    """Unknown keys in dojang.toml are refused: nobody else writes there."""
    (tmp_path / "dojang.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        read(EMULATOR)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        'DOJANG_STOER = "x"',
        '[DOJANG_STORE]\nfile = "x"',
        "DOJANG_STORE = ",
        'BOOTPAY_REST_APP_ID = "x"',
    ],
)
def test_what_is_wrong_in_a_named_file_is_told_with_its_name(tmp_path: Path, text: str) -> None:
    """Not with the usual one's, in which there may be nothing to mend."""
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        read(EMULATOR, toml=tmp_path / "mine.toml")

    assert str(refused.value).startswith(f"{tmp_path / 'mine.toml'}")
    assert "dojang.toml" not in str(refused.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """`--config` names one; the usual one may be missing."""
    with pytest.raises(ConfigError) as refused:
        read(EMULATOR, toml=tmp_path / "mine.toml")

    assert "mine.toml does not exist" in str(refused.value)


def test_a_secret_may_be_mounted_as_a_file(tmp_path: Path) -> None:
    """KEY_FILE holds the value of KEY, without the newline at its end."""
    (tmp_path / "secret").write_text("from-a-file\n")
    settings = read({"BOOTPAY_CLIENT_KEY": "ck", "BOOTPAY_SECRET_KEY_FILE": str(tmp_path / "secret")})

    assert "from-a-file" == settings.secret_key


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"BOOTPAY_SECRET_KEY_FILE": "/no/such/file"},
            "BOOTPAY_SECRET_KEY_FILE: /no/such/file cannot be read",
        ),
        ({"BOOTPAY_SECRET_KEY_FILE": "/"}, "BOOTPAY_SECRET_KEY_FILE"),
        ({"BOOTPAY_SECRET_KEY_FILE": "x", "BOOTPAY_SECRET_KEY": "sk"}, "both set"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(environment: dict[str, str], said: str) -> None:
    """It names the key and the file, not what was found."""
    with pytest.raises(ConfigError) as refused:
        read({"BOOTPAY_CLIENT_KEY": "ck"} | environment)

    assert said in str(refused.value)


def _secret(length: int) -> str:
    return "whsec_" + base64.b64encode(bytes(range(length))).decode()


@pytest.mark.parametrize("length", [0, 18, 23, 65])
def test_a_secret_has_as_many_bytes_as_standard_webhooks_asks_for(length: int) -> None:
    """24 to 64 once base64 is undone, in mode live; its characters are a third more and do not count."""
    with pytest.raises(ConfigError, match="24 to 64 random bytes"):
        read(BASIC | {"DOJANG_DELIVER_SECRET": f"{WHSEC} {_secret(length)}"})

    fitting = f"{_secret(24)} {_secret(32)} {_secret(64)}"
    assert 3 == len(read(BASIC | {"DOJANG_DELIVER_SECRET": fitting}).deliver_secrets)


def test_the_command_that_makes_a_secret_makes_one_that_is_taken() -> None:
    """What the sentences and the documents tell people to run."""
    command = "import base64, os; print('whsec_' + base64.b64encode(os.urandom(24)).decode())"
    made = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout.strip()
    with pytest.raises(ConfigError) as refused:
        read(BASIC | {"DOJANG_DELIVER_SECRET": "short"})

    assert f'python -c "{command}"' in str(refused.value)
    for page in ("docs/aws.md", "docs/aws.ko.md", "src/dojang/entry/template/files/README.md"):
        assert f'python -c "{command}"' in (ROOT / page).read_text(encoding="utf-8")
    assert (made,) == read(BASIC | {"DOJANG_DELIVER_SECRET": made}).deliver_secrets


def _published(pattern: str) -> set[str]:
    """What stands there in the documents, the examples and the template."""
    shown = (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(path for path in (ROOT / "examples").iterdir() if path.is_file()),
        *(path for path in (ROOT / "src/dojang/entry/template/files").rglob("*") if path.is_file()),
    )
    return {value for path in shown for value in re.findall(pattern, path.read_text(encoding="utf-8"))}


def test_a_live_shop_takes_no_key_that_the_documents_show() -> None:
    """Whoever copies a command into a live shop would let everybody cancel its payments."""
    keys = _published(r"(?:DOJANG_API_KEYS *= *\[?\"?|Bearer )(?=\w)([\w-]{8,})")

    assert {"change-me-to-something-long", "shop-key-for-trying-out"} <= keys
    for key in keys:
        with pytest.raises(ConfigError, match=r"DOJANG_API_KEYS: .* documentation .* Make one: python") as no:
            read(BASIC | {"DOJANG_API_KEYS": f"a-random-key-of-the-shop, {key}"})
        assert key not in str(no.value)
        assert (key,) == read(EMULATOR | {"DOJANG_API_KEYS": key}).api_keys


def test_a_live_shop_signs_with_no_secret_that_the_documents_show() -> None:
    """A notice that everybody can sign says nothing."""
    secrets = _published(r"whsec_[\w+/=]{20,}")

    assert secrets
    for secret in secrets:
        with pytest.raises(ConfigError, match=r"DOJANG_DELIVER_SECRET: .* documentation .* Make one: python"):
            read(BASIC | {"DOJANG_DELIVER_SECRET": f"{WHSEC} {secret}"})
        assert (secret,) == read(EMULATOR | {"DOJANG_DELIVER_SECRET": secret}).deliver_secrets


def test_several_keys_and_secrets_are_split() -> None:
    """Commas or blanks between API keys and networks, blanks between secrets while they are rotated."""
    settings = read(
        EMULATOR
        | {
            "DOJANG_API_KEYS": "one, two three",
            "DOJANG_DELIVER_SECRET": f"{WHSEC} whsec_b2xk",
            "DOJANG_WEBHOOK_SOURCES": "",
            "DOJANG_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8",
        }
    )

    assert ("one", "two", "three") == settings.api_keys
    assert (WHSEC, "whsec_b2xk") == settings.deliver_secrets
    assert ("10.0.0.0/8", "fd00::/8") == settings.trusted_proxies


def test_what_only_touches_the_store_needs_no_keys() -> None:
    """A migration job has no Bootpay account; everything else is checked all the same."""
    assert "sqlite:///dojang.sqlite3" == read({}, bootpay=False).store
    with pytest.raises(ConfigError):
        read({"BOOTPAY_CLIENT_KEY": "x"}, bootpay=False)


def test_no_secret_is_in_the_repr() -> None:
    """Settings may end in a log or a traceback; what they hold may not."""
    shown = repr(
        read(
            BASIC
            | LEGACY
            | {
                "DOJANG_API_KEYS": "a-key-of-the-shop-itself",
                "DOJANG_DELIVER_TO": "https://shop.example/d",
                "DOJANG_DELIVER_SECRET": WHSEC,
                "DOJANG_STORE": "postgresql://u:pa55@db/x",
            }
        )
    )

    for secret in ("ck-abc", "sk-very-secret", "pk-very-secret", "a-key-of-the-shop-itself", WHSEC, "pa55"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("127.1", True),
        ("127.1.", True),
        ("2130706433", True),
        ("0x7f.1", True),
        ("017700000001", True),
        ("0.0.0.0", True),
        ("0", True),
        ("::", True),
        ("::ffff:0.0.0.0", True),
        ("1.1.1.1", False),
        ("16843009", False),
        ("fe80::1", False),
        ("", False),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("shop.localhost", True),
        ("api.bootpay.co.kr", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        (None, False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str | None, here: bool) -> None:
    """Whatever is called loopback is; what only looks like it is not."""
    assert here is is_loopback(host)


PUBLIC = (
    "http://93.184.215.14/d",
    "http://1572395022/d",
    "http://[2606:4700::1111]:8080/d",
    "HTTP://8.8.8.8.",
)
PRIVATE = (
    "http://10.0.0.8:8000/d",
    "http://192.168.1.1",
    "http://[fd00::1]/d",
    "http://169.254.1.1",
    "http://shop:8000",
)
LOOPBACK = ("http://127.0.0.1:8403/d", "http://localhost:1", "http://[::1]/d", "http://127.1/d")
ALLOWED = {"DOJANG_ALLOW_PRIVATE_DESTINATIONS": "true"}


@pytest.mark.parametrize("key", ["DOJANG_DELIVER_TO", "DOJANG_APPROVE_AT"])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("allowed", [{}, ALLOWED])
@pytest.mark.parametrize("url", PUBLIC)
def test_nothing_is_told_in_the_clear_to_a_public_address(
    url: str, allowed: dict[str, str], mode: Mode, key: str
) -> None:
    """No mode and no permission changes that."""
    with pytest.raises(ConfigError, match=rf"{key}: http:// to a public address .* Use https://"):
        read(BASIC | allowed | {"DOJANG_MODE": mode, key: url, "DOJANG_DELIVER_SECRET": WHSEC})


@pytest.mark.parametrize("key", ["DOJANG_DELIVER_TO", "DOJANG_APPROVE_AT"])
@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.SANDBOX])
@pytest.mark.parametrize("url", [*PRIVATE, *LOOPBACK, "http://shop.example/d"])
def test_plain_http_needs_permission(url: str, mode: Mode, key: str) -> None:
    """Refused at the start and not at the first delivery; with permission a name is judged when it is resolved."""
    environment = BASIC | {"DOJANG_MODE": mode, key: url, "DOJANG_DELIVER_SECRET": WHSEC}
    with pytest.raises(ConfigError, match=rf"{key}: .*DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"):
        read(environment)

    assert url in {(settings := read(environment | ALLOWED)).deliver_to, settings.approve_at}


@pytest.mark.parametrize("url", [*LOOPBACK, "http://shop:8000"])
def test_the_emulator_may_tell_a_shop_on_this_machine(url: str) -> None:
    """Nothing is real, so loopback needs no further word; what a name resolves to is judged later."""
    assert url == read(EMULATOR | {"DOJANG_DELIVER_TO": url, "DOJANG_DELIVER_SECRET": WHSEC}).deliver_to


@pytest.mark.parametrize("url", PRIVATE[:4])
def test_the_emulator_tells_no_other_machine_without_permission(url: str) -> None:
    """A private address is somebody else's."""
    with pytest.raises(ConfigError, match="DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"):
        read(EMULATOR | {"DOJANG_DELIVER_TO": url, "DOJANG_DELIVER_SECRET": WHSEC})


@pytest.mark.parametrize("key", ["DOJANG_DELIVER_TO", "DOJANG_APPROVE_AT"])
@pytest.mark.parametrize(
    "url", ["https://:pw@shop.example/d", "https://shop.example:0/d", "https://a b.example"]
)
def test_a_destination_that_is_not_plain_stops_the_start(url: str, key: str) -> None:
    """At the first delivery it would be too late; what may be a password is not repeated."""
    with pytest.raises(ConfigError, match=rf"{key} must be an address such as") as refused:
        read(BASIC | {key: url, "DOJANG_DELIVER_SECRET": WHSEC})

    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("key", ["DOJANG_DELIVER_TO", "DOJANG_APPROVE_AT"])
@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.SANDBOX])
@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.5/x",
        "https://[fd00::1]/d",
        "https://169.254.169.254",
        "https://127.0.0.1/d",
        "https://localhost/d",
        "https://[::ffff:10.0.0.5]/d",
        "https://167772165/d",
    ],
)
def test_an_address_that_is_plainly_private_needs_permission_at_the_start(
    url: str, mode: Mode, key: str
) -> None:
    """No delivery could ever arrive there without it, over https neither."""
    environment = BASIC | {"DOJANG_MODE": mode, key: url, "DOJANG_DELIVER_SECRET": WHSEC}
    with pytest.raises(ConfigError, match=rf"{key}: .*DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"):
        read(environment)

    assert url in {(settings := read(environment | ALLOWED)).deliver_to, settings.approve_at}


def test_the_emulator_needs_permission_for_an_address_of_another_machine_over_https_too() -> None:
    """Loopback alone is open to it."""
    told = EMULATOR | {"DOJANG_DELIVER_SECRET": WHSEC}
    with pytest.raises(ConfigError, match="DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"):
        read(told | {"DOJANG_DELIVER_TO": "https://10.0.0.5/x"})

    assert "https://127.0.0.1/x" == read(told | {"DOJANG_DELIVER_TO": "https://127.0.0.1/x"}).deliver_to


@pytest.mark.parametrize("allowed", [{}, ALLOWED])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("url", ["https://0.0.0.0/d", "http://224.0.0.1/d", "https://[::]/d", "http://0"])
def test_an_address_of_nobody_stops_the_start(url: str, mode: Mode, allowed: dict[str, str]) -> None:
    """No permission covers it at the delivery, so none is offered."""
    with pytest.raises(ConfigError, match="DOJANG_DELIVER_TO: nobody's shop is at this address") as refused:
        read(
            BASIC | allowed | {"DOJANG_MODE": mode, "DOJANG_DELIVER_TO": url, "DOJANG_DELIVER_SECRET": WHSEC}
        )

    assert "DOJANG_ALLOW_PRIVATE_DESTINATIONS" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://shop.example/d", "https://shop:8443/d", "https://8.8.8.8/d"])
def test_https_may_go_wherever_a_name_leads_as_far_as_settings_know(url: str) -> None:
    """Whether a name's address may be reached is judged when it is resolved, at the delivery."""
    assert url == read(BASIC | {"DOJANG_DELIVER_TO": url, "DOJANG_DELIVER_SECRET": WHSEC}).deliver_to


QUEUE = "arn:aws:sqs:ap-northeast-2:111122223333:orders"
BUS = "arn:aws:events:ap-northeast-2:111122223333:event-bus/orders"


@pytest.mark.parametrize("arn", [QUEUE, f"{QUEUE}.fifo", BUS])
def test_a_queue_or_a_bus_needs_no_secret(arn: str) -> None:
    """Nothing is signed there: AWS decides who may write; in every mode the same."""
    settings = read(BASIC | {"DOJANG_DELIVER_TO": arn})

    assert (arn, (), None) == (settings.deliver_to, settings.deliver_secrets, settings.deliver_endpoint)


def test_who_is_asked_before_money_moves_still_needs_the_secret() -> None:
    """DOJANG_APPROVE_AT is posted to, wherever deliveries go."""
    environment = BASIC | {"DOJANG_DELIVER_TO": QUEUE, "DOJANG_APPROVE_AT": "https://shop.example/a"}
    with pytest.raises(ConfigError, match="DOJANG_DELIVER_SECRET"):
        read(environment)

    assert read(environment | {"DOJANG_DELIVER_SECRET": WHSEC}).deliver_secrets


@pytest.mark.parametrize(
    "arn", ["arn:", "arn:aws:sns:ap-northeast-2:111122223333:orders", f"{QUEUE}/x", f"{QUEUE} {BUS}"]
)
def test_the_arn_of_anything_else_stops_the_start(arn: str) -> None:
    """With a sentence that shows both forms."""
    with pytest.raises(ConfigError, match=r"DOJANG_DELIVER_TO: .*arn:aws:sqs:REGION.*event-bus/NAME"):
        read(BASIC | {"DOJANG_DELIVER_TO": arn})


def test_nobody_in_a_queue_can_be_asked() -> None:
    """An approval needs an answer."""
    with pytest.raises(ConfigError, match=r"DOJANG_APPROVE_AT .*gives no answer"):
        read(BASIC | {"DOJANG_APPROVE_AT": QUEUE, "DOJANG_DELIVER_SECRET": WHSEC})


@pytest.mark.parametrize(("arn", "service", "model"), [(QUEUE, "sqs", "SQS"), (BUS, "events", "EVENTBRIDGE")])
def test_another_endpoint_is_named_as_for_awss_sdk(
    arn: str, service: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's own variable before the general one, and of the other service no word."""
    both = {
        f"AWS_ENDPOINT_URL_{model}": "https://vpce.example.com",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566/",
    }
    other = {"SQS": "EVENTBRIDGE", "EVENTBRIDGE": "SQS"}[model]
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{model}", both[f"AWS_ENDPOINT_URL_{model}"])
    client = Session().create_client(
        service, "ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x"
    )
    own, general, none = (
        read(BASIC | {"DOJANG_DELIVER_TO": arn} | more).deliver_endpoint
        for more in (
            both,
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"},
            {f"AWS_ENDPOINT_URL_{other}": "http://elsewhere.example.com"},
        )
    )

    assert ("https://vpce.example.com", "http://127.0.0.1:4566/", None) == (own, general, none)
    assert client.meta.endpoint_url == own


@pytest.mark.parametrize(
    "url",
    ["http://sqs.example.com", "https://sqs.example.com/path", "sqs.example.com", "https://u:p@sqs.example"],
)
def test_an_endpoint_that_would_tell_everybody_stops_the_start(url: str) -> None:
    """Plain http never leaves this machine; who does not deliver there is not asked about it."""
    told = {"AWS_ENDPOINT_URL_SQS": url}
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL_SQS must"):
        read(BASIC | told | {"DOJANG_DELIVER_TO": QUEUE})

    assert read(BASIC | told | {"DOJANG_DELIVER_TO": BUS}).deliver_endpoint is None
    assert read(BASIC | told).deliver_endpoint is None


def test_every_key_is_described() -> None:
    """The reference has a sentence for each, in English and in Korean."""
    assert all(meaning.strip() for told in KEYS.values() for meaning in told)
    assert all(
        re.search("[가-힣]", korean) and not re.search("[가-힣]", english)
        for english, korean in KEYS.values()
    )
