"""Resolves the baseline: the newest blessed model before the candidate.

In an unchanged second run, the stock LatestBlessedModelStrategy resolves the candidate itself, so the same model is evaluated
and pushed again. This strategy considers only older models, so the second run is fully cached. If a pipeline trains models of
two kinds, each is compared with its own kind. A model of an experiment (`gatewise run --no-push`) is no baseline until a run pushes it.
"""

from __future__ import annotations

import ml_metadata as mlmd
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from components.push.executor import DISABLED, MODEL_ID

CANDIDATE, BASELINE, BLESSING = "candidate", "baseline_model", "model_blessing"


class OlderBlessedModel(resolver.ResolverStrategy):
    """Resolves the newest blessed `Model` that is older than the candidate, still exists on disk and is not of an experiment.

    Inputs: `candidate` (this run's model), `baseline_model` (all models that compare) and `model_blessing` (all blessings).
    Resolves `baseline_model` to one artifact or none.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """See `ResolverStrategy`."""
        found = {**input_dict, BASELINE: [], BLESSING: []}
        candidates = [artifact.id for artifact in input_dict.get(CANDIDATE, [])]
        if not candidates:
            return found
        blessings = {
            artifact.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): artifact
            for artifact in input_dict.get(BLESSING, [])
            if artifact.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == constants.BLESSED_VALUE
        }
        excluded = _experiments(store)
        for model in sorted(input_dict.get(BASELINE, []), key=lambda artifact: artifact.id, reverse=True):
            if (
                model.id < min(candidates)
                and model.id in blessings
                and model.id not in excluded
                and fileio.exists(model.uri)
            ):
                return {**found, BASELINE: [model], BLESSING: [blessings[model.id]]}
        return found


def _experiments(store: mlmd.MetadataStore) -> set[int]:
    """Ids of the models that only runs without a push have trained."""
    kept: set[int] = set()
    pushable: set[int] = set()
    for pushed in store.get_artifacts_by_type(standard_artifacts.PushedModel.TYPE_NAME):
        model = pushed.custom_properties[MODEL_ID].int_value
        (kept if DISABLED in pushed.custom_properties else pushable).add(model)
    return kept - pushable


def baseline_model_resolver(
    candidate: types.BaseChannel, name: str = "baseline_model", stage: str | None = None
) -> resolver.Resolver:
    """The node that finds the baseline. Its output `baseline_model` is an input of the model's evaluation.

    Only models of the same stage, from any run, are considered: a ranker is not a baseline of a retrieval model.

    Args:
        candidate: the candidate, or another output of this run that the baseline has to be older than.
        name: name of the node.
        stage: the stage of the models. Default: that of the candidate.
    """
    return resolver.Resolver(
        strategy_class=OlderBlessedModel,
        **{
            CANDIDATE: candidate,
            # From every run, but only from this stage: the producer of a plain channel is a condition of its query.
            BASELINE: types.Channel(
                type=standard_artifacts.Model, producer_component_id=stage or candidate.producer_component_id
            ),
            BLESSING: types.Channel(type=standard_artifacts.ModelBlessing),
        },
    ).with_id(name)
