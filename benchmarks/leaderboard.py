"""Which method do these logs want: every architecture with fixed weights on each log, by `gatewise compare`, and docs/leaderboard.md.

python -m benchmarks.leaderboard --data ../shared/data --logs deskdrop,census_income

A log at a time: the results of the others stay in docs/leaderboard.json. A log that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.leaderboard_page import page
from benchmarks.machine import machine
from benchmarks.session import WORK, Work, say
from models.recipe.errors import InputError
from models.recipe.registry import lookup

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs" / "leaderboard.md", ROOT / "docs" / "leaderboard.json"
ALL = ("--architectures", "all")

LOGS: dict[str, dict[str, Any]] = {
    "census_income": {
        "title": "Census-Income, the publisher's test file",
        "recipe": "recipes/census_income.yaml",
        "options": ("--architectures", "mmoe,ple,omoe,cross_stitch,adatt,stem,sluice,snr,mtan,soft_sharing"),
    },
    "deskdrop": {"title": "Deskdrop, a company's article feed", "recipe": "recipes/deskdrop.yaml", "options": ALL},
    "deskdrop_balancers": {
        "title": "Deskdrop, balancers",
        "recipe": "recipes/deskdrop.yaml",
        "options": ("--balancers", "uncertainty,gradnorm,pcgrad,dwa,famo,cagrad,imtl_g,aligned_mtl,upgrad,fairgrad"),
    },
    "taobao": {"title": "Taobao, purchases after a cart", "recipe": "recipes/taobao.yaml", "options": ALL},
    "shop": {
        "title": "The simulated shop",
        "recipe": "recipes/shop.yaml",
        "options": ALL,
        "simulate": ("--impressions", "100000", "--seed", "7"),
    },
    "shop_conflict": {
        "title": "The simulated shop with opposed tasks",
        "recipe": "recipes/shop.yaml",
        "options": ALL,
        "simulate": ("--impressions", "100000", "--seed", "7", "--conflict", "1"),
    },
}
"""Logs in the order of the page. `simulate`: options of `gatewise simulate`, for logs that are made."""


def compare(name: str, log: Mapping[str, Any], work: Path, data: Path | None, seeds: int) -> Path:
    """Runs the comparison of a log, and returns its compare.json."""
    root = work / "leaderboard" / name
    given: list[str] = [] if data is None else ["--data", str(data)]
    if "simulate" in log:
        given = ["--data", str(root / "logs")]
        if not (root / "logs").exists():
            _run([*simulation(log), "--out", str(root / "logs")])
    _run([*comparison(log, seeds), "--root", str(root / "runs"), *given])
    return max(root.glob("runs/*/compare/*/compare.json"), key=lambda path: path.stat().st_mtime)


def simulation(log: Mapping[str, Any]) -> list[str]:
    """The command that makes a log, without its folder."""
    return ["gatewise", "simulate", log["recipe"], *log["simulate"]]


def comparison(log: Mapping[str, Any], seeds: int) -> list[str]:
    """The command that compares the methods on a log, without folders."""
    return ["gatewise", "compare", log["recipe"], *log["options"], "--seeds", str(seeds)]


def shown(log: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of a log, from its compare.json."""
    commands = [simulation(log)] if "simulate" in log else []
    commands.append(comparison(log, len(result["seeds"])))
    return {
        "title": log["title"],
        "commands": [shlex.join(command) for command in commands],
        "cores": machine()["cores"],
        **reduced(result),
    }


def reduced(result: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a comparison that the page shows."""
    facts = (
        "recipe",
        "seconds",
        "trials",
        "seeds",
        "match",
        "budget",
        "examples",
        "groups",
        "test_reads",
        "tasks",
        "twins",
        "chosen",
        "code",
    )
    return {
        **{name: result[name] for name in facts},
        "data": result["data"],
        "methods": [_reduced_method(row, result["tasks"]) for row in result["methods"]],
        "failed": result["failed"],
    }


def _reduced_method(row: Mapping[str, Any], tasks: Mapping[str, Any]) -> dict[str, Any]:
    numbers = ("gain", "lower", "upper", "p_holm", "visible", "verdict")
    twins = row["against"].get("single_task", {})
    return {
        **{name: row[name] for name in ("name", "parameters", "off_budget", "flops", "overrides")},
        "validation_score": row["validation_score"]["mean"],
        "metrics": {task: row["metrics"][task][about["metric"]]["mean"] for task, about in tasks.items()},
        "against_twins": {task: {part: gain[part] for part in numbers} for task, gain in twins.items()},
        "delta_m": None if row["delta_m"] is None else {part: row["delta_m"][part] for part in numbers},
        "truth": row["truth"],
        "seconds_per_pass": row["cost"]["seconds_per_pass"],
        "peak_memory": row["cost"]["peak_memory"],
        "page_ms": row["cost"]["page_ms"],
    }


def _run(command: Sequence[str]) -> None:
    say(shlex.join(command))
    done = subprocess.run([sys.executable, "-m", "pipeline.cli", *command[1:]], cwd=ROOT, check=False)
    if done.returncode:
        raise InputError(f"{shlex.join(command)}: ended with {done.returncode}.")


def main(
    logs: Annotated[
        str, typer.Option(metavar="A,B,...", help=f"Logs: {', '.join(LOGS)}. Without any: the page alone.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the real logs. Default: that of the recipes.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=2, help="Seeds of each method.")] = 5,
    take: Annotated[
        list[str],
        typer.Option(metavar="LOG=FILE", help="A compare.json of the same command, in place of a run. Repeatable."),
    ] = [],  # noqa: B006
    work: Work = WORK,
) -> None:
    """Compare the methods on logs, and write docs/leaderboard.json and docs/leaderboard.md."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    files = {name: Path(file) for name, _, file in (one.partition("=") for one in take)}
    for name in [*files, *filter(None, logs.split(","))]:
        log = lookup(name, LOGS, "log")
        file = files.get(name) or compare(name, log, work.resolve(), data and data.resolve(), seeds)
        results[name] = shown(log, json.loads(file.read_text(encoding="utf-8")))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page({name: results[name] for name in LOGS if name in results}), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
