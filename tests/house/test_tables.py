"""The tables of methods together."""

from __future__ import annotations

import collections

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.regularizers import REGULARIZERS


def test_no_two_methods_are_saved_under_one_name() -> None:
    """Keras finds the class of a saved part by this name: of two classes, the one that was imported last."""
    tables = (ARCHITECTURES, BACKBONES, BALANCERS, REGULARIZERS)
    names = collections.Counter(path.rpartition(".")[2] for table in tables for path in table.values())
    assert {name: count for name, count in names.items() if count > 1} == {}
