"""docs/troubleshooting.md quotes messages that the source has."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = [message for _, message in re.findall(r"^- (``?)(.+)\1$", PAGE, re.MULTILINE)]


@functools.cache
def texts() -> tuple[str, ...]:
    """Every text in the source; of an f-string the fixed words, with `...` for each value."""
    found = set()
    for folder in ("components/event_logs", "components/validation", "models/recipe", "models/training", "pipeline"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    found.add(
                        "".join(
                            str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "..."
                            for part in node.values
                        )
                    )
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return tuple(found)


@pytest.mark.parametrize("message", MESSAGES)
def test_each_quoted_message_is_one_text_of_the_source(message: str) -> None:
    words = message.split("...")
    assert max(map(len, words)) >= 12 or message.startswith(("unknown key ", "no column ", "gate failed")), (
        "too few fixed words"
    )
    quoted = re.compile(".*?".join(map(re.escape, words)), re.DOTALL)
    assert any(quoted.search(text) for text in texts())


def test_each_message_has_a_cure_below_it() -> None:
    assert len(MESSAGES) >= 20
    parts = re.split(r"^- `.*`$", PAGE, flags=re.MULTILINE)[1:]
    for message, part in zip(MESSAGES, parts, strict=True):
        assert re.match(r"\n\n  \S", part), message
