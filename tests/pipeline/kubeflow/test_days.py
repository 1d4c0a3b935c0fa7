"""A recipe with `logs.span` on Kubeflow: its compiled file, its parameters, its schedule, and a backfill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubeflow_api.server import Server

from components.event_logs.plan import EventLogsPlan
from components.push.nights import NightPlan
from models.recipe.errors import InputError
from models.recipe.file import load_recipe
from models.recipe.night import Cursor, Night
from models.recipe.run_day import SCHEDULED
from models.training.plan import TrainerPlan
from pipeline import cli
from pipeline.kubeflow import schedule_backfill
from pipeline.kubeflow.compile import compile_recipe
from pipeline.kubeflow.night_plans import of_night, on_day, plans_of, write_plans
from pipeline.kubeflow.spec.parameters import merge_parameters, parameters_of
from pipeline.kubeflow.spec.pipeline_spec import OF_THE_DAY

DAYS = Path(__file__).resolve().parents[3] / "recipes" / "shop_days.yaml"
DAY = "2026-01-09"
NIGHT = Night(
    day=DAY,
    start="warm",
    ancestor=1_790_000_000,
    state="/gatewise/states/shop_days/1790000000/state",
    cursor=Cursor(until=1_767_830_400_000_000, as_of=1_767_916_800_000_000),
    cold_day="2026-01-08",
    left_out=("2026-01-05",),
)


@pytest.fixture
def days_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the recipe of the shop by days with a section `kubeflow`: `days_file(schedule={...}, start="cold")`."""

    def write(schedule: dict[str, Any] | None = None, start: str = "warm", **more: Any) -> Path:
        document = yaml.safe_load(DAYS.read_text(encoding="utf-8"))
        document["training"]["start"] = start
        document["kubeflow"] = {
            "pipeline_root": "s3://recommender/pipelines",
            "root": "/gatewise",
            "data": "/logs/shop",
            "image": "registry.example.com/gatewise:1.0",
            "defaults": {"volumes": {"/gatewise": "gatewise-home", "/logs": "shop-logs"}},
            **({} if schedule is None else {"schedule": schedule}),
            **more,
        }
        path = tmp_path / "shop_days.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write


_SPECS: dict[str, Any] = {}


def _spec(days_file: Callable[..., Path], start: str = "warm") -> Any:
    """The pipeline spec, compiled once."""
    if start not in _SPECS:
        _SPECS[start] = next(yaml.safe_load_all(compile_recipe(load_recipe(days_file(start=start))).text))
    return _SPECS[start]


def test_the_stages_of_the_day_get_the_output_of_night(days_file: Callable[..., Path]) -> None:
    spec = _spec(days_file)
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    got = {stage for stage, task in tasks.items() if "night" in task.get("inputs", {}).get("artifacts", {})}
    assert got == set(OF_THE_DAY)
    for stage in OF_THE_DAY:
        assert tasks[stage]["inputs"]["artifacts"]["night"]["taskOutputArtifact"] == {
            "producerTask": "Night",
            "outputArtifactKey": "night",
        }
        assert "Night" in tasks[stage]["dependentTasks"]
        assert "night" in components[tasks[stage]["componentRef"]["name"]]["inputDefinitions"]["artifacts"]
    given = tasks["Night"]["inputs"]["parameters"]
    assert given["day"] == {"componentInputParameter": "day"}
    assert given["scheduled"]["runtimeValue"]["constant"] == "{{$.pipeline_job_schedule_time_utc}}"
    assert not tasks["Night"].get("cachingOptions", {}).get("enableCache")


@pytest.mark.parametrize("start", ["warm", "cold"])
def test_each_plan_of_the_day_replaces_that_of_the_file(
    days_file: Callable[..., Path], tmp_path: Path, start: str
) -> None:
    """What a stage is compiled with and what it runs with have the same parameters."""
    recipe = on_day(load_recipe(days_file(start=start)), DAY)
    night = NIGHT if start == "warm" else None
    plans = plans_of(recipe, night)
    assert set(plans) == set(OF_THE_DAY) if night else set(plans) < set(OF_THE_DAY)
    spec = _spec(days_file, start)
    write_plans(tmp_path, recipe, night)
    for stage, values in plans.items():
        given = spec["root"]["dag"]["tasks"][stage]["inputs"]["parameters"]
        compiled = {name: source.get("runtimeValue", {}).get("constant") for name, source in given.items()}
        assert set(values) <= set(compiled), stage
        changed = of_night(stage, compiled, tmp_path)
        assert {name for name in compiled if changed[name] != compiled[name]} <= set(values)
        assert set(changed) == set(compiled)
    logs = EventLogsPlan.model_validate_json(of_night("EventLogs", {"plan": "{}"}, tmp_path)["plan"])
    assert logs == EventLogsPlan.from_recipe(recipe, night) and logs.span is not None
    config = json.loads(of_night("Trainer", {"custom_config": '{"plan": "", "code": "1"}'}, tmp_path)["custom_config"])
    assert config["code"] == "1"
    assert TrainerPlan.model_validate_json(config["plan"]).state == (NIGHT.state if night else "")
    if night:
        assert NightPlan.model_validate_json(of_night("Pusher", {}, tmp_path)["night"]).night == NIGHT
    assert of_night("Statistics", {"plan": "p"}, tmp_path) == {"plan": "p"}


def test_its_parameters(days_file: Callable[..., Path]) -> None:
    recipe = load_recipe(days_file())
    found = {name: default for name, (_, default) in parameters_of(recipe).items()}
    assert found == {"day": SCHEDULED, "epochs": 0, "seed": 1, "push": True}
    assert parameters_of(load_recipe(days_file(start="cold")))["epochs"][1] == 2
    assert parameters_of(on_day(recipe, DAY))["day"][1] == DAY
    assert merge_parameters("Night", {"day": DAY, "scheduled": "s"}) == {"day": DAY, "scheduled": "s"}


def test_a_night_that_pushes_nothing_leaves_no_record_of_its_validation() -> None:
    given = {"plan": "p", "night": "n", "states": "/s"}
    assert merge_parameters("Validation", {**given, "push": True}) == given
    assert merge_parameters("Validation", {**given, "push": False}) == {"plan": "p", "states": "/s"}
    with pytest.raises(InputError, match="parameter push: expected true or false"):
        merge_parameters("Validation", {**given, "push": "no"})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"day": DAY}, "all runs of the schedule would read the same day"),
        ({"day": "2026-01-09T03:00:00Z"}, "all runs of the schedule would read the same day"),
        ({"day": "[[CurrentTime]]"}, "changes if a run starts late"),
        ({"as_of": "latest"}, "with `logs.span`, the day of a run says what it reads"),
    ],
)
def test_a_schedule_that_would_not_follow_the_days(
    days_file: Callable[..., Path], parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_recipe(days_file(schedule={"cron": "0 3 * * *", "parameters": parameters}))
    assert message in str(error.value)


def test_a_day_needs_spans(recipe_file: Callable[..., Path]) -> None:
    kubeflow = yaml.safe_load(recipe_file().read_text(encoding="utf-8"))["kubeflow"]
    kubeflow["schedule"] = {"cron": "0 3 * * *", "parameters": {"day": "latest"}}
    with pytest.raises(InputError, match=r"names a day and needs `logs.span`"):
        load_recipe(recipe_file(kubeflow=kubeflow))


def test_a_night_reads_the_states_on_a_volume(days_file: Callable[..., Path]) -> None:
    volumes = {"/logs": "shop-logs"}
    with pytest.raises(InputError, match=r"no volume is mounted at /gatewise in the pods of Night, .*Features"):
        load_recipe(days_file(defaults={"volumes": volumes}))


def _run(server: Server, capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["schedule", *map(str, arguments), "--host", server.url])
    shown = capsys.readouterr()
    return int(end.value.code or 0), shown.out, shown.err


def _days(server: Server) -> list[str]:
    return [run["runtime_config"]["parameters"]["day"] for run in server.store.runs.values()]


def test_the_schedule_passes_its_own_moment_and_a_backfill_its_days(
    server: Server, capsys: pytest.CaptureFixture[str], days_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_backfill, "POLL", 0.0)
    code, _, err = _run(server, capsys, "create", days_file(schedule={"cron": "0 3 * * *", "parameters": {"seed": 4}}))
    assert code == 0, err
    [row] = server.store.recurring_runs.values()
    assert row["runtime_config"]["parameters"] == {"day": SCHEDULED, "seed": 4}
    # By hand, the moment is now: Kubeflow would leave the macro as it is.
    code, out, _ = _run(server, capsys, "run-now", "shop-days", "--dry-run")
    assert code == 0 and 'day="20' in out and SCHEDULED not in out
    code, out, err = _run(server, capsys, "run-now", "shop-days", "--days", "2026-01-08..2026-01-10")
    assert code == 0, err
    assert _days(server) == ["2026-01-08", "2026-01-09", "2026-01-10"]
    assert [line.rpartition(" of ")[2] for line in out.splitlines() if "succeeded" in line] == [
        f"2026-01-{day}: succeeded" for day in ("08", "09", "10")
    ]
    assert {run["state"] for run in server.store.runs.values()} == {"SUCCEEDED"}


def test_a_failed_day_ends_a_backfill(
    server: Server, capsys: pytest.CaptureFixture[str], days_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_backfill, "POLL", 0.0)
    assert _run(server, capsys, "create", days_file(schedule={"cron": "0 3 * * *"}))[0] == 0
    server.store.failing = ("2026-01-09",)
    code, _, err = _run(server, capsys, "run-now", "shop-days", "--days", "2026-01-08..2026-01-10")
    assert code == 1 and "of 2026-01-09 ended with FAILED" in err and "--days 2026-01-09..2026-01-10" in err
    assert _days(server) == ["2026-01-08", "2026-01-09"]
    twice = _run(
        server, capsys, "run-now", "shop-days", "--days", "2026-01-08..2026-01-10", "--parameter", f"day={DAY}"
    )
    assert twice[0] == 1 and "expected the days in one place" in twice[2]
