"""At its import, the modules of all stages are parsed, which each pipeline would do otherwise, and what is there is no garbage."""

import gc

from pipeline.code_version import code_version

STAGES = [
    *(f"components.{name}.executor" for name in ("event_logs", "statistics", "validation", "features", "interactions")),
    *(f"components.{name}.executor" for name in ("references", "evaluation", "probe", "retrieval_evaluation")),
    *(f"models.{name}.trainer" for name in ("training", "retrieval")),
]

code_version(*STAGES)
gc.collect()
gc.freeze()
