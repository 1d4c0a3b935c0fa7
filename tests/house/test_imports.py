"""Imports that cost much and give nothing."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()


def imported(source: str) -> set[str]:
    """Dotted names of all modules, and of what is taken from them."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def uses_v1(source: str) -> bool:
    return any(f"{name}.".startswith("tfx.v1.") for name in imported(source))


def test_tfx_comes_in_by_the_modules_that_are_used() -> None:
    """`tfx.v1` loads the clients of Vertex AI: 3 seconds of a processor in each process, and nobody calls them."""
    assert [name for name in TRACKED if uses_v1((ROOT / name).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from tfx import v1 as tfx", True),
        ("import tfx.v1", True),
        ("def f():\n    from tfx.v1.dsl import Pipeline", True),
        ("from tfx import types\nfrom tfx.orchestration.pipeline import Pipeline", False),
    ],
)
def test_what_counts(source: str, expected: bool) -> None:
    assert uses_v1(source) is expected
