"""Census-Income with five seeds: the recipe's architectures, torch-rechub and LightGBM on the same rows.

python -m benchmarks.census --data path/to/folder
"""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import measure
from benchmarks.census_plan import digest, features_key, recipe_of, training_key
from benchmarks.census_rows import write_rows
from benchmarks.census_table import Training, append_training, markdown, read_trainings
from benchmarks.machine import commit, machine
from benchmarks.measure import Subject
from benchmarks.peers import environment
from benchmarks.prepare import OURS
from benchmarks.session import WORK, Work, say
from models.recipe.features import feature_columns
from models.recipe.file import load_recipe
from models.recipe.recipe import Recipe

RECIPE = Path(__file__).parents[1] / "recipes" / "census_income.yaml"
STAGES = ("event_logs", "statistics", "schema", "validation", "features")
NUMBERS = (
    *("age", "wage_per_hour", "capital_gains", "capital_losses", "dividends_from_stocks"),
    *("num_persons_worked_for_employer", "weeks_worked_in_year"),
)
"""The columns that a peer reads as numbers. It reads the others as codes."""
PEERS: dict[str, dict[str, tuple[str, dict[str, str]]]] = {
    "torch-rechub": {
        "torch-rechub MMOE": ("census_rechub", {"model": "mmoe"}),
        "torch-rechub PLE": ("census_rechub", {"model": "ple"}),
    },
    "lightgbm": {"LightGBM, one model per task": ("census_lightgbm", {})},
}
"""{peer: {name in the table: (module in benchmarks.peers, rest of its question)}}."""
_SHARED = ("peers/census_encoding.py", "peers/census_grid.py", "binary_metrics.py", "peers/peers.txt")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """A subject of the table, and the key of its trainings. `of_seed` makes the subject of a seed."""

    name: str
    key: str
    of_seed: Callable[[int], Subject]


def prepare(recipe: Recipe, question: dict[str, Any], work: Path) -> Path:
    """The folder with what the stages up to Features wrote, and `rows` for the peers; made once per `features_key`."""
    folder = work.resolve() / f"census-{features_key(recipe)}"
    done = folder / ".done"
    if not done.is_file():
        say("preparing: the stages up to Features")
        folder.mkdir(parents=True, exist_ok=True)
        stages = Subject(name="stages", module=OURS, question={**question, "stages": list(STAGES)})
        measure.fresh(stages, folder)
        write_rows(folder / "examples", folder / "rows", list(recipe.tasks))
        done.touch()
    return folder


def ours(recipe: Path, question: dict[str, Any], architectures: Sequence[str], inputs: Path) -> Iterator[Entry]:
    """The recipe with each of the architectures."""
    for name in architectures:
        chosen = recipe_of(recipe, question["overrides"], question["data"], name, seed=0)
        asked = {**question, "inputs": str(inputs), "architecture": name}

        def of_seed(seed: int, name: str = name, asked: dict[str, Any] = asked) -> Subject:
            return Subject(name=name, module="benchmarks.stages.census_training", question={**asked, "seed": seed})

        yield Entry(name=f"gatewise {name}", key=digest(inputs.name, training_key(chosen)), of_seed=of_seed)


def peers(names: Sequence[str], recipe: Recipe, inputs: Path) -> Iterator[Entry]:
    """The peers on the rows of the same examples."""
    if not names:
        return
    python, here = environment.python_of(environment.PEERS), Path(__file__).parent
    columns = feature_columns(recipe.features)
    common = {
        "rows": str(inputs / "rows"),
        "numbers": [name for name in NUMBERS if name in columns],
        "tasks": list(recipe.tasks),
    }
    for subject, (module, rest) in (item for name in names for item in PEERS[name].items()):
        sources = [(here / path).read_text(encoding="utf-8") for path in (*_SHARED, f"peers/{module}.py")]
        key = digest(digest_of_rows(inputs / "rows"), sources, common["numbers"], common["tasks"], rest)
        asked = {**common, **rest, "kept": str(inputs.parent / f"census-kept-{key}")}

        def of_seed(seed: int, module: str = module, asked: dict[str, Any] = asked) -> Subject:
            question = {**asked, "seed": seed}
            return Subject(name=module, module=f"benchmarks.peers.{module}", question=question, python=python)

        yield Entry(name=subject, key=key, of_seed=of_seed)


def digest_of_rows(rows: Path) -> list[str]:
    """Of each split's file. The same examples give the same file."""
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(rows.glob("*.parquet"))]


def train(entries: Sequence[Entry], seeds: Sequence[int], work: Path, out: Path) -> list[Training]:
    """The trainings of all entries and seeds. Those in `out` are reused, each of the others is appended when it is finished."""
    found = {(known.key, known.subject, known.seed): known for known in read_trainings(out)}
    for entry in entries:
        for seed in seeds:
            if (entry.key, entry.name, seed) in found:
                continue
            with tempfile.TemporaryDirectory(dir=work, prefix="census-run-") as folder:
                answer, _ = measure.fresh(entry.of_seed(seed), folder)
            about = {
                **{name: answer[name] for name in ("rows", "seconds", "cpu_seconds", "about")},
                "commit": commit(),
                "machine": machine(),
            }
            training = Training(subject=entry.name, seed=seed, key=entry.key, metrics=answer["metrics"], about=about)
            append_training(out, training)
            found[entry.key, entry.name, seed] = training
            values = (f"{task} {each['auc']:.5f} / {each['log_loss']:.5f}" for task, each in training.metrics.items())
            say(f"{entry.name}, seed {seed}: {', '.join(values)}; {answer['seconds']:.0f} s")
    wanted = [(entry.key, entry.name, seed) for entry in entries for seed in seeds]
    return [found[each] for each in wanted]


def main(
    data: Annotated[str | None, typer.Option(metavar="DIR", help="Folder with the two Parquet files.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds: 1, 2, ...")] = 5,
    architectures: Annotated[
        str, typer.Option(help="Of ours, separated by commas; linear and single_task too.")
    ] = "mmoe,ple",
    peer: Annotated[str, typer.Option("--peers", help="Separated by commas; empty for none.")] = ",".join(PEERS),
    overrides: Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key.")] = [],  # noqa: B006
    recipe: Annotated[Path, typer.Option(metavar="FILE")] = RECIPE,
    out: Annotated[Path, typer.Option(metavar="FILE", help="JSON lines, one per finished training.")] = Path(
        "runs/census.jsonl"
    ),
    work: Work = WORK,
) -> None:
    """Train each subject with several seeds, and print AUC and log loss on the official test file as a Markdown table.

    All choices are made on the validate split, a part of the official train file: ours and the peers' stopping, and LightGBM's
    parameters. A training whose recipe, data and code are unchanged is taken from --out.
    """
    names = [name for name in peer.split(",") if name]
    if unknown := [name for name in names if name not in PEERS]:
        raise typer.BadParameter(f"expected peers of {', '.join(PEERS)}; received {', '.join(unknown)}")
    loaded = load_recipe(recipe, overrides, data)
    question = {"recipe": str(recipe.resolve()), "overrides": list(overrides), "data": loaded.data}
    inputs = prepare(loaded, question, work)
    entries = [
        *ours(recipe, question, [name for name in architectures.split(",") if name], inputs),
        *peers(names, loaded, inputs),
    ]
    print(markdown(train(entries, range(1, seeds + 1), work, out), list(loaded.tasks)))


if __name__ == "__main__":
    typer.run(main)
