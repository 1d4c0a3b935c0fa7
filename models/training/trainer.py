"""The trainer. `run_fn` is the entry point that the TFX Trainer calls; `train` also works without TFX."""

from __future__ import annotations

import functools
import gc
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from models.features import input_pipeline
from models.features.layout import FeatureLayout
from models.features.thinned_rows import thinned
from models.files.whole_file import write_whole
from models.recipe.model import Training
from models.serving.export import export
from models.serving.served_values import served_row, with_served
from models.training.affinity import AffinityHook, affinity_hook
from models.training.after_training import expected_predictions
from models.training.again import TrainedAgain
from models.training.build import build_model, check_outside, for_one_user
from models.training.callbacks import (
    Checkpoints,
    Clock,
    Curves,
    StopOnNaN,
    TablePasses,
    check_eval_losses,
    progress_line,
)
from models.training.checkpoint import EarlyStopping, Progress, TrainingCheckpoint, checkpoint_folder
from models.training.compiling import batch_size_of, compile_model
from models.training.devices import batch_of, strategy_on, take_memory_as_needed
from models.training.distilling import learn_from_teacher
from models.training.function_numbers import number_from_a_round_one
from models.training.growing import grow
from models.training.label_options import with_label_options
from models.training.learning_rate import PLATEAU
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan
from models.training.rounds import Rounds, rounds_of
from models.training.shrinkage import shrink
from models.training.splits import check_splits
from models.training.start_evaluation import evaluate_start
from models.training.state import STATE, write_features, write_state
from models.training.task_matrices import RegularizerLogs
from models.training.trained import Trained
from models.training.validation import Validation, unknown_losses
from models.training.warm_start import WarmStart, start_of
from models.training.weight_average import exchange_average
from models.training.what_it_learned import write_what_it_learned

logger = logging.getLogger(__name__)

EVAL_BATCH = 4096
"""Smallest number of examples of an evaluation step, if there are as many: an evaluation has no reason for small steps."""


def run_fn(fn_args: Any) -> None:
    """Trains and exports a model for the stock TFX Trainer: `run_fn="models.training.trainer.run_fn"`.

    Writes the exported model, and history.json, gates.json, experts.json, importance.json and TensorBoard curves to
    `model_run_dir`. Saves a checkpoint
    to `checkpoint_folder` after each evaluation and every `checkpoint_minutes`. If the run is killed, the next run resumes
    from it.

    Args:
        fn_args: a `tfx.components.trainer.fn_args_utils.FnArgs` with `custom_config["plan"]` (JSON of a TrainerPlan),
            optionally `custom_config["checkpoints"]` (a folder), `train_files` and `eval_files` (one glob each),
            `transform_graph_path`, `serving_model_dir`, `model_run_dir`, and `base_model` for a blessed teacher: the folder of its
            predictions (`models.training.teacher_file`).

    Raises:
        InputError: a split is empty, or the features stage did not write its files.
        TrainingError: a split has other tasks, a task has no observed train example, or a loss is not finite.
    """
    take_memory_as_needed()
    number_from_a_round_one()
    plan = TrainerPlan.model_validate_json(fn_args.custom_config["plan"])
    graph, run_dir = Path(fn_args.transform_graph_path), Path(fn_args.model_run_dir)
    layout = FeatureLayout.load(graph)
    read = [*fn_args.train_files, *filter(None, [fn_args.base_model])]
    checkpoint = TrainingCheckpoint(checkpoint_folder(run_dir, read, fn_args.custom_config), plan.keeps_state)
    data = input_pipeline.read_split(_only(fn_args.train_files))
    evaluation = input_pipeline.read_split(_only(fn_args.eval_files))
    taught = learn_from_teacher(plan, layout, data, evaluation, checkpoint, run_dir, train, fn_args.base_model)
    start = start_of(plan.state, graph)
    trained = train(plan, layout, data, evaluation, checkpoint, run_dir, taught=taught.columns, start=start)
    if plan.keeps_state:
        write_features(run_dir / STATE, graph)
    row = served_row(graph, layout, plan.served) if plan.served else {}
    as_served = functools.partial(with_served, row=row, layout=layout, features=plan.served_features)
    export(
        trained.model.predictions,
        graph,
        layout,
        Path(fn_args.serving_model_dir),
        inputs={column: about.model_dump() for column, about in plan.inputs.items()},
        kinds={task: about.kind for task, about in plan.tasks.items() if about.served},
        expected=expected_predictions(trained.model, evaluation, plan.probe_requests, as_served),
        plan=plan.serving,
        for_one_user=for_one_user(trained.model, layout, plan),
        served=plan.served,
        shared=plan.shared_columns,
    )
    write_what_it_learned(run_dir, trained.model, plan, layout, evaluation, EVAL_BATCH)
    history = trained.history | {"rows": len(data.labels), **taught.about}
    write_whole(run_dir / "history.json", json.dumps(history, indent=2))
    checkpoint.remove()
    taught.remove()


def train(
    plan: TrainerPlan,
    layout: FeatureLayout,
    data: input_pipeline.Columns,
    evaluation: input_pipeline.Columns,
    checkpoint: TrainingCheckpoint,
    run_dir: Path,
    devices: Sequence[str] = (),
    taught: input_pipeline.Columns | None = None,
    watch: Callable[[int, float | None], bool] | None = None,
    again: TrainedAgain | None = None,
    start: WarmStart | None = None,
) -> Trained:
    """Trains a model from the plan's seed, or resumes from the checkpoint, even within a round.

    The same seed, data and number of devices give the same result, bit for bit, however often the training was killed.

    Args:
        plan: plan from the recipe.
        layout: feature layout.
        data: the train split, of which a task with a `negative_rate` reads a share of its negatives.
        evaluation: the validate split.
        checkpoint: checkpoint to resume from and to save to.
        run_dir: folder of the TensorBoard curves.
        devices: names such as "GPU:0" of the devices to train on. Default: all GPUs, or the CPU.
        taught: the train split with labels and weights to learn from instead (`models.training.distilling`). The scales of the
            tasks, and with them the validation score, come from `data`.
        watch: called after each round, also after those before a kill, with its number and validation score; True ends the training.
        again: lends the compiled step of a training that differs only in the seed.
        start: the state to go on from. The weights that it begins with are exported again if no round is better.

    Raises:
        InputError: the batch size is not a multiple of the number of devices.
        TrainingError: a split has other tasks, a task has no observed train example, or a loss is not finite.
    """
    tasks = tuple(plan.tasks)
    check_splits(data, evaluation, tasks)
    rates = {task: about.negative_rate for task, about in plan.tasks.items()}
    everything, data = data, thinned(data, rates, plan.training.seed)
    unknown = unknown_losses(tasks, evaluation.weights[:])
    options = plan.training
    strategy = strategy_on(devices)
    rounds = rounds_of(options, batch_size_of(options, len(data.labels), strategy), len(data.labels))
    plan = with_label_options(plan, data)
    check_outside(plan, layout)
    keras.utils.set_random_seed(options.seed)
    with strategy.scope():
        model = _with_variables(build_model(plan, layout), data)
        compile_model(model, options, rounds, strategy.num_replicas_in_sync)
    model.scales.start(model.loss_functions, data.labels[:], data.weights[:], list(rates.values()))
    model = again.model(plan, model) if again is not None else model
    started = start.apply(model) if start is not None else {}
    served = [task for task, about in plan.tasks.items() if about.served]
    labels, weights = evaluation.labels[:], evaluation.weights[:]
    validation = Validation(tasks, model.loss_functions, model.scales, labels, weights, served, evaluation.groups)
    progress = Progress(EarlyStopping(options.patience))
    if checkpoint.restore(model, progress):
        model.architecture.restored()
        done = progress.round, progress.steps, checkpoint.folder
        logger.info("Resuming from a checkpoint after %d evaluations and %d steps: %s", *done)
    elif start is not None:
        batches = _in_steps(evaluation, model, rounds), _in_steps(everything, model, rounds)
        evaluate_start(model, *batches, everything.weights[:], validation, unknown, progress, checkpoint)
    curves = Curves(run_dir)
    for entry in progress.history:
        curves.write(entry, tasks)
    batch_of = functools.partial(_batch_of, taught or data, rounds.batch_size, options)
    hook = affinity_hook(model, options.affinity_every, batch_of)
    watched = [watch(number, entry.get("val_score")) for number, entry in enumerate(progress.history)] if watch else []
    ended = any(watched)
    while progress.round < rounds.count and not progress.stopping.stopped and not ended:
        entry = _round(model, options, rounds, taught or data, evaluation, checkpoint, progress, hook)
        entry = {name: value for name, value in entry.items() if name not in unknown}
        check_eval_losses(entry, tasks)
        score = validation.score(entry)
        # An adversary lags behind what it is to find: an early round may look hidden, and is not.
        best = progress.stopping.update(progress.round, None if model.adversaries is not None else score)
        if score is not None:
            entry["val_score"] = score
        if not best and options.learning_rate_decay == "plateau":
            model.reduction.assign(model.reduction.value * PLATEAU)
        if progress.round + 1 < rounds.count:
            entry |= grow(model, evaluation, progress.stopping, progress.round + 1, EVAL_BATCH)
        progress.history.append(entry)
        progress.steps = 0
        checkpoint.save(model, progress)
        curves.write(entry, tasks)
        logger.info(progress_line(entry, rounds, tasks, best))
        ended = watch is not None and watch(progress.round - 1, score)
    curves.close()
    if plan.keeps_state:
        checkpoint.restore_best(model, progress.stopping)
        write_state(run_dir / STATE, model)
    if options.precision != "float32" or strategy.num_replicas_in_sync > 1:
        # Rebuilt on one device in float32: bfloat16 predictions depend on how a graph is compiled, and the export must match.
        del model
        gc.collect()
        model = _with_variables(build_model(plan, layout, "float32"), data)
    checkpoint.restore_best(model, progress.stopping)
    model.architecture.restored()
    exchange_average(model)
    factors = shrink(model, evaluation, EVAL_BATCH) if options.shrink_to_constant else {}
    affinity = progress.affinity.means(model.balancer.tasks)
    started |= {"evaluation": progress.start} if started else {}
    return Trained(model, progress.history, progress.stopping.best_round, factors, len(data.labels), affinity, started)


def _round(
    model: MultiTaskModel,
    options: Training,
    rounds: Rounds,
    data: input_pipeline.Columns,
    evaluation: input_pipeline.Columns,
    checkpoint: TrainingCheckpoint,
    progress: Progress,
    hook: AffinityHook | None,
) -> dict[str, Any]:
    """Completes a round, evaluates the validate split and returns the history entry.

    Each round is a separate `fit` on a finite data set. A last call with fewer than `steps_per_execution` steps then
    works, and the order of the examples depends only on seed and pass.
    """
    number, done, steps = progress.round, progress.steps, rounds.steps_of(progress.round)
    first_pass, first_step = divmod(number * rounds.round_steps + done, rounds.pass_steps)
    clock, begin = Clock(time.perf_counter), time.perf_counter()

    def save(steps_done: int) -> None:
        progress.steps = steps_done
        checkpoint.save(model, progress)

    callbacks = [
        StopOnNaN(),
        RegularizerLogs(),
        clock,
        TablePasses(options.embedding_decay / rounds.pass_steps),
        Checkpoints(save, 60 * options.checkpoint_minutes, done, steps, time.monotonic),
    ]
    if hook is not None:
        callbacks.append(hook.starts(progress.affinity, number * rounds.round_steps + done))
    balanced = options.sampling == "tasks"
    batches = input_pipeline.dataset(data, rounds.batch_size, options.seed, first_pass, first_step, balanced)
    fitted = model.fit(
        batches.take(steps - done),
        validation_data=_in_steps(evaluation, model, rounds),
        initial_epoch=number,
        epochs=number + 1,
        shuffle=False,  # the data set is shuffled
        callbacks=callbacks,
        verbose=0,
    )
    examples = min((steps - done) * rounds.batch_size, -(-(steps - done) * len(data.labels) // rounds.pass_steps))
    return {
        "epoch": rounds.passes(number),
        "step": number * rounds.round_steps + steps,
        **{name: float(values[-1]) for name, values in fitted.history.items()},
        "seconds": round(time.perf_counter() - begin, 3),
        "examples_per_second": round(examples / max(clock.seconds, 1e-9), 1),
    }


def _in_steps(evaluation: input_pipeline.Columns, model: MultiTaskModel, rounds: Rounds) -> Any:
    replicas = model.distribute_strategy.num_replicas_in_sync
    size = batch_of(max(rounds.batch_size, EVAL_BATCH // replicas * replicas), len(evaluation.labels), replicas)
    return input_pipeline.dataset(evaluation, size, None)


def _batch_of(data: input_pipeline.Columns, batch_size: int, options: Training, step: int) -> input_pipeline.Batch:
    return input_pipeline.batch_of_step(data, batch_size, options.seed, step, options.sampling == "tasks")


def _with_variables(model: MultiTaskModel, data: input_pipeline.Columns) -> MultiTaskModel:
    """Creates all variables of the model by one call, and returns the model."""
    model({name: array[:1] for name, array in data.arrays.items()})
    return model


def _only(patterns: list[str]) -> str:
    if len(patterns) != 1:
        raise ValueError(f"expected one file pattern, received {patterns}")
    return patterns[0]
