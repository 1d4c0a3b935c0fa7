from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.peers.census_grid import best_of

GRID = {"leaves": (15, 31), "rate": (0.1, 0.3)}


def test_the_largest_score_and_no_combination_twice(tmp_path: Path) -> None:
    tried: list[Mapping[str, Any]] = []

    def score(options: Mapping[str, Any]) -> float:
        tried.append(options)
        if len(tried) == 3:
            raise KeyboardInterrupt
        return options["leaves"] * options["rate"]

    kept = tmp_path / "kept" / "grid.jsonl"
    try:
        best_of(GRID, score, kept)
    except KeyboardInterrupt:
        assert len(tried) == 3
    assert best_of(GRID, score, kept) == {"leaves": 31, "rate": 0.3}
    assert [tuple(options.values()) for options in tried] == [(15, 0.1), (15, 0.3), (31, 0.1), (31, 0.1), (31, 0.3)]
    assert best_of(GRID, score, kept) == {"leaves": 31, "rate": 0.3}
    assert len(tried) == 5
