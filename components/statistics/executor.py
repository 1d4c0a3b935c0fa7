"""Executor of `Statistics`: finds the files, runs the Beam pipeline, sets the artifact's properties."""

from __future__ import annotations

import json
import os
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.beam.running import running
from components.statistics.describe import Describe, SplitPlan
from components.statistics.plan import StatisticsPlan
from components.statistics.protos import CATEGORIES_FILE, STATISTICS_FILE
from components.statistics.reading import files_of
from components.storage.finding import matching
from components.storage.reading import read_bytes


class Executor(base_beam_executor.BaseBeamExecutor):
    """Summaries of the columns of every split."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the statistics of all splits of `examples` into `statistics`."""
        plan = StatisticsPlan.model_validate_json(exec_properties["plan"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = artifact_utils.get_single_instance(output_dict["statistics"])

        statistics.split_names = examples.split_names
        statistics.span = examples.span

        plans = {}
        for split in artifact_utils.decode_split_names(examples.split_names):
            files = files_of(split, matching(artifact_utils.get_split_uri([examples], split), "*.parquet"))
            folder = artifact_utils.get_split_uri([statistics], split)
            plans[split] = SplitPlan(
                files=files,
                output=os.path.join(folder, STATISTICS_FILE),
                ids=tuple(name for name in plan.integer_categories if name in files.columns),
                categories=os.path.join(folder, CATEGORIES_FILE),
            )

        with running(self._make_beam_pipeline, statistics.uri) as pipeline:
            _ = pipeline | "Describe" >> Describe(plans)

        statistics.set_int_custom_property("rows", sum(plan.files.rows for plan in plans.values()))
        approximate = {split: approximations(plan) for split, plan in plans.items()}
        if any(approximate.values()):
            statistics.set_string_custom_property("approximate", json.dumps(approximate))


def approximations(plan: SplitPlan) -> dict[str, dict[str, float]]:
    """Columns of a written split that had more values than are counted exactly -> what `protos.py` says about each."""
    found: dict[str, dict[str, float]] = {}
    for path in (plan.output, *([plan.categories] if plan.ids else [])):
        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        statistics.ParseFromString(read_bytes(path))
        for feature in statistics.datasets[0].features:
            if feature.custom_stats:
                notes = {note.name: note.num for note in feature.custom_stats}
                found.setdefault(feature.path.step[0], {}).update(notes)
    return found
