"""Connections to AWS whose opening is over in time, the search for the address and all addresses of a name included.

urllib3's timeout is for each address alone, once they are found.
"""

from __future__ import annotations

from urllib3.connection import HTTPConnection, HTTPSConnection

from dojang.bootpay.aside import Aside

__all__ = ["PromptHTTPConnection", "PromptHTTPSConnection"]

# More than any pool keeps; those that hang where the name servers are silent included.
_OPENING = Aside(64)


class PromptHTTPConnection(HTTPConnection):
    """A plain connection."""

    def connect(self) -> None:
        """See urllib3."""
        assert self.timeout, "every request to AWS is given its time"
        _OPENING.do(super().connect, self.timeout, too_late=self.close)


class PromptHTTPSConnection(HTTPSConnection):
    """A connection under TLS."""

    def connect(self) -> None:
        """See urllib3."""
        assert self.timeout, "every request to AWS is given its time"
        _OPENING.do(super().connect, self.timeout, too_late=self.close)
