"""Messages of TensorBoard's HParams plugin, for event files that the plugin reads. Needs no TensorBoard.

They are those of `tensorboard/plugins/hparams/plugin_data.proto` and `api.proto`, as far as a session needs them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2

PLUGIN = "hparams"
START, END = "_hparams_/session_start_info", "_hparams_/session_end_info"
"""Tags of the summaries of a session."""

_PACKAGE = "tensorboard.hparams"
_SUCCESS = 1
_Field = descriptor_pb2.FieldDescriptorProto


def session_start(values: Mapping[str, bool | float | str], group: str, seconds: float) -> bytes:
    """The plugin's data of the summary START.

    Args:
        values: hyper-parameters.
        group: name of the sessions with the same hyper-parameters.
        seconds: time of the start, in seconds since 1970.
    """
    data = _plugin_data()()
    for name, value in values.items():
        kind = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
        setattr(data.session_start_info.hparams[name], kind, value)
    data.session_start_info.group_name = group
    data.session_start_info.start_time_secs = seconds
    return bytes(data.SerializeToString(deterministic=True))


def session_end(seconds: float) -> bytes:
    """The plugin's data of the summary END of a session that succeeded, at a time in seconds since 1970."""
    data = _plugin_data()()
    data.session_end_info.status = _SUCCESS
    data.session_end_info.end_time_secs = seconds
    return bytes(data.SerializeToString(deterministic=True))


def read(content: bytes) -> Any:
    """The plugin's data of a summary, as a message with `session_start_info` or `session_end_info`."""
    return _plugin_data().FromString(content)


@functools.cache
def _plugin_data() -> Any:
    """The message class, in a pool of its own: TensorBoard may be installed, too."""
    file = descriptor_pb2.FileDescriptorProto(
        name="gatewise/hparams.proto", package=_PACKAGE, syntax="proto3", dependency=["google/protobuf/struct.proto"]
    )
    start = file.message_type.add(name="SessionStartInfo")
    entry = start.nested_type.add(name="HparamsEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    _add(entry, "key", 1, _Field.TYPE_STRING)
    _add(entry, "value", 2, _Field.TYPE_MESSAGE, ".google.protobuf.Value")
    _add(start, "hparams", 1, _Field.TYPE_MESSAGE, f".{_PACKAGE}.SessionStartInfo.HparamsEntry", repeated=True)
    _add(start, "group_name", 4, _Field.TYPE_STRING)
    _add(start, "start_time_secs", 5, _Field.TYPE_DOUBLE)
    end = file.message_type.add(name="SessionEndInfo")
    _add(end, "status", 1, _Field.TYPE_INT32)  # an enum in the original, with the same bytes
    _add(end, "end_time_secs", 2, _Field.TYPE_DOUBLE)
    data = file.message_type.add(name="HParamsPluginData")
    _add(data, "version", 1, _Field.TYPE_INT32)
    _add(data, "session_start_info", 3, _Field.TYPE_MESSAGE, f".{_PACKAGE}.SessionStartInfo")
    _add(data, "session_end_info", 4, _Field.TYPE_MESSAGE, f".{_PACKAGE}.SessionEndInfo")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.HParamsPluginData"))


def _add(message: Any, name: str, number: int, type: int, type_name: str = "", repeated: bool = False) -> None:
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, type=type, label=label)
    if type_name:
        field.type_name = type_name
