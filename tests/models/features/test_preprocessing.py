"""The graph: every kind by hand, training against serving, and as a TransformGraph that moves."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from models.features.layout import Analysed, feature_layout
from models.features.preprocessing import pack, raw_feature_spec, write_transform_graph
from models.features.value_ids import vocabulary_file
from models.features.value_texts import text_of
from models.recipe.features import (
    Bucketised,
    Categorical,
    Feature,
    MultiValued,
    Numeric,
    Periodic,
    PiecewiseLinear,
    column_types,
)

SHARED: dict[str, Any] = {"type": "integer", "embedding": "item", "oov_buckets": 4, "dim": 2}
HASHED: dict[str, Any] = {"vocabulary": None, "hash_buckets": 1000, "dim": 2}
FEATURES: dict[str, Feature] = {
    "device": Categorical(kind="categorical", oov_buckets=3, dim=2),
    "country": Categorical(kind="categorical", column="place", dim=2),
    "item": Categorical(kind="categorical", **SHARED),
    "seen": MultiValued(kind="multivalued", max_length=3, **SHARED),
    "words": MultiValued(kind="multivalued", max_length=2, dim=2),
    "age": Bucketised(kind="bucketised", boundaries=(18.0, 30.0), dim=2),
    "any_age": Bucketised(kind="bucketised", column="age", buckets=2, dim=2),
    "city": Categorical(kind="categorical", column="place", **HASHED),
    "city_pair": Categorical(kind="categorical", column="place", quotient_remainder=True, **HASHED),
    "seen_hashes": MultiValued(kind="multivalued", column="seen", type="integer", max_length=3, **HASHED),
    "word_pairs": MultiValued(kind="multivalued", column="words", max_length=3, quotient_remainder=True, **HASHED),
    "price": Numeric(kind="numeric", transform="log1p"),
    "share": Numeric(kind="numeric", scale="minmax"),
    "item_size": Numeric(kind="numeric", column="item", scale="none"),
    "item_number": Categorical(kind="categorical", column="item", type="number", dim=2),
    "price_value": Categorical(kind="categorical", column="price", type="number", oov_buckets=2, dim=2),
    "price_hash": Categorical(kind="categorical", column="price", type="number", **HASHED),
    "price_pair": Categorical(kind="categorical", column="price", type="number", quotient_remainder=True, **HASHED),
    "ages": PiecewiseLinear(kind="piecewise_linear", column="age", boundaries=(18.0, 30.0, 60.0)),
    "same_age": PiecewiseLinear(kind="piecewise_linear", column="age", buckets=2),
    "cycle": Periodic(kind="periodic", column="share", period=24, harmonics=2),
}


def with_key(number: float) -> str:
    return f"{number}\t{np.float32(number).view(np.int32)}"


VOCABULARIES = {
    "device": ["phone", "tv", "café"],
    "country": [],
    "item": ["7", "-5", str(-(2**63)), str(2**63 - 1)],
    "words": ["a", "b"],
    "item_number": [with_key(7.0), with_key(16777216.0)],
    "price_value": [with_key(0.1), with_key(-2.5), with_key(0.0)],
}
ANALYSED = Analysed(
    vocabulary_sizes={table: len(values) for table, values in VOCABULARIES.items()},
    boundaries={"age": (18.0, 30.0), "any_age": (), "ages": (18.0, 30.0, 60.0), "same_age": (20.0, 20.0)},
    scaling={"price": (1.0, 2.0), "share": (0.25, 0.5), "item_size": (0.0, 1.0)},
)
NOTHING: dict[str, list[Any]] = {
    column: [] for column in ("device", "place", "item", "seen", "words", "age", "price", "share")
}

Run = Callable[[list[Mapping[str, list[Any]]]], dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TransformGraph, moved from where it was made, whose vocabulary files are gone."""
    made = tmp_path_factory.mktemp("made")
    (made / "vocabularies").mkdir()
    for table, values in VOCABULARIES.items():
        (made / "vocabularies" / vocabulary_file(table)).write_text("".join(f"{value}\n" for value in values))
    write_transform_graph(FEATURES, ANALYSED, made / "vocabularies", made / "graph")
    moved = tmp_path_factory.mktemp("moved") / "graph"
    shutil.move(made / "graph", moved)
    shutil.rmtree(made)
    return moved


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """Rows {column: values} as tf.Examples through `parse_example` and the saved graph."""
    saved = tf.saved_model.load(tft.TFTransformOutput(str(folder)).transform_savedmodel_dir)

    def call(rows: list[Mapping[str, list[Any]]]) -> dict[str, np.ndarray]:
        parsed = tf.io.parse_example([example({**NOTHING, **row}) for row in rows], raw_feature_spec(FEATURES))
        return {name: values.numpy() for name, values in saved.transform_fn(parsed).items()}

    return call


def example(row: Mapping[str, list[Any]]) -> bytes:
    features = {}
    for column, values in row.items():
        if column in ("device", "place", "words"):
            texts = [value.encode() if isinstance(value, str) else value for value in values]
            features[column] = tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
        elif column in ("item", "seen"):
            features[column] = tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        else:
            features[column] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def test_a_categorical_by_hand(run: Run) -> None:
    ids = run([{"device": [value]} for value in ("phone", "tv", "café")] + [{}, {"device": ["tv", "phone"]}])["device"]
    # 0 missing, 1-3 outside of the vocabulary, 4 on the vocabulary; the first of two values counts.
    assert ids.tolist() == [4, 5, 6, 0, 5]
    assert ids.dtype == np.int64


def test_values_outside_of_the_vocabulary_are_hashed_alike_on_every_machine(run: Run) -> None:
    texts = ["radio", "TV", "PHONE", "x" * 200, b"\xff\x00"]
    ids = run([{"device": [value]} for value in texts])["device"].tolist()
    # Values of FarmHash fingerprints, written down once: another machine must find the same.
    assert ids == [1 + bucket for bucket in tf.strings.to_hash_bucket_fast(texts, 3).numpy().tolist()]
    assert ids == EXPECTED_TEXT_IDS
    assert run([{"place": ["at"]}, {"place": ["de"]}, {}])["country"].tolist() == [1, 1, 0]


EXPECTED_TEXT_IDS = [1, 1, 3, 3, 1]


@pytest.mark.parametrize(
    "written",
    ["507.0", "-0.00", "True", "FALSE", "507", "007.0", "+507.0", "507.", " 507.0", "507.0\n", "tRUE", "1.0.0"],
)
def test_a_served_text_is_written_as_in_the_logs(run: Run, written: str) -> None:
    text = text_of(written)
    spelled, expected = (
        run([{"device": [written], "place": [written], "words": ["b", written]}, {"device": ["tv"]}]),
        run([{"device": [text], "place": [text], "words": ["b", text]}, {"device": ["tv"]}]),
    )
    for name in ("device", "city", "city_pair", "words", "word_pairs"):
        assert spelled[name].tolist() == expected[name].tolist()
    assert spelled["city"][0] == 1 + tf.strings.to_hash_bucket_fast([text], 1000).numpy()[0]


def test_an_empty_text_is_missing_as_it_is_in_the_logs(run: Run) -> None:
    rows = [{"device": [""], "place": [""], "words": ["", "b", "", "a", "b"]}, {"device": ["", "tv"], "words": [""]}]
    ids = run(rows)
    assert ids["device"].tolist() == [0, 5] and ids["country"].tolist() == [0, 0]
    assert ids["words"].tolist() == [[3, 2], [-1, -1]]


def test_ids_without_a_vocabulary(run: Run) -> None:
    rows = [{"place": ["at"], "seen": [7, -5], "words": ["a", "", "b"]}, {"place": ["de"]}, {"place": [""]}]
    ids = run(rows)
    at, de = tf.strings.to_hash_bucket_fast(["at", "de"], 1000).numpy().tolist()
    assert ids["city"].tolist() == [1 + at, 1 + de, 0]
    at, de, a, b = tf.strings.to_hash_bucket_fast(["at", "de", "a", "b"], 1_000_000).numpy().tolist()

    def pair(value: int) -> list[int]:
        return [1 + value % 1000, 1001 + value // 1000]

    assert ids["city_pair"].tolist() == [pair(at), pair(de), [0, -1]]
    assert ids["seen_hashes"].tolist() == [[1 + splitmix(7, 1000), 1 + splitmix(-5, 1000), -1], [-1] * 3, [-1] * 3]
    assert ids["word_pairs"].tolist() == [[*pair(a), *pair(b), -1, -1], [-1] * 6, [-1] * 6]
    # Written down once: another machine must find the same.
    assert ids["city_pair"][0].tolist() == EXPECTED_PAIR


EXPECTED_PAIR = [381, 1385]


def splitmix(value: int, buckets: int) -> int:
    mask = 2**64 - 1
    mixed = value & mask
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & mask
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & mask
    return ((mixed ^ (mixed >> 31)) >> 1) % buckets


def test_whole_numbers_of_64_bits(run: Run) -> None:
    known = [7, -5, -(2**63), 2**63 - 1]
    assert run([{"item": [value]} for value in known])["item"].tolist() == [5, 6, 7, 8]
    unknown = [*range(-40, -10), 0, 5, -7, 2**62, -(2**63) + 1]
    ids = run([{"item": [value]} for value in unknown])["item"].tolist()
    assert ids == [1 + splitmix(value, 4) for value in unknown]
    assert set(ids) == {1, 2, 3, 4}


def test_a_shared_embedding_has_one_vocabulary(run: Run) -> None:
    outputs = run([{"item": [7], "seen": [7, -5]}, {"item": [12], "seen": [12]}])
    assert outputs["seen"][0].tolist() == [5, 6, -1]
    assert outputs["item"][0] == 5
    assert outputs["item"][1] == outputs["seen"][1, 0] == 1 + splitmix(12, 4)


def test_a_multivalued_keeps_order_and_the_first_values(run: Run) -> None:
    outputs = run([{"seen": [-5, 7, 7, -5], "words": ["b"]}, {}, {"words": ["a", "b", "c"]}])
    assert outputs["seen"].tolist() == [[6, 5, 5], [-1, -1, -1], [-1, -1, -1]]
    assert outputs["words"].tolist() == [[3, -1], [-1, -1], [2, 3]]
    assert run([{}, {}])["words"].tolist() == [[-1, -1], [-1, -1]]


def test_a_value_equal_to_a_limit_belongs_above_it(run: Run) -> None:
    below = float(np.nextafter(np.float32(18), np.float32(0)))
    ages = [[-1e9], [below], [18.0], [29.5], [30.0], [1e9], [], [math.nan], [math.inf]]
    outputs = run([{"age": age} for age in ages])
    assert outputs["age"].tolist() == [1, 1, 2, 2, 3, 3, 0, 0, 0]
    assert outputs["any_age"].tolist() == [1, 1, 1, 1, 1, 1, 0, 0, 0]


def test_numbers_by_hand(run: Run) -> None:
    values = [[0.0], [math.e - 1], [1 - math.e], [], [math.nan], [-math.inf], [math.nan, 1.0]]
    outputs = run([{"price": value, "share": value} for value in values])
    # (log1p(x) - 1) / 2 and (x - 0.25) / 0.5.
    np.testing.assert_allclose(outputs["price"], [-0.5, 0.0, -1.0, 0, 0, 0, 0], atol=1e-7)
    np.testing.assert_allclose(outputs["share"][:2], [-0.5, (math.e - 1.25) * 2], rtol=1e-6)
    for name in ("price", "share"):
        assert outputs[f"{name}_missing"].tolist() == [0, 0, 0, 1, 1, 1, 1]
        assert outputs[name][3:].tolist() == [0, 0, 0, 0]
        assert outputs[name].dtype == np.float32


def test_exact_numbers_as_ids(run: Run) -> None:
    # The float32 nearest to 0.1, and its two neighbours; zero of either sign; not finite.
    tenth = np.float32(0.1)
    near = [float(np.nextafter(tenth, np.float32(side))) for side in (0, 1)]
    values = [0.1, -2.5, 0.0, -0.0, *near, math.nan, math.inf, -math.inf]
    outputs = run([{"price": [value]} for value in values] + [{}])
    bits = [int(np.float32(value).view(np.int32)) for value in values[:6]]
    bits[3] = 0
    outside = [1 + splitmix(key, 2) for key in bits[4:]]
    assert outputs["price_value"].tolist() == [3, 4, 5, 5, *outside, 0, 0, 0, 0]
    assert outputs["price_hash"].tolist() == [*(1 + splitmix(key, 1000) for key in bits), 0, 0, 0, 0]
    pairs = [splitmix(key, 1_000_000) for key in bits]
    assert outputs["price_pair"][:6].tolist() == [[1 + pair % 1000, 1001 + pair // 1000] for pair in pairs]
    assert outputs["price_pair"][6:].tolist() == [[0, -1]] * 4


def test_an_integer_column_has_readers_of_every_kind(run: Run) -> None:
    types = column_types(FEATURES)
    assert (types["item"], types["price"], types["place"]) == ("int", "float", "bytes")
    outputs = run([{"item": [value]} for value in (7, -5, 2**24, 2**24 + 1, 2**63 - 1)] + [{}])
    # Ids are exact in 64 bits. Numbers are float32: 2^24 + 1 rounds to 2^24.
    assert outputs["item"].tolist() == [5, 6, 1 + splitmix(2**24, 4), 1 + splitmix(2**24 + 1, 4), 8, 0]
    assert outputs["item_number"].tolist() == [2, 1, 3, 3, 1, 0]
    assert outputs["item_size"].tolist() == [7.0, -5.0, 2.0**24, 2.0**24, 2.0**63, 0.0]
    assert outputs["item_size_missing"].tolist() == [0, 0, 0, 0, 0, 1]


def test_pieces_by_hand(run: Run) -> None:
    outputs = run([{"age": age} for age in ([-1e9], [18.0], [21.0], [30.0], [45.0], [60.0], [1e9], [], [math.inf])])
    # (x - 18) / 12 and (x - 30) / 30, between 0 and 1.
    assert outputs["ages/1"].tolist() == [0, 0, 0.25, 1, 1, 1, 1, 0, 0]
    assert outputs["ages/2"].tolist() == [0, 0, 0, 0, 0.5, 1, 1, 0, 0]
    assert outputs["ages_missing"].tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert outputs["same_age/1"].tolist() == [0] * 9
    assert outputs["ages/1"].dtype == np.float32 and "ages/3" not in outputs and "same_age/2" not in outputs


def test_a_period_by_hand(run: Run) -> None:
    outputs = run([{"share": value} for value in ([0.0], [6.0], [20.0], [30.0], [-18.0], [24.0 * 10**6 + 6], [])])
    half = math.sqrt(3) / 2
    for name, expected in {
        "sin1": [0, 1, -half, 1, 1, 1, 0],
        "cos1": [1, 0, 0.5, 0, 0, 0, 0],
        "sin2": [0, 0, -half, 0, 0, 0, 0],
        "cos2": [1, -1, -0.5, -1, -1, -1, 0],
    }.items():
        np.testing.assert_allclose(outputs[f"cycle/{name}"], np.float32(expected), rtol=1e-7, atol=1e-15)
    assert outputs["cycle_missing"].tolist() == [0] * 6 + [1]


def random_rows(count: int) -> list[dict[str, list[Any]]]:
    random = np.random.default_rng(3)

    def some(values: list[Any], most: int) -> list[Any]:
        return [values[i] for i in random.integers(0, len(values), random.integers(0, most + 1))]

    return [
        {
            "device": some(["phone", "tv", "café", "radio", "car"], 1),
            "place": some(["at", "de"], 1),
            "item": some([7, -5, 2**63 - 1, -1, 10, 11, 12], 1),
            "seen": some([7, -5, 1, 2, 3], 5),
            "words": some(["a", "b", "c"], 3),
            "age": random.normal(25, 10, random.integers(0, 2)).tolist(),
            "price": random.lognormal(3, 4, random.integers(0, 2)).tolist(),
            "share": random.normal(0, 3, random.integers(0, 2)).tolist(),
        }
        for _ in range(count)
    ]


def test_single_rows_get_what_they_get_in_a_batch(run: Run) -> None:
    rows = random_rows(300)
    together = run(rows)
    single = [run([row]) for row in rows]
    for name, values in together.items():
        alone = np.concatenate([outputs[name] for outputs in single])
        if values.dtype == np.int64:
            np.testing.assert_array_equal(values, alone)
        else:
            np.testing.assert_allclose(values, alone, rtol=1e-6, atol=1e-6)


def test_it_is_a_transform_graph_that_stock_parts_read(folder: Path, run: Run) -> None:
    output = tft.TFTransformOutput(str(folder))
    assert output.vocabulary_by_name("device") == [value.encode() for value in VOCABULARIES["device"]]
    assert output.vocabulary_size_by_name("item") == 4
    assert output.raw_feature_spec() == raw_feature_spec(FEATURES)
    spec = output.transformed_feature_spec()
    assert spec["device"] == tf.io.FixedLenFeature([], tf.int64)
    assert spec["seen"] == tf.io.FixedLenFeature([3], tf.int64)
    assert spec["price_missing"] == tf.io.FixedLenFeature([], tf.float32)

    rows = random_rows(20)
    parsed = tf.io.parse_example([example(row) for row in rows], raw_feature_spec(FEATURES))
    expected = run(rows)  # type: ignore[arg-type]
    for outputs in (output.transform_features_layer()(parsed), output.transform_raw_features(parsed)):
        assert outputs.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(outputs[name], expected[name])


def test_pack_by_hand(run: Run) -> None:
    outputs = run([{"device": ["tv"], "item": [7], "seen": [7], "age": [20.0], "price": [0.0], "share": [0.5]}, {}])
    packed = pack(outputs, feature_layout(FEATURES, ANALYSED))
    lists = ["seen", "words", "city_pair", "seen_hashes", "word_pairs", "price_pair"]
    assert list(packed) == ["categorical", "numeric", *(f"multivalued/{name}" for name in lists)]
    # device, country, item, age, any_age, city, item_number, price_value, price_hash in the recipe's order.
    assert packed["categorical"].numpy().tolist() == [[5, 0, 5, 2, 1, 0, 2, 5, 1 + splitmix(0, 1000)], [0] * 9]
    numeric = packed["numeric"].numpy()
    # price, share, item_size, two ages and same_age, each with its missing input; then cycle.
    expected = [
        [-0.5, 0.0, 0.5, 0.0, 7.0, 0.0, 2 / 12, 0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0],
    ]
    assert numeric[:, :11].tolist() == np.float32(expected).tolist()
    assert numeric.shape == (2, 16)
    assert packed["multivalued/seen"].numpy().tolist() == [[5, -1, -1], [-1, -1, -1]]
    assert packed["multivalued/city_pair"].numpy().tolist() == [[0, -1], [0, -1]]
    assert [str(values.numpy().dtype) for values in packed.values()] == ["int32", "float32", *["int32"] * 6]


def test_pack_leaves_out_what_is_empty() -> None:
    features: dict[str, Feature] = {"price": FEATURES["price"]}
    packed = pack({"price": tf.zeros(2), "price_missing": tf.ones(2)}, feature_layout(features, ANALYSED))
    assert list(packed) == ["numeric"]


def test_the_graph_inside_another_saved_model(folder: Path, run: Run, tmp_path: Path) -> None:
    saved = tf.saved_model.load(tft.TFTransformOutput(str(folder)).transform_savedmodel_dir)
    module = tf.Module()
    module.saved = saved

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, raw_feature_spec(FEATURES))
        return pack(saved.transform_fn(parsed), feature_layout(FEATURES, ANALYSED))

    module.serve = serve
    tf.saved_model.save(module, str(tmp_path / "made"))
    shutil.move(tmp_path / "made", tmp_path / "moved")
    rows = random_rows(10)
    served = tf.saved_model.load(str(tmp_path / "moved")).serve(tf.constant([example(row) for row in rows]))
    for name, values in pack(run(rows), feature_layout(FEATURES, ANALYSED)).items():  # type: ignore[arg-type]
        np.testing.assert_array_equal(served[name], values)
