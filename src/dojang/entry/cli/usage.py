"""What is wrong with the words of a command, told in one sentence of ours, in English and Korean, that names the word.

typer says it in words that change with its release, some of them another library's. Only an error loads this
module.
"""

from __future__ import annotations

import re

__all__ = ["usage"]

_FOR = r"Invalid value for (?P<name>.+?): (?:Value error, )?"
_INSTEAD = r"(?:\.? Did you mean (?P<meant>[^?]+)\?)?\.?"
# What was typed may be quoted, so each is matched as a whole; what comes first counts.
_SAID = (
    (
        _FOR + r"(?P<value>'.*') is not one of (?P<known>'[^']+'(?:, '[^']+')*)\.?",
        "{name} must be one of {known}, not {value}",
        "{name}은(는) {known} 중 하나여야 합니다",
    ),
    (
        _FOR + r".*greater than or equal to (?P<bound>\S+?)\.?",
        "{name} must be at least {bound}",
        "{name}은(는) {bound} 이상이어야 합니다",
    ),
    (
        _FOR + r".*less than or equal to (?P<bound>\S+?)\.?",
        "{name} must be at most {bound}",
        "{name}은(는) {bound} 이하여야 합니다",
    ),
    (
        _FOR + r".* is not in the range (?P<range>\S+?)\.?",
        "{name} must be in the range {range}",
        "{name}은(는) {range} 범위여야 합니다",
    ),
    (_FOR + r".* valid integer.*", "{name} must be a whole number", "{name}은(는) 정수여야 합니다"),
    (_FOR + r".* valid (number|float).*", "{name} must be a number", "{name}은(는) 숫자여야 합니다"),
    (_FOR + r"(?P<why>.+?)\.?", "{name} does not fit: {why}", "{name}의 값이 올바르지 않습니다"),
    (r"Missing argument (?P<word>.+?)\..*", "{word} is missing", "{word} 인자가 필요합니다"),
    (r"Missing option (?P<name>.+?)\..*", "{name} is missing", "{name} 옵션이 필요합니다"),
    (
        r"No such option: (?P<name>\S+) \(Possible options: (?P<meant>.+)\)",
        "No such option {name}",
        "{name} 옵션은 없습니다",
    ),
    (r"No such option: (?P<name>\S+)" + _INSTEAD, "No such option {name}", "{name} 옵션은 없습니다"),
    (r"No such command (?P<value>'.*?')" + _INSTEAD, "No such command {value}", "{value} 명령은 없습니다"),
    (r"Option (?P<name>'.+') requires .*", "{name} needs a value", "{name}에는 값이 필요합니다"),
    (
        r"Option (?P<name>'.+') does not take a value\.?",
        "{name} takes no value",
        "{name}에는 값을 줄 수 없습니다",
    ),
    (
        r"Got unexpected extra arguments?(?:\(s\))? \((?P<value>.*)\)\.?",
        "One word too many: {value}",
        "필요 없는 인자가 있습니다: {value}",
    ),
)


def usage(said: str, command: str | None) -> str:
    """What to tell whoever typed it.

    Args:
        said: What typer says.
        command: The command as it is typed, where that is known: its help is pointed to.
    """
    said = " ".join(said.split())
    see = f"see `{command} --help` " if command else ""
    for pattern, english, korean in _SAID:
        if found := re.fullmatch(pattern, said):
            words = {name: _plain(name, text) for name, text in found.groupdict().items() if text}
            told, told_ko = english.format(**words), korean.format(**words)
            if meant := words.get("meant"):
                told_ko += f". {meant}을(를) 쓰려던 것인가요?"
                return f"{told}: did you mean {meant}? {see.replace('see', 'See', 1)}({told_ko})."
            return f"{told}{'; ' if see else ' '}{see}({told_ko})."
    return f"{said.rstrip('.')}{'; ' if see else ' '}{see}(명령을 이해하지 못했습니다)."


def _plain(name: str, text: str) -> str:
    """A word as `--help` shows it: what was typed, or should have been, keeps its quotes."""
    if name in ("value", "meant"):
        return text
    bare = text.replace("'", "")
    return bare.upper() if name == "word" else bare
