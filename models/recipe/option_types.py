"""Types of the methods' options with their ranges: the annotations of options in the `__init__` of a method.

`models.recipe.registry` looks up an annotation here by name, so that a recipe is checked without importing Keras.
The upper limits keep a typo (1e11) from requesting more memory than any machine has.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from models.recipe.section import Number, Real

ExpertCount = Annotated[int, Field(ge=1, le=256), Number]
Levels = Annotated[int, Field(ge=1, le=16), Number]
Size = Annotated[int, Field(ge=1, le=65_536), Number]
Rank = Annotated[int, Field(ge=0, le=4_096), Number]
Layers = Annotated[tuple[Size, ...], Field(min_length=1, max_length=32)]
LayersOrNone = Annotated[tuple[Size, ...], Field(max_length=32)]
Dropout = Annotated[float, Field(ge=0.0, lt=1.0), Number]
Share = Annotated[float, Field(ge=0.0, le=1.0), Number]
Strength = Annotated[float, Field(ge=0.0, le=1e6), Number]
Rate = Annotated[float, Field(gt=0.0, le=1e6), Number]
LearningRate = Annotated[float, Field(gt=0.0, le=1.0), Number]
Asymmetry = Annotated[float, Field(ge=0.0, le=10.0), Number]
Decay = Annotated[float, Field(ge=0.0, lt=1.0), Number]
Temperature = Annotated[float, Field(ge=0.01, le=1e3), Number]
Steps = Annotated[int, Field(ge=1, le=1_000_000_000), Number]
StepsOrZero = Annotated[int, Field(ge=0, le=1_000_000_000), Number]
Smoothness = Annotated[float, Field(ge=0.0, le=1e3), Number]
RoundCount = Annotated[int, Field(ge=1, le=1_000_000), Number]

Focus = Annotated[float, Field(ge=0.0, le=10.0), Number]
Smoothing = Annotated[float, Field(ge=0.0, lt=1.0), Number]
InnerShare = Annotated[float, Field(gt=0.0, lt=1.0), Number]
TweediePower = Annotated[float, Field(ge=1.01, le=1.99), Number]
GridSteps = Annotated[int, Field(ge=0, le=255), Number]
GridSkew = Annotated[float, Field(ge=0.0, le=100.0), Number]
GroupLength = Annotated[int, Field(ge=2, le=4_096), Number]


def _ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise ValueError("not ascending")
    return values


Ascending = Annotated[
    tuple[Real, ...],
    Field(min_length=3, max_length=256, title="list of 3 to 256 numbers, each greater than the one before"),
    AfterValidator(_ascending),
]

TaskName = Annotated[str, Field(title="the name of a task", json_schema_extra={"format": "task"})]
TaskNames = Annotated[tuple[TaskName, ...], Field(max_length=256)]
Clusters = Annotated[tuple[Annotated[TaskNames, Field(min_length=1)], ...], Field(max_length=256)]
FeatureName = Annotated[str, Field(title="the name of a feature", json_schema_extra={"format": "feature"})]
FeatureNames = Annotated[tuple[FeatureName, ...], Field(max_length=4_096)]
"""Names of the recipe's own tasks and features: `gatewise validate` refuses others."""

TaskGroups = Annotated[
    tuple[TaskNames, ...], Field(max_length=256, title="list of groups of tasks, each a list of the names of its tasks")
]
GradientNormalization = Literal["plain", "l2", "loss", "loss+"]
AlignedScale = Literal["min", "median", "rmse"]
Fairness = Annotated[float, Field(ge=0.5, le=10.0), Number]
CombinedPlace = Literal["shared", "encoded"]
WeighedPlace = Literal["last_shared", "shared", "encoded"]
"""Options of the balancers that combine gradients, and the `over` of those that read them."""

GateName = Literal["softmax", "top_k", "dselect_k"]
"""Names of `models.layers.gate.GATES`."""


def _without_a_cycle(parents: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        raise ValueError(f"a cycle: {error.args[1]}") from None
    return parents


LayersByTask = dict[TaskName, LayersOrNone]
LevelByTask = dict[TaskName, Levels]
TasksByTask = Annotated[
    dict[TaskName, TaskNames],
    AfterValidator(_without_a_cycle),
    Field(title="for each task the list of the tasks that it reads, without a cycle"),
]
"""Values of some of the tasks, in an option whose default is {}."""

Activation = Annotated[
    Literal[
        "celu",
        "elu",
        "exponential",
        "gelu",
        "hard_shrink",
        "hard_sigmoid",
        "hard_silu",
        "hard_swish",
        "hard_tanh",
        "leaky_relu",
        "linear",
        "log_sigmoid",
        "log_softmax",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "soft_shrink",
        "softmax",
        "softplus",
        "softsign",
        "sparse_plus",
        "sparse_sigmoid",
        "sparsemax",
        "squareplus",
        "swish",
        "tanh",
        "tanh_shrink",
    ],
    Field(title="the name of one of Keras' activations"),
]
"""Names of Keras' activations, except those that need arguments or halve the width."""
