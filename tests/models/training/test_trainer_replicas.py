"""The trainer on two devices: the training that one makes, resumed after a kill, and exported from one device."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.recipe.recipe import Recipe
from models.training.plan import TrainerPlan

ROOT = Path(__file__).parents[3]

# In a process of its own: a CPU can be divided into two devices before TensorFlow starts, and not later.
SCRIPT = """
import shutil, sys
from pathlib import Path
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from models.features import input_pipeline
from models.training import trainer
from models.training.checkpoint import TrainingCheckpoint
from models.features.layout import FeatureLayout
from models.training.plan import TrainerPlan

transform_graph, train, evaluation, folder, killed, *plans = sys.argv[1:]

class Stopped(TrainingCheckpoint):
    def save(self, model, progress):
        super().save(model, progress)
        if (progress.round, progress.steps) == (1, 4):
            raise KeyboardInterrupt

def run(plan, name, devices, kept=TrainingCheckpoint):
    return trainer.train(
        TrainerPlan.model_validate_json(plan), FeatureLayout.load(Path(transform_graph)), input_pipeline.read_split(train),
        input_pipeline.read_split(evaluation), kept(Path(folder) / name), Path(folder) / "run", devices
    )

def losses(trained):
    return [[entry[name] for name in sorted(entry) if "loss" in name] for entry in trained.rounds]

two = ["CPU:0", "CPU:1"]
for number, plan in enumerate(plans):
    print(plan, flush=True)
    one, both = run(plan, "one", []), run(plan, "both", two)
    np.testing.assert_allclose(losses(one), losses(both), rtol=1e-4)
    assert [entry.get("grown") for entry in one.rounds] == [entry.get("grown") for entry in both.rounds]
    for a, b in zip(one.model.variables, both.model.variables, strict=True):
        assert not isinstance(b.value, tf.distribute.DistributedValues)
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4, err_msg=a.path)
    if number >= int(killed):
        continue
    try:
        run(plan, "stopped", two, Stopped)
        raise SystemExit("not stopped")
    except KeyboardInterrupt:
        pass
    resumed = run(plan, "stopped", two)
    np.testing.assert_allclose(losses(resumed), losses(both), rtol=1e-6)
    for a, b in zip(resumed.model.variables, both.model.variables, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=a.path)
    shutil.rmtree(folder)
print("all", flush=True)
"""


GROWING = {
    "architecture": "fully_adaptive",
    "options": {"fully_adaptive": {"units": [4], "separation": 1000.0, "first_growth": 1, "dropout": 0.1}},
}

AT_FEATURES = {"balancer": "multibalance"}


@pytest.mark.slow
def test_two_devices_train_as_one_and_go_on_after_a_kill(problem: SimpleNamespace, tmp_path: Path) -> None:
    """300 examples in batches of 32, the last filled up; 70 to evaluate; an example's dropout does not depend on its device."""
    training = {**problem.recipe["training"], "epochs": 2, "steps_per_execution": 2, "checkpoint_minutes": 1e-9}
    models = [{**problem.recipe["model"], **model} for model in ({}, GROWING, AT_FEATURES)]
    plans = [
        TrainerPlan.from_recipe(Recipe.model_validate({**problem.recipe, "training": training, "model": model}))
        for model in models
    ]
    assert all(plan.options["dropout"] > 0 for plan in plans)
    folder = tmp_path / "checkpoints"
    # Without a kill of the last one: the state of every balancer comes back from a checkpoint in test_multi_task_model.py.
    data = [str(problem.transform_graph), problem.train, problem.eval, str(folder), str(len(plans) - 1)]
    arguments = [*data, *(plan.model_dump_json() for plan in plans)]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["all"], done.stdout + done.stderr[-3000:]
