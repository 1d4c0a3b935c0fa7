"""Reads the body of an HTTP request within limits of size and time."""

from __future__ import annotations

import io
import re
import socket
import time
import zlib
from email.message import Message

from pipeline.serving.status import Refusal

LARGEST = 256 * 2**20
"""Maximum size of a request's body in bytes."""

LARGEST_UNZIPPED = 16 * 2**20
"""Maximum size of an unzipped body in bytes. Without this limit, it could be a thousand times the bytes sent."""

READ_SECONDS = 60.0
"""Time limit of one request, from its first byte to its last."""

IDLE_SECONDS = 60.0
"""Time that an idle connection is kept open."""

_TRAILERS = 100


class TimedReads(io.RawIOBase):
    """Reads from a socket with a time limit per request, not only per read.

    Args:
        connection: the socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._end: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Raises TimeoutError if the request's time limit has passed."""
        left = IDLE_SECONDS if self._end is None else self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        if self._end is None:
            self._end = time.monotonic() + READ_SECONDS
        return count

    def request_is_read(self) -> None:
        """Resets the time limit, before the next request or the response."""
        self._end = None
        self._connection.settimeout(READ_SECONDS)


def read_body(headers: Message, stream: io.BufferedIOBase) -> bytes:
    """Reads and unzips the body.

    Args:
        headers: headers of the request.
        stream: the bytes after the headers.

    Raises:
        Refusal: the length is ambiguous or too large, or the body contradicts the headers.
        TimeoutError: the body did not arrive in time.
    """
    if headers.defects:
        raise Refusal("INVALID_ARGUMENT", "Malformed headers")
    lengths, coding = headers.get_all("Content-Length", []), headers.get("Transfer-Encoding")
    if coding is not None:
        if lengths:
            raise Refusal("INVALID_ARGUMENT", "Content-Length and Transfer-Encoding: expected one of them")
        if len(headers.get_all("Transfer-Encoding", [])) > 1 or coding.strip().lower() != "chunked":
            raise Refusal("INVALID_ARGUMENT", f"Transfer-Encoding: expected chunked, received {coding[:50]!r}")
        body = _chunks(stream)
    else:
        body = _exactly(stream, _length(lengths))
    if headers.get("Content-Encoding", "").strip().lower() == "gzip":
        body = _unzipped(body)
    return body


def _length(lengths: list[str]) -> int:
    if not lengths:
        return 0
    text = lengths[0].strip()
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,19}", text, re.ASCII):
        raise Refusal("INVALID_ARGUMENT", f"Malformed Content-Length: {', '.join(lengths)[:50]}")
    if int(text) > LARGEST:
        raise _too_large(LARGEST)
    return int(text)


def _exactly(stream: io.BufferedIOBase, size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise Refusal("INVALID_ARGUMENT", f"The body ended after {len(body)} of {size} bytes.")
    return body


def _chunks(stream: io.BufferedIOBase) -> bytes:
    body = bytearray()
    while True:
        line = stream.readline(1000)
        size = line.split(b";")[0].strip()
        if not line.endswith(b"\n") or not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
            raise Refusal("INVALID_ARGUMENT", "Malformed chunk of the body")
        if not int(size, 16):
            break
        if len(body) + int(size, 16) > LARGEST:
            raise _too_large(LARGEST)
        body += _exactly(stream, int(size, 16))
        if stream.readline(3) not in (b"\r\n", b"\n"):
            raise Refusal("INVALID_ARGUMENT", "Malformed chunk of the body")
    for _ in range(_TRAILERS):
        line = stream.readline(65_536)
        if line in (b"\r\n", b"\n"):
            return bytes(body)
        if not line.endswith(b"\n"):
            break
    raise Refusal("INVALID_ARGUMENT", "Malformed end of the body")


def _unzipped(body: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, LARGEST_UNZIPPED)
    except zlib.error:
        raise Refusal("INVALID_ARGUMENT", "The body is not gzip, as Content-Encoding says.") from None
    if stream.unconsumed_tail or (not stream.eof and len(plain) >= LARGEST_UNZIPPED):
        raise _too_large(LARGEST_UNZIPPED, ", unzipped")
    if not stream.eof or stream.unused_data:
        raise Refusal("INVALID_ARGUMENT", "The body is not one whole gzip, as Content-Encoding says.")
    return plain


def _too_large(most: int, how: str = "") -> Refusal:
    return Refusal("RESOURCE_EXHAUSTED", f"The body has more than {most} bytes{how}.")
