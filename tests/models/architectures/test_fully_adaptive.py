"""FullyAdaptive: shared until it grows, the branches of a planted structure, the same function after a growth."""

import keras
import numpy as np
import pytest
from tasks import binary

from models.architectures.encoded import Encoded
from models.architectures.fully_adaptive import FullyAdaptive
from models.recipe.errors import InputError
from models.serving.user_once import check_split

TASKS = ("click", "click_cart", "like", "follow")
X = Encoded(np.random.default_rng(0).normal(size=(8, 5)).astype("float32"))


def make(tasks=TASKS, **options):
    keras.utils.set_random_seed(1)
    made = FullyAdaptive(binary(*tasks), **{"units": (6, 4), "tower_units": (3,), **options})
    made.build(Encoded((None, 5)))
    return made


def margins(*groups, count=400):
    """(example, task) margins of tasks whose hard examples are those of their group."""
    hard = np.random.default_rng(2).random((count, max(groups) + 1)) < 0.5
    return hard[:, list(groups)].astype(float)


def grow(made, evidence):
    """Grows, and sets the variables as the trainer does."""
    growth = made.grown(evidence, np.ones(evidence.shape, bool))
    for variable, rows in growth.rows if growth else ():
        variable.assign(variable.numpy()[rows])
    return growth


def grown_twice():
    made = make()
    assert grow(made, margins(0, 1, 2, 0)).description == {
        "layer": 1,
        "branches": [["click", "follow"], ["click_cart"], ["like"]],
    }
    assert grow(made, margins(0, 1, 0, 0)).description == {
        "layer": 0,
        "branches": [["click", "like", "follow"], ["click_cart"]],
    }
    return made


def test_growth_keeps_the_function_and_separates_the_tasks():
    made = make()
    before = made(X)
    grow(made, margins(0, 1, 0, 1))
    assert made.branches == ((0, 0, 0, 0), (0, 1, 0, 1))
    grow(made, margins(0, 1, 0, 1))
    assert made.branches == ((0, 1, 0, 1), (0, 1, 0, 1))
    for task, logits in made(X).items():
        np.testing.assert_allclose(logits, before[task], rtol=1e-6, atol=1e-6)
    # Another kernel of branch 1 moves the tasks of branch 1 alone.
    kernel = made.levels[0].kernel.numpy()
    kernel[1] += 1
    made.levels[0].kernel.assign(kernel)
    moved = {task for task, logits in made(X).items() if not np.allclose(logits, before[task], rtol=1e-3)}
    assert moved == {"click_cart", "follow"}


def test_the_formula_in_loops():
    made = grown_twice()
    for variable in made.trainable_variables:
        variable.assign(np.random.default_rng(4).normal(size=variable.shape))
    assert made.branches == ((0, 1, 0, 0), (0, 1, 2, 0))
    outputs = made(X)
    for task, low, high in zip(range(4), (0, 1, 0, 0), (0, 1, 2, 0), strict=True):
        x = X.x
        for level, branch in zip(made.levels, (low, high), strict=True):
            x = np.maximum(x @ level.kernel.numpy()[branch] + level.bias.numpy()[branch], 0)
        np.testing.assert_allclose(outputs[TASKS[task]], made.towers[task](x), rtol=1e-4, atol=1e-5)


def test_branches_of_a_layer_are_unions_of_those_above():
    made = make()
    grow(made, margins(0, 0, 1, 2))
    assert made.branches[1] == (0, 0, 1, 2)
    grow(made, margins(0, 1, 0, 2))  # click and click_cart differ now, but have a branch in common above
    assert made.branches[0][0] == made.branches[0][1]


def test_the_top_layer_is_asked_again_until_it_splits():
    made = make()
    assert grow(made, margins(0, 0, 0, 0)) is None
    assert made.branches == ((0,) * 4,) * 2
    assert made.grows_after(2, False)
    grow(made, margins(0, 0, 0, 1))
    assert made.branches == ((0,) * 4, (0, 0, 0, 1))
    assert grow(made, margins(0, 0, 0, 0)) is None
    grow(made, margins(0, 0, 0, 1))
    assert made.branches == ((0, 0, 0, 1),) * 2
    assert not made.grows_after(4, True), "nothing is left to split"


def test_when_it_grows():
    made = make(first_growth=3, rounds_between=2)
    assert [rounds for rounds in range(1, 9) if made.grows_after(rounds, False)] == [3, 5, 7]
    assert made.grows_after(1, True), "before early stopping ends the training"
    assert not make(("click",)).grows_after(3, True)
    assert not make(max_branches=1).grows_after(3, True)


def test_max_branches():
    made = make(max_branches=2, separation=1e3)
    assert made.levels[1].kernel.shape == (2, 6, 4)
    grow(made, margins(0, 1, 2, 3))
    assert max(made.branches[1]) == 1
    assert make(("click", "like")).levels[0].experts == 2


def test_branches_are_in_the_variables_and_in_the_config():
    made = grown_twice()
    by_variables, by_config = make(), FullyAdaptive.from_config(made.get_config())
    by_variables.branch.assign(made.branch.numpy())
    by_variables.restored()
    by_config.build(Encoded((None, 5)))
    assert by_variables.branches == by_config.branches == made.branches
    np.testing.assert_array_equal(by_config.branch.numpy(), made.branches)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_unused_branches_have_no_gradient(dtype):
    import tensorflow as tf

    made = make(dtype=dtype, dropout=0.5)
    grow(made, margins(0, 1, 0, 1))
    with tf.GradientTape() as tape:
        total = tf.add_n([tf.reduce_sum(logits) for logits in made(X, training=True).values()])
    low, high = tape.gradient(total, [level.kernel for level in made.levels])
    assert np.any(low[0]) and not np.any(low[1:])
    assert np.any(high[0]) and np.any(high[1]) and not np.any(high[2:])


def test_the_users_part_is_computed_once_after_a_growth():
    check_split(grown_twice(), 7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": ()}, "expected at least one layer"),
        ({"units": (4, 0)}, "expected layer sizes of 1 or more"),
        ({"activation": "rely"}, "unknown activation 'rely'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        make(**options)
