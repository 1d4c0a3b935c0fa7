"""The size with the nearest number of parameters."""

from benchmarks.matched_size import matched_size


def test_the_nearest_size() -> None:
    assert matched_size(lambda size: 10 * size + 5, 98) == 9
    assert matched_size(lambda size: 10 * size + 5, 102) == 10
