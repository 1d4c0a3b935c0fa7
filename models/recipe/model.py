"""The sections `model` and `training` of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from models.recipe.distill import Distill
from models.recipe.section import Number, Section
from models.recipe.warm import Warm


class ModelOptions(Section):
    """How the features are mixed, how the tasks share layers, and how their losses are balanced and regularized."""

    architecture: str = Field(
        default="mmoe",
        description="How the tasks share layers: a name from the table [Architectures](#architectures), or the dotted path of a "
        "[class of your own](#methods-of-your-own).",
        examples=["ple"],
    )
    options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by architecture. Only those of the selected architecture apply, so `--set "
        "model.architecture=...` is enough to switch.",
        examples=[{"mmoe": {"experts": 8}}],
    )
    backbone: str = Field(
        default="none",
        description="What mixes the features before the architecture reads them: a name from the table [Backbones](#backbones), "
        "or the dotted path of a [class of your own](#methods-of-your-own).",
        examples=["dcn_v2"],
    )
    backbone_options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by backbone. Only those of the selected backbone apply.",
        examples=[{"dcn_v2": {"layers": 3, "rank": 64}}],
    )
    balancer: str = Field(
        default="fixed",
        description="How the task losses are balanced: a name from the table [Balancers](#balancers), or the dotted path of a "
        "[class of your own](#methods-of-your-own).",
    )
    balancer_options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by balancer. Only those of the selected balancer apply.",
        examples=[{"pcgrad": {}}],
    )
    regularizers: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Penalties to add to the loss: name -> options. The names are in the table [Regularizers](#regularizers); a "
        "name may also be the dotted path of a [class of your own](#methods-of-your-own).",
        examples=[{"l2": {"strength": 1e-6}}],
    )
    embedding_dim: Annotated[int, Field(ge=1, le=1024), Number] = Field(
        default=16, description="Width of the embeddings of features that do not set `dim`.", examples=[16]
    )


class Training(Section):
    """Settings of one training run."""

    start: Literal["cold", "warm"] = Field(
        default="cold",
        description="What the weights start from. `cold`: from the seed. `warm`, with `logs.span`: from the newest pushed model of an earlier "
        "day, which learns from what is new since then. See [nights.md](nights.md).",
    )
    warm: Warm = Field(default=Warm(), description="How a warm start goes on.", examples=[{"cold_every": "7d"}])
    epochs: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None,
        description="Maximum number of passes over the train split. By default 5, or as many as 2,000 steps need: on a log of "
        "3,000 examples, 5 passes have too few steps to train a network. Early stopping ends the training sooner.",
        examples=[10],
    )
    evaluate_every: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None,
        description="Number of train examples between two evaluations of the validate split, which decide when to stop and "
        "which weights to keep. By default half a pass, at least 50 steps and at most 5,000,000 examples.",
        examples=[1_000_000],
    )
    batch_size: Annotated[int, Field(ge=1, le=16_777_216), Number] | None = Field(
        default=None,
        description="Examples per step over all GPUs. Each GPU takes an equal part. By default the power of two nearest to "
        "2 sqrt(train examples), between 64 and 8192: 1024 for 200,000 examples.",
        examples=[4096],
    )
    optimizer: Literal["adam", "adagrad", "sgd"] = Field(
        default="adam", description="Keras optimizer of all variables except the embedding tables."
    )
    learning_rate: Annotated[float, Field(gt=0.0), Number] = Field(
        default=0.001, description="Learning rate of `optimizer`."
    )
    learning_rate_decay: Literal["constant", "cosine", "plateau"] = Field(
        default="constant",
        description="How both learning rates fall during the training. `cosine`: along half a cosine over the largest number of "
        "steps. `plateau`: by a factor of 0.3 after each evaluation that does not improve. `average_weights` does the work of a "
        "decay without knowing the end of the training.",
    )
    warmup_steps: Annotated[int, Field(ge=0), Number] = Field(
        default=0, description="Number of steps in which both learning rates rise linearly from 0.", examples=[500]
    )
    average_weights: bool = Field(
        default=True,
        description="Evaluate, keep and export a running average of the weights and embedding rows instead of the last ones. "
        "The average reaches back over about a tenth of the training so far. It costs a third more memory for the tables.",
    )
    shrink_to_constant: bool = Field(
        default=True,
        description="After the training, move the logits of each task towards those of its constant by the factor from 0.05 to 1 "
        "that has the smallest loss on the validate split. The order of the predictions stays. A task that learned little is "
        "then hardly worse than the constant, instead of too sure. A task with too few validate examples to tell stays as it is.",
    )
    embedding_decay: Annotated[float, Field(ge=0.0), Number] = Field(
        default=0.5,
        description="Decoupled weight decay of the embedding tables: how many e-folds one pass over the train split shrinks all "
        "rows. 0.5 leaves 61 % of a row that no gradient moves. Rows of rare and of unseen values end near 0 instead of at "
        "noise, which is what a small log needs most. Because it counts passes, one value fits logs of any size.",
        examples=[0.1],
    )
    weight_decay: Annotated[float, Field(ge=0.0), Number] = Field(
        default=0.0,
        description="Decoupled weight decay of the network's kernels, as AdamW has it: a step shrinks them by learning_rate * "
        "weight_decay of themselves. Biases and embedding tables do not take part.",
        examples=[0.01],
    )
    embedding_optimizer: str | None = Field(
        default=None,
        description="Optimizer of the embedding tables. A step updates only the rows in the batch. `adam`: lazy Adam, moments "
        "of these rows. `adagrad`: row-wise, one accumulator per row. `sgd`: plain gradient descent. By default the "
        "one with the name of `optimizer`.",
        examples=["adagrad"],
    )
    embedding_learning_rate: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None, description="Learning rate of `embedding_optimizer`. By default `learning_rate`.", examples=[0.02]
    )
    clip_norm: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None,
        description="Largest norm of a step's gradient over all variables and embedding rows together. A larger gradient is "
        "scaled down to this norm.",
        examples=[1.0],
    )
    sampling: Literal["rows", "tasks"] = Field(
        default="rows",
        description="What a pass over the train split sees. `rows`: each row once. `tasks`: as many rows, drawn so that each task "
        "is observed equally often, however few rows have its label; the weights of the drawn rows are corrected, so that the "
        "expected losses and the calibration stay. For tasks with few labels beside tasks with many.",
    )
    distill: Distill | None = Field(
        default=None,
        description="A teacher to learn from, in addition to the labels. By default there is none.",
        examples=[{"teacher": "ple", "share": 0.5}],
    )
    affinity_every: Annotated[int, Field(ge=1), Number] | None = Field(
        default=None,
        description="Number of steps between two measurements of the affinities between the tasks, in history.json and the report: how "
        "a step for one task changes the losses of the others, and [which tasks to train together]"
        "(learning.md#which-tasks-to-train-together). The training stays the same. On one GPU or the CPU only. By default they are "
        "not measured.",
        examples=[10],
    )
    importance: bool = Field(
        default=False,
        description="Measure after the training by how much the validate loss of each task rises if a raw column has the values of other "
        "examples, in importance.json and the report ([permutation importance](training.md#what-the-model-learned)). The model stays the "
        "same. At most 20,000 examples, and nothing beyond 4 million predictions.",
        examples=[True],
    )
    seed: Annotated[int, Field(ge=0), Number] = Field(
        default=1, description="Seed of initial weights, example order and dropout."
    )
    patience: Annotated[int, Field(ge=0), Number] = Field(
        default=3,
        description="Number of evaluations in a row without a better validation score after which training stops. The weights of "
        "the best evaluation are kept. The score is the mean over tasks of the validation loss relative to that of the "
        "best constant; a task with too few validate examples to tell does not count.",
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        default="float32",
        description="Precision of the training step. `mixed_bfloat16`: the layers between the embedding tables and the logits "
        "compute in bfloat16. Variables, expert gates, logits, losses and the exported model stay float32. Use it on CPUs "
        "with avx512_bf16 or amx_bf16, and on GPUs.",
    )
    jit_compile: bool = Field(
        default=True,
        description="Compile the step with XLA. With `mixed_bfloat16` on a CPU only parts of the step are compiled, because "
        "XLA has no bfloat16 products there. On several GPUs the step is never compiled.",
    )
    steps_per_execution: Annotated[int, Field(ge=1, le=100_000), Number] = Field(
        default=1, description="Steps per call into TensorFlow. On several GPUs always 1.", examples=[20]
    )
    checkpoint_minutes: Annotated[float, Field(gt=0.0), Number] = Field(
        default=10.0,
        description="Minutes of training between checkpoints, in addition to one after each epoch. A run that is killed "
        "continues from its last checkpoint with the same result.",
    )
