"""A training in a process of its own that kills itself after a state is kept: `python -m killed_training PLAN GRAPH TRAIN EVAL OUT EPOCH STEPS`."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path

import numpy as np

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.training import trainer
from models.training.checkpoint import TrainingCheckpoint
from models.training.plan import TrainerPlan

plan, transform_graph, train, evaluation, out, epoch, steps = sys.argv[1:]


class Killed(TrainingCheckpoint):
    """Ends with kill -9 after that state."""

    def save(self, model, progress):  # type: ignore[no-untyped-def]
        super().save(model, progress)
        if (progress.round, progress.steps) == (int(epoch), int(steps)):
            os.kill(os.getpid(), signal.SIGKILL)


columns = input_pipeline.read_split(evaluation)
labels = np.stack([1 - columns.labels[:, 0], -columns.labels[:, 1]], axis=1)
trainer.train(
    TrainerPlan.model_validate_json(plan),
    FeatureLayout.load(Path(transform_graph)),
    input_pipeline.read_split(train),
    dataclasses.replace(columns, labels=labels),
    Killed(Path(out) / "checkpoint"),
    Path(out) / "run",
)
