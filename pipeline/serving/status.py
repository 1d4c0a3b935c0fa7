"""Refusals with TensorFlow Serving's codes, for REST and gRPC."""

from __future__ import annotations

import tensorflow as tf

HTTP = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
"""TensorFlow Serving's HTTP status for each code."""

_CODES = {getattr(tf.errors, name): name for name in HTTP if isinstance(getattr(tf.errors, name, None), int)}


class Refusal(Exception):
    """A request is refused.

    Args:
        code: a key of HTTP, which is also the name of the gRPC status.
        message: message for the client.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def refusal_of(error: Exception) -> Refusal:
    """Converts an error to a Refusal with TensorFlow's code, or INTERNAL."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, tf.errors.OpError):
        return Refusal(_CODES.get(error.error_code, "UNKNOWN"), str(error.message))
    if isinstance(error, MemoryError):
        return Refusal("RESOURCE_EXHAUSTED", "out of memory")
    if isinstance(error, RecursionError):
        return Refusal("INVALID_ARGUMENT", "nested too deeply")
    return Refusal("INTERNAL", f"{type(error).__name__}: {error}")
