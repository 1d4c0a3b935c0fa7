"""The device of a PyTorch subject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def device_of(question: Mapping[str, Any]) -> str:
    """PyTorch's name of the question's `device`, which is cpu or gpu."""
    if question.get("device", "cpu") != "gpu":
        return "cpu"
    if not torch.cuda.is_available():
        raise SystemExit("PyTorch finds no GPU: install its CUDA build on a machine with a GPU")
    return "cuda"


def wait(device: str) -> None:
    """Waits until the device has finished its work."""
    if device != "cpu":
        torch.cuda.synchronize()
