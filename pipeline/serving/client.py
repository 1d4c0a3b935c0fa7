"""Sends the requests of a JSON lines file to a model: in this process, or on a server by REST or gRPC.

The client reads a server's signatures from its metadata. One request is one batch of rows (`serving_default`, `raw`) or one
page to rank (`rank`). A retrieval model's `serving_default` takes named columns, like a ranker's `raw`.
"""

from __future__ import annotations

import dataclasses
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

from models.recipe.errors import InputError
from models.recipe.registry import known
from models.retrieval.inference import QUERY, load_retrieval
from models.serving.inference import RANK, RAW, SERVER, load_named, load_server
from models.serving.inputs import is_retrieval, read_inputs
from models.serving.named_rows import named_columns, rank_columns
from pipeline.json_values import jsonable
from pipeline.predict import newest_version, read_requests, serialized

SIGNATURES = (SERVER, RAW, RANK)

TIMEOUT = 60
"""Seconds per request."""

_REST = re.compile(r"(https?://[^/]+)/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?/?(?::predict)?")
_GRPC = re.compile(r"grpc://([^/]+)/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?/?")

Send = Callable[[Mapping[str, Any]], Mapping[str, np.ndarray]]
"""Calls one signature: {input: array} -> {output: array}."""


@dataclasses.dataclass(frozen=True)
class _Opened:
    """A signature of an opened model.

    Attributes:
        inputs: {column: {"type", "multivalued", ...}}.
        send: calls the signature.
        named: whether the inputs are the columns. If not, the input is serialized tf.Examples.
    """

    inputs: Mapping[str, Mapping[str, Any]]
    send: Send
    named: bool


def ask(model: str, requests: Path, signature: str) -> list[dict[str, Any]]:
    """Sends the requests and returns one answer per line.

    The answer is {task: prediction} per row, {task, score, ranking: list} per page, or, from a retrieval model, {"item_ids",
    "scores": list} per row without empty positions.

    Args:
        model: a pushed version or a folder of versions; http(s)://HOST:PORT/v1/models/NAME or grpc://HOST:PORT/NAME. Append
            /versions/N or /labels/LABEL to a URL to select another version than the newest.
        requests: JSON lines file. For `rank`: {"user": {...}, "candidates": [{...}, ...], "weights": {...}}, with optional
            weights. Otherwise: {column: value}.
        signature: one of SIGNATURES.

    Raises:
        InputError: the model or signature does not exist, a line does not fit it, or the server refuses a request.
    """
    if signature not in SIGNATURES:
        raise InputError(f"--signature: unknown signature {signature!r}; {known(signature, SIGNATURES)}")
    lines = read_requests(requests)
    opened = _open(model, signature)
    inputs, send = opened.inputs, opened.send
    try:
        if signature == RANK:
            return [_line(send(_page(line, inputs, f"line {number}"))) for number, line in lines.items()]
        if not lines:
            return []
        if opened.named:
            answers = send(named_columns(list(lines.values()), inputs, inputs, "requests"))
        else:
            answers = send({"examples": np.array(serialized(lines, inputs), object)})
    except InputError as error:
        raise InputError(f"{requests}: {error}") from None
    return [_row({name: values[row] for name, values in sorted(answers.items())}) for row in range(len(lines))]


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


def _row(answers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The answer for one row: numbers, or lists of the same length, cut at the first empty position."""
    if all(np.ndim(values) == 0 for values in answers.values()):
        return {name: float(values) for name, values in answers.items()}
    real = np.isfinite(answers["scores"])
    return {name: jsonable(values[real]) for name, values in answers.items()}


def _line(answers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: answers[name].tolist() for name in sorted(answers)}


def _open(model: str, signature: str) -> _Opened:
    if match := _REST.fullmatch(model):
        return _rest(signature, *match.groups())
    if match := _GRPC.fullmatch(model):
        return _grpc(signature, *match.groups())
    if "://" in model:
        raise InputError(
            f"{model}: expected http://HOST:PORT/v1/models/NAME or grpc://HOST:PORT/NAME, followed by "
            "/versions/N or /labels/LABEL for another version than the newest."
        )
    version = newest_version(Path(model))
    notes = read_inputs(version)
    if is_retrieval(notes):
        if signature != SERVER or not notes["answers"]:
            raise InputError(_not_of_retrieval(str(version), signature))
        return _Opened(notes["inputs"], load_retrieval(version).retrieve, named=True)
    if signature == SERVER:
        server = load_server(version)
        return _Opened(notes["inputs"], lambda tensors: server(list(tensors["examples"])), named=False)
    weights = {name: {"type": "float", "multivalued": False, "scalar": True} for name in notes.get("weights", {})}
    inputs = {**notes["inputs"], **(weights if signature == RANK else {})}
    return _Opened(inputs, load_named(version, signature)[0], named=True)


def _not_of_retrieval(where: str, signature: str) -> str:
    if signature == SERVER:
        return (
            f"{where}: this retrieval model has more items than `retrieval.max_exact_items` and returns only vectors. "
            "Build an approximate index with `gatewise index`, and pass it to `gatewise recommend --index`."
        )
    return (
        f"{where}: a retrieval model has no signature {signature!r}: it retrieves items and does not rank them. Use "
        f"`--signature {SERVER}`, or `gatewise recommend` to use it with its ranker."
    )


def _rest(signature: str, base: str, name: str, version: str | None, label: str | None) -> _Opened:
    place = f"/versions/{version}" if version else f"/labels/{label}" if label else ""
    url = f"{base}/v1/models/{name}{place}"
    definition = json_format.ParseDict(
        _http(f"{url}/metadata")["metadata"]["signature_def"],
        get_model_metadata_pb2.SignatureDefMap(),
        ignore_unknown_fields=True,
    )
    inputs, named, defaults = _described(definition, signature, url)

    def send(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
        # REST requires every named input, even the optional ones.
        whole = {**defaults, **tensors}
        columns = {name: jsonable(np.asarray(values)) for name, values in whole.items()}
        answer = _http(f"{url}:predict", {"signature_name": signature, "inputs": columns})["outputs"]
        outputs = definition.signature_def[signature].outputs
        whole_answer = answer if len(outputs) > 1 else {next(iter(outputs)): answer}
        return {
            key: np.array(whole_answer[key], tf.as_dtype(info.dtype).as_numpy_dtype) for key, info in outputs.items()
        }

    return _Opened(inputs, send, named)


def _grpc(signature: str, target: str, name: str, version: str | None, label: str | None) -> _Opened:
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
    inputs, named, _ = _described(definition, signature, f"grpc://{target}/{name}")

    def send(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        for key, values in tensors.items():
            dtype = definition.signature_def[signature].inputs[key].dtype
            request.inputs[key].CopyFrom(tf.make_tensor_proto(values, dtype=dtype, shape=np.shape(values)))
        return {key: tf.make_ndarray(proto) for key, proto in call(stub.Predict, request).outputs.items()}

    return _Opened(inputs, send, named)


def _described(
    definition: Any, signature: str, where: str
) -> tuple[dict[str, dict[str, Any]], bool, dict[str, np.ndarray]]:
    """The signature's columns for `named_columns`, whether they are its inputs, and the default values of optional inputs.

    The metadata do not describe the columns of a tf.Example, so they are read from `raw`, which has the same columns.
    """
    known_ones = definition.signature_def
    named = signature != SERVER or (SERVER in known_ones and set(known_ones[SERVER].inputs) != {"examples"})
    if signature not in known_ones and QUERY in known_ones:
        raise InputError(_not_of_retrieval(where, signature))
    for name in {signature, signature if named else RAW}:
        if name not in known_ones:
            raise InputError(f"{where}: the model has no signature {name!r}; {known(name, known_ones)}")
    found = known_ones[signature if named else RAW]
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
    return inputs, named, defaults if named else {}


def _http(url: str, document: Mapping[str, Any] | None = None) -> Any:
    """Sends a GET, or a POST of a document, and returns the JSON of the response.

    Raises:
        InputError: the server cannot be reached, or refuses the request.
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
        raise InputError(f"{url}: no response from a model server: {error}") from None
