"""Executor of `Features`: finds the files, runs the two passes, sets the artifacts' properties."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.beam.running import running
from components.example_schema import TRAIN
from components.features.analysis_pass import AnalysisPass
from components.features.columns import check_columns, check_times
from components.features.plan import FeaturesPlan
from components.features.transform_pass import TransformPass, load_transform
from components.storage.finding import matching
from components.storage.reading import open_parquet, read_text
from components.storage.writing import make_folder
from models.features.layout import ANALYSED_FILE, IDS_REPORT_FILE, Analysed
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)

FILE_FORMAT = "arrow_ipc"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Analyses the train split, then transforms every split."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `transform_graph` and `transformed_examples`.

        Raises:
            InputError: the examples lack a feature's column, or the train split has no value in it.
        """
        plan = FeaturesPlan.model_validate_json(exec_properties["plan"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        transform_graph = artifact_utils.get_single_instance(output_dict["transform_graph"])
        transformed = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        transformed.split_names = examples.split_names
        transformed.span = examples.span
        transformed.version = examples.version
        examples_utils.set_file_format(transformed, FILE_FORMAT)

        pieces, jobs, rows = [], [], 0
        for split in artifact_utils.decode_split_names(examples.split_names):
            folder = artifact_utils.get_split_uri([transformed], split)
            make_folder(folder)
            source = artifact_utils.get_split_uri([examples], split)
            for path in matching(source, "*.parquet"):
                with open_parquet(path) as parquet:
                    check_columns(parquet.schema_arrow, plan.features, path)
                    if plan.ids is not None:
                        check_times(parquet.schema_arrow, path)
                    rows += parquet.metadata.num_rows
                    if split == TRAIN:
                        pieces += [(path, index) for index in range(parquet.num_row_groups)]
                name = os.path.basename(path).removesuffix(".parquet") + ".arrow"
                jobs.append((path, os.path.join(folder, name)))
        if not pieces:
            raise InputError(
                f"The examples have no files in the split {TRAIN!r} ({examples.uri}). The features' vocabularies and "
                "moments are computed from it. Check the recipe's `split` and the times in the logs."
            )

        with running(self._make_beam_pipeline) as pipeline:
            _ = pipeline | "Analysis" >> AnalysisPass(pieces, plan, transform_graph.uri)
        _warn_of_errors(transform_graph.uri)
        if plan.ids is not None:
            _log_ids(transform_graph.uri)
        with running(self._make_beam_pipeline, transformed.uri) as pipeline:
            _ = pipeline | "Transform" >> TransformPass(jobs, plan, transform_graph.uri)

        # A local runner continues in this process, which no longer needs the graph's vocabularies.
        load_transform.cache_clear()

        for artifact in (transform_graph, transformed):
            artifact.set_int_custom_property("rows", rows)


def _warn_of_errors(transform_graph: str) -> None:
    """Logs what the analysis could not count exactly, because the analysing step may run on another machine."""
    analysed = Analysed.from_json(read_text(os.path.join(transform_graph, ANALYSED_FILE)))
    for table, rows in analysed.count_errors.items():
        logger.warning("Vocabulary %s: too many distinct values to count; counts are exact to %d rows.", table, rows)
    for name, part in analysed.limit_errors.items():
        words = "Feature %s: too many distinct numbers to count; bucket limits have a relative error of at most %g."
        logger.warning(words, name, part)


def _log_ids(transform_graph: str) -> None:
    """Logs what the night did to the ids."""
    report = json.loads(read_text(os.path.join(transform_graph, IDS_REPORT_FILE)))
    words = "Ids of %s: %d of %d rows in use; %d kept, %d admitted, %d evicted, %d waiting."
    for table, found in report["tables"].items():
        kept, admitted = found["kept"], found["admitted"]
        logger.info(words, table, kept + admitted, found["rows"], kept, admitted, found["evicted"], found["waiting"])
