from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import top_k
from benchmarks.figures import GIB
from benchmarks.measure import Measured
from benchmarks.session import Session
from benchmarks.top_k import Searched


def line(way: str, singles: list[float], batches: list[float], recall: float = 1.0, **about: Any) -> Searched:
    answer = {"singles": singles, "batches": batches, "build_seconds": 2.0, "held_bytes": 3 * 2**20, "about": about}
    measured = Measured(name=way, rows=len(singles), seconds=(1.0,), peak_bytes=5 * 2**20, answer=answer)
    return Searched(way=way, items=1000, measured=measured, recall=recall)


def test_figures_by_hand() -> None:
    ours = line("served", [0.001 * number for number in range(1, 101)], [0.5, 1.5])
    # Between the 50th and the 51st; 99% of the way from the first to the last.
    assert ours.percentile(50) == pytest.approx(50.5) and ours.percentile(99) == pytest.approx(99.01)
    assert ours.rate == pytest.approx(100 / 5.05) and ours.batch_rate == pytest.approx(64.0)
    other = line("approximate", [0.002] * 3, [0.1], 0.9, lists=40, searched_lists=8)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(top_k.table([ours, other]))
    text = captured.get()
    assert "gatewise index: 8 of 40 lists" in text and "0.900" in text
    assert "0.0396 x" in text and "0.1 x" in text, "19.8 and 64 queries/s by 500 and 640"
    first, second = top_k.entries([ours, other], {"seed": 1})
    assert (first["figure"], first["ratio"], second["ratio_in_batches"]) == (
        "served, 1000 items",
        1.0,
        pytest.approx(0.1),
    )
    assert second["recall"] == 0.9 and second["about"] == {"lists": 40, "searched_lists": 8}


def test_recall_by_hand() -> None:
    assert top_k.recall([[1, 2, 3, 4], [9, 8, 7, 6]], [[4, 3, 2, 5], [9, 8, 7, 6]]) == (0.75 + 1.0) / 2


def test_streaming_where_the_served_model_does_not_fit() -> None:
    """Three copies of 1 M x 64 numbers are 0.72 GiB, and the libraries one."""
    assert top_k.needs("served", 1_000_000, 64) == 3 * 256_000_000 + GIB
    # Once it is there: a copy, and 64 scores of each item, which is as much again.
    assert top_k.needs("numpy", 1_000_000, 64) == 2 * 256_000_000 + GIB
    assert top_k.chosen(1_000_000, 64, 2 * GIB)[0] == "served"
    assert top_k.chosen(1_000_000, 64, GIB + 700_000_000)[0] == "streaming"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_runs(tiny: Session, tmp_path: Path) -> None:
    lines, left_out = top_k.run(tmp_path, 500, singles=4, batches=1, seed=1, memory=4 * GIB, dim=8)
    assert [one.way for one in lines] == ["served", "numpy", "faiss", "approximate"] and not left_out
    # The small catalogue is compared as a whole, so that all must agree.
    assert [one.recall for one in lines] == [1.0] * 4
    assert top_k._beside(lines[2], lines) is lines[0]
    # Exporting counts, and leaves nothing behind.
    assert lines[0].measured.answer["build_seconds"] > 0 and lines[0].measured.answer["serving_peak_bytes"] > 0
    assert not (tmp_path / "top_k" / "500x8-1" / "served").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_does_not_fit_is_said(tiny: Session, tmp_path: Path) -> None:
    lines, left_out = top_k.run(tmp_path, 500, singles=2, batches=1, seed=1, memory=GIB, dim=8)
    assert lines == [] and len(left_out) == 4
    assert left_out[0].startswith("TFRS Streaming, 500 items: omitted, because it needs 1.0 GiB")
    memory = top_k.needs("faiss", 500, 8)
    lines, left_out = top_k.run(tmp_path, 500, singles=2, batches=1, seed=1, memory=memory, dim=8)
    assert [one.way for one in lines] == ["streaming", "faiss", "approximate"]
    assert [line.partition(",")[0] for line in left_out] == ["NumPy: product"]
