from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks import training_step
from benchmarks.session import Session
from benchmarks.steps.problem import StepProblem
from benchmarks.steps.shares import PRODUCTS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
# The first and the last feature share a table.
SMALL = StepProblem(features=4, table_rows=50, tables=3, dim=4, batch=64, experts=3, units=(8, 4), tower_units=(4,))


def test_each_architecture_beside_the_peer(tiny: Session, peers: Path) -> None:
    figures, rates = training_step.run(dataclasses.replace(tiny, rows=200), SMALL, peers)
    assert [figure.measured.name for figure in figures[:4]] == [
        "MMoE, ours",
        "MMoE, ours, bfloat16",
        "MMoE, torch-rechub",
        "MMoE, torch-rechub, no loader",
    ]
    assert [figure.measured.rows for figure in figures] == [192] * 8
    assert [figure.against for figure in figures[4:]] == [None] + [figures[4].measured] * 3
    assert figures[6].target.ratio == 1.3 and figures[4].target.shares == {PRODUCTS: 0.7}
    assert all(0 < figure.shares[PRODUCTS] < 1 for figure in figures)
    assert set(rates) == {"float32", "bfloat16", "bytes"} and min(rates.values()) > 1e6
