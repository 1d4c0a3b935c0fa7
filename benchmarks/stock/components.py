"""The stock components, each by its executor: python -m benchmarks.stock.components QUESTION.

The question: `stages`, rows of STAGES, one after the other in one process; `timed`, those whose seconds are the answer's;
`labelled`, the folder of a CSV file and its recipe (`benchmarks.stages.labelled`), or `recipe`; `model`, the folder of a Model artifact;
`inputs`, the folder with what earlier stages have written, or nothing where all is made here; `labels` and `weights`, the
columns' names with {} for the task, those of the CSV file if they are not given; `out`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx.components.evaluator import executor as evaluator_executor
from tfx.components.example_gen import utils
from tfx.components.example_gen.csv_example_gen import executor as csv_executor
from tfx.components.example_validator import executor as validator_executor
from tfx.components.schema_gen import executor as schema_executor
from tfx.components.statistics_gen import executor as statistics_executor
from tfx.components.transform import executor as transform_executor
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from benchmarks.stages.artifacts import artifact, do, start_beam
from benchmarks.stages.door import answer, clock
from benchmarks.stages.labelled import LABELS, WEIGHTS
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe

METRICS = {
    "binary": ("AUC", "BinaryCrossEntropy", "AUCPrecisionRecall", "Calibration", "ExampleCount"),
    "regression": ("MeanSquaredError", "MeanAbsoluteError", "Calibration", "ExampleCount"),
}


class Place:
    """Where a run of stages reads and writes."""

    def __init__(self, question: Mapping[str, Any]) -> None:
        self.labelled, self.out = Path(question.get("labelled", "")), Path(question["out"])
        self.inputs = Path(question.get("inputs") or self.out)
        self.model = question.get("model")
        self.recipe: Recipe = load_recipe(question.get("recipe") or self.labelled / "labelled.yaml")
        self.labels, self.weights = question.get("labels", LABELS), question.get("weights", WEIGHTS)

    def made(self, name: str) -> Path:
        """The folder of an artifact that an earlier stage has written, in this run or before."""
        return self.out / name if (self.out / name).is_dir() else self.inputs / name


SPLITS = '["train", "eval"]'
"""The stock Trainer's two splits; the rows are the same as in our three."""


def csv_example_gen(place: Place) -> None:
    """CSV -> TFRecord of tf.Example; four in five rows, by hash, train."""
    splits = [
        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=share) for name, share in (("train", 4), ("eval", 1))
    ]
    output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))
    properties = {
        "input_base": str(place.labelled / "csv"),
        "input_config": proto_utils.proto_to_json(utils.make_default_input_config()),
        "output_config": proto_utils.proto_to_json(output),
        "output_data_format": example_gen_pb2.FORMAT_TF_EXAMPLE,
        "output_file_format": example_gen_pb2.FORMAT_TFRECORDS_GZIP,
    }
    made = {"examples": artifact(standard_artifacts.Examples, place.out / "tfrecords", splits=SPLITS)}
    do(csv_executor.Executor, {}, made, properties, place.out / "tmp")


def statistics_gen(place: Place) -> None:
    """TFDV over the TFRecords."""
    made = {"statistics": artifact(standard_artifacts.ExampleStatistics, place.out / "statistics", splits=SPLITS)}
    do(statistics_executor.Executor, {"examples": _examples(place)}, made, {"exclude_splits": "[]"}, place.out / "tmp")


def schema_gen(place: Place) -> None:
    """The schema that is inferred from the statistics; shapes are left open, as in our pipeline."""
    made = {"schema": artifact(standard_artifacts.Schema, place.out / "schema")}
    properties = {"exclude_splits": "[]", "infer_feature_shape": 0}
    do(schema_executor.Executor, {"statistics": _statistics(place)}, made, properties, place.out / "tmp")


def example_validator(place: Place) -> None:
    """The statistics against the schema."""
    given = {"statistics": _statistics(place), "schema": _schema(place)}
    made = {"anomalies": artifact(standard_artifacts.ExampleAnomalies, place.out / "anomalies")}
    do(validator_executor.Executor, given, made, {"exclude_splits": "[]"}, place.out / "tmp")


def transform(place: Place) -> None:
    """TensorFlow Transform's analysis and the transformed TFRecords; without statistics of its own."""
    features = {name: json.loads(feature.model_dump_json()) for name, feature in place.recipe.features.items()}
    kept = [name.format(task) for task in place.recipe.tasks for name in (LABELS, WEIGHTS)]
    made = {
        "transform_graph": artifact(standard_artifacts.TransformGraph, place.out / "transform_graph"),
        "transformed_examples": artifact(standard_artifacts.Examples, place.out / "transformed_examples"),
    }
    properties = {
        "preprocessing_fn": "benchmarks.stock.preprocessing.preprocessing_fn",
        "custom_config": json.dumps({"features": features, "kept": kept}),
        "disable_statistics": 1,
        "force_tf_compat_v1": 0,
    }
    given = {"examples": _examples(place), "schema": _schema(place)}
    do(transform_executor.Executor, given, made, properties, place.out / "tmp")


def evaluator(place: Place) -> None:
    """TFMA over the eval split: every task, overall and by slice."""
    given = {"examples": _examples(place), "model": artifact(standard_artifacts.Model, place.model or "")}
    made = {
        "evaluation": artifact(standard_artifacts.ModelEvaluation, place.out / "evaluation", id=2),
        "blessing": artifact(standard_artifacts.ModelBlessing, place.out / "blessing", id=3),
    }
    config = json_format.MessageToJson(eval_config(place))
    properties = {"eval_config": config, "example_splits": "null", "fairness_indicator_thresholds": "null"}
    do(evaluator_executor.Executor, given, made, properties, place.out / "tmp")


STAGES: dict[str, Callable[[Place], None]] = {
    "csv_example_gen": csv_example_gen,
    "statistics_gen": statistics_gen,
    "schema_gen": schema_gen,
    "example_validator": example_validator,
    "transform": transform,
    "evaluator": evaluator,
}


def eval_config(place: Place) -> Any:
    """The tasks as outputs of our exported model, TFMA's own metrics, and the recipe's slices."""
    config = tfma.EvalConfig()
    spec = config.model_specs.add(signature_name="serving_default")
    for name, task in place.recipe.tasks.items():
        spec.label_keys[name], spec.example_weight_keys[name] = place.labels.format(name), place.weights.format(name)
        metrics = config.metrics_specs.add(output_names=[name])
        for metric in METRICS[task.kind]:
            metrics.metrics.add(class_name=metric)
    config.slicing_specs.add()
    for entry in place.recipe.evaluation.slices:
        config.slicing_specs.add(feature_keys=list(entry))
    return config


def _examples(place: Place) -> Any:
    return artifact(standard_artifacts.Examples, place.made("tfrecords"), splits=SPLITS)


def _statistics(place: Place) -> Any:
    return artifact(standard_artifacts.ExampleStatistics, place.made("statistics"), splits=SPLITS)


def _schema(place: Place) -> Any:
    return artifact(standard_artifacts.Schema, place.made("schema"))


def run(question: Mapping[str, Any]) -> dict[str, Any]:
    """The stages: seconds of those that are timed together, and of each; rows of the CSV file, or of its eval split."""
    place = Place(question)
    start_beam()
    seconds: dict[str, float] = {}
    for stage in question["stages"]:
        with clock() as taken:
            STAGES[stage](place)
        seconds[stage] = taken[0]
    found: dict[str, Any] = {"seconds": sum(seconds[stage] for stage in question["timed"]), "stages": seconds}
    found["rows"] = _rows(place, ("eval",) if question["timed"] == ["evaluator"] else ("train", "eval"))
    if "evaluator" in question["stages"]:
        found["metrics"], found["slices"] = _metrics(place)
    return found


def _rows(place: Place, splits: tuple[str, ...]) -> int:
    import tensorflow as tf

    files = [str(path) for split in splits for path in (place.made("tfrecords") / f"Split-{split}").glob("*")]
    return int(tf.data.TFRecordDataset(files, "GZIP").reduce(0, lambda count, _: count + 1))


def _metrics(place: Place) -> tuple[dict[str, Any], int]:
    result = tfma.load_eval_result(str(place.out / "evaluation"))
    overall = {
        name: {
            metric: value.get("doubleValue")
            for metric, value in (result.get_metrics_for_slice((), output_name=name) or {}).items()
        }
        for name in place.recipe.tasks
    }
    return overall, len(result.slicing_metrics)


if __name__ == "__main__":
    answer(run)
