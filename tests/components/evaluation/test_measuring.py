"""All slices at once against the metrics' definitions on the filtered examples, scikit-learn and TFMA."""

from __future__ import annotations

import dataclasses

import hypothesis
import hypothesis.strategies as st
import metric_oracle
import numpy as np
import pytest
from hypothesis.extra import numpy as hnp

from components.evaluation.measuring import Asked, measure_all, measure_slices
from components.evaluation.scores import COUNTS, NOT_FINITE, Scores
from components.evaluation.slices import Coded, one_slice, slices
from models.recipe.tasks import METRICS

MEASURES = tuple(dict.fromkeys((*METRICS["binary"], *METRICS["regression"])))
NAMES = tuple(dict.fromkeys((*METRICS["binary"], *METRICS["regression"], *COUNTS, NOT_FINITE)))


def one_by_one(scores: Scores, rows: np.ndarray) -> dict:
    """The definitions, on the rows of one slice."""
    y, p, w = scores.labels[rows], scores.predictions[rows], scores.weights[rows]
    broken = int(np.count_nonzero(~np.isfinite(p) & (w > 0)))
    found = {
        NOT_FINITE: broken,
        "example_count": metric_oracle.example_count(y, w),
        "positive_count": metric_oracle.positive_count(y, w),
    }
    for name in set(NAMES) - set(found):
        more = (None if scores.groups is None else scores.groups[rows],) if name == "gauc" else ()
        found[name] = None if broken else getattr(metric_oracle, name)(y, p, w, *more)
    return found


def check(scores, slicings, **options):
    for slicing, found in zip(slicings, measure_slices(NAMES, scores, slicings, **options).metrics, strict=True):
        assert len(found) == len(slicing.values)
        for code, values in enumerate(found):
            expected = one_by_one(scores, slicing.codes == code)
            assert list(values) == list(NAMES)
            for name in NAMES:
                wanted = expected[name]
                where = f"{name} of slice {slicing.values[code]}"
                assert values[name] == (wanted if wanted is None else pytest.approx(wanted, rel=1e-9, abs=1e-12)), where


@st.composite
def cases(draw):
    """Few distinct values, so that ties and slices without a class are the rule; weights of 0, and odd ones."""
    n = draw(st.integers(0, 40))

    def arrays(dtype, *values):
        return draw(hnp.arrays(dtype, n, elements=st.sampled_from(values)))

    scores = Scores(
        labels=arrays(np.float32, 0.0, 1.0),
        predictions=arrays(np.float32, *draw(st.sampled_from([(0.0, -0.0, 0.125, 0.5, 1.0), (0.25, 0.5, np.nan)]))),
        weights=arrays(np.float32, *draw(st.sampled_from([(1.0,), (0.0, 1.0), (0.0, 1.0, 2.5), (0.0, 0.1, 0.7)]))),
        groups=draw(st.sampled_from([None, arrays(np.int32, -1, 0, 1, 7)])),
    )
    columns = [Coded(codes=arrays(np.int8, -1, 0, 1, 2), values=("a", "b", "c")) for _ in range(2)]
    most = draw(st.integers(1, 20))
    slicings = [one_slice(np.ones(n, np.bool_)), slices(columns[:1], most), slices(columns, most)]
    return scores, slicings, draw(st.sampled_from([1, 2, 5, 1000]))


@hypothesis.given(cases())
def test_as_slice_by_slice(case):
    scores, slicings, least = case
    check(scores, slicings, least=least)


@hypothesis.given(cases(), st.data())
def test_a_weight_is_so_many_copies_of_the_row(case, data):
    scores, _, _ = case
    n = len(scores.labels)
    copies = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, 4)))
    weighted = dataclasses.replace(scores, weights=copies.astype(np.float32))
    repeated = Scores(
        labels=np.repeat(scores.labels, copies),
        predictions=np.repeat(scores.predictions, copies),
        weights=np.ones(copies.sum(), np.float32),
        groups=None if scores.groups is None else np.repeat(scores.groups, copies),
    )
    [[found]], [[expected]] = (
        measure_slices(MEASURES, one, [one_slice(np.ones(len(one.labels), np.bool_))]).metrics
        for one in (weighted, repeated)
    )
    assert found == {
        name: value if value is None else pytest.approx(value, rel=1e-9) for name, value in expected.items()
    }


def test_counts_are_of_rows_and_not_of_weights():
    scores = Scores(
        labels=np.array([1.0, 0.0, 1.0]), predictions=np.array([0.5, 0.5, np.nan]), weights=np.array([8.0, 0.5, 0.0])
    )
    [[found]] = measure_slices(COUNTS, scores, [one_slice(np.ones(3, np.bool_))]).metrics
    assert found == {"example_count": 2, "positive_count": 1}


def random_case(n: int, seed: int, predictions: np.ndarray | None = None, weights=(0.0, 1.0, 0.37, 3.0)):
    generator = np.random.default_rng(seed)
    p = np.round(generator.random(n), 2).astype(np.float32) if predictions is None else predictions
    scores = Scores(
        labels=(generator.random(n) < p * 0.6).astype(np.float32),
        predictions=p,
        weights=generator.choice(weights, n).astype(np.float32),
        groups=generator.integers(-1, n // 10, n).astype(np.int32),
    )
    device = Coded(codes=generator.integers(-1, 2, n).astype(np.int8), values=("phone", "tablet"))
    hour = Coded(codes=generator.integers(0, 24, n).astype(np.int8), values=tuple(map(str, range(24))))
    return scores, [one_slice(np.ones(n, np.bool_)), slices([device], 10), slices([device, hour], 20)]


@pytest.mark.parametrize("least", [300, 10_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thousands(least, dtype):
    scores, slicings = random_case(5000, 1)
    check(scores.of(scores.predictions.astype(dtype)), slicings, least=least)


@pytest.mark.parametrize("least", [500, 10_000])
@pytest.mark.parametrize("case", ["near 0", "near 1", "rare", "constant", "two values", "negative"])
def test_hard_predictions(case, least):
    generator = np.random.default_rng(2)
    predictions = {
        "near 0": generator.beta(0.05, 20.0, 4000),
        "near 1": 1.0 - generator.beta(0.05, 20.0, 4000),
        "rare": generator.random(4000) * 0.002,
        "constant": np.full(4000, 0.3),
        "two values": generator.choice([0.1, 0.9], 4000),
        "negative": generator.normal(size=4000),
    }[case].astype(np.float32)
    scores, slicings = random_case(4000, 3, predictions)
    check(scores, slicings, least=least)


def test_the_number_of_passes_changes_no_bit():
    scores, slicings = random_case(5000, 4, weights=(0.0, 1.0))
    names = ("auc", "log_loss", "calibration", *COUNTS)
    assert measure_slices(names, scores, slicings, least=100).metrics == measure_slices(names, scores, slicings).metrics


def test_everything_that_is_asked_by_its_name():
    scores, slicings = random_case(500, 5)
    other = scores.of(1.0 - scores.predictions)
    asked = {
        name: Asked(names=("auc",), scores=some, slicings=tuple(slicings))
        for name, some in (("mine", scores), ("other", other), ("again", scores))
    }
    found = measure_all(asked)
    assert list(found) == ["mine", "other", "again"] and found["mine"] == found["again"]
    for name, some in (("mine", scores), ("other", other)):
        assert found[name].metrics == measure_slices(("auc",), some, slicings).metrics


def test_every_slice_as_sklearn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    scores, slicings = random_case(4000, 6)
    for slicing, found in zip(
        slicings[:2], measure_slices(NAMES, scores, slicings[:2], least=700).metrics, strict=True
    ):
        for code, values in enumerate(found):
            rows = slicing.codes == code
            y, p, w = scores.labels[rows], scores.predictions[rows], scores.weights[rows]
            assert values["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(y, p, sample_weight=w), rel=1e-12)
            precision = sklearn_metrics.average_precision_score(y, p, sample_weight=w)
            assert values["pr_auc"] == pytest.approx(precision, rel=1e-12)
            clipped = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
            assert values["log_loss"] == pytest.approx(sklearn_metrics.log_loss(y, clipped, sample_weight=w), rel=1e-9)


def test_every_slice_as_tfma():
    """TFMA approximates AUC by 10,000 thresholds, spread evenly: the predictions keep from one threshold to the next."""
    tfma = pytest.importorskip("tensorflow_model_analysis")
    import pandas
    from google.protobuf import text_format
    from tensorflow_model_analysis.proto import config_pb2

    predictions = np.random.default_rng(7).uniform(0.01, 0.99, 3000).astype(np.float32)
    scores, slicings = random_case(3000, 8, predictions)
    config = text_format.Parse(
        """
        model_specs { label_key: "label" prediction_key: "prediction" example_weight_key: "weight" }
        metrics_specs { metrics { class_name: "AUC" } metrics { class_name: "MeanSquaredError" }
          metrics { class_name: "MeanAbsoluteError" } metrics { class_name: "Calibration" }
          metrics { class_name: "BinaryCrossEntropy" } }
        slicing_specs {} slicing_specs { feature_keys: "device" }
        """,
        config_pb2.EvalConfig(),
    )
    device = np.array([*(value for [value] in slicings[1].values)])[slicings[1].codes]
    columns = {"label": scores.labels, "prediction": scores.predictions, "weight": scores.weights, "device": device}
    result = tfma.analyze_raw_data(pandas.DataFrame(columns), config)
    for slicing, found in zip(slicings, measure_slices(NAMES, scores, slicings[:2], least=500).metrics, strict=False):
        for values, mine in zip(slicing.values, found, strict=True):
            theirs = result.get_metrics_for_slice((("device", *values),) if values else ())
            theirs = {name: value["doubleValue"] for name, value in theirs.items()}
            assert mine["auc"] == pytest.approx(theirs["auc"], abs=1e-4)
            assert mine["rmse"] ** 2 == pytest.approx(theirs["mean_squared_error"], rel=1e-6)
            assert mine["mae"] == pytest.approx(theirs["mean_absolute_error"], rel=1e-6)
            assert mine["calibration"] == pytest.approx(theirs["calibration"], rel=1e-6)
            assert mine["log_loss"] == pytest.approx(theirs["binary_crossentropy"], rel=1e-4)
