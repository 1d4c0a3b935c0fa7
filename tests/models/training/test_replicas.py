"""Two replicas, each with half of the batch, make the step that one makes with all of it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# In a process of its own: a CPU can be divided into two devices before TensorFlow starts, and not later. One for all cases, because it
# takes seconds to start.
SCRIPT = """
import contextlib, functools, sys
sys.path.insert(0, "tests/doubles")
import keras, numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
sys.path.append("tests/doubles")
from models.regularizers.block_sparse import BlockSparse
from models.regularizers.trace_norm import TraceNorm
from tests.models.training import test_objectives
from tests.models.training.test_multi_task_model import FrequencyL2, L2, LazyAdam, assert_near, copies, data, everything, make

def model_of(balancer, architecture, **options):
    regularizers = [L2(strength=0.1), FrequencyL2(strength=0.3), BlockSparse(strength=0.5), TraceNorm(strength=0.1)]
    return make(architecture, balancer, regularizers=regularizers, tables=LazyAdam(learning_rate=0.1), clip_norm=0.2, **options)

def of_objectives(seed):
    return tuple(tf.nest.map_structure(lambda array: array[32 * seed:][:32], part) for part in test_objectives.data(96))

# An objective whose weights are normalized over a batch would differ between one part and two.
CASES = {
    "uncertainty": (functools.partial(model_of, "uncertainty", "soft_sharing", strength=0.2), data),
    "gradnorm": (functools.partial(model_of, "gradnorm", "mmoe"), data),
    "pcgrad": (functools.partial(model_of, "pcgrad", "mmoe"), data),
    "esmm": (functools.partial(test_objectives.make, "esmm", balancer="pcgrad"), of_objectives),
    "escm2": (functools.partial(test_objectives.make, "escm2", {"risk": "dr", "global_weight": 0.5}), of_objectives),
}

def train(strategy, made, data):
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = made()
        model.optimizer.build(model.trainable_variables)
    step = tf.function(lambda halves: strategy.run(model.train_step, (halves,)))  # traced once, not for each batch
    for seed in range(3):
        batch = tf.nest.map_structure(tf.convert_to_tensor, data(seed=seed))
        if strategy is None:
            model.train_step(batch)
            continue
        def half(context):
            at = 16 * context.replica_id_in_sync_group
            return lambda array: array[at : at + 16]
        values = [
            strategy.experimental_distribute_values_from_function(lambda context, array=array: half(context)(array))
            for array in tf.nest.flatten(batch)
        ]
        halves = tf.nest.pack_sequence_as(batch, values)
        step(halves)
    return model

both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])  # a second one would share the keys of its collective operations
for name, case in CASES.items():
    print(name, flush=True)
    one, two = train(None, *case), train(both, *case)
    for table in two.encoder.embeddings:
        first, second = table.value.values
        np.testing.assert_array_equal(first, second)
    assert_near(everything(one), everything(two))
    assert_near(one.balancer.non_trainable_variables[:2], two.balancer.non_trainable_variables[:2], atol=0)
    for metric, value in one.get_metrics_result().items():
        np.testing.assert_allclose(value, two.get_metrics_result()[metric], rtol=1e-5, err_msg=metric)
print("all", flush=True)
"""


def test_two_replicas_make_the_step_of_one():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split()[-1:] == ["all"], done.stdout + done.stderr[-3000:]
