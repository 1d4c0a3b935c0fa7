"""What depends on where a training runs."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from models.devices import compiles, take_memory_as_needed


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
    assert "GPU:1 is in use already" in caplog.text


def test_nothing_happens_without_a_gpu() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from models.devices import take_memory_as_needed as take; take(); take()"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
