from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks import runners
from benchmarks.engines import ENGINES
from benchmarks.session import Session
from benchmarks.stages.on_engine import Largest, digest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_the_first_stage_on_each_engine(tiny: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    # The other stages on these engines: tests/e2e/test_engines.py.
    monkeypatch.setattr(runners, "STAGES", ("event_logs",))
    figures = runners.run(tiny)
    assert [figure.measured.name for figure in figures] == [f"event_logs, {engine}" for engine in ENGINES]
    local, *others = figures
    assert local.against is None and all(other.against is local.measured for other in others)
    assert {figure.measured.rows for figure in figures} == {tiny.rows}
    # A number takes 8 bytes: the six features, the label's and the join's columns more than 50 and less than 1,000.
    assert 50 * tiny.rows < local.measured.answer["shuffled"] < 1_000 * tiny.rows
    assert "bytes an impression" in runners.shuffled(figures)


def test_the_largest_size_is_kept(tmp_path: Path) -> None:
    with Largest(tmp_path / "later") as largest:
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "a.arrow").write_bytes(b"1234")
        until = time.monotonic() + 10
        while not largest.bytes and time.monotonic() < until:
            time.sleep(0.01)
        (tmp_path / "later" / "a.arrow").unlink()
    assert largest.bytes == 4


def test_a_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    one = digest(tmp_path)
    (tmp_path / "transform_fn").mkdir()
    (tmp_path / "transform_fn" / "b").write_bytes(b"1")
    assert digest(tmp_path) == one
    (tmp_path / "a").rename(tmp_path / "c")
    assert digest(tmp_path) != one
