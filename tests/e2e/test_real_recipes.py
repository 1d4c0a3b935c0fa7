"""The recipes on real logs, from their files to metrics per task. Skipped where the logs are not beside the checkout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

LINEAR = ("--set", "evaluation.references=[linear]")
ALONE = ("--set", "evaluation.references=[]")


@pytest.fixture(autouse=True)
def compiled_as_for_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without tests/conftest.py's flag: the training is long enough for optimised machine code."""
    monkeypatch.delenv("XLA_FLAGS", raising=False)


@pytest.fixture(scope="module")
def run(
    gatewise: Callable[..., Any], shop_recipe: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    def call(name: str, *more: str, folder: Path | None = None) -> Any:
        folder = folder or tmp_path_factory.mktemp(name)
        recipe = shop_recipe.with_name(f"{name}.yaml")
        return gatewise("run", recipe, "--data", real_data, "--root", folder, "--json", folder / "result.json", *more)

    return call


def balanced(account: dict[str, int]) -> bool:
    lost = account["duplicate"] + account["orphan"] + account["late"] + account["dead_lettered"]
    return account["read"] == account["used"] + lost


def test_deskdrop(run: Callable[..., Any], gatewise: Callable[..., Any]) -> None:
    done = run("deskdrop")
    assert done.code == 0, done.out + done.err
    accounts = done.result["accounts"]
    # The publisher's counts of each event, as the file's own description has them.
    read = {"view": 61_086, "like": 5_745, "bookmark": 2_463, "comment": 1_611, "follow": 1_407}
    assert {stream: account["read"] for stream, account in accounts.items()} == read
    assert all(balanced(account) for account in accounts.values())
    assert all(account["read"] + account["other"] == 72_312 for account in accounts.values())
    assert done.result["metrics"]["like"]["auc"] > 0.65
    assert {"linear", "single_task"} <= set(done.result["references"])
    recall = {method: metrics["recall@100"] for method, metrics in done.result["retrieval"]["methods"].items()}
    assert recall["two_tower"] > recall["popular"] > 0.1
    lines = Path(done.result["serving"]).parents[2] / "recommended.jsonl"
    listed = gatewise(
        "recommend", Path(done.result["serving"]).parent, "--user", '{"userCountry": "BR"}', "--output", lines
    )
    assert listed.code == 0 and len(lines.read_text().splitlines()) == 20, listed.err


def test_taobao(run: Callable[..., Any]) -> None:
    done = run("taobao", *LINEAR)
    assert done.code == 0, done.out + done.err
    accounts = done.result["accounts"]
    assert (accounts["cart"]["read"], accounts["buy"]["read"]) == (140_068, 167_862)
    assert all(balanced(account) for account in accounts.values())
    assert done.result["metrics"]["buy_2d"]["auc"] > 0.55
    # The two last days' windows of the longer task are open: fewer of its examples are observed.
    counts = {task: metrics["example_count"] for task, metrics in done.result["metrics"].items()}
    assert counts["buy_2d"] < counts["buy_6h"]


@pytest.fixture(scope="module")
def census(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One root: what the data stages made of the census serves every training."""
    return tmp_path_factory.mktemp("census")


def test_census_income_reaches_the_published_level(run: Callable[..., Any], census: Path) -> None:
    """In two of the recipe's twelve epochs, with all of its gates."""
    done = run("census_income", "--set", "training.epochs=2", *ALONE, folder=census)
    assert done.code == 0, done.out + done.err
    assert (
        done.result["accounts"]["examples"]["used"] == 199_523
        and done.result["accounts"]["eval_examples"]["used"] == 99_762
    )
    assert done.result["metrics"]["income"]["auc"] >= 0.950
    assert done.result["metrics"]["never_married"]["auc"] >= 0.994


def test_bfloat16_is_as_good_as_float32_on_census_income(run: Callable[..., Any], census: Path) -> None:
    """One epoch of each."""
    auc = {}
    for precision in ("float32", "mixed_bfloat16"):
        precise = ("--set", "training.epochs=1", "--set", f"training.precision={precision}")
        done = run("census_income", *precise, *ALONE, folder=census)
        assert done.code in (0, 2), done.out + done.err
        auc[precision] = {task: metrics["auc"] for task, metrics in done.result["metrics"].items()}
    assert auc["mixed_bfloat16"] != auc["float32"]
    assert auc["mixed_bfloat16"] == pytest.approx(auc["float32"], abs=0.001)
