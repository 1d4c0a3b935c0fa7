"""`gatewise versions` and `gatewise rollback` on folders and records made by hand."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.push import rollback
from components.push.serving_choice import ServingChoice, write_choice
from models.files.version_folders import WHOLE, version_folders
from pipeline import cli
from pipeline.version_list import rows, served_models, state
from tests.doubles.run_records import A, B, C, record, write

OLD, NEW = 1700000000, 1700086400


def push(folder: Path, *versions: int) -> None:
    for version in versions:
        for file in WHOLE:
            path = folder / str(version) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("model")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ranker with a retrieval model, two versions pushed by runs A and C; B found the version of A."""
    served = tmp_path / "serving" / "shop"
    push(served, OLD, NEW)
    push(tmp_path / "serving" / "shop_retrieval", OLD, NEW)
    old, new = str(served / str(OLD)), str(served / str(NEW))
    write(
        tmp_path,
        record(A, pushed=old, serving=old),
        record(B, pushed=None, serving=old),
        record(C, pushed=new, serving=new, metrics={"click": {"auc": 0.7, "log_loss": 0.4}, "order": {"rmse": 2.0}}),
    )
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        cli.main([*map(str, arguments)])
    captured = capsys.readouterr()
    assert (end.value.code or 0) == code, captured.err
    return captured.out if code == 0 else captured.err


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]


def test_versions(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served = root / "serving" / "shop"
    shown = said(capsys, "versions", root)
    assert shown == said(capsys, "versions", served) == said(capsys, "versions", root / "serving")
    assert shown == said(capsys, "versions", root / "serving" / "shop_retrieval"), "it belongs to its ranker"
    assert "shop and shop_retrieval" in shown
    assert cells(shown) == [
        [str(NEW), "2023-11-15 22:13", "served", "shop", C, "pushed", "click auc 0.7000"],
        ["", "", "", "shop_retrieval", "", "", "order rmse 2.0000"],
        [str(OLD), "2023-11-14 22:13", "not served", "shop", A, "pushed", "click auc 0.7500"],
        ["", "", "", "shop_retrieval", "", "", ""],
    ]
    said(capsys, "rollback", root, "--reason", "clicks fell")
    newest, old = (json.loads(line) for line in said(capsys, "versions", root, "--json").splitlines())
    note = newest.pop("withdrawn")
    assert note["reason"] == "clicks fell" and state({**newest, "withdrawn": note}).endswith(": clicks fell")
    assert newest == {
        "model": "shop",
        "version": NEW,
        "created": "2023-11-15T22:13:20+00:00",
        "served_by": [],
        "canary": False,
        "models": [],
        "incomplete": [],
        "day": None,
        "ancestor": None,
        "run": C,
        "outcome": "pushed",
        "metrics": {"click": {"auc": 0.7}, "order": {"rmse": 2.0}},
        "folder": str(root / "serving" / ".withdrawn" / "shop" / str(NEW)),
    }
    assert old["served_by"] == ["shop", "shop_retrieval"] and old["withdrawn"] is None
    assert old["folder"] == str(served / str(OLD))


def test_states(root: Path) -> None:
    served = root / "serving" / "shop"

    def states() -> dict[int, str]:
        return {row["version"]: state(row) for row in rows(served)}

    push(served.with_name("shop_retrieval"), NEW + 1)
    (served / str(OLD) / WHOLE[1]).unlink()
    assert states() == {
        NEW + 1: "served",
        NEW: "served (shop alone)",
        OLD: "incomplete in shop",
    }
    write_choice(served, ServingChoice(stable=OLD, canary="newest"))
    assert states() == {NEW + 1: "not served", NEW: "canary", OLD: "served; incomplete in shop"}
    push(root / "serving" / "2100", 4102444800)
    [only] = rows(root / "serving" / "2100")
    assert (only["created"], only["run"], only["outcome"], only["metrics"]) == (None, None, None, {})
    assert served_models(root) == [root / "serving" / "2100", served]


def test_rollback_tells_what_it_did_and_how_to_undo_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served = root / "serving" / "shop"
    assert said(capsys, "rollback", root) == (
        f"shop and shop_retrieval: withdrawn {NEW}.\n"
        f"Served now: version {OLD}. Before: {NEW}. Servers switch at their next look into the folder.\n"
        f"To undo: gatewise rollback {served} --undo\n"
    )
    assert said(capsys, "rollback", served, NEW) == (
        f"shop and shop_retrieval: restored {NEW}.\n"
        f"Served now: version {NEW}. Before: {OLD}. Servers switch at their next look into the folder.\n"
        f"To undo: gatewise rollback {served} {OLD}\n"
    )
    assert "is the newest already. Nothing was moved." in said(capsys, "rollback", served, NEW)
    said(capsys, "rollback", served.with_name("shop_retrieval"))
    assert f"restored {NEW}." in said(capsys, "rollback", served, "--undo")
    write_choice(served, ServingChoice(stable=OLD))
    assert (
        f"The newest version is {OLD}, but stable.config has version {OLD} by its number. To follow the newest: gatewise serving-config "
        f"{served} --stable newest" in said(capsys, "rollback", served)
    )


def test_a_rollback_that_was_killed_is_told_and_finished(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def rename(source: Path, target: Path) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(rollback.os, "rename", rename)
        cli.main(["rollback", str(root)])
    capsys.readouterr()
    shown = said(capsys, "versions", root)
    assert (
        f"The rollback to version {OLD} was interrupted. To finish it: gatewise rollback {root}/serving/shop {OLD}"
        in shown
    )
    assert cells(shown)[0][2].startswith("served; withdrawn")
    assert "Finished what an interrupted command had begun." in said(capsys, "rollback", root)
    assert list(version_folders(root / "serving" / "shop")) == [OLD]


def test_errors(root: Path, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    assert f"Did you mean {NEW}?" in said(capsys, "rollback", root, NEW + 5, code=1)
    assert "takes neither VERSION nor --reason" in said(capsys, "rollback", root, OLD, "--undo", code=1)
    push(root / "serving" / "news", 1)
    told = said(capsys, "rollback", root, code=1)
    assert "has 2 models" in told and f"gatewise rollback {root}/serving/news\n" in told
    for command in ("versions", "rollback"):
        assert "no pushed version here" in said(capsys, command, tmp_path_factory.mktemp("empty"), code=1)


HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_no_rollback_during_a_run_that_pushes_to_the_model(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = root / "shop" / ".lock"

    def during_a_run(code: int) -> str:
        run = subprocess.Popen(
            [sys.executable, "-c", HOLD, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert run.stdout is not None and run.stdout.readline() == "held\n"
            return said(capsys, "rollback", root, code=code)
        finally:
            run.communicate("")

    words = f"{root}/shop: a run is in progress that may push to shop. Wait until it ends, or stop it"
    assert words in during_a_run(1)
    with open(lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elsewhere: dict[str, Any] = {"resolved": {"serving": {"model_name": "another"}}}
    write(root, record("20260104-080000-14", **elsewhere))
    assert f"withdrawn {NEW}" in during_a_run(0)


def test_the_commands_import_no_tensorflow(root: Path) -> None:
    program = (
        "import sys; from pipeline.version_list import rows; from components.push.rollback import roll_back\n"
        "from pathlib import Path; roll_back(Path(sys.argv[1])); rows(Path(sys.argv[1]))\n"
        "assert not {'tensorflow', 'tfx', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, root / "serving" / "shop"], check=True)


def test_nights_are_listed_with_their_day_and_the_refused_ones(
    root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from components.push.nights import Record, write_record
    from models.recipe.night import Cursor

    state, cursor = tmp_path / "state", Cursor(until=1, as_of=2)
    state.mkdir()
    about: dict[str, Any] = {"cursor": cursor, "cold_day": "2026-01-08"}
    states = root / "states" / "shop"
    write_record(states, Record(version=OLD, day="2026-01-08", start="cold", pushed=True, **about), state)
    write_record(states, Record(version=NEW, day="2026-01-09", start="warm", ancestor=OLD, pushed=True, **about), state)
    gone = {"pushed": False, "reasons": ("click auc 0.3 is too low.",), "left_out": ("2026-01-10",)}
    write_record(states, Record(version=NEW + 9, day="2026-01-10", start="warm", ancestor=NEW, **gone, **about), None)
    shown = said(capsys, "versions", root)
    assert "2026-01-09" in shown and f"after {OLD}" in shown and "cold" in shown
    assert "Refused: 2026-01-10. click auc 0.3 is too low. Left out of later trainings: 2026-01-10." in shown
    newest = json.loads(said(capsys, "versions", root, "--json").splitlines()[0])
    assert (newest["day"], newest["ancestor"]) == ("2026-01-09", OLD)
