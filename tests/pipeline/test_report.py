"""The report: complete, self-contained, escaped, deterministic, and honest about what is missing."""

import copy
import re

from pipeline.report import ReportData, page, write_report
from tests.doubles.full_report import FULL, Outline, rows

TRUTH = "Gap to the true probabilities"
SECTIONS = (
    "Metrics",
    "Curves",
    "Gates",
    TRUTH,
    "Slices",
    "Examples and labels",
    "Row accounting",
    "Rows by day",
    "Training",
    "Expert gate weights",
    "Stages",
    "About this run",
)


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
    assert "last click 2026-01-15 00:00 UTC" in text and "stream &#x27;click&#x27; ends early." in text
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
    assert "was multiplied: click by 0.62. The factors" in text
    assert "25.0 % of the inputs of the tasks' own layers have weights of 0 in all tasks" in text
    assert [row[:2] for row in rows(text, "stages")[1:]] == [["event_logs", "ran"], ["trainer", "from cache"]]
    assert "Refused: 1 gate failed, nothing was pushed" in text and "<li>tv is poor</li>" in text and "10.0 s" in text


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
        "constant": {evil: {"metrics": {}, "by": evil, "model": 1.0, "beaten": True}},
        "references": {
            "linear": {evil: {"auc": 0.5}},
            "differences": {"linear": {evil: {"metric": evil, "loss": 0.1, "lower": 0.0, "upper": 0.2}}},
        },
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
    named = [section for section in SECTIONS if section != TRUTH]
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", text) == named, "only simulated logs have a truth"
    assert text.count('class="missing"') == len(named) and "Not evaluated" in text
    for file in ("accounts.json", "days.json", "summary.json", "metrics.json", "history.json", "gates.json"):
        assert f"No {file}" in text
    assert "has no expert gates" in page(ReportData(recipe="shop", gates={}))


def test_the_same_data_gives_the_same_bytes_in_a_file(tmp_path):
    first = write_report(ReportData(**FULL), tmp_path / "new" / "a.html")
    second = write_report(ReportData(**FULL), tmp_path / "b.html")
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["a.html"]
