"""Finds the dead letters of the last run that read a recipe's logs, and shows them by reason."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from components.event_logs.dead_letters import FOLDER, REFUSED, SCHEMA
from models.recipe.errors import InputError
from pipeline.run_paths import run_paths_in

_PARTS = "part-*.parquet"
_RAW = 300  # characters of a row that are shown


def newest(run: Path) -> Path:
    """The folder of the dead letters.

    Args:
        run: a recipe's folder under the root, or a folder of dead letters.

    Raises:
        InputError: there are no dead letters.
    """
    if any(run.glob(_PARTS)):
        return run
    stage = run_paths_in(run).artifacts / "EventLogs"
    found = [folder for kind in ("examples", REFUSED) for folder in stage.glob(f"{kind}/*/{FOLDER}")]
    numbered = [folder for folder in found if folder.parent.name.isdigit()]
    if not numbered:
        inside = sorted(folder.parent.name for folder in run.glob("*/metadata.sqlite"))
        hint = f" Did you mean {run / inside[0]}?" if inside else ""
        raise InputError(
            f"{run}: no dead letters here; expected a recipe's folder under the --root of `gatewise run`, such as runs/shop, "
            f"after its logs were read, or a folder with {_PARTS}.{hint}"
        )
    return max(numbered, key=lambda folder: int(folder.parent.name))  # executions are numbered in order


def read(folder: Path, reason: str | None = None) -> pl.DataFrame:
    """The dead letters, sorted by reason (most frequent first), stream, file and row.

    Args:
        folder: folder of the part files.
        reason: text that the reason must contain; None for all.

    Raises:
        InputError: no reason contains the text, or a part cannot be read.
    """
    try:
        parts = [pl.read_parquet(part, glob=False, hive_partitioning=False) for part in sorted(folder.glob(_PARTS))]
        letters = pl.concat([part.select(list(SCHEMA)) for part in parts])
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{folder}: cannot be read as dead letters: {str(error).splitlines()[0]}") from None
    chosen = letters if reason is None else letters.filter(pl.col("reason").str.contains(reason, literal=True))
    if reason is not None and letters.height and not chosen.height:
        there = ", ".join(repr(text) for text in letters["reason"].unique().sort()[:5])
        raise InputError(f"--reason: no reason contains {reason!r}. The reasons are {there}.")
    number = pl.len().over("reason").cast(pl.Int64)
    return chosen.sort(-number, "reason", "stream", "file", "row")


def shown(letters: pl.DataFrame, folder: Path, limit: int) -> str:
    """The first rows of each reason, as text."""
    refused = " (the logs were refused)" if folder.parent.parent.name == REFUSED else ""
    lines = [f"{folder}{refused}: {letters.height:,} malformed rows"]
    for (reason,), rows in letters.group_by("reason", maintain_order=True):
        lines += ["", f"{rows.height:,} x {reason}"]
        for row in rows.head(limit).iter_rows(named=True):
            raw = row["raw"] or ""
            cut = raw if len(raw) <= _RAW else f"{raw[:_RAW]} ..."
            lines.append(f"  {row['stream']}: {row['file']}, row {row['row']}: {cut}")
        if rows.height > limit:
            lines.append(f"  and {rows.height - limit:,} more; --limit or --json shows them")
    return "\n".join(lines)
