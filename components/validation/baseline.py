"""Resolves the baseline of drift: the statistics of the newest good run before this one.

A stock strategy would take the newest statistics, which are those of this run. This one considers only older statistics, so an
unchanged second run finds the same baseline as the first and stays cached.
"""

from __future__ import annotations

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from components.baselines.kept_statistics import comes_again

CANDIDATE, BASELINE, ANOMALIES = "candidate", "baseline_statistics", "anomalies"


class LastGoodStatistics(resolver.ResolverStrategy):
    """Resolves the newest `ExampleStatistics` that are older than the candidate, passed validation and still exist on disk.

    With `every` above 0, only those of a span that is a multiple of `every` spans before that of the candidate: 7 days for the same weekday.

    Inputs: `candidate` (this run's statistics), `baseline_statistics` (all statistics) and `anomalies` (all).
    Resolves `baseline_statistics` to one artifact or none.
    """

    def __init__(self, every: int = 0) -> None:
        super().__init__()
        self._every = every

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """See `ResolverStrategy`."""
        found = {**input_dict, BASELINE: [], ANOMALIES: []}
        candidates = [artifact.id for artifact in input_dict.get(CANDIDATE, [])]
        if not candidates:
            return found
        passed = {
            artifact.get_int_custom_property("statistics_id"): artifact
            for artifact in input_dict.get(ANOMALIES, [])
            if artifact.get_int_custom_property("passed") == 1
        }
        for statistics in sorted(input_dict.get(BASELINE, []), key=lambda artifact: artifact.id, reverse=True):
            comparable = all(comes_again(statistics.span, one.span, self._every) for one in input_dict[CANDIDATE])
            if (
                statistics.id < min(candidates)
                and statistics.id in passed
                and comparable
                and fileio.exists(statistics.uri)
            ):
                return {**found, BASELINE: [statistics], ANOMALIES: [passed[statistics.id]]}
        return found


def baseline_statistics_resolver(statistics: types.BaseChannel, every: int = 0) -> resolver.Resolver:
    """The node that finds the statistics of the last good run. Its output `baseline_statistics` is an input of `Validation`.

    Args:
        statistics: this run's statistics.
        every: see `LastGoodStatistics`.
    """
    return resolver.Resolver(
        strategy_class=LastGoodStatistics,
        config={"every": every},
        **{
            CANDIDATE: statistics,
            BASELINE: types.Channel(type=standard_artifacts.ExampleStatistics),
            ANOMALIES: types.Channel(type=standard_artifacts.ExampleAnomalies),
        },
    ).with_id("baseline_statistics")
