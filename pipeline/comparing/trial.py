"""One training of a comparison: it runs once, and its folder answers from then on.

    trials/KEY/trial.json            what `Record` has, written last
    trials/KEY/predictions.parquet   predictions of the eval split, of a frozen candidate only
    trials/KEY/.checkpoint           while the training runs: a killed one goes on from it

KEY is a hash of the training's plan, of the artifact that it reads and of its code.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import hashlib
import json
import math
import resource
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.references.predictions import write_predictions
from models.features.input_pipeline import Columns, read_split
from models.features.layout import FeatureLayout
from models.files.whole_file import write_whole
from models.recipe.errors import InputError, TrainingError
from models.training import trainer
from models.training.after_training import predictions_of
from models.training.again import TrainedAgain
from models.training.checkpoint import TrainingCheckpoint
from models.training.distilling import learn_from_teacher
from models.training.expert_use import expert_use, mean_gates
from models.training.function_numbers import number_from_a_round_one
from models.training.logged_names import WEIGHT_OF
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan
from pipeline.comparing.multiply_adds import multiply_adds

RECORD, PREDICTIONS = "trial.json", "predictions"
PAGE, CALLS = 500, 100

Watch = Callable[[int, float | None], bool]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """What a training left.

    Attributes:
        score: best validation score; None if no task has an observed validate example, or if the training failed.
        scores: those of its rounds, for a search that is run again.
        stopped: whether the search stopped it.
        error: message of a failed training.
        rounds, seconds: evaluations and duration.
        seconds_per_pass: over the train split, without the first round, which compiles.
        parameters: {"network", "embeddings"}.
        flops, page_ms, peak_memory, gates, task_weights: see `compare.json`; of a frozen candidate only.
    """

    score: float | None
    scores: tuple[float | None, ...] = ()
    stopped: bool = False
    error: str | None = None
    rounds: int = 0
    seconds: float = 0.0
    seconds_per_pass: float | None = None
    parameters: Mapping[str, int] = dataclasses.field(default_factory=dict)
    flops: int | None = None
    page_ms: Mapping[str, float] | None = None
    peak_memory: int | None = None
    gates: Mapping[str, list[float]] = dataclasses.field(default_factory=dict)
    task_weights: Mapping[str, list[float]] = dataclasses.field(default_factory=dict)


class Splits:
    """The transformed splits of a recipe, each read once. `source` names their artifact."""

    def __init__(self, transformed: Path, graph: Path) -> None:
        self._folder = transformed
        self.source = f"{transformed.parent.parent.name}/{transformed.parent.name}/{transformed.name}"
        self.layout = FeatureLayout.load(graph)

    @functools.cached_property
    def train(self) -> Columns:
        """The train split."""
        return self._read("train")

    @functools.cached_property
    def validate(self) -> Columns:
        """The validate split."""
        return self._read("validate")

    @functools.cached_property
    def eval(self) -> Columns:
        """The eval split. Only a frozen candidate reads it."""
        return self._read("eval")

    def _read(self, split: str) -> Columns:
        return read_split(f"{self._folder}/Split-{split}/*")


def trial_folder(trials: Path, plan: TrainerPlan, source: str, code: str, frozen: bool) -> Path:
    """The folder of a training."""
    key = json.dumps([plan.model_dump(mode="json"), source, code, frozen], sort_keys=True)
    return trials / hashlib.sha256(key.encode()).hexdigest()[:16]


def read_record(folder: Path) -> Record | None:
    """The record of a finished training; None if it has not finished."""
    try:
        return Record(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def train_once(
    folder: Path, plan: TrainerPlan, splits: Splits, *, frozen: bool, again: TrainedAgain, watch: Watch | None = None
) -> tuple[Record, bool]:
    """Trains, unless the folder has the answer, and says whether it did.

    A frozen candidate also predicts the eval split, and is measured: multiply-adds, a page of `PAGE` candidates, memory.

    Args:
        folder: folder of the training.
        plan: its plan.
        splits: the data.
        frozen: whether nothing about the method may change any more.
        again: of the trainings of the same method.
        watch: called after each round with its number and score; True stops the training. Of a finished one it hears its scores.
    """
    found = read_record(folder)
    if found is not None:
        for number, score in enumerate(found.scores):
            if watch is not None and watch(number, score):
                break
        return found, False
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    try:
        record = _train(folder, plan, splits, frozen, again, watch)
    except InputError as error:
        # Options that do not fit each other: there is nothing to keep.
        shutil.rmtree(folder, ignore_errors=True)
        return Record(score=None, error=str(error)), True
    except TrainingError as error:
        record = Record(score=None, error=str(error), seconds=round(time.perf_counter() - begun, 3))
    write_whole(folder / RECORD, json.dumps(dataclasses.asdict(record), indent=1))
    shutil.rmtree(folder / ".checkpoint", ignore_errors=True)
    return record, True


def _train(
    folder: Path, plan: TrainerPlan, splits: Splits, frozen: bool, again: TrainedAgain, watch: Watch | None
) -> Record:
    begun, work = time.perf_counter(), folder / ".checkpoint"
    # Equal trainings then have equal names in their graphs, and the second one takes the first one's compiled steps.
    keras.utils.clear_session(free_memory=False)
    number_from_a_round_one()
    data, validate = (columns.of_tasks(tuple(plan.tasks)) for columns in (splits.train, splits.validate))
    checkpoint = TrainingCheckpoint(work / "model")
    stopped = False

    def ends(number: int, score: float | None) -> bool:
        nonlocal stopped
        stopped = stopped or (watch is not None and watch(number, score))
        return stopped

    taught = learn_from_teacher(plan, splits.layout, data, validate, checkpoint, work, trainer.train, None)
    trained = trainer.train(
        plan, splits.layout, data, validate, checkpoint, work, taught=taught.columns, watch=ends, again=again
    )
    scores = tuple(entry.get("val_score") for entry in trained.rounds)
    measured: dict[str, Any] = {}
    if frozen:
        write_predictions(str(folder), PREDICTIONS, splits.eval.example_id, predictions_of(trained.model, splits.eval))
        measured = _measured(trained.model, splits, validate)
        measured["task_weights"] = {
            task: weights
            for task in plan.tasks
            if (weights := [entry[WEIGHT_OF + task] for entry in trained.rounds if WEIGHT_OF + task in entry])
        }
    parameters = trained.history["parameters"]
    seconds_per_pass = _seconds_per_pass(trained.rounds)
    rounds, best = len(trained.rounds), trained.best.get("val_score")
    del trained
    gc.collect()
    return Record(
        score=best,
        scores=scores,
        stopped=stopped,
        rounds=rounds,
        seconds=round(time.perf_counter() - begun, 3),
        seconds_per_pass=seconds_per_pass,
        parameters=parameters,
        **measured,
    )


def _measured(model: MultiTaskModel, splits: Splits, validate: Columns) -> dict[str, Any]:
    rows = min(PAGE, len(splits.eval.labels))
    page = {
        name: tf.constant(np.resize(array[:rows], (PAGE, array.shape[1]))) for name, array in splits.eval.arrays.items()
    }
    ask = tf.function(model.predictions, autograph=False)
    times = []
    for _ in range(CALLS + 5):
        begun = time.perf_counter()
        for values in ask(page).values():
            keras.ops.convert_to_numpy(values)
        times.append(1000.0 * (time.perf_counter() - begun))
    p50, p99 = np.percentile(times[5:], [50, 99])
    return {
        "flops": multiply_adds(model, splits.eval),
        "page_ms": {"p50": round(float(p50), 3), "p99": round(float(p99), 3)},
        "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "gates": mean_gates(expert_use(model, validate, trainer.EVAL_BATCH)),
    }


def _seconds_per_pass(rounds: list[dict[str, Any]]) -> float | None:
    """Seconds per pass over the train split, validation included, without the first round, which compiles."""
    if len(rounds) < 2:
        return None
    passes = rounds[-1]["epoch"] - rounds[0]["epoch"]
    seconds = math.fsum(entry["seconds"] for entry in rounds[1:])
    return round(seconds / passes, 4) if passes else None
