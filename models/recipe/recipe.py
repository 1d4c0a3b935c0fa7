"""The recipe: the single declaration of a problem. Every stage receives its own part by value.

Sections in the order of the data flow: logs (or examples) -> split -> features -> tasks -> validation -> model -> training
-> search -> evaluation -> retrieval (in `models/recipe/retrieval.py`) -> serving -> beam -> kubeflow (in `models/recipe/kubeflow.py`).
docs/recipe.md and the JSON Schema contain the description of each key. `models/recipe/file.py` reads the file and
reports errors with line numbers. `models/recipe/checks/` has the checks across sections.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from models.recipe.beam import Beam
from models.recipe.distill import BLESSED
from models.recipe.evaluation import SAME, Evaluation, Reference
from models.recipe.features import Feature
from models.recipe.kubeflow import Kubeflow
from models.recipe.logs import LabelledExamples, Logs
from models.recipe.model import ModelOptions, Training
from models.recipe.retrieval import Retrieval
from models.recipe.search import Range
from models.recipe.section import Name, Section
from models.recipe.serving import Serving
from models.recipe.split import Split
from models.recipe.tasks import Task
from models.recipe.validation import Validation


class Recipe(Section):
    """The whole problem, from logs or labelled examples to a pushed model."""

    name: Name = Field(description="Name of the pipeline and of its folder under the root.", examples=["shop"])
    description: str = Field(
        default="", description="What the recipe is for, in one sentence.", examples=["Clicks and orders of the shop."]
    )
    data: str = Field(
        default=".",
        description="Folder of the data files, relative to the recipe, or a URL that begins with `s3://`, `gs://` or "
        "`minio://`. `--data` overrides it.",
        examples=["../data", "s3://shop/logs"],
    )
    logs: Logs | None = Field(
        default=None,
        description="Event logs to build examples from. Set either this or `examples`.",
        examples=[{"impressions": "shown", "streams": {}}],
    )
    examples: LabelledExamples | None = Field(
        default=None,
        description="Labelled examples. Set either this or `logs`.",
        examples=[{"path": "train.parquet", "eval_path": "test.parquet"}],
    )
    split: Split = Field(
        default=Split(),
        description="Which examples train the model, which choose its best epoch, and which evaluate it.",
        examples=[{"eval_fraction": 0.2}],
    )
    features: Mapping[Name, Feature] = Field(
        min_length=1,
        description="The model's inputs, by name.",
        examples=[{"price": {"kind": "numeric", "transform": "log1p"}}],
    )
    tasks: Mapping[Name, Task] = Field(
        min_length=1,
        description="The prediction targets, by name.",
        examples=[{"click": {"kind": "binary", "outcome": "click", "window": "30m"}}],
    )
    validation: Validation = Field(
        default=Validation(),
        description="Checks of the examples before training.",
        examples=[{"drift": {"device": 0.1}}],
    )
    model: ModelOptions = Field(
        default=ModelOptions(),
        description="Architecture, loss balancing and regularizers.",
        examples=[{"architecture": "ple"}],
    )
    training: Training = Field(
        default=Training(), description="Epochs, batch size, optimizers and precision.", examples=[{"epochs": 3}]
    )
    search: Mapping[str, Range] = Field(
        default={},
        description="Where `gatewise tune` and `gatewise compare --trials` look for better options: key, as in `--set`, -> range. "
        "A key that the search covers by itself gets this range instead; a key of another method has no effect.",
        examples=[{"training.learning_rate": {"low": 0.0003, "high": 0.01, "log": True}}],
    )
    evaluation: Evaluation = Field(
        default=Evaluation(),
        description="Slices, groups for GAUC and the known truth.",
        examples=[{"slices": [["device"]]}],
    )
    retrieval: Retrieval | None = Field(
        default=None,
        description="A retrieval model that is trained and pushed with the ranker. By default there is none.",
        examples=[{"user": "user_id", "item": "item_id", "positives": {"click": 1.0}}],
    )
    serving: Serving = Field(default=Serving(), description="Score, probe and push.", examples=[{"model_name": "shop"}])
    beam: Beam = Field(
        default=Beam(), description="Engine and parallelism of the data stages.", examples=[{"partitions": 16}]
    )
    kubeflow: Kubeflow | None = Field(
        default=None,
        description="Where the pipeline runs on Kubeflow. `gatewise compile` and `gatewise schedule` read this section; local "
        "runs ignore it.",
        examples=[{"pipeline_root": "s3://recommender/pipelines"}],
    )

    @property
    def main_tasks(self) -> dict[str, Task]:
        """The tasks that are measured, exported and served: all but the auxiliary ones."""
        return {name: task for name, task in self.tasks.items() if task.role == "main"}

    @property
    def example_weight(self) -> str | None:
        """Column with the weight of an example, if there is one."""
        if self.examples is not None:
            return self.examples.weight
        stream = self.logs.streams.get(self.logs.impressions) if self.logs else None
        return stream.weight if stream else None

    @property
    def asks_for_best(self) -> bool:
        """Whether a gate compares with the best blessed value."""
        return any(gate.max_loss_to_best is not None for task in self.tasks.values() for gate in task.gates or ())

    @property
    def learns_from_blessed(self) -> bool:
        """Whether the model learns from the newest blessed one."""
        return self.training.distill is not None and self.training.distill.teacher == BLESSED

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references to train: those of `evaluation.references` that differ from the model. None with `training.start: warm`."""
        if self.training.start == "warm":
            return ()
        wanted = dict.fromkeys(self.evaluation.references)
        return tuple(name for name in wanted if self.model.architecture not in SAME[name])
