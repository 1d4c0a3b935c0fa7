"""Files that change while a stage reads them: it ends in a message, or in the answer of what was listed, never in half of it."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import polars as pl
import pytest

from components.event_logs import fingerprint as fingerprints
from components.event_logs import partitions, pipeline
from components.event_logs.fingerprint import fingerprint, fingerprint_files
from components.event_logs.listed_files import ListedFiles
from components.event_logs.plan import EventLogsPlan
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe

START, DAY = 1_700_000_000, 86_400
STILL = "files changed while the pipeline was reading them: "
AGAIN = "This stage kept no output. Run again when the logs no longer change."


def rows(first: int, count: int) -> pl.DataFrame:
    users = range(first, first + count)
    return pl.DataFrame({"user": users, "item": [1] * count, "time": [START + user * DAY // 10 for user in users]})


def write(frame: pl.DataFrame, path: Path) -> None:
    {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".jsonl": frame.write_ndjson}[path.suffix](path)


@pytest.fixture
def logs(shop_recipe: Callable[..., Recipe], tmp_path: Path) -> Callable[[str], Recipe]:
    """Impressions in three files, clicks in two, each user once."""

    def make(ending: str) -> Recipe:
        for stream, step in (("impression", 1), ("click", 2)):
            (tmp_path / stream).mkdir()
            for number in range(3 if step == 1 else 2):
                frame = rows(20 * number, 20)[::step]
                write(frame.with_columns(pl.col("time") + step), tmp_path / stream / f"{number}.{ending}")
        return shop_recipe(streams={name: {"path": f"{name}/*"} for name in ("impression", "click")})

    return make


# ---- what can happen to a file ----------------------------------------------------------------------------------


def gone(file: Path) -> None:
    file.unlink()


def gone_and_back(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def appended(file: Path) -> None:
    with open(file, "ab") as opened:
        opened.write(b"77,1,1700000000\n")


def other_bytes(file: Path) -> None:
    """As many bytes, and the same time."""
    before = file.stat()
    content = file.read_bytes()
    file.write_bytes(content.replace(b"1", b"2"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(file: Path) -> None:
    other = file.with_name(f".{file.name}")
    write(rows(200, 5), other.with_suffix(file.suffix))
    os.replace(other, file)


def another(file: Path) -> None:
    shutil.copy(file, file.with_stem("extra"))


def touched(file: Path) -> None:
    os.utime(file, (0, 0))


CHANGES = [gone, gone_and_back, truncated, appended, other_bytes, replaced, another, touched]


# ---- and when ---------------------------------------------------------------------------------------------------


def at_the_start(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    change()


def before_the_pieces(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    before = pipeline.pieces

    def pieces(*arguments: Any) -> Any:
        change()
        return before(*arguments)

    monkeypatch.setattr(pipeline, "pieces", pieces)


def before_the_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    before = pipeline.pieces

    def pieces(*arguments: Any) -> Any:
        found = before(*arguments)
        change()
        return found

    monkeypatch.setattr(pipeline, "pieces", pieces)


def in_the_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    before, changes = partitions.read, itertools.chain([change], itertools.repeat(lambda: None))

    def read(piece: Any) -> Any:
        for block in before(piece):
            next(changes)()
            yield block

    monkeypatch.setattr(partitions, "read", read)


def after_the_reading(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    before = pipeline.check

    def check(*arguments: Any) -> None:
        change()
        before(*arguments)

    monkeypatch.setattr(pipeline, "check", check)


MOMENTS = [at_the_start, before_the_pieces, before_the_reading, in_the_reading, after_the_reading]


def run(recipe: Recipe, folder: Path, listed: str) -> dict[str, dict[str, int]]:
    return pipeline.run(
        EventLogsPlan.from_recipe(recipe), str(folder), lambda: beam.Pipeline(runner="FnApiRunner"), listed
    )


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_at_any_moment_is_a_message_or_changes_nothing(
    logs: Callable[[str], Recipe],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    moment: Callable[..., None],
) -> None:
    number = CHANGES.index(change) + MOMENTS.index(moment)
    ending = ("csv", "parquet", "jsonl")[number % 3]
    recipe = logs(ending)
    file = tmp_path / ("impression", "click")[number % 2] / f"1.{ending}"
    for stream in ("impression", "click"):
        for written in (tmp_path / stream).iterdir():
            os.utime(written, (1e9, 1e9))
    listed = fingerprint(recipe)
    moment(monkeypatch, lambda: change(file))
    same_content = moment is at_the_start and change in (gone_and_back, touched)
    if same_content:
        accounts = run(recipe, tmp_path / "out", listed)
        assert {name: account["read"] for name, account in accounts.items()} == {"impression": 60, "click": 20}
        assert fingerprint(recipe) == listed
        return
    with pytest.raises(InputError) as error:
        run(recipe, tmp_path / "out", listed)
    message = str(error.value)
    name = f"{file.parent.name}/{'extra' if change is another else '1'}.{ending}"
    assert message.startswith(f"{tmp_path}: {STILL}") and message.endswith(AGAIN) and name in message, message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (gone, "a.csv is gone"),
        (another, "extra.csv is new"),
        (truncated, "a.csv had 12 bytes and has 6 now"),
        (appended, "a.csv had 12 bytes and has 28 now"),
        (other_bytes, r"a.csv was written again \(12 bytes as before\)"),
    ],
)
@pytest.mark.parametrize("at_assembly", [True, False])
def test_what_the_message_says(tmp_path: Path, change: Callable[[Path], None], words: str, at_assembly: bool) -> None:
    (tmp_path / "a.csv").write_text("user\n1\n11\n\n\n")
    paths = {"stream 'click'": "*.csv"}
    files = ListedFiles(str(tmp_path), paths, fingerprint_files(str(tmp_path), paths) if at_assembly else "")
    with pytest.raises(InputError, match=STILL + words), files.still():
        change(tmp_path / "a.csv")
    with pytest.raises(InputError, match=STILL), files.still():
        raise InputError("what a half-read file leads to")


def test_an_error_of_still_files_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user\n1\n")
    files = ListedFiles(str(tmp_path), {"stream 'click'": "*.csv"})
    with pytest.raises(KeyError, match="a defect"), files.still():
        raise KeyError("a defect")


def test_many_changes_are_summed_up(tmp_path: Path) -> None:
    for name in "abcde":
        (tmp_path / f"{name}.csv").write_text("user\n")
    files = ListedFiles(str(tmp_path), {"stream 'click'": "*.csv"})
    with (
        pytest.raises(
            InputError, match="a.csv is gone; b.csv is gone; c.csv is gone; and 2 more. This stage kept no output"
        ),
        files.still(),
    ):
        for name in "abcde":
            (tmp_path / f"{name}.csv").unlink()


def test_content_is_digested_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("user\n1\n")
    monkeypatch.setattr(fingerprints, "_SETTLED_NS", -10_000_000_000)  # as if it had been written long ago
    paths = {"stream 'click'": "*.csv"}
    listed = fingerprint_files(str(tmp_path), paths)
    assert json.loads(listed)["a.csv"] == [7, hashlib.blake2b(b"user\n1\n", digest_size=20).hexdigest()]
    monkeypatch.setattr(fingerprints.hashlib, "blake2b", lambda **_: pytest.fail("digested again"))
    with ListedFiles(str(tmp_path), paths, listed).still():
        pass


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_the_rows_of_the_files_sum_to_the_accounts(logs: Callable[[str], Recipe], tmp_path: Path, ending: str) -> None:
    recipe = logs(ending)
    (tmp_path / "impression" / f"9.{ending}").write_bytes((tmp_path / "impression" / f"1.{ending}").read_bytes())
    listed = fingerprint(recipe)
    accounts = run(recipe, tmp_path / "out", listed)
    files = json.loads((tmp_path / "out" / "files.json").read_text())
    assert {name: (found["bytes"], found["fingerprint"]) for name, found in files.items()} == {
        name: tuple(found) for name, found in json.loads(listed).items()
    }
    for stream, account in accounts.items():
        assert sum(found["read"].get(stream, 0) for found in files.values()) == account["read"] > 0
    assert files[f"impression/9.{ending}"]["read"] == {"impression": 20}
    assert files[f"click/0.{ending}"]["read"] == {"click": 10}
