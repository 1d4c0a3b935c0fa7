from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import serving
from benchmarks.ranking_model import RankingProblem
from benchmarks.serving import NAMES, Latency

SMALL = {"users": 2, "items": 2, "rows": 20, "dim": 2, "experts": 2, "units": [4, 3], "tower_units": [2]}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_runs(tmp_path: Path) -> None:
    latencies = serving.run(tmp_path, 3, (1, 4), **SMALL)
    assert [(one.candidates, one.what) for one in latencies] == [(count, what) for count in (1, 4) for what in NAMES]
    assert all(len(one.seconds) == 3 and min(one.seconds) > 0 for one in latencies)


def test_the_target_is_the_bare_products_twice_and_a_millisecond() -> None:
    seconds = tuple(0.001 * number for number in range(1, 101))
    slow = Latency(what="once", candidates=500, seconds=seconds, limit_ms=99)
    assert slow.percentile(50) == pytest.approx(50.5) and slow.percentile(99) == pytest.approx(99.01)
    assert slow.rate == pytest.approx(100 / 5.05) and not slow.met
    fast = Latency(what="once", candidates=500, seconds=(0.01,) * 3, limit_ms=2 * 4.5 + 1)
    console = Console(width=160)
    with console.capture() as captured:
        console.print(serving.table([slow, fast]))
    text = captured.get()
    assert "p99 <= 2 x 4.50 + 1 ms" in text and "yes" in text and "NO" in text
    lines = serving.entries([slow], {"requests": 100})
    assert (lines[0]["figure"], lines[0]["met"], lines[0]["requests"]) == ("once, 500 candidates", False, 100)


def test_the_products_are_those_of_the_network() -> None:
    assert RankingProblem().products(500) == [
        (1, 500, 480, 16),
        (1, 500, 480, 2048),
        (8, 500, 256, 128),
        (2, 500, 128, 64),
        (2, 500, 64, 1),
    ]
