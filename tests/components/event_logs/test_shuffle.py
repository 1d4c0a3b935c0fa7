"""Rows written to the shuffle's files come back, partition by partition, whatever became of other attempts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.event_logs import shuffle
from components.event_logs.shuffle import Rows, ShuffleWriter

FRAME = pl.DataFrame(
    {
        "number": [1, None, 3, 4],
        "text": ["a", "", None, "a long text that lies outside of its view"],
        "list": [["x"], [], None, ["y", "z"]],
    }
)


def write(folder: Path, frame: pl.DataFrame = FRAME, name: str = "piece") -> list:
    with ShuffleWriter(str(folder), name) as writer:
        writer.add(Rows(frame, np.array([2, 0, 2, 2][: frame.height]), "event", "click"))
        writer.add(Rows(frame[:1], np.array([0]), "event", "click"))
        writer.add(Rows(frame.select("number"), np.array([0, 0, 0, 0][: frame.height]), "id", "click"))
        writer.add(Rows(frame[:0], np.array([], np.int64), "duplicate", "click"))
    return list(writer.references())


def test_round_trip(tmp_path: Path) -> None:
    references = write(tmp_path)
    places = {(number, ref.role): ref for number, ref in references}
    assert sorted(places) == [(0, "event"), (0, "id"), (2, "event")]
    assert shuffle.read([places[2, "event"]]).equals(FRAME[[0, 2, 3]])
    assert shuffle.read([places[0, "event"]]).equals(FRAME[[1, 0]])
    assert shuffle.read([places[0, "event"]], ["text"])["text"].to_list() == ["", "a"]
    assert places[0, "event"].batches == (0, 2) and places[2, "event"].batches == (1,)
    assert shuffle.read([]) is None
    assert len(list(tmp_path.iterdir())) == 2 and not list(tmp_path.glob("*.partial"))


def test_a_second_attempt_touches_nothing_of_the_first(tmp_path: Path) -> None:
    first, second = write(tmp_path), write(tmp_path, FRAME.reverse())
    assert not {ref.file for _, ref in first} & {ref.file for _, ref in second}
    assert shuffle.read([ref for number, ref in first if number == 2]).equals(FRAME[[0, 2, 3]])


def test_an_attempt_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), ShuffleWriter(str(tmp_path), "piece") as writer:
        writer.add(Rows(FRAME, np.zeros(4, np.int32), "event", "click"))
        raise KeyError
    assert not list(tmp_path.iterdir())
