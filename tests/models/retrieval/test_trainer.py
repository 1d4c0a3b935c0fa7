"""The retrieval trainer and its exported model, on a problem whose answer is known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.recipe.errors import InputError, TrainingError
from models.retrieval.inference import RetrievalModel, load_retrieval
from models.retrieval.interactions import read_interactions
from models.retrieval.plan import RetrievalPlan
from models.retrieval.trainer import run_fn, train
from models.serving.inputs import serialize_examples
from models.serving.named_rows import named_columns
from models.training.checkpoint import TrainingCheckpoint

from .conftest import ITEMS, item_row, recipe_with, write_items


def plan_with(**section: Any) -> RetrievalPlan:
    return RetrievalPlan.from_recipe(recipe_with(**section))


def run(problem: SimpleNamespace, folder: Path, items: str | None = None, **section: Any) -> Path:
    """Trains and exports as the stock Trainer would have it."""
    run_fn(
        SimpleNamespace(
            custom_config={"plan": plan_with(**section).model_dump_json(), "checkpoints": str(folder / "checkpoints")},
            transform_graph_path=str(problem.transform_graph),
            model_run_dir=str(folder / "run"),
            serving_model_dir=str(folder / "model"),
            train_files=[problem.positives],
            eval_files=[items or problem.items],
        )
    )
    return folder / "model"


@pytest.fixture(scope="module")
def exported(problem: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(problem, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="module")
def model(exported: Path) -> RetrievalModel:
    return load_retrieval(exported)


def ask(model: RetrievalModel, *users: dict[str, Any]) -> dict[str, np.ndarray]:
    inputs = model.notes["inputs"]
    return model.retrieve(named_columns(users, inputs, inputs, "test"))


def test_it_learns_who_takes_what(model: RetrievalModel) -> None:
    answers = ask(model, {"segment": "even", "age": 40.0}, {"segment": "odd", "age": 40.0})["item_ids"]
    assert (answers[0] % 2 == 0).mean() > 0.9
    assert (answers[1] % 2 == 1).mean() > 0.9
    assert answers[0, 0] < 110, "of its own kind the items that are chosen most come first"


def test_the_history_alone_tells_the_taste(model: RetrievalModel) -> None:
    answers = ask(model, {"history": [100, 102, 104]}, {"history": [101, 103, 105]})["item_ids"]
    assert (answers[0] % 2 == 0).mean() > 0.8
    assert (answers[1] % 2 == 1).mean() > 0.8


def test_the_answer_is_the_exact_top_k_of_the_signatures_vectors(model: RetrievalModel) -> None:
    user = {"segment": "even", "age": 33.0, "device": "desktop", "history": [100, 7, 104, 106]}
    of_user = {name: about for name, about in model.notes["inputs"].items() if name != "exclude"}
    query = model.query_vectors(serialize_examples([user], of_user))
    rows = [item_row(item) for item in ITEMS]
    vectors = model.item_vectors(serialize_examples(rows, model.notes["item_inputs"]))
    scores = (query @ vectors.T)[0]
    best = np.argsort(-scores, kind="stable")[:10]
    answer = ask(model, user)
    assert answer["item_ids"][0].tolist() == [ITEMS[place] for place in best]
    assert answer["scores"][0] == pytest.approx(scores[best], abs=1e-5)


def test_excluded_items_are_not_answered_and_the_next_ones_move_up(model: RetrievalModel) -> None:
    user = {"segment": "odd", "age": 40.0}
    full = ask(model, user)["item_ids"][0]
    without = ask(model, {**user, "exclude": [int(full[0]), int(full[3]), 999]})["item_ids"][0]
    assert without[:8].tolist() == [item for item in full if item not in (full[0], full[3])]
    assert len(set(without.tolist())) == 10


def test_where_everything_is_excluded_nothing_is_answered(model: RetrievalModel) -> None:
    answer = ask(model, {"exclude": list(ITEMS[:-1])})
    assert answer["item_ids"][0].tolist() == [ITEMS[-1]] + [-1] * 9
    assert np.isneginf(answer["scores"][0, 1:]).all()


def test_a_user_never_seen_gets_a_full_answer(model: RetrievalModel) -> None:
    for user in ({}, {"segment": "never seen"}, {"history": [987654321]}):
        answer = ask(model, user)
        assert len(set(answer["item_ids"][0].tolist())) == 10
        assert np.isfinite(answer["scores"]).all()


def test_an_item_without_features_has_a_place(model: RetrievalModel) -> None:
    vectors = model.item_vectors(serialize_examples([{}, {"item_id": 12345}], model.notes["item_inputs"]))
    assert np.isfinite(vectors).all()
    assert model.notes["items"] == len(ITEMS), "the last of them has nothing but its id"


def test_rows_of_a_batch_do_not_depend_on_each_other(model: RetrievalModel) -> None:
    users = [
        {"segment": "even", "history": [101]},
        {"history": [100, 102]},
        {},
        {"device": "phone", "exclude": [100, 101]},
    ]
    together = ask(model, *users)
    for number, user in enumerate(users):
        alone = ask(model, user)
        assert alone["item_ids"][0].tolist() == together["item_ids"][number].tolist()


def test_the_prior_is_added_to_the_items_score(model: RetrievalModel, problem: SimpleNamespace, tmp_path: Path) -> None:
    lifted = write_items(tmp_path / "items" / "items.parquet", ITEMS, {ITEMS[-1]: 50.0, ITEMS[0]: -50.0})
    section = {"log_q": False, "prior": {"kind": "rate", "window": "1d"}, "epochs": 1}
    with_prior = load_retrieval(run(problem, tmp_path, lifted, **section))
    assert with_prior.notes["prior"] and not model.notes["prior"]
    answer = ask(with_prior, {"segment": "even"})
    assert answer["item_ids"][0, 0] == ITEMS[-1]
    assert ITEMS[0] not in answer["item_ids"][0]
    assert with_prior.query_vectors(serialize_examples([{}], {}))[0, -1] == 1.0
    assert with_prior.item_vectors(serialize_examples([{}], {}))[0, -1] == 0.0


def test_texts_name_items_too(problem: SimpleNamespace) -> None:
    from models.retrieval.exact_index import ExactIndex

    index = ExactIndex(np.eye(3, dtype=np.float32), np.array([b"a", b"b", b"c"], object), 5)
    ids, scores = index(tf.constant([[1.0, 2.0, 2.0]]), tf.constant([[b"c", b""]]))
    assert ids.numpy().tolist() == [[b"b", b"a", b""]]
    assert scores.numpy()[0, :2].tolist() == [2.0, 1.0]
    index = ExactIndex(np.eye(2, dtype=np.float32), np.array([b"7", b"007"], object), 2)
    assert index(tf.constant([[1.0, 2.0]]), tf.constant([[b"7.0"]]))[0].numpy().tolist() == [[b"007", b""]]


def test_the_same_seed_gives_the_same_model_also_after_a_kill(problem: SimpleNamespace, tmp_path: Path) -> None:
    data, layout, plan = read_interactions(problem.positives), problem.layout, plan_with()
    whole, history = train(plan, layout, data, TrainingCheckpoint(tmp_path / "whole"))

    class Killed(Exception):
        pass

    class Dying(TrainingCheckpoint):
        def save(self, *arguments: Any) -> None:
            super().save(*arguments)
            if arguments[1].round == 2:
                raise Killed

    with pytest.raises(Killed):
        train(plan, layout, data, Dying(tmp_path / "killed"))
    resumed, resumed_history = train(plan, layout, data, TrainingCheckpoint(tmp_path / "killed"))
    for one, other in zip(whole.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert [entry["loss"] for entry in history] == [entry["loss"] for entry in resumed_history]
    assert history[-1]["loss"] < history[0]["loss"]
    _, other = train(
        plan_with(epochs=1).model_copy(update={"seed": 2}), layout, data, TrainingCheckpoint(tmp_path / "other")
    )
    assert other[0]["loss"] != history[0]["loss"]


@pytest.mark.parametrize(
    "section",
    [
        {"hard_negatives": 4, "log_q": False, "batches": "by_time"},
        {"normalise": True, "temperature": 0.1, "history": 0},
        {"remove_accidental_hits": False, "units": [], "context": []},
    ],
    ids=str,
)
def test_every_option_trains_and_exports(problem: SimpleNamespace, tmp_path: Path, section: dict[str, Any]) -> None:
    model = load_retrieval(run(problem, tmp_path, **{"epochs": 2, **section}))
    assert np.isfinite(ask(model, {"segment": "odd"})["scores"]).all()
    if section.get("normalise"):
        vectors = model.item_vectors(serialize_examples([item_row(item) for item in ITEMS], model.notes["item_inputs"]))
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_more_items_than_can_be_compared_give_vectors_only(problem: SimpleNamespace, tmp_path: Path) -> None:
    model = load_retrieval(run(problem, tmp_path, max_exact_items=len(ITEMS) - 1, epochs=1))
    assert model.notes["answers"] == 0
    assert model.query_vectors(serialize_examples([{}], {})).shape == (1, 8)
    with pytest.raises(InputError, match=r"40 items, too many .*gatewise index"):
        ask(model, {})


def test_an_empty_catalogue_is_refused(problem: SimpleNamespace, tmp_path: Path) -> None:
    empty = write_items(tmp_path / "items" / "items.parquet", ())
    with pytest.raises(InputError, match=r"item table is empty.*item_ttl"):
        run(problem, tmp_path, empty, epochs=1)
    assert not (tmp_path / "model").exists()


def test_a_loss_that_is_no_number_ends_the_training(problem: SimpleNamespace, tmp_path: Path) -> None:
    data = read_interactions(problem.positives)
    broken = dataclasses.replace(data, weight=np.full(len(data), np.nan, np.float32))
    with pytest.raises(TrainingError, match=r"loss of epoch 1 is nan.*learning_rate"):
        train(plan_with(), problem.layout, broken, TrainingCheckpoint(tmp_path))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no saved_model.pb"):
        load_retrieval(tmp_path)


def test_what_is_written_beside_the_model(exported: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(exported / "assets.extra" / "items.parquet")
    assert table.num_rows == len(ITEMS)
    assert table.schema.field("gatewise/vector").type.list_size == 8
    history = json.loads((exported.parent / "run" / "history.json").read_text())
    assert history["rows"] == 600 and len(history["epochs"]) == 4
    assert (exported / "assets.extra" / "tf_serving_warmup_requests").is_file()
