"""`gatewise schedule` through the real `kfp.Client` against a server on the loopback that speaks Kubeflow Pipelines' API."""

from __future__ import annotations

import copy
import dataclasses
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubeflow_api.server import Server

from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe
from models.recipe.schedule import RunParameters
from pipeline import cli
from pipeline.kubeflow import compile
from pipeline.kubeflow.spec.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parents[3]
NIGHTLY = {"cron": "0 3 * * *", "parameters": {"as_of": "latest", "epochs": 3, "push": False}}
CHANGED = {"cron": "0 4 * * *"}


@dataclasses.dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Gatewise = Callable[..., Ended]
RecipeFile = Callable[..., Path]
_COMPILED: dict[str, compile.Compiled] = {}
_COMPILE = compile.compile_recipe


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each recipe is compiled once for all tests: a schedule is no part of what is compiled, as a test below shows."""

    def compile_recipe(recipe: Recipe) -> compile.Compiled:
        assert recipe.kubeflow is not None
        without = recipe.model_copy(update={"kubeflow": recipe.kubeflow.model_copy(update={"schedule": None})})
        key = without.model_dump_json(exclude={"data"})
        if key not in _COMPILED:
            _COMPILED[key] = _COMPILE(recipe)
        return _COMPILED[key]

    monkeypatch.setattr(compile, "compile_recipe", compile_recipe)


@pytest.fixture
def gatewise(server: Server, capsys: pytest.CaptureFixture[str]) -> Gatewise:
    """`gatewise schedule COMMAND ... --host SERVER`."""

    def run(command: str, *arguments: Any, host: str | None = None) -> Ended:
        with pytest.raises(SystemExit) as end:
            cli.main(["schedule", command, *map(str, arguments), "--host", host or server.url])
        shown = capsys.readouterr()
        assert isinstance(end.value.code, int | None)
        return Ended(end.value.code or 0, shown.out, shown.err)

    return run


@pytest.fixture
def scheduled(recipe_file: RecipeFile) -> RecipeFile:
    """Writes the shop's recipe with a schedule: `scheduled(NIGHTLY, name="shop")`."""
    plain = yaml.safe_load(recipe_file().read_text(encoding="utf-8"))["kubeflow"]

    def write(schedule: dict[str, Any] | None = NIGHTLY, **sections: Any) -> Path:
        section = copy.deepcopy(plain)
        if schedule is not None:
            section["schedule"] = schedule
        return recipe_file(sections.get("name", "shop"), kubeflow=section, **sections)

    return write


def the_one(server: Server, name: str = "shop") -> dict[str, Any]:
    (row,) = server.store.named(name)
    return row


def test_create_makes_pipeline_version_experiment_and_schedule(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    ended = gatewise("create", scheduled())
    assert ended.code == 0 and ended.err == ""
    compiled = compile.compile_recipe(load_recipe(scheduled()))
    (pipeline,), (version,) = server.store.pipelines.values(), server.store.versions.values()
    (experiment,) = server.store.experiments.values()
    assert (pipeline["name"], version["name"], experiment["display_name"]) == ("shop", compiled.version, "shop")
    assert server.store.specs[version["pipeline_version_id"]] == next(yaml.safe_load_all(compiled.text))
    row = the_one(server)
    assert row["status"] == "ENABLED" and row["trigger"]["cron_schedule"] == {"cron": "0 0 3 * * *"}
    assert row["max_concurrency"] == "1" and row["no_catchup"] is True
    assert row["runtime_config"] == {
        "parameters": {"as_of": "latest", "epochs": 3, "push": False},
        "pipeline_root": "s3://recommender/pipelines",
    }
    assert row["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]
    assert row["experiment_id"] == experiment["experiment_id"]
    assert ended.out.splitlines() == [
        "pipeline shop: created",
        f"version {compiled.version}: uploaded",
        "experiment shop: created",
        "schedule shop 1: created",
        f"shop: runs at '0 0 3 * * *', version {compiled.version}, parameters as_of=\"latest\", epochs=3, push=false; "
        f"recurring run {row['recurring_run_id']}",
    ]


def test_create_twice_leaves_one(server: Server, gatewise: Gatewise, scheduled: RecipeFile) -> None:
    first = gatewise("create", scheduled())
    row, writes = copy.deepcopy(the_one(server)), len(server.writes)
    second = gatewise("create", scheduled())
    assert second.code == 0 and second.out.splitlines() == ["schedule shop: unchanged", first.out.splitlines()[-1]]
    assert the_one(server) == row and len(server.writes) == writes


def test_a_changed_time_is_a_new_recurring_run_and_the_old_one_goes(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    ended = gatewise("create", scheduled(), "--set", "kubeflow.schedule.cron=0 4 * * 1-5")
    assert ended.out.splitlines()[:-1] == [
        "schedule shop 2: created, paused",
        "schedule shop 1: paused",
        "schedule shop 2: resumed",
        "schedule shop 1: deleted",
    ]
    row = the_one(server)
    assert row["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * 1-5" and row["status"] == "ENABLED"
    assert len(server.store.versions) == 1 and server.store.most_enabled == 1


def test_a_changed_recipe_is_a_new_version_and_still_one_schedule(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    ended = gatewise("create", scheduled(), "--set", "training.epochs=9")
    assert ended.code == 0 and len(server.store.pipelines) == len(server.store.experiments) == 1
    first, second = server.store.versions
    assert the_one(server)["pipeline_version_reference"]["pipeline_version_id"] == second
    back = gatewise("create", scheduled())
    assert "uploaded" not in back.out
    assert the_one(server)["pipeline_version_reference"]["pipeline_version_id"] == first
    assert server.store.most_enabled == 1


@pytest.mark.parametrize("obeyed", [False, True], ids=["the call is not heard", "the answer is lost"])
@pytest.mark.parametrize("write", range(1, 6))
def test_an_update_that_ends_at_any_call_is_healed_by_the_next_create(
    write: int, obeyed: bool, server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    server.requests.clear()
    if obeyed:
        server.cut_after = write
    else:
        server.cut_before = write
    broken = gatewise("create", scheduled(CHANGED), "--set", "training.epochs=9")
    assert broken.code == 1 and "got no response" in broken.err and "Traceback" not in broken.err
    server.cut_after = server.cut_before = None
    again = gatewise("create", scheduled(CHANGED), "--set", "training.epochs=9")
    row = the_one(server)
    assert again.code == 0 and row["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * *" and row["status"] == "ENABLED"
    assert len(server.store.versions) == 2 and server.store.most_enabled == 1


def test_a_first_create_that_ends_at_any_call_is_healed_by_the_next(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    for write in range(1, 5):
        server.requests.clear()
        server.cut_after = 1
        assert gatewise("create", scheduled()).code == 1, write
    server.cut_after = None
    gatewise("create", scheduled())
    assert the_one(server)["status"] == "ENABLED"
    assert len(server.store.pipelines) == len(server.store.versions) == len(server.store.experiments) == 1


def test_two_schedules_of_the_same_recipe_become_one(server: Server, gatewise: Gatewise, scheduled: RecipeFile) -> None:
    gatewise("create", scheduled())
    twin = {**copy.deepcopy(the_one(server)), "recurring_run_id": "twin"}
    server.store.recurring_runs["twin"] = twin
    assert "shop: several, because a change was interrupted" in gatewise("list").out
    assert gatewise("create", scheduled()).code == 0
    assert the_one(server)["status"] == "ENABLED"


def test_somebody_makes_the_same_at_the_same_moment(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = server.store.create_recurring_run
    monkeypatch.setattr(server.store, "create_recurring_run", lambda body: (once(body), once(body))[1])
    ended = gatewise("create", scheduled())
    assert ended.code == 0 and ended.out.count("deleted") == 1
    assert the_one(server)["status"] == "ENABLED"


def test_somebody_makes_another_again_and_again(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    gatewise("create", scheduled())
    theirs, delete = copy.deepcopy(the_one(server)), server.store.delete_recurring_run

    def again(id: str, policy: str | None) -> None:
        delete(id, policy)
        server.store.recurring_runs[f"{id}-again"] = {**theirs, "recurring_run_id": f"{id}-again"}

    monkeypatch.setattr(server.store, "delete_recurring_run", again)
    ended = gatewise("create", scheduled(CHANGED))
    assert (
        ended.code == 1
        and "another process changes the schedule 'shop' at the same time. Run the command again." in ended.err
    )


def test_pause_and_resume_tidy_up_after_an_interrupted_change(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    for command, status in (("pause", "DISABLED"), ("resume", "ENABLED")):
        server.requests.clear()
        server.cut_after = 1  # the new one is made, and nothing more
        gatewise("create", scheduled({"cron": f"{len(command)} 4 * * *"}))
        server.cut_after = None
        assert len(server.store.named("shop")) == 2
        assert gatewise(command, "shop").code == 0
        assert the_one(server)["status"] == status
        assert the_one(server)["trigger"]["cron_schedule"]["cron"] == f"0 {len(command)} 4 * * *"


def test_pause_leaves_what_still_runs_of_an_interrupted_change(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    server.requests.clear()
    server.cut_after = 1
    gatewise("create", scheduled(CHANGED))
    server.cut_after = None
    run = server.store.tick("shop")
    ended = gatewise("pause", "shop")
    assert ended.code == 0 and "an older one stays paused until its run ends" in ended.out
    assert run["state"] == "RUNNING" and server.store.enabled("shop") == [] and len(server.store.named("shop")) == 2
    run["state"] = "SUCCEEDED"
    gatewise("pause", "shop")
    assert the_one(server)["status"] == "DISABLED"


def test_a_paused_schedule_stays_paused_over_a_change(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    assert gatewise("pause", "shop").out.splitlines() == ["schedule shop 1: paused"]
    assert gatewise("pause", "shop").out.splitlines() == ["schedule shop: is already paused"]
    assert the_one(server)["status"] == "DISABLED"
    gatewise("create", scheduled(CHANGED))
    assert (the_one(server)["status"], the_one(server)["trigger"]["cron_schedule"]["cron"]) == (
        "DISABLED",
        "0 0 4 * * *",
    )
    assert "shop: paused at '0 0 4 * * *'" in gatewise("list").out
    assert gatewise("resume", scheduled()).out.splitlines() == ["schedule shop 2: resumed"]
    assert the_one(server)["status"] == "ENABLED"


def test_run_now_runs_what_the_schedule_runs_with_other_parameters_where_given(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    ended = gatewise("run-now", "shop", "--parameter", "as_of=2026-01-15T00:00:00Z", "--parameter", "push=true")
    ((id, run),) = server.store.runs.items()
    assert ended.out.startswith(f"run {id} of shop, version ") and 'as_of="2026-01-15T00:00:00Z", epochs=3' in ended.out
    assert run["runtime_config"]["parameters"] == {"as_of": "2026-01-15T00:00:00Z", "epochs": 3, "push": True}
    row = the_one(server)
    assert all(run[key] == row[key] for key in ("pipeline_version_reference", "experiment_id", "service_account"))
    second = gatewise("run-now", "shop")
    assert second.code == 1 and f"run {id} of shop is in progress" in second.err and "--while-running" in second.err
    assert gatewise("run-now", "shop", "--while-running").code == 0 and len(server.store.runs) == 2


def test_delete_takes_the_schedule_and_leaves_the_rest(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    assert gatewise("delete", "shop").out.splitlines() == ["schedule shop 1: deleted"]
    assert server.store.recurring_runs == {} and len(server.store.versions) == 1
    again = gatewise("delete", "shop")
    assert again.code == 1 and "no schedule 'shop'; Known: none." in again.err


def test_a_run_in_progress_is_not_ended_by_a_change(server: Server, gatewise: Gatewise, scheduled: RecipeFile) -> None:
    gatewise("create", scheduled())
    run = server.store.tick("shop")
    writes = len(server.writes)
    for ended in (gatewise("create", scheduled(CHANGED)), gatewise("delete", "shop")):
        assert ended.code == 1 and f"run {run['run_id']} of the schedule 'shop' is in progress" in ended.err
        assert "Nothing was changed" in ended.err and len(server.writes) == writes
    assert gatewise("create", scheduled()).code == 0, "what changes nothing ends no run"
    assert gatewise("create", scheduled(CHANGED), "--while-running").code == 0
    assert run["state"] == "RUNNING" and the_one(server)["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * *"
    run["state"] = "SUCCEEDED"
    assert gatewise("delete", "shop").code == 0


def test_a_dry_run_says_it_all_and_changes_nothing(server: Server, gatewise: Gatewise, scheduled: RecipeFile) -> None:
    version = compile.compile_recipe(load_recipe(scheduled())).version
    assert gatewise("create", scheduled(), "--dry-run").out.splitlines() == [
        "pipeline shop: would be created",
        f"version {version}: would be uploaded",
        "experiment shop: would be created",
        "schedule shop 1: would be created",
    ]
    assert server.writes == [] and server.requests
    gatewise("create", scheduled())
    server.requests.clear()
    assert gatewise("create", scheduled(CHANGED), "--dry-run").out.splitlines() == [
        "schedule shop 2: would be created, paused",
        "schedule shop 1: would be paused",
        "schedule shop 2: would be resumed",
        "schedule shop 1: would be deleted",
    ]
    assert gatewise("create", scheduled(), "--dry-run").out == "schedule shop: unchanged\n"
    assert gatewise("pause", "shop", "--dry-run").out == "schedule shop 1: would be paused\n"
    assert gatewise("run-now", "shop", "--dry-run").out.startswith(f"run of shop, version {version}: would be started")
    assert gatewise("delete", "shop", "--dry-run").out == "schedule shop 1: would be deleted\n"
    assert server.writes == []


def test_two_recipes_side_by_side_do_not_touch_each_other(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    first, second = scheduled(name="shop"), scheduled(name="shop_b")
    gatewise("create", first)
    other = copy.deepcopy(the_one(server))
    gatewise("create", second)
    gatewise("create", second, "--set", "kubeflow.schedule.cron=0 5 * * *")
    gatewise("pause", "shop_b")
    assert the_one(server) == other and the_one(server, "shop-b")["status"] == "DISABLED"
    shown = gatewise("list").out.splitlines()
    assert [line.split(" at ")[0] for line in shown] == ["shop: runs", "shop-b: paused"]
    gatewise("delete", second)
    assert the_one(server) == other and server.store.named("shop-b") == []


def test_each_namespace_of_a_server_for_several_users_has_its_own(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    server.store.multi_user = True
    for team in ("red", "blue", "red"):
        assert gatewise("create", scheduled(), "--namespace", team).code == 0
    assert sorted(row["namespace"] for row in server.store.named("shop")) == ["blue", "red"]
    assert sorted(row["namespace"] for row in server.store.pipelines.values()) == ["blue", "red"]
    assert gatewise("delete", "shop", "--namespace", "red").code == 0
    assert the_one(server)["namespace"] == "blue"


def test_names_that_are_one_on_kubeflow_are_told_apart(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled(name="shop_b"))
    writes = len(server.writes)
    ended = gatewise("create", scheduled(name="Shop_B"))
    assert (
        ended.code == 1 and "belongs to the recipe 'shop_b', which has the same pipeline name as 'Shop_B'" in ended.err
    )
    assert len(server.writes) == writes


def test_somebody_else_s_recurring_run_of_that_name_is_left_alone(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    theirs = the_one(server)
    theirs["description"] = "nightly, ask Ann"
    for ended in (gatewise("create", scheduled()), gatewise("delete", "shop")):
        assert (
            ended.code == 1 and "was not created by gatewise" in ended.err and theirs["recurring_run_id"] in ended.err
        )
    assert the_one(server) is theirs
    assert "no schedule of gatewise" in gatewise("list").out


def test_lists_longer_than_a_page(server: Server, gatewise: Gatewise, scheduled: RecipeFile) -> None:
    gatewise("create", scheduled())
    row = the_one(server)
    for number in range(250):
        id = f"other-{number}"
        server.store.recurring_runs[id] = {**row, "recurring_run_id": id, "display_name": f"other-{number:03}"}
    shown = gatewise("list").out.splitlines()
    assert len(shown) == 251 and shown == sorted(shown)


def test_a_schedule_in_a_file_of_its_own(server: Server, gatewise: Gatewise) -> None:
    file = ROOT / "kubeflow" / "schedule.yaml"
    assert gatewise("create", ROOT / "recipes" / "shop.yaml", "--schedule", file).code == 0
    row, declared = the_one(server), yaml.safe_load(file.read_text(encoding="utf-8"))
    assert row["trigger"]["cron_schedule"]["cron"] == f"0 {declared['cron']}"
    assert row["runtime_config"]["parameters"] == declared["parameters"]
    assert row["service_account"] == declared["service_account"]
    (experiment,) = server.store.experiments.values()
    assert experiment["display_name"] == declared["experiment"]


def test_the_schedule_is_no_part_of_what_is_compiled(scheduled: RecipeFile) -> None:
    texts = {_COMPILE(load_recipe(scheduled(schedule))).text for schedule in (None, NIGHTLY)}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (None, "the recipe has no section 'kubeflow.schedule': write schedule: {cron: "),
        (
            {"cron": "0 3 * *"},
            "kubeflow.schedule.cron: expected minute, hour, day of the month, month and day of the week",
        ),
        ({}, "kubeflow.schedule: the key 'cron' is missing."),
        (
            {**CHANGED, "parameters": {"epoch": 3}},
            "epoch: unknown key 'epoch'; did you mean 'epochs'? Known: as_of, day, epochs",
        ),
        ({**CHANGED, "parameters": {"epochs": 0}}, "kubeflow.schedule.parameters.epochs:"),
        ({**CHANGED, "parameters": {"push": "no"}}, "kubeflow.schedule.parameters.push:"),
        ({**CHANGED, "parameters": {"seed": 2**32}}, "kubeflow.schedule.parameters.seed:"),
        ({**CHANGED, "parameters": {"as_of": "yesterday"}}, "kubeflow.schedule.parameters.as_of"),
        ({**CHANGED, "service_account": "My Account"}, "service_account: expected the name of a Kubernetes object"),
        ({**CHANGED, "experiment": " "}, "experiment: expected the name of an experiment: 1 to 128 characters"),
        (
            {**CHANGED, "zone": "Europe/Vienna"},
            "Known: cron, experiment, parameters, service_account.",
        ),
    ],
)
def test_a_wrong_schedule_is_refused_before_the_server_is_changed(
    schedule: dict[str, Any] | None, words: str, server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    ended = gatewise("create", scheduled(schedule))
    assert ended.code == 1 and words in ended.err and "Traceback" not in ended.err
    assert server.writes == []


def test_a_wrong_value_in_the_schedule_s_own_file_is_shown_there(
    gatewise: Gatewise, scheduled: RecipeFile, tmp_path: Path
) -> None:
    file = tmp_path / "night.yaml"
    file.write_text("# at night\ncron: 0 3 * * *\nparameters:\n  epochs: none\n")
    ended = gatewise("create", scheduled(), "--schedule", file)
    assert ended.code == 1 and f"{file}:4: " in ended.err and "received 'none'" in ended.err
    missing = gatewise("create", scheduled(), "--schedule", tmp_path / "nigt.yaml")
    assert missing.code == 1 and f"did you mean '{file}'?" in missing.err


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (
            "epoch=3",
            "--parameter epoch=3: expected KEY=VALUE; did you mean 'epochs'? Known: as_of, day, epochs, push, seed.",
        ),
        ("epochs", "expected KEY=VALUE"),
        ("epochs=none", "--parameter epochs=none: expected a whole number"),
        ("push=1", "--parameter push=1: expected true or false"),
        ("as_of=[", "invalid YAML"),
    ],
)
def test_a_wrong_parameter_of_a_run_is_refused(parameter: str, words: str, server: Server, gatewise: Gatewise) -> None:
    ended = gatewise("run-now", "shop", "--parameter", parameter)
    assert ended.code == 1 and words in ended.err and server.requests == []


def test_what_the_server_refuses_comes_with_its_words(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    next(iter(server.store.specs.values()))["root"]["inputDefinitions"]["parameters"].pop("epochs")
    before = the_one(server)
    ended = gatewise("create", scheduled(), "--set", "kubeflow.schedule.cron=0 5 * * *")
    assert ended.code == 1 and "creating the schedule returned status 400" in ended.err
    assert "unknown parameters ['epochs']" in ended.err
    assert the_one(server) is before and before["status"] == "ENABLED", "the old one runs as before"


def test_the_parameters_of_a_schedule_are_those_of_the_pipeline() -> None:
    assert set(RunParameters.model_fields) == set(PARAMETERS)


def test_help_teaches_at_once_and_without_kubeflow_s_packages() -> None:
    code = (
        "import sys; from pipeline.cli import main\n"
        "for command in sys.argv[1:]:\n"
        "    try: main(['schedule', command, '--help'])\n"
        "    except SystemExit as end: assert not end.code\n"
        "assert not {'kfp', 'tensorflow', 'tfx', 'kubernetes'} & set(sys.modules)"
    )
    commands = ("create", "list", "pause", "resume", "run-now", "delete")
    done = subprocess.run([sys.executable, "-c", code, *commands], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert [command for command in commands if f"Example: gatewise schedule {command} " not in shown] == []


def test_an_archived_experiment(server: Server, gatewise: Gatewise, scheduled: RecipeFile) -> None:
    gatewise("create", scheduled())
    next(iter(server.store.experiments.values()))["storage_state"] = "ARCHIVED"
    ended = gatewise("create", scheduled(CHANGED))
    assert ended.code == 1 and "experiment 'shop' is archived" in ended.err


def test_a_recurring_run_in_words_of_its_own_tells_how_to_change_it(
    server: Server, gatewise: Gatewise, scheduled: RecipeFile
) -> None:
    gatewise("create", scheduled())
    assert re.fullmatch(
        r"gatewise schedule 1 of recipe shop: version [0-9a-f]{12}, as declared [0-9a-f]{12}, made to run\. "
        r"To change it, change the recipe and run gatewise schedule create\.",
        the_one(server)["description"],
    )
