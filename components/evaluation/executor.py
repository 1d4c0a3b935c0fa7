"""Executor of `Evaluator`: reads the eval split, runs the models, writes the results and the blessing."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx_bsl.coders import example_coder

from components.evaluation import best
from components.evaluation.eval_predictions import write_predictions
from components.evaluation.plan import EvaluationPlan
from components.evaluation.predicting import NotComparable, predict_batches, predict_raw
from components.evaluation.reading import BATCH_ROWS, check_tasks, packed_batches, read_examples, train_means
from components.evaluation.references import read_references, with_references
from components.evaluation.report import evaluate
from components.evaluation.results import write_report
from components.evaluation.truth import read_truth
from components.example_schema import EVAL, TRAIN
from components.storage.finding import matching
from components.storage.reading import LocalCopy
from components.storage.writing import write_text
from models.recipe.errors import InputError
from models.serving.inference import load_predictor, load_server
from models.serving.inputs import read_inputs

logger = logging.getLogger(__name__)

BEST_VALUES = "best_values"
"""Property of a blessing: the best blessed values up to it (`components/evaluation/best.py`)."""


class Executor(base_executor.BaseExecutor):
    """Evaluates the candidate and an older model on the same eval examples."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `evaluation` and `blessing`."""
        plan = EvaluationPlan.model_validate_json(exec_properties["plan"])
        raw_artifact = artifact_utils.get_single_instance(input_dict["examples"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        [baseline] = input_dict.get("baseline_model") or [None]
        raw = _files(raw_artifact, "*.parquet")
        arrow = artifact_utils.get_single_instance(input_dict["transformed_examples"])
        transformed = _files(arrow, "*.arrow")
        kept = exec_properties.get("kept_best", "")
        record = best.read_kept(kept) if kept else _handed_on(input_dict.get("baseline_blessing", []))

        times = [time.perf_counter()]
        examples = read_examples(raw, transformed, plan.columns, event_id=plan.truth is not None)
        check_tasks(examples, plan.tasks)
        fingerprint = exec_properties.get("fingerprint") or ""
        truth = read_truth(plan.truth, examples.event_ids, fingerprint) if plan.truth else None
        means = train_means(_files(arrow, "*.arrow", TRAIN))
        times.append(time.perf_counter())
        with LocalCopy(_serving(model)) as directory:
            candidate = _predict(directory, transformed, examples.rows)
        times.append(time.perf_counter())
        older, why = None, "there is no older blessed model"
        if baseline is not None:
            with LocalCopy(_serving(baseline)) as directory:
                older, why = _older(directory, raw)
        times.append(time.perf_counter())
        report = evaluate(plan, examples, candidate, older, why, truth, means, record)
        if references := input_dict.get("references"):
            report = with_references(report, plan, examples, candidate, read_references(references[0].uri, transformed))
        times.append(time.perf_counter())
        seconds = "%d examples: read in %.1f s, candidate's predictions %.1f s, baseline's %.1f s, metrics %.1f s."
        logger.info(f"Evaluation of {seconds}", examples.rows, *np.diff(times))
        for gate in report.gates:
            if not gate.held:
                logger.warning("Gate failed: %s", gate.message)

        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        write_report(report, plan, evaluation.uri, model.uri, raw_artifact.uri)
        write_predictions(evaluation.uri, raw, examples, list(plan.tasks), candidate)
        evaluation.set_int_custom_property("rows", examples.rows)
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        bless(blessing, report.blessed, model, baseline)
        if report.blessed:
            record = best.improved(record, report.values, model.uri)
            blessing.set_string_custom_property(BEST_VALUES, best.to_text(record))
            if kept:
                best.keep(record, kept)


def bless(blessing: types.Artifact, blessed: bool, model: types.Artifact, baseline: types.Artifact | None) -> None:
    """Sets the properties and writes the file that the stock Pusher and resolvers read."""
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if baseline is not None:
        blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri)
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    write_text(os.path.join(blessing.uri, name), "")
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)


def _handed_on(blessings: Sequence[types.Artifact]) -> dict[str, best.Best]:
    """The record of the newest older blessing; empty if it has none."""
    return best.from_text(blessings[0].get_string_custom_property(BEST_VALUES)) if blessings else {}


def _predict(directory: str, transformed: Sequence[str], rows: int) -> dict[str, NDArray[np.float32]]:
    """The candidate's predictions for all rows of the transformed files, in their order."""
    batches = (packed for path in transformed for packed in packed_batches(path))
    return predict_batches(load_predictor(directory, BATCH_ROWS), batches, rows)


def _older(directory: str, raw: Sequence[str]) -> tuple[dict[str, NDArray[np.float32]] | None, str]:
    """The baseline's predictions for the same rows; or None and the reason why it cannot be compared."""
    try:
        inputs = read_inputs(directory)["inputs"]
        encoder = example_coder.RecordBatchToExamplesEncoder()
        return predict_raw(load_server(directory, logged=True), encoder.encode, inputs, raw), ""
    except (NotComparable, InputError) as error:
        logger.warning("The baseline model is not compared: %s", error)
        return None, str(error)


def _serving(model: types.Artifact) -> str:
    return os.path.join(model.uri, "Format-Serving")


def _files(artifact: types.Artifact, pattern: str, split: str = EVAL) -> list[str]:
    return matching(artifact_utils.get_split_uri([artifact], split), pattern)
