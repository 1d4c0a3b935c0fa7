"""How each architecture holds up as two tasks grow apart: the synthetic data of the MMoE paper, and a figure.

python -m benchmarks.task_correlation --out docs/task_correlation.svg

Ma et al., Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts, KDD 2018
(https://doi.org/10.1145/3219819.3220007), section 4.1: two regression tasks of the same inputs,

    y_i = w_i'x + sum_j sin(alpha_j w_i'x + beta_j) + noise,   x ~ N(0, I),   |w_1| = |w_2| = 1,   cos(w_1, w_2) = correlation

All architectures have as many network parameters as `mmoe`, within 2 % where their layers allow. Training stops by the validate
split; the figure has the test split.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.matched_size import matched_size
from benchmarks.session import HISTORY, History, say
from models.architectures import ARCHITECTURES
from models.recipe.registry import signature

TASKS = ("first", "second")
INPUTS, SINES, NOISE = 100, 4, 0.1
ROWS = {"train": 20_000, "validate": 5_000, "test": 20_000}
REFERENCE = "mmoe"
SMALL: dict[str, Any] = {"tower_units": (8,), "experts": 4, "task_experts": 2, "shared_experts": 2}
NETWORKS = tuple(name for name in ARCHITECTURES if name != "linear")
SIZED = {"units": 1, "level_units": 0}
"""{option with the size of the layers: whether it is a list}."""
Array = NDArray[np.float32]


def problem(correlation: float, seed: int) -> dict[str, tuple[Array, Array]]:
    """{split: (inputs (row, INPUTS), labels (row, task))}.

    Args:
        correlation: cosine of the two tasks' weights, 0 to 1.
        seed: of the weights, the inputs and the noise. Seeds share nothing; correlations of one seed share all but the labels.
    """
    random = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(random.normal(size=(INPUTS, 2)))
    second = correlation * basis[:, 0] + np.sqrt(1.0 - correlation**2) * basis[:, 1]
    weights = np.stack([basis[:, 0], second], axis=1)
    alpha, beta = random.normal(scale=2.0, size=SINES), random.uniform(0.0, 2.0 * np.pi, SINES)
    splits = {}
    for split, rows in ROWS.items():
        x = random.normal(size=(rows, INPUTS))
        noise = NOISE * random.normal(size=(rows, 2))
        along = x @ weights  # (row, task)
        labels = along + np.sin(alpha * along[..., None] + beta).sum(axis=-1) + noise
        splits[split] = x.astype(np.float32), labels.astype(np.float32)
    return splits


def options_of(name: str, size: int) -> dict[str, Any]:
    """Options of an architecture whose layers have this size."""
    known = signature(ARCHITECTURES[name])
    options = {option: value for option, value in SMALL.items() if option in known}
    for option, is_list in SIZED.items():
        if option in known:
            options[option] = (size,) if is_list else size
    return options


def plan_of(name: str, options: Mapping[str, Any], seed: int) -> Any:
    """The training of an architecture, with default training options."""
    from models.recipe.model import Training
    from models.training.plan import TaskPlan, TrainerPlan

    return TrainerPlan(
        tasks={
            task: TaskPlan(
                kind="regression", loss="squared_error", weight=1.0, after=TASKS[place - 1] if place else None
            )
            for place, task in enumerate(TASKS)
        },
        architecture=name,
        options=options,
        balancer="fixed",
        balancer_options={},
        regularizers={},
        training=Training(seed=seed, epochs=30),
        probe_requests=1,
        inputs={},
    )


def layout() -> Any:
    """The layout of the inputs: numbers only."""
    from models.features.layout import FeatureLayout

    return FeatureLayout(
        tables={}, categorical=(), multivalued={}, numeric=tuple(f"x{place}" for place in range(INPUTS))
    )


def parameters(name: str, size: int) -> int:
    """Network parameters of an architecture whose layers have this size."""
    from components.references.training import network_of

    return network_of(plan_of(name, options_of(name, size), 1), layout()).parameters


def error(name: str, size: int, splits: Mapping[str, tuple[Array, Array]], seed: int) -> float:
    """Mean over the tasks of the test RMSE, divided by the deviation of the labels."""
    from components.references.training import train_reference
    from models.features.input_pipeline import Columns
    from models.training.checkpoint import TrainingCheckpoint

    columns = {
        split: Columns({"numeric": x}, labels, np.ones_like(labels), np.arange(len(x)), TASKS)
        for split, (x, labels) in splits.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        found = train_reference(
            plan_of(name, options_of(name, size), seed),
            name,
            layout(),
            columns["train"],
            columns["validate"],
            columns["test"],
            TrainingCheckpoint(Path(folder)),
        )
    labels = splits["test"][1]
    return float(
        np.mean(
            [
                np.sqrt(np.mean(np.square(found.predictions[task] - labels[:, place]))) / labels[:, place].std()
                for place, task in enumerate(TASKS)
            ]
        )
    )


def draw(errors: Mapping[str, Mapping[float, Sequence[float]]], out: Path) -> None:
    """A panel per architecture with its error by correlation, before that of shared_bottom in grey."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    across = 4
    down = -(-len(errors) // across)
    figure = Figure(figsize=(10, 1.9 * down), layout="constrained")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flatten()
    for panel in panels[len(errors) :]:
        panel.set_axis_off()
    base = errors.get("shared_bottom", {})
    for panel, (name, by_correlation) in zip(panels, errors.items(), strict=False):
        for about, colour in ((base, "#b5bcc6"), (by_correlation, "#2f7fdb")):
            means = [float(np.mean(values)) for values in about.values()]
            panel.plot(list(about), means, color=colour, linewidth=1.6, marker="o", markersize=3)
        panel.set_title(name, fontsize=9, loc="left")
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("correlation of the two tasks", fontsize=9)
    figure.supylabel("test RMSE / deviation of the labels", fontsize=9)
    with rc_context({"svg.hashsalt": "task_correlation", "svg.fonttype": "none"}):  # the same file for the same errors
        figure.savefig(out, format="svg", metadata={"Date": None})


def main(
    architectures: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(NETWORKS),
    correlations: Annotated[str, typer.Option(help="Numbers from 0 to 1, separated by commas.")] = "0,0.5,0.9,1",
    seeds: Annotated[int, typer.Option(min=1, help="Problems and trainings of each point.")] = 2,
    out: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Where to draw the figure.")] = None,
    history: History = HISTORY,
) -> None:
    """Train every architecture on two tasks of falling correlation, and print and draw the test error."""
    names, points = architectures.split(","), [float(one) for one in correlations.split(",")]
    if unknown := [name for name in names if name not in ARCHITECTURES]:
        raise SystemExit(
            f"--architectures: expected some of {', '.join(ARCHITECTURES)}; received {', '.join(unknown)}."
        )
    budget = parameters(REFERENCE, 16)
    errors: dict[str, dict[float, list[float]]] = {}
    for name in names:
        size = matched_size(functools.partial(parameters, name), budget)
        errors[name] = {
            point: [error(name, size, problem(point, seed), seed) for seed in range(1, seeds + 1)] for point in points
        }
        shown = ", ".join(f"{point:g}: {np.mean(values):.4f}" for point, values in errors[name].items())
        say(f"{name} ({parameters(name, size):,} parameters): {shown}")
    entry = {
        "benchmark": "task_correlation",
        "errors": {name: {str(point): values for point, values in about.items()} for name, about in errors.items()},
        **stamp(),
    }
    append_history(history, [entry])
    if out is not None:
        draw(errors, out)


if __name__ == "__main__":
    typer.run(main)
