"""Checks of the splits before a training."""

import dataclasses
import logging
from types import SimpleNamespace

import pytest

from models.features import input_pipeline
from models.training.splits import check_splits


def test_one_label_everywhere_is_worth_a_warning(problem: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    data = input_pipeline.read_split(problem.train)
    labels = data.labels[:]
    labels[:, 0] = 0
    with caplog.at_level(logging.WARNING):
        check_splits(dataclasses.replace(data, labels=labels), data, ("click", "value"))
    assert "Task 'click': all train labels are 0" in caplog.text
