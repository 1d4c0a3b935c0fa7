"""The shop from its logs to a pushed, answering model; then again with one thing changed at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow


class World:
    """The root folder of the first run, in which the tests below run one after the other."""

    def __init__(self, gatewise: Callable[..., Any], recipe: Path, first_run: Any, settings: list[str]) -> None:
        self._gatewise, self._recipe, self._settings = gatewise, recipe, settings
        self.logs, self.root, self.json = first_run.logs, first_run.root, first_run.root.with_name("result.json")

    def run(self, *more: str) -> Any:
        self.json.unlink(missing_ok=True)
        about = ["--root", self.root, "--data", self.logs, "--json", self.json]
        return self._gatewise("run", self._recipe, *about, *self._settings, *more)

    def versions(self, model: str = "shop") -> list[str]:
        return sorted(path.name for path in (self.root / "serving" / model).glob("[0-9]*"))

    def fresh(self, done: Any) -> set[str]:
        return {stage["name"] for stage in done.result["stages"] if not stage["cached"]}


@pytest.fixture(scope="module")
def world(
    gatewise: Callable[..., Any], shop_recipe: Path, first_run: Any, quick: list[str], gates_off: list[str]
) -> World:
    return World(gatewise, shop_recipe, first_run, [*quick, *gates_off])


@pytest.fixture(scope="module")
def first(first_run: Any) -> Any:
    return first_run.done


def test_the_first_run_pushes(first: Any, world: World) -> None:
    assert first.code == 0, first.out + first.err
    assert first.result["blessed"] is True and first.result["failed_gates"] == []
    assert Path(first.result["pushed"]) == world.root / "serving" / "shop" / world.versions()[0]
    assert world.versions("shop_retrieval") == world.versions(), "both models under one version"
    assert {
        "EventLogs",
        "Statistics",
        "Validation",
        "Features",
        "Trainer",
        "References",
        "Evaluator",
        "Probe",
        "Interactions",
        "RetrievalTrainer",
        "RetrievalEvaluator",
        "Pusher",
        "RetrievalPusher",
    } <= world.fresh(first)
    assert "blessed and pushed to" in first.out and "and its retrieval model to" in first.out


def test_the_metrics_are_there_for_each_task(first: Any) -> None:
    assert set(first.result["metrics"]) == {"click", "cart", "order", "order_value"}
    assert first.result["metrics"]["click"]["auc"] > 0.6
    assert first.result["eval_reads"] == 1
    assert first.result["metrics"]["order_value"]["rmse"] > 0
    assert 0 < first.result["truth"]["click"]["auc_gap"] < 0.2


def test_the_accounts_balance_and_agree_with_the_files(first: Any, world: World) -> None:
    for stream, account in first.result["accounts"].items():
        lost = account["duplicate"] + account["orphan"] + account["late"] + account["dead_lettered"]
        assert account["read"] == account["used"] + lost, stream
        assert account["used"] > 0
    impressions = sum(pq.read_metadata(file).num_rows for file in world.logs.glob("impressions/**/*.parquet"))
    assert first.result["accounts"]["impression"]["read"] == impressions


def test_it_answers(first: Any, world: World, gatewise: Callable[..., Any], shop_recipe: Path) -> None:
    done = gatewise("predict", world.root / "serving" / "shop", "--input", shop_recipe.with_name("shop_requests.jsonl"))
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0 and len(answers) == 3
    assert all(set(answer) == {"click", "cart", "order", "order_value"} for answer in answers)
    assert all(0 < answer["click"] < 1 and answer["order_value"] > 0 for answer in answers)


def test_it_ranks(first: Any, world: World, gatewise: Callable[..., Any], shop_recipe: Path) -> None:
    """A page by the recipe's score, and by another weight in the request; real rows warm TensorFlow Serving up."""
    served = world.root / "serving" / "shop"
    done = gatewise("request", served, "--input", shop_recipe.with_name("shop_pages.jsonl"), "--signature", "rank")
    assert done.code == 0, done.err
    pages = [json.loads(line) for line in done.out.splitlines()]
    assert [len(page["score"]) for page in pages] == [3, 2]
    for page, margin in zip(pages, (0.2, 1.5), strict=True):
        for place, score in enumerate(page["score"]):
            click, cart, order, value = (page[task][place] for task in ("click", "cart", "order", "order_value"))
            assert score == pytest.approx(click * (1 + cart + margin * order * value), rel=1e-5)
        assert page["ranking"] == sorted(range(len(page["score"])), key=lambda place: -page["score"][place])
    warm_up = served / world.versions()[0] / "assets.extra" / "tf_serving_warmup_requests"
    assert b"i1" in warm_up.read_bytes(), "items of the shop"


def test_the_retrieval_model_stands_beside_the_simple_methods(first: Any) -> None:
    found = first.result["retrieval"]
    assert list(found["methods"]) == ["two_tower", "popular", "popular_last_day", "co_occurrence", "prior"]
    assert found["eval_queries"] > 200 and found["items"] > 300
    for name in ("true_recall@100", "recall@100", "weighted_recall@100"):
        assert all(0 < metrics[name] < 1 for metrics in found["methods"].values())
    assert found["with_truth"] > 100
    assert "Retrieval" in first.out


def recommended(gatewise: Callable[..., Any], world: World, user: dict[str, Any], *more: str) -> list[dict[str, Any]]:
    lines = world.root.parent / "recommended.jsonl"
    done = gatewise("recommend", world.root / "serving" / "shop", "--user", json.dumps(user), "--output", lines, *more)
    assert done.code == 0, done.err
    return [json.loads(line) for line in lines.read_text().splitlines()]


def test_it_recommends(
    first: Any, world: World, gatewise: Callable[..., Any], gatewise_anew: Callable[..., Any]
) -> None:
    """From a user to a list by the recipe's score; what he had is left out; a user never seen gets a list too."""
    user = {"segment": "loyal", "country": "DE", "age": 40, "device": "phone", "history": ["i3", "i5"]}
    listed = recommended(gatewise, world, user, "--k", "10")
    assert len(listed) == 10 and len({one["item"] for one in listed}) == 10
    for one in listed:
        click, cart, order, value = (one["tasks"][task] for task in ("click", "cart", "order", "order_value"))
        assert one["score"] == pytest.approx(click * (1 + cart + 0.2 * order * value), rel=1e-5)
    assert [one["score"] for one in listed] == sorted((one["score"] for one in listed), reverse=True)
    gone = [listed[0]["item"], listed[4]["item"]]
    without = recommended(gatewise, world, {**user, "exclude": gone}, "--k", "8")
    assert [one["item"] for one in without] == [one["item"] for one in listed if one["item"] not in gone]
    assert len(recommended(gatewise_anew, world, {})) == 20


def test_a_wrong_request_is_refused(first: Any, world: World, gatewise: Callable[..., Any], tmp_path: Path) -> None:
    for line, words in (
        ('{"item_idd": "i1"}', "did you mean 'item_id'"),
        ('{"price": "much"}', "price"),
    ):
        (tmp_path / "r.jsonl").write_text(line + "\n")
        done = gatewise("predict", world.root / "serving" / "shop", "--input", tmp_path / "r.jsonl")
        assert done.code == 1 and words in done.err and "Traceback" not in done.err, done.err


def test_the_results_load_with_tfma(first: Any, world: World) -> None:
    import tensorflow_model_analysis as tfma

    from models.recipe.file import load_recipe
    from pipeline.lineage import last_run
    from pipeline.run_paths import run_paths

    recipe = load_recipe("recipes/shop.yaml")
    run = last_run(run_paths(recipe, world.root))
    folder = str(run.artifacts["Evaluator.evaluation"])
    metrics = tfma.load_eval_result(folder).get_metrics_for_slice((), output_name="click")
    assert metrics["auc"]["boundedValue"]["value"] == pytest.approx(first.result["metrics"]["click"]["auc"])
    assert tfma.load_validation_result(folder).validation_ok is True


def test_the_report_is_one_page(first: Any, world: World, gatewise: Callable[..., Any]) -> None:
    done = gatewise("report", world.root)
    page = Path(done.out.strip()).read_text()
    assert done.code == 0 and page.count("<svg") >= 2
    assert all(task in page for task in ("click", "cart", "order_value"))


def test_another_run_on_dask_over_files_in_another_order_and_other_partitions_gives_the_same_model(
    first: Any,
    world: World,
    dask: Any,
    gatewise: Callable[..., Any],
    shop_recipe: Path,
    quick: list[str],
    gates_off: list[str],
    tmp_path: Path,
) -> None:
    logs, requests = tmp_path / "logs", shop_recipe.with_name("shop_requests.jsonl")
    shutil.copytree(world.logs, logs)
    files = sorted(logs.glob("**/*.parquet"))
    for number, file in enumerate(files):
        file.rename(file.with_name(f"{len(files) - number:04d}.parquet"))
    more = ["--data", logs, "--json", tmp_path / "again.json", *quick, *gates_off]
    for override in (*dask.beam, "beam.partitions=5"):
        more += ["--set", override]
    again = gatewise("run", shop_recipe, "--root", tmp_path / "runs", *more)
    assert again.code == 0, again.out + again.err
    assert again.result["accounts"] == first.result["accounts"]
    for task, metrics in first.result["metrics"].items():
        # Sums over all rows follow the order of the files: their last bit is another.
        assert again.result["metrics"][task] == pytest.approx(metrics, rel=1e-12), task
    answers = [gatewise("predict", done.result["pushed"], "--input", requests).out for done in (first, again)]
    assert answers[0] and answers[0] == answers[1]
    assert again.result["retrieval"]["methods"] == first.result["retrieval"]["methods"]
    for model in ("shop", "shop_retrieval"):
        exports = [_bytes(Path(done.result["serving"]).parents[1] / model) for done in (first, again)]
        differ = {
            name for name in exports[0].keys() | exports[1].keys() if exports[0].get(name) != exports[1].get(name)
        }
        # The second of the export, and TensorFlow's numbers of what the process made before, such as graphs of partitions.
        assert differ <= {"assets.extra/inputs.json", "saved_model.pb", "fingerprint.pb"}
    files = [
        Path(done.result["serving"]).parents[1].glob("shop_retrieval/*/assets.extra/items.parquet")
        for done in (first, again)
    ]
    tables = [pq.read_table(next(found)) for found in files]
    assert tables[0].num_rows and tables[0].equals(tables[1]), "the same items, with the same vectors"


def _bytes(model: Path) -> dict[str, bytes]:
    """{file of the model's first version: what is in it}."""
    version = min(model.iterdir())
    return {str(path.relative_to(version)): path.read_bytes() for path in version.rglob("*") if path.is_file()}


def test_nothing_changed_is_all_cached(first: Any, world: World) -> None:
    again = world.run()
    assert again.code == 0, again.err
    assert world.fresh(again) == set() and again.result["pushed"] is None and again.result["all_cached"] is True
    assert "Nothing has changed" in again.out
    assert again.result["metrics"] == first.result["metrics"] and len(world.versions()) == 1


def test_a_changed_gate_runs_the_evaluation_and_what_follows(first: Any, world: World) -> None:
    refused = world.run("--set", "tasks.click.gates=[{metric: auc, at_least: 0.999}]")
    assert refused.code == 2, refused.out + refused.err
    assert world.fresh(refused) == {"Evaluator", "Probe", "Pusher", "RetrievalPusher"}
    assert refused.result["blessed"] is False and len(refused.result["failed_gates"]) == 1
    assert all(word in refused.result["failed_gates"][0] for word in ("click", "auc", "0.999"))
    assert refused.result["pushed"] is None and len(world.versions()) == 1


def test_a_gate_of_the_retrieval_model_holds_both_back(first: Any, world: World) -> None:
    refused = world.run("--set", "retrieval.gates=[{metric: recall@100, at_least: 0.999}]")
    assert refused.code == 2, refused.out + refused.err
    assert world.fresh(refused) == {"RetrievalEvaluator", "Pusher", "RetrievalPusher"}
    assert "recall@100" in refused.result["failed_gates"][0] and "0.999" in refused.result["failed_gates"][0]
    assert len(world.versions()) == len(world.versions("shop_retrieval")) == 1


def test_a_limit_of_the_server_runs_the_probe_and_the_push(first: Any, world: World) -> None:
    refused = world.run("--set", "serving.max_size_mib=0.001")
    assert refused.code == 2, refused.out + refused.err
    assert world.fresh(refused) == {"Probe", "Pusher", "RetrievalPusher"}
    assert "more than serving.max_size_mib: 0.001" in refused.result["failed_gates"][0]


def test_a_changed_log_file_runs_everything(first: Any, world: World) -> None:
    file = sorted(world.logs.glob("impressions/**/*.parquet"))[0]
    table = pq.read_table(file)
    pq.write_table(pa.concat_tables([table, table.slice(0, 5)]), file)
    changed = world.run()
    assert changed.code == 0, changed.out + changed.err
    assert world.fresh(changed) == {stage["name"] for stage in changed.result["stages"]}
    account, before = changed.result["accounts"]["impression"], first.result["accounts"]["impression"]
    assert (account["read"], account["used"]) == (before["read"] + 5, before["used"])
    assert len(world.versions()) == 2 and world.versions() == world.versions("shop_retrieval")
