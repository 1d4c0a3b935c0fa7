"""The table and the closing lines of the small problems."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from benchmarks.small.metrics import Measure
from benchmarks.small.verdicts import Verdict, line
from benchmarks.small_logs import main, table, words

LABELS = np.array([1.0, 0.0, 1.0, 0.0])
GOOD, POOR = np.array([0.9, 0.1, 0.8, 0.2]), np.array([0.9, 0.1, 0.3, 0.4])
OTHERS = {"logistic": POOR, "boosted": POOR, "constant": np.full(4, 0.5)}


def test_the_table_has_mean_and_range_of_the_seeds() -> None:
    rows = [
        line("feed", "like", Measure(binary=True, log=False), LABELS, {"mmoe": [GOOD, POOR]}, OTHERS, None),
        line("feed", "amount", Measure(binary=False, log=False), LABELS, {"mmoe": [GOOD, POOR]}, OTHERS, None),
    ]
    out = StringIO()
    Console(file=out, width=250).print(table(rows))
    shown = out.getvalue()
    for text in ("AUC mmoe", "loss constant", "better than logistic", "0.8750", "0.7500..1.0000", "+0.1250", "0.6931"):
        assert text in shown


def test_a_verdict_names_where_it_fails() -> None:
    verdict = Verdict(
        rule="ahead of both on half",
        met=True,
        held=1,
        of=3,
        failed=("feed like", "feed follow"),
        beyond=("feed follow",),
    )
    assert words(verdict) == "ahead of both on half: yes, on 1 of 3; not on: feed like, feed follow*"


def test_an_unknown_problem_is_refused() -> None:
    with pytest.raises(SystemExit, match="expected some of feed_12k, .*; received feed_13k"):
        main(problems="feed_13k")
