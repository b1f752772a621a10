"""The legacy token's life: bought once for everybody who waits, renewed before it ends.

Bootpay hands out the same token for about 25 of its 30 minutes and keeps the old one valid for the last 5 (api.md
§3.1), so renewing 5 minutes early never leaves anybody with a dead token.
"""

from __future__ import annotations

from dojang.bootpay.answers import result_of
from dojang.bootpay.call import Answer, Call
from dojang.bootpay.conversation import BearerToken, Line
from dojang.bootpay.endpoints import tokens
from dojang.errors import ConfigError, NotSent, OutcomeUnknown

__all__ = ["kept_token", "token_call", "without_token"]

_LIFETIME_S = 1800
_EARLY_S = 300


def token_call(line: Line, generation: int) -> Call[tokens.Token] | Call[tokens.TokenV1]:
    """The call that buys a token.

    Raises:
        ConfigError: There is no legacy pair to buy one with.
    """
    application_id, private_key = line.account.application_id, line.account.private_key
    if application_id is None or private_key is None:
        raise ConfigError(
            "a token is needed here: give application_id and private_key"
            + (" (generation 1 takes no Basic keys)" if generation == 1 else "")
        )
    if generation == 1:
        return tokens.request_token_v1(application_id=application_id, private_key=private_key)
    return tokens.request_token(application_id=application_id, private_key=private_key)


def kept_token(line: Line, call: Call[tokens.Token] | Call[tokens.TokenV1], answer: Answer) -> BearerToken:
    """Read a bought token and keep it for everybody.

    Raises:
        Refused: Bootpay refused the legacy pair.
        OutcomeUnknown: The answer holds no usable token.
    """
    bought = _bought(call, answer)
    if isinstance(bought, tokens.TokenV1):
        value, lifetime_s = bought.token, bought.expired_at - bought.server_time
    else:
        value, lifetime_s = bought.access_token, bought.expire_in
    # It becomes a header: anything else than plain text would break, or forge, the request.
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise OutcomeUnknown(
            f"{call.label}: the answer holds no usable token. Nothing was changed: ask again."
        )
    if not 0 < lifetime_s <= 24 * 3600:
        lifetime_s = _LIFETIME_S
    token = BearerToken(value, line.clock() + max(lifetime_s - _EARLY_S, lifetime_s / 2))
    line.tokens[call.generation] = token
    return token


def without_token(error: OutcomeUnknown) -> NotSent:
    """What a lost token call means for the call that waited for it: that one never left."""
    return NotSent(f"no token could be had, so nothing was sent. {error}")


def _bought(call: Call[tokens.Token] | Call[tokens.TokenV1], answer: Answer) -> tokens.Token | tokens.TokenV1:
    either: Call[tokens.Token | tokens.TokenV1] = call
    return result_of(either, answer)
