"""Times ranking requests in a fresh process: python -m benchmarks.rank_times QUESTION.

The question has `out` and the sizes of a RankingProblem, and
    candidates: numbers of them, each measured for itself.  requests: that count, after a few that warm up.
The answer has, for each number of candidates, {what: [seconds, ...]}. What can be compared is asked in turns, so that a
busy moment of the machine meets all of it: `once` and `each`, the exported model in this process with and without the
split of the user's part, and `products`, the network's bare matrix products in NumPy, `products_alone` on one core; then `grpc` and `rest`, the
development server in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np

from benchmarks.measure import ROOT
from benchmarks.ranking_model import RankingProblem, export_models

WARM_UPS = 5
DIFFERENT = 20
"""Requests that take turns."""

BLOCK = 10
PAUSE = 0.01
"""Seconds before a block."""


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to the question."""
    import tensorflow as tf

    problem = RankingProblem.of(question)
    folders = export_models(problem, Path(question["out"]))
    loaded = {name: tf.saved_model.load(str(folder)) for name, folder in folders.items()}
    times: dict[str, dict[str, list[float]]] = {}
    begin = time.perf_counter()
    with _server(folders["once"].parent) as addresses:
        for candidates in question["candidates"]:
            requests = [problem.request(candidates, number) for number in range(DIFFERENT)]
            times[str(candidates)] = _in_turns(
                {
                    **{name: _calls(loaded[name].signatures["rank"], requests) for name in loaded},
                    "products": _products(problem, candidates, None),
                    "products_alone": _products(problem, candidates, 1),
                },
                question["requests"],
            ) | _in_turns(
                {"grpc": _grpc(addresses["grpc"], requests), "rest": _rest(addresses["rest"], requests)},
                question["requests"],
            )
    rows = len(question["candidates"]) * question["requests"]
    return {"rows": rows, "seconds": time.perf_counter() - begin, "times": times}


def _in_turns(calls: Mapping[str, Callable[[int], Any]], requests: int) -> dict[str, list[float]]:
    """{what: seconds of each of so many calls}, a block of one after a block of the other.

    The first call of a block does not count: NumPy's threads go on spinning for a while after the last product of theirs,
    and would take the cores from whatever comes next.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for number in range(WARM_UPS):
            call(number)
    while any(len(found) < requests for found in times.values()):
        for name, call in calls.items():
            call(0)
            time.sleep(PAUSE)
            for number in range(min(BLOCK, requests - len(times[name]))):
                begin = time.perf_counter()
                call(number % DIFFERENT)
                times[name].append(time.perf_counter() - begin)
    return times


def _calls(signature: Any, requests: Sequence[Mapping[str, Any]]) -> Callable[[int], Any]:
    """The answer must have come back; the request lies ready as tensors, as in a server that has parsed it."""
    import tensorflow as tf

    ready = [{name: tf.constant(values) for name, values in request.items()} for request in requests]
    return lambda number: signature(**ready[number])["ranking"].numpy()


def _products(problem: RankingProblem, candidates: int, threads: int | None) -> Callable[[int], Any]:
    """Threads: None for as many as NumPy's library takes, one for each core."""
    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()

    random = np.random.default_rng(problem.seed)
    pairs = [
        (random.normal(size=(copies, m, k)).astype("f4"), random.normal(size=(copies, k, n)).astype("f4"))
        for copies, m, k, n in problem.products(candidates)
    ]

    def multiply(number: int) -> None:
        with controller.limit(limits=threads):
            for left, right in pairs:
                np.matmul(left, right)

    return multiply


def _grpc(address: str, requests: Sequence[Mapping[str, Any]]) -> Callable[[int], Any]:
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    options = [("grpc.max_receive_message_length", -1)]
    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address, options=options))
    messages = []
    for request in requests:
        message = predict_pb2.PredictRequest()
        message.model_spec.name, message.model_spec.signature_name = "once", "rank"
        for name, values in request.items():
            message.inputs[name].CopyFrom(tf.make_tensor_proto(values, tf.string, shape=values.shape))
        messages.append(message)
    return lambda number: stub.Predict(messages[number])


def _rest(address: str, requests: Sequence[Mapping[str, Any]]) -> Callable[[int], Any]:
    bodies = [
        json.dumps(
            {
                "signature_name": "rank",
                "inputs": {name: [value.decode() for value in values] for name, values in request.items()},
            }
        ).encode()
        for request in requests
    ]

    def call(number: int) -> Any:
        with urlopen(Request(address, bodies[number])) as response:
            return json.loads(response.read())

    return call


@contextmanager
def _server(folder: Path) -> Iterator[dict[str, str]]:
    """The development server over a model's versions: {"grpc": address, "rest": URL}."""
    command = [sys.executable, "-m", "pipeline.cli", "serve", str(folder), "--rest-port", "0", "--grpc-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            words = process.stdout.readline().split()
            addresses = {word.partition("://")[0]: word for word in words if "://" in word}
            if not addresses:
                raise RuntimeError(f"the development server did not start over {folder}")
            yield {"rest": addresses["http"], "grpc": addresses["grpc"].removeprefix("grpc://").partition("/")[0]}
        finally:
            process.terminate()


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
