"""The trials of a search in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table


def trials_table(trials: Sequence[Mapping[str, Any]]) -> Table:
    """The trials by score, best first; those without a score last."""
    made = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        title="Validation score (lower is better)",
        title_justify="left",
    )
    for heading in ("trial", "score", "rounds", "seconds"):
        made.add_column(heading, justify="right")
    made.add_column("changes", overflow="fold")
    numbered = sorted(enumerate(trials, 1), key=lambda one: (one[1]["score"] is None, one[1]["score"] or 0.0, one[0]))
    for number, trial in numbered:
        score = "failed" if trial["score"] is None else f"{trial['score']:.4f}{' stopped' if trial['stopped'] else ''}"
        changes = " ".join(f"{key}={value}" for key, value in trial["changes"].items()) or "the recipe's values"
        made.add_row(str(number), score, str(trial["rounds"]), f"{trial['seconds']:.1f}", changes)
    return made
