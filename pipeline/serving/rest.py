"""TensorFlow Serving's REST routes: https://www.tensorflow.org/tfx/serving/api_rest.

`answer` is the whole of it, from a request's method, path and body to a status and a text; around it is Python's own
HTTP server, a thread for each connection.
"""

from __future__ import annotations

import logging
import re
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from pipeline.serving import json_in, json_out
from pipeline.serving.models import Models
from pipeline.serving.status import HTTP, Refusal, refusal_of

logger = logging.getLogger(__name__)

_PLACE = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_ASK = re.compile(rf"(?i){_PLACE}:(classify|regress|predict)")
_LOOK = re.compile(r"(?i)/v1/models(?:/([^/:]+))?(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?")

LARGEST = 256 * 2**20
"""Bytes of a request's body."""


def answer(models: Models, method: str, path: str, body: bytes) -> tuple[int, str]:
    """HTTP status and JSON text of the answer to a request; whatever happens, there is one."""
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


def make_server(models: Models, host: str, port: int) -> ThreadingHTTPServer:
    """An HTTP server over the models, not yet serving; port 0 is any free one."""

    class Handler(_Handler):
        served = models

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    served: Models
    protocol_version = "HTTP/1.1"
    timeout = 60
    # Head and body in one packet: else the second waits for the client's acknowledgement of the first.
    wbufsize = -1
    disable_nagle_algorithm = True
    server_version, sys_version = "gatewise-development", ""

    def parse_request(self) -> bool:
        """Every method there is goes one way; the base class would look for a function named by it."""
        fine = super().parse_request()
        if fine:
            setattr(self, f"do_{self.command}", self._reply)
        return fine

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def _reply(self) -> None:
        path = urlsplit(self.path).path
        try:
            body = self._body()
        except Refusal as refusal:
            self.close_connection = True
            status, text = HTTP[refusal.code], json_out.error(refusal.message)
        else:
            known = re.match(r"(?i)/v1/", path)
            status, text = (
                answer(self.served, self.command, path, body) if known else (404, json_out.error("Not Found"))
            )
        content = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._chunks()
        else:
            length = self.headers.get("Content-Length", "0")
            if not (length.isascii() and length.isdigit() and len(length) < 20):
                raise Refusal("INVALID_ARGUMENT", f"Malformed Content-Length: {length[:50]}")
            if int(length) > LARGEST:
                raise Refusal("RESOURCE_EXHAUSTED", f"The body has more than {LARGEST} bytes.")
            body = self.rfile.read(int(length))
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            body = _unzipped(body)
        return body

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self.rfile.readline(100).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
                raise Refusal("INVALID_ARGUMENT", "Malformed chunk of the body")
            if not int(size, 16):
                while self.rfile.readline(65_536).strip():
                    pass
                return bytes(body)
            if len(body) + int(size, 16) > LARGEST:
                raise Refusal("RESOURCE_EXHAUSTED", f"The body has more than {LARGEST} bytes.")
            body += self.rfile.read(int(size, 16))
            self.rfile.readline(100)


def _unzipped(body: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, LARGEST)
    except zlib.error:
        raise Refusal("INVALID_ARGUMENT", "The body is not gzip, as Content-Encoding says.") from None
    if stream.unconsumed_tail:
        raise Refusal("RESOURCE_EXHAUSTED", f"The body has more than {LARGEST} bytes.")
    return plain
