"""The methods of a comparison: architecture, backbone and balancer, and the rows that every comparison has."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from models.architectures import ARCHITECTURES
from models.backbones import BACKBONES
from models.balancing import BALANCERS
from models.recipe.errors import InputError
from models.recipe.recipe import Recipe
from models.recipe.registry import path_of

TWINS, SHARED, FIXED = "single_task", "shared_bottom", "fixed"


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to mix the features, to share between the tasks and to balance them.

    `asked`: False for a row that only the comparison adds.
    """

    architecture: str
    backbone: str
    balancer: str = FIXED
    asked: bool = dataclasses.field(default=True, compare=False)

    def named(self, backbone: str) -> str:
        """Its name in a comparison: "ple", "ple + pcgrad", and "ple + pcgrad on dcn_v2" if its backbone is not the recipe's."""
        balanced = "" if self.balancer == FIXED else f" + {self.balancer}"
        return f"{self.architecture}{balanced}{'' if self.backbone == backbone else f' on {self.backbone}'}"

    @property
    def overrides(self) -> tuple[str, ...]:
        """The `--set` options that select it."""
        return (
            f"model.architecture={self.architecture}",
            f"model.backbone={self.backbone}",
            f"model.balancer={self.balancer}",
        )

    @property
    def with_fixed_weights(self) -> Method:
        """The same network with fixed weights: what its balancer is compared with."""
        return dataclasses.replace(self, balancer=FIXED, asked=False)


def methods_of(
    recipe: Recipe, architectures: Sequence[str] = (), backbones: Sequence[str] = (), balancers: Sequence[str] = ()
) -> tuple[Method, ...]:
    """All combinations of the names, after the rows that nobody may leave out.

    These are the single-task twins and the shared bottom with the recipe's backbone, and each network of a balancer with fixed
    weights. A list without names has the recipe's own method.

    Raises:
        InputError: a name is unknown, or occurs twice.
    """
    model = recipe.model
    asked = [
        Method(architecture, backbone, balancer)
        for architecture, backbone, balancer in itertools.product(
            _checked(architectures, model.architecture, ARCHITECTURES, "architecture"),
            _checked(backbones, model.backbone, BACKBONES, "backbone"),
            _checked(balancers, model.balancer, BALANCERS, "balancer"),
        )
    ]
    always = [Method(name, model.backbone, asked=False) for name in (TWINS, SHARED)]
    weighed = [method.with_fixed_weights for method in asked]
    wanted = set(asked)
    rows = dict.fromkeys([*always, *(row for pair in zip(weighed, asked, strict=True) for row in pair)])
    return tuple(dataclasses.replace(row, asked=row in wanted) for row in rows)


def _checked(names: Sequence[str], own: str, table: dict[str, str], kind: str) -> list[str]:
    for name in names:
        path_of(name, table, kind)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"compare: the {kind} {', '.join(twice)} is named twice.")
    return list(names) or [own]
