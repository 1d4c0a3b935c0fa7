from __future__ import annotations

from pathlib import Path

from components.baselines.kept_statistics import KEPT, keep, newest


def statistics(folder: Path, text: str) -> Path:
    (folder / text / "Split-train").mkdir(parents=True)
    (folder / text / "Split-train" / "FeatureStats.pb").write_text(text)
    return folder / text


def test_the_newest_is_found_with_what_was_said_of_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert newest(kept) is None
    for name, span in (("one", 1), ("two", 2)):
        keep(statistics(tmp_path, name), kept, {"span": span})
    found = newest(kept)
    assert found is not None
    folder, about = found
    assert (folder / "Split-train" / "FeatureStats.pb").read_text() == "two" and about == {"span": 2}


def test_what_was_left_half_copied_is_neither_found_nor_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (kept / ".00000000000000000009.tmp" / "Split-train").mkdir(parents=True)
    assert newest(kept) is None
    folder = keep(statistics(tmp_path, "one"), kept, {})
    assert list(kept.iterdir()) == [folder]


def test_only_the_newest_few_stay(tmp_path: Path) -> None:
    kept, source = tmp_path / "kept", statistics(tmp_path, "one")
    folders = [keep(source, kept, {}) for _ in range(KEPT + 3)]
    assert sorted(kept.iterdir()) == folders[3:]


def test_the_newest_of_the_same_weekday(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for span in (8, 15, 16, 17, 15):  # the 15th day was run again
        keep(statistics(tmp_path, f"day-{len(list(tmp_path.iterdir()))}"), kept, {"span": span})
    folders = sorted(kept.iterdir())

    def found(span: int, every: int) -> list[int]:
        one = newest(kept, span, every)
        return [] if one is None else [folders.index(one[0])]

    assert found(22, 7) == [4] and found(15, 7) == [0] and found(23, 7) == [2]
    assert found(8, 7) == found(21, 7) == []
    assert found(8, 0) == [4]


def test_a_week_of_hours_stays(tmp_path: Path) -> None:
    kept, source = tmp_path / "kept", statistics(tmp_path, "one")
    for _ in range(KEPT + 3):
        keep(source, kept, {}, kept=KEPT + 2)
    assert len(list(kept.iterdir())) == KEPT + 2
