"""Bodies of HTTP requests: what is not clear, too large or too slow is refused, at once and in words."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import threading
import time
import zlib
from http.client import parse_headers
from typing import Any

import pytest

from pipeline.serving import http_body
from pipeline.serving.http_body import LARGEST, LARGEST_UNZIPPED, read_body
from pipeline.serving.status import Refusal

PATH = "/v1/models/shop:predict"
GOOD = json.dumps(
    {
        "signature_name": "rank",
        "inputs": {"who": ["a"], "age": [2], "item": [8, 24], "tags": [[""], ["x"]], "taste": 3},
    }
).encode()
ZIPPED = gzip.compress(b"{}", mtime=0)


def read(head: str, rest: bytes) -> bytes:
    return read_body(parse_headers(io.BytesIO(head.encode() + b"\r\n\r\n")), io.BytesIO(rest))


@pytest.mark.parametrize(
    ("head", "rest", "body"),
    [
        ("Host: x", b"", b""),
        ("Content-Length: 0", b"next", b""),
        ("Content-Length: 2", b"{}next", b"{}"),
        ("Content-Length:   2  ", b"{}", b"{}"),
        ("Transfer-Encoding: Chunked", b"1\r\n{\r\n1;name=value\r\n}\r\n0\r\n\r\nnext", b"{}"),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\nChecksum: 1\r\n\r\n", b"{}"),
        ("Transfer-Encoding: chunked", b"0\r\n\r\n", b""),
        (f"Content-Encoding: gzip\r\nContent-Length: {len(ZIPPED)}", ZIPPED, b"{}"),
    ],
)
def test_what_is_read(head: str, rest: bytes, body: bytes) -> None:
    assert read(head, rest) == body


@pytest.mark.parametrize(
    ("head", "rest", "words"),
    [
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", "expected one of them"),
        ("Content-Length: 2\r\nContent-Length: 3", b"{}}", "Malformed Content-Length: 2, 3"),
        ("Content-Length: 2\r\nContent-Length: 2", b"{}", "Malformed Content-Length: 2, 2"),
        *(
            (f"Content-Length: {length}", b"{}", "Malformed Content-Length")
            for length in ("-1", "+2", "2, 2", "x", "2.0", "0x2", "1_0", "\u0662", "", "9" * 20, "2 2")
        ),
        ("Content-Length: 3", b"{}", "The body ended after 2 of 3 bytes"),
        (f"Content-Length: {LARGEST + 1}", b"", "The body has more than"),
        ("Content-Length : 2", b"{}", "Malformed headers"),
        ("Transfer-Encoding: gzip, chunked", b"", "expected chunked, received 'gzip, chunked'"),
        ("Transfer-Encoding: identity", b"", "expected chunked"),
        ("Transfer-Encoding: xchunked", b"", "expected chunked"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", "expected chunked"),
        ("Transfer-Encoding: chunked", b"", "Malformed chunk"),
        ("Transfer-Encoding: chunked", b"-1\r\n", "Malformed chunk"),
        ("Transfer-Encoding: chunked", b"2\r\n{}x\r\n0\r\n\r\n", "Malformed chunk"),
        ("Transfer-Encoding: chunked", b"5\r\n{}", "The body ended after 2 of 5"),
        ("Transfer-Encoding: chunked", b"ffffffff\r\n", "The body has more than"),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n", "Malformed end"),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 1000, "Malformed end"),
        ("Content-Encoding: gzip\r\nContent-Length: 2", b"{}", "is not gzip"),
        (f"Content-Encoding: gzip\r\nContent-Length: {len(ZIPPED) - 4}", ZIPPED[:-4], "not one whole gzip"),
        (f"Content-Encoding: gzip\r\nContent-Length: {2 * len(ZIPPED)}", ZIPPED * 2, "not one whole gzip"),
    ],
)
def test_what_is_refused(head: str, rest: bytes, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        read(head, rest)


def bomb(size: int) -> bytes:
    stream = zlib.compressobj(9, wbits=31)
    block = b" " * 2**20
    return b"".join(stream.compress(block) for _ in range(size >> 20)) + stream.flush()


def test_gzip_is_unzipped_so_far_and_no_further() -> None:
    small = bomb(LARGEST_UNZIPPED)
    assert len(read(f"Content-Encoding: gzip\r\nContent-Length: {len(small)}", small)) == LARGEST_UNZIPPED
    large = bomb(240 * 2**20)
    assert len(large) < 250_000
    begin = time.perf_counter()
    with pytest.raises(Refusal, match=f"more than {LARGEST_UNZIPPED} bytes, unzipped"):
        read(f"Content-Encoding: gzip\r\nContent-Length: {len(large)}", large)
    assert time.perf_counter() - begin < 10


def exchange(server: Any, content: bytes) -> tuple[int, dict[str, Any]]:
    """The answer to bytes that are sent as they are."""
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=30) as connection:
        connection.sendall(content)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (f"Content-Length: {len(GOOD)}", GOOD, 200),
        (f"Content-Length: {len(GOOD)}\r\nTransfer-Encoding: chunked", GOOD, 400),
        (f"Content-Length: {LARGEST + 1}", b"x" * 2**20, 413),  # the answer comes through while the client still sends
        ("Content-Encoding: gzip\r\nContent-Length: {}", bomb(100 * 2**20), 413),
    ],
)
def test_the_status(server: Any, headers: str, body: bytes, status: int) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{headers.format(len(body))}\r\n\r\n"
    begin = time.perf_counter()
    found, answer = exchange(server, head.encode() + body)
    assert found == status, answer
    assert status == 200 or answer["error"]
    assert time.perf_counter() - begin < 10


def test_a_client_that_waits_to_be_told_to_go_on(server: Any) -> None:
    """As curl does before a body of a megabyte, for a second, and others for as long as it takes."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(GOOD)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(GOOD)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def test_an_address_that_is_none_has_an_answer(server: Any) -> None:
    status, answer = exchange(server, b"GET http://[::1/v1/models/shop HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 400 and "Malformed address: http://[::1" in answer["error"]


def test_what_was_smuggled_behind_a_refused_request_is_not_answered(server: Any) -> None:
    inner = b"GET /v1/models/shop HTTP/1.1\r\nHost: x\r\n\r\n"
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {5 + len(inner)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=30) as connection:
        connection.sendall(head.encode() + b"0\r\n\r\n" + inner)
        received = b""
        while more := connection.recv(65_536):
            received += more
    assert received.startswith(b"HTTP/1.1 400") and received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("until", ["line", "headers", "body", "chunks"])
def test_a_client_that_sends_a_byte_now_and_then(server: Any, until: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the request does not."""
    monkeypatch.setattr(http_body, "READ_SECONDS", 0.5)
    begun = {
        "line": b"POST /v1",
        "headers": f"POST {PATH} HTTP/1.1\r\nHost: ".encode(),
        "body": f"POST {PATH} HTTP/1.1\r\nContent-Length: 1000\r\n\r\n".encode(),
        "chunks": f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n".encode(),
    }[until]
    received, begin = b"", time.monotonic()
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=0.1) as connection:
        connection.sendall(begun)
        while time.monotonic() - begin < 10:
            try:
                connection.sendall(b"1")
                more = connection.recv(65_536)
                if not more:
                    break
                received += more
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - begin < 8
    assert received.startswith(b"HTTP/1.1 408") if until in ("body", "chunks") else received == b""


def test_a_connection_that_is_kept_has_its_time_for_each_request(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_body, "READ_SECONDS", 1.0)
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    for _ in range(3):
        connection.request("POST", PATH, GOOD)
        assert json.loads(connection.getresponse().read())["outputs"]["ranking"] == [1, 0]
        time.sleep(0.6)
    connection.close()


def test_a_hundred_clients_at_once(server: Any) -> None:
    """None is reset."""
    clients, found = 100, []
    start = threading.Barrier(clients)

    def ask() -> None:
        start.wait()
        try:
            found.append(exchange(server, b"GET /v1/models/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0])
        except OSError as error:
            found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * clients
    assert server._rest.request_queue_size >= 128
