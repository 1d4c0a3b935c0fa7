"""The backend-neutral layers without TensorFlow: python -m benchmarks.steps.jax_step QUESTION.

Runs with KERAS_BACKEND=jax where Keras, JAX and NumPy are, and nothing else of ours is needed. The question: a
StepProblem, and `device`, cpu or gpu. `models.layers`, `models.architectures` and `models.losses` are used as they are.
The step is written here, as the trainer's is TensorFlow's: Keras' Adam for the network, and plain gradient descent for the
rows of the tables that the batch reads. The loader is a permutation and a gather of NumPy arrays.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import jax
import keras
import numpy as np

from benchmarks.stages.door import answer, clock
from benchmarks.steps.problem import TASKS, StepProblem
from models.architectures import ARCHITECTURES
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.feature_encoder import FeatureEncoder
from models.losses.binary_crossentropy import BinaryCrossentropy

_WARM_UP_STEPS = 3
_LEARNING_RATE = 0.001

State = tuple[Any, Any, Any]
"""Tables, the network's variables, the optimizer's."""


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """Times the steps of an epoch.

    Returns:
        rows: examples. seconds. version. device, and device_peak_bytes of a GPU. loss: mean of the last step.
    """
    if keras.backend.backend() != "jax":
        raise SystemExit(f"expected KERAS_BACKEND=jax, Keras runs on {keras.backend.backend()}")
    problem, device = StepProblem.of(question), _device(question)
    keras.utils.set_random_seed(problem.seed)
    ids, labels = problem.ids(problem.examples), problem.labels(problem.examples)
    random = np.random.default_rng(problem.seed)
    with jax.default_device(device):
        step, state = make_step(problem)
        loss: Any = None
        for _ in range(_WARM_UP_STEPS):
            loss, state = step(state, ids[: problem.batch], labels[: problem.batch])
        jax.block_until_ready(loss)
        with clock() as seconds:
            order = random.permutation(problem.examples)
            for start in range(0, problem.examples, problem.batch):
                chosen = order[start : start + problem.batch]
                loss, state = step(state, ids.take(chosen, axis=0), labels.take(chosen, axis=0))
            jax.block_until_ready((loss, state))
    found = {
        "rows": problem.examples,
        "seconds": seconds[0],
        "version": f"jax {jax.__version__}, keras {keras.__version__}",
        "device": device.device_kind,
        "loss": float(loss),
    }
    if question.get("device") == "gpu":
        found["device_peak_bytes"] = (device.memory_stats() or {}).get("peak_bytes_in_use", 0)
    return found


def make_step(problem: StepProblem) -> tuple[Callable[[State, Any, Any], tuple[Any, State]], State]:
    """The compiled step and its first state.

    Step: state, ids (batch, feature) and labels (batch, task) -> loss, state. The state that goes in is used up.
    """
    encoder = FeatureEncoder(
        {f"t{table}": (problem.table_rows, problem.dim) for table in range(problem.table_count)},
        categorical={f"f{feature}": f"t{problem.table_of(feature)}" for feature in range(problem.features)},
    )
    encoder.build()
    network = pkgutil.resolve_name(ARCHITECTURES[problem.architecture])(
        tuple(TaskInfo(name=task) for task in TASKS), **problem.options()
    )
    network.build(Encoded((None, encoder.dim)))
    optimizer = keras.optimizers.Adam(_LEARNING_RATE)
    optimizer.build(network.trainable_variables)
    constants = [variable.value for variable in network.non_trainable_variables]

    def loss_of(rows: Any, variables: Any, row_ids: Any, features: Any, labels: Any) -> Any:
        x = encoder.assemble(rows, row_ids, features)
        logits, _ = network.stateless_call(variables, constants, Encoded(x), training=True)
        loss = BinaryCrossentropy()
        return sum(keras.ops.mean(loss.value(logits[task], labels[:, place])) for place, task in enumerate(TASKS))

    def step(state: State, ids: Any, labels: Any) -> tuple[Any, State]:
        tables, variables, moments = state
        features = {"categorical": ids}
        row_ids = encoder.row_ids(features)
        rows = [keras.ops.take(table, its_ids, axis=0) for table, its_ids in zip(tables, row_ids, strict=True)]
        loss, (of_rows, of_variables) = jax.value_and_grad(loss_of, argnums=(0, 1))(
            rows, variables, row_ids, features, labels
        )
        variables, moments = optimizer.stateless_apply(moments, of_variables, variables)
        tables = [
            table.at[its_ids].add(-_LEARNING_RATE * gradient)
            for table, its_ids, gradient in zip(tables, row_ids, of_rows, strict=True)
        ]
        return loss, (tables, variables, moments)

    state = (
        [table.value for table in encoder.embeddings],
        [variable.value for variable in network.trainable_variables],
        [variable.value for variable in optimizer.variables],
    )
    return jax.jit(step, donate_argnums=0), state


def _device(question: Mapping[str, Any]) -> Any:
    wanted = question.get("device", "cpu")
    try:
        return jax.devices(wanted)[0]
    except RuntimeError as error:
        raise SystemExit(f"JAX finds no {wanted}: {error}") from None


if __name__ == "__main__":
    answer(run)
