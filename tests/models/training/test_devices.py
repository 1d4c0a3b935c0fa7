"""What depends on where a training runs."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from models.recipe.errors import InputError
from models.training.devices import batch_of, compiles, compiles_parts, strategy_on, take_memory_as_needed


def test_bfloat16_is_not_compiled_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    devices: list[str] = []
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
    assert compiles(True, "float32") and not compiles(True, "mixed_bfloat16") and not compiles(False, "float32")
    devices.append("GPU:0")
    assert compiles(True, "mixed_bfloat16") and not compiles(False, "mixed_bfloat16")


def test_memory_growth_is_set_for_each_gpu_unless_it_is_in_use(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    free, used, grown = SimpleNamespace(name="GPU:0"), SimpleNamespace(name="GPU:1"), []

    def grow(device: SimpleNamespace, enable: bool) -> None:
        if device is used:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        grown.append(device)

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [free, used])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grow)
    take_memory_as_needed()
    assert grown == [free]
    assert "GPU:1 is already in use" in caplog.text


def test_nothing_happens_without_a_gpu() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from models.training.devices import take_memory_as_needed as take; take(); take()"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_one_device_needs_no_strategy() -> None:
    assert strategy_on() is tf.distribute.get_strategy()
    assert strategy_on(["CPU:0"]) is tf.distribute.get_strategy()


def test_what_is_compiled_where() -> None:
    """A step on the CPU as a whole in float32, in parts in bfloat16, and nothing where replicas meet within it."""
    for precision, replicas, whole, parts in (
        ("float32", 1, True, False),
        ("mixed_bfloat16", 1, False, True),
        ("float32", 2, False, False),
        ("mixed_bfloat16", 2, False, False),
    ):
        assert compiles(True, precision, replicas) == whole
        assert compiles_parts(True, precision, replicas) == parts
        assert not compiles(False, precision, replicas) and not compiles_parts(False, precision, replicas)


def test_the_batch_is_the_recipes_or_the_whole_split() -> None:
    assert batch_of(4096, 10_000, 1) == 4096
    assert batch_of(4096, 301, 1) == 301
    assert batch_of(4096, 301, 4) == 304, "filled up to equal parts"


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    with pytest.raises(InputError, match=r"batch_size: expected a multiple of 3.*received 4096.*for example 4095"):
        batch_of(4096, 10_000, 3)
