import numpy as np

from models.layers.field_vectors import FieldVectors, runs


def test_runs_of_one_width():
    assert runs((4, 4, 2, 4)) == [(0, 2, 4), (8, 1, 2), (10, 1, 4)]
    assert runs(()) == []


def test_by_hand():
    layer = FieldVectors((2, 1, 1), 2)
    layer.build((None, 5))
    layer.maps["2"].set_weights([np.array([[[1.0, -1.0]], [[2.0, 0.0]]]), np.array([[0.5, 0.0], [0.0, 1.0]])])
    found = layer(np.array([[1.0, 2.0, 3.0, 4.0, 99.0]]))
    np.testing.assert_allclose(found, [[[1.0, 2.0], [3.5, -3.0], [8.0, 1.0]]])
    assert layer.compute_output_shape((None, 5)) == (None, 3, 2)
