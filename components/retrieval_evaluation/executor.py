"""Executor of `RetrievalEvaluator`: reads the eval queries, runs the models, writes the results and the blessing."""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx_bsl.coders import example_coder

from components.evaluation.executor import bless
from components.evaluation.predicting import NotComparable
from components.example_schema import EVAL, TRAIN
from components.interactions.writing import EVAL_ITEMS, EVAL_QUERIES, FILES
from components.retrieval_evaluation.best_items import read_best_items
from components.retrieval_evaluation.plan import RetrievalEvaluationPlan
from components.retrieval_evaluation.reading import Problem, read_problem
from components.retrieval_evaluation.report import evaluate, write_results
from components.retrieval_evaluation.served import check_served, chosen_eval_queries
from components.retrieval_evaluation.vectors import Encode, Vectors, ask
from components.storage.finding import joined
from components.storage.reading import LocalCopy, open_parquet
from models.recipe.errors import InputError
from models.retrieval.inference import load_retrieval
from models.retrieval.plan import ITEMS_FILE

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """The candidate, an older model and the simple methods, on the same eval_queries."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `evaluation` and `blessing`."""
        plan = RetrievalEvaluationPlan.model_validate_json(exec_properties["plan"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        [baseline] = input_dict.get("baseline_model") or [None]
        encode = example_coder.RecordBatchToExamplesEncoder().encode

        started = time.perf_counter()
        problem = read_problem(
            *(
                joined(artifact_utils.get_split_uri(input_dict["interactions"], split), FILES[split])
                for split in (EVAL_QUERIES, EVAL_ITEMS, TRAIN, EVAL)
            ),
            item=plan.item,
            exclude_seen=plan.exclude_seen,
        )
        problem = _with_best_items(problem, plan, exec_properties.get("fingerprint") or "")
        with LocalCopy(_serving(model)) as directory:
            candidate, served = _candidate(directory, problem, encode)
        older, why = None, "there is no older blessed model"
        if baseline is not None:
            with LocalCopy(_serving(baseline)) as directory:
                older, why = _older(directory, problem, encode, candidate.prior is not None)
        asked = time.perf_counter()
        report = evaluate(plan, problem.asked, candidate, older, why, served)
        logger.info(
            "Retrieval: %d eval queries on %d items: models %.1f s, methods and metrics %.1f s.",
            report.eval_queries,
            report.items,
            asked - started,
            time.perf_counter() - asked,
        )
        for gate in report.gates:
            if not gate.held:
                logger.warning("Gate failed: %s", gate.message)

        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        write_results(report, problem.unanswerable, evaluation.uri)
        evaluation.set_int_custom_property("rows", report.eval_queries)
        bless(artifact_utils.get_single_instance(output_dict["blessing"]), report.blessed, model, baseline)


def _with_best_items(problem: Problem, plan: RetrievalEvaluationPlan, fingerprint: str) -> Problem:
    """Adds the truly best items of each query if the recipe names their files."""
    if plan.truth is None:
        return problem
    users, items = (
        pc.list_flatten(table.column(column)).combine_chunks()
        for table, column in ((problem.eval_queries, plan.user), (problem.items, plan.item))
    )
    best = read_best_items(plan.truth, users, items, problem.asked.excluded, plan.k[-1], fingerprint)
    return dataclasses.replace(problem, asked=dataclasses.replace(problem.asked, best=best))


def _candidate(directory: str, problem: Problem, encode: Encode) -> tuple[Vectors, str | None]:
    """The model's vectors, and the first wrong answer of its `serving_default`; None without one."""
    model = load_retrieval(directory)
    vectors = ask(model, problem.eval_queries, problem.items, encode)
    if not model.notes["answers"] or not len(problem.asked) or vectors.not_finite:
        return vectors, None
    chosen = chosen_eval_queries(len(problem.asked))
    with open_parquet(os.path.join(directory, ITEMS_FILE)) as file:
        table = file.read()
    served = check_served(model, table, problem.eval_queries.take(pa.array(chosen)), vectors.queries[chosen])
    return vectors, served


def _older(directory: str, problem: Problem, encode: Encode, prior: bool) -> tuple[Vectors | None, str]:
    """The older model's vectors for the same eval queries and items; or None and the reason why it cannot be compared.

    Args:
        directory: of the older model.
        problem: the eval queries and items.
        encode: record batches -> tf.Examples.
        prior: whether the items have one, as the candidate does.
    """
    try:
        model = load_retrieval(directory)
        if model.notes["prior"] and not prior:
            raise NotComparable("the older model adds a prior to its scores, which the recipe no longer has")
        return ask(model, problem.eval_queries, problem.items, encode), ""
    except (NotComparable, InputError) as error:
        logger.warning("The older model is not compared: %s", error)
        return None, str(error)


def _serving(model: types.Artifact) -> str:
    return os.path.join(model.uri, "Format-Serving")
