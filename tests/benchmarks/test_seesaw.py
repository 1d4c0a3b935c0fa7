"""The figure of the seesaw between opposed tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.seesaw import draw, gains, options_of

AUCS = {
    "single_task": {"click": [0.70, 0.72], "order": [0.60, 0.61]},
    "mmoe": {"click": [0.71, 0.71], "order": [0.63, 0.60]},
}


def test_a_gain_is_over_the_same_seed() -> None:
    found = gains(AUCS)
    assert list(found) == ["mmoe"]
    assert found["mmoe"]["click"] == pytest.approx([0.01, -0.01])
    assert found["mmoe"]["order"] == pytest.approx([0.03, -0.01])


def test_the_options_of_each_architecture() -> None:
    assert options_of("shared_bottom", 7) == {"units": (7,), "tower_units": (16,)}
    assert options_of("ple", 7)["shared_experts"] == 2


def test_the_figure_is_the_same_twice(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        draw(gains(AUCS), tmp_path / name)
    first, second = ((tmp_path / name).read_text() for name in ("one.svg", "two.svg"))
    assert first == second
    assert "AUC minus that of single_task" in first and "mmoe" in first
