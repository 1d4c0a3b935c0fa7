"""The cuts of the small problems: by hand, and the same whatever the machine."""

import polars as pl

from benchmarks.small import cuts

MINUTE = 60_000


def test_one_user_in_so_many_keeps_all_its_rows() -> None:
    frame = pl.DataFrame({"user": [4, 5, 8, 4, 7], "row": [0, 1, 2, 3, 4]})
    assert cuts.users(frame, "user", 4)["row"].to_list() == [0, 2, 3]
    assert cuts.users(frame, "user", 4, rest=3)["row"].to_list() == [4]


def test_every_takes_rows_at_equal_distances() -> None:
    frame = pl.DataFrame({"row": range(10)})
    assert cuts.every(frame, 3)["row"].to_list() == [0, 3, 6]
    assert cuts.every(frame, 20)["row"].to_list() == list(range(10))


def test_until_ends_at_a_share_of_the_time() -> None:
    frame = pl.DataFrame({"time": [110, 100, 200, 150]})
    assert cuts.until(frame, "time", 0.5)["time"].to_list() == [110, 100, 150]


def test_a_click_is_followed_by_reading_on_or_by_a_return() -> None:
    """User 1: 10 minutes, then 5 hours, then 2 days to the next click; user 2 has one click; a twin row is one click."""
    rows = [(1, 7, 0), (1, 8, 10), (1, 9, 310), (1, 7, 310 + 2880), (2, 7, 5), (1, 7, 0)]
    clicks = pl.DataFrame(rows, schema=["user_id", "article", "minute"], orient="row")
    found = cuts.news(clicks.select("user_id", "article", time=pl.col("minute") * MINUTE))
    assert found["click"].height == 5
    assert found["click"]["time"].is_sorted()
    assert found["read_on"].rows() == [(1, 7, 10 * MINUTE, 600.0)]
    assert found["return"].rows() == [(1, 8, 310 * MINUTE)]
