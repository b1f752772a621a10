"""`dojang demo`: see it work, without an account and without touching anything."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated

import typer

from dojang.entry.cli.codes import Code
from dojang.entry.cli.extras import need_server

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from rich.console import Console

    from dojang.entry.demo import Chapter, Ports, Stage, Verdict

__all__ = ["demo"]

_PREFIX = "dojang-demo-"
_LOCK = "running"


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="End after the story: 0 if every verdict was right.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="dojang's port; 8400, with --check any.")
    ] = None,
    emulator_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The pretend Bootpay's port; 8401, with --check any.")
    ] = None,
    shop_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The shop's port; 8402, with --check any.")
    ] = None,
) -> Code:
    """Start a pretend Bootpay, dojang and a small shop, tell five stories, then serve until Ctrl-C.

    Example:
      dojang demo
      dojang demo --check
    """
    need_server("dojang demo")
    import asyncio
    import fcntl
    import tempfile
    from pathlib import Path

    from dojang.entry.demo import Ports

    usual = Ports(0, 0, 0) if check else Ports()
    ports = Ports(
        usual.service if port is None else port,
        usual.emulator if emulator_port is None else emulator_port,
        usual.shop if shop_port is None else shop_port,
    )
    _clear_away(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name, (Path(name) / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return asyncio.run(_play(Path(name), ports, check=check))


def _clear_away(where: Path) -> None:
    """Remove what demos that were killed have left: their locks are nobody's any more."""
    import fcntl
    import os
    import shutil

    for folder in where.glob(f"{_PREFIX}*"):
        try:
            # Another user's, or a link that somebody has laid there, is none of ours.
            if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
                continue
            with (folder / _LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            # No lock yet: a demo that is just beginning. Or it is held: one that runs.
            continue


async def _play(folder: Path, ports: Ports, *, check: bool) -> Code:
    import asyncio
    import signal

    from dojang.entry.demo import staged

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    console = _console()
    async with staged(folder, ports) as stage:
        code = await _unless_stopped(stop, _tell(stage, console))
        if code is None:
            return Code.INTERRUPTED if check else Code.FINE
        if not check:
            _invite(stage, console)
            await stop.wait()
            console.print("\n안녕히 가세요. Goodbye.")
            return Code.FINE
        return code


async def _unless_stopped(stop: asyncio.Event, telling: Coroutine[object, None, Code]) -> Code | None:
    import asyncio

    story = asyncio.create_task(telling)
    told = asyncio.create_task(stop.wait())
    await asyncio.wait((story, told), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if story.done():
        return story.result()
    story.cancel()
    await asyncio.wait((story,))
    return None


async def _tell(stage: Stage, console: Console) -> Code:
    import aiohttp

    from dojang.entry.demo import CHAPTERS
    from dojang.entry.demo.story import Teller

    console.print("\n[bold]도장[/] 이 주문은 정말로, 단 한 번 결제되었는가?")
    console.print("[bold]dojang[/] Has this order really been paid, exactly once?\n")
    failed: list[str] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        teller = Teller(stage, session)
        for number, chapter in enumerate(CHAPTERS, 1):
            verdict = await chapter.happens(teller)
            _narrate(console, number, chapter, verdict)
            failed += [f"{number}: {claim}" for claim, held in verdict.fine.items() if not held]
    if failed:
        print(f"dojang: not as it should be (예상과 다릅니다): {'; '.join(failed)}", file=sys.stderr)
        return Code.FAILURE
    console.print("다섯 가지 모두 예상대로입니다. All five ended as they should.", style="green")
    return Code.FINE


def _narrate(console: Console, number: int, chapter: Chapter, verdict: Verdict) -> None:
    console.print(f"[bold]{number}. {chapter.title_ko} · {chapter.title_en}[/]")
    mark, style = ("✔", "green") if verdict.holds else ("✘", "red")
    console.print(f"   {mark} {verdict.said}", style=style)
    console.print(f"   {chapter.moral_ko}\n   [dim]{chapter.moral_en}[/]\n")


def _invite(stage: Stage, console: Console) -> None:
    console.print("\n직접 해 보세요. See for yourself:")
    for name, url in (
        ("데모 상점 · shop         ", stage.shop_url),
        ("도장 API · dojang        ", f"{stage.service_url}/openapi.json"),
        ("가짜 부트페이 · emulator ", f"{stage.emulator_url}/emulator/receipts"),
    ):
        console.print(f"  {name} {url}")
    store = f"sqlite:///{stage.store}"
    console.print(f"  주문 보기 · orders        {_typed()} orders list --store {store}")
    console.print("\nCtrl-C로 끝냅니다. Ctrl-C ends it.")


def _typed() -> str:
    """How this very program was started, so that the line can be typed as it stands."""
    name = sys.argv[0]
    return name if name.endswith("dojang") else f"{sys.executable} -m dojang"


def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True, highlight=False, emoji=False)
