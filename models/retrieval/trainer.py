"""The retrieval trainer. `run_fn` is the entry point that the second TFX Trainer calls; `train` also works without TFX."""

from __future__ import annotations

import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.features.layout import FeatureLayout
from models.files.whole_file import write_whole
from models.recipe.errors import TrainingError
from models.retrieval.batches import epoch_batches
from models.retrieval.export import export
from models.retrieval.interactions import Interactions, read_interactions
from models.retrieval.plan import RetrievalPlan
from models.retrieval.side import side_of
from models.retrieval.two_tower import TwoTower
from models.training.checkpoint import EarlyStopping, Progress, TrainingCheckpoint, checkpoint_folder
from models.training.devices import take_memory_as_needed
from models.training.function_numbers import number_from_a_round_one

logger = logging.getLogger(__name__)


def run_fn(fn_args: Any) -> None:
    """Trains and exports a model for the stock TFX Trainer: `run_fn="models.retrieval.trainer.run_fn"`.

    Writes the exported model, and history.json to `model_run_dir`. Saves a checkpoint after each epoch. If the run is
    killed, the next run resumes from it.

    Args:
        fn_args: a `tfx.components.trainer.fn_args_utils.FnArgs` with `custom_config["plan"]` (JSON of a RetrievalPlan),
            optionally `custom_config["checkpoints"]` (a folder), `train_files` (the positives) and `eval_files` (the item
            table), one glob each, `transform_graph_path`, `serving_model_dir` and `model_run_dir`.

    Raises:
        InputError: there is no positive or no item, or the stage Interactions did not write the files.
        TrainingError: a loss is not finite.
    """
    take_memory_as_needed()
    number_from_a_round_one()
    plan = RetrievalPlan.model_validate_json(fn_args.custom_config["plan"])
    transform_graph, run_dir = Path(fn_args.transform_graph_path), Path(fn_args.model_run_dir)
    [positives], [items] = fn_args.train_files, fn_args.eval_files
    layout = FeatureLayout.load(transform_graph)
    checkpoint = TrainingCheckpoint(checkpoint_folder(run_dir, fn_args.train_files, fn_args.custom_config))
    data = read_interactions(positives)
    model, history = train(plan, layout, data, checkpoint)
    export(model, plan, layout, transform_graph, items, Path(fn_args.serving_model_dir))
    write_whole(run_dir / "history.json", json.dumps({"epochs": history, "rows": len(data)}, indent=2))
    checkpoint.remove()


def train(
    plan: RetrievalPlan, layout: FeatureLayout, data: Interactions, checkpoint: TrainingCheckpoint
) -> tuple[TwoTower, list[dict[str, Any]]]:
    """Trains the towers from the plan's seed, or resumes after the last completed epoch of the checkpoint.

    The same seed and data give the same result, bit for bit, however often the training was killed.

    Args:
        plan: plan from the recipe.
        layout: feature layout.
        data: the train positives.
        checkpoint: checkpoint to resume from and to save to.

    Returns:
        The model after its last epoch, and for each epoch its number from 1, loss, seconds, examples_per_second.

    Raises:
        TrainingError: a loss is not finite.
    """
    options = plan.options
    keras.utils.set_random_seed(plan.seed)
    model = build_model(plan, layout)
    progress = Progress(EarlyStopping(options.epochs))
    if checkpoint.restore(model, progress):
        logger.info("Resuming from a checkpoint after %d epochs: %s", progress.round, checkpoint.folder)
    size = min(options.batch_size, max(len(data), 2))
    # With AutoGraph, which TensorFlow Recommenders requires.
    step = tf.function(model.step, jit_compile=True)
    while progress.round < options.epochs:
        begin, losses, weights = time.perf_counter(), [], []
        batches = epoch_batches(len(data), size, plan.seed, progress.round, options.batches == "by_time")
        for rows, counts in zip(*batches, strict=True):
            weight = np.where(counts, data.weight[rows], np.float32(0))
            packed = {name: tf.constant(array[rows]) for name, array in data.packed.items()}
            losses.append(step(packed, data.item[rows], data.log_q[rows], weight))
            weights.append(weight.sum())
        loss = float(np.average([float(one) for one in losses], weights=weights))
        if not math.isfinite(loss):
            raise TrainingError(
                f"retrieval: the loss of epoch {progress.round + 1} is {loss}. Try a smaller `retrieval.learning_rate` or a larger "
                "`temperature`."
            )
        seconds = time.perf_counter() - begin
        entry = {
            "epoch": progress.round + 1,
            "loss": loss,
            "seconds": round(seconds, 3),
            "examples_per_second": round(len(data) / max(seconds, 1e-9), 1),
        }
        # No early stopping; the last epoch is used: the positives of the eval split are from another time, with other
        # items.
        progress.stopping.update(progress.round, -float(progress.round))
        progress.history.append(entry)
        checkpoint.save(model, progress)
        logger.info("Retrieval, epoch %d of %d: loss %.4f, %.1f s", entry["epoch"], options.epochs, loss, seconds)
    return model, progress.history


def build_model(plan: RetrievalPlan, layout: FeatureLayout) -> TwoTower:
    """Builds the towers of a plan, with all variables of model and optimizers."""
    options = plan.options
    history = (plan.history_feature, options.history) if plan.history_feature else None
    model = TwoTower(
        side_of(layout, plan.user_features, plan.wide_tables, options.dim, history),
        side_of(layout, plan.item_features, plan.wide_tables, options.dim),
        options,
    )
    model.build()
    model.compile(optimizer=keras.optimizers.Adam(options.learning_rate))
    model.optimizer.build(model.trainable_variables)
    return model
