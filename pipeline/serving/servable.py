"""One loaded version of a model, which answers PredictRequests as TensorFlow Serving does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_log_pb2

from models.files.version_folders import WARM_UP_FILE
from models.serving.loading import load_saved_model
from pipeline.serving.limits import check_claim, check_examples
from pipeline.serving.status import Refusal

DEFAULT_SIGNATURE = "serving_default"

EXAMPLES = "examples"
"""The input that takes serialized tf.Examples."""


class Servable:
    """A version of a model.

    Args:
        name: name of the model.
        folder: folder of the version. Its name is the version.

    Raises:
        Exception: TensorFlow cannot load a model from the folder.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.version = name, int(folder.name)
        content = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        self.signatures = {
            key: signature
            for key, signature in content.meta_graphs[0].signature_def.items()
            if not key.startswith("__")  # added by the loader
        }
        self._loaded = load_saved_model(str(folder))
        self._warm_up(folder / WARM_UP_FILE)

    def inputs(self, signature: str) -> dict[str, tf.DType]:
        """{input: type} of a signature; "" is the default signature.

        Raises:
            Refusal: the signature does not exist.
        """
        name = signature or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise Refusal("INVALID_ARGUMENT", f'Serving signature name: "{name}" not found in signature def')
        return {key: tf.as_dtype(info.dtype) for key, info in self.signatures[name].inputs.items()}

    def predict(self, request: Any) -> Any:
        """The PredictResponse to a PredictRequest for this version.

        Raises:
            Refusal, tf.errors.OpError: the request cannot be answered.
        """
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise Refusal("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        signature = self.signatures[name]
        inputs = _inputs(signature, request.inputs, request.ByteSize())
        wanted = _wanted(signature, request.output_filter)
        try:
            outputs = self._loaded.signatures[name](**inputs)
        except UnicodeDecodeError as error:  # TensorFlow's message quotes bytes of the request that are not UTF-8
            raise Refusal("INVALID_ARGUMENT", bytes(error.object).decode("utf-8", "backslashreplace")) from None
        response = predict_pb2.PredictResponse()
        response.model_spec.CopyFrom(self.spec(name))
        for key in wanted:
            response.outputs[key].CopyFrom(_written(outputs[key]))
        return response

    def metadata(self) -> Any:
        """The GetModelMetadataResponse with all signatures."""
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.CopyFrom(self.spec())
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for key, signature in self.signatures.items():
            signatures.signature_def[key].CopyFrom(signature)
        response.metadata["signature_def"].Pack(signatures)
        return response

    def spec(self, signature: str = "") -> Any:
        """The ModelSpec of this version."""
        spec = predict_pb2.PredictResponse().model_spec
        spec.name, spec.signature_name = self.name, signature
        spec.version.value = self.version
        return spec

    def _warm_up(self, path: Path) -> None:
        """Replays the warm-up requests. As in TensorFlow Serving, the version is refused if one of them fails."""
        if not path.is_file():
            return
        for record in tf.data.TFRecordDataset(str(path)):
            self.predict(prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request)


def _inputs(signature: Any, given: Mapping[str, Any], request_bytes: int) -> dict[str, tf.Tensor]:
    names, defaults = set(signature.inputs), set(signature.defaults)
    extra, missing = sorted(set(given) - names), sorted(names - set(given) - defaults)
    if extra or missing:
        raise Refusal(
            "INVALID_ARGUMENT",
            f"input size does not match signature: {len(given)}!={len(names)} len({{{','.join(sorted(given))}}}) != "
            f"len({{{','.join(sorted(names))}}}). Sent extra: {{{','.join(extra)}}}. Missing but required: "
            f"{{{','.join(missing)}}}.",
        )
    return {
        key: _tensor(key, given[key] if key in given else signature.defaults[key], info, request_bytes)
        for key, info in signature.inputs.items()
    }


def _tensor(name: str, proto: Any, info: Any, request_bytes: int) -> tf.Tensor:
    if proto.dtype != info.dtype:
        expected, got = (_type(dtype) for dtype in (info.dtype, proto.dtype))
        raise Refusal("INVALID_ARGUMENT", f"Input {name!r}: expects {expected} but {got} is provided")
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in sizes):
        raise Refusal("INVALID_ARGUMENT", f"tensor parsing error: {name}")
    check_claim(name, sizes, request_bytes)
    allowed = tf.TensorShape(info.tensor_shape)
    if not allowed.is_compatible_with(sizes):
        raise Refusal("INVALID_ARGUMENT", f"Input {name!r}: expected a tensor of shape {allowed}, received {sizes}")
    try:
        tensor = tf.io.parse_tensor(proto.SerializeToString(), tf.as_dtype(info.dtype))
    except (tf.errors.OpError, ValueError):
        raise Refusal("INVALID_ARGUMENT", f"tensor parsing error: {name}") from None
    if name == EXAMPLES and tensor.dtype == tf.string:
        check_examples(name, tensor.numpy().reshape(-1))
    return tensor


def _type(dtype: int) -> str:
    try:
        return tf.as_dtype(dtype).name
    except TypeError:
        return "an invalid type"


def _wanted(signature: Any, output_filter: Any) -> list[str]:
    for number, key in enumerate(output_filter):
        if key not in signature.outputs:
            raise Refusal(
                "INVALID_ARGUMENT",
                f"output tensor alias not found in signature: {key} Outputs expected to be in the set "
                f"{{{','.join(sorted(signature.outputs))}}}.",
            )
        if key in output_filter[:number]:
            raise Refusal("INVALID_ARGUMENT", f"duplicate output tensor alias: {key}")
    return list(output_filter) or list(signature.outputs)


def _written(tensor: tf.Tensor) -> Any:
    """A TensorProto with values in typed fields, as TensorFlow Serving sends them, not as bytes."""
    values = tensor.numpy()
    proto = tf.make_tensor_proto(values.reshape(-1)[:0], tensor.dtype, shape=(0,))
    proto.tensor_shape.CopyFrom(tf.TensorShape(values.shape).as_proto())
    field = _FIELDS[tensor.dtype]
    getattr(proto, field).extend(values.reshape(-1).tolist())
    return proto


_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.string: "string_val",
    tf.bool: "bool_val",
}
