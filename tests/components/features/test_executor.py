"""The whole stage: raw Parquet to TransformGraph and columns, and back to what the serving graph says of each row."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.util import examples_utils
from tfx.types import standard_artifacts

from components.features.component import Features
from components.features.executor import Executor
from components.features.plan import IdsPlan
from models.features import input_pipeline
from models.features.ids import read_ids
from models.features.layout import FeatureLayout
from models.features.preprocessing import pack, raw_feature_spec
from models.recipe.errors import InputError


def run(root: Path, plan: Any, splits: str = '["train", "eval"]') -> dict[str, Any]:
    """Runs the executor over `root / "raw"`, and returns the output artifacts."""
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names, examples.span, examples.version = str(root / "raw"), splits, 3, 2
    outputs = {
        "transform_graph": standard_artifacts.TransformGraph(),
        "transformed_examples": standard_artifacts.Examples(),
    }
    for name, artifact in outputs.items():
        artifact.uri = str(root / name)
    context = Executor.Context(
        beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=gatewise"],
        tmp_dir=str(root / "tmp"),
        unique_id="1",
    )
    Executor(context).Do(
        {"examples": [examples]},
        {name: [artifact] for name, artifact in outputs.items()},
        {"plan": plan.model_dump_json(), "code": "1"},
    )
    return outputs


def serialized(table: pa.Table, names: list[str]) -> list[bytes]:
    """The rows as tf.Examples, as a client of the served model would write them."""
    makers = {
        pa.large_binary(): lambda values: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)),
        pa.int64(): lambda values: tf.train.Feature(int64_list=tf.train.Int64List(value=values)),
        pa.float32(): lambda values: tf.train.Feature(float_list=tf.train.FloatList(value=values)),
    }
    rows = []
    for row in table.select(names).to_pylist():
        filled = {
            name: makers[table.schema.field(name).type.value_type](values) for name, values in row.items() if values
        }
        rows.append(tf.train.Example(features=tf.train.Features(feature=filled)).SerializeToString())
    return rows


SHARES = [float(np.float32(share)) for share in (0, -0.0, 0.1, 0.1, 1 / 3, -2.5, -1e-30, 7, math.nan, math.inf)]


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, list[Any]]]:
    """Two hundred rows of every kind, a part of the values missing."""
    random = np.random.default_rng(11)

    def some(make: Any, most: int, count: int = 200) -> list[Any]:
        return [[make() for _ in range(random.integers(0, most + 1))] or None for _ in range(count)]

    return {
        "device": ("bytes", some(lambda: [b"phone", b"tv", b"caf\xc3\xa9", b"", b"a\nb"][random.integers(0, 5)], 1)),
        "item": ("int", some(lambda: int(random.integers(-(2**63), 2**63 - 1) >> random.integers(40, 64)), 1)),
        "seen": ("int", some(lambda: int(random.integers(-5, 5)), 4)),
        "price": ("float", some(lambda: float(np.float32(random.lognormal(2, 3))), 1)),
        "age": ("float", some(lambda: float(np.float32(random.normal(40, 10))), 1)),
        "share": ("float", some(lambda: SHARES[random.integers(0, len(SHARES))], 1)),
        "text": ("float", some(lambda: float(np.float32(random.normal())) if random.random() < 0.9 else math.nan, 3)),
    }


def test_files_are_aligned_and_training_equals_serving(
    tmp_path: Path, make_table: Any, make_plan: Any, features: Any, rows: Any, write_split: Any
) -> None:
    plan = make_plan(features)
    table = make_table(rows, plan.tasks)
    raw = [
        *write_split(tmp_path / "raw", "train", table, 2),
        *write_split(tmp_path / "raw", "eval", table.slice(150), 3),
    ]
    outputs = run(tmp_path, plan)

    graph, transformed = outputs["transform_graph"], outputs["transformed_examples"]
    assert transformed.split_names == '["train", "eval"]'
    assert (transformed.span, transformed.version) == (3, 2)
    assert examples_utils.get_file_format(transformed) == "arrow_ipc"
    assert graph.get_int_custom_property("rows") == 250

    layout = FeatureLayout.load(graph.uri)
    output = tft.TFTransformOutput(graph.uri)
    saved = tf.saved_model.load(output.transform_savedmodel_dir)
    spec = output.raw_feature_spec()
    assert spec == raw_feature_spec(plan.features)
    assert sorted(
        str(path.relative_to(tmp_path / "transformed_examples")) for path in Path(transformed.uri).rglob("*.*")
    ) == [str(path.relative_to(tmp_path / "raw").with_suffix(".arrow")) for path in sorted(raw)]
    for path in raw:
        before = pq.read_table(path)
        after = pa.ipc.open_file(
            tmp_path / "transformed_examples" / path.relative_to(tmp_path / "raw").with_suffix(".arrow")
        ).read_all()
        assert after.column("example_id").to_pylist() == [
            value[0] for value in before.column("gatewise/example_id").to_pylist()
        ]
        for number, task in enumerate(plan.tasks):
            assert [row[number] for row in after.column("labels").to_pylist()] == [
                row[0] for row in before.column(f"label/{task}").to_pylist()
            ]
        examples = serialized(before, list(spec))
        for batch in (examples, [[example] for example in examples]):
            served = [
                pack(saved.transform_fn(tf.io.parse_example(part, spec)), layout)
                for part in ([batch] if batch is examples else batch)
            ]
            for name in ("categorical", "multivalued/seen"):
                assert after.column(name).to_pylist() == np.concatenate([part[name] for part in served]).tolist()
            numeric = np.array(after.column("numeric").to_pylist(), np.float32)
            np.testing.assert_allclose(
                numeric, np.concatenate([part["numeric"] for part in served]), rtol=1e-6, atol=1e-6
            )

    # Equal numbers of the column `share` have equal ids, and others have other ids.
    places = [[name for name, _ in layout.categorical].index("share_value"), layout.numeric.index("share")]
    train = pa.ipc.open_file(next(Path(transformed.uri).glob("Split-train/*.arrow"))).read_all()
    ids, shares = (
        np.array(train.column(name).to_pylist())[:, place]
        for name, place in zip(("categorical", "numeric"), places, strict=True)
    )
    pairs = set(zip(ids[ids > 0].tolist(), shares[ids > 0].tolist(), strict=True))
    # 0 and -0, 0.1, 1/3, -2.5, -1e-30, 7. After scaling to [0, 1], -1e-30 equals 0; its id differs.
    assert len(pairs) == len({id for id, _ in pairs}) == 6 and ids.max() == 1 + 6

    # The ids of the train split use the tables, and stay inside.
    columns = input_pipeline.read_split(f"{transformed.uri}/Split-train/*")
    assert columns.example_id.tolist() == [10 * (i + 1) for i in range(200)]
    for place, (_, name) in enumerate(layout.categorical):
        ids = columns.arrays["categorical"][:, place]
        assert ids.min() == 0
        assert ids.max() < layout.tables[name][0]
    zscores = columns.arrays["numeric"][columns.arrays["numeric"][:, 1] == 0, 0]
    assert zscores.mean() == pytest.approx(0.0, abs=1e-5)
    assert zscores.std() == pytest.approx(1.0, abs=1e-5)


def test_files_and_their_number_do_not_matter(
    tmp_path: Path, make_table: Any, make_plan: Any, features: Any, columns: Any, write_split: Any
) -> None:
    plan = make_plan(features)
    table = make_table(columns, plan.tasks)
    splits = []
    for files in (1, 3):
        write_split(tmp_path / str(files) / "raw", "train", table, files)
        run(tmp_path / str(files), plan, '["train"]')
        splits.append(input_pipeline.read_split(f"{tmp_path}/{files}/transformed_examples/Split-train/*"))
    one, many = splits
    np.testing.assert_array_equal(one.example_id, many.example_id)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array[:], many.arrays[name][:])
    layouts = [(tmp_path / str(files) / "transform_graph" / "layout.json").read_text() for files in (1, 3)]
    assert layouts[0] == layouts[1]


def test_a_missing_column_is_told_before_anything_runs(
    tmp_path: Path, make_table: Any, make_plan: Any, write_split: Any
) -> None:
    plan = make_plan({"device": {"kind": "categorical", "column": "devcie"}})
    write_split(tmp_path / "raw", "train", make_table({"device": ("bytes", [[b"a"]])}, plan.tasks), 1)
    with pytest.raises(InputError, match="feature 'device' reads the column 'devcie', which the examples do not have"):
        run(tmp_path, plan, '["train"]')
    assert not (tmp_path / "transform_graph").exists()


def test_no_train_split(tmp_path: Path, make_table: Any, make_plan: Any, write_split: Any) -> None:
    plan = make_plan({"device": {"kind": "categorical"}})
    write_split(tmp_path / "raw", "eval", make_table({"device": ("bytes", [[b"a"]])}, plan.tasks), 1)
    with pytest.raises(InputError, match="no files in the split 'train'"):
        run(tmp_path, plan, '["eval"]')


def test_the_component_has_the_standard_channels() -> None:
    examples = standard_artifacts.Examples()
    from tfx.types import channel_utils

    component = Features(examples=channel_utils.as_channel([examples]), plan="{}", code="1")
    assert component.outputs["transform_graph"].type is standard_artifacts.TransformGraph
    assert component.outputs["transformed_examples"].type is standard_artifacts.Examples
    assert component.exec_properties == {"plan": "{}", "code": "1"}


def test_a_feature_without_a_value_is_refused_without_the_words_of_beam(
    tmp_path: Path, make_plan: Any, make_table: Any, write_split: Any
) -> None:
    plan = make_plan({"price": {"kind": "numeric", "column": "cost"}})
    for split in ("train", "eval"):
        write_split(tmp_path / "raw", split, make_table({"cost": ("float", [None, None])}, plan.tasks), 1)
    with pytest.raises(InputError, match=r"no value in any of the 2 train examples.* or remove the feature\.$"):
        run(tmp_path, plan)


def test_the_ids_of_a_night_do_not_depend_on_the_files(
    tmp_path: Path, make_table: Any, make_plan: Any, write_split: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ids = IdsPlan(state="", learned_until=None, day=100, half_life=10, forget_after=None)
    feature = {"kind": "categorical", "type": "integer", "vocabulary": 3, "oov_buckets": 2}
    plan = make_plan({"item": feature}).model_copy(update={"ids": ids})
    table = make_table({"item": ("int", [[number % 5] for number in range(12)])}, plan.tasks)
    times = pa.array([[number] for number in range(12)], pa.large_list(pa.int64()))
    ledgers = []
    for files in (1, 3):
        root = tmp_path / str(files)
        write_split(root / "raw", "train", table.append_column("gatewise/event_time", times), files)
        with caplog.at_level("INFO", logger="components.features.executor"):
            run(root, plan, '["train"]')
        ledgers.append((root / "transform_graph" / "ids.parquet").read_bytes())
        assert FeatureLayout.load(root / "transform_graph").tables == {"item": (1 + 2 + 3, 4)}
    assert ledgers[0] == ledgers[1]
    # 0 and 1 occur three times, 2, 3 and 4 twice.
    words = "Ids of item: 3 of 3 rows in use; 0 kept, 3 admitted, 0 evicted, 2 waiting."
    assert [record.getMessage() for record in caplog.records if record.name.endswith("features.executor")] == [
        words
    ] * 2
    rows = read_ids(root / "transform_graph").rows.drop("table").rows()
    assert rows[:4] == [(b"0", 0, 0, 10, 3), (b"1", 1, 1, 11, 3), (b"2", 2, 2, 7, 2), (b"3", -1, 3, 8, 2)]


def test_ids_need_the_times_of_the_impressions(
    tmp_path: Path, make_table: Any, make_plan: Any, write_split: Any
) -> None:
    ids = IdsPlan(state="", learned_until=None, day=100, half_life=10, forget_after=None)
    plan = make_plan({"device": {"kind": "categorical"}}).model_copy(update={"ids": ids})
    write_split(tmp_path / "raw", "train", make_table({"device": ("bytes", [[b"a"]])}, plan.tasks), 1)
    with pytest.raises(InputError, match="`training.start: warm` needs the column 'gatewise/event_time'"):
        run(tmp_path, plan, '["train"]')


def test_the_second_night_goes_on_from_the_state_of_the_first(
    tmp_path: Path, make_table: Any, make_plan: Any, write_split: Any
) -> None:
    feature = {"kind": "categorical", "type": "integer", "vocabulary": 3}
    plan, state = make_plan({"item": feature}), ""
    # 3 has the fewest; then 8 comes twice, and the first row is one of the day before.
    for day, items in ((1, [1, 1, 1, 2, 2, 3]), (2, [8, 8, 8, 2])):
        root = tmp_path / str(day)
        ids = IdsPlan(state=state, learned_until=6, day=10 * day, half_life=10, forget_after=None)
        table = make_table({"item": ("int", [[item] for item in items])}, plan.tasks)
        times = [[time] for time in (range(6) if day == 1 else (5, 11, 12, 13))]
        table = table.append_column("gatewise/event_time", pa.array(times, pa.large_list(pa.int64())))
        write_split(root / "raw", "train", table, 2)
        run(root, plan.model_copy(update={"ids": ids}), '["train"]')
        state = str(root / "state")
        shutil.copytree(root / "transform_graph", root / "state" / "features")
    rows = read_ids(root / "transform_graph").rows.drop("table").rows()
    assert rows == [(b"1", 0, 0, 2, 1.5), (b"2", 1, 3, 13, 2), (b"8", 2, 11, 12, 2), (b"3", -1, 5, 5, 0.5)]
    columns = input_pipeline.read_split(f"{root}/transformed_examples/Split-train/*")
    # After the ids of a missing value and of one outside the vocabulary.
    assert columns.arrays["categorical"][:, 0].tolist() == [4, 4, 4, 3]
