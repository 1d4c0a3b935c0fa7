"""The component CuratedSchema: the recipe's schema as an artifact.

The stock ImportSchemaGen takes a file's path. TFX's cache then misses an edited schema, and a pod cannot read the file. This
component takes the content.
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
    """Writes the schema to a file."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes schema.pbtxt, the file name of the stock stages. `Validation` raises an error if it is not a schema."""
        schema = artifact_utils.get_single_instance(output_dict["schema"])
        write_text(os.path.join(schema.uri, "schema.pbtxt"), exec_properties["content"])


class CuratedSchemaSpec(ComponentSpec):
    """Interface of `CuratedSchema`."""

    PARAMETERS: ClassVar[dict[str, Any]] = {"content": ExecutionParameter(type=str)}
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {"schema": ChannelParameter(type=standard_artifacts.Schema)}


class CuratedSchema(base_component.BaseComponent):
    """Writes a schema, passed by value, as an artifact.

    Args:
        content: a TFDV schema as text proto.

    Outputs:
        schema: `Schema`.
    """

    SPEC_CLASS = CuratedSchemaSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, content: str) -> None:
        super().__init__(spec=CuratedSchemaSpec(content=content, schema=types.Channel(type=standard_artifacts.Schema)))
