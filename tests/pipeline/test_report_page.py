"""Numbers and times as text."""

import pytest

from pipeline.report_page import count, moment, number, share, signed


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(0.12345), "0.1235"),
        (number(-1.5, 1), "−1.5"),
        (number(None), "–"),
        (number(float("nan")), "–"),
        (number(True), "–"),
        (count(1234567.4), "1,234,567"),
        (count(None), "–"),
        (share(1, 8), "12.5%"),
        (share(1, 0), "–"),
        (signed(0.25, 2), "+0.25"),
        (signed(-0.25, 2), "−0.25"),
        (signed(-0.001, 2), "0.00"),
        (moment("2026-01-14T23:19:28.457000Z"), "2026-01-14 23:19 UTC"),
        (moment("<b>"), "<b>"),
    ],
)
def test_numbers(shown, expected):
    assert shown == expected
