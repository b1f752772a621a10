"""What the tests know how to fetch and start: DynamoDB Local, the Runtime Interface Emulator.

Loaded by file: the wheel of the official SDK brings a package called `tests`, which would be found instead of ours.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["dynamodb_local", "lambda_runtime"]

_TESTS = Path(__file__).parent.parent / "tests"


def _load(path: str, name: str) -> ModuleType:
    spec = spec_from_file_location(name, _TESTS / path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# Under the name by which the others ask for it.
_load("fetched.py", "tests.fetched")
dynamodb_local = _load("adapters/dynamodb_local.py", "bench.borrowed.dynamodb_local")
lambda_runtime = _load("entry/aws/runtime.py", "bench.borrowed.runtime")
