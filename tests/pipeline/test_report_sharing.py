"""The report's section on what sharing gains."""

import copy
import re

from pipeline.report import ReportData, page
from tests.doubles.full_report import FULL, Outline

MINUS = "\N{MINUS SIGN}"


def difference(loss, error=0.01, metric="auc"):
    wide = None if error is None else 2 * error
    bounds = {"lower": None, "upper": None} if wide is None else {"lower": loss - wide, "upper": loss + wide}
    return {"metric": metric, "loss": loss, "standard_error": error, **bounds}


def report(whole, slices):
    metrics = copy.deepcopy(FULL["metrics"])
    metrics["references"] = {"single_task": {}, "differences": {"single_task": whole}, "slices": slices}
    text = page(ReportData(**{**FULL, "metrics": metrics}))
    Outline(text)
    found = re.search(r'<section id="sharing".*?</section>', text, re.DOTALL)
    return found[0] if found else None


def of_slice(device, task, *args, **more):
    return {"slice": {"device": device}, "task": task, **difference(*args, **more)}


def test_gains_by_slice_with_the_most_certain_loss_first():
    whole = {"click": difference(-0.01), "value": difference(1.5, 1.0, "rmse")}
    slices = [
        of_slice("phone", "click", -0.03),
        of_slice("phone", "value", 0.0, 1.0, metric="rmse"),
        of_slice("<tv>", "click", 0.05),
        of_slice("watch", "click", 0.02, None),
    ]
    section = report(whole, slices)
    cells = re.findall(rf">([+{MINUS}]?[\d.]+)</text>", section)
    assert cells == ["+0.0100", f"{MINUS}1.5000", f"{MINUS}0.0500", "+0.0300", "0.0000", f"{MINUS}0.0200"]
    rows = [name for name in re.findall(r">([^<>]+)</text>", section) if "device" in name or name == "all"]
    assert rows == ["all", "device = &lt;tv&gt;", "device = phone", "device = watch"]
    assert "auc of click, rmse of value" in section and "not shown" not in section
    assert "In 3 comparisons by slice the 95 % interval of the gain is below 0 in 1 and above 0 in 1" in section
    assert "about 0.1 of each" in section


def test_many_slices():
    section = report({"click": difference(0.0)}, [of_slice(str(number), "click", number / 100) for number in range(25)])
    assert "5 more slices are not shown" in section and "device = 24" in section and "device = 4<" not in section


def test_an_evaluation_of_an_earlier_version_has_the_whole_split_alone():
    metrics = copy.deepcopy(FULL["metrics"])
    metrics["references"] = {"differences": {"single_task": {"click": difference(-0.01)}}}
    text = page(ReportData(**{**FULL, "metrics": metrics}))
    assert "What sharing gains" in text and "+0.0100" in text and "comparisons by slice" not in text


def test_without_twins_there_is_no_section():
    assert report({}, []) is None
    assert "What sharing gains" not in page(ReportData(recipe="shop"))
