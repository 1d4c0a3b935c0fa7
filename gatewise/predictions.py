"""Predictions, rankings and recommendations for data frames, in this process."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatewise.runs import Run
from models.recipe.errors import InputError
from models.recipe.registry import known
from pipeline.native_stderr import native_stderr_to

if TYPE_CHECKING:
    import pandas as pd

Model = Run | str | Path
"""A run, the folder of a pushed version, or a folder of versions, of which the newest is used."""

_LOADED = 4
"""Number of models that stay in memory."""


def predict(model: Model, df: pd.DataFrame, *, prefix: str = "", missing: Collection[str] = ()) -> pd.DataFrame:
    """The rows with one more column for each task, and `score`, the recipe's `serving.score`: float32.

    A row has the same predictions as in `gatewise predict` (docs/predict.md).

    Args:
        model: a run, a pushed version, or a folder of versions.
        df: rows. Columns that the model does not read may have any type.
        prefix: of the names of the added columns.
        missing: columns of the model that `df` lacks. They are missing in every row.

    Raises:
        InputError: a column is absent or occurs already, or a value does not fit the model.

    Example:
        gatewise.predict("runs/serving/shop", run.examples("eval"), prefix="predicted_")
    """
    import pyarrow as pa

    from gatewise.frames import to_arrow

    with _quiet():
        from models.serving.inputs import is_retrieval, read_inputs
        from pipeline.predicting.model_columns import WrongValueError, check_schema
        from pipeline.predicting.predict_table import BATCH

        version = _version(model)
        if is_retrieval(read_inputs(version)):
            raise InputError(f"{version}: expected a ranker, found a retrieval model, which predicts no task.")
        scorer = _scorer(version)
        table = to_arrow(df, "predict", scorer.inputs)
        _check_missing(missing, scorer.inputs, table.column_names)
        check_schema(table.schema, scorer.inputs, missing, "predict")
        added = {name: f"{prefix}{name}" for name in scorer.outputs}
        clash = [name for name in added.values() if name in df.columns]
        if clash:
            raise InputError(f"predict: the rows have a column {clash[0]!r} already. Give the predictions a prefix.")
        if not table.num_columns:
            raise InputError(f"predict: the rows have no column of the model's: {', '.join(scorer.inputs)}.")
        batches = []
        for start in range(0, max(len(df), 1), BATCH):
            try:
                batches.append(scorer(table.slice(start, BATCH)))
            except WrongValueError as error:
                where = f"predict: row {df.index[start + error.row]}"
                raise InputError(f"{where}, {error.what}. Correct or remove the value.") from None
    predicted = pa.Table.from_batches(batches)
    return df.assign(**{new: predicted.column(name).to_numpy() for name, new in added.items()})


def rank(model: Model, user: Mapping[str, Any], items: pd.DataFrame) -> pd.DataFrame:
    """The items, best first, with a column for each task and `score`.

    Args:
        model: a run, a pushed version, or a folder of versions.
        user: {column: value or list of values} of the user and the context; columns that it lacks are missing.
        items: candidates, one a row. Columns that the model does not read pass through. A column of the context may be here or in
            `user`.

    Returns:
        All rows in the order of the signature `rank` (docs/serving.md), with their index.

    Raises:
        InputError: a column of the user or a value does not fit the model.

    Example:
        gatewise.rank(run, {"country": "DE", "device": "phone"}, items)
    """
    from gatewise.frames import to_arrow

    with _quiet():
        from models.serving.inputs import is_retrieval, read_inputs
        from models.serving.named_rows import rank_columns

        version = _version(model)
        notes = read_inputs(version)
        if is_retrieval(notes):
            raise InputError(f"{version}: expected a ranker, found a retrieval model, which predicts no task.")
        rows = to_arrow(items, "rank", notes["inputs"]).to_pylist() or [{} for _ in range(len(items))]
        page = rank_columns({"user": dict(user), "candidates": rows}, notes["inputs"], "rank")
        clash = [name for name in (*notes["tasks"], "score") if name in items.columns]
        if clash:
            raise InputError(f"rank: the items have a column {clash[0]!r} already. Rename it.")
        if not rows:
            return items.assign(**{name: [] for name in (*notes["tasks"], "score")})
        answers = _ranker(version)(page)
    scored = items.assign(**{name: answers[name] for name in (*notes["tasks"], "score")})
    return scored.iloc[answers["ranking"]]


def recommend(
    model: Model,
    user: Mapping[str, Any],
    k: int = 20,
    *,
    candidates: int | None = None,
    diversity: float = 0.0,
    weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The first k items for a user: the retrieval model finds candidates, and the ranker orders them.

    Args:
        model: a run with the section `retrieval`, the folder of the ranker's versions or one of them, with the retrieval model's
            folder beside it.
        user: {column: value or list of values} of the user and the context, with the lists of item ids `history` and `exclude`. {} is
            an unknown user.
        k: maximum number of items.
        candidates: number of items to rank. By default all that the retrieval model returns.
        diversity: 0: order by score alone; towards 1: prefer items that differ from each other.
        weights: overrides of tunable weights of the score.

    Returns:
        Columns `item`, `score`, `retrieval_score` and the tasks, best first.

    Raises:
        InputError: there is no retrieval model, or a column or a value does not fit.

    Example:
        gatewise.recommend("runs/serving/shop", {"country": "DE"}, k=5)
    """
    import pandas as pd

    if k < 1:
        raise InputError(f"k: expected at least 1, received {k}.")
    folder = model.model if isinstance(model, Run) else Path(model)
    with _quiet():
        from pipeline.recommending.recommend import recommend as recommended

        found = recommended(folder, dict(user), k=k, most_candidates=candidates, diversity=diversity, weights=weights)
    rows = [
        {"item": one["item"], "score": one["score"], "retrieval_score": one["retrieval_score"], **one["tasks"]}
        for one in found.items
    ]
    return pd.DataFrame(rows, columns=["item", "score", "retrieval_score", *found.tasks])


def _check_missing(missing: Collection[str], inputs: Collection[str], columns: Collection[str]) -> None:
    for name in missing:
        if name not in inputs:
            raise InputError(f"missing: the model reads no column {name!r}; {known(name, inputs)}")
        if name in columns:
            raise InputError(f"missing: the rows have a column {name!r}. Leave it out of `missing`, or rename it.")


def _version(model: Model) -> Path:
    from pipeline.predict import newest_version

    return model.model if isinstance(model, Run) else newest_version(Path(model)).resolve()


@functools.lru_cache(_LOADED)
def _scorer(version: Path) -> Any:
    from pipeline.predicting.scorer import Scorer

    return Scorer(version)


@functools.lru_cache(_LOADED)
def _ranker(version: Path) -> Any:
    from models.serving.inference import RANK, load_named

    return load_named(version, RANK)[0]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides what TensorFlow's libraries write to standard error."""
    with tempfile.TemporaryFile() as noise, native_stderr_to(noise.fileno()):
        yield
