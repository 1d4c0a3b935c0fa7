"""The page of a comparison: complete, self-contained, escaped, deterministic, and honest about what is missing."""

import copy
import functools
import re

import pytest

from pipeline.comparing import page_results
from pipeline.comparing.answer import answer
from pipeline.comparing.page import page
from pipeline.report_page import text as escaped
from tests.doubles.comparison import comparison
from tests.doubles.full_report import Outline, rows

CASES = {
    "two": {},
    "four": {"tasks": 4},
    "bare": {"tasks": 1, "trials": False, "balancers": False, "truth": False, "missing": True},
}


@functools.cache
def page_of(case):
    """The page of a case, which no test changes."""
    return page(comparison(**CASES[case]))


def titles(text):
    return re.findall(r"<h2[^>]*>(.*?)</h2>", text)


def leaves(value, path=()):
    """Every value of a JSON document, with its path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path, value
    for key, part in inner:
        yield from leaves(part, (*path, key))


def form(path, value):
    """How a number is written on the page, without its sign."""
    if isinstance(value, int):
        return f"{value:,}"
    if "changes" in path:
        return str(value)
    if path == ("confidence",):
        return f"{100.0 * value:g}"
    if path[-1] == "peak_memory":
        return f"{value / 1e9:.2f}"
    if path[-1] == "seconds":
        return f"{value:,.1f}"
    if "cost" in path or "gates" in path:
        return f"{value:.2f}"
    if path[-1] in ("relative", "off_budget") or ("delta_m" in path and path[-1] not in ("p", "p_holm")):
        return f"{abs(100.0 * value):.2f}"
    return f"{abs(value):.4f}"


WORDS = {"asked": "asked for", "stopped": "stopped early", "significant": "Ship", "pareto": "yes"}


@pytest.mark.parametrize("case", ["two", "four"])
def test_every_fact_of_the_result_is_on_the_page(case):
    result = comparison(**CASES[case])
    shown = " ".join(Outline(page_of(case)).texts)
    numbers = set(re.findall(r"\d[\d,]*(?:\.\d+)?", shown))
    for path, value in leaves(result):
        if value is None:
            continue
        if isinstance(value, bool):
            assert WORDS[path[-1]] in shown
        elif path[0] == "match":
            assert "matched in parameters" in shown
        elif isinstance(value, str):
            assert value in shown, (path, value)
        elif "task_weights" not in path:  # drawn as lines
            assert form(path, value) in numbers, (path, value)


def test_a_full_page_has_every_section_and_needs_nothing_else():
    text = page_of("four")
    outline = Outline(text)
    assert titles(text) == [
        "Gain over the twins",
        "like",
        "share",
        "comment",
        "minutes",
        "All tasks",
        "Trade-offs",
        "Cost",
        "Gap to the truth",
        "Tuning",
        "Expert gates",
        "Task weights",
        "Settings",
        "How this was made",
    ]
    assert 'class="missing"' not in text
    assert all(link.startswith("#") for link in outline.links)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", text)
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.tags)
    assert outline.tags.count("caption") == outline.tags.count("table") == 4 * 3 + 6
    assert outline.tags.count("svg") == 5 + 6 + 6 + 1, "forests, pairs of tasks, gates, weights"
    assert "<title>deskdrop · gatewise comparison</title>" in text and "gatewise comparison</p>" in text


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_at_the_top(case):
    result = comparison(**CASES[case])
    found = answer(result)
    top = page_of(case).split("<nav")[0]
    assert f'<div class="verdict {found.kind}"><p class="word">{escaped(found.headline)}</p>' in top
    assert all(f"<li>{escaped(line)}</li>" in top for line in found.sentences)


def test_the_numbers_stand_where_they_belong():
    text = page_of("two")
    like = rows(text, "task-0")
    by_name = {row[0]: row for row in like[1:15]}
    assert like[0] == [
        "Method",
        "Mean auc",
        "Gain over the twins",
        "Verdict",
        "Relative gain",
        "Against shared bottom",
        "Against fixed weights",
    ]
    assert by_name["single_task"] == ["single_task", "0.7134", "–", "–", "–", "no difference+0.0016", "–"]
    assert by_name["aitm"] == ["aitm", "0.7069", "−0.0065−0.0093 to −0.0037", "worse", "−3.04 %", "worse−0.0048", "–"]
    assert by_name["ple + famo"][-1] == "no difference+0.0018" and by_name["ple + famo"][3] == "better"
    assert ["ple + famo", "fixed weights", "no difference"] in [row[:3] for row in like]
    assert ["ple", "single_task", "better"] in [row[:3] for row in like]
    metrics = next(row for row in like[15:] if row[0] == "mmoe")
    assert metrics[1] == "0.71460.7139, 0.7148, 0.7151", "the mean, below it the seeds"
    assert "log_loss (lower is better)" in text and "normalized_entropy (lower is better)" in text
    assert ["shared_bottom", "20,494", "+0.06 %", "43,520", "1.72", "74.4", "1.23", "1.23", "2.52"] in rows(
        text, "cost"
    )
    assert ["ple", "training.learning_rate=0.001", "2", "1", "0.9226", "23.3"] in rows(text, "trials")
    assert ["ple", "training.learning_rate=0.001", "stopped early", "0.9226", "3", "8.2"] in rows(text, "trials")
    assert ["stem", "training.learning_rate=0.003", "stopped early", "–", "3", "10.2"] in rows(text, "trials")
    assert ["mmoe", "0.0127", "0.0127"] in rows(text, "truth")
    together = {row[0]: row[1:] for row in rows(text, "together")}
    assert together["single_task"] == ["–", "–", "–", "–", "–", "0.93120.9301, 0.9312, 0.9323", "no"]
    assert together["aitm"][:5] == ["−3.50 %−4.83 % to −2.17 %", "worse", "0.0006", "0.0083", "1.90 %"]
    assert re.search(r'<tr class="best"><th scope=row>ple on dcn_v2<', text)
    about = text[text.index('<section id="about"') :]
    for words in (
        "opened 42 times by this comparison, 57 times by all comparisons",
        "like 0.0040 auc, share 0.0040 auc; found with probability 0.8",
        "1,283 groups of personId",
        "train 40,321, validate 6,012, eval 12,077",
        "2 files, 41,234,567 bytes, fingerprint da7a001122334455",
        "Holm",
    ):
        assert words in about


def test_a_p_value_is_never_0():
    result = comparison()
    result["methods"][3]["delta_m"]["p"] = 1e-9
    assert "&lt; 0.0001" in page_results.together(result)


def test_one_picture_for_each_of_the_first_six_pairs_of_tasks():
    result = comparison(tasks=4)
    result["tasks"] = {**result["tasks"], "save": result["tasks"]["like"]}
    for method in result["methods"]:
        method["metrics"]["save"] = method["metrics"]["like"]
    result["methods"] = result["methods"][:3]
    result["chosen"]["method"] = "mmoe"
    part = page_results.trade_offs(result)
    assert re.findall(r"<h3>(.*?)</h3>", part) == [
        "like and share",
        "like and comment",
        "like and minutes",
        "like and save",
        "share and comment",
        "share and minutes",
    ]
    assert "The other 4 pairs of tasks are not drawn." in part


def test_parts_without_data_are_left_out_or_a_dash():
    result = comparison(**CASES["bare"])
    for method in result["methods"]:
        method["gates"] = {}
    text = page(result)
    Outline(text)
    assert titles(text) == ["Gain over the twins", "like", "All tasks", "Cost", "Settings", "How this was made"]
    assert ["omoe", "–", "–", "not measured", "–", "not measured"] in rows(text, "task-0")
    assert ["stem", "20,546", "+0.32 %", "–", "1.38", "86.8", "–", "–", "–"] in rows(text, "cost")
    assert "none: each example is its own group" in text and "none: every method has its defaults" in text
    assert "Against fixed weights" not in text


def test_a_result_of_nothing_but_the_twins():
    result = comparison()
    result["methods"] = result["methods"][:1]
    result["methods"][0]["against"] = {}
    result["chosen"] = {"method": "single_task", "significant": False, "why": ""}
    text = page(result)
    Outline(text)
    assert "No method was compared with the twins." in text


def test_hostile_names_stay_text():
    evil = '<script>alert("1")</script>&$x_1$'
    result = copy.deepcopy(comparison())
    for key in ("recipe", "file", "command", "code", "recipe_fingerprint", "gatewise"):
        result[key] = evil
    result["chosen"]["why"] = result["groups"]["key"] = result["data"]["fingerprint"] = evil
    result["tasks"] = {evil: {"kind": evil, "metric": "auc"}, "share": result["tasks"]["share"]}
    for method in result["methods"]:
        for part in (
            method["metrics"],
            method["gates"],
            method["task_weights"],
            method["truth"],
            *method["against"].values(),
        ):
            if "like" in part:
                part[evil] = part.pop("like")
        method["overrides"], method["changes"] = [evil], {evil: evil}
        method["trials"][0]["changes"] = {evil: evil}
    for name in ("name", "architecture", "backbone", "balancer"):
        result["methods"][3][name] = evil
    outline = Outline(page(result))
    assert "script" not in outline.tags
    assert sum(text.count("alert(") for text in outline.texts) > 60


def test_the_same_data_gives_the_same_bytes():
    assert page(comparison(**CASES["bare"])) == page_of("bare")
