"""Training of the two towers: ours, and the model of the TensorFlow Recommenders tutorials.

python -m benchmarks.retrieval_training --rows 163840
"""

from __future__ import annotations

import dataclasses

import typer

from benchmarks.figures import Figure
from benchmarks.measure import Subject
from benchmarks.session import HISTORY, WORK, Examples, History, Runs, Seed, Session, Work
from benchmarks.steps.retrieval_problem import RetrievalProblem

OURS = "benchmarks.steps.retrieval_ours"
TUTORIAL = "benchmarks.steps.retrieval_tutorial"
EXAMPLES = 163_840
OPTIMIZERS = {"adagrad": "Adagrad", "adam": "Adam"}
NOTE = (
    "The tutorial's model corrects no popularity and removes no accidental hits, which ours does in its step; its Adagrad moves the "
    "batch's rows of the tables, its Adam all of them."
)


def run(session: Session, problem: RetrievalProblem) -> list[Figure]:
    """The figures: ours, then the tutorial's model with each optimizer.

    Args:
        session: its rows are the positives of the epoch that is timed.
        problem: sizes, without steps.
    """
    sized = dataclasses.replace(problem.of_examples(session.rows), seed=session.seed)
    ours = session.time(Subject(name="two towers, ours", module=OURS, question=sized.as_question()))
    figures = [Figure(measured=ours)]
    for optimizer, name in OPTIMIZERS.items():
        question = sized.as_question(optimizer=optimizer)
        peer = session.time(Subject(name=f"TFRS tutorial, {name}", module=TUTORIAL, question=question))
        figures.append(Figure(measured=peer, against=ours))
    return figures


def main(
    rows: Examples = EXAMPLES,
    runs: Runs = 5,
    seed: Seed = 1,
    work: Work = WORK,
    history: History = HISTORY,
) -> None:
    """Time an epoch of batches of 4,096 positives, after one that warms up.

    3 features of users and the mean of the last 20 items, 4 features of items, 50,000 items, all embeddings 64 wide; towers of one
    hidden layer of 128 and 64 numbers out. Ours is the trainer's own loop, with lazy Adam in the tables; the peer reads batches that it
    has cached.
    """
    session = Session(rows=rows, runs=runs, seed=seed, work=work, history=history)
    problem = RetrievalProblem()
    session.report(
        "retrieval_training",
        run(session, problem),
        {"problem": problem.as_question()},
        judged=rows >= EXAMPLES,
        unit="examples",
        notes=[NOTE],
    )


if __name__ == "__main__":
    typer.run(main)
