"""The small split and the hand-made models of the evaluation's tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "conftest_of_evaluation", Path(__file__).parents[1] / "evaluation" / "conftest.py"
)
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module  # its dataclass looks itself up
_spec.loader.exec_module(_module)
make_split, make_model = _module.make_split, _module.make_model
