"""Stock components over a CSV file of labelled examples, as a subject."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Subject

MODULE = "benchmarks.stock.components"


def stock(
    name: str, stages: Sequence[str], labelled: Path, *, timed: Sequence[str] = (), model: Path | str = ""
) -> Subject:
    """The stages one after the other in one process.

    Args:
        name: in the table.
        stages: rows of `benchmarks.stock.components.STAGES`.
        labelled: folder of `Inputs.labelled`.
        timed: those whose seconds count; by default the last.
        model: folder of a Model artifact, for the Evaluator.
    """
    question = {
        "stages": list(stages),
        "timed": list(timed or stages[-1:]),
        "labelled": str(labelled),
        "model": str(model),
    }
    return Subject(name=name, module=MODULE, question=question)
