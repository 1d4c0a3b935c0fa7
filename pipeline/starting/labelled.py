"""Examples that already have labels: the files of each split, the labels and the weight."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from pipeline.starting import words
from pipeline.starting.answers import Answers, refuse
from pipeline.starting.sampling import Sample, columns
from pipeline.starting.sources import plain_name
from pipeline.starting.streams import AT
from pipeline.starting.times import FoundTime, find_time
from pipeline.starting.windows import LABEL

_EVAL = re.compile(r"(?:^|_)(?:test|eval|holdout)(?:$|_)")
_VALIDATE = re.compile(r"(?:^|_)(?:val|valid|validate|validation|dev)(?:$|_)")
_WEIGHT = re.compile(r"(?:^|_)weights?$")
_FEW = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundLabel:
    """A label column.

    Attributes:
        task: name of the task.
        column: the column.
        positive: values that count as 1; () if the column has 0 and 1.
        kind: binary or regression.
        note: why.
        unsure: alternatives, or "".
    """

    task: str
    column: str
    positive: tuple[Any, ...]
    kind: str
    note: str
    unsure: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundExamples:
    """Labelled examples.

    Attributes:
        sample: the rows of `path`.
        frame: its rows, with a column LABEL + task for each binary label.
        eval_path, validate_path: files of the other splits; None if `path` is divided.
        time: None if the examples have none.
        labels: at least one.
        weight: column that may be the weight of the examples; None if there is none.
    """

    sample: Sample
    frame: pl.DataFrame
    eval_path: str | None
    validate_path: str | None
    time: FoundTime | None
    labels: tuple[FoundLabel, ...]
    weight: str | None


def split_files(samples: Sequence[Sample]) -> tuple[Sample, Sample | None, Sample | None] | None:
    """(train, eval, validate) if the sources have the same columns and names such as train, test and valid; else None."""
    first = set(columns(samples[0].frame))
    if len(samples) > 3 or any(set(columns(sample.frame)) != first for sample in samples):
        return None
    evals = [sample for sample in samples if _EVAL.search(sample.source.name)]
    validates = [sample for sample in samples if _VALIDATE.search(sample.source.name) and sample not in evals]
    trains = [sample for sample in samples if sample not in evals and sample not in validates]
    if len(trains) != 1 or len(evals) > 1 or len(validates) > 1:
        return None
    return trains[0], next(iter(evals), None), next(iter(validates), None)


def find_examples(train: Sample, evaluate: Sample | None, validate: Sample | None, answers: Answers) -> FoundExamples:
    """The roles of the columns of labelled examples.

    Raises:
        InputError: no column is known to be a label, and no option names one; or as `find_time`.
    """
    frame, name = train.frame, train.source.name
    time = find_time(frame, name, answers, event=False)
    if time is not None:
        frame = frame.with_columns(time.micros(frame).alias(AT))
    labels = _labels(frame, name, answers)
    for label in labels:
        if label.kind == "binary":
            known = (
                pl.col(label.column).is_in(list(label.positive))
                if label.positive
                else pl.col(label.column).cast(pl.Float64) > 0
            )
            frame = frame.with_columns(known.alias(LABEL + label.task))
    weight = next(
        (name for name in columns(frame) if _WEIGHT.search(words.snake(name)) and frame[name].dtype.is_numeric()), None
    )
    return FoundExamples(
        sample=train,
        frame=frame,
        eval_path=evaluate.source.path if evaluate else None,
        validate_path=validate.source.path if validate else None,
        time=time,
        labels=tuple(labels),
        weight=weight,
    )


def _labels(frame: pl.DataFrame, name: str, answers: Answers) -> list[FoundLabel]:
    for column in answers.labels:
        if column not in columns(frame):
            refuse(
                name,
                f"--label: no column is called {column!r}. Its columns: {', '.join(columns(frame))}.",
                (),
                "--label COLUMN",
            )
    guessed = [column for column in columns(frame) if words.is_label(column) and _distinct(frame[column]) == 2]
    if not answers.labels and not guessed:
        two = [column for column in columns(frame) if _distinct(frame[column]) == 2][:_FEW]
        guessed = [
            answers.decide(
                name,
                "no name of a column says that it is a label, and no other stream has outcomes.",
                two,
                "--label COLUMN",
            )
        ]
    found: list[FoundLabel] = []
    for column in answers.labels or guessed:
        unsure = (
            ""
            if answers.labels
            else "the label is an assumption from its name. Alternative: --label COLUMN, repeatable"
        )
        taken = [label.task for label in found]
        found.append(_label(frame[column], column, plain_name(column, taken), unsure, answers))
    return found


def _label(values: pl.Series, column: str, task: str, unsure: str, answers: Answers) -> FoundLabel:
    counts = values.drop_nulls().value_counts().sort(["count", column])
    kinds = counts[column].to_list()
    if (values.dtype.is_numeric() and set(kinds) <= {0, 1}) or values.dtype == pl.Boolean:
        share = float(values.cast(pl.Float64).mean() or 0)  # type: ignore[arg-type]
        return FoundLabel(
            task=task, column=column, positive=(), kind="binary", note=f"{share:.2%} are 1", unsure=unsure
        )
    if values.dtype.is_numeric() and len(kinds) > 2:
        note = f"a number with {len(kinds):,} values"
        return FoundLabel(task=task, column=column, positive=(), kind="regression", note=note, unsure=unsure)
    if len(kinds) < 2 or len(kinds) > _FEW:
        refuse(
            task,
            f"the column {column!r} has {len(kinds)} distinct values; a label has two, or is a number.",
            (),
            "--label COLUMN",
        )
    rarer = answers.choose(f"Which value of {column} is positive?", [str(kind) for kind in kinds], str(kinds[0]))
    positive = next(kind for kind in kinds if str(kind) == rarer)
    share = counts.filter(pl.col(column) == positive)["count"].item() / values.len()
    others = ", ".join(repr(kind) for kind in kinds if kind != positive)
    said = "" if answers.ask else f"the rarest value is taken as the positive one. Alternatives: {others}"
    return FoundLabel(
        task=task,
        column=column,
        positive=(positive,),
        kind="binary",
        note=f"{share:.2%} are {positive!r}",
        unsure="; ".join(part for part in (unsure, said) if part),
    )


def _distinct(values: pl.Series) -> int:
    return 0 if values.dtype.is_nested() else values.drop_nulls().n_unique()
