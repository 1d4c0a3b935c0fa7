"""The development server: routes, status codes and errors of TensorFlow Serving, and a reload that drops nothing."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from models.recipe.errors import InputError
from pipeline import cli
from pipeline.serving.models import Models
from pipeline.serving.server import FIRST_LINE, Server, serve

SHOP = "/v1/models/shop"


def http_(
    server: Any, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    try:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, content, headers or {})
        response = connection.getresponse()
        text = response.read()
        assert response.getheader("Content-Type") == "application/json"
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


RANK = {
    "signature_name": "rank",
    "inputs": {"who": ["a"], "age": [2], "item": [8, 24], "tags": [[""], ["x"]], "taste": 3},
}
RAW_ROW = {"who": "a", "age": 2.5, "item": 8, "tags": ["x", "y"]}


@pytest.mark.parametrize("place", ["", "/versions/3", "/labels/stable", "/labels/canary"])
def test_predict(server: Any, place: str) -> None:
    assert http_(server, "POST", f"{SHOP}{place}:predict", RANK) == (
        200,
        {"outputs": {"click": [3, 6], "score": [9, 18], "ranking": [1, 0]}},
    )
    rows = {"signature_name": "raw", "instances": [RAW_ROW, {**RAW_ROW, "age": float("nan"), "tags": ["", "y"]}]}
    assert http_(server, "POST", f"{SHOP}{place}:predict", rows) == (200, {"predictions": [5.5, 3]})


def test_serialized_examples_by_base64(server: Any) -> None:
    # tf.train.Example with nothing in it is 0 bytes: age 1
    assert http_(server, "POST", f"{SHOP}:predict", {"instances": [{"b64": ""}]}) == (200, {"predictions": [1]})


def test_status_and_metadata(server: Any) -> None:
    available = {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for place in ("", "/versions/3", "/labels/stable"):
        assert http_(server, "GET", SHOP + place) == (200, {"model_version_status": [available]})
    code, metadata = http_(server, "GET", f"{SHOP}/metadata")
    assert code == 200
    assert metadata["model_spec"] == {"name": "shop", "signature_name": "", "version": "3"}
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "raw", "rank"}
    assert signatures["raw"]["inputs"]["age"]["dtype"] == "DT_FLOAT"
    assert signatures["raw"]["inputs"]["age"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "words"),
    [
        ("POST", "/v1/models/nope:predict", RANK, 404, "Servable not found for request: Latest(nope)"),
        ("POST", f"{SHOP}/versions/9:predict", RANK, 404, "Servable not found for request: Specific(shop, 9)"),
        ("POST", f"{SHOP}/labels/x:predict", RANK, 400, "Unrecognized servable version label: x"),
        ("POST", f"{SHOP}/versions/{'9' * 25}:predict", RANK, 400, "Failed to convert version"),
        ("POST", f"{SHOP}:classify", {"examples": [{}]}, 400, "Expected classification signature method_name"),
        ("POST", f"{SHOP}:regress", {"examples": [{}]}, 400, "Expected regression signature method_name"),
        ("POST", SHOP, RANK, 400, f"Malformed request: POST {SHOP}"),
        ("POST", f"{SHOP}:explain", RANK, 400, "Malformed request"),
        ("GET", f"{SHOP}:predict", None, 400, "Malformed request"),
        ("PUT", f"{SHOP}:predict", RANK, 400, "Malformed request"),
        ("BREW", f"{SHOP}:predict", RANK, 400, "Malformed request"),
        ("GET", "/v1/models", None, 400, "Missing model name in request."),
        ("GET", "/v1/models/nope", None, 404, "Could not find any versions of model nope"),
        ("GET", f"{SHOP}/versions/9", None, 404, "Could not find version 9 of model shop"),
        ("GET", "/v1/models/nope/metadata", None, 404, "Servable not found for request: Latest(nope)"),
        ("GET", "/metrics", None, 404, "Not Found"),
        ("POST", f"{SHOP}:predict", b"", 400, "JSON Parse error: The document is empty"),
        (
            "POST",
            f"{SHOP}:predict",
            {"signature_name": "no", "inputs": []},
            400,
            'signature name: "no" not found in sig',
        ),
        ("POST", f"{SHOP}:predict", {"signature_name": 1, "inputs": []}, 400, "must be a string value"),
        ("POST", f"{SHOP}:predict", {"inputs": [{"b64": "/////w=="}]}, 400, "Could not parse example input"),
        ("POST", f"{SHOP}:predict", {"inputs": [["a"]]}, 400, "expected a tensor of shape (None,), received [1, 1]"),
        (
            "POST",
            f"{SHOP}:predict",
            {**RANK, "inputs": {**RANK["inputs"], "age": [1, 2]}},  # type: ignore[dict-item]
            400,
            "rank: expected one row of age",
        ),
        (
            "POST",
            f"{SHOP}:predict",
            {**RANK, "inputs": {**RANK["inputs"], "item": [1, 2, 3]}},  # type: ignore[dict-item]
            400,
            "",
        ),
    ],
)
def test_refusals(server: Any, method: str, path: str, body: Any, code: int, words: str) -> None:
    status, answer = http_(server, method, path, body)
    assert status == code and list(answer) == ["error"] and words in answer["error"]


def test_bodies_come_zipped_and_in_chunks(server: Any) -> None:
    zipped = gzip.compress(json.dumps(RANK).encode())
    assert http_(server, "POST", f"{SHOP}:predict", zipped, {"Content-Encoding": "gzip"})[0] == 200
    assert http_(server, "POST", f"{SHOP}:predict", b"no", {"Content-Encoding": "gzip"})[0] == 400
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    body = json.dumps(RANK).encode()
    connection.request("POST", f"{SHOP}:predict", iter([body[:10], body[10:]]), encode_chunked=True)
    first = connection.getresponse()
    assert first.status == 200 and json.loads(first.read())["outputs"]["ranking"] == [1, 0]
    connection.request("GET", SHOP)  # the connection goes on
    assert connection.getresponse().status == 200
    connection.close()


# ---- gRPC -------------------------------------------------------------------------------------------------------


def predict_request(signature: str = "raw", **tensors: Any) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "shop", signature
    for name, values in tensors.items():
        array = np.asarray(values)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array, dtype="int64" if array.dtype.kind == "i" else None))
    return request


def test_grpc_predicts_with_what_is_given(server: Any) -> None:
    """What is left out has the signature's default."""
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_request("rank", item=np.array([8, 24, 16]))
        request.model_spec.version_label = "stable"
        answer = stub.Predict(request)
        assert answer.model_spec.version.value == 3 and answer.model_spec.signature_name == "rank"
        assert list(answer.outputs["score"].float_val) == [4, 8, 6] and not answer.outputs["score"].tensor_content
        assert list(answer.outputs["ranking"].int_val) == [1, 2, 0]
        request.output_filter.append("ranking")
        assert set(stub.Predict(request).outputs) == {"ranking"}
        asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        asked.model_spec.name = "shop"
        assert "signature_def" in stub.GetModelMetadata(asked).metadata
        status = get_model_status_pb2.GetModelStatusRequest()
        status.model_spec.name = "shop"
        (version,) = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status).model_version_status
        assert (version.version, version.state) == (3, get_model_status_pb2.ModelVersionStatus.AVAILABLE)


def filtered(*names: str) -> Any:
    request = predict_request(item=[1])
    request.output_filter.extend(names)
    return request


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (predict_request("nope"), "FAILED_PRECONDITION", 'Serving signature key "nope" not found.'),
        (predict_request("raw", extra=[1]), "INVALID_ARGUMENT", "Sent extra: {extra}. Missing but required: {}."),
        (predict_request(""), "INVALID_ARGUMENT", "Missing but required: {examples}"),
        (predict_request(item=[1.5]), "INVALID_ARGUMENT", "expects int64 but float64 is provided"),
        (predict_request(item=[[[1]]]), "INVALID_ARGUMENT", "expected a tensor of shape (None,), received [1, 1, 1]"),
        (filtered("nope"), "INVALID_ARGUMENT", "output tensor alias not found in signature: nope"),
        (filtered("click", "click"), "INVALID_ARGUMENT", "duplicate output tensor alias: click"),
    ],
)
def test_grpc_refusals(server: Any, request_: Any, code: str, words: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        with pytest.raises(grpc.RpcError) as error:
            prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request_)
        assert error.value.code().name == code and words in error.value.details()


def test_grpc_methods_that_the_models_have_no_signature_for(server: Any) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = classification_pb2.ClassificationRequest()
        request.model_spec.name = "shop"
        reload = model_management_pb2.ReloadConfigRequest()
        for call, code in (
            (lambda: stub.Classify(request), "INVALID_ARGUMENT"),
            (
                lambda: model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(reload),
                "UNIMPLEMENTED",
            ),
            (
                lambda: model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(
                    get_model_status_pb2.GetModelStatusRequest()
                ),
                "INVALID_ARGUMENT",
            ),
        ):
            with pytest.raises(grpc.RpcError) as error:
                call()
            assert error.value.code().name == code


# ---- versions ---------------------------------------------------------------------------------------------------


def test_a_new_version_takes_over_and_no_request_is_dropped(tmp_path: Path, push: Callable[..., Path]) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    push(folder, 1)
    server = Server(tmp_path, "127.0.0.1", 0, 0, poll_seconds=0.1)
    seen: list[tuple[int, Any]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            seen.append(http_(server, "POST", f"{SHOP}:predict", RANK))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        push(folder, 2, factor=100.0)
        end = time.monotonic() + 60
        while server.models.served != {"shop": 2} and time.monotonic() < end:
            time.sleep(0.05)
        count = len(seen)
        while len(seen) < count + 10 and time.monotonic() < end:
            time.sleep(0.05)
        over.set()
        for thread in threads:
            thread.join()
        assert {status for status, _ in seen} == {200}
        first = {answer["outputs"]["click"][0] for _, answer in seen}
        assert first == {3, 201}, "all of the old version or all of the new"
        states = [entry["state"] for entry in http_(server, "GET", SHOP)[1]["model_version_status"]]
        assert states == ["AVAILABLE", "END"]
        assert http_(server, "POST", f"{SHOP}/versions/1:predict", RANK)[0] == 404
        (folder / "3").mkdir()
        (folder / "3" / "saved_model.pb").write_bytes(b"broken")
        server.models.poll()
        newest = http_(server, "GET", f"{SHOP}/versions/3")[1]["model_version_status"][0]
        assert newest["state"] == "END" and newest["status"]["error_code"] != "OK" and newest["status"]["error_message"]
        assert http_(server, "POST", f"{SHOP}:predict", RANK)[0] == 200, "the old one stays"
    finally:
        over.set()
        server.stop()


def test_no_request_is_dropped_during_a_rollback(tmp_path: Path, push: Callable[..., Path]) -> None:
    folder = tmp_path / "serving" / "shop"
    folder.mkdir(parents=True)
    push(folder, 1)
    push(folder, 2, factor=100.0)
    server = Server(tmp_path, "127.0.0.1", 0, 0, poll_seconds=0.05)
    seen: list[tuple[int, Any, Any]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            seen.append((*http_(server, "POST", f"{SHOP}:predict", RANK), http_(server, "GET", f"{SHOP}/metadata")))

    def answers(version: int) -> int:
        """How many answers there are once the version is served and was asked."""
        end = time.monotonic() + 60
        while server.models.served != {"shop": version} and time.monotonic() < end:
            time.sleep(0.05)
        count = len(seen)
        while len(seen) < count + 10 and time.monotonic() < end:
            time.sleep(0.05)
        return len(seen)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        counts = [answers(2)]
        for arguments, version in ((["--reason", "clicks fell"], 1), (["--undo"], 2)):
            with pytest.raises(SystemExit) as end:
                cli.main(["rollback", str(tmp_path), *arguments])
            assert not end.value.code
            counts.append(answers(version))
        over.set()
        for thread in threads:
            thread.join()
        assert {status for status, _, _ in seen} == {status for _, _, (status, _) in seen} == {200}
        for number, (click, version) in zip(counts, ((201, "2"), (3, "1"), (201, "2")), strict=True):
            _, answer, (_, about) = seen[number - 1]
            assert answer["outputs"]["click"][0] == click and about["model_spec"]["version"] == version
    finally:
        over.set()
        server.stop()


def test_roots(root: Path, tmp_path: Path) -> None:
    for folder in (root, root / "serving", root / "serving" / "shop"):
        assert Models(folder).served == {"shop": 3}
    with pytest.raises(InputError, match="no exported model here that can be served"):
        Models(tmp_path)


def test_the_first_line_says_what_it_is_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "wait", lambda self: None)
    lines: list[str] = []
    serve(root, "127.0.0.1", 0, 0, 3600, lines.append)
    assert lines[0] == FIRST_LINE and lines[0].startswith("Development server: for trying models out")
    assert lines[1].startswith("shop version 3: http://127.0.0.1:")


def test_a_port_that_is_taken(server: Any, root: Path) -> None:
    with pytest.raises(InputError, match=f"--rest-port {server.rest_port}: cannot listen on"):
        Server(root, "127.0.0.1", server.rest_port, 0, 3600)
