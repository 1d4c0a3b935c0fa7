"""Small problems: gatewise with default options against scikit-learn on cuts of public data sets.

python -m benchmarks.small_logs --data ../shared/data

Each problem has 3,000 to 55,000 examples. Its recipe is what a user writes in five minutes: tasks, features by kind and
`architecture: mmoe`. All methods learn from the train split, choose their settings or their stop on the validate split, and
are measured on the same eval examples.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.measure import Subject, fresh
from benchmarks.session import HISTORY, WORK, History, Work, say
from benchmarks.small import scikit
from benchmarks.small.examples import kinds, read
from benchmarks.small.metrics import measure_of
from benchmarks.small.problems import PROBLEMS, prepare
from benchmarks.small.verdicts import CONSTANT, Gap, Line, Verdict, line, verdicts
from components.example_schema import SPLITS
from models.recipe.errors import InputError
from models.recipe.file import load_recipe

OURS = "benchmarks.small.ours"


def run(
    name: str, data: Path, folder: Path, seeds: int, architectures: Sequence[str], overrides: Sequence[str] = ()
) -> list[Line]:
    """All methods on one problem: a line per task. The first architecture is the model that is compared with the others."""
    recipe_path = prepare(name, data, folder)
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    question = {
        "recipe": str(recipe_path.resolve()),
        "architectures": list(architectures),
        "seeds": list(range(1, seeds + 1)),
        "overrides": list(overrides),
    }
    done, _ = fresh(Subject(name=name, module=OURS, question=question), out.resolve())
    say(f"{name}: {done['rows']:,} train examples, gatewise {done['cpu_seconds']:.0f} CPU s")
    recipe = load_recipe(recipe_path)
    measures = {task: measure_of(about) for task, about in recipe.tasks.items()}
    train, validate, evaluation = (read(out / "examples", split, recipe) for split in SPLITS)
    others = {
        method: scikit.predictions(method, kinds(recipe), measures, train, validate, evaluation)
        for method in scikit.METHODS
    }
    ours = {
        architecture: [pl.read_parquet(out / f"{architecture}-{seed}.parquet") for seed in question["seeds"]]
        for architecture in architectures
    }
    group = PROBLEMS[name].group
    codes = None if group is None else evaluation.columns[group].rank("dense").cast(pl.Int64).to_numpy()
    lines = []
    for task, measure in measures.items():
        observed = evaluation.weights[task] > 0
        constant = measure.constant(train.labels[task][train.weights[task] > 0])
        rivals = {method: found[task][observed] for method, found in others.items()}
        lines.append(
            line(
                name,
                task,
                measure,
                evaluation.labels[task][observed],
                {
                    architecture: [frame[task].to_numpy().astype(np.float64)[observed] for frame in frames]
                    for architecture, frames in ours.items()
                },
                {**rivals, CONSTANT: np.full(int(observed.sum()), constant)},
                None if codes is None else codes[observed],
            )
        )
    return lines


def table(lines: Sequence[Line]) -> Table:
    """The results as rich prints them: AUC and loss of each method, and by how much the model is better.

    Better is a higher AUC, for a regression a lower loss.
    """
    shown = Table(title="small_logs", title_justify="left")
    for name in ("problem", "task"):
        shown.add_column(name)
    for name in ("rows", "positives"):
        shown.add_column(name, justify="right")
    methods = list(lines[0].loss)
    ranked = [method for method in methods if method != CONSTANT]
    columns = [
        *(f"AUC {method}" for method in ranked),
        *(f"loss {method}" for method in methods),
        *(f"better than {method}" for method in scikit.METHODS),
        f"loss - {CONSTANT}",
    ]
    for name in columns:
        shown.add_column(name, justify="right")
    for row in lines:
        shown.add_row(
            row.problem,
            row.task,
            f"{row.rows:,}",
            f"{row.positives:,}",
            *(_values(row.auc.get(method, ()), 4) for method in ranked),
            *(_values(row.loss[method], 4) for method in methods),
            *(_gap(row.gaps[method], -1.0) for method in scikit.METHODS),
            _gap(row.loss_gaps[CONSTANT], 1.0),
        )
    return shown


def words(verdict: Verdict) -> str:
    """A verdict as the last lines print it. A star marks a task that fails beyond its interval."""
    names = [f"{name}{'*' if name in verdict.beyond else ''}" for name in verdict.failed]
    failed = f"; not on: {', '.join(names)}" if names else ""
    return f"{verdict.rule}: {'yes' if verdict.met else 'NO'}, on {verdict.held} of {verdict.of}{failed}"


def _values(values: Sequence[float], digits: int) -> str:
    if not values:
        return "-"
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean}\n{min(values):.{digits}f}..{max(values):.{digits}f}"


def _gap(found: Gap, sign: float) -> str:
    low, high = sorted(sign * end for end in found.interval)
    return f"{sign * found.loss:+.4f}\n{low:+.4f}..{high:+.4f}"


def entry(found: Sequence[Line], judged: Sequence[Verdict], settings: dict[str, Any]) -> dict[str, Any]:
    """The line of the history."""
    return {
        "benchmark": "small_logs",
        "lines": [dataclasses.asdict(row) for row in found],
        "verdicts": [dataclasses.asdict(verdict) for verdict in judged],
        "settings": settings,
        **stamp(),
    }


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the data sets.")] = Path("../shared/data"),
    problems: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(PROBLEMS),
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each architecture.")] = 3,
    architectures: Annotated[str, typer.Option(help="Separated by commas. The first one is judged.")] = "mmoe,linear",
    overrides: Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key.")] = [],  # noqa: B006
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Compare gatewise's default options with scikit-learn's logistic regression and boosted trees on small problems."""
    names = problems.split(",")
    if unknown := [name for name in names if name not in PROBLEMS]:
        raise SystemExit(f"--problems: expected some of {', '.join(PROBLEMS)}; received {', '.join(unknown)}.")
    lines: list[Line] = []
    for name in names:
        if not (data / PROBLEMS[name].file).is_file():
            raise SystemExit(
                f"{data / PROBLEMS[name].file}: no such file. `--data` selects the folder of the data sets."
            )
        try:
            lines += run(name, data, work / "small-logs" / name, seeds, architectures.split(","), overrides)
        except InputError as error:
            raise SystemExit(f"{name}: {error}") from error
    judged = verdicts(lines)
    settings = {"problems": names, "seeds": seeds, "architectures": architectures, "overrides": overrides}
    append_history(history, [entry(lines, judged, settings)])
    console = Console(highlight=False, width=260)
    console.print(table(lines))
    console.print("Loss: log loss; of a regression RMSE, with squared_log_error RMSE of log(1 + label).")
    console.print("Better: by so much AUC, a regression by so much loss. Intervals: 95 %. A star: beyond the interval.")
    for verdict in judged:
        console.print(words(verdict), markup=False)


if __name__ == "__main__":
    typer.run(main)
