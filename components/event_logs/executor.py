"""Executor of `EventLogs`: reads the plan, writes examples with their row accounting."""

from __future__ import annotations

import logging
import time
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.event_logs import accounts, dead_letters, pipeline
from components.event_logs.plan import EventLogsPlan
from components.example_schema import SPLITS
from models.recipe.errors import InputError

logger = logging.getLogger(__name__)


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads the logs that the plan names, attributes the outcomes and writes the examples."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the `examples` artifact: Parquet files, row accounting (also by file), summary, dead letters, number of rows read.

        Raises:
            InputError: the logs are missing, unreadable, do not match the recipe, or changed since they were listed.
        """
        plan = EventLogsPlan.model_validate_json(exec_properties["plan"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        try:
            found = pipeline.run(plan, examples.uri, self._make_beam_pipeline, exec_properties.get("fingerprint") or "")
        except InputError as error:
            raise dead_letters.kept(examples.uri, error) from None
        logger.info("Row accounting of the logs:\n%s", accounts.table(found))
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_PARQUET)
        if plan.span is not None:
            # Of two runs of a day, the later one is the newer version, for TFX's own resolvers such as `rolling_range`.
            examples.span, examples.version = plan.span, int(time.time())
        examples.set_int_custom_property("rows", sum(account["read"] for account in found.values()))
