"""Generates docs/recipe.md, docs/methods.md and recipes/recipe.schema.json: `python -m pipeline.recipe_docs`."""

from __future__ import annotations

import json
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.losses import LOSS, LOSSES
from models.objectives import OBJECTIVES
from models.recipe import kubeflow, retrieval, schedule
from models.recipe.beam import Beam
from models.recipe.cross import Cross
from models.recipe.distill import Distill
from models.recipe.evaluation import Evaluation, NotBelow, Truth
from models.recipe.features import Bucketised, Categorical, MultiValued, Numeric, Periodic, PiecewiseLinear
from models.recipe.file import schema_text
from models.recipe.logs import Csv, LabelledExamples, LogLimits, Logs, Stream, Time
from models.recipe.model import ModelOptions, Training
from models.recipe.recipe import Recipe
from models.recipe.registry import facts, in_words, signature, summary
from models.recipe.search import Range
from models.recipe.section import Section
from models.recipe.serving import Serving
from models.recipe.split import Split
from models.recipe.tasks import Gate, Label, Task
from models.recipe.validation import Validation
from models.recipe.vector import Vector
from models.regularizers import REGULARIZERS
from pipeline.method_docs import methods_page
from pipeline.recipe_docs_text import EXAMPLE, HEAD, LOSSES_HEAD, OWN_METHODS

ROOT = Path(__file__).resolve().parent.parent

SECTIONS: tuple[tuple[str, type[Section]], ...] = (
    ("The recipe", Recipe),
    ("`logs`", Logs),
    ("`logs.streams.NAME`", Stream),
    ("`time` of a stream or of labelled examples", Time),
    ("`csv` of a stream or of labelled examples", Csv),
    ("`limits` of `logs` and `examples`", LogLimits),
    ("`examples`", LabelledExamples),
    ("`split`", Split),
    ("`features.NAME`, kind `categorical`", Categorical),
    ("`features.NAME`, kind `multivalued`", MultiValued),
    ("`features.NAME`, kind `numeric`", Numeric),
    ("`features.NAME`, kind `bucketised`", Bucketised),
    ("`features.NAME`, kind `piecewise_linear`", PiecewiseLinear),
    ("`features.NAME`, kind `periodic`", Periodic),
    ("`features.NAME`, kind `vector`", Vector),
    ("`features.NAME`, kind `cross`", Cross),
    ("`tasks.NAME`", Task),
    ("`label` of a task", Label),
    ("`gates` of a task", Gate),
    ("`validation`", Validation),
    ("`model`", ModelOptions),
    ("`training`", Training),
    ("`training.distill`", Distill),
    ("`search.KEY`", Range),
    ("`evaluation`", Evaluation),
    ("`not_below_single_task` of `evaluation` and of a task", NotBelow),
    ("`evaluation.truth`", Truth),
    ("`retrieval`", retrieval.Retrieval),
    ("`prior` of `retrieval`", retrieval.Prior),
    ("`truth` of `retrieval`", retrieval.BestItems),
    ("`gates` of `retrieval`", retrieval.RetrievalGate),
    ("`serving`", Serving),
    ("`beam`", Beam),
    ("`kubeflow`", kubeflow.Kubeflow),
    ("`kubeflow.defaults` and `kubeflow.stages.NAME`", kubeflow.StagePlace),
    ("`gpu` of a stage", kubeflow.Gpu),
    ("`tolerations` of a stage", kubeflow.Toleration),
    ("`secrets` of a stage", kubeflow.SecretKey),
    ("`retries` of a stage", kubeflow.Retries),
    ("`kubeflow.schedule`", schedule.Schedule),
    ("`parameters` of `kubeflow.schedule`", schedule.RunParameters),
    ("`kubeflow.infra_validator`", kubeflow.InfraValidator),
)


def page() -> str:
    """The text of docs/recipe.md."""
    parts = [HEAD.replace("{example}", EXAMPLE)]
    for heading, section in SECTIONS:
        text = " ".join((section.__doc__ or "").split())
        parts.append(
            f"## {heading}\n\n{text}\n\n| key | value | default | description | example |\n|---|---|---|---|---|\n"
        )
        parts.extend(_row(name, field) for name, field in section.model_fields.items())
        parts.append("\n")
    parts.append(OWN_METHODS + LOSSES_HEAD)
    parts.extend(_loss_row(name, path) for name, path in LOSSES.items())
    parts.append("\n")
    for heading, table, key in (
        ("Objectives", OBJECTIVES, "`tasks.NAME.objective`; options in `tasks.NAME.objective_options.NAME`"),
        ("Architectures", ARCHITECTURES, "`model.architecture`; options in `model.options.NAME`"),
        ("Backbones", BACKBONES, "`model.backbone`; options in `model.backbone_options.NAME`"),
        ("Balancers", BALANCERS, "`model.balancer`; options in `model.balancer_options.NAME`"),
        ("Regularizers", REGULARIZERS, "`model.regularizers.NAME`"),
    ):
        parts.append(
            f"## {heading}\n\n{key}.\n\n| name | description | options (type and range; default) |\n|---|---|---|\n"
        )
        parts.extend(f"| `{name}` | {_cell(summary(path))} | {_options(path)} |\n" for name, path in table.items())
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def _loss_row(name: str, path: str) -> str:
    about = facts(path, LOSS)
    cells = [f"`{name}`", about["kind"], summary(path), about["labels"], str(about["outputs"])]
    cells += ["yes" if about[fact] else "no" for fact in ("negative", "linear")]
    return f"| {' | '.join(map(_cell, cells))} | {_options(path)} |\n"


def _options(path: str) -> str:
    listed = [
        f"`{name}` ({in_words(annotation)}; {default!r})" for name, (annotation, default) in signature(path).items()
    ]
    return _cell(", ".join(listed)) or "none"


def _row(name: str, field: FieldInfo) -> str:
    key = field.alias or name
    default = "required" if field.is_required() else _yaml(field.default)
    return f"| `{key}` | {_type(field.annotation)} | {default} | {_cell(field.description or '')} | {_example(key, field)} |\n"


def _example(key: str, field: FieldInfo) -> str:
    if field.examples:
        return f"`{key}: {_plain(field.examples[0])}`"
    choices = [value for value in _literals(field.annotation) if value != field.default]
    if choices:
        return f"`{key}: {_plain(choices[0])}`"
    if field.default not in (PydanticUndefined, None) and not isinstance(field.default, Section | Mapping | tuple):
        return f"`{key}: {_plain(field.default)}`"
    return "see below"


def _literals(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            yield from _literals(argument)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return (
        json.dumps(value)
        if not isinstance(value, dict)
        else yaml.safe_dump(value, default_flow_style=True, width=1000).strip()
    )


def _yaml(value: Any) -> str:
    if isinstance(value, Section):
        return "its defaults"
    if value is None or value in ((), {}):
        return "none"
    return f"`{_plain(value)}`"


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return ""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(text for text in map(_type, arguments) if text))
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is not None:
        return f"mapping of name to {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section"
    return {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "true or false",
        "timedelta": "duration",
        "datetime": "moment",
        "Any": "value",
    }.get(getattr(annotation, "__name__", str(annotation)), str(annotation))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def stale() -> list[str]:
    """The generated files that are out of date."""
    return [name for name, text in _pages() if not (ROOT / name).is_file() or (ROOT / name).read_text("utf-8") != text]


def write() -> None:
    """Writes the generated files into the project."""
    for name, text in _pages():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")


def _pages() -> Iterator[tuple[str, str]]:
    yield "docs/recipe.md", page()
    yield "docs/methods.md", methods_page(ROOT / "docs")
    yield "recipes/recipe.schema.json", schema_text()


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        write()
    elif old := stale():
        sys.exit(f"{', '.join(old)}: out of date with models/recipe. Run: make docs")
