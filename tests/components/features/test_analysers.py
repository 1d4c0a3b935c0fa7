"""The analysis: worked by hand, in any division of the rows, and against stock TensorFlow Transform."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.columnar import frequent
from components.features import analysers
from components.features.analysers import analyse, conclude, merge
from models.features.layout import Analysed
from models.recipe.errors import InputError
from models.recipe.features import Categorical


def test_every_kind_by_hand(make_table: Any, make_plan: Any, features: Any, columns: Any) -> None:
    plan = make_plan(features)
    table = make_table(columns, plan.tasks)
    analysed, vocabularies = conclude(analyse(table.to_batches()[0], plan.features), plan.features)
    assert vocabularies["device"].to_pylist() == [b"phone", b"tv", b"caf\xc3\xa9"]
    # item: -5 x3, 7 x3, 2**62 x1; seen (the first two only, so no 99): 7 x4, -5, 1, 2, 3, 4.
    assert vocabularies["item"].to_pylist() == [7, -5, 1, 2, 3, 4, 2**62]
    # 0.5 x5, 0.25, 0.75.
    assert vocabularies["share_value"].to_pylist() == [0.5, 0.25, 0.75]
    assert vocabularies["share_often"].to_pylist() == [0.5]
    assert analysed.vocabulary_sizes == {"device": 3, "item": 7, "share_value": 3, "share_often": 1}
    # A cross has no constants.
    assert "device_item" not in {*analysed.vocabulary_sizes, *analysed.boundaries, *analysed.scaling}
    # 1..7: floor(7/3) = 2, floor(14/3) = 4.
    assert analysed.boundaries == {"age": (3.0, 5.0), "ages": (1.0, 3.0, 5.0, 7.0)}
    assert analysed.scaling["share"] == (0.25, 0.5)
    # The whole vectors: (3, 4), (1, 0), (0, 0), (4, 8). Components: 3, 1, 0, 4 and 4, 0, 0, 8.
    assert analysed.scaling["text/1"] == pytest.approx((2.0, math.sqrt(2.5)), rel=1e-14)
    assert analysed.scaling["text/2"] == pytest.approx((3.0, math.sqrt(11.0)), rel=1e-14)
    assert not any(name.startswith("direction") for name in analysed.scaling)
    prices = np.float32([1.0, 0.0, 10.5, 3.0, -2.5, 1e6])
    logs = (np.sign(prices) * np.log1p(np.abs(prices).astype(np.float64))).astype(np.float32).astype(np.float64)
    assert analysed.scaling["price"] == pytest.approx((logs.mean(), logs.std()), rel=1e-14)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_division_and_order_of_the_rows_gives_the_same(
    data: st.DataObject, make_table: Any, make_plan: Any, features: Any, columns: Any
) -> None:
    plan = make_plan(features)
    table = make_table(columns, plan.tasks)
    whole = conclude(analyse(table.to_batches()[0], plan.features), plan.features)
    order = data.draw(st.permutations(range(table.num_rows)))
    cuts = sorted(data.draw(st.lists(st.integers(0, table.num_rows), max_size=4)))
    edges = [0, *cuts, table.num_rows]
    batches = [
        table.take(pa.array(order[start:end], pa.int64())).combine_chunks() for start, end in itertools.pairwise(edges)
    ]
    parts = [analyse(batch.to_batches()[0], plan.features) for batch in batches if batch.num_rows]
    middle = len(parts) // 2
    merged = merge([merge(part) for part in (parts[middle:], parts[:middle]) if part])
    analysed, vocabularies = conclude(merged, plan.features)
    assert analysed == whole[0]
    assert all(vocabularies[table].equals(whole[1][table]) for table in whole[1])


def conclude_one(make_table: Any, make_plan: Any, feature: dict[str, Any], kind: str, lists: list[Any]) -> Any:
    plan = make_plan({"x": feature})
    return conclude(analyse(make_table({"x": (kind, lists)}, ()).to_batches()[0], plan.features), plan.features)


def test_a_vocabulary_may_come_out_empty(make_table: Any, make_plan: Any) -> None:
    feature = {"kind": "categorical", "min_count": 3}
    analysed, vocabularies = conclude_one(make_table, make_plan, feature, "bytes", [[b"a"], [b"b"]])
    assert analysed.vocabulary_sizes == {"x": 0}
    assert vocabularies["x"].to_pylist() == []


@pytest.mark.parametrize(("scale", "expected"), [("zscore", (2.5, 1.0)), ("minmax", (2.5, 1.0)), ("none", (0.0, 1.0))])
def test_a_constant_column_is_not_divided_by_zero(
    make_table: Any, make_plan: Any, scale: str, expected: tuple[float, float]
) -> None:
    feature = {"kind": "numeric", "scale": scale}
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[2.5], [2.5], None])
    assert analysed.scaling == {"x": expected}


def test_too_few_distinct_values_make_fewer_intervals(make_table: Any, make_plan: Any) -> None:
    feature = {"kind": "bucketised", "buckets": 10}
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[1.0], [2.0], [2.0]])
    assert analysed.boundaries == {"x": (2.0,)}
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[1.0], [1.0]])
    assert analysed.boundaries == {"x": ()}


def test_the_limits_of_pieces(make_table: Any, make_plan: Any) -> None:
    feature = {"kind": "piecewise_linear", "buckets": 4}
    # Six zeros, 5 and 9: the quantiles are 0, 0 and 5 at floor(8/4), floor(16/4) and floor(24/4).
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[0.0]] * 5 + [[-0.0], [5.0], [9.0]])
    assert analysed.boundaries == {"x": (0.0, 5.0, 9.0)}
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[2.5], [2.5], None])
    assert analysed.boundaries == {"x": (2.5, 2.5)}
    feature = {"kind": "piecewise_linear", "boundaries": [0, 0.1, 1]}
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[7.0]])
    assert analysed.boundaries == {"x": (0.0, float(np.float32(0.1)), 1.0)}


def test_exact_numbers_are_counted_as_float32(make_table: Any, make_plan: Any) -> None:
    feature = {"kind": "categorical", "type": "number", "min_count": 2}
    lists = [[0.0], [-0.0], [0.0], [0.1], [0.1], [float("nan")], [float("inf")], [float("inf")], [-3.0], [-3.0], [7.0]]
    _, vocabularies = conclude_one(make_table, make_plan, feature, "float", lists)
    assert [str(value) for value in vocabularies["x"].to_pylist()] == ["0.0", "-3.0", str(float(np.float32(0.1)))]
    # Above 2^24 whole numbers share a float32.
    _, vocabularies = conclude_one(make_table, make_plan, feature, "int", [[2**24], [2**24 + 1], [5]])
    assert vocabularies["x"].to_pylist() == [2.0**24]


def test_declared_boundaries_become_float32_and_stay_rising(make_table: Any, make_plan: Any) -> None:
    feature = {"kind": "bucketised", "boundaries": [0.1, 0.1 + 1e-12, 3.0]}
    analysed, _ = conclude_one(make_table, make_plan, feature, "float", [[1.0]])
    assert analysed.boundaries == {"x": (float(np.float32(0.1)), 3.0)}


@pytest.mark.parametrize(
    ("feature", "kind", "lists"),
    [
        ({"kind": "categorical"}, "bytes", [None, []]),
        ({"kind": "multivalued", "type": "integer"}, "int", [None, []]),
        ({"kind": "numeric"}, "float", [None, [float("nan")]]),
        ({"kind": "bucketised", "buckets": 2}, "float", [None, [float("inf")]]),
        ({"kind": "bucketised", "boundaries": [1.0]}, "float", [None, None]),
        ({"kind": "piecewise_linear", "buckets": 2}, "float", [None, [float("nan")]]),
        ({"kind": "periodic", "period": 24}, "float", [None, None]),
        ({"kind": "categorical", "type": "number"}, "float", [None, [float("-inf")]]),
    ],
)
def test_a_column_without_any_value_is_refused(
    make_table: Any, make_plan: Any, feature: dict[str, Any], kind: str, lists: list[Any]
) -> None:
    with pytest.raises(InputError, match=r"Feature 'x': the column 'x' has no value in any of the 2 train examples"):
        conclude_one(make_table, make_plan, feature, kind, lists)


def test_no_train_examples(make_plan: Any) -> None:
    with pytest.raises(InputError, match="The train split has no examples"):
        conclude({}, make_plan({"x": {"kind": "numeric"}}).features)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, list[Any]], Callable[[str], list[bytes]]]:
    """What stock TensorFlow Transform finds in 136 rows: its outputs, the rows, and its vocabularies by name."""
    import apache_beam as beam
    import tensorflow as tf
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from apache_beam.options.pipeline_options import PipelineOptions

    random = np.random.default_rng(5)
    rows = {
        # Distinct counts: the two break ties differently.
        "text": [value for number in range(1, 17) for value in [f"v{number * 7 % 17:02d}".encode()] * number],
        # Many ties, 34 values of three or four rows each.
        "tied": [f"t{number * 7 % 34:02d}".encode() for number in range(136 - 10)] + [b"t03"] * 10,
        "number": random.lognormal(3.0, 2.0, 136).astype(np.float32).tolist(),
        "small": random.integers(-4, 5, 136).astype(np.float32).tolist(),
    }
    folder = tmp_path_factory.mktemp("stock")

    def function(inputs: dict[str, Any]) -> dict[str, Any]:
        size = tf.shape(inputs["number"])[0]

        def repeated(values: Any, count: int) -> Any:
            return tf.broadcast_to(tf.reshape(values, (1, count)), [size, count])

        return {
            "id": tft.compute_and_apply_vocabulary(inputs["text"], vocab_filename="text"),
            "tied_id": tft.compute_and_apply_vocabulary(inputs["tied"], vocab_filename="tied"),
            "number_zscore": tft.scale_to_z_score(inputs["number"]),
            "number_mean": repeated(tft.mean(inputs["number"]), 1),
            "number_variance": repeated(tft.var(inputs["number"]), 1),
            "number_minmax": tft.scale_to_0_1(inputs["number"]),
            "number_quantiles": repeated(tft.quantiles(inputs["number"], 7, 1e-4), 6),
            "small_quantiles": repeated(tft.quantiles(inputs["small"], 4, 1e-4), 3),
        }

    spec = {
        "text": tf.io.FixedLenFeature([], tf.string),
        "tied": tf.io.FixedLenFeature([], tf.string),
        "number": tf.io.FixedLenFeature([], tf.float32),
        "small": tf.io.FixedLenFeature([], tf.float32),
    }
    instances = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
    with (
        beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as pipeline,
        tft_beam.Context(temp_dir=str(folder / "temp")),
    ):
        raw = (pipeline | beam.Create(instances), tft.DatasetMetadata.from_feature_spec(spec))
        _ = raw | tft_beam.AnalyzeDataset(function) | tft_beam.WriteTransformFn(str(folder / "out"))
    output = tft.TFTransformOutput(str(folder / "out"))
    transformed = output.transform_raw_features({name: tf.constant(values) for name, values in rows.items()})
    return {name: values.numpy() for name, values in transformed.items()}, rows, output.vocabulary_by_name


def test_agrees_with_stock_transform(stock: Any, make_table: Any, make_plan: Any) -> None:
    outputs, rows, vocabulary_by_name = stock
    plan = make_plan(
        {
            "text": {"kind": "categorical"},
            "tied": {"kind": "categorical"},
            "number_zscore": {"kind": "numeric", "column": "number"},
            "number_minmax": {"kind": "numeric", "column": "number", "scale": "minmax"},
            "number_quantiles": {"kind": "bucketised", "column": "number", "buckets": 7},
            "small_quantiles": {"kind": "bucketised", "column": "small", "buckets": 4},
        }
    )
    kinds = {"text": "bytes", "tied": "bytes", "number": "float", "small": "float"}
    table = make_table({name: (kinds[name], [[value] for value in values]) for name, values in rows.items()}, ())
    analysed, vocabularies = conclude(analyse(table.to_batches()[0], plan.features), plan.features)
    assert vocabularies["text"].to_pylist() == vocabulary_by_name("text")
    # Among values that are as frequent TensorFlow Transform takes the last first, we the first.
    counts = Counter(rows["tied"])
    assert vocabularies["tied"].to_pylist() == sorted(counts, key=lambda value: (-counts[value], value))
    ours_reversed = sorted(vocabularies["tied"].to_pylist()[::-1], key=lambda value: -counts[value])
    assert ours_reversed == vocabulary_by_name("tied")
    numbers = np.float64(rows["number"])
    mean, deviation = analysed.scaling["number_zscore"]
    assert outputs["number_mean"][0, 0] == pytest.approx(mean, rel=1e-6)
    assert outputs["number_variance"][0, 0] == pytest.approx(deviation**2, rel=1e-6)
    for name in ("number_zscore", "number_minmax"):
        shift, scale = analysed.scaling[name]
        np.testing.assert_allclose((numbers - shift) / scale, outputs[name], rtol=2e-6, atol=2e-6)
    assert analysed.boundaries["number_quantiles"] == tuple(outputs["number_quantiles"][0].tolist())
    assert analysed.boundaries["small_quantiles"] == tuple(outputs["small_quantiles"][0].tolist())


def test_features_without_a_vocabulary_make_none(make_table: Any, make_plan: Any) -> None:
    feature = {"kind": "categorical", "vocabulary": None, "hash_buckets": 10}
    analysed, vocabularies = conclude_one(make_table, make_plan, feature, "bytes", [[b"a"], [], [b"b"]])
    assert (analysed.vocabulary_sizes, vocabularies) == ({}, {})


def test_a_feature_whose_ids_are_hashes_is_counted_but_has_no_vocabulary() -> None:
    column = pa.array([[b"a"], [], [b"b"]], pa.large_list(pa.large_binary()))
    batch = pa.RecordBatch.from_pydict({"user": column})
    features = {"user": Categorical(kind="categorical", vocabulary=None, hash_buckets=1000)}
    analysis = analyse(batch, features)
    assert analysis == {"rows": 3, "values/user": 2}
    analysed, vocabularies = conclude(analysis, features)
    assert (dict(analysed.vocabulary_sizes), vocabularies) == ({}, {})


def test_what_is_not_exact_is_said(make_table: Any, make_plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent, "MOST_DISTINCT", 4)
    monkeypatch.setattr(analysers, "MOST_NUMBERS", 4)
    texts = [[value] for value in (b"a", b"a", b"a", b"a", b"b", b"b", b"b", b"c", b"d", b"e")]
    values = {"word": ("bytes", texts), "age": ("float", [[1 + number / 8] for number in range(10)])}
    plan = make_plan(
        {
            "word": {"kind": "categorical", "vocabulary": 1, "min_count": 4},
            "age": {"kind": "bucketised", "buckets": 2},
        }
    )
    rows = make_table(values, ()).to_batches()[0]
    analysed, vocabularies = conclude(analyse(rows, plan.features), plan.features)
    # k = 2: the third largest of 4, 3, 1, 1, 1 is taken from each, and a's 3 may be 4, as min_count wants.
    assert vocabularies["word"].to_pylist() == [b"a"]
    assert analysed.count_errors == {"word": 1}
    # Ten eighths in at most four places: steps of a half, of which 1.625 is in the second.
    assert analysed.boundaries == {"age": (1.5,)}
    assert analysed.limit_errors == {"age": 0.5}
    assert Analysed.from_json(analysed.to_json()) == analysed
