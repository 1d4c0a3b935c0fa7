"""Trains again from another seed without compiling again. Compilation is a half of a small training, and more."""

from __future__ import annotations

import keras

from models.architectures.base import Architecture
from models.training.checkpoint import all_state
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan


class TrainedAgain:
    """Keeps the model of a training for a later one with the same plan but for the seed, on the same data.

    The later training starts from a new model's state, all variables of it, in the kept model with its compiled step: as a killed training
    goes on in a new process, and with the same result, bit for bit. The `Trained` of an earlier training is no longer valid then.
    """

    def __init__(self) -> None:
        self._key = ""
        self._model: MultiTaskModel | None = None

    def model(self, plan: TrainerPlan, fresh: MultiTaskModel) -> MultiTaskModel:
        """The kept model in the state of a fresh one; the fresh one if no kept one has the same step.

        Args:
            plan: plan of the training, whose data are those of the training before.
            fresh: model with all variables, compiled.
        """
        unseeded = plan.training.model_copy(update={"seed": 0})
        key = plan.model_copy(update={"training": unseeded}).model_dump_json()
        # A share of the negatives depends on the seed, and the number of steps on it. A network that grows has another step at its end.
        changes = any(task.negative_rate < 1.0 for task in plan.tasks.values())
        changes = changes or type(fresh.architecture).grown is not Architecture.grown
        if key != self._key or changes or self._model is None:
            self._key, self._model = key, fresh
            return fresh
        for ours, theirs in zip(all_state(self._model), all_state(fresh), strict=True):
            ours.assign(keras.ops.convert_to_numpy(theirs))
        return self._model
