"""Words from outside, made fit to be kept: Bootpay's and card companies' may name a buyer, a card or an account.

Rule 1: what looks like a number of somebody or their name is left out before anything is written down or told.
Rule 2: the code beside the words is what can be relied on; the words are for the eye.
"""

from __future__ import annotations

import re

__all__ = ["kept_words"]

_LENGTH_MAX = 200
# Compiled when first used: few payments have words to keep, and a function that starts cold waits for each pattern.
_PERSONAL = (
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an address of mail
    r"|\d(?:[ .*-]*[\d*]){6,}"  # a card, an account, a telephone: seven digits or more, however they are written
    # 홍길동님, 홍길동 고객님: Korean courtesy gives the name away.
    r"|(?<![가-힣])(?!고객님|회원님)[가-힣]{1,10}?(?= ?(?:고객|회원)?님)"
)


def kept_words(text: str) -> str:
    """What somebody outside said, without what may be personal, in a length that a history can bear."""
    # Half a surrogate pair is no text that a store could take.
    whole = text.encode("utf-8", "replace").decode()
    return re.sub(_PERSONAL, "***", whole)[:_LENGTH_MAX]
