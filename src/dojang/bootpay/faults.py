"""What went wrong on the wire, in words that name no address, id, header or body."""

from __future__ import annotations

import socket
import ssl

__all__ = ["fault_words"]


def fault_words(error: BaseException) -> str:
    """A transport failure in a few words, made from its kind and never from its text."""
    for cause in _chain(error):
        words = _known(cause)
        if words is not None:
            return words
    return f"the connection failed ({type(error).__name__})"


def _known(error: BaseException) -> str | None:
    match error:
        case ssl.SSLCertVerificationError():
            # verify_message is OpenSSL's own fixed text, such as "certificate has expired".
            return f"the certificate is not trusted ({getattr(error, 'verify_message', 'no reason given')})"
        case socket.gaierror():
            return "the name cannot be resolved"
        case ConnectionRefusedError():
            return "the connection was refused"
        case ssl.SSLError():
            return f"TLS failed ({getattr(error, 'reason', None) or type(error).__name__})"
        case TimeoutError():
            return "no answer in time"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "the connection broke"
        case _:
            return None


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what it was made from, innermost last; foreign libraries wrap the system's errors."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        reason = getattr(current, "os_error", None) or getattr(current, "certificate_error", None)
        current = reason if isinstance(reason, BaseException) else current.__cause__ or current.__context__
    return chain
