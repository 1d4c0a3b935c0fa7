"""Executor of `References`: reads the splits once, trains each reference and writes its predictions of the eval split."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.example_schema import EVAL, TRAIN, VALIDATE
from components.references.budget import TOLERANCE
from components.references.plan import SINGLE_TASK, ReferencesPlan
from components.references.predictions import write_about, write_predictions
from components.references.training import network_of, reference_plan, train_reference
from components.storage.finding import joined, matching
from components.storage.reading import LocalCopy, open_file, read_text
from models.features.input_pipeline import Columns, read_split
from models.features.layout import LAYOUT_FILE, FeatureLayout
from models.training.checkpoint import TrainingCheckpoint, checkpoint_folder
from models.training.devices import take_memory_as_needed

logger = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Trains the references one after the other. After a kill, the next run resumes from the last checkpoint."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `references`. Without eval examples, trains nothing."""
        take_memory_as_needed()
        plan = ReferencesPlan.model_validate_json(exec_properties["plan"])
        transformed = artifact_utils.get_single_instance(input_dict["transformed_examples"])
        graph = artifact_utils.get_single_instance(input_dict["transform_graph"])
        output = artifact_utils.get_single_instance(output_dict["references"])
        layout = FeatureLayout.from_json(read_text(joined(graph.uri, LAYOUT_FILE)))
        network = network_of(plan.model, layout)
        about: dict[str, Any] = {
            "model": {"architecture": plan.model.architecture, "network_parameters": network.parameters},
            "references": {},
        }
        if not _rows(transformed):
            logger.warning("The eval split has no examples: the references are not trained.")
            write_about(output.uri, about)
            return

        data, validate, evaluation = (_split(transformed, split) for split in (TRAIN, VALIDATE, EVAL))
        checkpoints = []
        for name in plan.references:
            training = reference_plan(plan, name, network)
            key = {"reference": name, "plan": training.model_dump_json(), "code": exec_properties["code"]}
            # Beside the folder of the Trainer, which may run at the same time and removes its own when it is done.
            key |= {"checkpoints": f"{kept}_of_references"} if (kept := exec_properties.get("checkpoints")) else {}
            checkpoints.append(TrainingCheckpoint(checkpoint_folder(Path(output.uri), [transformed.uri], key)))
            found = train_reference(training, name, layout, data, validate, evaluation, checkpoints[-1])
            write_predictions(output.uri, name, evaluation.example_id, found.predictions)
            about["references"][name] = found.about
            share = found.about["network_parameters"] / network.parameters
            words = "%s: %s passes in %.1f s, %d network parameters (%.1f %% of the model's)."
            logger.info(
                words,
                name,
                found.about["passes"],
                found.about["seconds"],
                found.about["network_parameters"],
                100 * share,
            )
            if name == SINGLE_TASK and abs(share - 1.0) > TOLERANCE:
                logger.warning("The network is too small for twins of the same size.")
        write_about(output.uri, about)
        output.set_int_custom_property("rows", len(data.labels))
        for checkpoint in checkpoints:
            checkpoint.remove()


def _split(transformed: types.Artifact, split: str) -> Columns:
    with LocalCopy(artifact_utils.get_split_uri([transformed], split)) as folder:
        return read_split(f"{folder}/*")


def _rows(transformed: types.Artifact) -> int:
    """Number of eval examples."""
    rows = 0
    for path in matching(artifact_utils.get_split_uri([transformed], EVAL), "*.arrow"):
        with open_file(path, mapped=True) as file:
            reader = pa.ipc.open_file(file)
            rows += sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))
    return rows
