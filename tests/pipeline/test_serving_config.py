"""Which versions TensorFlow Serving loads: by its own protobuf, and what no push undoes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.push.retention import prune
from components.push.serving_choice import ServingChoice, read_choice
from models.recipe.errors import InputError
from pipeline import cli, serving_config


def push(served: Path, *versions: int) -> None:
    for version in versions:
        folder = served / str(version) / "variables"
        folder.mkdir(parents=True)
        (folder / "variables.index").write_bytes(b"checksums")
        (folder.parent / "saved_model.pb").write_bytes(b"graph")


@pytest.fixture
def served(tmp_path: Path) -> Path:
    push(tmp_path / "serving" / "shop", 3, 4, 5)
    return tmp_path / "serving" / "shop"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["serving-config", *map(str, arguments)])
    shown = capsys.readouterr()
    return int(end.value.code or 0), shown.out + shown.err


def loaded(served: Path, server: str = "stable") -> dict[str, list[int] | str]:
    """{model: what the server loads}, read as the server reads it."""
    text = (served / f"{server}.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    found: dict[str, list[int] | str] = {}
    for model in config.model_config_list.config:
        assert model.base_path == f"/models/{model.name}" and model.model_platform == "tensorflow"
        policy = model.model_version_policy
        kind = policy.WhichOneof("policy_choice")
        assert not model.version_labels, "a config that moves a label to a version not loaded is refused whole"
        if kind == "latest":
            assert policy.latest.num_versions == 1, "more, and a request without a version gets what is no canary yet"
        found[model.name] = "newest" if kind == "latest" else list(policy.specific.versions)
    return found


def test_at_first_both_servers_follow_the_pushes(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, served)
    assert code == 0 and "stable newest, canary none, kept none; pushed: 3, 4, 5" in said
    assert loaded(served) == loaded(served, "canary") == {"shop": "newest"}


def test_back_survives_the_nightly_pushes(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two pushes used to unload what `stable` named; here every push prunes as well."""
    run(capsys, served, "--stable", "newest")
    code, said = run(capsys, served, "--stable", 4)
    assert code == 0 and "previous: 5. To roll back: gatewise serving-config" in said and "--stable 5" in said
    for version in range(6, 16):
        push(served, version)
        prune(2, served)
    assert loaded(served) == {"shop": [4]}
    assert sorted(int(path.name) for path in served.iterdir() if path.name.isdigit()) == [4, 5, 14, 15]


def test_a_canary_and_its_end(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, served, "--stable", 4, "--canary", 5)
    assert (loaded(served), loaded(served, "canary")) == ({"shop": [4]}, {"shop": [5]})
    run(capsys, served, "--canary", "newest")
    assert (loaded(served), loaded(served, "canary")) == ({"shop": [4]}, {"shop": "newest"})
    run(capsys, served, "--stable", 5, "--canary", "none")
    assert loaded(served) == loaded(served, "canary") == {"shop": [5]}, "whoever still asks the canary gets stable"
    choice = read_choice(served)
    assert choice is not None and choice.previous == (4,), "what one goes back to, and nothing that is still served"
    run(capsys, served, "--canary", 3)
    choice = read_choice(served)
    assert choice is not None and choice.previous == (4,), "a new canary does not forget it"


def test_a_pair_moves_in_one_file(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    push(served.with_name("shop_retrieval"), 4, 5)
    run(capsys, served, "--stable", 4)
    assert loaded(served) == {"shop": [4], "shop_retrieval": [4]}
    code, said = run(capsys, served, "--stable", 3)
    assert code == 1 and "shop_retrieval/3: no such version of shop_retrieval; expected one of 4, 5, or newest" in said
    code, said = run(capsys, served.with_name("shop_retrieval"))
    assert code == 1 and f"is the retrieval model of {served}" in said


def test_what_is_kept(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, served, "--keep", 3, "--keep", 4)
    assert read_choice(served) == ServingChoice(keep=(3, 4))
    run(capsys, served, "--keep", "none")
    assert read_choice(served) == ServingChoice()


def test_another_mount_stays(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, served, "--mount", "/srv/")
    run(capsys, served, "--stable", 4)
    assert 'base_path: "/srv/shop"' in (served / "stable.config").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--stable", "9"), "no such version of shop; expected one of 3, 4, 5, or newest"),
        (("--canary", "9"), "no such version of shop"),
        (("--keep", "9"), "no such version of shop"),
        (("--stable", "latest"), "--stable: expected a version or newest, received 'latest'"),
        (("--stable", "none"), "--stable: expected a version or newest, received 'none'"),
        (("--canary", "0"), "--canary: expected a version, newest, or none, received '0'"),
        (("--keep", "4", "--keep", "none"), "--keep: expected a version, or none alone, received 'none'"),
        (("--mount", "models"), "expected an absolute path as the servers see it"),
    ],
)
def test_a_mistake_changes_nothing(
    arguments: tuple[str, ...], message: str, served: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, served, "--stable", 4)
    before = {path.name: path.read_bytes() for path in served.iterdir() if path.is_file()}
    code, said = run(capsys, served, *arguments)
    assert code == 1 and message in said
    assert {path.name: path.read_bytes() for path in served.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("missing", ["saved_model.pb", "variables/variables.index"])
def test_a_version_that_is_not_whole(missing: str, served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (served / "4" / missing).unlink()
    code, said = run(capsys, served, "--stable", 4)
    assert code == 1 and f"{served / '4'}: is incomplete: it has no {missing}" in said


def test_the_newest_that_is_not_whole(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that follows the newest would not come up with it."""
    (served / "9").mkdir()
    (served / "9" / "saved_model.pb").write_bytes(b"graph")
    code, said = run(capsys, served, "--stable", "newest")
    assert code == 1 and f"{served / '9'}: is incomplete: it has no variables/variables.index" in said
    assert not (served / "stable.config").exists()
    code, _ = run(capsys, served, "--stable", 5)
    assert code == 0 and loaded(served) == {"shop": [5]}


@pytest.mark.parametrize("place", ["", "serving/other", "serving/shop/4"])
def test_no_versions(place: str, served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, tmp_path / place)
    assert (
        code == 1 and "no pushed version here; expected the folder of one model's versions, ROOT/serving/MODEL" in said
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "Invalid JSON"), ('{"stabel": 4}', "stabel: Extra inputs"), ('{"stable": -4}', "stable")],
)
def test_a_spoilt_choice(content: str, message: str, served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (served / "serving.json").write_text(content)
    code, said = run(capsys, served, "--stable", 4)
    assert code == 1 and message in said and "Remove the file and choose again" in said


def test_killed_between_the_choice_and_the_configs(
    served: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The servers still load 3: it must outlive the pushes, and the same call again must finish."""
    run(capsys, served, "--stable", 3)
    with monkeypatch.context() as patch:
        patch.setattr(serving_config, "write_whole", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            serving_config.choose(served, stable=5)
    assert loaded(served) == {"shop": [3]}
    push(served, 6, 7)
    assert prune(2, served) == [4]
    run(capsys, served, "--stable", 5)
    assert loaded(served) == {"shop": [5]}


def test_a_version_pruned_while_it_was_chosen(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serving_config.choose(served, stable=5)
    write = serving_config.write_choice

    def pruned_first(folder: Path, choice: ServingChoice) -> None:
        if (folder / "3").exists():
            (folder / "3").rename(folder / ".3.pruned")
        write(folder, choice)

    monkeypatch.setattr(serving_config, "write_choice", pruned_first)
    with pytest.raises(InputError, match="3: no such version"):
        serving_config.choose(served, stable=3)
    assert json.loads((served / "serving.json").read_text())["stable"] == 5 and loaded(served) == {"shop": [5]}
