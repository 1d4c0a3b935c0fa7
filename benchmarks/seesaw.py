"""The seesaw: what each way to share wins and loses per task on the simulated shop with opposed tasks, and a figure.

python -m benchmarks.seesaw --out docs/seesaw.svg

Tang et al., Progressive Layered Extraction (PLE), RecSys 2020 (https://doi.org/10.1145/3383313.3412236), section 3: a model
that shares more often improves one task at the cost of another. The figure has the AUC of each task minus that of
`single_task`, on the eval split. Under `--conflict 1`, what drives clicks prevents orders. The features are computed once; all
architectures have as many network parameters as `mmoe`, within what their layers allow.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.binary_metrics import binary_metrics
from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.matched_size import matched_size
from benchmarks.session import HISTORY, WORK, History, Rows, Seed, Work, say
from models.architectures import ARCHITECTURES
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.registry import signature
from pipeline.simulate import DIRT, simulate

RECIPE = Path(__file__).parents[1] / "recipes" / "shop.yaml"
SINGLE, REFERENCE = "single_task", "mmoe"
COMPARED = ("shared_bottom", REFERENCE, "ple", "stem")
OPTIONS: dict[str, Any] = {"tower_units": (16,), "experts": 4, "task_experts": 1, "shared_experts": 2, "levels": 1}
REFERENCE_SIZE = 32

Aucs = Mapping[str, Mapping[str, Sequence[float]]]
"""{architecture: {task: AUC of each seed}}."""


def options_of(name: str, size: int) -> dict[str, Any]:
    """Options of an architecture whose expert or bottom layer has this size."""
    known = signature(ARCHITECTURES[name])
    return {option: value for option, value in {**OPTIONS, "units": (size,)}.items() if option in known}


def gains(aucs: Aucs) -> dict[str, dict[str, list[float]]]:
    """{architecture: {task: AUC minus that of `single_task` with the same seed}}."""
    base = aucs[SINGLE]
    return {
        name: {
            task: [value - alone for value, alone in zip(values, base[task], strict=True)]
            for task, values in by_task.items()
        }
        for name, by_task in aucs.items()
        if name != SINGLE
    }


def features(recipe: Recipe, folder: Path, rows: int, seed: int, conflict: float) -> None:
    """Simulates the logs, attributes them and computes the features, unless an earlier run has."""
    from benchmarks.stages import ours

    if not (folder / "logs" / DIRT).exists():
        simulate(folder / "logs", rows, seed, conflict=conflict)
    done = folder / ".done"
    if not done.exists():
        for stage in (ours.event_logs, ours.features):
            stage(recipe, folder, folder)
        done.touch()


def measure(recipe: Recipe, folder: Path, names: Sequence[str], seeds: int) -> dict[str, dict[str, list[float]]]:
    """Trains every architecture with every seed, and returns the AUC of the binary tasks on the eval split."""
    from components.references.training import network_of, train_reference
    from models.features.input_pipeline import read_split
    from models.features.layout import FeatureLayout
    from models.training.checkpoint import TrainingCheckpoint
    from models.training.plan import TrainerPlan

    layout, plan = FeatureLayout.load(folder / "transform_graph"), TrainerPlan.from_recipe(recipe)
    data, validate, evaluation = (
        read_split(str(folder / "transformed_examples" / f"Split-{split}" / "*"))
        for split in ("train", "validate", "eval")
    )
    labels, observed = np.asarray(evaluation.labels[:]), np.asarray(evaluation.weights[:]) > 0

    def planned(name: str, size: int, seed: int = 1) -> TrainerPlan:
        training = plan.training.model_copy(update={"seed": seed})
        return plan.model_copy(
            update={"architecture": name, "options": options_of(name, size), "backbone": "none", "training": training}
        )

    def parameters(name: str, size: int) -> int:
        return network_of(planned(name, size), layout).parameters

    budget = parameters(REFERENCE, REFERENCE_SIZE)
    found: dict[str, dict[str, list[float]]] = {}
    for name in names:
        size = matched_size(functools.partial(parameters, name), budget)
        aucs: dict[str, list[float]] = {task: [] for task, about in plan.tasks.items() if about.kind == "binary"}
        for seed in range(1, seeds + 1):
            with tempfile.TemporaryDirectory() as checkpoint:
                trained = train_reference(
                    planned(name, size, seed),
                    name,
                    layout,
                    data,
                    validate,
                    evaluation,
                    TrainingCheckpoint(Path(checkpoint)),
                )
            for task, values in aucs.items():
                place = evaluation.tasks.index(task)
                rows = observed[:, place]
                values.append(binary_metrics(labels[rows, place], trained.predictions[task][rows])["auc"])
        found[name] = aucs
        shown = ", ".join(f"{task} {np.mean(values):.4f}" for task, values in aucs.items())
        say(f"{name} ({parameters(name, size):,} parameters): {shown}")
    return found


def draw(found: Mapping[str, Mapping[str, Sequence[float]]], out: Path) -> None:
    """A group of bars per architecture, one for each task: the mean gain, and a dot for each seed."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    tasks = list(next(iter(found.values())))
    colours = ("#2f7fdb", "#e08a2e", "#3c9d6b", "#9a5fc2", "#b5bcc6")
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panel = figure.subplots()
    width = 0.8 / len(tasks)
    for place, task in enumerate(tasks):
        at = np.arange(len(found)) + (place - (len(tasks) - 1) / 2) * width
        values = [by_task[task] for by_task in found.values()]
        panel.bar(at, [np.mean(one) for one in values], width * 0.92, color=colours[place % len(colours)], label=task)
        for x, one in zip(at, values, strict=True):
            panel.scatter([x] * len(one), one, s=8, color="black", zorder=3, linewidths=0)
    panel.axhline(0.0, color="black", linewidth=0.8)
    panel.set_xticks(range(len(found)), list(found))
    panel.set_ylabel("AUC minus that of single_task", fontsize=9)
    panel.legend(frameon=False, fontsize=9)
    panel.grid(axis="y", alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    with rc_context({"svg.hashsalt": "seesaw", "svg.fonttype": "none"}):  # the same file for the same numbers
        figure.savefig(out, format="svg", metadata={"Date": None})


def main(
    architectures: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(COMPARED),
    rows: Rows = 200_000,
    seed: Seed = 7,
    conflict: Annotated[float, typer.Option(min=0.0, max=1.0, help="0: the tasks agree; 1: they oppose.")] = 1.0,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each architecture.")] = 2,
    out: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Where to draw the figure.")] = None,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Train every architecture on the simulated shop with opposed tasks, and print and draw the gain of each task."""
    names = [SINGLE, *architectures.split(",")]
    if unknown := [name for name in names if name not in ARCHITECTURES]:
        raise SystemExit(
            f"--architectures: expected some of {', '.join(ARCHITECTURES)}; received {', '.join(unknown)}."
        )
    folder = work.resolve() / f"seesaw-{rows}-{seed}-{conflict:g}"
    recipe = load_recipe(RECIPE, (), str(folder / "logs"))
    features(recipe, folder, rows, seed, conflict)
    aucs = measure(recipe, folder, names, seeds)
    won = gains(aucs)
    for name, by_task in won.items():
        shown = ", ".join(f"{task} {np.mean(v):+.4f} ({min(v):+.4f} to {max(v):+.4f})" for task, v in by_task.items())
        say(f"{name} minus {SINGLE}: {shown}")
    entry = {
        "benchmark": "seesaw",
        "auc": aucs,
        "settings": {"rows": rows, "seed": seed, "conflict": conflict, "seeds": seeds},
        **stamp(),
    }
    append_history(history, [entry])
    if out is not None:
        draw(won, out)


if __name__ == "__main__":
    typer.run(main)
