"""Multiply-adds, counted by hand."""

from __future__ import annotations

import numpy as np
from linear_plan import linear_plan

from models.features.input_pipeline import Columns
from models.features.layout import FeatureLayout
from models.training.build import build_model
from models.training.plan import TaskPlan
from pipeline.comparing.multiply_adds import counted, multiply_adds

PROGRAM = """
  %dot.1 = f32[1,4]{1,0} dot(f32[1,48]{1,0} %x, f32[48,4]{1,0} %w), lhs_contracting_dims={1}, rhs_contracting_dims={0}, metadata={op_type="MatMul"}
  %dot.2 = f32[1,32]{1,0} dot(f32[1,4]{1,0} %g, f32[1,4,32]{2,1,0} %e), lhs_batch_dims={0}, lhs_contracting_dims={1}, rhs_batch_dims={0}, rhs_contracting_dims={1}
  %dot.3 = f32[] dot(f32[7]{0} %a, f32[7]{0} %b), lhs_contracting_dims={0}, rhs_contracting_dims={0}
  %add.1 = f32[1,4]{1,0} add(f32[1,4]{1,0} %dot.1, f32[1,4]{1,0} %bias)
"""


def test_counts_the_products_of_a_program() -> None:
    assert counted(PROGRAM) == 4 * 48 + 32 * 4 + 7


def test_counts_those_of_a_model() -> None:
    """Two networks of 3 x 5 and 5 x 1."""
    tasks = {name: TaskPlan(kind="binary", loss="binary_crossentropy", weight=1.0) for name in ("click", "buy")}
    options = {"units": (5,), "tower_units": ()}
    plan = linear_plan(tasks).model_copy(update={"architecture": "single_task", "options": options})
    layout = FeatureLayout(tables={}, categorical=(), multivalued={}, numeric=("a", "b", "c"))
    row = np.zeros((1, 3), np.float32)
    model = build_model(plan, layout, "float32")
    model({"numeric": row})
    data = Columns({"numeric": row}, np.zeros((1, 2)), np.ones((1, 2)), np.arange(1), tuple(tasks))
    assert multiply_adds(model, data) == 2 * (3 * 5 + 5)
