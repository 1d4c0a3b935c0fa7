from __future__ import annotations

import logging

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.validation.drift import SplitStatistics, check_columns, check_drift
from models.recipe.errors import InputError


@pytest.fixture
def split_of(statistics):
    return lambda table: SplitStatistics(all=statistics(table), categories=statistics(table, ("item",)))


def test_l_infinity_of_texts_by_hand(split_of, frame):
    # phone 0.5 -> 0.2, tablet 0.5 -> 0.8: both moved by 0.3
    anomalies, [finding] = check_drift(split_of(frame(phones=0.2)), split_of(frame()), {"device": 0.1}, "train")
    [info] = anomalies.drift_skew_info
    assert info.drift_measurements[0].value == pytest.approx(0.3)
    assert str(finding) == (
        "column 'device', split train: drift since the last good run: L-infinity distance of the shares 0.3, above the "
        "limit 0.1; largest change at 'phone': 50.00% of the values before, 20.00% now."
    )


def test_l_infinity_of_integer_ids_by_hand(split_of, frame):
    # as quantities TFDV would measure 0 here
    anomalies, [finding] = check_drift(split_of(frame(threes=0.9)), split_of(frame()), {"item": 0.39}, "eval")
    assert anomalies.drift_skew_info[0].drift_measurements[0].value == pytest.approx(0.4)
    assert finding.column == "item"
    assert "largest change at '3': 50.00% of the values before, 90.00% now" in finding.words
    [reason] = anomalies.anomaly_info["item"].reason
    assert reason.type == anomalies_pb2.AnomalyInfo.COMPARATOR_L_INFTY_HIGH


def test_jensen_shannon_of_numbers(split_of, frame):
    anomalies, [finding] = check_drift(split_of(frame(low=5.0)), split_of(frame()), {"price": 0.1}, "train")
    value = anomalies.drift_skew_info[0].drift_measurements[0].value
    # uniform on [0, 10] against uniform on [5, 15]: half of each has no counterpart, so 0.5 (base 2)
    assert value == pytest.approx(0.5, abs=0.05)
    assert "Jensen-Shannon divergence" in finding.words
    assert "above the limit 0.1; mean 5 before, 10 now." in finding.words


def test_labels_may_have_a_limit(split_of, frame):
    now = frame(**{"label/click": [1.0] * 1000})
    _, [finding] = check_drift(split_of(now), split_of(frame()), {"label/click": 0.01}, "train")
    assert finding.column == "label/click"


def test_below_the_limit_nothing_is_found_but_the_distance_is_kept(split_of, frame):
    limits = {"device": 0.31, "item": 0.1, "price": 0.01}
    anomalies, findings = check_drift(split_of(frame(phones=0.2)), split_of(frame()), limits, "train")
    assert findings == [] and not anomalies.anomaly_info
    measured = {info.path.step[0]: info.drift_measurements[0].value for info in anomalies.drift_skew_info}
    assert measured == {"device": pytest.approx(0.3), "item": pytest.approx(0.0), "price": pytest.approx(0.0)}


def test_no_limit_no_drift(split_of, frame):
    anomalies, findings = check_drift(split_of(frame(phones=0.0)), split_of(frame()), {}, "train")
    assert findings == [] and not anomalies.anomaly_info


def test_column_that_is_not_there(split_of, frame):
    with pytest.raises(
        InputError, match=r"validation.drift: the examples have no column 'devise'; did you mean 'device'"
    ):
        check_columns({"devise": 0.1}, split_of(frame()).columns())


def test_column_that_the_last_run_did_not_have(split_of, frame, caplog):
    before = frame().drop(columns=["device"])
    with caplog.at_level(logging.WARNING):
        anomalies, findings = check_drift(split_of(frame()), split_of(before), {"device": 0.1, "item": 0.1}, "train")
    assert findings == [] and not anomalies.anomaly_info
    assert "column 'device': not compared; the last good run did not have it" in caplog.text


def test_column_of_another_type(split_of, frame, caplog):
    before = frame(device=[1.5] * 1000)
    with caplog.at_level(logging.WARNING):
        _, findings = check_drift(split_of(frame()), split_of(before), {"device": 0.1}, "train")
    assert findings == []
    assert "column 'device': not compared; its type changed" in caplog.text


def test_a_column_that_lost_all_its_values(split_of, frame):
    empty = split_of(frame(price=np.full(1000, np.nan, np.float32)))
    anomalies, [finding] = check_drift(empty, split_of(frame()), {"price": 0.9, "device": 0.9}, "eval")
    assert str(finding) == (
        "column 'price', split eval: drift since the last good run: it had values before and has none now."
    )
    assert anomalies.anomaly_info["price"].description == finding.words
    assert check_drift(empty, empty, {"price": 0.9}, "eval")[1] == []
