import numpy as np
import pytest
import tensorflow as tf
from planted_tasks import error, fit

from models.recipe.errors import InputError
from models.regularizers.clustered import Clustered

KERNELS = tf.constant([[[1.0]], [[3.0]], [[8.0]]])


def test_by_hand():
    # mean 4; clusters (1, 3) with mean 2, and 8. |m|^2 = 16; 2 * 4 + 1 * 16 = 24; 1 + 1 + 0 = 2
    made = Clustered(clusters=(("a", "b"), ("c",)), mean=0.5, between=10.0, within=100.0)
    assert float(made.call([KERNELS], ("a", "b", "c"))) == pytest.approx(0.5 * 16 + 10 * 24 + 100 * 2)
    assert float(made.call([KERNELS, KERNELS], ("a", "b", "c"))) == pytest.approx(2 * (8 + 240 + 200))


def test_a_task_in_no_cluster_is_its_own_and_other_names_do_not_count():
    both, one = Clustered(clusters=(("a", "b"), ("c",))), Clustered(clusters=(("a", "x", "b"),))
    assert float(both.call([KERNELS], ("a", "b", "c"))) == float(one.call([KERNELS], ("a", "b", "c")))
    # Without clusters each task is one: 9 + 1 + 16
    alone = Clustered(between=1.0, within=1.0)
    assert float(alone.call([KERNELS], ("a", "b", "c"))) == pytest.approx(26.0)


def test_two_clusters_are_recovered():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(2, 8))
    planted = np.stack([first, second, first, second, first, second])
    tasks = tuple("abcdef")
    fitted = {
        name: error(fit(regularizer, planted, tasks), planted)
        for name, regularizer in {
            "alone": None,
            "right": Clustered(clusters=(("a", "c", "e"), ("b", "d", "f")), between=0.0, within=5.0),
            "one": Clustered(clusters=(tasks,), between=0.0, within=5.0),
        }.items()
    }
    assert fitted["right"] < 0.7 * fitted["alone"]
    assert fitted["right"] < 0.7 * fitted["one"]


def test_refuses_a_task_in_two_clusters():
    with pytest.raises(InputError, match="each task in at most one cluster, received 'b' in 2"):
        Clustered(clusters=(("a", "b"), ("b", "c")))


def test_refuses_a_negative_strength():
    with pytest.raises(InputError, match="clustered.within: expected a strength of 0 or more, received -1"):
        Clustered(within=-1)


def test_clusters_from_a_file_are_tuples():
    assert Clustered.from_config({"clusters": [["a", "b"], ["c"]]}).clusters == (("a", "b"), ("c",))
