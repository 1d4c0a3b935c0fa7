"""TensorFlow Serving's gRPC services, PredictionService and ModelService, with the official stubs."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from pipeline.serving.http_body import LARGEST
from pipeline.serving.models import Models
from pipeline.serving.status import Refusal, refusal_of

logger = logging.getLogger(__name__)

THREADS = 8


def make_server(models: Models, host: str, port: int) -> tuple[grpc.Server, int]:
    """Creates a gRPC server for the models without starting it, and returns it with its port. Port 0 selects a free port."""
    options = [
        ("grpc.max_receive_message_length", LARGEST),
        ("grpc.max_send_message_length", -1),
        # Accept only uncompressed messages: a compressed one could expand to a thousand times its size.
        ("grpc.compression_enabled_algorithms_bitset", 1),
    ]
    server = grpc.server(ThreadPoolExecutor(THREADS, thread_name_prefix="grpc"), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(models), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Status(models), server)
    return server, server.add_insecure_port(f"{host}:{port}")


def _answering(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any, grpc.ServicerContext], Any]:
    """Wraps a method so that its errors become gRPC statuses."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal.code == "INTERNAL":
                logger.exception("%s", method.__name__)
        context.abort(getattr(grpc.StatusCode, refusal.code), refusal.message)

    return answer


def _no_such_signature(what: str) -> Refusal:
    return Refusal(
        "INVALID_ARGUMENT",
        f"Expected {what} signature method_name to be tensorflow/serving/{what}. Was: tensorflow/serving/predict",
    )


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models: Models) -> None:
        self._models = models

    @_answering
    def Predict(self, request: Any) -> Any:
        return self._models.for_spec(request.model_spec).predict(request)

    @_answering
    def GetModelMetadata(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise Refusal("INVALID_ARGUMENT", "Missing ModelSpec")
        if not request.metadata_field:
            raise Refusal("INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise Refusal("INVALID_ARGUMENT", f"Metadata field {field} is not supported")
        return self._models.for_spec(request.model_spec).metadata()

    @_answering
    def Classify(self, request: Any) -> Any:
        self._models.for_spec(request.model_spec)
        raise _no_such_signature("classify")

    @_answering
    def Regress(self, request: Any) -> Any:
        self._models.for_spec(request.model_spec)
        raise _no_such_signature("regress")

    @_answering
    def MultiInference(self, request: Any) -> Any:
        raise Refusal("UNIMPLEMENTED", "The exported models have no signatures for MultiInference.")


class _Status(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, models: Models) -> None:
        self._models = models

    @_answering
    def GetModelStatus(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise Refusal("INVALID_ARGUMENT", "Missing ModelSpec")
        spec = request.model_spec
        return self._models.status(
            spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label
        )

    @_answering
    def HandleReloadConfigRequest(self, request: Any) -> Any:
        raise Refusal(
            "UNIMPLEMENTED", "The development server has no model config. It always serves the newest versions."
        )
