"""`dojang migrate`, `dojang doctor` and `dojang openapi`."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from tests.adapters import dynamodb_local

from dojang.adapters.dynamodb.schema import MIGRATING_ACTIONS
from dojang.adapters.dynamodb.signed import SignedTable
from dojang.adapters.dynamodb.table import Answer, Request, TableRefused
from dojang.adapters.sqlite import SqliteBackend
from dojang.entry.cli.codes import Code
from dojang.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Buyer, Door, Shell
    from dojang.emulator.server import EmulatorServer


def test_migrating_makes_the_store_and_may_be_repeated(dojang: Shell) -> None:
    """The first run names what it did, the second has nothing to do."""
    first, again = dojang.json("migrate"), dojang.json("migrate")

    assert first["migrations"]
    assert [] == again["migrations"]
    assert dojang.file.exists()


def test_migrating_tells_people_what_ran(dojang: Shell) -> None:
    """Names after one another, not the inside of a program."""
    ended = dojang("migrate")

    assert 0 == ended.code
    assert ".sql" in ended.out
    assert not set("[]'") & set(ended.out)


def test_migrating_asks_for_no_keys(dojang: Shell) -> None:
    """A deployment that only brings the store up to date needs no Bootpay account; neither does looking."""
    dojang.environment |= {"DOJANG_MODE": "live", "BOOTPAY_URL": ""}
    codes = [dojang("migrate").code, dojang("orders", "list").code, dojang("webhooks", "list").code]
    asking = dojang("orders", "add", "A-1", "--price", "1", "--name", "x")

    assert [0, 0, 0] == codes
    assert 2 == asking.code
    assert "No Bootpay keys" in asking.err


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("sqlite:///no/such/folder/x.sqlite3", "folder"),
        ("dynamodb://x", "dynamodb://table?region="),
        ("dynamodb://orders?region=seoul", "ap-northeast-2"),
        ("dynamodb://orders?endpoint=//localhost:8000", "https://dynamodb.example.com"),
        ("dynamodb://orders", "dynamodb://table?region="),
        ("mysql://x", "sqlite:///file"),
        ("sqlite:///", "sqlite:///file"),
    ],
)
def test_a_store_that_cannot_be_is_a_sentence(
    dojang: Shell, monkeypatch: pytest.MonkeyPatch, store: str, said: str
) -> None:
    """Exit code 2, and nothing is made; what AWS's own settings lack or have wrong is told as well."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    ended = dojang("migrate", "--store", store)

    assert 2 == ended.code
    assert said in ended.err
    assert 1 == len(ended.err.splitlines())


@pytest.mark.parametrize("command", [("migrate",), ("orders", "list")])
def test_a_table_without_aws_keys_names_the_cure(
    dojang: Shell, monkeypatch: pytest.MonkeyPatch, unreachable: str, command: tuple[str, ...]
) -> None:
    """Who tries DynamoDB for the first time learns what to set, not only that something is missing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(dojang.folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ended = dojang(*command, "--store", f"dynamodb://orders?region=ap-northeast-2&endpoint={unreachable}")

    assert ended.code in (1, 2)
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile" in ended.err
    assert 1 == len(ended.err.splitlines())


def test_what_is_no_database_stays_as_it_is(dojang: Shell) -> None:
    """A file of somebody else's is refused, not overwritten."""
    dojang.file.write_text("어머니의 요리법\n" * 100)
    codes = [dojang("migrate").code, dojang("orders", "list").code]

    assert [2, 2] == codes
    assert dojang.file.read_text() == "어머니의 요리법\n" * 100


def test_a_store_of_a_newer_release_is_left_alone(dojang: Shell) -> None:
    """The sentence says what to upgrade."""
    dojang("migrate")
    with closing(sqlite3.connect(dojang.file)) as database:
        database.execute("PRAGMA user_version=999")
    ended = dojang("orders", "list")

    assert 2 == ended.code
    assert "upgrade dojang" in ended.err


def _verdicts(dojang: Shell, *words: str, code: int = 0) -> dict[str, str]:
    ended = dojang("doctor", "--format", "json", *words)
    assert code == ended.code, ended.out + ended.err
    return {check["check"]: check["verdict"] for check in ended.data["checks"]}


def test_a_store_that_does_not_tell_its_version_keeps_nobody_from_the_other_checks(
    dojang: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running function's own policy does not let it describe the table; the rest is looked at all the same."""
    dojang("migrate")
    opens = SqliteBackend.__init__

    def opened(self: SqliteBackend, *args: object, **kwargs: object) -> None:
        opens(self, *args, **kwargs)  # type: ignore[arg-type]
        # Opening it asks for the version as well.
        monkeypatch.setattr(SqliteBackend, "version", property(refused))

    def refused(_: object) -> int:
        raise ConfigError("may not describe the table")

    monkeypatch.setattr(SqliteBackend, "__init__", opened)
    verdicts = _verdicts(dojang, code=1)

    assert ("fail", "ok", "ok") == (verdicts["store"], verdicts["settings"], verdicts["bootpay"])


def test_a_healthy_shop_is_found_healthy(dojang: Shell, door: Door, buyer: Buyer) -> None:
    """Settings, store, Bootpay, clock, the shop's door and every folded history are ok; nothing is posted."""
    dojang.environment["DOJANG_API_KEYS"] = "a-key-for-tests-only"
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    dojang("verify", "A-1", buyer.pays("A-1"))
    verdicts = _verdicts(dojang, "--fold")

    names = ("settings", "store", "bootpay", "clock", "deliveries", "fold")
    assert (dict.fromkeys(names, "ok"), []) == (verdicts, door.received)


@pytest.mark.parametrize(
    ("key", "check"), [("DOJANG_DELIVER_TO", "deliveries"), ("DOJANG_APPROVE_AT", "approvals")]
)
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/hook?to=s3cret", "127.0.0.1: the connection was refused"),
        ("https://no-such-name.invalid/hook/s3cret", "the name was not found"),
        ("https://office.example/s3cret", "set DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"),
    ],
)
def test_a_shop_that_cannot_be_told_is_found(
    dojang: Shell, names: dict[str, str], key: str, check: str, url: str, words: str
) -> None:
    """Before the first payment rather than after it; nothing but the host is told of the address."""
    names["office.example"] = "10.1.2.3"
    dojang("migrate")
    dojang.environment["DOJANG_DELIVER_SECRET"] = "whsec_" + "c2VjcmV0" * 4
    ended = dojang("doctor", "--format", "json", **{key: url})
    (found,) = (each for each in ended.data["checks"] if each["check"] == check)

    assert (1, "fail") == (ended.code, found["verdict"])
    assert words in found["words"]
    assert "s3cret" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("wrong_s", "code", "verdict", "words"),
    [
        (3, 0, "ok", "ahead of Bootpay's"),
        (6, 0, "warn", "ahead of Bootpay's: where clocks differ by more than ten seconds, two servers may"),
        (10, 0, "warn", "ahead of Bootpay's: where clocks differ"),
        (-10, 0, "warn", "behind Bootpay's: where clocks differ"),
        (10, 0, "warn", "이 기기의 시계를 맞추세요"),
        (200, 1, "fail", "set this machine's clock"),
    ],
)
def test_a_clock_that_is_wrong_is_found(
    dojang: Shell, monkeypatch: pytest.MonkeyPatch, wrong_s: int, code: int, verdict: str, words: str
) -> None:
    """More than leases allow for is a warning that says why; what receivers of deliveries would refuse is a failure."""
    dojang("migrate")
    _set_clock_wrong(monkeypatch, wrong_s)
    ended = dojang("doctor", "--format", "json")
    (clock,) = (check for check in ended.data["checks"] if check["check"] == "clock")

    assert (code, verdict) == (ended.code, clock["verdict"])
    assert words in clock["words"]


def _set_clock_wrong(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    monkeypatch.setattr(
        "dojang.entry.cli.doctor._now", lambda: datetime.now(UTC) + timedelta(seconds=seconds)
    )


@pytest.mark.xdist_group("dynamodb")
def test_dynamodbs_clock_is_compared_too(dojang: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the Date of an answer, for which no key is needed."""
    table = f"{dynamodb_local.fresh_name()}?region={dynamodb_local.REGION}"
    dojang.environment |= dynamodb_local.KEYS
    dojang.environment["DOJANG_STORE"] = f"dynamodb://{table}&endpoint={dynamodb_local.server_endpoint()}"
    dojang("migrate")
    right = _verdicts(dojang)
    _set_clock_wrong(monkeypatch, 10)
    wrong = _verdicts(dojang)

    assert ("ok", "warn") == (right["store clock"], wrong["store clock"])


@pytest.fixture
def split(dojang: Shell) -> str:
    """A table that was split into 16 parts, with an order in the last of them; its address without `shards=`."""
    dojang.environment |= dynamodb_local.KEYS
    table = f"{dynamodb_local.fresh_name()}?region={dynamodb_local.REGION}"
    address = f"dynamodb://{table}&endpoint={dynamodb_local.server_endpoint()}"
    whole = f"{address}&shards=16"
    last = next(name for name in map("A-{}".format, count()) if zlib.crc32(name.encode()) % 16 == 15)
    assert 0 == dojang("migrate", "--store", whole).code
    assert 0 == dojang("orders", "add", last, "--price", "3000", "--name", "x", "--store", whole).code
    return address


@pytest.mark.xdist_group("dynamodb")
@pytest.mark.parametrize("command", [("migrate",), ("doctor", "--fold")])
def test_orders_beyond_the_parts_that_are_asked_are_found(
    dojang: Shell, split: str, command: tuple[str, ...]
) -> None:
    """A forgotten `shards=` would hide orders from every list and every check: it fails, and says which to set."""
    forgotten = dojang(*command, "--store", split)
    greater = dojang(*command, "--store", f"{split}&shards=99")
    right = dojang(*command, "--store", f"{split}&shards=16")

    assert [1, 0, 0] == [forgotten.code, greater.code, right.code]
    assert "split into at least 16 parts" in forgotten.out + forgotten.err
    assert "set shards=16" in forgotten.out + forgotten.err


@pytest.mark.xdist_group("dynamodb")
def test_migrating_takes_no_permission_to_read(
    dojang: Shell, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may make the table alone has made it, and hears that nobody looked for orders that are left out."""
    asked = SignedTable.call

    def may_not_read(way: SignedTable, operation: str, request: Request, within_s: float) -> Answer:
        if f"dynamodb:{operation}" not in MIGRATING_ACTIONS:
            raise TableRefused("AccessDeniedException", "")
        return asked(way, operation, request, within_s)

    monkeypatch.setattr(SignedTable, "call", may_not_read)
    ended = dojang("migrate", "--store", split)

    assert 0 == ended.code
    assert "Whether shards= leaves orders out could not be seen" in ended.err


@pytest.mark.xdist_group("dynamodb")
def test_who_watches_is_warned_of_orders_that_are_left_out(
    dojang: Shell, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, at the start: it looks after all others meanwhile."""
    monkeypatch.setattr("dojang.entry.cli.reconcile._watch", lambda *_, **__: Code.FINE)
    ended = dojang("reconcile", "--watch", "--store", split)

    assert 0 == ended.code
    assert 1 == ended.err.count("split into at least 16 parts")


def test_what_is_not_set_is_a_warning(dojang: Shell) -> None:
    """No keys and nobody to tell: it works, but the shop should know."""
    dojang("migrate")
    verdicts = _verdicts(dojang)

    assert ("warn", "warn") == (verdicts["api keys"], verdicts["deliveries"])


def test_a_changed_store_does_not_fold(dojang: Shell) -> None:
    """Somebody made an order paid by hand: its history does not say so, and the exit code is 1."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    with closing(sqlite3.connect(dojang.file)) as database:
        database.execute("""UPDATE orders SET payment = json_set(payment, '$.state', 'paid')""")
        database.commit()
    ended = dojang("doctor", "--fold")

    assert 1 == ended.code
    assert "order A-1: its history says otherwise about state" in ended.out


def test_a_lost_step_does_not_fold(dojang: Shell, buyer: Buyer) -> None:
    """A hole in a history is found."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    dojang("verify", "A-1", buyer.pays("A-1"))
    with closing(sqlite3.connect(dojang.file)) as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM events WHERE version = 2")
        database.commit()
    ended = dojang("doctor", "--fold")

    assert 1 == ended.code
    assert "version 3 is stored, but the history has 2 steps" in ended.out


def test_a_missing_store_is_found(dojang: Shell) -> None:
    """The other checks are made all the same."""
    verdicts = _verdicts(dojang, code=1)

    assert ("fail", "ok") == (verdicts["store"], verdicts["bootpay"])


def test_an_unreachable_bootpay_is_6(dojang: Shell, unreachable: str) -> None:
    """Nothing else is wrong, so the code says whom to call."""
    dojang("migrate")
    ended = dojang("doctor", BOOTPAY_URL=unreachable)

    assert 6 == ended.code
    assert "cannot be reached" in ended.out


def test_wrong_keys_are_found(dojang: Shell, bootpay: EmulatorServer) -> None:
    """Bootpay answers, but not to us."""
    dojang("migrate")
    with bootpay.faulty(on="*", do="unauthorized"):
        verdicts = _verdicts(dojang, code=1)

    assert "fail" == verdicts["bootpay"]


def test_wrong_settings_are_a_sentence(dojang: Shell) -> None:
    """Exit code 2: there is nothing to check with."""
    ended = dojang("doctor", DOJANG_MODE="production")

    assert (2, "") == (ended.code, ended.out)
    assert "DOJANG_MODE must be one of live, sandbox, emulator" in ended.err


def test_the_openapi_document_is_printed(dojang: Shell) -> None:
    """The very document that the service serves, and nothing besides."""
    from dojang.web.openapi import document

    ended = dojang("openapi")

    assert document() == ended.data
    assert "" == ended.err
