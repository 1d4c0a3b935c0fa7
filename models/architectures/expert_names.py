"""Names of experts: whose they are, and a number."""

from __future__ import annotations

from collections.abc import Mapping

ALL = "all tasks"
"""Whose the shared experts are. No task has this name."""


def numbered(counts: Mapping[str, int]) -> tuple[str, ...]:
    """{whose: number of experts} -> "click 1", "click 2", "all tasks 1" ..."""
    return tuple(f"{whose} {number + 1}" for whose, count in counts.items() for number in range(count))
