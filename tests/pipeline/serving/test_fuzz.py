"""A thousand odd requests: each gets an answer or a clear refusal with TensorFlow Serving's status, none ends the server."""

from __future__ import annotations

import copy
import http.client
import json
import random
import socket
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from pipeline.serving.status import HTTP

PATH = "/v1/models/shop:predict"
RANK: dict[str, Any] = {
    "signature_name": "rank",
    "inputs": {"who": ["a"], "age": [2], "item": [8, 24], "tags": [[""], ["x"]], "taste": 3},
}
ODD: list[Any] = [
    *(
        None,
        True,
        -1,
        2**31,
        2**63,
        2**64,
        1.5,
        1e39,
        float("nan"),
        float("inf"),
        "",
        "x",
        "\ud800",
        "\x00",
        "ü" * 1000,
    ),
    *(
        [],
        [[]],
        [[[]]],
        [1, "a"],
        [[1], [2, 3]],
        [None],
        {},
        {"b64": "AA=="},
        {"b64": "*"},
        {"b64": 1},
        {"x": {"y": [1]}},
    ),
    *([0] * 5000, ["a"] * 5000, [[1.0] * 50] * 50, [[["deep"]]]),
]


def odd_documents(chance: random.Random) -> Any:
    """A good request with one to three things wrong."""
    document = copy.deepcopy(RANK)
    for _ in range(chance.randint(1, 3)):
        inputs = document.get("inputs")
        place = document if not isinstance(inputs, dict) or chance.random() < 0.3 else inputs
        key = chance.choice([*place, "extra", "instances", "signature_name", "inputs"])
        if chance.random() < 0.25:
            place.pop(key, None)
        else:
            place[key] = copy.deepcopy(chance.choice(ODD))
    return document


def odd_bodies(chance: random.Random) -> bytes:
    """An odd document, or a good one whose text is broken."""
    if chance.random() < 0.6:
        return json.dumps(odd_documents(chance)).encode("utf-8")
    text = bytearray(json.dumps(RANK).encode("utf-8"))
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(text) + 1)
        kind = chance.random()
        if kind < 0.4:
            text[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 4)))
        elif kind < 0.8:
            del text[at : at + chance.randint(1, 10)]
        else:
            text[at:at] = chance.choice([b"[" * 3000, b'{"a":' * 3000, b"9" * 6000, b"NaN", b"null", b"\xff"])
    return bytes(text)


def odd_request(chance: random.Random) -> bytes:
    """A PredictRequest with something wrong, or its bytes broken."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = chance.choice(["shop", "shop", "shop", "", "nope"])
    request.model_spec.signature_name = chance.choice(["rank", "raw", "serving_default", "", "nope"])
    if chance.random() < 0.2:
        request.model_spec.version.value = chance.choice([3, 4, -1, 2**62])
    for name in chance.sample(["who", "age", "item", "tags", "taste", "examples", "extra"], chance.randint(0, 5)):
        tensor = request.inputs[name]
        values = chance.choice([["a", ""], [1.5, np.nan], [7, 8], [[1]], [], 3.0, [[["x"]]]])
        tensor.CopyFrom(tf.make_tensor_proto(values, dtype=None if values != [] else tf.string))
        kind = chance.random()
        if kind < 0.1:
            tensor.tensor_shape.dim.add(size=chance.choice([-1, 0, 3, 2**40]))
        elif kind < 0.2:
            tensor.tensor_content = bytes(chance.randrange(256) for _ in range(7))
        elif kind < 0.3:
            tensor.dtype = chance.choice([0, 1, 7, 9, 10, 20, 101])
        elif kind < 0.35:
            tensor.tensor_shape.unknown_rank = True
    if chance.random() < 0.2:
        request.output_filter.extend(chance.sample(["click", "click", "score", "nope"], 2))
    content = bytearray(request.SerializeToString())
    if content and chance.random() < 0.3:
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def post(connection: http.client.HTTPConnection, body: bytes) -> tuple[int, Any]:
    connection.request("POST", PATH, body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_700_odd_rest_requests(server: Any) -> None:
    chance, counts = random.Random(1), {200: 0, 400: 0}
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    for number in range(700):
        body = odd_bodies(chance)
        status, answer = post(connection, body)
        # The model and its version are right, so the request is wrong, or it is answered.
        assert status in counts, (number, body[:300], answer)
        counts[status] += 1
        (key,) = answer
        assert key in (("outputs", "predictions") if status == 200 else ("error",))
        assert status == 200 or answer["error"].strip(), body[:300]
    connection.close()
    assert min(counts.values()) > 10, counts
    fresh = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    assert post(fresh, json.dumps(RANK).encode())[1]["outputs"]["ranking"] == [1, 0]
    fresh.close()


def test_250_odd_grpc_requests(server: Any) -> None:
    chance, codes = random.Random(2), set()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")  # bytes in, bytes out
        for number in range(250):
            content = odd_request(chance)
            try:
                answer = predict_pb2.PredictResponse.FromString(call(content, timeout=60))
                assert answer.outputs and answer.model_spec.version.value == 3
                codes.add("OK")
            except grpc.RpcError as error:
                code = error.code().name
                assert code in HTTP and error.details(), (number, content)
                # INTERNAL is gRPC's own answer to what is no protobuf.
                assert code != "INTERNAL" or "deserializing" in error.details(), (number, content, error.details())
                assert code not in ("UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED"), (number, content, error.details())
                codes.add(code)
    assert {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "INTERNAL"} <= codes


def test_50_odd_connections(server: Any) -> None:
    """Bytes that are no HTTP, or half a request."""
    chance = random.Random(3)
    good = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{{}}".encode()
    odd: list[Callable[[], bytes]] = [
        lambda: bytes(chance.randrange(256) for _ in range(200)) + b"\r\n\r\n",
        lambda: good[: chance.randrange(len(good))],
        lambda: good.replace(b"Content-Length: 5", chance.choice([b"Content-Length: -1", b"Content-Length: x"])),
        lambda: good.replace(b"Content-Length: 5", b"Content-Length: 99999999999999"),
        lambda: good.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    ]
    for number in range(50):
        with socket.create_connection(("127.0.0.1", server.rest_port), timeout=30) as connection:
            connection.sendall(odd[number % len(odd)]())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65_536)
    fresh = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    assert post(fresh, json.dumps(RANK).encode())[0] == 200
    fresh.close()
