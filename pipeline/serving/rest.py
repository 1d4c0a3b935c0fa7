"""TensorFlow Serving's REST routes: https://www.tensorflow.org/tfx/serving/api_rest.

`answer` maps a request's method, path and body to a status and a text. Python's HTTP server calls it, with one thread per
connection.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from pipeline.serving import json_in, json_out
from pipeline.serving.http_body import TimedReads, read_body
from pipeline.serving.models import Models
from pipeline.serving.status import HTTP, Refusal, refusal_of

logger = logging.getLogger(__name__)

_PLACE = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_ASK = re.compile(rf"(?i){_PLACE}:(classify|regress|predict)")
_LOOK = re.compile(r"(?i)/v1/models(?:/([^/:]+))?(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?")

BACKLOG = 128
"""Size of the queue of pending connections. With the base class's 5, the kernel refuses some of fifty clients."""

LINGER_SECONDS = 1.0


def answer(models: Models, method: str, path: str, body: bytes) -> tuple[int, str]:
    """HTTP status and JSON text of the response. Every error becomes a response."""
    try:
        return 200, _answer(models, method, path, body)
    except Exception as error:
        refusal = refusal_of(error)
        if refusal.code == "INTERNAL":
            logger.exception("%s %s", method, path)
        return HTTP[refusal.code], json_out.error(refusal.message)


def _answer(models: Models, method: str, path: str, body: bytes) -> str:
    if method == "POST" and (match := _ASK.fullmatch(path)):
        name, version, label, verb = match.groups()
        return _ask(models, (unquote(name), _number(version), unquote(label or "")), verb.lower(), body)
    if method == "GET" and (match := _LOOK.fullmatch(path)):
        name, version, label, part = match.groups()
        if not name:
            raise Refusal("INVALID_ARGUMENT", "Missing model name in request.")
        place = unquote(name), _number(version), unquote(label or "")
        return _metadata(models.get(*place).metadata()) if part else _json(models.status(*place), False)
    raise Refusal("INVALID_ARGUMENT", f"Malformed request: {method} {path}")


def _ask(models: Models, place: tuple[str, int | None, str], verb: str, body: bytes) -> str:
    document = json_in.read(body)
    signature = json_in.signature_name(document)
    servable = models.get(*place)
    if verb != "predict":
        kind = {"classify": "classification", "regress": "regression"}[verb]
        raise Refusal(
            "INVALID_ARGUMENT",
            f"Expected {kind} signature method_name to be tensorflow/serving/{verb}. Was: tensorflow/serving/predict",
        )
    tensors, rows = json_in.tensors(document, servable.inputs(signature))
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, tensor in tensors.items():
        request.inputs[name].CopyFrom(tensor)
    outputs = servable.predict(request).outputs
    return json_out.write({name: tf.make_ndarray(tensor) for name, tensor in outputs.items()}, rows)


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    if len(version) > 19 or int(version) >= 2**63:
        raise Refusal("INVALID_ARGUMENT", f"Failed to convert version: {version} to numeric.")
    return int(version)


def _metadata(response: Any) -> str:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    spec, defs = _json(response.model_spec, True), _json(signatures, True)
    return f'{{\n"model_spec":{spec},\n"metadata": {{"signature_def": {defs}}}\n}}\n'


def _json(message: Any, proto_names: bool) -> str:
    return json_format.MessageToJson(
        message, preserving_proto_field_name=proto_names, always_print_fields_with_no_presence=True
    )


def _path(target: str) -> str:
    try:
        return urlsplit(target).path
    except ValueError:  # such as an address that starts with a bracket
        raise Refusal("INVALID_ARGUMENT", f"Malformed address: {target[:100]}") from None


def make_server(models: Models, host: str, port: int) -> ThreadingHTTPServer:
    """Creates an HTTP server for the models without starting it. Port 0 selects a free port."""

    class Handler(_Handler):
        served = models

    server = _Server((host, port), Handler)
    server.daemon_threads = True
    return server


class _Server(ThreadingHTTPServer):
    request_queue_size = BACKLOG


class _Handler(BaseHTTPRequestHandler):
    served: Models
    protocol_version = "HTTP/1.1"
    # Send head and body in one packet. Otherwise the body waits for the client's acknowledgement of the head.
    wbufsize = -1
    disable_nagle_algorithm = True
    server_version, sys_version = "gatewise-development", ""

    def setup(self) -> None:
        """Sets the time limit per request."""
        super().setup()
        self._refused = False
        self.rfile.close()
        self._reads = TimedReads(self.connection)
        self.rfile = io.BufferedReader(self._reads)

    def finish(self) -> None:
        """Reads what a refused client is still sending. Otherwise the system resets the connection before the client has
        read the error."""
        with contextlib.suppress(OSError):
            super().finish()
        if not self._refused:
            return
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_SECONDS)
            end = time.monotonic() + LINGER_SECONDS
            while time.monotonic() < end and self.connection.recv(65_536):
                pass

    def parse_request(self) -> bool:
        """Handles every HTTP method in one place. The base class would look up a function per method."""
        fine = super().parse_request()
        if fine:
            setattr(self, f"do_{self.command}", self._reply)
        return fine

    def handle_expect_100(self) -> bool:
        """Sends the head at once, because the client waits for it before it sends the body."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def _reply(self) -> None:
        try:
            path = _path(self.path)
            body = read_body(self.headers, self.rfile)
        except Refusal as refusal:
            self.close_connection = self._refused = True
            status = 413 if refusal.code == "RESOURCE_EXHAUSTED" else HTTP[refusal.code]
            text = json_out.error(refusal.message)
        except TimeoutError:
            self.close_connection = self._refused = True
            status, text = 408, json_out.error("The request did not arrive in time.")
        else:
            known = re.match(r"(?i)/v1/", path)
            status, text = (
                answer(self.served, self.command, path, body) if known else (404, json_out.error("Not Found"))
            )
        self._reads.request_is_read()
        content = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
