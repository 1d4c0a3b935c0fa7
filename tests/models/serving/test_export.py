"""The exported model: asked in another process, with real and odd requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.features.layout import FeatureLayout
from models.recipe.errors import InputError
from models.serving.export import export, packed_spec
from models.serving.inference import load_named, load_predictor, load_server
from models.serving.inputs import read_expected, read_inputs, serialize_examples
from models.serving.named_rows import named_columns, page_of, rank_columns
from models.serving.plan import ServingPlan
from models.serving.served_values import served_row, with_served

ROOT = Path(__file__).parents[3]


class Formula(tf.Module):
    """Predictions that need no training: sums of every packed column, through a variable."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = tf.Variable(0.125)
        self.unused = tf.Variable(tf.zeros((1000, 1000)))

    def predictions(self, features: Mapping[str, Any]) -> dict[str, Any]:
        sums = [tf.reduce_sum(tf.cast(values, tf.float32), axis=1) for _, values in sorted(features.items())]
        total = self.factor * tf.add_n([(place + 1.0) * part for place, part in enumerate(sums)])
        return {"click": tf.sigmoid(total), "value": total[:, tf.newaxis]}


@pytest.fixture(scope="module")
def exported(problem: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "Format-Serving"
    export(
        Formula().predictions,
        problem.transform_graph,
        FeatureLayout.load(problem.transform_graph),
        folder,
        inputs=problem.inputs,
        kinds={"click": "binary", "value": "regression"},
        expected={"example_ids": [0], "predictions": {"click": [0.5], "value": [0.0]}},
        plan=ServingPlan(score="click * taste - 0.5 * value", weights={"taste": 2.0}, tunable_weights=True),
    )
    return folder


@pytest.fixture(scope="module")
def columns(problem: SimpleNamespace) -> dict[str, np.ndarray]:
    """The packed columns of the eval split, as the training sees them, in the order of the raw rows."""
    from models.features import input_pipeline

    return {name: np.asarray(array) for name, array in input_pipeline.read_split(problem.eval).arrays.items()}


def test_another_process_answers_what_the_formula_says(
    exported: Path, problem: SimpleNamespace, columns: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """The folder is copied elsewhere, and the transform graph it came from is not needed."""
    (tmp_path / "requests.json").write_text(
        json.dumps(
            [
                {name: [v.decode() if isinstance(v, bytes) else v for v in values] for name, values in row.items()}
                for row in problem.rows["eval"]
            ]
        )
    )
    copied = exported.rename(tmp_path / "1700000000")
    try:
        script = f"""
import json, sys, numpy as np
from models.serving.inference import load_server, load_predictor
from models.serving.inputs import read_inputs, serialize_examples
rows = json.load(open({str(tmp_path / "requests.json")!r}))
examples = serialize_examples(rows, read_inputs({str(copied)!r})["inputs"])
server = load_server({str(copied)!r})
answers = server(examples)
single = {{task: np.concatenate([server([example])[task] for example in examples]) for task in answers}}
print(json.dumps({{"batch": {{t: a.tolist() for t, a in answers.items()}}, "single": {{t: a.tolist() for t, a in single.items()}},
  "imported": sorted({{"keras", "tfx", "tensorflow_transform", "apache_beam"}} & set(sys.modules))}}))
"""
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    finally:
        copied.rename(exported)
    got = json.loads(done.stdout.splitlines()[-1])
    sums = [np.asarray(values, np.float64).sum(axis=1) for _, values in sorted(columns.items())]
    total = 0.125 * sum((place + 1) * part for place, part in enumerate(sums))
    assert got["batch"]["value"] == pytest.approx(total, abs=1e-5)
    assert got["batch"]["click"] == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-5)
    for task in ("click", "value"):
        assert got["single"][task] == pytest.approx(got["batch"][task], abs=1e-6)
    assert got["imported"] == [], "asking a model takes TensorFlow only"


def test_the_predictor_answers_as_the_server_in_any_batch_size(
    exported: Path, problem: SimpleNamespace, columns: dict[str, np.ndarray]
) -> None:
    served = load_server(exported)(serialize_examples(problem.rows["eval"], problem.inputs))
    for batch_size in (7, 70, 10_000):
        answers = load_predictor(exported, batch_size)(columns)
        assert set(answers) == {"click", "value"}
        for task, values in answers.items():
            assert values.shape == (70,)
            np.testing.assert_allclose(values, served[task], atol=1e-6)
    nothing = load_predictor(exported)({name: array[:0] for name, array in columns.items()})
    assert {task: values.shape for task, values in nothing.items()} == {"click": (0,), "value": (0,)}


def test_what_a_request_leaves_out_is_missing(exported: Path, problem: SimpleNamespace) -> None:
    server = load_server(exported)
    nothing = server(serialize_examples([{}], problem.inputs))
    # device 0, item 0, age_group 0; age 0 and its missing flag 1; three times -1 for no tag.
    total = 0.125 * (1 * 0 + 2 * -3 + 3 * 1)
    assert nothing["value"] == pytest.approx([total]) and nothing["click"] == pytest.approx([1 / (1 + np.exp(-total))])
    odd = tf.train.Example(
        features=tf.train.Features(
            feature={"never_heard_of": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x"]))}
        )
    )
    assert server([odd.SerializeToString()])["value"] == pytest.approx([total])
    (row,) = serialize_examples([{"device": "phone"}], problem.inputs)
    # id of the most frequent device: after missing and two buckets.
    assert server([row])["value"] == pytest.approx([0.125 * (1 * 3 + 2 * -3 + 3 * 1)])
    assert {task: values.shape for task, values in server([]).items()} == {"click": (0,), "value": (0,)}


def test_the_signatures_and_the_notes(exported: Path, problem: SimpleNamespace) -> None:
    signatures = tf.saved_model.load(str(exported)).signatures
    assert set(signatures) == {"serving_default", "raw", "rank", "transformed"}
    (examples,) = signatures["serving_default"].structured_input_signature[1].values()
    assert examples == tf.TensorSpec((None,), tf.string, name="examples")
    assert set(signatures["transformed"].structured_input_signature[1]) == {
        "categorical",
        "numeric",
        "multivalued_tags",
    }
    ranking = {name: (spec.dtype, spec.shape.rank) for name, spec in signatures["rank"].structured_outputs.items()}
    assert (ranking.pop("score"), ranking.pop("ranking")) == ((tf.float32, 1), (tf.int32, 1))
    assert ranking == {"click": (tf.float32, 1), "value": (tf.float32, 1)}
    for name in ("raw", "rank"):
        columns = signatures[name].structured_input_signature[1]
        assert columns.pop("taste", None) == (tf.TensorSpec((), tf.float32, name="taste") if name == "rank" else None)
        assert {column: (spec.dtype, spec.shape.rank) for column, spec in columns.items()} == {
            "device": (tf.string, 1),
            "item": (tf.int64, 1),
            "tags": (tf.string, 2),
            "age": (tf.float32, 1),
        }
    for signature in (signatures["serving_default"], signatures["raw"], signatures["transformed"]):
        assert {name: (spec.dtype, spec.shape.rank) for name, spec in signature.structured_outputs.items()} == {
            "click": (tf.float32, 1),
            "value": (tf.float32, 1),
        }
    notes = read_inputs(exported)
    assert notes["inputs"] == problem.inputs and notes["tasks"] == {"click": "binary", "value": "regression"}
    assert 1.6e9 < notes["exported_at"] < 1e10
    assert read_expected(exported) == {"example_ids": [0], "predictions": {"click": [0.5], "value": [0.0]}}


def test_only_the_variables_that_predict_are_saved(exported: Path) -> None:
    size = sum(path.stat().st_size for path in (exported / "variables").iterdir())
    assert size < 100_000, "the unused million of numbers is in it"


def test_the_warmup_requests_are_answered(exported: Path) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    signatures, asked = tf.saved_model.load(str(exported)), []
    for record in tf.data.TFRecordDataset(str(exported / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        answers = signatures.signatures[request.model_spec.signature_name](**inputs)
        assert all(np.isfinite(values).all() for values in answers.values())
        asked.append((request.model_spec.signature_name, answers["click"].shape[0]))
    assert asked == [(name, rows) for rows in (1, 2) for name in ("serving_default", "raw", "rank")]


def test_named_columns_are_answered_as_examples_are(exported: Path, problem: SimpleNamespace) -> None:
    rows = problem.rows["eval"]
    expected = load_server(exported)(serialize_examples(rows, problem.inputs))
    raw = load_named(exported, "raw")[0]
    answers = raw(named_columns(rows, problem.inputs, problem.inputs, "test"))
    for task, values in expected.items():
        np.testing.assert_array_equal(answers[task], values)


def test_what_stands_for_no_value_is_none(exported: Path, problem: SimpleNamespace) -> None:
    raw, none = load_named(exported, "raw")[0], -(2**63)
    tags = np.array([[b"", b"new", b""], [b"sale", b"", b"new"], [b"", b"", b""]], object)
    answers = raw(
        {
            "device": np.array([b"", b"phone", b""], object),
            "item": np.array([none, 7, none]),
            "tags": tags,
            "age": np.array([np.nan, 30, np.inf], "f4"),
        }
    )
    rows = [{"tags": ["new"]}, {"device": "phone", "item": 7, "tags": ["sale", "new"], "age": 30.0}, {}]
    expected = load_server(exported)(serialize_examples(rows, problem.inputs))
    for task, values in expected.items():
        np.testing.assert_array_equal(answers[task], values)


def test_one_row_stands_for_all_and_other_numbers_are_refused(exported: Path, problem: SimpleNamespace) -> None:
    raw = load_named(exported, "raw")[0]
    devices = np.array([b"phone", b"desktop", b"watch"], object)
    expected = load_server(exported)(
        serialize_examples([{"device": str(name, "ascii"), "item": 8} for name in devices], problem.inputs)
    )
    np.testing.assert_array_equal(raw({"device": devices, "item": np.array([8])})["value"], expected["value"])
    assert raw({"device": devices[:0], "item": np.array([8])})["value"].shape == (0,)
    assert raw({})["value"].shape == (1,)
    with pytest.raises(tf.errors.InvalidArgumentError):
        raw({"device": devices, "item": np.array([8, 9])})


@pytest.mark.parametrize("count", [0, 1, 7])
def test_ranking_is_what_the_examples_give_one_by_one(exported: Path, problem: SimpleNamespace, count: int) -> None:
    rows = problem.rows["eval"]
    request = page_of(rows[0], rows[:count], problem.inputs)
    whole = [{**candidate, **request["user"]} for candidate in request["candidates"]]
    expected = load_server(exported)(serialize_examples(whole, problem.inputs))
    answers = load_named(exported, "rank")[0](rank_columns(request, problem.inputs))
    for task, values in expected.items():
        np.testing.assert_allclose(answers[task], values, atol=1e-6)
    score = 2 * expected["click"] - 0.5 * expected["value"]
    np.testing.assert_allclose(answers["score"], score, atol=1e-6)
    assert answers["ranking"].tolist() == np.argsort(-answers["score"], kind="stable").tolist()


def test_a_request_may_try_other_weights(exported: Path, problem: SimpleNamespace) -> None:
    columns = rank_columns(page_of(problem.rows["eval"][0], problem.rows["eval"][:9], problem.inputs), problem.inputs)
    rank = load_named(exported, "rank")[0]
    default, tuned = rank(columns), rank({**columns, "taste": np.float32(-3)})
    np.testing.assert_array_equal(tuned["click"], default["click"])
    np.testing.assert_allclose(tuned["score"], -3 * default["click"] - 0.5 * default["value"], rtol=1e-5)


def test_equal_candidates_keep_their_order_and_no_number_comes_last(exported: Path) -> None:
    rank = load_named(exported, "rank")[0]
    same = {"device": np.array([b"phone"] * 4, object)}
    assert rank(same)["ranking"].tolist() == [0, 1, 2, 3]
    assert rank({**same, "taste": np.float32("nan")})["ranking"].tolist() == [0, 1, 2, 3]


def test_two_users_in_one_ranking_are_refused(exported: Path) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="rank: expected one row for each user column: age"):
        load_named(exported, "rank")[0]({"age": np.array([1, 2], "f4"), "item": np.array([7, 8, 9])})


def test_the_defaults_stand_in_the_signatures(exported: Path) -> None:
    """Where TensorFlow Serving finds what a request has left out."""
    from tensorflow.core.protobuf import saved_model_pb2

    graph = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes()).meta_graphs[0]
    defaults = graph.signature_def["rank"].defaults
    assert set(defaults) == set(graph.signature_def["rank"].inputs)
    assert tf.make_ndarray(defaults["taste"]) == 2.0
    assert tf.make_ndarray(defaults["item"]).tolist() == [-(2**63)]
    assert tf.make_ndarray(defaults["tags"]).shape == (1, 0)


def test_what_is_empty_is_absent_from_the_signature() -> None:
    layout = FeatureLayout(tables={"a": (3, 2)}, categorical=(("a", "a"),), multivalued={}, numeric=())
    assert packed_spec(layout) == {"categorical": tf.TensorSpec((None, 1), tf.int32, name="categorical")}


def test_a_second_export_replaces_the_first_and_a_killed_one(exported: Path, problem: SimpleNamespace) -> None:
    litter = exported.with_name(f".{exported.name}.tmp")
    litter.mkdir()
    (litter / "half").write_text("x")
    (exported / "stale").write_text("x")
    test = Formula()
    export(
        test.predictions,
        problem.transform_graph,
        FeatureLayout.load(problem.transform_graph),
        exported,
        inputs=problem.inputs,
        kinds={"click": "binary", "value": "regression"},
        expected={"example_ids": [0], "predictions": {"click": [0.5], "value": [0.0]}},
    )
    assert not litter.exists() and not (exported / "stale").exists() and not (exported / "half").exists()
    assert (exported / "saved_model.pb").is_file()


def test_what_is_no_exported_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected an exported model, found no saved_model\.pb"):
        load_server(tmp_path)
    module = tf.Module()
    module.f = tf.function(lambda x: x, input_signature=[tf.TensorSpec((None,), tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "other"), signatures={"own": module.f})
    with pytest.raises(InputError, match=r"a signature 'transformed', found \['own'\]"):
        load_predictor(tmp_path / "other")


def test_a_served_value_replaces_that_of_the_request(
    exported: Path, problem: SimpleNamespace, columns: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """Every signature of a client ignores the column; `logged` and the packed columns keep the logged values."""
    layout, served = FeatureLayout.load(problem.transform_graph), {"device": "desktop", "age": 30.0}
    export(
        Formula().predictions,
        problem.transform_graph,
        layout,
        tmp_path / "served",
        inputs=problem.inputs,
        kinds={"click": "binary", "value": "regression"},
        expected={"example_ids": [], "predictions": {}},
        served=served,
    )
    rows = problem.rows["eval"]
    changed = [{**row, "device": ["desktop"], "age": [30.0]} for row in rows]
    without = [{"item": row["item"], "tags": row["tags"]} for row in rows]
    expected = load_server(exported)(serialize_examples(changed, problem.inputs))["value"]
    server = load_server(tmp_path / "served")
    raw, rank = load_named(tmp_path / "served", "raw", "rank")
    for sent in (rows, without, changed):
        answers = [
            server(serialize_examples(sent, problem.inputs)),
            raw(named_columns(sent, problem.inputs, problem.inputs, "test")),
            rank(rank_columns(page_of(sent[0], sent, problem.inputs), problem.inputs)),
        ]
        for answer in answers:
            np.testing.assert_allclose(answer["value"], expected, atol=1e-6)
    assert server([])["value"].shape == (0,)
    wrong = tf.train.Example(
        features=tf.train.Features(feature={"age": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"old"]))})
    )
    assert server([wrong.SerializeToString()])["value"] == pytest.approx(server(serialize_examples([{}], {}))["value"])
    # The trainer's expectation, from the packed columns.
    row = served_row(problem.transform_graph, layout, served)
    packed = with_served(columns, row, layout, ("device", "age", "age_group"))
    np.testing.assert_allclose(Formula().predictions(packed)["value"].numpy()[:, 0], expected, atol=1e-6)
    assert with_served(columns, row, layout, ())["numeric"] is columns["numeric"]
    # The evaluation's predictions, of the packed columns and of the raw ones.
    own = load_server(exported)(serialize_examples(rows, problem.inputs))["value"]
    assert not np.allclose(own, expected)
    logged = load_server(tmp_path / "served", logged=True)(serialize_examples(rows, problem.inputs))["value"]
    np.testing.assert_allclose(logged, own, atol=1e-6)
    np.testing.assert_allclose(load_predictor(tmp_path / "served")(columns)["value"], own, atol=1e-6)
    np.testing.assert_allclose(
        load_server(exported, logged=True)(serialize_examples(rows, problem.inputs))["value"], own, atol=1e-6
    )
