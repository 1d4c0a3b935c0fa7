"""The evaluation: from eval queries and vectors to metrics of every method, gates, and the file retrieval.json."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from components.evaluation.scores import Value
from components.retrieval_evaluation.eval_queries import EvalQueries
from components.retrieval_evaluation.exact_top_k import exact_top_k, products, top_k_of_ranking
from components.retrieval_evaluation.exposure import effective_number, inverse_exposure
from components.retrieval_evaluation.gates import OLDER, PRIOR, TWO_TOWER, GateResult, check_gate
from components.retrieval_evaluation.methods import METHODS, popular
from components.retrieval_evaluation.metrics import measure, true_recalls
from components.retrieval_evaluation.plan import RetrievalEvaluationPlan
from components.retrieval_evaluation.ratio import Difference, Ratio, difference
from components.retrieval_evaluation.row_lists import Rows
from components.retrieval_evaluation.vectors import Vectors
from components.storage.writing import write_text
from models.recipe.retrieval import TRUE_RECALL, metric_names

RESULTS = "retrieval.json"
"""{"methods": {method: {metric: value or null}}, "eval_queries", "items", "relevant", "without_history": numbers,
"with_truth": number of eval queries whose truly best items are known, or null if the recipe names no truth,
"differences": {recall: {other method: {"difference", "standard_error", "lower", "upper"}}}: candidate less method,
"effective_relevant": effective number of relevant items in the weighted recall,
"gates": [{"metric", "limit", "value", "held", "message"}], "older": why no older model is among the methods, or null,
"unanswerable": share of the eval split's positives whose item nobody could answer, or null}"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that was measured.

    Attributes:
        methods: method -> metric -> value; the candidate is first, an older model last.
        eval_queries, items: how many.
        relevant: relevant items of all eval queries together.
        without_history: eval queries of users who chose nothing before.
        with_truth: eval queries whose truly best items are known; None if the recipe names no truth.
        effective_relevant: effective number of relevant items in the weighted recall.
        differences: recall -> other method -> how much larger the candidate's is.
        gates: in the order of the recipe; before them what is wrong with the model itself.
        older: why there is no older model among the methods; None if there is one.
    """

    methods: dict[str, dict[str, Value]]
    eval_queries: int
    items: int
    relevant: int
    without_history: int
    with_truth: int | None
    effective_relevant: float
    differences: dict[str, dict[str, Difference]]
    gates: list[GateResult]
    older: str | None

    @property
    def blessed(self) -> bool:
        """Whether every gate holds. True without gates."""
        return all(gate.held for gate in self.gates)

    def to_json(self) -> dict[str, Any]:
        """The content of retrieval.json."""
        return dataclasses.asdict(self)


def evaluate(
    plan: RetrievalEvaluationPlan,
    asked: EvalQueries,
    candidate: Vectors,
    older: Vectors | None = None,
    no_older: str = "there is no older blessed model",
    served: str | None = None,
) -> Report:
    """Measures every method on the same eval queries, and checks the gates of the candidate.

    Args:
        plan: what to measure.
        asked: the eval queries.
        candidate: vectors of the candidate.
        older: vectors of an older model for the same eval queries and items; None without one.
        no_older: why there is no older model, as text.
        served: the first wrong answer of the exported candidate, as text; None without one.
    """
    longest = plan.k[-1]
    if older is not None and (broken := older.not_finite):
        older, no_older = None, f"{broken} of its vectors are not finite"

    weights = inverse_exposure(asked.exposure, asked.relevant)
    names = metric_names(plan.k, truth=asked.best is not None)

    ratios: dict[str, dict[str, Ratio]] = {}

    def measured(name: str, answers: Rows) -> dict[str, Value]:
        found, ratios[name] = measure(answers, asked.relevant, asked.popularity, weights, plan.k)
        if asked.best is not None:
            ratios[name] |= (true := true_recalls(answers, asked.best, plan.k))
            found |= {metric: ratio.value for metric, ratio in true.items()}
        return {metric: found[metric] for metric in names}

    def of_model(name: str, vectors: Vectors) -> dict[str, Value]:
        if vectors.not_finite:
            return dict.fromkeys(names)
        scores = products(vectors.queries, vectors.items)
        return measured(name, exact_top_k(scores, len(asked), asked.items, longest, asked.excluded))

    methods = {TWO_TOWER: of_model(TWO_TOWER, candidate)}
    methods |= {name: measured(name, method(asked, longest)) for name, method in METHODS.items()}
    if candidate.prior is not None:
        methods[PRIOR] = measured(PRIOR, top_k_of_ranking(popular(candidate.prior), longest, asked.excluded))
    methods |= {OLDER: of_model(OLDER, older)} if older is not None else {}
    gates = [*_finite(candidate), *_served(served)]
    with_truth = None if asked.best is None else int((asked.best >= 0).any(axis=1).sum())
    for gate in plan.gates:
        gates += check_gate(gate, methods, no_older, _no_value(gate.metric, len(asked), with_truth))
    return Report(
        methods=methods,
        eval_queries=len(asked),
        items=asked.items,
        relevant=len(asked.relevant.rows),
        without_history=int((asked.history.lengths == 0).sum()),
        with_truth=with_truth,
        differences=_differences(ratios),
        effective_relevant=effective_number(weights[asked.relevant.rows]),
        gates=gates,
        older=no_older if older is None else None,
    )


def _differences(ratios: Mapping[str, Mapping[str, Ratio]]) -> dict[str, dict[str, Difference]]:
    """The candidate's recalls less those of the other methods, where there is an interval."""
    found: dict[str, dict[str, Difference]] = {}
    for metric, ratio in ratios.get(TWO_TOWER, {}).items():
        against = {name: difference(ratio, theirs[metric]) for name, theirs in ratios.items() if name != TWO_TOWER}
        found[metric] = {name: one for name, one in against.items() if one is not None}
    return found


def _no_value(metric: str, eval_queries: int, with_truth: int | None) -> str:
    """The common reason why a metric has no value, as text; "" without one."""
    if not eval_queries:
        return "no user of the eval split chose an item that was known before it"
    if metric.split("@")[0] == TRUE_RECALL and not with_truth:
        return "the truly best items of no eval query are known"
    return ""


def _finite(vectors: Vectors) -> Sequence[GateResult]:
    """An implicit gate: a model with NaN or infinite vectors is never pushed."""
    if not vectors.not_finite:
        return []
    number = len(vectors.queries) + len(vectors.items)
    words = f"{TWO_TOWER}: {vectors.not_finite} of {number} vectors of users and items are not finite; required 0."
    limit = "only finite vectors"
    return [GateResult(metric="not_finite", limit=limit, value=vectors.not_finite, held=False, message=words)]


def _served(difference: str | None) -> Sequence[GateResult]:
    """An implicit gate: the exported model must answer what its vectors imply. Otherwise the metrics do not describe it."""
    if difference is None:
        return []
    limit = "the answers of the exact computation"
    words = (
        f"{TWO_TOWER}: serving_default and the model's vectors give different answers: {difference}; required {limit}."
    )
    return [GateResult(metric="served_answers", limit=limit, value=None, held=False, message=words)]


def write_results(report: Report, unanswerable: float | None, folder: str) -> None:
    """Writes the file atomically.

    Args:
        report: report of the evaluation.
        unanswerable: share of the eval split's positives with an item that was unknown before the split.
        folder: folder of the ModelEvaluation artifact.
    """
    found = {**report.to_json(), "unanswerable": unanswerable}
    write_text(os.path.join(folder, RESULTS), json.dumps(found, indent=1, allow_nan=False))
