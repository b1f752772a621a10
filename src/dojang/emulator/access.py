"""Who may ask: tokens of both generations, key pairs, and how each wrong one is answered."""

from __future__ import annotations

import base64
import binascii
import hmac

from dojang.emulator.books import Books, Token
from dojang.emulator.refusals import LedgerRefusal

__all__ = ["Access"]


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


class Access(Books):
    """The books' door."""

    def issue_token(self, application_id: object, private_key: object, *, generation: int) -> Token:
        """A token for the pair; asked again soon, the same one.

        Raises:
            LedgerRefusal: `APP_KEY_NOT_FOUND` or `APP_SK_NOT_MATCHED`.
        """
        if not isinstance(application_id, str) or not application_id:
            raise LedgerRefusal("APP_KEY_NOT_FOUND")
        if not isinstance(private_key, str) or not private_key:
            raise LedgerRefusal("APP_SK_NOT_MATCHED")
        if self.keys.application_id and not _same(application_id, self.keys.application_id):
            raise LedgerRefusal("APP_KEY_NOT_FOUND")
        if self.keys.private_key and not _same(private_key, self.keys.private_key):
            raise LedgerRefusal("APP_SK_NOT_MATCHED")
        now = self.now()
        for token in self.state.tokens.values():
            mine = token.application_id == application_id and token.generation == generation
            if mine and now < min(token.issued_at + self.rules.token_reuse_s, token.expires_at):
                return token
        token = Token(
            token=self.new_token(),
            application_id=application_id,
            generation=generation,
            issued_at=now,
            expires_at=now + self.rules.token_life_s,
        )
        self.state.tokens = {text: old for text, old in self.state.tokens.items() if old.expires_at > now} | {
            token.token: token
        }
        self.state.application_id, self.state.private_key = application_id, private_key
        self.changes += 1
        return token

    def expire_token(self, authorization: str) -> None:
        """End the life of the token an `Authorization` header carries, if it carries one."""
        if self.state.tokens.pop(authorization.removeprefix("Bearer ").strip(), None) is not None:
            self.changes += 1

    def admit(self, authorization: str, *, generation: int, basic: bool = True) -> None:
        """Let a request in, or say why not.

        Raises:
            LedgerRefusal: `TOKEN_KEY_INVALID`, `APP_KEY_NOT_FOUND` or `APP_SK_NOT_MATCHED`.
        """
        if generation == 1:
            return self._admit_token(authorization, generation)
        scheme, _, rest = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return self._admit_token(rest.strip(), generation)
            case "basic" if basic:
                return self._admit_pair(rest.strip())
            case _:
                raise LedgerRefusal("TOKEN_KEY_INVALID")

    def _admit_token(self, text: str, generation: int) -> None:
        token = self.state.tokens.get(text)
        if token is None or token.generation != generation or token.expires_at <= self.now():
            raise LedgerRefusal("TOKEN_KEY_INVALID")

    def _admit_pair(self, encoded: str) -> None:
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise LedgerRefusal("TOKEN_KEY_INVALID") from None
        client_key, _, secret_key = pair.partition(":")
        if not client_key or not secret_key:
            raise LedgerRefusal("TOKEN_KEY_INVALID")
        if self.keys.client_key and not _same(client_key, self.keys.client_key):
            raise LedgerRefusal("APP_KEY_NOT_FOUND")
        if self.keys.secret_key and not _same(secret_key, self.keys.secret_key):
            raise LedgerRefusal("APP_SK_NOT_MATCHED")

    def user_token(self, user_id: object) -> tuple[str, float]:
        """A token for a buyer's easy-pay window, and when it ends."""
        if not isinstance(user_id, str) or not user_id:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "user_id 값이 필요합니다.")
        self.changes += 1
        return self.new_id(), self.now() + self.rules.user_token_life_s
