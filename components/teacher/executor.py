"""Executor of `Teacher`: finds the blessed model and writes its predictions."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils
from tfx_bsl.coders import example_coder

from components.baselines.executor import FOUND
from components.evaluation.predicting import NotComparable, predict_raw
from components.example_schema import EXAMPLE_ID, TRAIN
from components.storage.finding import joined, matching
from components.storage.reading import LocalCopy, open_parquet
from components.storage.writing import whole_file
from models.files.version_folders import version_folders
from models.recipe.errors import InputError
from models.serving.inference import load_server
from models.serving.inputs import read_inputs
from models.training.teacher_file import PREDICTIONS, write_predictions

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Predicts the raw train examples: a blessed model has its own vocabularies, so it cannot read the transformed ones."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `teacher`. Without a model, or with one that reads columns that are gone, a table without tasks."""
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        output = artifact_utils.get_single_instance(output_dict["teacher"])
        files = matching(artifact_utils.get_split_uri([examples], TRAIN), "*.parquet")
        tasks, predictions = json.loads(exec_properties["tasks"]), {}
        folder = _folder(input_dict.get("model") or [], exec_properties.get("served") or "")
        if folder is None:
            logger.warning("The model learns from its labels alone: there is no older blessed model to learn from yet.")
        else:
            with LocalCopy(folder) as directory:
                try:
                    predictions = _predictions(directory, files, tasks)
                except (NotComparable, InputError) as error:
                    logger.warning(
                        "The model learns from its labels alone: the blessed model cannot predict: %s", error
                    )
        with whole_file(joined(path_utils.serving_model_dir(output.uri), PREDICTIONS)) as temporary:
            write_predictions(Path(temporary), _example_ids(files), predictions)
        output.set_int_custom_property(FOUND, int(bool(predictions)))
        logger.info("Teacher: %s predicts %s.", folder, ", ".join(predictions) or "nothing")


def _folder(models: list[types.Artifact], served: str) -> str | None:
    """Folder of the blessed model: the given one, or the newest that was pushed."""
    if models:
        return str(path_utils.serving_model_dir(models[0].uri))
    versions = version_folders(Path(served)) if served else {}
    return str(versions[max(versions)]) if versions else None


def _predictions(directory: str, files: list[str], tasks: Mapping[str, str]) -> dict[str, NDArray[np.float32]]:
    """The model's predictions of the wanted tasks that it has, with the same kind."""
    notes = read_inputs(directory)
    found = predict_raw(
        load_server(directory, logged=True), example_coder.RecordBatchToExamplesEncoder().encode, notes["inputs"], files
    )
    return {
        task: found[task] for task, kind in tasks.items() if task in found and notes["tasks"].get(task, kind) == kind
    }


def _example_ids(files: list[str]) -> NDArray[np.int64]:
    """The ids of all examples, in the order of the files."""
    ids = []
    for path in files:
        with open_parquet(path) as parquet:
            ids.append(parquet.read([EXAMPLE_ID])[EXAMPLE_ID].combine_chunks().flatten().to_numpy())
    return np.concatenate(ids) if ids else np.zeros(0, np.int64)
