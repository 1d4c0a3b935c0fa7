from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.compiled_steps import FLAGS, compiled_steps_kept, keep, take_out

PROCESS = """
import pathlib, sys
from pipeline.compiled_steps import FLAGS, compiled_steps_kept
import tensorflow as tf
from models.training.function_numbers import number_from_a_round_one

kept, before = pathlib.Path(sys.argv[1]), int(sys.argv[2])
with compiled_steps_kept(kept):
    for _ in range(before):
        tf.function(lambda: tf.constant(1.0))()
    number_from_a_round_one()
    step = tf.function(lambda x: tf.matmul(x, x) / 3.0 + tf.exp(x), jit_compile=True)
    print(step(tf.reshape(tf.range(64.0), (8, 8)) / 64.0).numpy().tobytes().hex())
"""


def in_process(kept: Path, before: int) -> str:
    """What the step answers in a process that has made so many functions before it."""
    command = [sys.executable, "-c", PROCESS, str(kept), str(before)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_process_compiles_nothing_and_answers_the_same(tmp_path: Path) -> None:
    first = in_process(tmp_path, 0)
    [(name, content)] = files(tmp_path).items()
    assert in_process(tmp_path, 3) == first
    assert files(tmp_path) == {name: content}

    # A file that was cut off is compiled anew: given to TensorFlow, it would end the training.
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    path.write_bytes(content[:100])
    assert in_process(tmp_path, 0) == first
    # Compiled again it is not the same bytes, but it is the same step, and whole.
    [again] = files(tmp_path)
    assert again.partition("-")[2] == name.partition("-")[2]
    assert in_process(tmp_path, 1) == first and list(files(tmp_path)) == [again]


def test_only_whole_files_are_taken_out(tmp_path: Path) -> None:
    work, kept, again = (tmp_path / name for name in ("work", "kept", "again"))
    work.mkdir()
    again.mkdir()
    (work / "a__1.pb").write_bytes(b"step a")
    (work / "b__2.pb").write_bytes(b"step b")
    keep(work, kept, given={"b__2.pb"})
    [of_a] = kept.iterdir()
    (kept / ("0" * 32 + "-c.pb")).write_bytes(b"another content than its digest says")
    (kept / ".d.pb.17").write_bytes(b"unfinished")
    assert take_out(kept, again) == {"a__1.pb"}
    assert files(again) == {"a__1.pb": b"step a"}
    assert list(kept.iterdir()) == [of_a]


def test_the_oldest_go_beyond_the_limit(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for second, name in enumerate("abc"):
        work = tmp_path / name
        work.mkdir()
        (work / name).write_bytes(name.encode() * 10)
        keep(work, kept, set(), most=20)
        [path] = kept.glob(f"*-{name}")
        os.utime(path, (second, second))
    # The time of c was taken as it was written.
    assert sorted(path.name[-1] for path in kept.iterdir()) == ["b", "c"]


def test_a_folder_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "a").write_bytes(b"a")
    (tmp_path / "file").write_text("not a folder")
    keep(work, tmp_path / "file", set())


def test_a_run_that_failed_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FLAGS, "--tf_xla_max_cluster_size=7")
    with pytest.raises(ZeroDivisionError), compiled_steps_kept(tmp_path):
        mine, folder, _ = os.environ[FLAGS].split()
        Path(folder.partition("=")[2], "half").write_bytes(b"half")
        raise ZeroDivisionError
    assert mine == "--tf_xla_max_cluster_size=7" and os.environ[FLAGS] == mine
    assert not files(tmp_path)


def test_a_folder_that_the_flags_name_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FLAGS, "--tf_xla_persistent_cache_directory=/mine")
    with compiled_steps_kept(tmp_path):
        assert os.environ[FLAGS] == "--tf_xla_persistent_cache_directory=/mine"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("about", ["processor", "flags"])
def test_another_processor_or_flag_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: str
) -> None:
    def run() -> list[str]:
        with compiled_steps_kept(tmp_path):
            folder = Path(os.environ[FLAGS].split("directory=")[1].split()[0])
            found = [path.name for path in folder.iterdir()]
            (folder / "step").write_bytes(b"step")
            return found

    monkeypatch.setenv(FLAGS, "")
    assert run() == [] and run() == ["step"]
    if about == "processor":
        monkeypatch.setattr("pipeline.compiled_steps._processor", lambda: ["model name\t: another"])
    else:
        monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    assert run() == [] and run() == ["step"]
