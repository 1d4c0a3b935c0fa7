"""What a run leaves for TensorBoard: the curves of its training, its hyper-parameters and its metrics on the eval split.

ROOT/RECIPE/tensorboard/RUN/               hyper-parameters (HParams plugin) and metrics
ROOT/RECIPE/tensorboard/RUN/train          curves of the training, copied from the Trainer's output
ROOT/RECIPE/tensorboard/RUN/validation
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.recipe.errors import InputError
from models.recipe.registry import check_options, defaults, path_of
from models.recipe.tasks import COUNTS
from models.regularizers import REGULARIZERS

METHODS = {
    "architecture": (ARCHITECTURES, "options"),
    "backbone": (BACKBONES, "backbone_options"),
    "balancer": (BALANCERS, "balancer_options"),
}
"""Key of `model` -> (table of methods, key of their options)."""
OF_TASKS = ("loss", "objective", "weight", "negative_rate")
"""Keys of a task that are hyper-parameters."""
NOT_OF_THE_MODEL = ("importance", "affinity_every", "checkpoint_minutes", "steps_per_execution", "jit_compile")
"""Keys of `training` that leave the model as it is."""
CURVES = ("train", "validation")
SCALAR = 1
"""DATA_CLASS_SCALAR of TensorFlow's `summary.proto`."""

Value = bool | float | str


def write_tensorboard(record: Mapping[str, Any], folder: Path) -> Path:
    """Writes the folder of a run that has ended, whole or not at all, and returns it.

    Args:
        record: the run's record (`pipeline.run_record`), with its results.
        folder: ROOT/RECIPE/tensorboard.

    Raises:
        InputError: the folder cannot be written.
    """
    target = folder / record["id"].replace(":", "-")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tensorboard-") as temporary:
            made = Path(temporary) / "run"
            made.mkdir()
            _write_events(record, made)
            if record["training"] is not None:
                _copy_curves(Path(record["training"]), made)
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written ({error.strerror}). Make the folder writable, or free disk space."
        ) from None
    return target


def hyper_parameters(resolved: Mapping[str, Any]) -> dict[str, Value]:
    """The hyper-parameters of a resolved recipe, with the default options of its methods: {"architecture.experts": 4 ...}.

    Numbers are floats, lists and mappings are JSON. A key without a value (None) is left out.

    Args:
        resolved: `resolved` of a run's record.
    """
    return {name: value for name, given in _given(resolved) if (value := _value(given)) is not None}


def scalars(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """{"<task>/<metric>": value} of the measured metrics, without the counts.

    Args:
        metrics: {task: {metric: value or None}}.
    """
    return {
        f"{task}/{name}": float(value)
        for task, of_task in metrics.items()
        for name, value in of_task.items()
        if name not in COUNTS and isinstance(value, int | float) and math.isfinite(value)
    }


def _given(resolved: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    model = resolved["model"]
    for key, (table, options) in METHODS.items():
        yield key, model[key]
        yield from _options(key, model[options].get(model[key], {}), path_of(model[key], table, key))
    for name, given in model["regularizers"].items():
        yield from _options(name, given, path_of(name, REGULARIZERS, "regularizer"))
    for key, value in resolved["training"].items():
        if key not in NOT_OF_THE_MODEL:
            yield f"training.{key}", value
    for task, about in resolved["tasks"].items():
        for key in OF_TASKS:
            yield f"{task}.{key}", about[key]


def _options(prefix: str, given: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The options of the class at a dotted path, in the types of the class: YAML reads 1e-6 as text."""
    for option, value in (defaults(path) | check_options(given, path, prefix)).items():
        yield f"{prefix}.{option}", value


def _value(given: Any) -> Value | None:
    if given is None or isinstance(given, bool | str):
        return given
    return float(given) if isinstance(given, int | float) else json.dumps(given)


def _write_events(record: Mapping[str, Any], folder: Path) -> None:
    import tensorflow as tf

    from pipeline import hparams

    begin, now = datetime.datetime.fromisoformat(record["started"]).timestamp(), time.time()
    found = hyper_parameters(record["resolved"])
    alike = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
    summaries = [
        _summary(hparams.START, [0.0], hparams.PLUGIN, hparams.session_start(found, alike, begin)),
        *(_summary(tag, number, "scalars", data_class=SCALAR) for tag, number in scalars(record["metrics"]).items()),
        _summary(hparams.END, [0.0], hparams.PLUGIN, hparams.session_end(now)),
    ]
    with tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{int(begin)}.gatewise.v2")) as file:
        file.write(tf.compat.v1.Event(wall_time=begin, file_version="brain.Event:2").SerializeToString())
        for summary in summaries:
            file.write(tf.compat.v1.Event(wall_time=now, summary=summary).SerializeToString())


def _summary(tag: str, numbers: Any, plugin: str, content: bytes = b"", data_class: int = 0) -> Any:
    """A summary for a plugin of TensorBoard, which takes the class of its data from the plugin if it is 0."""
    import tensorflow as tf

    summary = tf.compat.v1.Summary()
    value = summary.value.add(tag=tag)
    value.tensor.CopyFrom(tf.make_tensor_proto(numbers, tf.float32))
    value.metadata.plugin_data.plugin_name = plugin
    value.metadata.plugin_data.content = content
    value.metadata.data_class = data_class
    return summary


def _copy_curves(training: Path, folder: Path) -> None:
    """Copies the event files, not their modes: the outputs of a stage are read-only."""
    for name in CURVES:
        for file in sorted((training / name).glob("*tfevents*")):
            (folder / name).mkdir(exist_ok=True)
            shutil.copyfile(file, folder / name / file.name)
