"""`dojang openapi`: the HTTP API as a document."""

from __future__ import annotations

import json

from dojang.entry.cli.codes import Code

__all__ = ["openapi"]


def openapi() -> Code:
    """Print the OpenAPI 3.1 document of the HTTP API, made from the same types that serve it.

    Example:
      dojang openapi > openapi.json
    """
    from dojang.web.openapi import document

    print(json.dumps(document(), ensure_ascii=False, indent=2))
    return Code.FINE
