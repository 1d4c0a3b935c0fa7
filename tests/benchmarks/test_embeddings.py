from __future__ import annotations

import dataclasses

import pytest

from benchmarks import embeddings
from benchmarks.embeddings import KINDS, MEMORY, fitting
from benchmarks.session import Session
from benchmarks.steps.problem import StepProblem

SMALL = StepProblem(features=3, dim=4, batch=32, steps=2, experts=2, units=(4,), tower_units=(4,))


def test_bytes_by_hand() -> None:
    # 100 rows of 4 numbers: the numbers, and nothing, one number a row or two for each; 4 bytes a row of scratch.
    assert KINDS["adagrad"].bytes_of(100, 4) == 100 * (16 + 4)
    assert KINDS["adam"].bytes_of(100, 4) == 100 * 3 * 16
    assert KINDS["adam"].needs(100, 4) == 100 * (3 * 16 + 4)
    assert KINDS["keras"].needs(100, 4) == 100 * (5 * 16 + 4)


def test_as_many_tables_as_fit() -> None:
    each = KINDS["adam"].needs(100, 4)
    assert [fitting(KINDS["adam"], SMALL, 100, memory) for memory in (each, 3 * each - 1, 99 * each)] == [1, 2, 3]
    with pytest.raises(ValueError, match="adam: a table of 100 rows needs .* GiB may be used: use fewer --rows"):
        fitting(KINDS["adam"], SMALL, 100, each - 1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_runs(tiny: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "SHARES", (10, 1))
    figures = embeddings.run(dataclasses.replace(tiny, rows=200), SMALL, memory=2**20)
    assert len(figures) == 2 * len(KINDS)
    small, large = figures[:2]
    assert (small.measured.name, large.measured.name) == ("adagrad, 3 x 20", "adagrad, 3 x 200")
    assert large.against is small.measured and large.target.ratio_at_most == 2.5
    assert MEMORY in large.shares and not small.shares
