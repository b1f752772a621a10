"""urllib3 without what it reads at import and does not use, for a function whose shop is asked before money moves.

urllib3 wants to know the version of a package for HTTP/2, and only where HTTP/2 is switched on. For that question
alone Python reads how packages are described: zip, csv, resources, temporary files.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["metadata_when_asked"]

_NAME = "importlib.metadata"


@contextmanager
def metadata_when_asked() -> Iterator[None]:
    """While modules are read in here, `importlib.metadata` itself is read only when somebody calls it.

    Afterwards it is what it always was; who has taken `version` from it in here gets the same answers.
    """
    if _NAME in sys.modules:
        yield
        return

    class Later(ModuleType):
        def version(self, name: str) -> str:
            return str(self._real().version(name))

        def __getattr__(self, name: str) -> object:
            # Python's own questions about a module are no use of it.
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(self._real(), name)

        def _real(self) -> ModuleType:
            self.leave()
            return importlib.import_module(_NAME)

        def leave(self) -> None:
            if sys.modules.get(_NAME) is self:
                del sys.modules[_NAME], importlib.metadata

    later = sys.modules[_NAME] = importlib.metadata = Later(_NAME)
    try:
        yield
    finally:
        later.leave()
