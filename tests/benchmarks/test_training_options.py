"""The table of the training options."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from benchmarks.training_options import OPTIONS, table
from models.recipe.model import Training


def test_the_means_over_seeds_and_over_problems() -> None:
    scores = {
        "feed": {"defaults": [0.9, 0.8], "no average": [0.95]},
        "census": {"defaults": [0.25, 0.35], "no average": [0.35]},
    }
    out = StringIO()
    Console(file=out, width=120).print(table(scores))
    rows = [line.replace("│", " ").split() for line in out.getvalue().splitlines()]
    assert ["defaults", "0.5750", "0.8500", "0.3000"] in rows
    assert ["no", "average", "0.6500", "0.9500", "0.3500"] in rows


def test_every_option_changes_a_default() -> None:
    for overrides in OPTIONS.values():
        for key, _, value in (override.partition("=") for override in overrides):
            name = key.removeprefix("training.")
            assert str(Training.model_fields[name].default).lower() != value
