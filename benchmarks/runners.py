"""Our data stages on Beam engines: in this process, on Dask, and by the portable job service.

python -m benchmarks.runners --rows 1000000
"""

from __future__ import annotations

import typer

from benchmarks.engines import ENGINES
from benchmarks.figures import Figure
from benchmarks.measure import Subject
from benchmarks.prepare import RECIPE
from benchmarks.session import HISTORY, WORK, History, Recipe, Rows, Runs, Seed, Session, Skew, Work

STAGES = ("event_logs", "statistics", "features")
FIRST = 2_000
"""Impressions over which a stage runs once, on the engine that was just started."""
MEANING = "Ratio: rows/s of the FnApiRunner by rows/s of the engine."


def run(session: Session) -> list[Figure]:
    """The figures, stage by stage; the engines in the order of ENGINES, against the first.

    Raises:
        RuntimeError: two engines wrote different bytes.
    """
    inputs, few = session.inputs(), session.inputs(min(FIRST, session.rows))
    figures = []
    for stage in STAGES:
        here = None
        for engine in ENGINES:
            given, first = (
                {
                    "data": str(one.logs()),
                    "inputs": str(one.upto("event_logs")) if stage != "event_logs" else "",
                }
                for one in (inputs, few)
            )
            question = {"engine": engine, "stage": stage, "recipe": str(session.recipe.resolve()), "first": first}
            subject = Subject(
                name=f"{stage}, {engine}", module="benchmarks.stages.on_engine", question={**question, **given}
            )
            measured = session.time(subject)
            figures.append(Figure(measured=measured, against=here))
            here = here or measured
            if measured.answer["digest"] != here.answer["digest"]:
                raise RuntimeError(f"{measured.name} did not write the bytes of {here.name}")
    return figures


def shuffled(figures: list[Figure]) -> str:
    """A sentence on the bytes that go through the shuffle of the first stage."""
    local = figures[0].measured
    return (
        f"{local.answer['shuffled'] / local.rows:,.0f} bytes an impression lie in the shuffle's files of {STAGES[0]}."
    )


def main(
    rows: Rows = 1_000_000,
    runs: Runs = 3,
    seed: Seed = 7,
    skew: Skew = False,
    work: Work = WORK,
    history: History = HISTORY,
    recipe: Recipe = RECIPE,
) -> None:
    """Time the data stages on each engine, started and warm: the machine's cores are the same, so a cluster can only lose.

    All write the same bytes. The job service takes one worker process for a pipeline, which works on several threads.
    """
    session = Session(rows=rows, runs=runs, warm_ups=0, seed=seed, skew=skew, work=work, history=history, recipe=recipe)
    figures = run(session)
    session.report("runners", figures, ratio=MEANING, notes=[shuffled(figures)])


if __name__ == "__main__":
    typer.run(main)
