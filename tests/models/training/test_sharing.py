"""Which task moves which variable, against what each architecture's picture says."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tasks import binary

from models.architectures import ARCHITECTURES
from models.architectures.base import Architecture
from models.recipe.registry import load
from models.training.sharing import moved_by_tasks, positions_over

TASKS = ("click", "click_cart", "cart")
X = tf.zeros((1, 5))


def make(name, tasks=TASKS, **options):
    architecture = load(ARCHITECTURES[name])(binary(*tasks), **options)
    architecture.build((None, 5))
    return architecture


def paths(architecture, over):
    """The variables' paths, without the architecture's own name."""
    variables = architecture.trainable_variables
    return [variables[i].path.partition("/")[2] for i in positions_over(over, architecture, X)]


@pytest.mark.parametrize("tasks", [TASKS, TASKS[:1]])
@pytest.mark.parametrize("options", [{}, {"dropout": 0.5, "dtype": "mixed_bfloat16"}])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_shared_is_what_the_architectures_say(name, options, tasks):
    architecture = make(name, tasks, **options)
    variables = architecture.trainable_variables
    shared = {variables[i].path for i in positions_over("shared", architecture, X)}
    by_hand = {variable.path for variable in architecture.shared_variables()} if len(tasks) > 1 else set()
    assert shared == by_hand


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_levels_of_ple(levels):
    architecture = make("ple", levels=levels)
    variables = architecture.trainable_variables
    shared = {variables[i].path for i in positions_over("shared", architecture, X)}
    assert shared == {variable.path for variable in architecture.shared_variables()}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("shared_bottom", {"units": (8, 4)}, lambda made: made.bottom.trainable_variables[2:]),
        ("shared_bottom", {"units": ()}, lambda made: []),
        ("mmoe", {"units": (8, 4)}, lambda made: made.shared.stack[1].trainable_variables),
        ("ple", {"units": (8, 4)}, lambda made: made.extraction[1].experts[-1].stack[1].trainable_variables),
        ("cross_stitch", {"units": (8, 4)}, lambda made: made.stitches[1].trainable_variables),
        ("single_task", {}, lambda made: []),
        ("soft_sharing", {}, lambda made: []),
    ],
)
def test_the_last_shared_layer(name, options, expected):
    made = make(name, **options)
    assert paths(made, "last_shared") == [variable.path.partition("/")[2] for variable in expected(made)]


def test_the_matrix_by_hand():
    class Odd(Architecture):
        """One weight for each way in which a task can reach a variable, or not."""

        def build(self, input_shape):
            names = ("both", "only_a", "stopped", "penalty", "zero")
            self.each = [self.add_weight(shape=(), initializer="zeros", name=name) for name in names]
            self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, x, training=None):
            both, only_a, stopped, penalty, zero = (variable.value for variable in self.each)
            self.add_loss(penalty * penalty)
            x = keras.ops.sum(x, axis=1)
            noise = keras.random.uniform((), seed=self.seed_generator) if training else 0.0
            return {
                "a": x * both + only_a + keras.ops.stop_gradient(stopped),
                "b": keras.ops.relu(x * both - 1.0) + zero * noise * 0.0,  # the values of these gradients are 0
            }

        def gates(self, x):
            return {}

        def shared_variables(self):
            raise NotImplementedError

    odd = Odd(binary("a", "b"))
    odd.build((None, 5))
    before = [np.array(variable) for variable in odd.variables]
    assert moved_by_tasks(odd, X).astype(int).tolist() == [[1, 1, 0, 0, 0], [1, 0, 0, 0, 1]]
    assert odd.losses == []
    for variable, old in zip(odd.variables, before, strict=True):
        np.testing.assert_array_equal(variable, old)


def test_no_gradients_wanted_no_trace():
    class Untraceable:
        pass

    assert positions_over(None, Untraceable()) == ()
