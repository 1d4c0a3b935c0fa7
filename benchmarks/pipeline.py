"""The whole pipeline without training: ours and the stock components from the same CSV file of labelled examples.

python -m benchmarks.pipeline --rows 1000000
"""

from __future__ import annotations

from pathlib import Path

import typer

from benchmarks.figures import Figure, Target
from benchmarks.measure import Subject
from benchmarks.prepare import NO_COMPILATION, OURS, RECIPE
from benchmarks.session import HISTORY, WORK, History, PeerRows, Recipe, Rows, Runs, Seed, Session, Skew, Work
from benchmarks.stock_subject import stock

STAGES = ("event_logs", "statistics", "schema", "validation", "features", "trainer", "evaluation")
STOCK = ("csv_example_gen", "statistics_gen", "schema_gen", "example_validator", "transform", "evaluator")


def run(session: Session) -> list[Figure]:
    """The figures, ours first."""
    inputs = session.inputs()
    ours = session.time(whole(inputs.labelled(session.rows)))
    model = inputs.upto("trainer") / "model"
    peers = session.slow_peer(
        lambda rows: stock("stock TFX, the whole", STOCK, inputs.labelled(rows), timed=STOCK, model=model),
        session.few,
        ours,
        ratio=10,
    )
    return [Figure(measured=ours, target=Target(peak_gib=3)), *peers]


def whole(labelled: Path) -> Subject:
    """Our stages from the CSV file on, in one process; the trainer runs, as the evaluation needs a model, and is not timed."""
    question = {
        "stages": list(STAGES),
        "untimed": ["trainer"],
        "recipe": str(labelled / "labelled.yaml"),
        "overrides": [NO_COMPILATION],
    }
    return Subject(name="the whole, ours", module=OURS, question=question)


def main(
    rows: Rows = 1_000_000,
    peer_rows: PeerRows = 30_000,
    runs: Runs = 5,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time everything but the training, from a CSV file of labelled examples to the metrics, against stock TFX.

    CsvExampleGen, StatisticsGen, SchemaGen, ExampleValidator, Transform and Evaluator, one after the other in one process,
    each by its executor. A fifth of the rows evaluates, on either side by a hash of its own. The lists reach the peer's
    model unsplit, which changes its predictions and not its work.
    """
    session = Session(
        rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe
    )
    session.report("pipeline", run(session), notes=["Stock TFX ran once at each of its two sizes."])


if __name__ == "__main__":
    typer.run(main)
