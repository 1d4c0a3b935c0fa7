"""Executor of `Interactions`: finds the files, builds the tables and writes them."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Sequence
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.event_logs.moments import EPOCH
from components.example_schema import EVAL, TRAIN, VALIDATE
from components.features.executor import FILE_FORMAT
from components.interactions.gathering import gather
from components.interactions.plan import InteractionsPlan
from components.interactions.writing import EVAL_ITEMS, EVAL_QUERIES, FILES, ITEMS, write_positives, write_table
from components.storage.finding import joined, matching
from components.storage.reading import read_text
from models.features.layout import LAYOUT_FILE, FeatureLayout
from models.recipe.errors import InputError
from models.recipe.units import parse_moment

logger = logging.getLogger(__name__)

_PARTS = {TRAIN: (TRAIN, VALIDATE), EVAL: (EVAL,)}
"""Split of the interactions -> splits of the examples. The retrieval model does not stop early, so it also learns from the
validate split, and the histories of the eval queries reach to the start of the eval split."""


class Executor(base_executor.BaseExecutor):
    """All splits of the examples, read once each, by one process."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `interactions`.

        Raises:
            InputError: a column is missing, the train split has no positive, or no item is left.
        """
        plan = InteractionsPlan.model_validate_json(exec_properties["plan"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        transformed = artifact_utils.get_single_instance(input_dict["transformed_examples"])
        graph = artifact_utils.get_single_instance(input_dict["transform_graph"])
        interactions = artifact_utils.get_single_instance(output_dict["interactions"])
        interactions.split_names = artifact_utils.encode_split_names(list(FILES))
        interactions.span = examples.span
        interactions.version = examples.version
        examples_utils.set_file_format(interactions, FILE_FORMAT)

        files = {
            split: (_files(examples, parts, "*.parquet"), _files(transformed, parts, "*.arrow"))
            for split, parts in _PARTS.items()
        }
        layout = FeatureLayout.from_json(read_text(joined(graph.uri, LAYOUT_FILE)))
        found = gather(files, plan, layout, _as_of(examples))

        def folder(split: str) -> str:
            return str(artifact_utils.get_split_uri([interactions], split))

        write_positives(found.train, folder(TRAIN))
        write_positives(found.evaluated, folder(EVAL))
        for split, table in ((ITEMS, found.items), (EVAL_ITEMS, found.eval_items), (EVAL_QUERIES, found.eval_queries)):
            write_table(table, folder(split), FILES[split])
        rows, evaluated = len(found.train["item"]), len(found.evaluated["item"])
        words = "Positives: %d to learn from, %d after them; %d items, %d known before these; %d users are asked about."
        logger.info(words, rows, evaluated, len(found.items), len(found.eval_items), found.eval_queries.num_rows)
        interactions.set_int_custom_property("rows", rows)


def _as_of(examples: types.Artifact) -> int:
    """The `as_of` of the stage EventLogs, microseconds since 1970 UTC."""
    text = json.loads(read_text(joined(examples.uri, "summary.json")))["as_of"]
    if text is None:
        raise InputError(
            "retrieval: labelled examples do not contain the users' earlier choices and their times. Use `logs` instead of "
            "`examples`, or remove the section."
        )
    return (parse_moment(text) - EPOCH) // datetime.timedelta(microseconds=1)


def _files(artifact: types.Artifact, splits: Sequence[str], pattern: str) -> list[str]:
    # A split without rows has no files.
    return [path for split in splits for path in matching(artifact_utils.get_split_uri([artifact], split), pattern)]
