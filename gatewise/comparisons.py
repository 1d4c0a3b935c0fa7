"""Compares methods on the logs of a recipe."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gatewise.processes import call
from gatewise.recipes import Overrides, Recipe, as_recipe
from gatewise.running import options_of
from models.recipe.errors import InputError
from pipeline.run_paths import run_paths

if TYPE_CHECKING:
    import pandas as pd

_RESULT = "result: "
"""Beginning of the line with the result's file (`pipeline.comparing.commands.compare`)."""


class Comparison:
    """A finished comparison of methods.

    Attributes:
        folder: folder of `compare.json` and `compare.html`.
        result: the content of `compare.json` (docs/compare.md).
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.result: dict[str, Any] = json.loads((self.folder / "compare.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(
                f"{self.folder}: expected the folder of a comparison, which has compare.json ({error.strerror})."
            ) from None

    @property
    def table(self) -> pd.DataFrame:
        """A row for each method and task.

        Columns: `method`; `chosen`, whether the validation score chose it; `task`; `metric`, the task's main one; `mean` over the
        seeds; `gain` over the single-task twins with its interval `lower` to `upper`; `verdict`, "better", "worse", "no difference" or
        "not measured", "" for the twins; `parameters` of the network.

        Example:
            comparison.table.pivot(index="method", columns="task", values="mean")
        """
        import pandas as pd

        from pipeline.comparing.answer import against, metric_of

        twins, rows = self.result["twins"], []
        for method in self.result["methods"]:
            gains = against(method, twins) if method["name"] != twins else {}
            for task in self.result["tasks"]:
                metric, gain = metric_of(self.result, task), gains.get(task, {})
                rows.append(
                    {
                        "method": method["name"],
                        "chosen": method["name"] == self.chosen,
                        "task": task,
                        "metric": metric,
                        "mean": ((method["metrics"].get(task) or {}).get(metric) or {}).get("mean"),
                        **{name: gain.get(name) for name in ("gain", "lower", "upper")},
                        "verdict": gain.get("verdict", ""),
                        "parameters": method["parameters"],
                    }
                )
        numbers = ("mean", "gain", "lower", "upper")
        return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))

    @property
    def verdict(self) -> str:
        """What to ship, and how sure that is, in a few sentences."""
        from pipeline.comparing.answer import answer

        found = answer(self.result)
        return " ".join((found.headline, *found.sentences))

    @property
    def chosen(self) -> str:
        """The method with the best mean validation score."""
        return str(self.result["chosen"]["method"])

    @property
    def failed(self) -> dict[str, str]:
        """{method: message} of the methods that could not be trained."""
        return dict(self.result["failed"])

    @property
    def page(self) -> Path:
        """The report, an HTML file."""
        return self.folder / "compare.html"

    def __repr__(self) -> str:
        return f"Comparison({self.result['recipe']}: {len(self.result['methods'])} methods, {self.folder})"


def compare(
    recipe: Recipe | str | Path | Mapping[str, Any],
    root: str | Path = "runs",
    *,
    architectures: Sequence[str] | Literal["all"] = (),
    balancers: Sequence[str] = (),
    backbones: Sequence[str] = (),
    trials: int = 0,
    seeds: int = 5,
    budget: Literal["parameters", "flops", "none"] = "parameters",
    jobs: int | None = None,
    set: Overrides = (),
    data: str | Path | None = None,
    day: str | datetime.date | None = None,
    quiet: bool = False,
) -> Comparison:
    """Trains every combination of methods on the same rows, with several seeds and networks of one size, and compares them.

    The comparison is the process `gatewise compare` (docs/compare.md). It pushes nothing. Single-task twins, the shared bottom and
    fixed weights are always among the methods. The same call goes on with a comparison that was stopped.

    Args:
        recipe: a recipe, its file, or its content as a dict.
        root: folder of the runs.
        architectures: names; "all" for every one that the recipe allows. By default the recipe's.
        balancers, backbones: names. By default the recipe's.
        trials: trials of the search for options, for each method.
        seeds: trainings of each method that are measured; at least 2.
        budget: what is equal for all networks: parameters, multiply-adds of a prediction ("flops"), or nothing.
        jobs: processes at a time. By default what cores and memory allow.
        set, data, day, quiet: as in `gatewise.run`.

    Raises:
        InputError: the recipe, a name or the data were refused, or the twins could not be trained.
        GatewiseError: the comparison crashed or was stopped.

    Example:
        comparison = gatewise.compare("recipes/shop.yaml", architectures=["mmoe", "ple"], seeds=3)
        comparison.verdict
    """
    checked = as_recipe(recipe, set, data)
    named = {"architectures": architectures, "balancers": balancers, "backbones": backbones}
    options = options_of(checked, run_paths(checked, root).home, root, day)
    for option, names in named.items():
        if names:
            options += [f"--{option}", names if isinstance(names, str) else ",".join(names)]
    options += ["--trials", str(trials), "--seeds", str(seeds), "--budget", budget]
    options += [] if jobs is None else ["--jobs", str(jobs)]
    # With code 1, some methods may have failed; the others have a result.
    printed = call(["compare", *options], (0,), quiet, results=_RESULT)
    file = next(line for line in reversed(printed.splitlines()) if line.startswith(_RESULT))
    return Comparison(Path(file.removeprefix(_RESULT)).parent)
