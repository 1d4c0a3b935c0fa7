"""The report: complete, self-contained, escaped, deterministic, and honest about what is missing."""

import copy
import html.parser
import re

import pytest

from components.retrieval_evaluation.gates import OLDER, PRIOR, TWO_TOWER
from components.retrieval_evaluation.methods import METHODS
from pipeline.report import ReportData, page, write_report
from pipeline.report_charts import gate_heat_map, rows_by_day, training_curves
from pipeline.report_page import count, number, share
from pipeline.report_retrieval import NAMES

EPOCHS = [
    {
        "epoch": 1,
        "loss": 0.9,
        "val_loss": 0.8,
        "val_score": 0.9312,
        "click_loss": 0.5,
        "val_click_loss": 0.4,
        "seconds": 2.5,
        "examples_per_second": 50000.4,
    },
    {
        "epoch": 2,
        "loss": 0.7,
        "val_loss": 0.6,
        "val_score": 0.8734,
        "click_loss": 0.3,
        "val_click_loss": 0.2,
        "seconds": 1.5,
        "examples_per_second": 70000.0,
    },
]
FULL = {
    "recipe": "shop",
    "description": "A shop.",
    "accounts": {
        "impression": {
            "read": 1045,
            "used": 1000,
            "duplicate": 20,
            "orphan": 0,
            "late": 0,
            "after_as_of": 5,
            "gap": 0,
            "dead_lettered": 20,
            "other": 7,
        },
        "click": {"read": 100, "used": 90, "duplicate": 1, "orphan": 2, "late": 3, "dead_lettered": 3, "other": 0},
    },
    "summary": {
        "as_of": "2026-01-15T00:00:00Z",
        "watermarks": {"click": "2026-01-15T00:00:00Z", "impression": "2026-01-15T00:00:03Z"},
        "warnings": ["stream 'click' ends early."],
        "validate_from": "2026-01-10T00:00:00Z",
        "eval_from": "2026-01-11T00:00:00Z",
        "examples": {"train": 700, "eval": 300},
        "tasks": {
            "click": {
                "train": {"examples": 700, "observed": 700, "positives": 70},
                "eval": {"examples": 300, "observed": 150, "positives": 33},
            }
        },
    },
    "days": {
        "hours": 24,
        "rows": {"impression": {"2026-01-13": 500, "2026-01-14": 520}, "click": {"2026-01-12": 40, "2026-01-14": 57}},
    },
    "metrics": {
        "curves": {
            "click": {
                "reliability": {"prediction": [0.6, 0.1], "label": [0.5, 0.2], "examples": [5, 5]},
                "roc": {"false_positive_rate": [0.0, 0.5, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]},
                "precision_recall": {"recall": [0.5, 1.0], "precision": [1.0, 0.3]},
                "lift": {"share": [0.5, 1.0], "lift": [1.6, 0.4], "gain": [0.8, 1.0]},
                "histogram": {"positive": [0.5] * 2, "negative": [0.5] * 2},
            }
        },
        "intervals": {
            "click": {
                "auc": {"lower": 0.7312, "upper": 0.7688, "standard_error": 0.0096},
                "log_loss": {"why": "no variance"},
            }
        },
        "tasks": {"click": {"auc": 0.75, "log_loss": 0.31, "gauc": None, "example_count": 300, "positive_count": 33}},
        "slices": [
            {
                "slice": {"device": device},
                "task": "click",
                "auc": auc,
                "log_loss": 0.3,
                "example_count": 9,
                "positive_count": 3,
            }
            for device, auc in (("phone", 0.8), ("tv", 0.6), ("desktop", 0.7), ("watch", None))
        ],
        "truth": {"click": {"auc": 0.78, "log_loss": 0.29, "auc_gap": 0.03, "log_loss_gap": 0.02}},
        "gates": [
            {
                "task": "click",
                "metric": "auc",
                "slice": {},
                "limit": "at least 0.7",
                "value": 0.75,
                "held": True,
                "message": "",
            },
            {
                "task": "click",
                "metric": "auc",
                "slice": {"device": "tv"},
                "limit": "at least 0.65",
                "value": 0.6,
                "held": False,
                "message": "tv is poor",
            },
        ],
        "baseline": {"click": {"auc": 0.74, "log_loss": 0.3, "gauc": None}},
        "constant": {
            "click": {
                "mean": 0.1,
                "metrics": {"auc": 0.5, "log_loss": 0.305},
                "by": "log_loss",
                "model": 0.31,
                "beaten": False,
            }
        },
        "ungated": ["order"],
    },
    "history": {"epochs": EPOCHS, "best_epoch": 2, "rows": 700},
    "gates": {"click": [0.75, 0.25], "order": [0.1, 0.9]},
    "run": {
        "stages": [
            {"name": "event_logs", "rows": 1140, "seconds": 2.0, "rows_per_second": 570.0, "cached": False},
            {"name": "trainer", "rows": 700, "seconds": 8.0, "rows_per_second": 87.5, "cached": True},
        ],
        "blessed": False,
        "failed_gates": ["tv is poor"],
        "pushed": None,
    },
    "about": {"tfx": "1.21.0"},
}
SECTIONS = (
    "Stages",
    "Row accounting",
    "Rows by day",
    "Examples and labels",
    "Metrics",
    "Curves",
    "Gates",
    "Gap to the true probabilities",
    "Slices",
    "Training",
    "Expert gate weights",
    "About this run",
)
VOID = {"meta", "br", "img", "link", "input", "hr", "use", "path"}


class Outline(html.parser.HTMLParser):
    """Checks that elements are closed in order; keeps tags, texts and attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.links = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("href", "src", "action", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def rows(text, section):
    """The section's tables as lists of cells."""
    part = re.search(rf'<section id="{section}".*?</section>', text, re.DOTALL)[0]
    found = re.findall(r"<tr.*?</tr>", part, re.DOTALL)
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in found
    ]


def test_a_full_page_has_every_section_and_needs_nothing_else():
    text = page(ReportData(**FULL))
    outline = Outline(text)
    assert [found for found in re.findall(r"<h2[^>]*>(.*?)</h2>", text)] == list(SECTIONS)
    assert 'class="missing"' not in text
    assert all(link.startswith("#") for link in outline.links)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", text)
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.tags)
    assert outline.tags.count("caption") == outline.tags.count("table") and outline.tags.count("svg") == 4


def test_the_numbers_stand_where_they_belong():
    text = page(ReportData(**FULL))
    assert ["impression", "1,045", "1,000", "20", "0", "0", "5", "0", "20", "7", "balanced"] in rows(text, "accounts")
    assert ["click", "100", "90", "1", "2", "3", "0", "0", "3", "0", "does not add up"] in rows(text, "accounts"), (
        "99 of 100"
    )
    assert "click ends at 2026-01-15T00:00:00Z" in text and "stream &#x27;click&#x27; ends early." in text
    assert ["click", "eval", "300", "150", "50.0%", "33", "22.00%"] in rows(text, "examples")
    assert ["auc", "0.7500", "0.0188", "0.7400", "+0.0100", "0.5000"] in rows(text, "metrics")
    assert ["log_loss", "0.3100", "–", "0.3000", "+0.0100", "0.3050"] in rows(text, "metrics")
    assert ["gauc", "–", "–", "–", "–", "–"] in rows(text, "metrics")
    assert (
        "The model is no better than the constant (the task&#x27;s mean label in the train split): click. Try" in text
    )
    assert "Tasks without gates (gates: none): order" in text
    assert re.search(r'class="worse"><th scope=row>log_loss<', text) and re.search(
        r'class="better"><th scope=row>auc<', text
    )
    assert [row[1] for row in rows(text, "gates")[1:]] == ["failed", "passed"], "the failed ones first"
    assert ["click", "auc", "0.7500", "0.7800", "0.0300"] in rows(text, "truth")
    assert ["2 ★", "0.7000", "0.6000", "0.8734", "1.5", "70,000"] in rows(text, "training")
    assert [row[:2] for row in rows(text, "stages")[1:]] == [["event_logs", "ran"], ["trainer", "from cache"]]
    assert "Not blessed: 1 gate failed" in text and "<li>tv is poor</li>" in text and "10.0 s" in text


def test_a_gate_on_a_count_has_a_whole_number():
    full = copy.deepcopy(FULL)
    full["metrics"]["gates"] = [
        {"task": "click", "metric": "example_count", "slice": {}, "limit": "at least 1", "value": 0, "held": True}
    ]
    assert rows(page(ReportData(**full)), "gates")[1][-2:] == ["at least 1", "0"]


def test_slices_are_sorted_with_the_worst_marked_and_the_unmeasured_last():
    text = page(ReportData(**FULL))
    assert [row[0] for row in rows(text, "slices")[1:]] == [
        "device = tv",
        "device = desktop",
        "device = phone",
        "device = watch",
    ]
    assert re.findall(r'<tr class="worst"><th scope=row>(.*?)</th>', text) == ["device = tv"]


def test_slices_with_few_examples_are_grey_and_after_the_ranked_ones():
    full = copy.deepcopy(FULL)
    bounds = {"auc": {"lower": 0.6, "upper": 0.8, "standard_error": 0.05}}
    full["metrics"]["slices"] = [
        {"slice": {"device": "tv"}, "task": "click", "auc": 0.2, "few": True},
        {"slice": {"device": "pc"}, "task": "click", "auc": 0.8, "intervals": bounds},
        {"slice": {"device": "phone"}, "task": "click", "auc": 0.7, "intervals": bounds},
    ]
    text = page(ReportData(**full))
    assert rows(text, "slices")[1:] == [
        ["device = phone", "0.7000", "0.6000 to 0.8000"],
        ["device = pc", "0.8000", "0.6000 to 0.8000"],
        ["device = tv", "0.2000", "–"],
    ]
    assert '<tr class="worst"><th scope=row>device = phone' in text
    assert '<tr class="few"><th scope=row>device = tv' in text


def test_the_curves_are_drawn_and_described():
    section = re.search(r'<section id="curves".*?</section>', page(ReportData(**FULL)), re.DOTALL)[0]
    assert section.count("<svg") == 1
    for title in ("Reliability", "ROC", "Precision-recall", "Lift", "Predictions"):
        assert f">{title}</text>" in section
    assert "in the first: 1.60, with 80% of the positives" in section
    none = copy.deepcopy(FULL)
    none["metrics"]["curves"] = {}
    assert "No binary task has eval examples of both classes." in page(ReportData(**none))


def test_many_slices_are_folded():
    full = copy.deepcopy(FULL)
    full["metrics"]["slices"] = [
        {"slice": {"item": str(item)}, "task": "click", "log_loss": item / 100} for item in range(20)
    ]
    text = page(ReportData(**full))
    assert "<summary>8 more slices of click</summary>" in text
    assert [row[0] for row in rows(text, "slices") if row[0] != "Slice"] == [
        f"item = {item}" for item in range(19, -1, -1)
    ], "a high loss is bad"


def test_hostile_names_stay_text():
    evil = '<script>alert("1")</script>&$x_1$'
    full = copy.deepcopy(FULL)
    full |= {"recipe": evil, "description": evil, "about": {evil: evil}, "gates": {evil: [1.0]}}
    full["accounts"] = {evil: full["accounts"]["click"]}
    full["days"] = {"hours": 24, "rows": {evil: {"2026-01-13": 5}}}
    full["summary"] |= {"warnings": [evil], "watermarks": {evil: evil}}
    full["summary"]["tasks"] = {evil: full["summary"]["tasks"]["click"]}
    full["metrics"] = {
        "tasks": {evil: {"auc": 0.5}},
        "slices": [{"slice": {evil: evil}, "task": evil, "auc": 0.5}],
        "truth": {evil: {"auc": 0.6, "auc_gap": 0.1}},
        "gates": [
            {
                "task": evil,
                "metric": evil,
                "slice": {evil: evil},
                "limit": evil,
                "value": 1.0,
                "held": False,
                "message": evil,
            }
        ],
        "baseline": None,
    }
    full["history"] = {
        "epochs": [{"epoch": 1, "loss": 1.0, "val_loss": 1.0, f"{evil}_loss": 1.0, f"val_{evil}_loss": 1.0}]
    }
    full["run"] = {"stages": [{"name": evil, "seconds": 1.0}], "blessed": True, "failed_gates": [], "pushed": evil}
    outline = Outline(page(ReportData(**full)))
    assert "script" not in outline.tags
    assert sum(text.count("alert(") for text in outline.texts) > 15


def test_missing_parts_are_named():
    text = page(ReportData(recipe="shop"))
    Outline(text)
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", text) == list(SECTIONS)
    assert text.count('class="missing"') == len(SECTIONS) and "Not evaluated" in text
    for file in ("accounts.json", "days.json", "summary.json", "metrics.json", "history.json", "gates.json"):
        assert f"No {file}" in text
    assert "has no expert gates" in page(ReportData(recipe="shop", gates={}))
    assert "Blessed and pushed" in page(ReportData(recipe="shop", run={"blessed": True, "pushed": "/served/1"}))
    both = {"blessed": True, "pushed": "/served/1", "retrieval_serving": "/served_retrieval/1"}
    assert "<code>/served_retrieval/1</code>" in page(ReportData(recipe="shop", run=both))
    assert "Blessed, not pushed" in page(ReportData(recipe="shop", run={"blessed": True}))


def test_the_same_data_gives_the_same_bytes_in_a_file(tmp_path):
    first = write_report(ReportData(**FULL), tmp_path / "new" / "a.html")
    second = write_report(ReportData(**FULL), tmp_path / "b.html")
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["a.html"]


def test_charts_take_the_ink_of_the_page_and_draw_every_task():
    curves = training_curves(EPOCHS, 2)
    assert curves.startswith("<svg role=") and "currentColor" in curves and ">click</text>" in curves
    assert "xmlns" not in curves and "<metadata" not in curves
    heat = gate_heat_map({"click": [0.75, 0.25], "訂單": [0.5, 0.5]})
    assert all(f">{text}</text>" in heat for text in ("click", "訂單", "0.75", "0.25", "0.50"))
    days = rows_by_day({"view": {"2026-01-05": 7, "2026-01-07": 1200}, "訂單": {"2026-01-06": 3}}, 24)
    assert all(f">{text}</text>" in days for text in ("view", "訂單", "1,200", "3", "2026-01-05", "2026-01-07"))
    hours = rows_by_day({"view": {"2026-01-05T22:00Z": 7, "2026-01-06T01:00Z": 9}}, 1)
    assert ">05 22h</text>" in hours and ">06 01h</text>" in hours
    assert "all tasks" in training_curves([{"epoch": 1, "loss": 1.0}], None)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(0.12345), "0.1235"),
        (number(-1.5, 1), "−1.5"),
        (number(None), "–"),
        (number(float("nan")), "–"),
        (number(True), "–"),
        (count(1234567.4), "1,234,567"),
        (count(None), "–"),
        (share(1, 8), "12.5%"),
        (share(1, 0), "–"),
    ],
)
def test_numbers(shown, expected):
    assert shown == expected


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


def test_the_references_are_columns_of_the_metrics():
    about = {
        "model": {"architecture": "mmoe", "network_parameters": 27092},
        "references": {"linear": {"network_parameters": 84}},
    }
    worse = {"metric": "auc", "loss": 0.01, "lower": None, "upper": None, "standard_error": None}
    references = {"linear": {"click": {"auc": 0.76}}, "differences": {"linear": {"click": worse}}, "about": about}
    text = page(ReportData(**{**FULL, "metrics": {**FULL["metrics"], "references": references}}))
    assert ["auc", "0.7500", "0.0188", "0.7400", "+0.0100", "0.5000", "0.7600"] in rows(text, "metrics")
    assert "Network parameters (without the embedding tables): mmoe 27,092, linear 84." in text
    assert "<li>The model is no better than the linear model: click (auc 0.0100 worse). Try: " in text
