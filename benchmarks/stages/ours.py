"""Our stages, each by its executor: python -m benchmarks.stages.ours QUESTION.

The question: `stages`, rows of STAGES, one after the other in one process; `untimed`, those of them whose seconds do not
count; `recipe`, `overrides` and `data`, as `load_recipe` takes them; `inputs`, the folder with what earlier stages have
written, or nothing where all is made here; `out`, where they write. In both a folder for each artifact, by its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from benchmarks.stages.artifacts import artifact, do, start_beam
from benchmarks.stages.door import answer, clock
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from pipeline.beam_flags import beam_flags
from pipeline.spare_memory import few_arenas, give_back, imports_aside

Done = dict[str, Any]
CODE = {"code": "1"}


def event_logs(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """Logs -> attributed examples. Rows: impressions, or labelled examples."""
    from components.event_logs.executor import Executor
    from components.event_logs.fingerprint import fingerprint
    from components.event_logs.plan import EventLogsPlan

    plan = EventLogsPlan.from_recipe(recipe).model_dump_json()
    properties = {"plan": plan, "fingerprint": fingerprint(recipe), **CODE}
    examples = artifact(standard_artifacts.Examples, out / "examples")
    with clock() as seconds:
        do(Executor, {}, {"examples": examples}, properties, out / "tmp", flags(recipe))
    summary = json.loads((out / "examples" / "summary.json").read_text(encoding="utf-8"))
    return {"seconds": seconds[0], "rows": rows_of(out / "examples"), "tasks": summary["tasks"]}


def statistics(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """Examples -> statistics of all splits."""
    from components.statistics.executor import Executor
    from components.statistics.plan import StatisticsPlan

    plan = StatisticsPlan.from_recipe(recipe).model_dump_json()
    made = {"statistics": artifact(standard_artifacts.ExampleStatistics, out / "statistics")}
    with clock() as seconds:
        do(Executor, {"examples": examples_in(inputs)}, made, {"plan": plan, **CODE}, out / "tmp", flags(recipe))
    return {"seconds": seconds[0], "rows": rows_of(inputs / "examples")}


def schema(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """Statistics -> the schema that is inferred from them, by the stock component, as in our pipeline."""
    from tfx.components.schema_gen.executor import Executor

    given = {"statistics": artifact(standard_artifacts.ExampleStatistics, inputs / "statistics")}
    made = {"schema": artifact(standard_artifacts.Schema, out / "schema", splits=None)}
    with clock() as seconds:
        do(Executor, given, made, {"exclude_splits": "[]", "infer_feature_shape": 0}, out / "tmp")
    return {"seconds": seconds[0], "rows": rows_of(inputs / "examples")}


def validation(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """The statistics against the schema."""
    from components.validation.executor import Executor
    from components.validation.plan import ValidationPlan

    given = {
        "statistics": artifact(standard_artifacts.ExampleStatistics, inputs / "statistics"),
        "schema": artifact(standard_artifacts.Schema, inputs / "schema", splits=None),
    }
    made = {"anomalies": artifact(standard_artifacts.ExampleAnomalies, out / "anomalies")}
    plan = ValidationPlan.from_recipe(recipe).model_dump_json()
    with clock() as seconds:
        do(Executor, given, made, {"plan": plan, **CODE}, out / "tmp")
    return {"seconds": seconds[0], "rows": rows_of(inputs / "examples")}


def features(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """Examples -> transform graph and transformed examples: analysis, transformation and writing together."""
    from components.features.executor import Executor
    from components.features.plan import FeaturesPlan

    plan = FeaturesPlan.from_recipe(recipe).model_dump_json()
    made = {
        "transform_graph": artifact(standard_artifacts.TransformGraph, out / "transform_graph", splits=None),
        "transformed_examples": artifact(standard_artifacts.Examples, out / "transformed_examples"),
    }
    with clock() as seconds:
        do(Executor, {"examples": examples_in(inputs)}, made, {"plan": plan, **CODE}, out / "tmp", flags(recipe))
    return {"seconds": seconds[0], "rows": rows_of(inputs / "examples")}


def trainer(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """Transformed examples -> a model, from the first file of each split alone: the stages after need some model."""
    train, validate = (str(files(inputs, "transformed_examples", split)[0]) for split in ("train", "validate"))
    return _train(recipe, inputs, out, train, validate)


def training(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """Transformed examples -> a model, from all of them. `tables`: rows of each."""
    from models.features.layout import FeatureLayout

    train, validate = (str(inputs / "transformed_examples" / f"Split-{split}" / "*") for split in ("train", "validate"))
    done = _train(recipe, inputs, out, train, validate)
    tables = FeatureLayout.load(inputs / "transform_graph").tables
    return {**done, "tables": {name: rows for name, (rows, _) in tables.items()}}


def _train(recipe: Recipe, inputs: Path, out: Path, train: str, validate: str) -> Done:
    from models.training.plan import TrainerPlan
    from models.training.trainer import run_fn

    run = out / "model_run" / "1"
    run.mkdir(parents=True)
    with clock() as seconds:
        run_fn(
            SimpleNamespace(
                train_files=[train],
                eval_files=[validate],
                transform_graph_path=str(inputs / "transform_graph"),
                serving_model_dir=str(out / "model" / "Format-Serving"),
                model_run_dir=str(run),
                base_model=None,
                custom_config={"plan": TrainerPlan.from_recipe(recipe).model_dump_json()},
            )
        )
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))
    return {"seconds": seconds[0], "rows": history["rows"]}


def evaluation(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """The eval split, raw and transformed, and a model -> metrics and gates; predictions included."""
    from components.evaluation.executor import Executor
    from components.evaluation.plan import EvaluationPlan

    plan = EvaluationPlan.from_recipe(recipe).model_dump_json()
    given = {
        "examples": examples_in(inputs),
        "transformed_examples": artifact(standard_artifacts.Examples, inputs / "transformed_examples"),
        "model": artifact(standard_artifacts.Model, inputs / "model", splits=None),
    }
    made = {
        "evaluation": artifact(standard_artifacts.ModelEvaluation, out / "evaluation", splits=None, id=2),
        "blessing": artifact(standard_artifacts.ModelBlessing, out / "blessing", splits=None, id=3),
    }
    with clock() as seconds:
        do(Executor, given, made, {"plan": plan, "fingerprint": "", **CODE}, out / "tmp")
    found = json.loads((out / "evaluation" / "metrics.json").read_text(encoding="utf-8"))
    rows = sum(pq.read_metadata(path).num_rows for path in files(inputs, "examples", "eval"))
    return {"seconds": seconds[0], "rows": rows, "metrics": found["tasks"], "slices": len(found["slices"])}


def feed(recipe: Recipe, inputs: Path, out: Path) -> Done:
    """One epoch of shuffled batches of the train split, each taken as the trainer takes it.

    Reading it is apart; so are the first batch of the process, for which TensorFlow starts up, and the data set's graph.
    """
    from models.features.input_pipeline import dataset, read_split
    from models.training.rounds import default_batch_size

    with clock() as opening:
        columns = read_split(str(inputs / "transformed_examples" / "Split-train" / "*"))
    rows = len(columns.example_id)
    size = min(recipe.training.batch_size or default_batch_size(rows), rows)
    steps = -(-rows // size)

    def epoch(number: int) -> Any:
        return dataset(columns, size, recipe.training.seed, number).take(steps)

    next(iter(epoch(0)))
    batches = epoch(1)
    with clock() as seconds:
        taken = sum(int(labels.shape[0]) for _, labels, _ in batches)
    if taken != steps * size:
        raise RuntimeError(f"expected {steps * size} rows of {steps} batches, received {taken}")
    return {"seconds": seconds[0], "rows": rows, "read_seconds": opening[0], "batch_size": size}


STAGES: dict[str, Callable[[Recipe, Path, Path], Done]] = {
    "event_logs": event_logs,
    "statistics": statistics,
    "schema": schema,
    "validation": validation,
    "features": features,
    "trainer": trainer,
    "training": training,
    "evaluation": evaluation,
    "feed": feed,
}


def flags(recipe: Recipe) -> list[str]:
    """Beam's flags, as the recipe has them."""
    return beam_flags(recipe.beam, "gatewise")


def examples_in(inputs: Path) -> Any:
    """The raw examples, as the artifact that the first stage writes."""
    examples = artifact(standard_artifacts.Examples, inputs / "examples")
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_PARQUET)
    return examples


def files(folder: Path, name: str, split: str) -> list[Path]:
    """The files of a split of an artifact."""
    return sorted((folder / name / f"Split-{split}").glob("*"))


def rows_of(examples: Path) -> int:
    """The rows of all splits of raw examples."""
    return sum(pq.read_metadata(path).num_rows for path in examples.glob("Split-*/*.parquet"))


def run(question: Mapping[str, Any]) -> Done:
    """The stages: seconds of those that count together, and of each; rows, and what else they say, the later ones last."""
    out = Path(question["out"])
    inputs = Path(question.get("inputs") or out)
    recipe = load_recipe(question["recipe"], question.get("overrides", ()), question.get("data"))
    start_beam(flags(recipe))
    done: Done = {}
    seconds: dict[str, float] = {}
    few_arenas()
    with imports_aside():
        for stage in question["stages"]:
            done = {**done, **STAGES[stage](recipe, inputs, out)}
            seconds[stage] = done["seconds"]
            if len(question["stages"]) > 1:
                # As `gatewise run` does it between stages.
                with clock() as giving_back:
                    give_back()
                seconds[stage] += giving_back[0]
    untimed = question.get("untimed", ())
    rows = done["rows"] if len(seconds) == 1 else rows_of(inputs / "examples")
    counted = sum(taken for stage, taken in seconds.items() if stage not in untimed)
    return {**done, "seconds": counted, "stages": seconds, "rows": rows}


if __name__ == "__main__":
    answer(run)
