"""Two models that belong together: pushed by two pushes, under one version, both or neither."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tfx import types
from tfx.components.pusher.component import Pusher as StockPusher
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.push.component import Pusher
from components.push.executor import Executor
from components.push.versions import version_of_both
from components.push.withdrawn import Note, withdrawn_folder, write_note
from models.files.version_folders import WHOLE, version_folders
from models.recipe.errors import InputError

MakeModel = Callable[..., types.Artifact]


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """A model of a name, made at a second that the metadata store knows, or the exported model alone."""

    def make(name: str, made: int, stored: bool = True) -> types.Artifact:
        folder = tmp_path / name / "Format-Serving"
        (folder / "assets.extra").mkdir(parents=True)
        for file in WHOLE:
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(name)
        (folder / "assets.extra" / "inputs.json").write_text(json.dumps({"exported_at": made}))
        artifact = standard_artifacts.Model()
        artifact.uri = str(folder.parent)
        artifact.mlmd_artifact.create_time_since_epoch = made * 1000 if stored else 0
        return artifact

    return make


def blessing(kind: type[types.Artifact], blessed: int) -> types.Artifact:
    artifact = kind()
    artifact.set_int_custom_property("blessed", blessed)
    return artifact


def push(
    root: Path,
    name: str,
    model: types.Artifact,
    partner: types.Artifact,
    blessed: tuple[int, int, int, int] = (1, 1, 1, 1),
    **properties: int,
) -> types.Artifact:
    """Pushes one of the two: `ranker` or `retrieval`."""
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(root / f"pushed_{name}")
    others = {"ranker": "retrieval", "retrieval": "ranker"}
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(root / "serving" / name))
    )
    Executor().Do(
        {
            "model": [model],
            "model_blessing": [blessing(standard_artifacts.ModelBlessing, blessed[0])],
            "infra_blessing": [blessing(standard_artifacts.InfraBlessing, blessed[1])],
            "partner": [partner],
            "partner_blessing": [blessing(standard_artifacts.ModelBlessing, blessed[2])],
            "partner_infra_blessing": [blessing(standard_artifacts.InfraBlessing, blessed[3])],
        },
        {"pushed_model": [pushed]},
        {
            "push_destination": proto_utils.proto_to_json(destination),
            "custom_config": "null",
            "partner_served": str(root / "serving" / others[name]),
            **properties,
        },
    )
    return pushed


def withdraw(served: Path, version: int, reason: str = "") -> None:
    write_note(served, version, Note(at="2026-01-31T08:00:00.000000+00:00", served=1, reason=reason))
    (served / str(version)).rename(withdrawn_folder(served) / str(version))


def push_both(root: Path, ranker: types.Artifact, retrieval: types.Artifact, *, first: str = "ranker") -> int:
    """Pushes both, one before the other, and gives their one version."""
    pushes = {
        "ranker": lambda: push(root, "ranker", ranker, retrieval),
        "retrieval": lambda: push(root, "retrieval", retrieval, ranker),
    }
    found = {pushes[name]().get_string_custom_property("pushed_version") for name in sorted(pushes, key=first.__ne__)}
    [version] = found
    return int(version)


def served(root: Path) -> dict[str, dict[int, str]]:
    """{model: {version: what it holds}}."""
    return {
        name: {
            version: (folder / "saved_model.pb").read_text()
            for version, folder in version_folders(root / "serving" / name).items()
        }
        for name in ("ranker", "retrieval")
    }


@pytest.mark.parametrize("stored", [True, False], ids=["by the metadata store", "by the exported model"])
@pytest.mark.parametrize(("ranker_made", "retrieval_made"), [(100, 200), (200, 100), (200, 200)])
def test_the_version_of_both_is_that_of_the_later(
    ranker_made: int, retrieval_made: int, stored: bool, make_model: MakeModel, tmp_path: Path
) -> None:
    ranker, retrieval = make_model("a", ranker_made, stored), make_model("r", retrieval_made, stored)
    for first in ("ranker", "retrieval"):
        assert push_both(tmp_path, ranker, retrieval, first=first) == 200
    assert served(tmp_path) == {"ranker": {200: "a"}, "retrieval": {200: "r"}}


@pytest.mark.parametrize("lacking", range(4))
def test_neither_is_pushed_where_one_blessing_lacks(lacking: int, make_model: MakeModel, tmp_path: Path) -> None:
    ranker, retrieval = make_model("a", 100), make_model("r", 200)
    blessed = tuple(int(place != lacking) for place in range(4))
    others = (*blessed[2:], *blessed[:2])
    for name, model, partner, given in (
        ("ranker", ranker, retrieval, blessed),
        ("retrieval", retrieval, ranker, others),
    ):
        pushed = push(tmp_path, name, model, partner, given)
        assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()


def test_a_partner_that_no_probe_has_seen_needs_its_own_blessing_only(make_model: MakeModel, tmp_path: Path) -> None:
    ranker, retrieval = make_model("a", 100), make_model("r", 200)
    for blessed in (0, 1):
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(tmp_path / "pushed")
        destination = pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(tmp_path / "serving"))
        )
        Executor().Do(
            {
                "model": [ranker],
                "partner": [retrieval],
                "partner_blessing": [blessing(standard_artifacts.ModelBlessing, blessed)],
            },
            {"pushed_model": [pushed]},
            {
                "push_destination": proto_utils.proto_to_json(destination),
                "custom_config": "null",
                "partner_served": str(tmp_path / "other"),
            },
        )
        assert pushed.get_int_custom_property("pushed") == blessed


def test_a_model_that_has_not_changed_goes_with_its_new_partner(make_model: MakeModel, tmp_path: Path) -> None:
    ranker = make_model("a", 100)
    assert push_both(tmp_path, ranker, make_model("r", 200)) == 200
    assert push_both(tmp_path, ranker, make_model("s", 300)) == 300
    assert served(tmp_path) == {"ranker": {200: "a", 300: "a"}, "retrieval": {200: "r", 300: "s"}}


def test_going_back_to_an_earlier_model_finds_a_version_for_both(make_model: MakeModel, tmp_path: Path) -> None:
    a, b, r = make_model("a", 100), make_model("b", 300), make_model("r", 400)
    assert push_both(tmp_path, b, r) == 400
    for first in ("ranker", "retrieval", "ranker"):
        assert push_both(tmp_path, a, r, first=first) == 401
    assert push_both(tmp_path, b, r) == 400
    assert served(tmp_path) == {"ranker": {400: "b", 401: "a"}, "retrieval": {400: "r", 401: "r"}}


def test_the_number_is_free_or_its_own_in_every_folder(tmp_path: Path) -> None:
    def holding(folder: Path, content: str) -> Path:
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_text(content)
        return folder

    one, two = holding(tmp_path / "one", "one"), holding(tmp_path / "two", "two")
    ones, twos = tmp_path / "ones", tmp_path / "twos"
    places = ((one, ones), (two, twos))
    assert version_of_both(7, places) == 7  # neither folder is there
    holding(ones / "7", "one")
    assert version_of_both(7, places) == 7  # it is pushed already
    holding(twos / "7", "another")
    assert version_of_both(7, places) == 8
    holding(ones / "8", "another")
    assert version_of_both(7, places) == 9
    assert version_of_both(8, places[1:]) == 8


PAIRS = """
import sys
from pathlib import Path
from components.push.lock import alone_in
from components.push.versions import publish, version_of_both

name, root, order = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
sys.stdin.readline()
for second in range(1, 31):
    sources = {kind: root / name / f"{kind} {second}" for kind in order}
    for source in sources.values():
        source.mkdir(parents=True)
        (source / "saved_model.pb").write_text(str(source))
    places = [(source, root / kind) for kind, source in sources.items()]
    for kind in order:
        # As the executor does it, each of the two pushes by itself.
        with alone_in(folder for _, folder in places):
            publish(sources[kind], root / kind, version_of_both(second, places))
"""


def test_two_pairs_at_once(tmp_path: Path) -> None:
    """Thirty pairs each, of the same seconds, one beginning with the ranker and one with the retrieval model: both models of
    each pair are under one version."""
    orders = {"one": ("ranker", "retrieval"), "two": ("retrieval", "ranker")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PAIRS, name, str(tmp_path), *order],
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, order in orders.items()
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    found = {
        kind: {
            version: (folder / "saved_model.pb").read_text().replace(kind, "model")
            for version, folder in version_folders(tmp_path / kind).items()
        }
        for kind in ("ranker", "retrieval")
    }
    assert found["ranker"] == found["retrieval"] and len(set(found["ranker"].values())) == 60


DESTINATION = pusher_pb2.PushDestination(filesystem=pusher_pb2.PushDestination.Filesystem(base_directory="serving"))


def channels() -> dict[str, types.Channel]:
    return {
        "model": types.Channel(type=standard_artifacts.Model),
        "model_blessing": types.Channel(type=standard_artifacts.ModelBlessing),
        "infra_blessing": types.Channel(type=standard_artifacts.InfraBlessing),
    }


def test_without_a_partner_it_is_the_stock_component_s_interface() -> None:
    ours, stock = (kind(**channels(), push_destination=DESTINATION) for kind in (Pusher, StockPusher))
    given = {name: value for name, value in ours.exec_properties.items() if value is not None}  # as TFX compiles them
    assert given == stock.exec_properties
    assert set(ours.inputs) == set(stock.inputs) and set(ours.outputs) == set(stock.outputs)
    assert ours.id == stock.id == "Pusher"
    assert ours.spec.TYPE_ANNOTATION is stock.spec.TYPE_ANNOTATION


def test_with_a_partner() -> None:
    partner = {key.replace("model_blessing", "blessing"): channel for key, channel in channels().items()}
    given = {"partner" if key == "model" else f"partner_{key}": channel for key, channel in partner.items()}
    component = Pusher(**channels(), **given, partner_served="other", push_destination=DESTINATION)
    assert set(component.inputs) == {*channels(), "partner", "partner_blessing", "partner_infra_blessing"}
    assert component.exec_properties["partner_served"] == "other"
    with pytest.raises(ValueError, match="both `partner` and `partner_served`"):
        Pusher(**channels(), partner=given["partner"], push_destination=DESTINATION)
    with pytest.raises(ValueError, match="both `partner` and `partner_served`"):
        Pusher(**channels(), partner_served="other", push_destination=DESTINATION)


def test_old_versions_go_in_pairs(make_model: MakeModel, tmp_path: Path) -> None:
    for made in (100, 200, 300):
        ranker, retrieval = make_model(f"ranker {made}", made), make_model(f"retrieval {made}", made)
        push(tmp_path, "retrieval", retrieval, ranker, keep_versions=2)
        if made == 300:
            assert {name: set(own) for name, own in served(tmp_path).items()} == {
                "ranker": {100, 200},
                "retrieval": {100, 200, 300},
            }, "the pair of 300 is not whole yet"
        push(tmp_path, "ranker", ranker, retrieval, keep_versions=2)
    assert {name: set(own) for name, own in served(tmp_path).items()} == {"ranker": {200, 300}, "retrieval": {200, 300}}


def test_a_withdrawn_pair_is_not_pushed_again_but_its_ranker_with_another_partner(
    make_model: MakeModel, tmp_path: Path
) -> None:
    ranker, bad, better = make_model("a", 100), make_model("r", 200), make_model("s", 300)
    first = make_model("q", 90)
    assert push_both(tmp_path, ranker, first) == 100 and push_both(tmp_path, ranker, bad) == 200
    for name in ("ranker", "retrieval"):
        withdraw(tmp_path / "serving" / name, 200, "clicks fell")
    for name, model, partner in (("ranker", ranker, bad), ("retrieval", bad, ranker)):
        with pytest.raises(
            InputError,
            match=r"version 200 of retrieval, which was withdrawn 2026-01-31 08:00:00 UTC \(clicks fell\), so it is not pushed again.*"
            r"gatewise rollback .*/serving/retrieval --undo",
        ):
            push(tmp_path, name, model, partner)
    assert push_both(tmp_path, ranker, better) == 300, (
        "the ranker is served as version 100, so only its partner was withdrawn"
    )
    assert push_both(tmp_path, ranker, first) == 100
    assert served(tmp_path) == {"ranker": {100: "a", 300: "a"}, "retrieval": {100: "q", 300: "s"}}


def test_a_withdrawn_ranker_is_not_pushed_with_a_new_partner(make_model: MakeModel, tmp_path: Path) -> None:
    ranker, retrieval, newer = make_model("a", 100), make_model("r", 200), make_model("s", 300)
    push_both(tmp_path, ranker, retrieval)
    for name in ("ranker", "retrieval"):
        withdraw(tmp_path / "serving" / name, 200)
    for name, model, partner in (("ranker", ranker, newer), ("retrieval", newer, ranker)):
        with pytest.raises(InputError, match="this model is version 200 of ranker"):
            push(tmp_path, name, model, partner)
    other = make_model("b", 200)
    assert push_both(tmp_path, other, newer) == 300
    assert push_both(tmp_path, other, make_model("t", 150)) == 201, "the number 200 stays that of the withdrawn models"
