import keras
import numpy as np
import pytest

from models.architectures.encoded import Encoded
from models.architectures.task_conditioned import TaskConditioned
from models.architectures.task_info import TaskInfo
from models.recipe.errors import InputError
from models.serving.user_once import check_split

MODES = ("concatenate", "add", "multiply", "film", "heads")
BY_HAND = {
    # x = (1, 2): a = 1 * 1 + 2 * -1 = -1 and 2 * 1 + 1 = 3; z = (2, -1) of task a and (0, 1) of task b.
    # z V with V = ((1, 0), (0, 2)): (2, -2) and (0, 2); z S with S = ((0, 1), (1, 0)): (-1, 2) and (1, 0)
    "concatenate": (1.0 + 1.0, 0.0 + 5.0),  # relu(1, 1), relu(-1, 5)
    "add": (2.0 + 1.0, 0.0 + 5.0),  # (0, 3) + z V
    "multiply": (0.0 + 9.0, 0.0 + 3.0),  # (0, 3) * (0, 3), (0, 3) * (2, 1)
    "film": (2.0 + 7.0, 0.0 + 5.0),  # relu((-1, 3) * (0, 3) + (2, -2)), relu((-1, 3) * (2, 1) + (0, 2))
    "heads": (2 * 3.0 - 6.5, 6.5),  # heads (0, 3) . (1, 1) and (0, 3) . (1, 2) + 0.5
}


def made(descriptors, mode, **options) -> TaskConditioned:
    keras.utils.set_random_seed(3)
    tasks = tuple(TaskInfo(name=name, descriptor=z) for name, z in zip("abc", descriptors, strict=False))
    return TaskConditioned(tasks, mode=mode, **{"units": (2,), "own_heads": False, **options})


@pytest.mark.parametrize("mode", MODES)
def test_by_hand(mode):
    model = made([(2.0, -1.0), (0.0, 1.0)], mode)
    inputs = Encoded(np.array([[1.0, 2.0]], "f4"))
    model(inputs)
    model.layers[0].set_weights([np.array([[1.0, 0.0], [-1.0, 1.0]]), np.array([0.0, 1.0])])
    for variables, values in ((model.shifts, [[1.0, 0.0], [0.0, 2.0]]), (model.scales, [[0.0, 1.0], [1.0, 0.0]])):
        for variable in variables:
            variable.assign(values)
    [head] = model.heads.values()
    weights = ([[1.0, 1.0], [1.0, 2.0]], [0.0, 0.5]) if mode == "heads" else ([[1.0], [1.0]], [0.0])
    head.set_weights([np.array(one) for one in weights])
    logits = model(inputs)
    np.testing.assert_allclose([logits["a"][0], logits["b"][0]], BY_HAND[mode], rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_the_descriptor_alone_tells_the_tasks_apart(mode):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    logits = made([(0.2, 1.0), (0.9, 1.0), (0.2, 1.0)], mode, units=(8, 4))(Encoded(x))
    np.testing.assert_array_equal(logits["a"], logits["c"])
    assert np.all(logits["a"] != logits["b"])
    check_split(made([(0.2, 1.0), (0.9, 1.0)], mode, units=(8, 4)), 5)


def test_what_is_computed_once_for_all_tasks():
    """The products of x have no task axis; without a descriptor in the layers, no product has."""
    seen = {}
    for mode in MODES:
        model = made([(), ()], mode, units=(8, 4), own_heads=True)
        model.build(Encoded((None, 3)))
        outputs = [layer.call for layer in model.layers]
        for level, layer in enumerate(model.layers):
            layer.call = lambda x, level=level: seen.setdefault((mode, level), (x.shape, outputs[level](x)))[1]  # noqa: B023
        model.call(Encoded(np.ones((5, 3), "f4")))
    assert {seen[mode, 0][0] for mode in MODES} == {(5, 3)}
    assert {mode: seen[mode, 1][0] for mode in MODES} == {mode: (5, 2, 8) for mode in MODES} | {"heads": (5, 8)}


def test_tasks_with_as_many_logits_share_a_head():
    tasks = (TaskInfo(name="a"), TaskInfo(name="b", kind="regression", outputs=3), TaskInfo(name="c"))
    model = TaskConditioned(tasks, own_heads=False, units=(4,))
    logits = model(Encoded(np.ones((5, 3), "f4")))
    assert [logits[name].shape for name in "abc"] == [(5,), (5, 3), (5,)]
    assert len(model.heads) == 2
    assert len(TaskConditioned(tasks, units=(4,)).heads) == 3


def test_refuses_descriptors_of_several_lengths():
    with pytest.raises(
        InputError, match=r"descriptors of one length, received \{'a': \[1.0\], 'b': \[\]\}. Give every"
    ):
        made([(1.0,), ()], "film")
