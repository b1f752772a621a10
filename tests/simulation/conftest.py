"""The list of mistakes lies beside the tests that make them: let them find it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
