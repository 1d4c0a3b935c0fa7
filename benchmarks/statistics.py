"""Statistics of the examples: our stage, and the stock StatisticsGen on the TFRecords that CsvExampleGen makes.

python -m benchmarks.statistics --rows 1000000
"""

from __future__ import annotations

import typer

from benchmarks.figures import Figure, Target
from benchmarks.prepare import RECIPE
from benchmarks.session import HISTORY, WORK, History, PeerRows, Recipe, Rows, Runs, Seed, Session, Skew, Work
from benchmarks.stock_subject import stock


def run(session: Session) -> list[Figure]:
    """The figures; ours first."""
    inputs = session.inputs()
    ours = session.time(inputs.ours("statistics", inputs.upto("event_logs")))
    peer = stock("StatisticsGen", ["csv_example_gen", "statistics_gen"], inputs.labelled(session.few))
    return [
        Figure(measured=ours, target=Target(rate=150_000, peak_gib=3)),
        Figure(measured=session.once(peer), against=ours),
    ]


def main(
    rows: Rows = 1_000_000,
    peer_rows: PeerRows = 200_000,
    runs: Runs = 5,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time the statistics against the stock StatisticsGen, both over every row.

    The peer reads the same examples from the TFRecords that CsvExampleGen makes of them, which is not timed.
    """
    session = Session(
        rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe
    )
    session.report("statistics", run(session), notes=["StatisticsGen ran once."])


if __name__ == "__main__":
    typer.run(main)
