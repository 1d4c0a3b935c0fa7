"""The Pusher of a night: what it records of pushed and refused models, and which states rollbacks and retention leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tfx import types
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.push.executor import Executor
from components.push.night_keeper import NOT_LOADED, cursor_of
from components.push.nights import STATE, NightPlan, night_of, read_records
from components.push.rollback import roll_back, undo
from components.push.withdrawn import withdrawn_folder
from models.files.version_folders import WHOLE, version_folders
from models.recipe.errors import InputError
from models.recipe.night import Night
from models.recipe.recipe import Recipe

DAY = 86_400_000_000
THE_1ST = 1767225600_000_000  # 2026-01-01, midnight UTC
FAILED = {"message": "click: auc is 0.4, required at least 0.6.", "held": False}
HELD = {"message": "click: auc is 0.7, required at least 0.6.", "held": True}


def day_of(number: int) -> str:
    return f"2026-01-{number:02d}"


class Nights:
    """Pushes models of nights, each with its own bytes, as the pipeline does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.served, self.states = folder, folder / "serving" / "shop", folder / "states" / "shop"

    def night(self, day: int) -> Night:
        """What the run of a day goes on from."""
        streams = {
            name: {"path": f"{name}-{{YYYY}}{{MM}}{{DD}}.csv", "key": ["user"], "time": {"column": "time", "unit": "s"}}
            for name in ("view", "click")
        }
        recipe = Recipe.model_validate(
            {
                "name": "shop",
                "logs": {"impressions": "view", "span": "1d", "day": day_of(day), "streams": streams},
                "split": {"eval_last": "1d", "train_last": "7d"},
                "features": {"user": {"kind": "categorical"}},
                "tasks": {"click": {"kind": "binary", "outcome": "click", "window": "1h"}},
                "training": {"start": "warm"},
            }
        )
        found = night_of(recipe, self.served, self.states)
        assert found is not None
        return found

    def run(
        self,
        second: int,
        day: int,
        *,
        gates: Any = (HELD,),
        infra: int = 1,
        fault: bool = False,
        history: Any = None,
        **properties: Any,
    ) -> types.Artifact:
        """A run of a day whose model was made at a second. It learned the impressions before its day."""
        home = self.folder / "runs" / f"{second}-{day}"
        model, examples, model_run, evaluation = (home / name for name in ("model", "examples", "run", "evaluation"))
        for file in WHOLE:
            path = model / "Format-Serving" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"graph {second}")
        for folder in (examples, model_run / STATE, evaluation):
            folder.mkdir(parents=True, exist_ok=True)
        cursor = {"until": THE_1ST + (day - 1) * DAY, "as_of": THE_1ST + day * DAY}
        (examples / "summary.json").write_text(json.dumps({"cursor": cursor}))
        (model_run / STATE / "variables.npz").write_text(f"weights {second}")
        if history is not None:
            (model_run / "history.json").write_text(json.dumps(history))
        measured = {
            "gates": list(gates),
            "tasks": {"click": {"auc": 0.7, "log_loss": None}},
            "baseline": None,
            "day_at_fault": fault,
        }
        (evaluation / "metrics.json").write_text(json.dumps(measured))
        artifacts = {
            "model": (standard_artifacts.Model(), model),
            "examples": (standard_artifacts.Examples(), examples),
            "model_run": (standard_artifacts.ModelRun(), model_run),
            "evaluation": (standard_artifacts.ModelEvaluation(), evaluation),
            "model_blessing": (standard_artifacts.ModelBlessing(), None),
            "infra_blessing": (standard_artifacts.InfraBlessing(), None),
            "pushed_model": (standard_artifacts.PushedModel(), home / "pushed"),
        }
        for artifact, folder in artifacts.values():
            artifact.uri = str(folder or "")
        given = {name: [artifact] for name, (artifact, _) in artifacts.items()}
        given["model"][0].mlmd_artifact.create_time_since_epoch = second * 1000
        given["model_blessing"][0].set_int_custom_property("blessed", int(all(gate["held"] for gate in gates)))
        given["infra_blessing"][0].set_int_custom_property("blessed", infra)
        folder = pusher_pb2.PushDestination.Filesystem(base_directory=str(self.served))
        destination = proto_utils.proto_to_json(pusher_pb2.PushDestination(filesystem=folder))
        plan = NightPlan(night=self.night(day), eval_days=(day_of(day),)).model_dump_json()
        common = {"push_destination": destination, "custom_config": "null", "night": plan, "states": str(self.states)}
        Executor().Do(given, {"pushed_model": given.pop("pushed_model")}, {**common, **properties})
        return artifacts["pushed_model"][0]

    def with_states(self) -> list[int]:
        return sorted(int(path.parent.name) for path in self.states.glob(f"*/{STATE}"))


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def test_a_pushed_model_is_the_ancestor_of_the_next_night(nights: Nights) -> None:
    for _ in range(2):  # a run that is killed after the push and repeated
        assert nights.run(800, 8).get_int_custom_property("pushed") == 1
    [record] = read_records(nights.states).values()
    assert (record.version, record.day, record.start, record.ancestor, record.pushed) == (
        800,
        day_of(8),
        "cold",
        None,
        True,
    )
    assert record.metrics == {"click": {"auc": 0.7, "log_loss": None}} and record.learned_days == ()
    assert (nights.states / "800" / STATE / "variables.npz").read_text() == "weights 800"
    nights.run(900, 9)
    record = read_records(nights.states)[900]
    assert (record.start, record.ancestor, record.learned_days) == ("warm", 800, (day_of(8),))


def test_the_state_is_there_before_servers_see_the_version(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any) -> None:
        assert nights.with_states() == [800] and not version_folders(nights.served)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("components.push.executor.publish", die)
        with pytest.raises(KeyboardInterrupt):
            nights.run(800, 8)
    nights.run(800, 8)
    assert list(version_folders(nights.served)) == nights.with_states() == list(read_records(nights.states)) == [800]


@pytest.mark.parametrize(("fault", "left_out"), [(False, (day_of(8),)), (True, (day_of(9),))])
def test_a_refused_model_leaves_out_its_days_or_the_day_at_fault(
    nights: Nights, fault: bool, left_out: tuple[str, ...]
) -> None:
    nights.run(800, 8)
    assert nights.run(900, 9, gates=(HELD, FAILED), fault=fault).get_int_custom_property("pushed") == 0
    record = read_records(nights.states)[900]
    assert (record.pushed, record.reasons, record.left_out) == (False, (FAILED["message"],), left_out)
    assert nights.with_states() == [800]
    found = nights.night(10)
    assert (found.ancestor, found.left_out) == (800, left_out)


def test_a_model_that_the_probe_refuses_leaves_out_no_day(nights: Nights) -> None:
    nights.run(800, 8)
    nights.run(900, 9, infra=0)
    record = read_records(nights.states)[900]
    assert (record.pushed, record.reasons, record.left_out) == (False, (NOT_LOADED,), ())
    assert nights.night(10).left_out == () and nights.night(10).ancestor == 800


def test_a_refusal_of_a_pushed_model_does_not_replace_its_record(nights: Nights) -> None:
    """The same model again, from the cache, with gates that have become stricter."""
    nights.run(800, 8)
    nights.run(900, 9)
    for _ in range(2):
        nights.run(900, 9, gates=(FAILED,))
    records = read_records(nights.states)
    assert {version: record.pushed for version, record in records.items()} == {800: True, 900: True, 901: False}
    assert nights.with_states() == [800, 900] and nights.night(10).ancestor == 900


def test_an_experiment_leaves_no_record(nights: Nights) -> None:
    nights.run(800, 8, push=0)
    nights.run(801, 8, gates=(FAILED,), push=0)
    assert not nights.states.exists()


def test_an_older_day_is_not_pushed_over_a_newer_one(nights: Nights, caplog: pytest.LogCaptureFixture) -> None:
    nights.run(900, 9)
    pushed = nights.run(950, 8)
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.get_string_custom_property("newer_day").startswith("the model of 2026-01-08 is not pushed")
    assert "the model of 2026-01-08 is not pushed, because version 900 of 2026-01-09 is newer" in caplog.text
    assert list(version_folders(nights.served)) == [900]


def test_a_rollback_takes_the_ancestor_away_and_its_undo_gives_it_back(nights: Nights) -> None:
    for number in (7, 8, 9):
        nights.run(number * 100, number)
    roll_back(nights.served, 700)
    assert nights.night(10).ancestor == 700
    undo(nights.served)
    found = nights.night(10)
    assert found.ancestor == 900 and (Path(found.state) / "variables.npz").read_text() == "weights 900"
    roll_back(nights.served)
    nights.run(1000, 10)
    assert read_records(nights.states)[1000].ancestor == 800
    undo(nights.served)
    # 1000 is the newest day, and none of its ancestors is withdrawn.
    assert nights.night(11).ancestor == 1000


def test_old_versions_go_with_their_states_but_a_rollback_can_be_undone(nights: Nights) -> None:
    for number in (5, 6, 7):
        nights.run(number * 100, number, keep_versions=2)
    assert list(version_folders(nights.served)) == nights.with_states() == [600, 700]
    roll_back(nights.served)
    nights.run(800, 8, keep_versions=2)
    assert nights.with_states() == [600, 700, 800], "the state of a withdrawn version stays for --undo"
    undo(nights.served)
    assert nights.night(8).ancestor == 700
    assert list(read_records(nights.states)) == [500, 600, 700, 800], "records stay"
    # A withdrawn version that was removed by hand takes its state with it.
    roll_back(nights.served, 700)
    for path in (withdrawn_folder(nights.served) / "800").rglob("*"):
        if path.is_file():
            path.unlink()
    (withdrawn_folder(nights.served) / "800").rename(nights.folder / "removed")
    nights.run(900, 9, keep_versions=2)
    assert nights.with_states() == [700, 900]


def test_examples_that_do_not_tell_what_a_model_of_them_learns(nights: Nights) -> None:
    nights.run(800, 8)
    summary = nights.folder / "runs" / "800-8" / "examples" / "summary.json"
    summary.write_text("{}")
    with pytest.raises(InputError, match="expected examples of days"):
        cursor_of(summary.parent)


def test_a_night_that_exports_its_start_has_learned_nothing(nights: Nights) -> None:
    nights.run(100, 8)
    nights.run(200, 9, history={"start": {"from": "state", "evaluation": {}}, "best_epoch": 0})
    nights.run(300, 10, history={"start": {"from": "state", "evaluation": {}}, "best_epoch": 0.5})
    first, second, third = read_records(nights.states).values()
    assert second.pushed and second.cursor == first.cursor and second.learned_days == ()
    assert (nights.states / "200" / STATE / "variables.npz").read_text() == "weights 100"
    assert (nights.states / "300" / STATE / "variables.npz").read_text() == "weights 300"
    assert third.cursor.until == THE_1ST + 9 * DAY and third.learned_days == (day_of(8), day_of(9))
