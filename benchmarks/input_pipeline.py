"""Shuffled batches for the trainer: our feed, and TFRecords parsed by `tf.io.parse_example`.

python -m benchmarks.input_pipeline --rows 1000000
"""

from __future__ import annotations

import dataclasses

import typer

from benchmarks.figures import Figure, Target
from benchmarks.measure import Subject
from benchmarks.prepare import RECIPE
from benchmarks.session import HISTORY, WORK, History, PeerRows, Recipe, Rows, Runs, Seed, Session, Skew, Work


def run(session: Session) -> list[Figure]:
    """The figures, ours first."""
    inputs = session.inputs()
    ours = session.time(inputs.ours("feed", inputs.upto("features"), "feed, an epoch, ours"))
    reading = dataclasses.replace(
        ours, name="reading the split, once, ours", seconds=(float(ours.answer["read_seconds"]),)
    )
    records = inputs.tfrecords("transformed", session.few)
    question = {"inputs": str(records), "batch_size": ours.answer["batch_size"]}
    peer = Subject(name="TFRecord and parse_example", module="benchmarks.stock.input_pipeline", question=question)
    return [
        Figure(measured=ours, target=Target(rate=4_000_000, peak_gib=3)),
        Figure(measured=reading),
        Figure(measured=session.time(peer), against=ours),
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
    """Time an epoch of shuffled batches of the train split, without a model.

    Ours reads the split once, before the first epoch, as a separate line. The peer shuffles in a buffer of 100,000
    examples and parses a key for each feature, as the stock Transform writes them.
    """
    session = Session(
        rows=rows, peer_rows=peer_rows, runs=runs, seed=seed, skew=skew, work=work, history=history, recipe=recipe
    )
    session.report("feed", run(session), notes=["Rows are those of the train split."])


if __name__ == "__main__":
    typer.run(main)
