"""Writes what a trained model learned, beside its history: expert gates and importance of the columns."""

from __future__ import annotations

import json
from pathlib import Path

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.files.whole_file import write_whole
from models.training.expert_use import expert_use, mean_gates
from models.training.importance import importance
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan


def write_what_it_learned(
    folder: Path, model: MultiTaskModel, plan: TrainerPlan, layout: FeatureLayout, validate: Columns, batch_size: int
) -> None:
    """Writes gates.json, experts.json and, if the plan asks for it, importance.json.

    Args:
        folder: folder of the files.
        model: trained model.
        plan: its plan.
        layout: feature layout.
        validate: the validate split.
        batch_size: examples per step.
    """
    use = expert_use(model, validate, batch_size)
    write_whole(folder / "gates.json", json.dumps(mean_gates(use), indent=2))
    write_whole(folder / "experts.json", json.dumps(use, indent=2))
    if plan.training.importance:
        rises = importance(model, layout, validate, plan.columns, plan.training.seed, batch_size)
        write_whole(folder / "importance.json", json.dumps(rises, indent=2))
