"""torch-rechub's architectures with our weights: python -m benchmarks.peers.rechub_parity QUESTION, in the peers' environment.

The question: `architecture`, its `options`, and `file`, a .npz of `benchmarks.parity.write`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch_rechub.basic.features import DenseFeature
from torch_rechub.models.multi_task import AITM, MMOE, PLE

from benchmarks.stages.door import answer


class Given(nn.Module):
    """In place of the embeddings: the inputs as they are."""

    def forward(self, x: torch.Tensor, features: Any, squeeze_dim: bool) -> torch.Tensor:
        return x


def build(name: str, options: Mapping[str, Any], width: int, tasks: int) -> nn.Module:
    """The model, with inputs of this width."""
    features = [DenseFeature(f"x{place}") for place in range(width)]
    hidden = {"dims": list(options["units"]), "activation": "relu", "dropout": 0.0}
    towers = [{"dims": list(options["tower_units"]), "activation": "relu", "dropout": 0.0} for _ in range(tasks)]
    types = ["classification"] * tasks
    if name == "mmoe":
        model = MMOE(features, types, options["experts"], hidden, towers)
    elif name == "ple":
        counts = (options["levels"], options["task_experts"], options["shared_experts"])
        model = PLE(features, types, *counts, hidden, towers)
    else:
        model = AITM(features, tasks, hidden, towers)
    model.embedding = Given()
    return model.eval()


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """`difference`: the largest between both probabilities. `layers`: number of layers that were copied."""
    arrays = np.load(question["file"])
    x, expected = arrays["x"], arrays["y"]
    model = build(question["architecture"], question["options"], x.shape[1], expected.shape[1])
    modules = list(model.modules())
    linear = [module for module in modules if isinstance(module, nn.Linear)]
    kernels = [name for name in arrays if name.startswith("kernel_")]
    if len(linear) != len(kernels):
        raise ValueError(f"expected {len(linear)} layers, received {len(kernels)}")
    with torch.no_grad():
        for place, layer in enumerate(linear):
            layer.weight.copy_(torch.from_numpy(arrays[f"kernel_{place}"].T.copy()))
            if (layer.bias is not None) != (f"bias_{place}" in arrays):
                raise ValueError(f"layer {place}: only one of both has a bias")
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(arrays[f"bias_{place}"]))
        for module in modules:
            if isinstance(module, nn.BatchNorm1d):  # (x - 0) / sqrt(1 + eps) * weight + 0
                module.weight.fill_(math.sqrt(1.0 + module.eps))
        found = model(torch.from_numpy(x)).numpy()
    return {"difference": float(np.abs(found - expected).max()), "layers": len(linear)}


if __name__ == "__main__":
    answer(run)
