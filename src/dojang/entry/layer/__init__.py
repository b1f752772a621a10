"""Makes the AWS Lambda layer: this package's part that a function needs, its dependencies, the blog post's `lib`.

No Docker and no compiler: dependencies are wheels that were built for Lambda's platform. The same input gives the
same bytes, so that a new layer version means new content.
"""

from __future__ import annotations

from dojang.entry.layer.archive import Layer, Part
from dojang.entry.layer.building import build_layer
from dojang.entry.layer.publishing import Published, publish
from dojang.entry.layer.target import Arch, CannotBuild, Target

__all__ = ["Arch", "CannotBuild", "Layer", "Part", "Published", "Target", "build_layer", "publish"]
