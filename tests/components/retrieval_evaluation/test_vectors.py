from __future__ import annotations

import numpy as np
import pytest
from tfx_bsl.coders import example_coder

from components.evaluation.predicting import NotComparable
from components.retrieval_evaluation.reading import read_problem
from components.retrieval_evaluation.vectors import Vectors, ask
from models.retrieval.inference import load_retrieval


@pytest.fixture
def problem(interactions):
    paths = (interactions.eval_queries, interactions.items, interactions.train, interactions.evaluated)
    return read_problem(*paths, item="item", exclude_seen=True)


@pytest.fixture
def asked(problem, make_model):
    counter = iter(range(100))

    def asked(**notes):
        artifact = make_model(f"model{next(counter)}", 1, slope=2.0, **notes)
        model = load_retrieval(f"{artifact.uri}/Format-Serving")
        return ask(model, problem.eval_queries, problem.items, example_coder.RecordBatchToExamplesEncoder().encode)

    return asked


def test_with_a_prior_from_the_item_table(asked):
    found = asked()
    assert found.queries.tolist() == [[2, 1], [-2, 1], [0, 1]]
    assert found.items.tolist() == [[0.5, 0], [-1, 0.25], [2, -0.5], [1, 1], [0, 0.125], [3, -4]]
    assert found.prior.tolist() == [0, 0.25, -0.5, 1, 0.125, -4]
    assert found.not_finite == 0


def test_without_one(asked):
    found = asked(prior=False)
    assert found.items[:, 1].tolist() == [0] * 6 and found.prior is None


def test_a_column_that_is_gone(asked):
    with pytest.raises(NotComparable, match="columns that the examples no longer have: colour"):
        asked(item_inputs={"colour": {"type": "bytes"}})
    with pytest.raises(NotComparable, match="reads column 'x' as int"):
        asked(inputs={"x": {"type": "int"}})


def test_the_user_and_the_item_themselves_are_columns(asked):
    # As a list of one value each, though they stand plain in the files.
    asked(
        inputs={"x": {"type": "float"}, "user": {"type": "bytes"}},
        item_inputs={"y": {"type": "float"}, "item": {"type": "bytes"}},
    )


def test_not_finite():
    broken = np.array([[1, np.nan], [np.inf, np.nan], [0, 0]], np.float32)
    assert Vectors(broken, np.ones((4, 2), np.float32)).not_finite == 2
