"""How far predicted order rates are from the truth over all impressions, although only clicked impressions have orders.

python -m benchmarks.entire_space --out docs/entire_space.json

The simulated shop knows p(order | do(click)) of every impression: the probability of an order if it were clicked. A task with
`conditioned_on: click` learns from clicked impressions, which have more orders; an objective (`tasks.order.objective`) tries to
correct that. Each case is a shop and a network:

    fits         conflict 0            what drives the click drives the order, and the features show it
    too_small    conflict 0            the same shop and a linear model, which cannot show how the features act together
    hidden       conflict 0, hidden 1  in addition, something that no feature shows drives both

Ma et al., Entire Space Multi-Task Model, SIGIR 2018 (https://arxiv.org/abs/1804.07931), call this the sample selection bias.

Every variant has the same rows, features, network and seeds. The weight of the order in the total loss is the one of WEIGHTS with
the smaller log loss on the clicked validate impressions of the first seed. The table has the eval impressions, with true
probabilities in place of drawn labels: of two models the better one is no better by luck of the eval labels.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.binary_metrics import binary_metrics
from benchmarks.entire_space_rows import Rows, rows_of
from benchmarks.figures import append_history
from benchmarks.machine import stamp
from benchmarks.session import HISTORY, History, say
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from pipeline.simulate_entire_space import EntireSpace

RECIPE = Path(__file__).with_name("entire_space.yaml")
WEIGHTS = (0.1, 1.0)
SPACES = ("entire", "clicked")
METRICS = ("ratio", "rmse", "auc")
PLAIN = "click_space"
LOGS = "perfect fit of the logs"
Array = NDArray[np.float64]
Metrics = dict[str, dict[str, float]]
"""{space: {metric: value}}."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A shop (`conflict` and `hidden` of the simulator) and a network (overrides of the recipe)."""

    conflict: float = 0.0
    hidden: float = 0.0
    network: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """Overrides of the recipe, and the labels to learn from, see `Rows.columns`."""

    overrides: tuple[str, ...] = ()
    labels: str = "logs"


# A linear model has the learning rate of components/references/training.py: five times the network's.
CASES = {
    "fits": Case(),
    "too_small": Case(network=("model.architecture=linear", "training.learning_rate=0.015")),
    "hidden": Case(hidden=1.0),
}
_UNCONDITIONED = ("tasks.order.conditioned_on=null",)
VARIANTS = {
    PLAIN: Variant(),
    "esmm": Variant(overrides=("tasks.order.objective=esmm",)),
    "escm2_ipw": Variant(
        overrides=("tasks.order.objective=escm2", "tasks.order.objective_options={escm2: {risk: ipw}}")
    ),
    "escm2_dr": Variant(overrides=("tasks.order.objective=escm2", "tasks.order.objective_options={escm2: {risk: dr}}")),
    "dcmt": Variant(overrides=("tasks.order.objective=dcmt",)),
    # What no log has: the orders if every impression had been clicked. The best that this network can do.
    "all_clicked": Variant(overrides=_UNCONDITIONED, labels="all_clicked"),
    # The mistake of learning p(order and click) and calling it p(order | click).
    "unclicked_as_negatives": Variant(overrides=_UNCONDITIONED, labels="unclicked_as_negatives"),
}


def distance(predicted: Array, truth: Array, weights: Array) -> dict[str, float]:
    """How far predictions p of n impressions are from true probabilities t, with weights w:

        ratio = sum w p / sum w t
        rmse  = sqrt(sum w (p - t)^2 / sum w)
        auc   = sum_ij a_i b_j ([p_i > p_j] + [p_i = p_j] / 2) / sum_ij a_i b_j,   a = w t,  b = w (1 - t)

    The AUC is that of labels drawn from t, in the limit of many draws. All arguments are (n,).
    """
    labels = np.repeat([1, 0], len(truth))
    pairs = np.concatenate([weights * truth, weights * (1.0 - truth)])
    return {
        "ratio": float(weights @ predicted / (weights @ truth)),
        "rmse": float(np.sqrt(weights @ np.square(predicted - truth) / weights.sum())),
        "auc": float(roc_auc_score(labels, np.tile(predicted, 2), sample_weight=pairs)),
    }


def distances(predicted: Array, space: EntireSpace, part: slice) -> Metrics:
    """The distance to p(order | do(click)) over all impressions, and to p(order | click) over the clicked ones.

    Instead of the clicked impressions, it has all, weighted by their true probability of a click.
    """
    click, order, given_click = (getattr(space, name)[part] for name in ("click", "order", "order_given_click"))
    return {
        "entire": distance(predicted, order, np.ones_like(click)),
        "clicked": distance(predicted, given_click, click),
    }


def recipe_of(case: Case, variant: Variant, weight: float, seed: int) -> Recipe:
    """The recipe of one training."""
    fixed = (f"tasks.order.weight={weight}", f"training.seed={seed}")
    return load_recipe(RECIPE, (*case.network, *variant.overrides, *fixed))


def train(recipe: Recipe, labels: str, rows: Rows) -> tuple[Array, float, float]:
    """Trains, and predicts the eval split. Validate stops the training.

    Returns:
        p(order | click) of the eval impressions; the log loss of the clicked validate impressions; CPU seconds.
    """
    from components.references.training import train_reference
    from models.training.checkpoint import TrainingCheckpoint
    from models.training.plan import TrainerPlan

    data, validate = (rows.columns(rows.part(split), labels) for split in ("train", "validate"))
    asked = rows.columns(rows.part("validate", "eval"), "logs")
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        plan, checkpoint = TrainerPlan.from_recipe(recipe), TrainingCheckpoint(Path(folder))
        trained = train_reference(plan, recipe.model.architecture, rows.layout, data, validate, asked, checkpoint)
    seconds = time.process_time() - started
    found = trained.predictions["order"].astype(np.float64)
    known, clicked = len(validate.labels), rows.clicked[rows.part("validate")]
    ordered = rows.ordered[rows.part("validate")]
    return found[known:], binary_metrics(ordered[clicked], found[:known][clicked])["log_loss"], seconds


def measure(case: Case, names: Sequence[str], impressions: int, seeds: int) -> dict[str, Any]:
    """All variants of a case: {variant: {"weight", "cpu_seconds": [...], "metrics": {space: {metric: [one per seed]}}}}."""
    found: dict[str, Any] = {}
    metrics: dict[str, list[Metrics]] = {name: [] for name in (*names, LOGS)}
    for seed in range(1, seeds + 1):
        rows = rows_of(impressions, seed, case.conflict, case.hidden)
        part = rows.part("eval")
        metrics[LOGS].append(distances(rows.space.order_given_click[part], rows.space, part))
        for name in names:
            variant = VARIANTS[name]
            about = found.setdefault(name, {"weight": None, "cpu_seconds": []})
            weights = WEIGHTS if about["weight"] is None else (about["weight"],)
            tried = {one: train(recipe_of(case, variant, one, seed), variant.labels, rows) for one in weights}
            about["weight"] = min(tried, key=lambda one: tried[one][1])
            about["cpu_seconds"] += [seconds for _, _, seconds in tried.values()]
            metrics[name].append(distances(tried[about["weight"]][0], rows.space, part))
            say(f"  seed {seed}, {name}: {metrics[name][-1]['entire']['ratio']:.3f} of the truth")
    found[LOGS] = {"weight": None, "cpu_seconds": []}
    for name, by_seed in metrics.items():
        found[name]["metrics"] = {
            space: {metric: [one[space][metric] for one in by_seed] for metric in METRICS} for space in SPACES
        }
    return found


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The results in Markdown, {case: `measure`}: a row per case and variant, means over the seeds, ranges in brackets.

    The variants of a seed learn from the same few orders, so the difference of their ratios has less noise than each ratio.
    """
    heads = ["case", "variant", "ratio", f"minus `{PLAIN}`", "RMSE, %", "AUC"]
    heads += ["clicked: ratio", "RMSE, %", "AUC", "CPU s"]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * (len(heads) - 2)}"]
    for case, variants in found.items():
        plain = variants.get(PLAIN)
        for name, about in variants.items():
            entire, clicked = (about["metrics"][space] for space in SPACES)
            paired = ""
            if plain is not None and name not in (PLAIN, LOGS):
                paired = _range(np.subtract(entire["ratio"], plain["metrics"]["entire"]["ratio"]), "+.3f")
            cells = [f"`{case}`", name if name == LOGS else f"`{name}`", _range(entire["ratio"], ".3f"), paired]
            cells += [
                f"{100 * np.mean(entire['rmse']):.2f}",
                f"{np.mean(entire['auc']):.4f}",
                f"{np.mean(clicked['ratio']):.3f}",
            ]
            cells += [f"{100 * np.mean(clicked['rmse']):.2f}", f"{np.mean(clicked['auc']):.4f}"]
            cells.append(f"{np.mean(about['cpu_seconds']):.1f}" if about["cpu_seconds"] else "")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _range(values: Sequence[float], form: str) -> str:
    """Mean, minimum and maximum over the seeds."""
    return f"{np.mean(values):{form}} ({min(values):{form}}, {max(values):{form}})"


def _chosen(names: str, known: Mapping[str, Any], option: str) -> list[str]:
    chosen = names.split(",")
    if unknown := [name for name in chosen if name not in known]:
        raise SystemExit(f"{option}: expected some of {', '.join(known)}; received {', '.join(unknown)}.")
    return chosen


def main(
    cases: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(CASES),
    variants: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(list(VARIANTS)[:-1]),
    impressions: Annotated[int, typer.Option(min=1_000, help="Impressions in the logs.")] = 200_000,
    seeds: Annotated[int, typer.Option(min=1, help="Simulations and trainings of each variant.")] = 3,
    out: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Where to write all results.")] = None,
    history: History = HISTORY,
) -> None:
    """Train every variant in every case, and print how far its order rates are from the truth."""
    shown = {name: CASES[name] for name in _chosen(cases, CASES, "--cases")}
    names = _chosen(variants, VARIANTS, "--variants")
    for case in shown.values():
        for name in names:
            recipe_of(case, VARIANTS[name], WEIGHTS[0], 1)  # refuses a wrong override before the first training
    found = {}
    started = time.process_time()
    for name, case in shown.items():
        say(f"{name}:")
        found[name] = measure(case, names, impressions, seeds)
    entry = {
        "benchmark": "entire_space",
        "cases": found,
        "settings": {"impressions": impressions, "seeds": seeds, "weights": WEIGHTS},
        "cpu_seconds": round(time.process_time() - started, 1),
        **stamp(),
    }
    append_history(history, [entry])
    if out is not None:
        out.write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    typer.echo(table(found))
    say(f"{entry['cpu_seconds']:,} CPU seconds")


if __name__ == "__main__":
    typer.run(main)
