"""`dojang demo`: a pretend Bootpay, the service and a small shop together, and the story they tell."""

from __future__ import annotations

from dojang.entry.demo.stage import Ports, Stage, staged
from dojang.entry.demo.story import CHAPTERS, Chapter, Verdict

__all__ = ["CHAPTERS", "Chapter", "Ports", "Stage", "Verdict", "staged"]
