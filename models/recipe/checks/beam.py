"""Checks of the section `beam`."""

from __future__ import annotations

from collections.abc import Iterator

from models.recipe.beam import CLUSTERS, RUNNERS, has_flag, runner_path
from models.recipe.checks.problem import Problem
from models.recipe.recipe import Recipe
from models.recipe.registry import known


def beam_problems(recipe: Recipe) -> Iterator[Problem]:
    """Problems of the section `beam`: (location of the key, message)."""
    beam = recipe.beam
    at: tuple[str | int, ...] = ("beam", "runner")
    names = {path: name for name, path in RUNNERS.items()}
    if beam.runner not in RUNNERS and not all(part.isidentifier() for part in beam.runner.split(".")):
        yield at, f"expected the name of a runner or the path of its class, received {beam.runner!r}."
    elif beam.runner not in RUNNERS and "." not in beam.runner:
        yield (
            at,
            f"unknown Beam runner {beam.runner!r}; {known(beam.runner, RUNNERS)} The path of a runner's class also works.",
        )
    for index, flag in enumerate(beam.flags):
        if not flag.startswith("--"):
            yield ("beam", "flags", index), f"expected a flag such as '--region=europe-west1', received {flag!r}."
    if has_flag(beam, "--runner"):
        yield ("beam", "flags"), "set the runner with the key 'runner', not with a flag."
    name = names.get(runner_path(beam.runner), beam.runner)
    where = CLUSTERS.get(name)
    if where and not has_flag(beam, *where):
        examples = " or ".join(repr(f"{flag}={value}") for flag, value in where.items())
        yield ("beam", "flags"), f"{name} needs the address of its cluster: add {examples}."
