"""Training options on the small problems, by the validate split: how the defaults of a recipe's `training` were chosen.

python -m benchmarks.training_options --data ../shared/data

The validation score is the mean over the tasks of the validate loss divided by the constant's: below 1 is better than the
constant, and the lowest is the best. The eval splits are not read.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.measure import Subject, fresh
from benchmarks.session import HISTORY, WORK, History, Work, say
from benchmarks.small.problems import PROBLEMS, prepare

OPTIONS: dict[str, list[str]] = {
    "defaults": [],
    "no average": ["training.average_weights=false"],
    "embedding decay 0": ["training.embedding_decay=0"],
    "embedding decay 2": ["training.embedding_decay=2"],
    "embedding decay 4": ["training.embedding_decay=4"],
    "rate .0003": ["training.learning_rate=0.0003"],
    "rate .003": ["training.learning_rate=0.003"],
    "batch 1024": ["training.batch_size=1024"],
}
"""{name: what it changes of the defaults}."""
Scores = dict[str, dict[str, list[float]]]
"""{problem: {option: [score of each seed]}}."""


def table(scores: Scores) -> Table:
    """A row for each option, with its mean over the problems first, and its mean over the seeds for each problem."""
    shown = Table(title="validation score: lower is better, 1 is the constant", title_justify="left")
    for name in ("option", "mean", *scores):
        shown.add_column(name, justify="left" if name == "option" else "right")
    for option in next(iter(scores.values())):
        means = [float(np.mean(by_option[option])) for by_option in scores.values()]
        shown.add_row(option, f"{np.mean(means):.4f}", *(f"{mean:.4f}" for mean in means))
    return shown


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the data sets.")] = Path("../shared/data"),
    problems: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(PROBLEMS),
    options: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(OPTIONS),
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each option.")] = 2,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Train the small problems with other training options, and compare the validation scores."""
    for what, asked, known in (("problems", problems, PROBLEMS), ("options", options, OPTIONS)):
        if unknown := [name for name in asked.split(",") if name not in known]:
            raise SystemExit(f"--{what}: expected some of {', '.join(known)}; received {', '.join(unknown)}.")
    scores: Scores = {}
    for name in problems.split(","):
        folder = work / "training-options" / name
        out = folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        question = {
            "recipe": str(prepare(name, data, folder).resolve()),
            "options": {option: OPTIONS[option] for option in options.split(",")},
            "seeds": list(range(1, seeds + 1)),
        }
        scores[name], _ = fresh(Subject(name=name, module="benchmarks.small.options", question=question), out.resolve())
        best = min(scores[name], key=lambda option: float(np.mean(scores[name][option])))
        say(f"{name}: best with {best}")
    entry = {
        "benchmark": "training_options",
        "scores": scores,
        **stamp(),
    }
    append_history(history, [entry])
    Console(highlight=False, width=200).print(table(scores))


if __name__ == "__main__":
    typer.run(main)
