from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import Measured, Subject
from benchmarks.steps.problem import StepProblem
from benchmarks.steps.shares import device_rates, in_words, of_bandwidth, of_products

PROBLEM = StepProblem(features=2, dim=3, batch=4, experts=2, units=(5,))
TWO_STEPS = Measured(name="x", rows=8, seconds=(2.0,), peak_bytes=0)


def test_shares_by_hand() -> None:
    # 1,440 operations and 2,736 bytes a step, two steps in two seconds.
    assert of_products(PROBLEM, TWO_STEPS, rate=2880.0) == pytest.approx(0.5)
    assert of_bandwidth(PROBLEM, TWO_STEPS, rate=5472.0) == pytest.approx(0.5)
    # 888 bytes of products in half as many bytes a number, and 960 of the tables' rows.
    assert of_bandwidth(PROBLEM, TWO_STEPS, rate=1848.0, number_bytes=2) == pytest.approx(1.0)


def test_the_faster_library_says_what_the_device_can() -> None:
    asked: list[Subject] = []

    def time(subject: Subject) -> Measured:
        asked.append(subject)
        more = float(len(asked))
        rates = {"float32": 1e9 * more, "bfloat16": 5e9 / more, "bytes": 2e9}
        return Measured(name=subject.name, rows=1, seconds=(1.0,), peak_bytes=0, answer={"rates": rates})

    rates = device_rates(time, PROBLEM, Path("/peers/python"), "gpu")
    assert rates == {"float32": 2e9, "bfloat16": 5e9, "bytes": 2e9}
    assert asked[1].python == Path("/peers/python") != asked[0].python
    assert {subject.question["device"] for subject in asked} == {"gpu"}
    assert "2 GFLOP/s in float32, 5 in bfloat16" in in_words(rates)
