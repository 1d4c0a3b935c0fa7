from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.steps.problem import StepProblem

SMALL = StepProblem(features=2, table_rows=7, dim=3, batch=4, steps=2, experts=2, units=(5,), tower_units=(2,))


def test_work_of_a_step_by_hand() -> None:
    # 6 -> 5: forward (4, 6) x (6, 5), kernel (6, 4) x (4, 5), input (4, 5) x (5, 6), of two experts.
    assert SMALL.products() == [(2, 4, 6, 5), (2, 6, 4, 5), (2, 4, 5, 6)]
    assert SMALL.flops() == 3 * 2 * 2 * 120
    # Operands and results have 24 + 30 + 20 numbers in each; the batch's rows 4 x 6, passed ten times.
    assert SMALL.traffic() == 4 * 3 * 2 * 74 + 10 * 4 * 24
    assert SMALL.traffic(2) == 2 * 3 * 2 * 74 + 10 * 4 * 24


def test_a_question_carries_it() -> None:
    question = json.loads(json.dumps(SMALL.as_question(device="cpu")))
    assert question["device"] == "cpu"
    assert StepProblem.of(question) == SMALL


def test_whole_steps() -> None:
    assert [SMALL.of_examples(examples).steps for examples in (1, 4, 7, 8)] == [1, 1, 1, 2]
    assert SMALL.examples == 8


def test_features_share_tables() -> None:
    assert [SMALL.table_of(feature) for feature in range(2)] == [0, 1]
    shared = StepProblem(features=5, tables=2)
    assert [shared.table_of(feature) for feature in range(5)] == [0, 1, 0, 1, 0]
    assert (shared.table_count, StepProblem(features=5).table_count) == (2, 5)


@pytest.mark.parametrize(("experts", "expected"), [(8, (3, 2)), (3, (1, 1)), (6, (2, 2))])
def test_experts_of_ple_are_as_many(experts: int, expected: tuple[int, int]) -> None:
    own, shared = StepProblem(experts=experts).ple_experts()
    assert (own, shared) == expected and 2 * own + shared == experts


def test_examples() -> None:
    ids, labels = SMALL.ids(1000), SMALL.labels(1000)
    assert ids.shape == (1000, 2) and set(np.unique(ids)) == set(range(7))
    assert labels.shape == (1000, 2) and 0.07 < labels.mean() < 0.13
    assert np.array_equal(ids, SMALL.ids(1000))
