"""What a training of Census-Income depends on: its recipe, and the digests that tell whether a result is still valid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from components.event_logs.fingerprint import fingerprint
from components.event_logs.plan import EventLogsPlan
from components.features.plan import FeaturesPlan
from components.references.plan import ReferencesPlan
from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.losses import LOSSES
from models.recipe.evaluation import Reference
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.regularizers import REGULARIZERS
from models.training.plan import TrainerPlan
from pipeline.code_version import code_version

REFERENCES = get_args(Reference)
_TABLES = (ARCHITECTURES, BACKBONES, BALANCERS, LOSSES, REGULARIZERS)


def recipe_of(recipe: Path | str, overrides: Sequence[str], data: str, architecture: str, seed: int) -> Recipe:
    """The recipe of a training. A reference accompanies the recipe's own architecture."""
    chosen = [] if architecture in REFERENCES else [f"model.architecture={architecture}"]
    references = f"evaluation.references=[{architecture}]" if architecture in REFERENCES else "evaluation.references=[]"
    return load_recipe(recipe, [*overrides, *chosen, references, f"training.seed={seed}"], data)


def features_key(recipe: Recipe) -> str:
    """Digest of the data, the plans and the code of the stages up to Features."""
    return digest(
        EventLogsPlan.from_recipe(recipe).model_dump_json(),
        fingerprint(recipe),
        FeaturesPlan.from_recipe(recipe).model_dump_json(),
        code_version("components.event_logs.executor", "components.features.executor"),
    )


def training_key(recipe: Recipe) -> str:
    """Digest of the plan and the code of a training, without its seed."""
    unseeded = recipe.model_copy(update={"training": recipe.training.model_copy(update={"seed": 0})})
    methods = {path.rpartition(".")[0] for table in _TABLES for path in table.values()}
    return digest(
        TrainerPlan.from_recipe(unseeded).model_dump_json(),
        ReferencesPlan.from_recipe(unseeded).model_dump_json(),
        code_version("components.references.training", *sorted(methods)),
    )


def digest(*parts: Any) -> str:
    """12 hexadecimal digits of the SHA-256 of the parts."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
