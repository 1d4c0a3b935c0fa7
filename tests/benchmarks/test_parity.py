"""The weights that torch-rechub gets: the layers in the peer's order, from which anyone can compute the prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.parity import LAYERS, OPTIONS, TASKS, WIDTH, built, write


def relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_mmoe_from_the_written_layers(tmp_path: Path) -> None:
    """Four experts of two layers each, three gates, three towers of two layers each."""
    write("mmoe", 3, tmp_path / "mmoe.npz")
    arrays = np.load(tmp_path / "mmoe.npz")
    layers = [(arrays[f"kernel_{i}"], arrays[f"bias_{i}"]) for i in range(17)]
    x = arrays["x"]

    def dense(x: Any, place: int) -> Any:
        return x @ layers[place][0] + layers[place][1]

    experts = np.stack([relu(dense(relu(dense(x, 2 * i)), 2 * i + 1)) for i in range(4)], axis=1)
    for task in range(3):
        mixed = np.einsum("re,red->rd", softmax(dense(x, 8 + task)), experts)
        logit = dense(relu(dense(mixed, 11 + 2 * task)), 12 + 2 * task)[:, 0]
        np.testing.assert_allclose(arrays["y"][:, task], 1 / (1 + np.exp(-logit)), atol=1e-5)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_weight_is_written_once(name: str) -> None:
    architecture = built(name, 1)
    layers = list(LAYERS[name](architecture))
    sizes = sum(kernel.size + (0 if bias is None else bias.size) for kernel, bias in layers)
    without_bias = sum(kernel.shape[1] for kernel, bias in layers if bias is None)
    assert sizes + without_bias == sum(np.asarray(v).size for v in architecture.trainable_variables)
    assert layers[0][0].shape[0] == WIDTH and len(TASKS) == 3
