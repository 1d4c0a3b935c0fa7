"""The sums over the samples, by hand."""

import dataclasses
import json

import numpy as np

from models.training.affinity_sums import AffinitySums


def test_a_pair_is_averaged_over_the_samples_in_which_it_counts():
    sums = AffinitySums()
    assert sums.means(("a", "b")) == {}
    sums.add(np.array([[0.5, 0.25], [np.nan, 0.5]], np.float32), np.array([[True, True], [False, True]]))
    # A checkpoint in between.
    sums = AffinitySums(**json.loads(json.dumps(dataclasses.asdict(sums))))
    sums.add(np.array([[0.25, -0.75], [np.nan, 0.0]], np.float32), np.array([[True, True], [False, False]]))
    assert sums.means(("a", "b")) == {
        "means": {"a": {"a": 0.375, "b": -0.25}, "b": {"b": 0.5}},
        # Of 0.5 and 0.25, and of 0.25 and -0.75: half their distance.
        "errors": {"a": {"a": 0.125, "b": 0.5}, "b": {}},
        "samples": {"a": {"a": 2, "b": 2}, "b": {"b": 1}},
    }
