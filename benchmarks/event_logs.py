"""Logs -> attributed examples: our stage, the same join by hand in Beam, row by row, and a script in Polars.

python -m benchmarks.event_logs --rows 1000000
"""

from __future__ import annotations

import dataclasses

import typer

from benchmarks.figures import Figure, Target
from benchmarks.joins.of_recipe import problem_of
from benchmarks.measure import Measured, Subject
from benchmarks.prepare import RECIPE
from benchmarks.session import HISTORY, WORK, History, PeerRows, Recipe, Rows, Runs, Seed, Session, Skew, Work

WHY_SLOWER = (
    "1 M rows x 40 features take 8 CPU seconds: Parquet encoding of lists 1.8, lists and gathers 2.0, reading and the "
    "shuffle's files 1.1, attribution and its join 0.8, hashes 0.4, preparing 0.3, the rest Python and Beam. Needed: texts "
    "that stay dictionaries from the logs to the examples, or four cores."
)


def run(session: Session) -> list[Figure]:
    """The figures, ours first.

    Raises:
        RuntimeError: our labels and those of the script differ.
    """
    inputs = session.inputs()
    problem = dataclasses.asdict(problem_of(str(session.recipe)))
    question = {"problem": problem, "data": str(inputs.logs())}
    script = Subject(name="Polars script", module="benchmarks.joins.polars_script", question=question)
    ours = session.time(inputs.ours("event_logs", inputs.logs()))
    polars = session.time(script)
    beam = by_row(session, session.few)
    if polars.answer["tasks"] != ours.answer["tasks"]:
        raise RuntimeError(f"our labels and the script's differ: {ours.answer['tasks']}, {polars.answer['tasks']}")
    return [
        Figure(measured=ours, target=Target(rate=400_000, peak_gib=3, otherwise=WHY_SLOWER)),
        Figure(measured=polars, against=ours, target=Target(ratio=1 / 3)),
        Figure(measured=beam, against=ours, target=Target(ratio=15)),
    ]


def by_row(session: Session, rows: int) -> Measured:
    """Row-wise Beam over logs of so many impressions, once."""
    question = {"recipe": str(session.recipe.resolve()), "data": str(session.inputs(rows).logs())}
    return session.once(Subject(name="row-wise Beam", module="benchmarks.joins.row_wise_beam", question=question))


def main(
    rows: Rows = 1_000_000,
    peer_rows: PeerRows = 100_000,
    runs: Runs = 5,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time the attribution of clicks and orders to impressions, against row-wise Beam and a Polars script.

    Both peers deduplicate by event id, credit the last touch in the window, weight, split and write Parquet. They have no
    checks and no row accounting.
    """
    session = Session(
        rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe
    )
    session.report("event_logs", run(session), notes=["Row-wise Beam ran once, on logs of its own size."])


if __name__ == "__main__":
    typer.run(main)
