"""Predictions for a Parquet file: `gatewise predict`, and a loop over the SavedModel.

python -m benchmarks.predict
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from benchmarks.figures import Figure, Target
from benchmarks.measure import Subject
from benchmarks.session import HISTORY, WORK, Examples, History, PeerRows, Runs, Seed, Session, Work

SECONDS, GIB = 30, 2.0
"""Targets for 1 M rows."""

SIZES: dict[str, Any] = {"users": 15, "items": 15, "values": 10_000, "dim": 8, "experts": 4, "units": [64, 32]}


def run(session: Session, batch: int, **sizes: Any) -> list[Figure]:
    """The figures, ours first.

    Args:
        session: options of the command line.
        batch: rows of a call of the loop.
        sizes: of the model, where they are not SIZES.

    Raises:
        RuntimeError: the predictions of the two differ.
    """
    found = {}
    for what, rows in (("ours", session.rows), ("loop", session.few)):
        folder = session.work / f"predict-{rows}-{session.seed}"
        question = {**SIZES, **sizes, "folder": str(folder), "rows": rows, "seed": session.seed, "batch": batch}
        session.once(
            Subject(name="model and rows", module="benchmarks.predict_rows", question={**question, "what": "make"})
        )
        name = {"ours": "gatewise predict", "loop": f"loop over the SavedModel, {batch:,} rows a call"}[what]
        subject = Subject(name=name, module="benchmarks.predict_rows", question={**question, "what": what})
        found[what] = session.time(subject) if what == "ours" else session.once(subject)
    ours, loop = found["ours"], found["loop"]
    if ours.rows == loop.rows:
        for task, total in ours.answer["sum"].items():
            if abs(total - loop.answer["sum"][task]) > 1e-5 * abs(total):
                raise RuntimeError(f"{task}: the predictions add up to {total} and {loop.answer['sum'][task]}")
    return [
        Figure(measured=ours, target=Target(rate=1_000_000 / SECONDS, peak_gib=GIB)),
        Figure(measured=loop, against=ours),
    ]


def main(
    rows: Examples = 1_000_000,
    peer_rows: PeerRows = 100_000,
    batch: Annotated[int, typer.Option(min=1, help="Rows of a call of the loop.")] = 1024,
    runs: Runs = 3,
    seed: Seed = 7,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Time predictions from Parquet to Parquet; loading the model counts.

    An MMoE of 4 experts 240 -> 64 -> 32 and two towers of 64, over 30 columns of texts, each with 10,000 values.
    The loop sends the same columns to the same signature and writes the same columns. With as many rows, its sums of predictions
    are compared with ours.
    """
    session = Session(rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, work=work, history=history)
    session.report("predict", run(session, batch), {"batch": batch, **SIZES})


if __name__ == "__main__":
    typer.run(main)
