"""Small requests that claim much: refused in milliseconds, before anything is computed."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from pipeline.serving import json_in
from pipeline.serving.limits import MOST_CLAIMED, MOST_VALUES, check_claim, check_examples
from pipeline.serving.rest import answer
from pipeline.serving.status import Refusal


@pytest.mark.parametrize(
    ("sizes", "size", "fine"),
    [
        ([], 0, True),
        ([0], 0, True),
        ([MOST_CLAIMED], 10, True),
        ([MOST_CLAIMED + 1], 10, False),
        ([MOST_CLAIMED + 1], MOST_CLAIMED + 1, True),
        ([65, 64], 4159, False),
        ([65, 64], 4160, True),
        ([2**20, 0], 300, False),
        ([0, 2**20], 300, False),
        ([2**63 - 1, 0, 2**63 - 1], 2**28, False),
        ([MOST_VALUES], 2**28, True),
        ([MOST_VALUES + 1], 2**28, False),
    ],
)
def test_a_claim(sizes: list[int], size: int, fine: bool) -> None:
    if fine:
        check_claim("item", sizes, size)
    else:
        with pytest.raises(Refusal, match="Input 'item': .* values"):
            check_claim("item", sizes, size)


def example(values: int) -> bytes:
    made = tf.train.Example()
    made.features.feature["tags"].bytes_list.value.extend([b""] * values)
    return made.SerializeToString()


def test_examples_of_which_one_is_long() -> None:
    check_examples("examples", [example(1000)] * 16_000)
    check_examples("examples", [b"no example at all" * 1000] * 10_000)
    with pytest.raises(Refusal, match=r"20001 examples with a list of 1000 values .*smaller batches"):
        check_examples("examples", [b""] * 20_000 + [example(1000)])
    check_examples("examples", [])


def rank(**shapes: list[int]) -> Any:
    """A request of `rank` with one value in each column, and these shapes."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "shop", "rank"
    columns: dict[str, Any] = {
        "who": [b"a"],
        "age": np.float32([2]),
        "item": np.int64([8]),
        "tags": [[b"x"]],
        "taste": np.float32(3),
    }
    for name, values in columns.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        if name in shapes:
            proto = request.inputs[name]
            if proto.tensor_content:  # as one value, which stands for all
                field = {"item": proto.int64_val, "age": proto.float_val}[name]
                field.extend(tf.make_ndarray(proto).reshape(-1).tolist())
                proto.tensor_content = b""
            del proto.tensor_shape.dim[:]
            for size in shapes[name]:
                proto.tensor_shape.dim.add(size=size)
    return request


@pytest.mark.parametrize(
    "shapes",
    [
        {"item": [2**20], "tags": [2**20, 1]},
        {"item": [2**20]},
        {"item": [2**24], "tags": [2**24, 1]},
        {"tags": [1, 2**20]},
        {"tags": [2**20, 0]},
        {"tags": [2**40, 0]},
        {"item": [2**62]},
        {"age": [2**20]},
    ],
)
def test_a_few_bytes_that_claim_a_million_candidates(server: Any, shapes: dict[str, list[int]]) -> None:
    request = rank(**shapes)
    assert request.ByteSize() < 400
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        begin = time.perf_counter()
        with pytest.raises(grpc.RpcError) as error:
            call(request.SerializeToString(), timeout=60)
        assert time.perf_counter() - begin < 10
        assert error.value.code().name == "INVALID_ARGUMENT" and "values" in error.value.details()


def test_one_value_may_stand_for_a_page(server: Any) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        request = rank(item=[2000], tags=[2000, 1])
        made = predict_pb2.PredictResponse.FromString(call(request.SerializeToString(), timeout=60))
        assert tf.make_ndarray(made.outputs["click"]).tolist() == [4.0] * 2000


def test_a_compressed_message_is_refused(server: Any) -> None:
    """It could be a thousand times as large as what was sent."""
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", options, grpc.Compression.Gzip) as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        begin = time.perf_counter()
        with pytest.raises(grpc.RpcError) as error:
            call(b"\x00" * 100 * 2**20, timeout=60)
        assert error.value.code().name == "UNIMPLEMENTED" and "compression" in error.value.details().lower()
        assert time.perf_counter() - begin < 10


@pytest.mark.parametrize("depth", [100, 900, 5_000, 100_000])
@pytest.mark.parametrize("what", ["lists", "objects", "instances"])
def test_json_nested_deeply(server: Any, depth: int, what: str) -> None:
    texts = {
        "lists": '{"inputs": {"item": ' + "[" * depth + "]" * depth + "}}",
        "objects": '{"inputs": ' + '{"item":' * depth + "1" + "}" * depth + "}",
        "instances": '{"instances": ' + "[" * depth + "1" + "]" * depth + "}",
    }
    begin = time.perf_counter()
    status, text = answer(server.models, "POST", "/v1/models/shop:predict", texts[what].encode())
    assert status == 400 and json.loads(text)["error"]
    assert time.perf_counter() - begin < 10


def test_nested_deeper_than_python_goes(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the parser goes deeper than Python's own functions may."""
    deep: Any = 1
    for _ in range(sys.getrecursionlimit() + 100):
        deep = [deep]
    monkeypatch.setattr(json_in, "read", lambda body: {"inputs": {"age": deep, "who": [], "item": [], "tags": []}})
    assert answer(server.models, "POST", "/v1/models/shop:predict", b"{}")[0] == 400


def test_rows_of_nothing(server: Any) -> None:
    """Three bytes of JSON for each row are too few for a row of the model."""
    body = json.dumps({"signature_name": "raw", "inputs": {"who": [], "age": [], "item": [], "tags": [[]] * 2**16}})
    begin = time.perf_counter()
    status, text = answer(server.models, "POST", "/v1/models/shop:predict", body.encode())
    assert status == 400 and "more than a request of" in json.loads(text)["error"]
    assert time.perf_counter() - begin < 10
