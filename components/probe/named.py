"""Requests with named columns: the signatures `raw` and `rank`, with real and unusual rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from components.probe.answers import differences, faults
from components.probe.plan import ProbePlan
from models.recipe import formula
from models.recipe.formula import RANK_OUTPUTS
from models.serving.named_rows import named_columns, page_of, rank_columns

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Rows = Sequence[Mapping[str, Any]]
Inputs = Mapping[str, Mapping[str, Any]]

MANY = 2000
"""Number of candidates in the largest request."""

UNSEEN: dict[str, Any] = {"bytes": b"gatewise: a value never seen", "int": 2**63 - 1, "float": None}
"""Numbers have no unseen values, only values larger than those in training. Neither have integers that are numbers too."""


def ask_raw(
    raw: Ask, rows: Rows, inputs: Inputs, plan: ProbePlan, predictions: Mapping[str, Any], ids: list[int]
) -> list[str]:
    """Faults of `raw` for the real rows as one batch, for one row, and for a request without columns."""
    found = faults(raw({}), plan.tasks, 1, "raw without a column")
    for count, what in ((len(rows), "raw, as one batch"), (1, "raw, one row")):
        answer = raw(named_columns(rows[:count], inputs, inputs, what))
        found += faults(answer, plan.tasks, count, what)
        if not found:
            expected = {task: values[:count] for task, values in predictions.items()}
            found += differences(answer, expected, ids, plan.tolerance, what)
    return found


def ask_rank(
    rank: Ask,
    server: Callable[[list[bytes]], Mapping[str, Any]],
    rows: Rows,
    inputs: Inputs,
    plan: ProbePlan,
    predictions: Mapping[str, Any],
    ids: list[int],
) -> list[str]:
    """Faults of `rank`.

    Each real row's user is ranked with all rows as candidates. The row's own prediction must equal the trainer's, the others
    those of `server` for the same user and candidate. Further requests have unseen values, empty lists, missing columns, one
    candidate, and MANY candidates.
    """
    found: list[str] = []
    for number, row in enumerate(rows):
        what = f"rank, user of example {ids[number]}"
        answer, problems = _ranked(rank, server, row, rows, inputs, plan, what)
        if not problems:
            own = {task: [answer[task][number]] for task in plan.tasks}
            expected = {task: [values[number]] for task, values in predictions.items()}
            problems = differences(own, expected, [ids[number]], plan.tolerance, what)
        found += problems
        if problems:
            return found
    unseen = unseen_row(inputs, plan)
    empty: dict[str, Any] = {column: [] for column in inputs}
    many = [rows[place % len(rows)] for place in range(MANY)]
    odd: tuple[tuple[str, Mapping[str, Any], Rows], ...] = (
        ("unseen values", unseen, [unseen, *rows]),
        ("empty lists", empty, [empty, *rows]),
        ("missing columns", {}, [{}, *rows]),
        ("one candidate", rows[0], rows[:1]),
        (f"{MANY:,} candidates", rows[0], many),
    )
    for what, user, candidates in odd:
        found += _ranked(rank, server, user, candidates, inputs, plan, f"rank, {what}")[1]
    return [*found, *faults(_tasks(rank({}), plan), plan.tasks, 1, "rank without a column")]


def unseen_row(inputs: Inputs, plan: ProbePlan) -> dict[str, Any]:
    """A row of values that training never saw."""
    return {column: UNSEEN["float" if column in plan.quantities else about["type"]] for column, about in inputs.items()}


def _ranked(
    rank: Ask,
    server: Callable[[list[bytes]], Mapping[str, Any]],
    user: Mapping[str, Any],
    candidates: Rows,
    inputs: Inputs,
    plan: ProbePlan,
    what: str,
) -> tuple[Mapping[str, Any], list[str]]:
    """The answer to one request and its faults."""
    from models.serving.inputs import serialize_examples

    request = page_of(user, candidates, inputs)
    answer = rank(rank_columns(request, inputs, what))
    if set(answer) != {*plan.tasks, *RANK_OUTPUTS}:
        return answer, [f"{what}: expected {sorted((*plan.tasks, *RANK_OUTPUTS))}, received {sorted(answer)}"]
    found = faults(_tasks(answer, plan), plan.tasks, len(candidates), what)
    if found:
        return answer, found
    whole = [{**candidate, **request["user"]} for candidate in request["candidates"]]
    same = server(serialize_examples(whole, inputs))
    found += differences(answer, same, list(range(len(whole))), plan.tolerance, what, "serving_default")
    return answer, [*found, *_misranked(answer, plan, what)]


def _tasks(answer: Mapping[str, Any], plan: ProbePlan) -> dict[str, Any]:
    return {name: values for name, values in answer.items() if name not in RANK_OUTPUTS}


def _misranked(answer: Mapping[str, Any], plan: ProbePlan, what: str) -> list[str]:
    """Checks that the score is the recipe's formula and that the ranking is descending and stable, with NaN last."""
    parsed = formula.parse(plan.score, tuple(plan.tasks), tuple(plan.weights))
    weights = {name: np.float32(value) for name, value in plan.weights.items()}
    with np.errstate(all="ignore"):
        expected = formula.evaluate(parsed, {**_tasks(answer, plan), **weights})
    got = np.asarray(answer["score"])
    numbers = np.isfinite(expected)
    found = (
        [] if got.shape == expected.shape else [f"{what}: expected scores of shape {expected.shape}, not {got.shape}"]
    )
    if not found and not np.array_equal(numbers, np.isfinite(got)):
        found = [f"{what}: the score and the formula {plan.score!r} are not finite at the same candidates"]
    if not found:
        shown = {"score": got[numbers]}, {"score": expected[numbers]}
        found = differences(*shown, np.flatnonzero(numbers).tolist(), plan.tolerance, what, "formula")
    order = np.argsort(-np.where(np.isnan(got), -np.inf, got), kind="stable")
    if not found and not np.array_equal(answer["ranking"], order):
        found = [f"{what}: the ranking is not the order of the scores"]
    return found
