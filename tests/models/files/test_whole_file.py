from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.files.whole_file import write_whole


def test_the_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_whole(path, "old")
    write_whole(str(path), "größer")
    assert path.read_text("utf-8") == "größer"
    assert [found.name for found in path.parent.iterdir()] == ["a.json"]


def test_what_was_there_stays_when_the_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for target in ("old.json", "new.json"):
        link = tmp_path / f"link-{target}"
        link.symlink_to(Path("there", target))
        write_whole(link, "first")
        write_whole(link, "text")
        assert link.is_symlink() and (tmp_path / "there" / target).read_text() == "text"
    assert sorted(found.name for found in (tmp_path / "there").iterdir()) == ["new.json", "old.json"]


def test_a_device_is_written_into(tmp_path: Path) -> None:
    for device in (Path("/dev/full"), tmp_path / "link"):
        if device.name == "link":
            device.symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left on device"):
            write_whole(device, "text")
    write_whole("/dev/null", "text")
    for device in ("/dev/full", "/dev/null"):
        assert stat.S_ISCHR(os.stat(device).st_mode)
        assert not list(Path("/dev").glob(f".{Path(device).name}.*"))


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor() as pool:
        read = pool.submit((tmp_path / "pipe").read_text)
        write_whole(tmp_path / "pipe", "größer")
        assert read.result(10) == "größer"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_stream_of_the_process_keeps_what_it_has(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w") as opened:
        opened.write("before\n")
        opened.flush()
        write_whole(f"/dev/fd/{opened.fileno()}", "text\n")
    assert (tmp_path / "log").read_text() == "before\ntext\n"
