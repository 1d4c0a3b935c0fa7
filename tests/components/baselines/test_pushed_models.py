from __future__ import annotations

from pathlib import Path

from components.baselines.pushed_models import newest_before


def version(served: Path, name: str, whole: bool = True) -> Path:
    (served / name).mkdir(parents=True)
    if whole:
        (served / name / "saved_model.pb").touch()
    return served / name


def test_the_newest_whole_version_older_than_the_candidate(tmp_path: Path) -> None:
    served = tmp_path / "served"
    assert newest_before(served, 1000) is None
    version(served, "99")
    expected = version(served, "500")
    version(served, "600", whole=False)
    version(served, ".700.tmp")
    version(served, "notes")
    version(served, "1000")
    version(served, "2000")
    assert newest_before(served, 1000) == expected
    assert newest_before(served, 99) is None
    assert newest_before(served, 5000) == served / "2000"
