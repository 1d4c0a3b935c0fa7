"""What every row of ARCHITECTURES has to do; a new row is tested by being there."""

import functools
import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures import ARCHITECTURES
from models.architectures.base import REPRESENTATION, Architecture
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.layers.gate import GATES
from models.recipe.registry import json_schema, load, signature, summary
from models.serving.user_once import check_split

TASKS = ("click", "click_cart", "cart")  # one name is another's prefix
FUNNEL = (
    TaskInfo(name="click"),
    TaskInfo(name="click_cart", after="click"),
    TaskInfo(name="cart", after="click_cart", conditional=True),
)


def encoded(x):
    """x, and different embeddings for each task."""
    return Encoded(x, by_task=(2.0 * x, x[:, ::-1], -x))


X = encoded(np.random.default_rng(0).normal(size=(64, 5)).astype("float32"))

pytestmark = pytest.mark.parametrize("name", ARCHITECTURES)


SMALL = {"experts": 3, "units": (6,), "tower_units": (4,)}
"""Sizes that build and compile fast. test_several_logits and test_a_funnel have the default ones."""


def make(name, tasks=TASKS, seed=1, **options):
    """The architecture, small, for tasks or for the names of tasks without order."""
    keras.utils.set_random_seed(seed)
    known = signature(ARCHITECTURES[name])
    options = {**{key: value for key, value in SMALL.items() if key in known}, **options}
    return load(ARCHITECTURES[name])(binary(*tasks) if isinstance(tasks[0], str) else tasks, **options)


@functools.cache
def made(name, tasks=TASKS):
    """(architecture, its outputs for X), for the tests that change nothing of it."""
    architecture = make(name, tasks)
    return architecture, architecture(X)


@functools.cache
def moved_by(name):
    """{task: positions of the trainable variables that the task's loss alone moves}."""
    architecture, _ = made(name)
    with tf.GradientTape(persistent=True) as tape:
        sums = {task: tf.reduce_sum(tf.sin(logits)) for task, logits in architecture(X).items()}
    variables = architecture.trainable_variables
    gradients = {task: tape.gradient(sums[task], variables) for task in TASKS}
    return {task: {i for i, g in enumerate(g) if g is not None and np.any(g)} for task, g in gradients.items()}


def test_outputs_are_the_tasks(name):
    _, outputs = made(name)
    assert tuple(outputs) == TASKS
    assert all(logits.shape == (64,) and logits.dtype == "float32" for logits in outputs.values())
    assert len({float(logits[0]) for logits in outputs.values()}) == 3


def test_the_representation_is_what_the_served_tasks_read(name):
    """It comes beside the same logits, from all that a served task's logits depend on but the task's own last layers."""
    tasks = (TaskInfo(name="click"), TaskInfo(name="helper", served=False), TaskInfo(name="cart"))
    plain = make(name, tasks)(X)
    architecture = make(name, tasks, represents=True)
    with tf.GradientTape() as tape:
        outputs = architecture(X)
        total = tf.reduce_sum(outputs[REPRESENTATION])
    assert REPRESENTATION not in plain
    for task, logits in plain.items():
        np.testing.assert_array_equal(outputs[task], logits)
    assert outputs[REPRESENTATION].shape[0] == len(X.x)
    assert len(np.unique(outputs[REPRESENTATION], axis=0)) > 1
    assert architecture.get_config()["represents"]
    gradients = tape.gradient(total, architecture.trainable_variables)
    reached = [gradient is not None and bool(np.any(gradient)) for gradient in gradients]
    assert any(reached) == (name != "linear")
    assert not all(reached)


def test_one_task(name):
    assert make(name, ("click",))(X)["click"].shape == (64,)


def test_batch_of_one(name):
    architecture, outputs = made(name)
    for task, logits in architecture(encoded(X.x[:1])).items():
        np.testing.assert_allclose(logits, outputs[task][:1], rtol=1e-4, atol=1e-5)


def test_every_trainable_variable_has_a_gradient(name):
    architecture, _ = made(name)
    moved = moved_by(name)
    assert set.union(*moved.values()) == set(range(len(architecture.trainable_variables)))


def test_each_task_has_variables_of_its_own(name):
    moved = moved_by(name)
    for task, own in moved.items():
        assert own - set.union(*(other for one, other in moved.items() if one != task)), task


def test_several_logits(name):
    keras.utils.set_random_seed(1)
    tasks = (TaskInfo(name="click"), TaskInfo(name="value", kind="regression", outputs=3))
    logits = load(ARCHITECTURES[name])(tasks)(X)
    assert (logits["click"].shape, logits["value"].shape) == ((64,), (64, 3))


def test_a_funnel(name):
    keras.utils.set_random_seed(1)
    architecture = load(ARCHITECTURES[name])(FUNNEL)
    assert tuple(architecture(X, training=True)) == TASKS
    assert architecture.get_config()["tasks"][2]["after"] == "click_cart"


def test_user_once_keeps_its_word(name):
    """Whoever says that the user's part of x may be computed once predicts the same if it is."""
    if load(ARCHITECTURES[name]).user_once:
        check_split(make(name), 7)
        check_split(load(ARCHITECTURES[name])(FUNNEL), 2)


def test_tasks_are_told_by_position_not_by_name(name):
    (_, first), second = made(name), make(name, ("cart", "click", "click_cart"))(X)
    for one, other in zip(first.values(), second.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_same_seed_same_outputs(name):
    (_, first), again, other = made(name), make(name)(X), make(name, seed=2)(X)
    np.testing.assert_array_equal(first["click"], again["click"])
    assert not np.array_equal(first["click"], other["click"])


def test_kernels_of_the_tasks_are_each_tasks_own(name):
    architecture, _ = made(name)
    for kernels in architecture.task_kernels():
        assert len(kernels) == len(TASKS)
        assert len({tuple(kernel.shape) for kernel in kernels}) == 1
        assert {id(kernel) for kernel in kernels} <= {id(variable) for variable in architecture.trainable_variables}


def test_gates_are_shares(name):
    architecture, _ = made(name)
    gates = architecture.gates(X)
    assert tuple(gates) in ((), TASKS)
    for gate in gates.values():
        assert gate.ndim == 2
        np.testing.assert_allclose(np.sum(gate, axis=1), 1, rtol=1e-5)
    for task, gate in gates.items():
        names = architecture.expert_names(task, gate.shape[1])
        assert len(set(names)) == len(names) == gate.shape[1]


@pytest.mark.parametrize("gate", GATES)
def test_any_gate(name, gate):
    """An architecture with the option `gate` takes all gates, with dropout of experts and a balanced load."""
    if "gate" not in signature(ARCHITECTURES[name]):
        return
    architecture = make(name, gate=gate, gate_dropout=0.5, load_balance=0.5)
    outputs = architecture(X, training=True)
    assert len(architecture.losses) >= (2 if gate == "dselect_k" else 1)
    assert not np.array_equal(outputs["cart"], architecture(X)["cart"])
    for shares in architecture.gates(X).values():
        np.testing.assert_allclose(np.sum(shares, axis=1), 1, rtol=1e-5)
        if gate == "top_k":
            assert np.all(np.sum(np.array(shares) > 0, axis=1) == 2)
    if architecture.user_once:
        check_split(make(name, gate=gate), 7)


@keras.saving.register_keras_serializable(package="contract")
class Saved(keras.Model):
    """A model that is nothing but an architecture, saved as `MultiTaskModel` saves it."""

    def __init__(self, architecture, **model):
        super().__init__(**model)
        self.architecture = architecture

    def build(self, input_shape):
        if not self.architecture.built:
            self.architecture.build(Encoded(input_shape, by_task=(input_shape,) * 3))

    def call(self, x):
        return self.architecture(encoded(x))

    def get_config(self):
        return {"architecture": keras.saving.serialize_keras_object(self.architecture)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["architecture"]))


def test_save_and_load(name, tmp_path):
    model = Saved(make(name, FUNNEL))
    expected = model(X.x)
    model.save(tmp_path / "m.keras")
    keras.utils.set_random_seed(5)
    for task, logits in keras.saving.load_model(tmp_path / "m.keras")(X.x).items():
        np.testing.assert_array_equal(logits, expected[task])


BY_NAME = {
    "TaskGroups": (TASKS[:2], TASKS[2:]),
    "TaskNames": ("cart",),
    "TasksByTask": {"cart": ("click", "click_cart")},
    "LayersByTask": {"cart": (6, 3), "click": ()},
    "LevelByTask": {"cart": 1},
}


def changed(annotation, value):
    """Another value of the same type, so that a forgotten option shows."""
    if annotation in BY_NAME:
        return BY_NAME[annotation]
    if choices := json_schema(annotation).get("enum"):
        return next(choice for choice in choices if choice != value)
    if isinstance(value, tuple):
        return (6, 3)
    return value + 1 if isinstance(value, int) else value / 2 + 0.125


def test_config_round_trip(name):
    options = {key: changed(*about) for key, about in signature(ARCHITECTURES[name]).items()}
    config = make(name, **options).get_config()
    assert {key: config[key] for key in options} == options
    again = load(ARCHITECTURES[name]).from_config(json.loads(json.dumps(config))).get_config()
    assert {**again, "dtype": None} == {**config, "dtype": None}


def test_under_jit_compile(name):
    architecture, _ = made(name, FUNNEL)

    def step(x):
        with tf.GradientTape() as tape:
            total = tf.add_n([tf.reduce_mean(tf.sin(logits)) for logits in architecture(x).values()])
        return total, tape.gradient(total, architecture.trainable_variables)

    total, gradients = step(X)
    compiled_total, compiled_gradients = tf.function(step, jit_compile=True)(X)
    np.testing.assert_allclose(total, compiled_total, rtol=1e-4, atol=1e-5)
    for one, other in zip(gradients, compiled_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_logits_are_float32_under_mixed_precision(name):
    architecture = make(name, FUNNEL, dtype="mixed_bfloat16")
    outputs = architecture(X)
    assert all(logits.dtype == "float32" for logits in outputs.values())
    _, exact = made(name, FUNNEL)
    np.testing.assert_allclose(outputs["cart"], exact["cart"], atol=0.1)


def test_is_documented_and_its_options_can_be_read(name):
    path = ARCHITECTURES[name]
    sentence = summary(path)
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    kind = load(path)
    assert issubclass(kind, Architecture)
    parameters = inspect.signature(kind.__init__).parameters.values()
    keyword_only = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert {key: default for key, (_, default) in signature(path).items()} == keyword_only
    assert all(f"{key}: " in kind.__doc__ for key in keyword_only)
