"""scikit-learn on a small problem, as a good engineer uses it in an afternoon.

Everything is fitted on the train split. The validate split chooses among a few settings of each method by the task's loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks.small.examples import Array, Kinds, Split
from benchmarks.small.metrics import Measure

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
RATES = (0.03, 0.1)
FEWEST_OF_A_VALUE = 5
MOST_VALUES = 254
"""The boosted trees take at most 255 values of a categorical column: the frequent ones, and one for the rest."""


def logistic(kinds: Kinds, binary: bool) -> Iterable[Any]:
    """A linear model of one-hot values and scaled numbers, one per strength of its regularization. Ridge for a regression."""
    for strength in STRENGTHS:
        one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=FEWEST_OF_A_VALUE)
        numbers = make_pipeline(FunctionTransformer(_log1p), StandardScaler())
        model = LogisticRegression(C=strength, max_iter=500) if binary else Ridge(alpha=1.0 / strength)
        parts = ((one_hot, list(kinds.categorical)), (numbers, list(kinds.numeric)))
        yield make_pipeline(make_column_transformer(*parts), model)


def boosted(kinds: Kinds, binary: bool) -> Iterable[Any]:
    """Boosted trees with early stopping, one per learning rate. Categorical columns are categories to them."""
    for rate in RATES:
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=MOST_VALUES)
        parts = ((ordinal, list(kinds.categorical)), ("passthrough", list(kinds.numeric)))
        kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        model = kind(
            learning_rate=rate,
            max_iter=500,
            early_stopping=True,
            categorical_features=range(len(kinds.categorical)),
            random_state=0,
        )
        yield make_pipeline(make_column_transformer(*parts, sparse_threshold=0.0), model)


METHODS: Mapping[str, Callable[[Kinds, bool], Iterable[Any]]] = {"logistic": logistic, "boosted": boosted}


def predictions(
    method: str, kinds: Kinds, measures: Mapping[str, Measure], train: Split, validate: Split, evaluation: Split
) -> dict[str, Array]:
    """Predictions for all eval examples: task -> (n,), each from the setting with the least loss on the validate split."""
    return {
        task: _best(METHODS[method](kinds, measure.binary), task, measure, train, validate, evaluation)
        for task, measure in measures.items()
    }


def _best(
    candidates: Iterable[Any], task: str, measure: Measure, train: Split, validate: Split, evaluation: Split
) -> Array:
    seen, known = train.weights[task] > 0, validate.weights[task] > 0
    best, found = np.inf, np.zeros(evaluation.columns.height)
    for candidate in candidates:
        target = train.labels[task][seen]
        candidate.fit(_frame(train, seen), target.astype(int) if measure.binary else measure.scaled(target))
        guess = _predict(candidate, _frame(validate, known), measure)
        loss = measure.loss(validate.labels[task][known], guess)
        if loss < best:
            best, found = loss, _predict(candidate, _frame(evaluation, np.ones(len(found), np.bool_)), measure)
    return found


def _predict(model: Any, frame: Any, measure: Measure) -> Array:
    if measure.binary:
        found: Array = model.predict_proba(frame)[:, 1]
        return found
    return measure.unscaled(model.predict(frame))


def _frame(split: Split, rows: Any) -> Any:
    return split.columns.filter(rows).to_pandas()


def _log1p(numbers: Any) -> Any:
    return np.sign(numbers) * np.log1p(np.abs(numbers))
