"""The section about the retrieval model."""

from components.retrieval_evaluation.gates import OLDER, PRIOR, TWO_TOWER
from components.retrieval_evaluation.methods import METHODS
from pipeline.report import ReportData, page
from pipeline.report_retrieval import NAMES
from tests.doubles.full_report import FULL

RETRIEVAL = {
    "methods": {
        "two_tower": {"recall@10": 0.0312, "recall@100": 0.1152, "mrr": 0.02},
        "popular_last_day": {"recall@10": 0.0211, "recall@100": 0.0903, "mrr": 0.01},
        "older_model": {"recall@10": 0.0301, "recall@100": 0.1101, "mrr": 0.015},
    },
    "eval_queries": 69050,
    "items": 40918,
    "unanswerable": 0.448,
    "gates": [
        {"metric": "recall@100", "held": True, "message": "recall@100 of 0.1152 is at least popular_last_day's 0.0903"},
        {"metric": "mrr", "held": False, "message": "mrr of 0.02 is below <0.03>"},
    ],
}


def test_the_retrieval_model_stands_beside_the_simple_methods() -> None:
    text = page(ReportData(**{**FULL, "retrieval": RETRIEVAL}))
    assert "two-tower model" in text and "most popular on the last day" in text and "older blessed model" in text
    assert set(NAMES) == {TWO_TOWER, *METHODS, PRIOR, OLDER}, "a method would stand there by its key"
    assert "0.1152" in text and "69,050 eval queries over 40,918 items" in text
    assert "45% of the positives are items unknown before the eval split" in text
    assert "mrr of 0.02 is below &lt;0.03&gt;" in text
    assert 'aria-label="recall@10, recall@100 of each method"' in text
    assert "recall@100: the two-tower model is 0.0051 above the best other method (older blessed model)." in text
    assert "Retrieval" not in page(ReportData(**FULL))


def test_a_retrieval_model_that_loses_is_said_to_and_why_it_may() -> None:
    methods = {**RETRIEVAL["methods"], "popular": {"recall@10": 0.3, "recall@100": 0.4}}
    text = page(ReportData(**{**FULL, "retrieval": {**RETRIEVAL, "methods": methods}}))
    assert (
        "recall@100: the two-tower model is 0.2848 below the best other method (most popular). Logs recorded under another"
        in text
    )
    # Exposure explains no loss to the recipe's own prior.
    methods = {**RETRIEVAL["methods"], "prior": {"recall@10": 0.3, "recall@100": 0.4}}
    text = page(ReportData(**{**FULL, "retrieval": {**RETRIEVAL, "methods": methods}}))
    assert "recall@100: the two-tower model is 0.2848 below the best other method (prior only).</p>" in text


def test_the_truth_leads_and_the_logs_follow() -> None:
    values = {"two_tower": (0.5, 0.1, 0.3), "popular": (0.3, 0.4, 0.2)}
    names = ("true_recall@100", "recall@100", "weighted_recall@100")
    methods = {method: dict(zip(names, numbers, strict=True)) for method, numbers in values.items()}
    bounds = {"difference": 0.2, "standard_error": 0.01, "lower": 0.18, "upper": 0.22}
    found = {**RETRIEVAL, "methods": methods, "with_truth": 575, "differences": {names[0]: {"popular": bounds}}}
    text = page(ReportData(**{**FULL, "retrieval": found}))
    places = [text.index(f'aria-label="{name} of each method"') for name in names]
    assert places == sorted(places)
    assert "69,050 eval queries over 40,918 items, 575 of them with known best items" in text
    assert "True recall: share of a user&#x27;s truly best k items" in text
    assert (
        "true_recall@100: the two-tower model is 0.2000 ± 0.0200 above the best other method (most popular).</p>"
        in text
    )
    assert "recall@100: the two-tower model is 0.3000 below the best other method (most popular). Logs recorded" in text
    assert "weighted_recall@100: the two-tower model is 0.1000 above the best other method (most popular).</p>" in text


def test_where_nobody_was_asked_no_method_is_called_better() -> None:
    nothing = {method: dict.fromkeys(metrics) for method, metrics in RETRIEVAL["methods"].items()}
    text = page(ReportData(**{**FULL, "retrieval": {**RETRIEVAL, "methods": nothing}}))
    assert "the two-tower model is" not in text
