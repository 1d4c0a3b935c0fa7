"""Executor of `Statistics`: finds the files, runs the Beam pipeline, sets the artifact's properties."""

from __future__ import annotations

import os
from typing import Any

import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.statistics.describe import Describe, tasks_of
from components.statistics.files import CATEGORIES_FILE, STATISTICS_FILE
from components.statistics.plan import StatisticsPlan
from components.statistics.reading import described_columns


class Executor(base_beam_executor.BaseBeamExecutor):
    """TFDV over the record batches of every split."""

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

        splits, outputs, rows = {}, {}, 0
        categories: list[str] = []
        for split in artifact_utils.decode_split_names(examples.split_names):
            files = fileio.glob(os.path.join(artifact_utils.get_split_uri([examples], split), "*.parquet"))
            splits[split], split_rows = tasks_of(split, files)
            rows += split_rows
            with FileSystems.open(files[0]) as file:
                present = described_columns(pq.ParquetFile(file).schema_arrow)
            categories = [name for name in plan.integer_categories if name in present]
            folder = artifact_utils.get_split_uri([statistics], split)
            fileio.makedirs(folder)
            counted = os.path.join(folder, CATEGORIES_FILE) if categories else None
            outputs[split] = os.path.join(folder, STATISTICS_FILE), counted

        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | "Describe" >> Describe(splits, categories, outputs)

        statistics.set_int_custom_property("rows", rows)
