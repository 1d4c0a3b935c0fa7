"""A small model with the signatures of an exported one, whose answers can be worked out by hand, and a server of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_ranker import write_ranker


@pytest.fixture(scope="session")
def push() -> Callable[..., Path]:
    """push(folder, version, factor): a version whose click is factor * (age or 1) + item / 8 + number of tags."""
    return write_ranker


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, push: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("root")
    (folder / "serving" / "shop").mkdir(parents=True)
    push(folder / "serving" / "shop", 3)
    return folder


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Any]:
    from pipeline.serving.server import Server

    running = Server(root, "127.0.0.1", 0, 0, poll_seconds=3600)
    yield running
    running.stop()


def clicks(ages: list[float], items: list[int], tags: list[int], factor: float = 1.0) -> np.ndarray:
    """The model's formula."""
    return factor * np.array(ages, "f4") + np.array(items, "f4") / 8 + np.array(tags, "f4")
