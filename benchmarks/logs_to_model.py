"""From logs to a trained and evaluated model: our stages, and an equivalent script in Polars and PyTorch.

python -m benchmarks.logs_to_model --rows 1000000
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import typer

from benchmarks.figures import Figure
from benchmarks.joins.of_recipe import problem_of
from benchmarks.measure import Measured, Subject
from benchmarks.peers.environment import PEERS, python_of
from benchmarks.prepare import OURS, RECIPE
from benchmarks.session import HISTORY, WORK, History, Recipe, Rows, Runs, Seed, Session, Skew, Work
from components.features.plan import FeaturesPlan
from models.recipe.file import load_recipe
from models.training.plan import TrainerPlan

STAGES = ("event_logs", "statistics", "schema", "validation", "features", "training", "evaluation")


def run(session: Session, peers: Path) -> list[Figure]:
    """Ours, and the script.

    Raises:
        RuntimeError: they did not label the same, or do not have the same tables.
    """
    logs = session.inputs().logs()
    ours = session.time(whole(session.recipe, logs))
    script = session.time(by_hand(session.recipe, logs, peers))
    for what in ("tasks", "tables"):
        if ours.answer[what] != script.answer[what]:
            raise RuntimeError(f"{what} of ours and of the script differ: {ours.answer[what]}, {script.answer[what]}")
    return [Figure(measured=ours), Figure(measured=script, against=ours)]


def whole(recipe: Path, logs: Path) -> Subject:
    """Our stages in sequence in one process, as in `gatewise run`."""
    question = {"stages": list(STAGES), "recipe": str(recipe.resolve()), "data": str(logs)}
    return Subject(name="gatewise", module=OURS, question=question)


def by_hand(recipe: Path, logs: Path, peers: Path) -> Subject:
    """The script, with the same features, sizes, batch and learning rate."""
    loaded = load_recipe(recipe)
    features = json.loads(FeaturesPlan.from_recipe(loaded).model_dump_json())["features"]
    for name, feature in features.items():
        feature["separator"] = getattr(loaded.features[name], "separator", None)
    question = {
        "data": str(logs),
        "problem": dataclasses.asdict(problem_of(str(recipe))),
        "features": features,
        "plan": json.loads(TrainerPlan.from_recipe(loaded).model_dump_json()),
    }
    return Subject(
        name="Polars and PyTorch, by hand", module="benchmarks.peers.polars_torch", question=question, python=peers
    )


def parts(measured: Measured) -> str:
    """Seconds of each part, in words; of the last run."""
    words = [f"{name} {seconds:.1f}" for name, seconds in measured.answer["stages"].items()]
    return f"{measured.name}, seconds: {', '.join(words)}."


def aucs(figures: list[Figure]) -> str:
    """AUC of each binary task, ours and the script's, in words."""
    ours, script = (figure.measured.answer for figure in figures)
    words = [f"{task} {ours['metrics'][task]['auc']:.4f} and {auc:.4f}" for task, auc in script["auc"].items() if auc]
    return f"AUC on the eval split, ours and by hand: {', '.join(words)}."


def main(
    rows: Rows = 1_000_000,
    runs: Runs = 5,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time the way from three streams of logs to the metrics of a model that was trained for one epoch.

    Ours: join with accounts and dead letters, statistics, schema, validation, features with the graph that serves, training
    with an eval pass and an exported model, metrics of all tasks and slices, gates. The script: join, encoding, training,
    AUC, all in memory (benchmarks/peers/polars_torch.py says what it leaves out). Both have the same labels, vocabularies,
    sizes and batches; start-up is not counted on either side.
    """
    session = Session(rows=rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe)
    figures = run(session, python_of(PEERS))
    notes = [*(parts(figure.measured) for figure in figures), aucs(figures)]
    session.report("logs_to_model", figures, notes=notes)


if __name__ == "__main__":
    typer.run(main)
