"""Analysis, transformation and writing: our stage, and the stock Transform with TensorFlow Transform's vocabularies.

python -m benchmarks.features --rows 1000000
"""

from __future__ import annotations

import typer

from benchmarks.figures import Figure, Target
from benchmarks.prepare import RECIPE
from benchmarks.session import HISTORY, WORK, History, PeerRows, Recipe, Rows, Runs, Seed, Session, Skew, Work
from benchmarks.stock_subject import stock

STAGES = ("csv_example_gen", "statistics_gen", "schema_gen", "transform")


WHY_SLOWER = (
    "about 5 CPU seconds, whatever the number of rows, are TensorFlow's on one core: building, writing and tracing the graph "
    "and filling its tables. Further rows go at more than 230,000/s (growth.py). Needed: a graph with fewer operations."
)


def run(session: Session) -> list[Figure]:
    """The figures, ours first."""
    inputs = session.inputs()
    ours = session.time(inputs.ours("features", inputs.upto("event_logs")))
    peers = session.slow_peer(
        lambda rows: stock("Transform", STAGES, inputs.labelled(rows)),
        session.few,
        ours,
        ratio=50,
    )
    return [Figure(measured=ours, target=Target(rate=150_000, peak_gib=3, otherwise=WHY_SLOWER)), *peers]


def main(
    rows: Rows = 1_000_000,
    peer_rows: PeerRows = 40_000,
    runs: Runs = 5,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time vocabularies, moments, quantiles, the encoding and its writing against the stock Transform.

    The peer's preprocessing_fn is equivalent and writes no statistics. It has a long start-up, so it also runs on a tenth of
    its rows, and the target is compared with the rate of the additional rows.
    """
    session = Session(
        rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe
    )
    session.report("features", run(session), notes=["Transform ran once at each of its two sizes."])


if __name__ == "__main__":
    typer.run(main)
