"""The report's section on the importance of the columns."""

import re

from pipeline.report import ReportData, page
from tests.doubles.full_report import FULL, Outline

RISES = {
    "age": {"click": [0.0001, 0.0003], "order": [-0.0002, 0.0]},
    "price": {"click": [0.02, 0.04], "order": [0.1, 0.1]},
    "<tv>": {"click": [0.1, 0.11], "order": [-0.01, -0.01]},
}


def report(importance):
    text = page(ReportData(**{**FULL, "importance": importance}))
    Outline(text)
    return text


def test_the_picture_has_the_means_in_percent_and_small_ones_are_named():
    text = report({"rises": RISES, "examples": 20000})
    section = re.search(r'<section id="importance".*?</section>', text, re.DOTALL)[0]
    cells = re.findall(r">(\N{MINUS SIGN}?[\d.]+)</text>", section)
    minus = "\N{MINUS SIGN}"
    assert cells == ["3.00", "10.00", "10.50", f"{minus}1.00", "0.02", f"{minus}0.01"], "3 / 10.5 + 1 before 1 - 0.1"
    assert "Mean of 2 permutations of 20,000 examples" in section and "<tv>" not in section
    assert (
        "differ by at most 2.00 (click), 0.02 (order)." in section
        and "No loss changes by 0.1 % without: age. Train" in section
    )
    assert "not shown" not in section


def test_the_largest_twenty_are_drawn():
    rises = {f"c{number}": {"click": [number / 100] * 2} for number in range(23)}
    text = report({"rises": rises, "examples": 5})
    assert "3 columns with smaller rises are not shown" in text
    assert ">c22</text>" in text and ">c3</text>" in text and ">c2</text>" not in text


def test_without_a_measurement_there_is_no_section():
    for found in (None, {}):
        assert "Importance of the columns" not in report(found)
