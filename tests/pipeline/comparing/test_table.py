"""The terminal's table."""

import io

import pytest
from rich.console import Console

from pipeline.comparing.answer import answer
from pipeline.comparing.table import tables
from tests.doubles.comparison import comparison


def printed(result, width=80):
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    for part in tables(result):
        console.print(part)
    return out.getvalue()


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} ")).removeprefix(name).split()


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
def test_all_columns_fit_80_characters(tasks):
    result = comparison(tasks=tasks)
    text = printed(result)
    assert max(map(len, text.splitlines())) <= 80
    names = list(result["tasks"])
    heads = [line.split() for line in text.splitlines()]
    assert [*names, "para-", "s", "a"] in heads
    assert ["method", *(result["tasks"][name]["metric"] for name in names), "Δm", "meters", "pass"] in heads
    assert len(row(text, "ple")) == 2 * tasks + 3 and len(row(text, "poso")) == 2 * tasks + 3, "no cell is cut"
    assert row(text, "poso")[-3:] == [f"{100 * result['methods'][9]['delta_m']['gain']:+.2f}%", "20,598", "2.23"]


def test_values_signs_and_the_chosen_method():
    text = printed(comparison())
    assert row(text, "single_task") == ["0.7134", "·", "0.6821", "·", "–", "20,481", "1.21"], "the twins"
    assert row(text, "mmoe")[1] == "=" and row(text, "ple")[1] == "+" and row(text, "aitm")[1] == "-"
    assert row(text, "ple on dcn_v2")[0] == "*" and text.count("*") == 2
    assert row(printed(comparison(missing=True)), "omoe")[:2] == ["–", "?"]
    assert "mean of 3 seeds (auc: higher is better; rmse: lower is better)" in printed(comparison(tasks=4), 200)


def test_the_answer_and_the_smallest_visible_differences_are_below():
    result = comparison(tasks=4)
    lines = printed(result, 1000).splitlines()
    found = answer(result)
    assert lines[-2] == " ".join((found.headline, *found.sentences[:-1]))
    assert (
        lines[-1]
        == "Smallest visible difference: like 0.0040 auc, share 0.0040 auc, comment 0.0040 auc, minutes 0.0410 rmse"
    )


def test_more_than_four_tasks_continue_in_another_table():
    result = comparison(tasks=4)
    result["tasks"] |= {"save": result["tasks"]["like"]}
    for method in result["methods"]:
        method["metrics"]["save"] = method["metrics"]["like"]
        for gains in method["against"].values():
            gains["save"] = gains["like"]
    text = printed(result)
    assert max(map(len, text.splitlines())) <= 80 and text.count("\nmethod ") == 2 and text.count("meters") == 1
    assert text.count("\nple on dcn_v2 *") == 2


def test_names_are_text_and_missing_parts_are_dashes():
    result = comparison(tasks=1, trials=False, balancers=False, truth=False, missing=True)
    result["methods"][3]["name"] = "[red]ple[/]"
    for method in result["methods"]:
        method["against"], method["cost"]["seconds_per_pass"] = {}, None
    text = printed(result)
    assert "[red]ple[/]" in text and "Smallest visible difference: –" in text
    assert row(text, "stem")[-1] == "–"
