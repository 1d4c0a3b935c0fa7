from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.figures import Figure, Target, report
from benchmarks.measure import Measured

OURS = Measured(name="ours", rows=1_000, seconds=(2.0,), peak_bytes=2 * 2**30)
PEER = Measured(name="peer", rows=10, seconds=(1.0, 3.0, 0.5), peak_bytes=4 * 2**30, answer={"tasks": 4})


def test_a_ratio_is_of_rates() -> None:
    assert Figure(measured=OURS).ratio is None
    assert Figure(measured=PEER, against=OURS).ratio == 50.0  # 500 rows/s by 10 rows/s


@pytest.mark.parametrize(
    ("target", "verdicts"),
    [
        (Target(), []),
        (Target(ratio=50), [(">= 50 x", True)]),
        (Target(ratio=51), [(">= 51 x", False)]),
        (Target(ratio=1 / 3), [("within 3 x", True)]),
        (Target(ratio_at_most=1.2), [("<= 1.2 x", False)]),
        (Target(shares={"products": 0.7}), [(">= 70% products", True)]),
        (Target(shares_at_most={"products": 0.7}), [("<= 70% products", False)]),
        (Target(rate=10, peak_gib=4), [(">= 10/s", True), ("< 4 GiB", False)]),
    ],
)
def test_targets(target: Target, verdicts: list[tuple[str, bool]]) -> None:
    figure = Figure(measured=PEER, against=OURS, target=target, shares={"products": 0.75})
    assert list(figure.verdicts()) == verdicts


def test_a_table_and_a_line_of_history_for_each_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = [
        Figure(measured=OURS, target=Target(rate=400)),
        Figure(measured=PEER, against=OURS, target=Target(ratio=99), shares={"products": 0.421}),
    ]
    history = tmp_path / "runs" / "history.jsonl"
    for judged in (True, False):
        report("join", figures, {"seed": 7}, history, judged=judged, notes=["A note."])
    first, second = capsys.readouterr().out.split("A note.")[:2]
    for word in (
        "join",
        "1,000",
        "2.00",
        "500",
        "2,048",
        "50 x",
        ">= 400/s",
        "yes",
        "NO",
        "rows/s of ours",
        "products",
        "42%",
    ):
        assert word in first, word
    assert "too few" in second and "NO" not in second
    lines = [json.loads(line) for line in history.read_text().splitlines()]
    assert len(lines) == 4
    assert lines[1]["figure"] == "peer" and lines[1]["against"] == "ours" and lines[1]["ratio"] == 50.0
    assert lines[1]["seconds"] == [1.0, 3.0, 0.5] and lines[1]["median_seconds"] == 1.0
    assert lines[1]["targets"] == [{"target": ">= 99 x", "met": False}]
    assert lines[3]["targets"] == [{"target": ">= 99 x", "met": None}]
    assert lines[1]["shares"] == {"products": 0.421} and lines[0]["shares"] == {}
    assert lines[0]["settings"] == {"seed": 7} and lines[1]["answer"] == {"tasks": 4}
    assert {"cpu", "cores", "memory_bytes", "kernel", "python", "packages"} == set(lines[0]["machine"])


def test_a_target_that_is_missed_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missed = Figure(measured=OURS, target=Target(rate=600, otherwise="Two more cores."))
    reached = Figure(measured=PEER, target=Target(rate=10, otherwise="Not to be read."))
    report("join", [missed, reached], {}, tmp_path / "history.jsonl")
    said = capsys.readouterr().out
    assert "ours, not met: Two more cores." in said and "Not to be read" not in said
    report("join", [missed], {}, tmp_path / "history.jsonl", judged=False)
    assert "Two more cores" not in capsys.readouterr().out
