from __future__ import annotations

import dataclasses
import math

import pytest

from benchmarks import retrieval_training
from benchmarks.session import Session
from benchmarks.steps.retrieval_problem import ITEM, RetrievalProblem

SMALL = RetrievalProblem(users={"user_id": 30}, items={ITEM: 20, "brand": 5}, dim=4, units=(6,), history=3, batch=16)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ours_beside_the_tutorials_model(tiny: Session) -> None:
    figures = retrieval_training.run(dataclasses.replace(tiny, rows=100), SMALL)
    assert [figure.measured.name for figure in figures] == [
        "two towers, ours",
        "TFRS tutorial, Adagrad",
        "TFRS tutorial, Adam",
    ]
    assert [figure.measured.rows for figure in figures] == [96] * 3
    assert [figure.against for figure in figures] == [None] + [figures[0].measured] * 2
    # Near that of a guess among the 16 of a batch after so few steps, so a loss of a positive in all.
    for figure in figures[1:]:
        assert 0 < figure.measured.answer["loss"] < 2 * math.log(16)
    assert math.isfinite(figures[0].measured.answer["loss"])
