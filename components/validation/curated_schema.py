"""The component CuratedSchema: the recipe's schema as an artifact.

The stock ImportSchemaGen takes the path of a file: TFX's cache then does not see an edited schema, and a pod does not see
the file. Here its content travels.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.storage.writing import write_text


class Executor(base_executor.BaseExecutor):
    """Writes the schema into a file of its own."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes schema.pbtxt, as the stock stages call it; `Validation` says if it is no schema."""
        schema = artifact_utils.get_single_instance(output_dict["schema"])
        write_text(os.path.join(schema.uri, "schema.pbtxt"), exec_properties["content"])


class CuratedSchemaSpec(ComponentSpec):
    """Interface of `CuratedSchema`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"content": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {"schema": ChannelParameter(type=standard_artifacts.Schema)}


class CuratedSchema(base_component.BaseComponent):
    """A schema by value.

    Args:
        content: a TFDV schema as text proto.

    Outputs:
        schema: `Schema`.
    """

    SPEC_CLASS = CuratedSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, content: str) -> None:
        super().__init__(spec=CuratedSchemaSpec(content=content, schema=types.Channel(type=standard_artifacts.Schema)))
