"""What a run leaves for TensorBoard. The bytes of the HParams plugin are those that TensorBoard 2.21 itself wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from pipeline import hparams
from pipeline.tensorboard_run import hyper_parameters, scalars, write_tensorboard
from tests.doubles.run_records import A, record

ROOT = Path(__file__).resolve().parents[2]


def resolved(*overrides: str) -> dict[str, Any]:
    return load_recipe(ROOT / "recipes" / "shop.yaml", overrides).model_dump(mode="json", by_alias=True)


def training(folder: Path) -> Path:
    """A Trainer's output, with one event file per curve, read-only as a stage leaves it."""
    for name in ("train", "validation"):
        (folder / name).mkdir(parents=True)
        (folder / name / "events.out.tfevents.1.host.2.v2").write_bytes(name.encode())
        (folder / name).chmod(0o555)
    (folder / "history.json").write_text("{}")
    return folder


def events(folder: Path) -> list[Any]:
    import tensorflow as tf

    (file,) = folder.glob("*tfevents*")
    return [
        tf.compat.v1.Event.FromString(one)
        for one in tf.data.TFRecordDataset(str(file), num_parallel_reads=None).as_numpy_iterator()
    ]


def test_the_plugin_reads_the_same_bytes_as_its_own() -> None:
    # tensorboard.plugins.hparams.summary_v2.hparams_pb({...}, trial_id="r1", start_time_secs=12.5)
    expected = (
        b"\x1aF\n\x16\n\x0carchitecture\x12\x06\x1a\x04mmoe\n\x14\n\x07experts\x12\t\x11\x00\x00\x00\x00\x00\x00\x10@"
        b'\n\t\n\x03xla\x12\x02 \x01"\x02r1)\x00\x00\x00\x00\x00\x00)@'
    )
    values: dict[str, bool | float | str] = {"xla": True, "architecture": "mmoe", "experts": 4.0}
    assert hparams.session_start(values, "r1", 12.5) == expected
    assert hparams.session_end(0.5) == b'"\x0b\x08\x01\x11\x00\x00\x00\x00\x00\x00\xe0?'


def test_events_have_hyper_parameters_and_metrics(tmp_path: Path) -> None:
    import tensorflow as tf

    metrics = {"click": {"auc": 0.75, "gauc": None, "example_count": 100}, "value": {"rmse": 12.5}}
    given = record(A, resolved=resolved(), metrics=metrics, training=str(training(tmp_path / "model_run")))
    folder = write_tensorboard(given, tmp_path / "shop" / "tensorboard")
    assert folder == tmp_path / "shop" / "tensorboard" / A
    first, *others = events(folder)
    assert first.file_version == "brain.Event:2"
    values = [value for event in others for value in event.summary.value]
    found = {
        value.tag: float(tf.make_ndarray(value.tensor))
        for value in values
        if value.metadata.plugin_data.plugin_name == "scalars"
    }
    assert found == {"click/auc": 0.75, "value/rmse": 12.5}
    start, end = (hparams.read(value.metadata.plugin_data.content) for value in (values[0], values[-1]))
    assert (values[0].tag, values[-1].tag) == ("_hparams_/session_start_info", "_hparams_/session_end_info")
    read = start.session_start_info.hparams
    assert read["architecture"].string_value == "mmoe" and read["architecture.experts"].number_value == 8
    assert read["training.average_weights"].bool_value is True
    assert set(read) == set(hyper_parameters(given["resolved"]))
    assert end.session_end_info.status == 1
    assert end.session_end_info.end_time_secs >= start.session_start_info.start_time_secs > 0


def test_curves_are_copied_and_can_be_removed(tmp_path: Path) -> None:
    given = record(A, resolved=resolved(), training=str(training(tmp_path / "model_run")))
    for _ in range(2):  # the second call replaces the folder
        folder = write_tensorboard(given, tmp_path / "shop" / "tensorboard")
    assert sorted(str(file.relative_to(folder)) for file in folder.glob("*/*")) == [
        "train/events.out.tfevents.1.host.2.v2",
        "validation/events.out.tfevents.1.host.2.v2",
    ]
    assert (folder / "train" / "events.out.tfevents.1.host.2.v2").read_bytes() == b"train"
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["tensorboard"], "no temporary folder is left"


def test_a_run_without_a_training_has_no_curves(tmp_path: Path) -> None:
    folder = write_tensorboard(record(A, resolved=resolved(), training=None), tmp_path / "tensorboard")
    assert len(list(folder.iterdir())) == 1


def test_hyper_parameters_are_those_of_the_selected_methods_with_defaults() -> None:
    found = hyper_parameters(
        resolved(
            *("model.architecture=ple", "model.options.ple.task_experts=3", "training.embedding_learning_rate=0.01"),
            *("model.balancer=gradnorm", "model.regularizers={l2: {strength: 1e-6}}", "training.importance=true"),
        )
    )
    assert found["architecture"] == "ple" and found["architecture.task_experts"] == 3.0
    assert found["architecture.gate"] == "softmax" and str(found["architecture.units"]).startswith("[")
    assert found["balancer"] == "gradnorm" and any(name.startswith("balancer.") for name in found)
    assert found["l2.strength"] == 1e-6, "YAML reads it as text"
    assert found["training.embedding_learning_rate"] == 0.01 and found["training.seed"] == 1.0
    assert found["cart.weight"] == 0.1 and found["order_value.loss"] == "squared_log_error"
    left_out = {"training.importance", "training.checkpoint_minutes", "training.batch_size", "architecture.experts"}
    assert not left_out & set(found)


def test_only_measured_metrics_are_scalars() -> None:
    metrics = {"click": {"auc": None, "log_loss": 0.5, "calibration": float("nan"), "positive_count": 3}}
    assert scalars(metrics) == {"click/log_loss": 0.5}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("a file")
    with pytest.raises(InputError, match=r"tensorboard.*cannot be written"):
        write_tensorboard(record(A, resolved=resolved(), training=None), tmp_path / "shop" / "tensorboard")
