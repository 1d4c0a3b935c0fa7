"""Asks a model the requests of a JSON lines file: in this process, or a server, by REST or gRPC.

It knows of a server what TensorFlow Serving tells: the signatures in the metadata. One request is one batch of rows
(`serving_default`, `raw`) or one page to rank (`rank`).
"""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from models.asking import RANK, RAW, SERVER, load_named, load_server
from models.errors import InputError
from models.named_rows import named_columns, rank_columns
from models.registry import known
from models.serving_inputs import read_inputs, serialize_examples
from pipeline.predict import newest_version, read_requests

SIGNATURES = (SERVER, RAW, RANK)

TIMEOUT = 60
"""Seconds for one request."""

_REST = re.compile(r"(https?://[^/]+)/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?/?(?::predict)?")
_GRPC = re.compile(r"grpc://([^/]+)/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?/?")

Send = Callable[[Mapping[str, Any]], Mapping[str, np.ndarray]]
"""{input: array} -> {output: array}, of one signature."""


def ask(model: str, requests: Path, signature: str) -> list[dict[str, Any]]:
    """The answers, a line each: {task: prediction} for each row, or {task, score, ranking: list} for each page.

    Args:
        model: a pushed version or a folder of them; http(s)://HOST:PORT/v1/models/NAME or grpc://HOST:PORT/NAME, each with
            /versions/N or /labels/LABEL behind it where it is not the newest.
        requests: for `rank`, lines of {"user": {...}, "candidates": [{...}, ...], "weights": {...}}, the weights optional;
            else lines of {column: value}.
        signature: one of SIGNATURES.

    Raises:
        InputError: no such model or signature, a line that is no request for it, or the server's refusal.
    """
    if signature not in SIGNATURES:
        raise InputError(f"--signature: unknown signature {signature!r}; {known(signature, SIGNATURES)}")
    lines = read_requests(requests)
    inputs, send = _open(model, signature)
    try:
        if signature == RANK:
            return [_line(send(_page(line, inputs, f"page {number}"))) for number, line in enumerate(lines)]
        if not lines:
            return []
        if signature == RAW:
            answers = send(named_columns(lines, inputs, inputs, "requests"))
        else:
            answers = send({"examples": np.array(serialize_examples(lines, inputs), object)})
    except InputError as error:
        raise InputError(f"{requests}: {error}") from None
    return [{task: float(answers[task][row]) for task in sorted(answers)} for row in range(len(lines))]


def _page(line: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, Any]:
    weights = line.get("weights", {})
    if not isinstance(weights, Mapping):
        raise InputError(f"{where}: expected an object of weights and numbers, received {weights!r}.")
    rest = {key: value for key, value in line.items() if key != "weights"}
    scalars = {name for name, about in inputs.items() if about.get("scalar")}
    for name, value in weights.items():
        if name not in scalars:
            raise InputError(f"{where}: unknown weight {name!r}; {known(name, scalars)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{where}: expected a number for the weight {name!r}, received {value!r}.")
    columns = {name: about for name, about in inputs.items() if name not in scalars}
    return {
        **rank_columns(rest, columns, where),
        **{name: np.float32(value) for name, value in weights.items()},
    }


def _line(answers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: answers[name].tolist() for name in sorted(answers)}


def _open(model: str, signature: str) -> tuple[dict[str, dict[str, Any]], Send]:
    """The signature's inputs, {name: {"type", "multivalued", ...}}, and how it is asked."""
    if match := _REST.fullmatch(model):
        return _rest(signature, *match.groups())
    if match := _GRPC.fullmatch(model):
        return _grpc(signature, *match.groups())
    if "://" in model:
        raise InputError(
            f"{model}: expected http://HOST:PORT/v1/models/NAME or grpc://HOST:PORT/NAME, with /versions/N or "
            "/labels/LABEL behind it where it is not the newest version."
        )
    version = newest_version(Path(model))
    notes = read_inputs(version)
    if signature == SERVER:
        server = load_server(version)
        return notes["inputs"], lambda tensors: server(list(tensors["examples"]))
    weights = {name: {"type": "float", "multivalued": False, "scalar": True} for name in notes.get("weights", {})}
    return {**notes["inputs"], **(weights if signature == RANK else {})}, load_named(version, signature)[0]


def _rest(signature: str, base: str, name: str, version: str | None, label: str | None) -> tuple[Any, Send]:
    place = f"/versions/{version}" if version else f"/labels/{label}" if label else ""
    url = f"{base}/v1/models/{name}{place}"
    definition = json_format.ParseDict(
        _http(f"{url}/metadata")["metadata"]["signature_def"],
        get_model_metadata_pb2.SignatureDefMap(),
        ignore_unknown_fields=True,
    )
    inputs, defaults = _described(definition, signature, url)

    def send(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
        # REST wants every input named, the optional ones too.
        whole = {**defaults, **tensors}
        columns = {name: _jsonable(np.asarray(values)) for name, values in whole.items()}
        answer = _http(f"{url}:predict", {"signature_name": signature, "inputs": columns})["outputs"]
        outputs = definition.signature_def[signature].outputs
        named = answer if len(outputs) > 1 else {next(iter(outputs)): answer}
        return {key: np.array(named[key], tf.as_dtype(info.dtype).as_numpy_dtype) for key, info in outputs.items()}

    return inputs, send


def _grpc(signature: str, target: str, name: str, version: str | None, label: str | None) -> tuple[Any, Send]:
    channel = grpc.insecure_channel(target, options=[("grpc.max_receive_message_length", -1)])
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call(method: Any, request: Any) -> Any:
        request.model_spec.name = name
        if version:
            request.model_spec.version.value = int(version)
        elif label:
            request.model_spec.version_label = label
        try:
            return method(request, timeout=TIMEOUT)
        except grpc.RpcError as error:
            raise InputError(f"grpc://{target}: {error.code().name}: {error.details()}") from None

    response = call(
        stub.GetModelMetadata, get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    )
    definition = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(definition)
    inputs, _ = _described(definition, signature, f"grpc://{target}/{name}")

    def send(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for key, values in tensors.items():
            dtype = definition.signature_def[signature].inputs[key].dtype
            request.inputs[key].CopyFrom(tf.make_tensor_proto(values, dtype=dtype, shape=np.shape(values)))
        return {key: tf.make_ndarray(proto) for key, proto in call(stub.Predict, request).outputs.items()}

    return inputs, send


def _described(definition: Any, signature: str, where: str) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """Of a signature, its columns as `named_columns` wants them, and the values of what may be left out.

    What is in a tf.Example the metadata do not tell; `raw` has the same columns.
    """
    for name in {signature, RAW if signature == SERVER else signature}:
        if name not in definition.signature_def:
            raise InputError(f"{where}: the model has no signature {name!r}; {known(name, definition.signature_def)}")
    found = definition.signature_def[RAW if signature == SERVER else signature]
    types = {tf.string: "bytes", tf.int64: "int", tf.float32: "float"}
    inputs = {
        name: {
            "type": types[tf.as_dtype(info.dtype)],
            "multivalued": len(info.tensor_shape.dim) == 2,
            "scalar": not info.tensor_shape.dim,
        }
        for name, info in found.inputs.items()
    }
    defaults = {name: tf.make_ndarray(proto) for name, proto in found.defaults.items()}
    return inputs, {} if signature == SERVER else defaults


def _http(url: str, document: Mapping[str, Any] | None = None) -> Any:
    """The JSON that a GET, or a POST of a document, gives.

    Raises:
        InputError: the server cannot be reached, or refuses.
    """
    body = None if document is None else json.dumps(document).encode("utf-8")
    request = urllib.request.Request(quote(url, safe=":/%"), body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode("utf-8", "replace")
        try:
            text = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            text = text[:500]
        raise InputError(f"{url}: {error.code}: {text}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{url}: no answer of a model server: {error}") from None


def _jsonable(values: np.ndarray) -> Any:
    """Nested lists; bytes that are no UTF-8 as base64."""
    if values.dtype.kind not in "OS":
        return values.tolist()
    if values.ndim:
        return [_jsonable(part if isinstance(part, np.ndarray) else np.array(part, object)) for part in values]
    value = values.item()
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode("ascii")}
