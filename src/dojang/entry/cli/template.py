"""`dojang template`: what AWS needs to be told, as files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from dojang.adapters.arn import read_arn
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import with_format
from dojang.entry.cli.terminal import Terminal
from dojang.entry.layer.target import Arch
from dojang.errors import ConfigError, InvalidValue

__all__ = ["MADE_BY", "policy", "sam"]

MADE_BY = "Made by `dojang template sam`"
"""What the instructions in a folder that this command made say."""

_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+|\*")
_ACCOUNT = re.compile(r"[0-9]{12}|\*")


@with_format
def sam(
    terminal: Terminal,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            help="The folder that is made; nothing in it is overwritten without --force.",
            metavar="DIR",
        ),
    ] = Path("dojang-aws"),
    python: Annotated[
        str, typer.Option("--python", help="The function's Python: 3.12, 3.13 or 3.14.", metavar="VERSION")
    ] = "3.13",
    arch: Annotated[
        Arch,
        typer.Option("--arch", help="The function's processor: arm64 (cheaper) or x86_64.", metavar="ARCH"),
    ] = Arch.ARM64,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Write the files anew in a folder that this command made; what was changed in them is lost.",
        ),
    ] = False,
) -> Code:
    """Write a complete AWS SAM application: function, layer, HTTP API, table, stream, schedule, alarms.

    README.md in that folder says how it is deployed.

    Example:
      dojang template sam --output dojang-aws
    """
    from dojang.entry.layer.target import Target
    from dojang.entry.template import application

    files = application(Target(python, arch))
    try:
        there = [str(output / path) for path in files if (output / path).exists()]
        ours = bool(there) and _made(output)
        if there and not (force and ours):
            # Where nothing says that it is ours, a README.md may be anybody's: not even --force touches it.
            way, way_ko = (", or write them anew by --force", " --force로 다시 쓰거나") if ours else ("", "")
            raise ConfigError(
                f"--output: {there[0]} exists already, and nothing is overwritten: name another folder{way} "
                f"(이미 있는 파일은 덮어쓰지 않습니다.{way_ko} 다른 폴더를 지정해 주세요)."
            )
        for path, text in files.items():
            file = output / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--output: {output} cannot be written: {error.strerror}.") from None
    written = [str(output / path) for path in files]
    terminal.rows({"files": written}, ("file",), [(path,) for path in written])
    terminal.say(f"Next (다음): {output / 'README.md'}")
    return Code.FINE


def _made(folder: Path) -> bool:
    """Whether this command made the folder: its instructions say so."""
    readme = folder / "README.md"
    return readme.is_file() and MADE_BY in readme.read_text(encoding="utf-8", errors="replace")


def policy(
    table: Annotated[str, typer.Option("--table", help="The table's name.", metavar="NAME")] = "dojang",
    secret: Annotated[
        str | None,
        typer.Option(
            "--secret",
            help="The secret's name; dojang by default, none where only parameters are named.",
            metavar="NAME",
        ),
    ] = None,
    function: Annotated[
        str, typer.Option("--function", help="The function's name.", metavar="NAME")
    ] = "dojang",
    region: Annotated[str, typer.Option("--region", help="Where; any by default.", metavar="REGION")] = "*",
    account: Annotated[
        str, typer.Option("--account", help="Its number; any by default.", metavar="ID")
    ] = "*",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", help="An SSM parameter that holds a setting; again for each.", metavar="NAME"
        ),
    ] = None,
    kms_key: Annotated[
        str,
        typer.Option(
            "--kms-key", help="The key of your own that encrypts secret or parameter.", metavar="ARN"
        ),
    ] = "",
    deliver_to: Annotated[
        str,
        typer.Option(
            "--deliver-to",
            help="The queue or event bus that DOJANG_DELIVER_TO names; an address needs no permission.",
            metavar="ARN",
        ),
    ] = "",
    migrate: Annotated[
        bool,
        typer.Option("--migrate", help="What `dojang migrate` needs, instead of what the function needs."),
    ] = False,
) -> Code:
    """Print the IAM policy that a function of your own needs: no Scan, no DeleteItem, nothing unnamed.

    Example:
      dojang template policy --table orders --region ap-northeast-2 --account 111122223333
    """
    from dojang.entry.template import Resources, migrating, running
    from dojang.entry.template import policy as document

    running_only = {
        "--secret": secret,
        "--parameter": parameter,
        "--kms-key": kms_key,
        "--deliver-to": deliver_to,
    }
    for option, given in (
        ("--table", table),
        *(("--secret", name) for name in (secret,) if name is not None),
        ("--function", function),
        *(("--parameter", name) for name in parameter or ()),
    ):
        if wrong := _wrong_with(given):
            raise ConfigError(f"{option} must be a plain name, as AWS's console shows it: {wrong}.")
    if not _REGION.fullmatch(region):
        raise ConfigError("--region must be a region such as ap-northeast-2.")
    if not _ACCOUNT.fullmatch(account):
        raise ConfigError("--account must be the account's number: twelve digits.")
    if re.search(r"(^|:)alias/", kms_key):
        # IAM takes a policy about an alias, and allows nothing.
        raise ConfigError(
            "--kms-key must be the ARN of a key, and an alias does not work here: "
            "`aws kms describe-key --key-id ALIAS --query KeyMetadata.Arn` shows the key's."
        )
    if kms_key and not _KEY.fullmatch(kms_key):
        raise ConfigError("--kms-key must be the ARN of a key, as in arn:aws:kms:REGION:ACCOUNT:key/ID.")
    try:
        if deliver_to:
            read_arn(deliver_to)
    except InvalidValue as error:
        raise ConfigError(f"--deliver-to: {error}.") from None
    if migrate and (needless := [option for option, given in running_only.items() if given]):
        raise ConfigError(
            f"{' and '.join(needless)}: who migrates needs the table alone; ask for the function's policy without "
            "--migrate."
        )
    resources = Resources.named(
        table=table,
        region=region,
        account=account,
        # Who names parameters alone has no secret that should be read.
        secret=secret or ("" if parameter else "dojang"),
        function=function,
        parameters=parameter or (),
        key=kms_key,
        deliver_to=deliver_to,
    )
    print(json.dumps(document(migrating(resources) if migrate else running(resources)), indent=2))
    return Code.FINE


def _wrong_with(name: str) -> str:
    """Why this cannot be the name of something at AWS; empty if it can."""
    if name.startswith("arn:") or "*" in name:
        return "no ARN and no * in it"
    if not name:
        return "it is empty"
    return "" if _NAME.fullmatch(name) else "up to 512 letters and digits of English, and / _ + = . @ -"
