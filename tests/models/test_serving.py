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

from models.encoding import Encoding
from models.errors import InputError
from models.serving import export, load_predictor, load_server, packed_spec
from models.serving_inputs import read_expected, read_inputs, serialize_examples

ROOT = Path(__file__).parents[2]


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
        Encoding.load(problem.transform_graph),
        folder,
        inputs=problem.inputs,
        kinds={"click": "binary", "value": "regression"},
        expected={"example_ids": [0], "predictions": {"click": [0.5], "value": [0.0]}},
    )
    return folder


@pytest.fixture(scope="module")
def columns(problem: SimpleNamespace) -> dict[str, np.ndarray]:
    """The packed columns of the eval split, as the training sees them, in the order of the raw rows."""
    from models import feed

    return {name: np.asarray(array) for name, array in feed.read_split(problem.eval).arrays.items()}


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
from models.serving import load_server, load_predictor
from models.serving_inputs import read_inputs, serialize_examples
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
    assert set(signatures) == {"serving_default", "transformed"}
    (examples,) = signatures["serving_default"].structured_input_signature[1].values()
    assert examples == tf.TensorSpec((None,), tf.string, name="examples")
    assert set(signatures["transformed"].structured_input_signature[1]) == {
        "categorical",
        "numeric",
        "multivalued_tags",
    }
    for signature in signatures.values():
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

    server, sizes = load_server(exported), []
    for record in tf.data.TFRecordDataset(str(exported / "assets.extra" / "tf_serving_warmup_requests")):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.signature_name == "serving_default"
        examples = tf.make_ndarray(request.inputs["examples"]).tolist()
        assert all(np.isfinite(values).all() for values in server(examples).values())
        sizes.append(len(examples))
    assert sizes == [1, 1, 2]


def test_what_is_empty_is_absent_from_the_signature() -> None:
    encoding = Encoding(tables={"a": (3, 2)}, categorical=(("a", "a"),), multivalued={}, numeric=())
    assert packed_spec(encoding) == {"categorical": tf.TensorSpec((None, 1), tf.int32, name="categorical")}


def test_a_second_export_replaces_the_first_and_a_killed_one(exported: Path, problem: SimpleNamespace) -> None:
    litter = exported.with_name(f".{exported.name}.tmp")
    litter.mkdir()
    (litter / "half").write_text("x")
    (exported / "stale").write_text("x")
    test = Formula()
    export(
        test.predictions,
        problem.transform_graph,
        Encoding.load(problem.transform_graph),
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
