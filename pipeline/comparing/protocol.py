"""What a comparison does with one method: its trials, then the frozen candidate with every seed. The same for all methods."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.files.whole_file import write_whole
from models.recipe.errors import InputError, TrainingError
from models.training.again import TrainedAgain
from pipeline.code_version import code_version
from pipeline.comparing.candidate import Candidate, Matched, candidate, network_size, plan_of
from pipeline.comparing.methods import Method
from pipeline.comparing.searching import Trial, Watch, best_of, search
from pipeline.comparing.selection import Source, selected
from pipeline.comparing.spaces import space_of
from pipeline.comparing.trial import Record, Splits, train_once, trial_folder
from pipeline.method_modules import method_modules

TRIALS = "trials"

Told = Callable[[str, Record, bool], None]
"""(what was trained, its record, whether it was trained now)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """What all methods of a comparison share.

    Attributes:
        source: the recipe.
        transformed, graph: folders of the outputs of Features.
        folder: folder of the comparisons of the recipe.
        trials: trials of each method; 0: the recipe's values.
        seed: seed of the trials and of their search.
        seeds: seeds of the frozen candidates; none for a search alone.
        matched: what is the same for all networks.
    """

    source: Source
    transformed: str
    graph: str
    folder: str
    trials: int
    seed: int
    seeds: tuple[int, ...]
    matched: Matched

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Protocol:
        """Reads what `dataclasses.asdict` gives, through JSON."""
        source = content["source"]
        return cls(
            **{
                **content,
                "source": Source(**{**source, "overrides": tuple(source["overrides"])}),
                "seeds": tuple(content["seeds"]),
            }
        )


def run_method(protocol: Protocol, method: Method, result: Path, told: Told) -> None:
    """Runs the protocol of a method and writes its result as JSON: what a method has in `compare.json` without metrics.

    Args:
        protocol: the protocol.
        method: the method.
        result: the file to write, at the end.
        told: called after each training.
    """
    splits = Splits(Path(protocol.transformed), Path(protocol.graph))
    trials, frozen, records = _trained(protocol, method, splits, told)
    size, budget = frozen.size, _budget(protocol, splits)
    write_whole(
        result,
        json.dumps(
            {
                "overrides": frozen.overrides,
                "changes": dict(best_of(trials).changes) if trials else {},
                "trials": [
                    {
                        "changes": dict(trial.changes),
                        "score": trial.outcome.score,
                        "rounds": trial.outcome.rounds,
                        "seconds": trial.outcome.seconds,
                        "stopped": trial.stopped,
                        "error": trial.outcome.error,
                    }
                    for trial in trials
                ],
                "off_budget": None if size is None or not budget else size / budget - 1.0,
                "budget": budget,
                "folders": [str(folder) for folder, _ in records],
                "records": [dataclasses.asdict(record) for _, record in records],
            },
            indent=1,
        ),
    )


def _trained(
    protocol: Protocol, method: Method, splits: Splits, told: Told
) -> tuple[list[Trial[Record]], Candidate, list[tuple[Path, Record]]]:
    code = code_version("pipeline.comparing.trial", *method_modules(selected(protocol.source, method, {})))
    folder, budget = Path(protocol.folder) / TRIALS, _budget(protocol, splits)

    again = TrainedAgain()

    def sized(changes: Mapping[str, Any]) -> Candidate:
        return candidate(protocol.source, method, changes, splits, protocol.matched, budget)

    def run(what: str, plan: Any, frozen: bool, watch: Watch | None = None) -> tuple[Path, Record]:
        place = trial_folder(folder, plan, splits.source, code, frozen)
        record, now = train_once(place, plan, splits, frozen=frozen, again=again, watch=watch)
        told(what, record, now)
        return place, record

    numbers = iter(range(1, protocol.trials + 1))

    def trial(changes: Mapping[str, Any], watch: Watch) -> Record:
        what = f"trial {next(numbers)}"
        try:
            plan = sized(changes).with_seed(protocol.seed)
        except InputError as error:  # options that do not fit each other, such as more chosen experts than there are
            record = Record(score=None, error=str(error))
            told(what, record, True)
            return record
        return run(what, plan, False, watch)[1]

    trials: list[Trial[Record]] = []
    if protocol.trials:
        trials = search(
            space_of(selected(protocol.source, method, {})),
            protocol.trials,
            protocol.seed,
            lambda changes, watch: run(f"trial {next(numbers)}", sized(changes).with_seed(protocol.seed), False, watch)[
                1
            ],
        )
    chosen = sized(best_of(trials).changes if trials else {})
    records = [run(f"seed {seed}", chosen.with_seed(seed), True) for seed in protocol.seeds]
    if errors := [record.error for _, record in records if record.error]:
        raise TrainingError(errors[0])
    return trials, chosen, records


def _budget(protocol: Protocol, splits: Splits) -> float | None:
    """The size of the network of the recipe's own method."""
    if protocol.matched == "none":
        return None
    return network_size(plan_of(protocol.source.recipe()), splits, protocol.matched)
