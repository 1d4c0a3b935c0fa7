"""The device that a subject in PyTorch runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def device_of(question: Mapping[str, Any]) -> str:
    """PyTorch's name of the question's `device`, which is cpu or gpu."""
    if question.get("device", "cpu") != "gpu":
        return "cpu"
    if not torch.cuda.is_available():
        raise SystemExit("this PyTorch finds no GPU: install its build with CUDA on a machine with one")
    return "cuda"


def wait(device: str) -> None:
    """Until the device has done what it was given."""
    if device != "cpu":
        torch.cuda.synchronize()
