"""The comparison's charts."""

import itertools
import re

from pipeline.comparing.page_charts import COLOURS, _spread, _towards_the_best, forest, trade_off, weight_lines
from tests.doubles.comparison import NOT_MEASURED, gain


def test_each_verdict_has_its_colour_and_what_was_not_measured_has_no_point():
    gains = {"ple": gain(0.01), "aitm": gain(-0.01), "mmoe": gain(0.0), "訂單": NOT_MEASURED}
    drawn = forest(gains, "gain in auc", "0")
    assert all(f">{name}</text>" in drawn for name in (*gains, "gain in auc", "not measured"))
    assert all(colour in drawn for colour in COLOURS.values())
    assert drawn == forest(gains, "gain in auc", "0")
    without = forest({"a": {**gain(0.01), "lower": None, "upper": None}}, "gain", "1")
    assert without.count(COLOURS["better"]) < forest({"a": gain(0.01)}, "gain", "1").count(COLOURS["better"])


def test_names_of_methods_do_not_overlap_and_keep_the_order_of_their_points():
    levels = {"a": 0.5, "b": 0.5, "c": 0.51, "d": 0.9, "e": 1.0, "f": 1.0, "g": 0.0}
    found = _spread(levels, 0.1)
    ordered = sorted(found.values())
    assert list(found) == sorted(levels, key=lambda name: (levels[name], name))
    assert list(found.values()) == ordered and ordered[0] == 0.0 and abs(ordered[-1] - 1.0) < 1e-9
    assert all(above - below > 0.1 - 1e-9 for below, above in itertools.pairwise(ordered))
    assert found["b"] == sum(found[name] for name in "abc") / 3, "a block is around its mean height"
    assert abs(found["b"] - (0.5 + 0.5 + 0.51) / 3) < 1e-9
    assert _spread({"a": 0.2, "b": 0.8}, 0.1) == {"a": 0.2, "b": 0.8}, "far apart: beside their points"


def _ticks(drawn, axis):
    part = drawn[drawn.index(f'id="matplotlib.axis_{axis}"') :].split('id="matplotlib.axis_')[1]
    return [float(value) for value in re.findall(r">(\d+\.\d+)</text>", part)]


def test_the_better_corner_is_at_the_top_right():
    points = {"a": (0.70, 4.0), "b": (0.74, 4.4), "c": (0.71, 4.5)}
    drawn = trade_off(points, ("auc of like", "rmse of minutes"), (False, True), ["a", "b"], "b", True)
    across, up = _ticks(drawn, 1), _ticks(drawn, 2)
    place = [
        float(y) for y in re.findall(r'<use href="#[^"]*" x="[^"]*" y="([\d.]+)"', drawn[drawn.index("ytick_1") :])
    ]
    assert across == sorted(across) and len(up) > 1
    assert (up[0] < up[-1]) == (place[0] < place[len(up) - 1]), "a lower RMSE is higher in the picture"
    assert all(f">{name}</text>" in drawn for name in ("a", "b", "c", "auc of like", "rmse of minutes"))


def test_the_front_goes_from_the_worst_to_the_best_of_the_first_task():
    points = {"a": (0.72, 4.1), "b": (0.70, 4.0), "c": (0.74, 4.4)}
    assert _towards_the_best(points, ["a", "b"], lower=False) == [(0.70, 4.0), (0.72, 4.1)]
    assert _towards_the_best(points, ["a", "b"], lower=True) == [(0.72, 4.1), (0.70, 4.0)]


def test_lines_of_the_weights_have_one_legend():
    drawn = weight_lines({"ple + famo": {"like": [1.0, 0.8], "share": [1.0, 1.2]}, "mmoe + dwa": {"like": [1.0]}})
    assert all(f">{name}</text>" in drawn for name in ("ple + famo", "mmoe + dwa", "like", "share", "round", "weight"))
    assert drawn.count(">like</text>") == 1
