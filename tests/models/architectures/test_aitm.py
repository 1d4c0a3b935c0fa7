import keras
import numpy as np
import pytest
from tasks import binary

from models.architectures.aitm import AITM
from models.architectures.encoded import Encoded
from models.architectures.task_info import TaskInfo
from models.backbones.none import NoBackbone
from models.recipe.errors import InputError
from models.training.sharing import positions_over


def funnel(**about):
    return (TaskInfo(name="order", after="click", **about), TaskInfo(name="click"))


def linear(kernel, bias):
    return [np.array([[kernel]]), np.array([bias])]


def by_hand(tasks, **options):
    model = AITM(tasks, units=(1,), tower_units=(), **options)
    model.build(Encoded((None, 1)))
    model.networks[0].set_weights(linear(1.0, 0.0))  # order: q = x
    model.networks[1].set_weights(linear(2.0, 0.0))  # click: z = 2 x
    (transfer,) = model.transfers
    transfer.passed_on.set_weights(linear(1.0, 1.0))  # p = 2 x + 1
    transfer.query.set_weights(linear(1.0, 0.0))
    transfer.key.set_weights(linear(0.0, np.log(2.0)))  # a score is log(2) times the input
    transfer.value.set_weights(linear(10.0, 1.0))
    model.towers[0].set_weights(linear(1.0, 0.5))
    model.towers[1].set_weights(linear(-1.0, 0.0))
    return model


def test_by_hand():
    model = by_hand(funnel())
    logits = model(Encoded(np.array([[1.0]])))
    # p = 3, q = 1: scores 3 log 2 and log 2, attention 8/10 and 2/10; values 31 and 11.
    np.testing.assert_allclose(logits["click"], [-2.0], rtol=1e-6)
    np.testing.assert_allclose(logits["order"], [0.8 * 31 + 0.2 * 11 + 0.5], rtol=1e-6)
    assert list(logits) == ["order", "click"] and model.losses == []


def test_the_calibrator_by_hand():
    model = by_hand(funnel(), calibrator=4.0)
    model.towers[0].set_weights(linear(0.0, np.log(3.0)))  # always 3/4
    model.towers[1].set_weights(linear(np.log(3.0) / 2, -np.log(3.0)))  # sigmoid((x - 1) log 3): 1/2 and 9/10
    model(Encoded(np.array([[1.0], [3.0]])), training=True)
    # 3/4 - 1/2 too much for the first example, nothing for the second: the mean is 1/8
    assert float(model.losses[0]) == pytest.approx(4 / 8, rel=1e-5)


@pytest.mark.parametrize("about", [{"conditional": True}, {"kind": "regression"}, {"outputs": 2}])
def test_what_is_not_calibrated(about):
    model = AITM(funnel(**about), units=(2,))
    model(Encoded(np.ones((3, 4), "float32")), training=True)
    assert model.losses == []
    plain = AITM(funnel(), units=(2,), calibrator=0.0)
    plain(Encoded(np.ones((3, 4), "float32")), training=True)
    assert plain.losses == []


def test_branches_read_the_task_before_them():
    """click -> cart -> order, click -> like: each is moved by the networks of those before it, and by no other."""
    tasks = (
        TaskInfo(name="like", after="click"),
        TaskInfo(name="order", after="cart"),
        TaskInfo(name="click"),
        TaskInfo(name="cart", after="click"),
    )
    keras.utils.set_random_seed(3)
    model = AITM(tasks, units=(3,), calibrator=0.0)
    x = Encoded(np.random.default_rng(0).normal(size=(8, 4)).astype("float32"))
    before = {task: np.array(logits) for task, logits in model(x).items()}
    moves = {}
    for place, task in enumerate(model.names):
        kernel = model.networks[place].trainable_variables[0]
        kernel.assign(kernel + 1.0)
        moves[task] = {other for other, logits in model(x).items() if not np.array_equal(logits, before[other])}
        kernel.assign(kernel - 1.0)
        before = {task: np.array(logits) for task, logits in model(x).items()}
    assert moves == {
        "like": {"like"},
        "order": {"order"},
        "click": {"click", "like", "cart", "order"},
        "cart": {"cart", "order"},
    }


def test_without_a_funnel_nothing_is_passed_on():
    assert AITM(binary("a", "b"), units=(3,)).transfers == []


def test_refuses_no_layer():
    with pytest.raises(InputError, match="at least one layer"):
        AITM(funnel(), units=())


def test_what_is_passed_on_is_shared():
    backbone, made = NoBackbone(), AITM(funnel(), units=(4,), calibrator=0.0)
    backbone.build((None, 5))
    made.build(Encoded((None, 5)))
    shared = positions_over("shared", backbone, made, Encoded((None, 5)))
    assert [made.trainable_variables[i].path for i in shared] == [v.path for v in made.networks[1].trainable_variables]
