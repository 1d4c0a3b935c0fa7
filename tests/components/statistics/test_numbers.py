from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from components.columnar import cells
from components.columnar.counts import count_values
from components.statistics.numbers import merge_numbers, of_floats, of_wholes


def floats(*values):
    return of_floats(pa.array(values, pa.float32()))


def test_floats_by_hand():
    found = floats(0.0, -0.0, 2.0, math.nan, 6.0)
    assert (found.nans, found.below, found.above, found.zeros) == (1, 0, 0, 2)
    assert (found.mean, found.smallest, found.largest) == (2.0, 0.0, 6.0)
    assert found.deviation == pytest.approx(math.sqrt((4 + 4 + 0 + 16) / 4))
    values, counts = found.counted()
    assert values.tolist() == [0.0, 2.0, 6.0] and counts.tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("values", "smallest", "largest"),
    [
        ((1.0, math.inf), 1.0, math.inf),
        ((1.0, -math.inf), -math.inf, 1.0),
        ((math.inf, -math.inf), -math.inf, math.inf),
    ],
)
def test_infinite_values(values, smallest, largest):
    found = floats(*values)
    assert math.isnan(found.mean)
    assert (found.smallest, found.largest, found.deviation) == (smallest, largest, 0.0)
    assert found.counted()[0].tolist() == sorted(values)
    assert found.ends.dtype == np.float32


def test_whole_numbers_by_hand():
    found = of_wholes(count_values(pa.array([0, 7, 7, -2])))
    assert (found.zeros, found.mean, found.smallest, found.largest) == (1, 3.0, -2.0, 7.0)
    assert found.ends.dtype == np.float64


def test_parts_together_are_as_all_at_once():
    values = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    values[::50], values[1::100], values[2::100] = 0.0, np.nan, np.inf
    whole = of_floats(pa.array(values))
    parts = [of_floats(pa.array(part)) for part in np.split(values, [1, 400, 400, 900])]
    merged = merge_numbers([merge_numbers(parts[3:]), *parts[:3]])
    for name in ("nans", "below", "above", "zeros", "smallest", "largest"):
        assert getattr(merged, name) == getattr(whole, name), name
    assert (merged.moments.mean, merged.moments.deviation) == (whole.moments.mean, whole.moments.deviation)
    for one, other in zip(merged.counted(), whole.counted(), strict=True):
        assert one.tolist() == other.tolist()


def test_floats_and_whole_numbers_do_not_mix():
    with pytest.raises(TypeError, match="no moments together"):
        merge_numbers([floats(1.0), of_wholes(count_values(pa.array([1])))])


def test_no_wide_cell_begins_below_the_smallest_value(monkeypatch):
    monkeypatch.setattr(cells.merge_cells, "__defaults__", (2,))
    found = merge_numbers([floats(1.25, 1.3), floats(5.0, 6.0)])
    # 1.25 and 1.3 share the cell from 1, 5 and 6 that from 4
    assert found.cells.lows.tolist() == [1.0, 4.0]
    assert found.counted()[0].tolist() == [1.25, 4.0]
