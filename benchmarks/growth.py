"""Each of our stages at N and at 10 N rows: neither the time per row nor the memory must grow with the data.

python -m benchmarks.growth --rows 1000000
"""

from __future__ import annotations

import dataclasses

import typer

from benchmarks.figures import Figure, Target
from benchmarks.measure import Measured
from benchmarks.prepare import RECIPE
from benchmarks.session import HISTORY, WORK, History, Recipe, Rows, Runs, Seed, Session, Skew, Work

STAGES = {
    "event_logs": None,
    "statistics": "event_logs",
    "features": "event_logs",
    "feed": "features",
    "evaluation": "trainer",
}
"""Each stage and the last one whose outputs it needs."""
TIMES = 10
MEANING = "Ratio: seconds per row at the larger size by those at the smaller one."


def run(session: Session) -> list[Figure]:
    """Two figures for each stage: the smaller and the larger size."""
    measured: dict[str, list[Measured]] = {stage: [] for stage in STAGES}
    for rows in (session.rows, TIMES * session.rows):
        inputs = session.inputs(rows)
        for stage, needed in STAGES.items():
            folder = inputs.upto(needed) if needed else inputs.logs()
            found = session.time(inputs.ours(stage, folder))
            measured[stage].append(dataclasses.replace(found, name=f"{stage} of {rows:,} impressions"))
    figures = []
    for small, large in measured.values():
        figures.append(Figure(measured=small, target=Target(peak_gib=3)))
        figures.append(Figure(measured=large, against=small, target=Target(ratio_at_most=1.2, peak_gib=3)))
    return figures


def main(
    rows: Rows = 1_000_000,
    runs: Runs = 3,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time each stage at --rows impressions and at ten times as many, and compare seconds per row and peak memory.

    The peak includes pages of mapped files, which the system can reclaim. At the default size it needs tens of GB of disk
    space and most of an hour.
    """
    session = Session(rows=rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe)
    session.report("growth", run(session), ratio=MEANING)


if __name__ == "__main__":
    typer.run(main)
