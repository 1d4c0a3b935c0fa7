"""All metrics of 4 tasks x (1 + 20 slices): our stage with its predictions, the metrics alone, and the Evaluator with TFMA.

python -m benchmarks.evaluation --rows 1000000
"""

from __future__ import annotations

import typer

from benchmarks.figures import Figure, Target
from benchmarks.measure import Subject
from benchmarks.prepare import RECIPE, Inputs
from benchmarks.session import HISTORY, WORK, History, PeerRows, Recipe, Rows, Runs, Seed, Session, Skew, Work
from benchmarks.stock_subject import MODULE

# Most of the rows evaluate, so that the rows of this benchmark are about those that are asked for.
SPLIT = "split={eval_fraction: 0.8}"


def run(session: Session) -> list[Figure]:
    """The figures, ours first."""
    inputs = session.inputs(None, SPLIT)
    folder = inputs.upto("trainer")
    ours = session.time(inputs.ours("evaluation", folder))
    question = {"recipe": str(session.recipe.resolve()), "rows": session.rows, "seed": session.seed}
    alone = session.time(Subject(name="metrics alone, ours", module="benchmarks.stages.metrics", question=question))
    peers = session.slow_peer(lambda rows: tfma(session, inputs, rows), session.few, ours, ratio=10)
    return [
        Figure(measured=ours, target=Target(peak_gib=3)),
        Figure(measured=alone, target=Target(rate=1_000_000, peak_gib=3)),
        *peers,
    ]


def tfma(session: Session, inputs: Inputs, rows: int) -> Subject:
    """The stock Evaluator on so many of the same eval examples, with the same model."""
    question = {
        "stages": ["evaluator"],
        "timed": ["evaluator"],
        "recipe": str(session.recipe.resolve()),
        "inputs": str(inputs.tfrecords("raw", rows)),
        "model": str(inputs.upto("trainer") / "model"),
        "labels": "label/{}",
        "weights": "weight/{}",
    }
    return Subject(name="Evaluator with TFMA", module=MODULE, question=question)


def main(
    rows: Rows = 1_000_000,
    peer_rows: PeerRows = 20_000,
    runs: Runs = 5,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time predictions and metrics against TFMA, and the metrics of as many rows alone.

    Ours also computes the grouped AUC of each task. The peer also runs on a tenth of its rows, and the target is compared
    with the rate of the additional rows.
    """
    session = Session(
        rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe
    )
    notes = [
        "Rows are those of the eval split, four in five here; those of the metrics alone are drawn.",
        "TFMA ran once at each of its two sizes.",
    ]
    session.report("evaluation", run(session), notes=notes)


if __name__ == "__main__":
    typer.run(main)
