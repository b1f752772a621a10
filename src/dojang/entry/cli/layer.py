"""`dojang layer`: the AWS Lambda layer."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import with_format
from dojang.entry.cli.terminal import Terminal
from dojang.entry.layer.target import PYTHONS, Arch
from dojang.errors import ConfigError

if TYPE_CHECKING:
    from dojang.entry.layer import Layer, Published

__all__ = ["build"]


@with_format
def build(
    terminal: Terminal,
    python: Annotated[
        str, typer.Option("--python", help=f"The function's Python: {', '.join(PYTHONS)}.", metavar="VERSION")
    ] = "3.13",
    arch: Annotated[
        Arch, typer.Option("--arch", help="The function's processor: arm64 or x86_64.", metavar="ARCH")
    ] = Arch.ARM64,
    output: Annotated[
        Path, typer.Option("--output", help="The folder that the zip is written into.", metavar="DIR")
    ] = Path(),
    publish: Annotated[
        bool, typer.Option("--publish", help="Also publish it in the AWS account whose credentials are set.")
    ] = False,
    name: Annotated[
        str, typer.Option("--name", help="What the published layer is called.", metavar="NAME")
    ] = "dojang",
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="Where to publish it.",
            metavar="REGION",
        ),
    ] = None,
) -> Code:
    """Make the AWS Lambda layer as a zip: dojang, its dependencies for that platform, and lib/BootpayApi.py.

    The same input gives the same bytes. Neither Docker nor a compiler is needed.

    Example:
      dojang layer build --python 3.13 --arch arm64 --publish
    """
    from dojang.entry.layer import CannotBuild, Target, build_layer
    from dojang.entry.layer import publish as publish_layer

    target = Target(python, arch)
    published = None
    try:
        with terminal.working("building the layer (레이어를 만드는 중)"):
            layer = build_layer(target)
        file = _written(layer, output)
        if publish:
            with terminal.working("publishing the layer (레이어를 게시하는 중)"):
                published = publish_layer(layer, name, region)
    except CannotBuild as error:
        terminal.say(f"dojang: {error}", "red")
        return Code.FAILURE
    _show(terminal, layer, file, published)
    return Code.FINE


def _written(layer: Layer, folder: Path) -> Path:
    file = folder / layer.target.file_name
    part = file.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(layer.content)
        # Whoever deploys at this moment finds the old zip or the new one, never half of it.
        os.replace(part, file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise ConfigError(f"--output: {file} cannot be written: {error.strerror}.") from None
    return file


def _show(terminal: Terminal, layer: Layer, file: Path, published: Published | None) -> None:
    data: dict[str, object] = {
        "file": str(file),
        "runtime": layer.target.runtime,
        "architecture": str(layer.target.arch),
        "version": layer.version,
        "sha256": layer.sha256,
        "zipped": len(layer.content),
        "unzipped": layer.unzipped,
        "byte_code": layer.compiled_by is not None,
        "contents": [
            {
                "name": part.name,
                "version": part.version,
                "files": part.files,
                "unzipped": part.unzipped,
                "zipped": part.zipped,
            }
            for part in layer.parts
        ],
    }
    if published is not None:
        data |= {"layer_version_arn": published.arn, "region": published.region}
    rows = [(part.name, part.version, part.files, part.unzipped, part.zipped) for part in layer.parts]
    files = sum(part.files for part in layer.parts)
    rows.append(("together (합계)", "", files, layer.unzipped, len(layer.content)))
    terminal.rows(data, ("part", "version", "files", "bytes unzipped", "bytes zipped"), rows)
    if layer.compiled_by is None:
        terminal.warn(
            f"Without byte code: no {layer.target.runtime} is at hand, so every cold start compiles first. "
            f"`uv python install {layer.target.python}` brings one; then build again "
            f"({layer.target.runtime}이 없어 바이트코드를 넣지 못했습니다. 설치하고 다시 만들면 빨라집니다)."
        )
    terminal.say(f"Wrote (저장했습니다): {file}  sha256 {layer.sha256}")
    if published is not None:
        if published.endpoint is not None:
            terminal.warn(f"This was not AWS but {published.endpoint} (AWS_ENDPOINT_URL).")
        terminal.say(f"Published (게시했습니다): {published.arn}")
