from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import metric_oracle
import numpy as np
import pytest
from hypothesis.extra import numpy as hnp


def reference_auc(labels, predictions, weights):
    """Every pair, one at a time."""
    right = pairs = 0.0
    for y, p, w in zip(labels, predictions, weights, strict=True):
        for y2, p2, w2 in zip(labels, predictions, weights, strict=True):
            if y == 1 and y2 == 0:
                pairs += w * w2
                right += w * w2 * (1.0 if p > p2 else 0.5 if p == p2 else 0.0)
    return right / pairs if pairs else None


def reference_gauc(labels, predictions, weights, groups):
    total = impressions = 0.0
    for group in sorted(set(groups[groups >= 0])):
        mine = groups == group
        area = reference_auc(labels[mine], predictions[mine], weights[mine])
        if area is not None:
            total += weights[mine].sum() * area
            impressions += weights[mine].sum()
    return total / impressions if impressions else None


def reference_average_precision(labels, predictions, weights):
    positives = (weights * labels).sum()
    if positives == 0:
        return None
    area = recall_before = 0.0
    for threshold in sorted(set(predictions[weights > 0]), reverse=True):
        above = predictions >= threshold
        hits = (weights * labels)[above].sum()
        area += (hits / positives - recall_before) * hits / weights[above].sum()
        recall_before = hits / positives
    return area


@st.composite
def cases(draw):
    """Few distinct values, so that ties are the rule, and weights of 0."""
    n = draw(st.integers(1, 25))
    labels = draw(hnp.arrays(np.float32, n, elements=st.sampled_from([0.0, 1.0])))
    predictions = draw(hnp.arrays(np.float32, n, elements=st.sampled_from([0.0, 0.125, 0.5, 0.75, 1.0])))
    weights = draw(hnp.arrays(np.float32, n, elements=st.sampled_from([0.0, 1.0, 1.0, 2.5])))
    groups = draw(hnp.arrays(np.int64, n, elements=st.integers(-1, 3)))
    # float64, so that the references add up exactly, too
    return labels.astype(np.float64), predictions.astype(np.float64), weights.astype(np.float64), groups


def random_case(n: int = 4000, seed: int = 0):
    generator = np.random.default_rng(seed)
    scores = np.round(generator.random(n), 2).astype(np.float32)
    labels = (generator.random(n) < scores * 0.6).astype(np.float32)
    weights = generator.choice([0.0, 1.0, 1.0, 3.0], n).astype(np.float32)
    return labels, scores, weights


def close(value, expected):
    if expected is None:
        assert value is None
    else:
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


class TestAuc:
    def test_hand_worked(self):
        # positives 0.8 and 0.4, negatives 0.4 and 0.1: pairs 1, 1, 1/2, 1 -> 3.5 / 4
        assert metric_oracle.auc([1, 1, 0, 0], [0.8, 0.4, 0.4, 0.1]) == 0.875

    def test_hand_worked_with_weights(self):
        # positives 0.8 (weight 2), 0.3 (1); negatives 0.5 (3), 0.1 (1), 0.0 (weight 0): (2*3 + 2*1 + 0 + 1*1) / (3 * 4)
        assert metric_oracle.auc([1, 1, 0, 0, 0], [0.8, 0.3, 0.5, 0.1, 0.0], [2, 1, 3, 1, 0]) == 9 / 12

    @pytest.mark.parametrize("labels", [[1, 1], [0, 0], []])
    def test_one_class_only(self, labels):
        assert metric_oracle.auc(labels, [0.5] * len(labels)) is None

    def test_second_class_not_observed(self):
        assert metric_oracle.auc([1, 0], [0.5, 0.2], [1, 0]) is None

    @hypothesis.given(cases())
    def test_as_all_pairs(self, case):
        labels, predictions, weights, _ = case
        close(metric_oracle.auc(labels, predictions, weights), reference_auc(labels, predictions, weights))

    def test_as_sklearn(self):
        sklearn_metrics = pytest.importorskip("sklearn.metrics")
        labels, predictions, weights = random_case()
        expected = sklearn_metrics.roc_auc_score(labels, predictions, sample_weight=weights)
        close(metric_oracle.auc(labels, predictions, weights), expected)

    def test_order_of_the_examples_does_not_matter(self):
        labels, predictions, weights = random_case(500)
        order = np.random.default_rng(1).permutation(500)
        shuffled = metric_oracle.auc(labels[order], predictions[order], weights[order])
        assert metric_oracle.auc(labels, predictions, weights) == pytest.approx(shuffled, rel=1e-12)


class TestGauc:
    def test_hand_worked(self):
        # group 7: AUC 1, impressions 2; group 9: AUC 1/2 (ties), impressions 1 + 1 + 2; group 4: one class; -1: none
        labels = [1, 0, 1, 0, 0, 1, 0, 1]
        predictions = [0.9, 0.1, 0.3, 0.3, 0.3, 0.7, 0.2, 0.1]
        weights = [1, 1, 1, 1, 2, 5, 1, 1]
        groups = [7, 7, 9, 9, 9, 4, -1, -1]
        assert metric_oracle.gauc(labels, predictions, weights, groups) == pytest.approx((2 * 1.0 + 4 * 0.5) / 6)

    def test_without_groups(self):
        assert metric_oracle.gauc([1, 0], [0.9, 0.1]) is None

    def test_no_group_with_both_classes(self):
        assert metric_oracle.gauc([1, 0], [0.9, 0.1], [1, 1], [1, 2]) is None

    def test_one_group_is_the_auc(self):
        labels, predictions, weights = random_case(300)
        close(
            metric_oracle.gauc(labels, predictions, weights, np.full(300, 5)),
            metric_oracle.auc(labels, predictions, weights),
        )

    @hypothesis.given(cases())
    def test_as_group_by_group(self, case):
        close(metric_oracle.gauc(*case), reference_gauc(*case))


class TestPrAuc:
    def test_hand_worked(self):
        # thresholds 0.9: precision 1, recall 1/2; 0.5 (tie of one positive, one negative): precision 2/3, recall 1
        assert metric_oracle.pr_auc([1, 1, 0, 0], [0.9, 0.5, 0.5, 0.1]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)

    def test_no_positive(self):
        assert metric_oracle.pr_auc([0, 0], [0.1, 0.2]) is None
        assert metric_oracle.pr_auc([], []) is None

    @hypothesis.given(cases())
    def test_as_threshold_by_threshold(self, case):
        labels, predictions, weights, _ = case
        close(
            metric_oracle.pr_auc(labels, predictions, weights),
            reference_average_precision(labels, predictions, weights),
        )

    def test_as_sklearn(self):
        sklearn_metrics = pytest.importorskip("sklearn.metrics")
        labels, predictions, weights = random_case()
        expected = sklearn_metrics.average_precision_score(labels, predictions, sample_weight=weights)
        close(metric_oracle.pr_auc(labels, predictions, weights), expected)


class TestMeans:
    def test_log_loss_by_hand(self):
        # (2 * -log 0.8 + 1 * -log(1 - 0.4)) / 3
        value = metric_oracle.log_loss([1, 0, 1], [0.8, 0.4, 0.001], [2, 1, 0])
        assert value == pytest.approx((2 * -np.log(0.8) - np.log(0.6)) / 3)

    def test_log_loss_of_a_certain_error_is_that_of_the_floor(self):
        assert metric_oracle.log_loss([1, 0], [0.0, 1.0]) == pytest.approx(-np.log(1e-7), rel=1e-6)

    def test_log_loss_as_sklearn(self):
        sklearn_metrics = pytest.importorskip("sklearn.metrics")
        labels, predictions, weights = random_case()
        clipped = np.clip(predictions.astype(np.float64), 1e-7, 1 - 1e-7)
        expected = sklearn_metrics.log_loss(labels, clipped, sample_weight=weights)
        close(metric_oracle.log_loss(labels, predictions, weights), expected)

    def test_calibration_by_hand(self):
        # weighted mean prediction (0.5 + 2 * 0.25) / 3 over weighted mean label (1 + 0) / 3
        assert metric_oracle.calibration([1, 0, 1], [0.5, 0.25, 0.9], [1, 2, 0]) == pytest.approx(1.0)
        assert metric_oracle.calibration([0, 0], [0.5, 0.25]) is None
        assert metric_oracle.calibration([], []) is None

    def test_rmse_and_mae_by_hand(self):
        labels, predictions, weights = [3.0, 0.0, 9.0], [1.0, 1.0, 0.0], [1, 3, 0]
        assert metric_oracle.rmse(labels, predictions, weights) == pytest.approx(np.sqrt((4 + 3) / 4))
        assert metric_oracle.mae(labels, predictions, weights) == pytest.approx((2 + 3) / 4)

    @pytest.mark.parametrize(
        "metric", [metric_oracle.log_loss, metric_oracle.rmse, metric_oracle.mae, metric_oracle.calibration]
    )
    def test_nothing_observed(self, metric):
        assert metric([1, 0], [0.5, 0.5], [0, 0]) is None

    def test_counts(self):
        assert metric_oracle.example_count([1, 0, 2.5, 1], [1, 2, 1, 0]) == 3
        assert metric_oracle.positive_count([1, 0, 2.5, 1], [1, 2, 1, 0]) == 2
        assert metric_oracle.example_count([1, 0]) == 2


@pytest.mark.parametrize(
    "metric",
    [
        metric_oracle.auc,
        metric_oracle.pr_auc,
        metric_oracle.log_loss,
        metric_oracle.calibration,
        metric_oracle.rmse,
        metric_oracle.mae,
    ],
)
class TestEveryMetric:
    @hypothesis.given(case=cases())
    def test_a_weight_is_a_repetition(self, metric, case):
        labels, predictions, weights, _ = case
        counts = np.ceil(weights).astype(int)
        repeated = metric(np.repeat(labels, counts), np.repeat(predictions, counts))
        close(metric(labels, predictions, counts.astype(np.float32)), repeated)

    def test_unobserved_examples_may_have_any_prediction(self, metric):
        assert metric([1, 0, 1], [0.5, 0.2, np.nan], [1, 1, 0]) == metric([1, 0], [0.5, 0.2])

    def test_bad_input(self, metric):
        with pytest.raises(ValueError, match="1 of 2 predictions are not finite"):
            metric([1, 0], [np.nan, 0.2])
        with pytest.raises(ValueError, match="as many predictions as labels"):
            metric([1, 0], [0.2])
        with pytest.raises(ValueError, match="weights of 0 or more"):
            metric([1, 0], [0.2, 0.3], [1, -1])
        with pytest.raises(ValueError, match="as many weights as labels"):
            metric([1, 0], [0.2, 0.3], [1])
        with pytest.raises(ValueError, match=r"labels of shape \(n,\)"):
            metric([[1, 0]], [[0.2, 0.3]])


def test_as_tfma():
    """TFMA approximates AUC by 10,000 thresholds; the others are exact there, too."""
    tfma = pytest.importorskip("tensorflow_model_analysis")
    import pandas
    from google.protobuf import text_format
    from tensorflow_model_analysis.proto import config_pb2

    labels, predictions, weights = random_case(3000, seed=3)
    predictions = np.clip(predictions, 0.01, 0.99)
    config = text_format.Parse(
        """
        model_specs { label_key: "label" prediction_key: "prediction" example_weight_key: "weight" }
        metrics_specs { metrics { class_name: "AUC" } metrics { class_name: "MeanSquaredError" }
          metrics { class_name: "MeanAbsoluteError" } metrics { class_name: "Calibration" }
          metrics { class_name: "BinaryCrossEntropy" } }
        slicing_specs {}
        """,
        config_pb2.EvalConfig(),
    )
    frame = pandas.DataFrame({"label": labels, "prediction": predictions, "weight": weights})
    theirs = tfma.analyze_raw_data(frame, config).get_metrics_for_slice(())
    theirs = {name: value["doubleValue"] for name, value in theirs.items()}
    assert metric_oracle.auc(labels, predictions, weights) == pytest.approx(theirs["auc"], abs=1e-4)
    assert metric_oracle.rmse(labels, predictions, weights) ** 2 == pytest.approx(
        theirs["mean_squared_error"], rel=1e-6
    )
    assert metric_oracle.mae(labels, predictions, weights) == pytest.approx(theirs["mean_absolute_error"], rel=1e-6)
    assert metric_oracle.calibration(labels, predictions, weights) == pytest.approx(theirs["calibration"], rel=1e-6)
    assert metric_oracle.log_loss(labels, predictions, weights) == pytest.approx(
        theirs["binary_crossentropy"], rel=1e-4
    )
