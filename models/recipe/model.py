"""The sections `model` and `training` of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from models.recipe.section import Number, Section


class ModelOptions(Section):
    """How the tasks share, and how their losses are balanced."""

    architecture: str = Field(default="mmoe", description="How the tasks share. See the table below.", examples=["ple"])
    options: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Options by architecture: those of the one in use apply, so `--set model.architecture=...` is enough "
        "to change over.",
        examples=[{"mmoe": {"experts": 8}}],
    )
    backbone: str = Field(
        default="none",
        description="What mixes the features in front of the architecture. See the table below.",
        examples=["dcn_v2"],
    )
    backbone_options: Mapping[str, Mapping[str, Any]] = Field(
        default={}, description="Options by backbone.", examples=[{"dcn_v2": {"layers": 3, "rank": 64}}]
    )
    balancer: str = Field(default="fixed", description="How the tasks' losses are balanced. See the table below.")
    balancer_options: Mapping[str, Mapping[str, Any]] = Field(
        default={}, description="Options by balancer.", examples=[{"pcgrad": {}}]
    )
    regularizers: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Penalties added to the loss, with their options.",
        examples=[{"l2": {"strength": 1e-6}}],
    )
    embedding_dim: Annotated[int, Field(ge=1, le=1024), Number] = Field(
        default=16, description="Width of the embeddings of features that don't state one.", examples=[16]
    )


class Training(Section):
    """One training run."""

    epochs: Annotated[int, Field(ge=1), Number] = Field(default=5, description="Most passes over the train split.")
    batch_size: Annotated[int, Field(ge=1, le=16_777_216), Number] = Field(
        default=4096, description="Examples per step, of all GPUs together; each takes an equal part."
    )
    optimizer: Literal["adam", "adagrad", "sgd"] = Field(default="adam", description="Keras optimizer.")
    learning_rate: Annotated[float, Field(gt=0.0), Number] = Field(default=0.001, description="Its learning rate.")
    embedding_optimizer: str | None = Field(
        default=None,
        description="What moves the embedding tables, of which a step touches the batch's rows only: `adam` (lazy: "
        "moments of these rows), `adagrad` (row-wise: one accumulator for each row), `sgd`. By default as `optimizer`.",
        examples=["adagrad"],
    )
    embedding_learning_rate: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None, description="Its learning rate; by default `learning_rate`.", examples=[0.02]
    )
    clip_norm: Annotated[float, Field(gt=0.0), Number] | None = Field(
        default=None,
        description="Largest norm of a step's gradient, of all variables and embedding rows together; a larger one is "
        "scaled down to it.",
        examples=[1.0],
    )
    seed: Annotated[int, Field(ge=0), Number] = Field(
        default=1, description="Seed of initial values, order and dropout."
    )
    patience: Annotated[int, Field(ge=0), Number] = Field(
        default=1,
        description="Epochs without a better eval loss before the training stops. The best weights are kept.",
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        default="float32",
        description="`mixed_bfloat16`: the layers between the embedding tables and the logits compute in bfloat16 while "
        "training; variables, gates, logits and losses stay float32, and so does the exported model. For CPUs with "
        "avx512_bf16 or amx_bf16, and for GPUs.",
    )
    jit_compile: bool = Field(
        default=True,
        description="Compile the step with XLA. Under `mixed_bfloat16` on a CPU only parts of it are: XLA has no bfloat16 "
        "products there. On several GPUs it never is.",
    )
    steps_per_execution: Annotated[int, Field(ge=1, le=100_000), Number] = Field(
        default=1, description="Steps that run as one call into TensorFlow; on several GPUs always 1.", examples=[20]
    )
    checkpoint_minutes: Annotated[float, Field(gt=0.0), Number] = Field(
        default=10.0,
        description="Minutes of training after which the state is kept, besides after each epoch: a run that is killed "
        "goes on from there, with the same result.",
    )
