from __future__ import annotations

import numpy as np
import pytest

from components.retrieval_evaluation.eval_queries import EvalQueries, TrainPositives
from components.retrieval_evaluation.methods import METHODS
from components.retrieval_evaluation.row_lists import RowLists
from models.recipe.retrieval import BASELINES

ASKED = EvalQueries(
    relevant=RowLists.of([[0], [1], [2]]),
    excluded=RowLists.of([[1], [], [0, 1, 2, 3]]),
    history=RowLists.of([[1], [], [0, 1]]),
    popularity=np.array([3, 4, 0, 1]),
    train=TrainPositives(
        users=np.array([0, 0, 1, 1, 2, 2, 3, 3], np.int32),
        items=np.array([0, 1, 0, 1, 1, 3, 0, 1], np.int32),
        times=np.arange(8, dtype=np.int64),
        latest=7,
    ),
)


def test_the_table_is_the_recipe():
    assert tuple(METHODS) == BASELINES


@pytest.mark.parametrize("method", METHODS)
def test_contract(method):
    found = METHODS[method](ASKED, 3)
    assert found.shape == (3, 3) and found.dtype == np.int32
    for question, line in enumerate(found):
        answered = line[line >= 0]
        assert len(set(answered)) == len(answered)
        assert not set(answered) & set(ASKED.excluded[question])
        assert (line[len(answered) :] == -1).all()
    assert (found[0] >= 0).sum() == 3 and (found[2] == -1).all()
    # Who chose nothing before is answered what is popular.
    assert found[1].tolist() == [1, 0, 3]
    assert METHODS[method](ASKED, 9).shape == (3, 4)
