import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.home import GatedExperts, HoME, positions_of_groups
from models.recipe.errors import InputError

TASKS = ("a", "b", "c")
GROUPS = (("c", "a"), ("b",))
GROUP_OF = (0, 1, 0)
X = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def made(**options):
    keras.utils.set_random_seed(3)
    model = HoME(binary(*TASKS), **{"groups": GROUPS, "units": (4, 3), "tower_units": (), "feature_rank": 2, **options})
    model(Encoded(X))
    for variable in model.trainable_variables:
        variable.assign_add(0.1 * keras.random.normal(variable.shape))
    return model


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def outputs(layer, v):
    """Outputs of all experts of a `GatedExperts` for one example."""
    down, up = layer.feature_gate.down.get_weights(), layer.feature_gate.up.get_weights()
    found = []
    for e in range(layer.experts):
        h = 2 * sigmoid((v @ down[0][e] + down[1][e]) @ up[0][e] + up[1][e]) * v
        for dense, scale, shift in zip(layer.mlps.stack, layer.mlps.scales, layer.mlps.shifts, strict=True):
            kernel, bias = dense.get_weights()
            z = h @ kernel[e] + bias[e]
            z = np.array(scale)[e] * (z - z.mean()) / np.sqrt(z.var() + 1e-3) + np.array(shift)[e]
            h = z * sigmoid(z)
        found.append(h)
    return found


def weighted(layer, x, experts):
    kernel, bias = layer.get_weights()
    shares = softmax(x @ kernel + bias) if len(experts) > 1 else sigmoid(x @ kernel + bias)
    return sum(share * expert for share, expert in zip(shares, experts, strict=True))


def reference(model, x):
    """The equations of the docstring for one example."""
    k, meta = model.experts, outputs(model.meta, x)
    parts = [meta[:k], meta[k : 2 * k], meta[2 * k :]]
    seen = [parts[0] + parts[2], parts[1] + parts[2], meta]
    *z, shared = (
        weighted(gate, x, read) + weighted(of_self, x, own)
        for gate, of_self, read, own in zip(model.meta_gates, model.meta_self_gates, seen, parts, strict=True)
    )
    of_groups = [outputs(layer, state) for layer, state in zip(model.of_groups, z, strict=True)]
    of_all, logits = outputs(model.shared, shared), {}
    for t, (task, group) in enumerate(zip(TASKS, GROUP_OF, strict=True)):
        own = outputs(model.of_tasks[t], z[group])
        read = own + of_groups[group] + of_all
        h = weighted(model.task_gates[t], np.concatenate([z[group], shared]), read)
        h = h + weighted(model.self_gates[t], z[group], own)
        kernel, bias = model.towers[t].get_weights()
        logits[task] = (h @ kernel + bias)[0]
    return logits


@pytest.mark.parametrize("experts", [1, 2])
def test_against_loops(experts):
    model = made(experts=experts)
    logits = model(Encoded(X))
    for row in range(6):
        for task, expected in reference(model, X[row]).items():
            np.testing.assert_allclose(logits[task][row], expected, rtol=1e-3, atol=1e-4)
    assert model.gates(Encoded(X))["b"].shape == (6, 3 * experts)


def test_the_hierarchy_masks_experts_of_other_groups_and_tasks():
    """{experts of level 2: the tasks that move them}."""
    model = made()
    with tf.GradientTape(persistent=True) as tape:
        sums = {task: tf.reduce_sum(tf.sin(logits)) for task, logits in model(Encoded(X)).items()}
    layers = {"of_a": model.of_tasks[0], "of_b": model.of_tasks[1], "ac": model.of_groups[0], "b": model.of_groups[1]}
    layers["all"] = model.shared
    moved = {
        name: "".join(task for task in TASKS if tape.gradient(sums[task], layer.trainable_variables[0]) is not None)
        for name, layer in layers.items()
    }
    assert moved == {"of_a": "a", "of_b": "b", "ac": "ac", "b": "b", "all": "abc"}


def test_the_state_of_a_group_ignores_the_first_experts_of_other_groups():
    model = made(experts=2)
    before = model._states(tf.constant(X), False)
    for (
        variable
    ) in model.meta.variables:  # the stack has experts 0 and 1 of group 0, 2 and 3 of group 1, 4 and 5 of all
        variable.assign(np.concatenate([variable[:2], variable[2:4] + 1.0, variable[4:]]))
    after = model._states(tf.constant(X), False)
    np.testing.assert_array_equal(before[0], after[0])
    assert all(not np.allclose(before[i], after[i]) for i in (1, 2))


def test_own_experts_are_trained_even_if_the_gate_ignores_them():
    model = made()
    kernel, bias = model.task_gates[0].get_weights()
    model.task_gates[0].set_weights([0 * kernel, np.where(np.arange(len(bias)) < 2, -1e9, 0.0)])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(Encoded(X))["a"]))
    assert np.any(tape.gradient(loss, model.of_tasks[0].mlps.stack[0].kernel))


@pytest.mark.parametrize("groups", [(("a", "b"),), (("a", "b"), ("b", "c")), (("a", "b", "c"), ()), (("a", "b", "d"),)])
def test_refuses_groups_that_do_not_name_each_task_once(groups):
    with pytest.raises(InputError, match="home: expected groups that name each of the tasks a, b, c once, received"):
        HoME(binary(*TASKS), groups=groups)


def test_positions_of_groups():
    assert positions_of_groups(TASKS, GROUPS) == GROUP_OF
    assert positions_of_groups(TASKS, ()) == (0, 0, 0)


def test_config_round_trip_of_experts():
    layer = GatedExperts(2, (4, 3), rank=2, activation="relu", dropout=0.25, name="e")
    assert GatedExperts.from_config(layer.get_config()).get_config() == layer.get_config()
