"""A training goes on from a state: every method's variables by name, the rows of the tables by id, and what a changed recipe takes over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import polars as pl
import pytest

from models.architectures import ARCHITECTURES
from models.balancing import BALANCERS
from models.features import input_pipeline
from models.features.ids import SCHEMA, Ids, write_ids
from models.features.layout import FeatureLayout
from models.layers.fused_tables import Reader, fuse
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.regularizers import REGULARIZERS
from models.training import trainer
from models.training.build import build_model
from models.training.checkpoint import TrainingCheckpoint
from models.training.compiling import OPTIMIZERS, compile_model
from models.training.learning_rate import LearningRate
from models.training.multi_task_model import MultiTaskModel
from models.training.plan import TrainerPlan
from models.training.rounds import rounds_of
from models.training.state import read_state, table_averages, write_features, write_state
from models.training.state_names import named_variables
from models.training.warm_start import NEW, WarmStart, row_sources


def plan_of(
    problem: SimpleNamespace, model: dict[str, Any] | None = None, tasks: Any = None, **training: Any
) -> TrainerPlan:
    recipe = {**problem.recipe, "training": {**problem.recipe["training"], **training}}
    recipe["model"] = {**recipe["model"], **(model or {})}
    recipe["tasks"] = {**recipe["tasks"], **(tasks or {})}
    return TrainerPlan.from_recipe(Recipe.model_validate(recipe)).model_copy(update={"keeps_state": True})


def built(
    problem: SimpleNamespace, plan: TrainerPlan, seed: int, layout: FeatureLayout | None = None
) -> MultiTaskModel:
    """A compiled model whose variables are all different numbers."""
    keras.utils.set_random_seed(seed)
    layout = layout or FeatureLayout.load(problem.transform_graph)
    model = build_model(plan, layout)
    columns = input_pipeline.read_split(problem.train)
    if layout == FeatureLayout.load(problem.transform_graph):
        model({name: array[:1] for name, array in columns.arrays.items()})
    else:
        model.build()
    compile_model(model, plan.training, rounds_of(plan.training, 32, 300), 1)
    rng = np.random.default_rng(seed)
    tables = [*model.encoder.embeddings, *model.embedding_optimizer.states, *table_averages(model)]
    for variable in [*named_variables(model).values(), *tables]:
        if np.issubdtype(np.dtype(keras.backend.standardize_dtype(variable.dtype)), np.floating):
            variable.assign(rng.normal(size=variable.shape).astype(np.float32))
    return model


def state_of(problem: SimpleNamespace, model: MultiTaskModel, folder: Path) -> Path:
    write_state(folder, model)
    write_features(folder, problem.transform_graph)
    return folder


def values(model: MultiTaskModel) -> dict[str, np.ndarray]:
    found = {name: keras.ops.convert_to_numpy(variable) for name, variable in named_variables(model).items()}
    for number, table in enumerate(
        [*model.encoder.embeddings, *model.embedding_optimizer.states, *table_averages(model)]
    ):
        found[f"table {number}"] = keras.ops.convert_to_numpy(table)
    return found


METHODS = [
    *({"architecture": name} for name in ARCHITECTURES),
    *({"architecture": "shared_bottom", "balancer": name} for name in BALANCERS),
    *({"architecture": "shared_bottom", "regularizers": {name: {}}} for name in REGULARIZERS),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(map(str, method.values())))
def test_every_method_goes_on_to_the_bit(problem: SimpleNamespace, tmp_path: Path, method: dict[str, Any]) -> None:
    try:
        plan = plan_of(problem, method)
        first = built(problem, plan, 1)
    except (InputError, ValueError) as error:  # a method for other tasks
        pytest.skip(str(error)[:100])
    state = state_of(problem, first, tmp_path / "state")
    second = built(problem, plan, 2)
    told = WarmStart(state, problem.transform_graph).apply(second)
    before, after = values(first), values(second)
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)
    assert told["new"] == told["dropped"] == []
    covered = {id(variable) for variable in named_variables(first).values()}
    parts = [first.backbone, first.architecture, first.balancer]
    assert {id(variable) for part in parts for variable in part.variables} <= covered
    moments = [variable for variable in first.optimizer.variables if variable.name not in ("learning_rate",)]
    assert {id(variable) for variable in moments} <= covered


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on(problem: SimpleNamespace, tmp_path: Path, optimizer: str) -> None:
    plan = plan_of(problem, optimizer=optimizer)
    first = built(problem, plan, 1)
    first.optimizer.iterations.assign(70)
    state = state_of(problem, first, tmp_path / "state")
    second = built(problem, plan, 2)
    WarmStart(state, problem.transform_graph).apply(second)
    assert int(second.optimizer.iterations) == 70
    for name, value in values(first).items():
        np.testing.assert_array_equal(value, values(second)[name], err_msg=name)


def test_the_running_average_goes_on(problem: SimpleNamespace, tmp_path: Path) -> None:
    plan = plan_of(problem, average_weights=True)
    first = built(problem, plan, 1)
    assert first.average is not None
    first.average.updates.assign(17)
    state = state_of(problem, first, tmp_path / "state")
    second = built(problem, plan, 2)
    WarmStart(state, problem.transform_graph).apply(second)
    assert second.average is not None and float(second.average.updates) == 17
    for one, other in zip(first.average.averages, second.average.averages, strict=True):
        np.testing.assert_array_equal(one, other)
    without = built(problem, plan_of(problem, average_weights=False), 2)
    assert "average/updates" in WarmStart(state, problem.transform_graph).apply(without)["dropped"]


def test_the_same_state_has_the_same_bytes(problem: SimpleNamespace, tmp_path: Path) -> None:
    model = built(problem, plan_of(problem), 1)
    one, other = state_of(problem, model, tmp_path / "1"), state_of(problem, model, tmp_path / "2")
    for file in sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file()):
        assert (one / file).read_bytes() == (other / file).read_bytes(), file


def test_scales_go_on_by_task(problem: SimpleNamespace, tmp_path: Path) -> None:
    first = built(problem, plan_of(problem), 1)
    first.scales.offset.assign([0.5, 0.25])
    first.scales.unit.assign([1.0, 3.0])
    state = state_of(problem, first, tmp_path / "state")
    [click, value] = problem.recipe["tasks"]
    turned = {**problem.recipe, "tasks": {value: problem.recipe["tasks"][value], click: problem.recipe["tasks"][click]}}
    second = built(
        SimpleNamespace(**{**vars(problem), "recipe": turned}),
        plan_of(SimpleNamespace(**{**vars(problem), "recipe": turned})),
        2,
    )
    assert second.tasks == (value, click)
    WarmStart(state, problem.transform_graph).apply(second)
    assert keras.ops.convert_to_numpy(second.scales.offset).tolist() == [0.25, 0.5]
    assert keras.ops.convert_to_numpy(second.scales.unit).tolist() == [3.0, 1.0]


def test_another_architecture_takes_over_the_tables_alone(problem: SimpleNamespace, tmp_path: Path) -> None:
    first = built(problem, plan_of(problem), 1)
    state = state_of(problem, first, tmp_path / "state")
    second = built(problem, plan_of(problem, {"architecture": "shared_bottom"}), 2)
    before = values(second)
    told = WarmStart(state, problem.transform_graph).apply(second)
    assert all("MMoE" in name for name in told["dropped"]) and told["dropped"]
    assert all("SharedBottom" in name for name in told["new"]) and told["new"]
    for name in told["new"]:
        if name.startswith("average/"):  # begins at its variable
            continue
        np.testing.assert_array_equal(values(second)[name], before[name])
    np.testing.assert_array_equal(values(second)["table 0"], values(first)["table 0"])


def test_a_damaged_state_is_told(problem: SimpleNamespace, tmp_path: Path) -> None:
    model = built(problem, plan_of(problem), 1)
    state = state_of(problem, model, tmp_path / "state")
    (state / "variables.npz").write_bytes((state / "variables.npz").read_bytes()[:-300])
    with pytest.raises(InputError, match=r"expected the state of an earlier training.*gatewise rollback"):
        read_state(state)
    shutil.rmtree(state)
    with pytest.raises(InputError, match="cannot be read"):
        WarmStart(state, problem.transform_graph).apply(model)


def _ids(table: str, lines: list[str], capacity: int) -> Ids:
    rows = [(table, line.encode(), row, 0, 0, 1.0) for row, line in enumerate(lines)]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return Ids(frame, 0, {}, {table: "integer"}, {table: capacity})


def _layout(tables: dict[str, tuple[int, int]]) -> FeatureLayout:
    return FeatureLayout(tables=tables, categorical=tuple((name, name) for name in tables), multivalued={}, numeric=())


def test_rows_go_on_by_id_by_hand() -> None:
    """`age` moves behind `item`; 7 gets the row of 2, and `item` has a row more; both tables have 1 bucket."""
    before = _layout({"age": (4, 2), "item": (1 + 1 + 3, 2)})
    after = _layout({"item": (1 + 1 + 4, 2), "age": (4, 2)})
    readers = [Reader("item", column=0), Reader("age", column=1)]
    [old], [new] = fuse(before.tables, readers), fuse(after.tables, readers)
    told: dict[str, dict[str, int]] = {}
    sources, starts = row_sources(
        new, old, before, after, _ids("item", ["1", "2", "3"], 3), _ids("item", ["1", "7", "3"], 4), told
    )
    # Rows of the state: 0 padding, 1-4 age, 5 missing, 6 bucket, 7-9 the items 1, 2, 3.
    assert sources.tolist() == [0, 5, 6, 7, NEW, 9, NEW, 1, 2, 3, 4]
    assert starts.tolist() == [NEW, NEW, NEW, NEW, 6, NEW, NEW, NEW, NEW, NEW, NEW]
    assert told == {"item": {"kept": 4, "new": 1, "free": 1}, "age": {"kept": 4, "new": 0, "free": 0}}


def test_a_new_table_and_other_intervals_start_from_the_seed() -> None:
    before, after = _layout({"age": (4, 2)}), _layout({"age": (5, 2), "brand": (3, 2)})
    [old] = fuse(before.tables, [Reader("age", column=0)])
    [new] = fuse(after.tables, [Reader("age", column=0), Reader("brand", column=1)])
    sources, starts = row_sources(new, old, before, after, None, None, {})
    assert sources.tolist() == [0] + [NEW] * 8 and (starts == NEW).all()


def test_a_reused_row_starts_from_the_bucket_with_fresh_moments(problem: SimpleNamespace, tmp_path: Path) -> None:
    """On the model's own tables: the value in the first row of a vocabulary is another one."""
    layout = FeatureLayout.load(problem.transform_graph)
    table = next(
        name
        for name, _ in layout.categorical
        if name in layout.tables and layout.tables[name][0] > 4 and name != "age_group"
    )
    capacity = layout.tables[table][0] - 2
    lines = [str(number) for number in range(capacity)]
    first = built(problem, plan_of(problem), 1)
    state = state_of(problem, first, tmp_path / "state")
    graph = Path(shutil.copytree(problem.transform_graph, tmp_path / "graph"))
    write_ids(_ids(table, lines, capacity), state / "features" / "ids.parquet")
    write_ids(_ids(table, ["999", *lines[1:]], capacity), graph / "ids.parquet")
    second = built(problem, plan_of(problem), 2)
    told = WarmStart(state, graph).apply(second)
    assert told["rows"][table] == {"kept": 2 + capacity - 1, "new": 1, "free": 0}
    fused = next(number for number, one in enumerate(second.encoder.fused) if table in one.offsets)
    row = second.encoder.fused[fused].offsets[table] + 2
    tables = [keras.ops.convert_to_numpy(model.encoder.embeddings[fused]) for model in (first, second)]
    np.testing.assert_array_equal(tables[1][row], tables[0][row - 1])  # the bucket's row
    np.testing.assert_array_equal(tables[1][row + 1 : row + capacity], tables[0][row + 1 : row + capacity])


def test_a_night_goes_on_where_the_last_one_ended(problem: SimpleNamespace, tmp_path: Path) -> None:
    plan = plan_of(problem, epochs=1, learning_rate_decay="cosine")
    layout = FeatureLayout.load(problem.transform_graph)
    data, evaluation = input_pipeline.read_split(problem.train), input_pipeline.read_split(problem.eval)

    def night(name: str, start: WarmStart | None) -> trainer.Trained:
        folder = tmp_path / name
        checkpoint = TrainingCheckpoint(folder / "checkpoint", keeps_best=True)
        found = trainer.train(plan, layout, data, evaluation, checkpoint, folder / "run", start=start)
        write_features(folder / "run" / "state", problem.transform_graph)
        return found

    first = night("first", None)
    start = WarmStart(tmp_path / "first" / "run" / "state", problem.transform_graph)
    second, again = night("second", start), night("again", start)
    steps = read_state(start.state).variables["optimizer:Adam/iterations"]
    assert int(steps) > 0
    assert int(read_state(tmp_path / "second/run/state").variables["optimizer:Adam/iterations"]) == 2 * int(steps)
    assert second.history["start"]["new"] == second.history["start"]["dropped"] == []
    assert second.best["val_loss"] < first.best["val_loss"]
    assert (tmp_path / "second/run/state/variables.npz").read_bytes() == (
        tmp_path / "again/run/state/variables.npz"
    ).read_bytes()
    assert second.model.tasks == again.model.tasks and "start" not in first.history
    assert json.dumps(second.history["start"])
    before = second.history["start"]["evaluation"]["before_learning"]
    losses = first.model.evaluate(input_pipeline.dataset(data, 100, None), verbose=0, return_dict=True)
    for place, task in enumerate(first.model.tasks):
        assert before[task]["labels"] == np.count_nonzero(data.weights[:, place])
        assert before[task]["loss"] == pytest.approx(float(losses[f"{task}_loss"]), rel=1e-4)


def test_a_schedule_counts_the_steps_of_its_training() -> None:
    rate = LearningRate(0.1, "cosine", warmup_steps=2, steps=10)
    expected = [float(rate(step)) for step in range(12)]
    later = LearningRate(0.1, "cosine", warmup_steps=2, steps=10)
    later.start = 500
    assert [float(later(500 + step)) for step in range(12)] == expected
