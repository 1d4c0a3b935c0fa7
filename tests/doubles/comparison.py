"""A result of `gatewise compare`, in the shape of compare.json."""

import random

TASKS = {
    "like": {"kind": "binary", "metric": "auc"},
    "share": {"kind": "binary", "metric": "auc"},
    "comment": {"kind": "binary", "metric": "auc"},
    "minutes": {"kind": "regression", "metric": "rmse"},
}
LEVELS = {"like": 0.7134, "share": 0.6821, "comment": 0.7712, "minutes": 4.2041}
METHODS = (  # name, its effect in units of the smallest visible difference
    ("single_task", 0.0),
    ("shared_bottom", -0.4),
    ("mmoe", 0.3),
    ("ple", 1.7),
    ("omoe", -0.2),
    ("stem", 0.9),
    ("home", 1.3),
    ("cross_stitch", 0.1),
    ("aitm", -1.6),
    ("poso", 0.2),
)
BALANCED = (("mmoe + pcgrad", 0.4), ("ple + famo", 1.5), ("shared_bottom + uncertainty", -0.5), ("ple on dcn_v2", 1.9))
UNBALANCED = (("snr", 0.0), ("mtan", -0.3), ("sluice", 0.1), ("ple on dcn_v2", 1.9))
VISIBLE = 0.004
SEEDS = [1, 2, 3]


def gain(value, visible=VISIBLE, twin=None, verdict=None):
    """A GAIN; its verdict follows from the interval if none is given. `relative` is of an AUC `twin`."""
    half = 0.7 * visible
    lower, upper = value - half, value + half
    words = "better" if lower > 0 else "worse" if upper < 0 else "no difference"
    part = abs(value) * 1e5 % 1.0  # each gain has p-values of its own
    p = 0.1 + 0.5 * part if words == "no difference" else 0.0003 + 0.003 * part
    return {
        "gain": value,
        "relative": None if twin is None else value / (twin - 0.5),
        "lower": lower,
        "upper": upper,
        "p": p,
        "p_holm": min(1.0, 13.0 * p),
        "visible": visible,
        "verdict": verdict or words,
    }


NOT_MEASURED = {
    **dict.fromkeys(("gain", "relative", "lower", "upper", "p", "p_holm", "visible")),
    "verdict": "not measured",
}


def comparison(tasks=2, trials=True, balancers=True, truth=True, missing=False):
    """compare.json of 14 methods.

    Args:
        tasks: number of tasks, 1 to 4. The fourth is a regression.
        trials: with tuning trials.
        balancers: with methods that have a balancer.
        truth: of simulated logs.
        missing: null where the format allows it; a method that was not measured on the first task; no groups.
    """
    chance = random.Random(7)
    names = list(TASKS)[:tasks]
    rows = [*METHODS, *(BALANCED if balancers else UNBALANCED)]
    effects = {name: {task: effect * chance.uniform(0.7, 1.2) for task in names} for name, effect in rows}
    methods = [_method(name, effects, chance, trials, truth, missing) for name, _ in rows]
    for method in methods:
        mine = effects[method["name"]]
        method["pareto"] = not any(all(other[task] > mine[task] for task in names) for other in effects.values())
    if missing:
        lost = methods[4]
        lost["metrics"]["like"]["auc"] = {"mean": None, "by_seed": [None] * len(SEEDS)}
        lost["against"] = {name: {**by_task, "like": NOT_MEASURED} for name, by_task in lost["against"].items()}
        lost["delta_m"] = NOT_MEASURED
    return {
        "format": 1,
        "recipe": "deskdrop",
        "file": "recipes/deskdrop.yaml",
        "command": "gatewise compare recipes/deskdrop.yaml --architectures mmoe,ple,omoe --seeds 3",
        "gatewise": "0.1.0",
        "code": "c0de00112233aabb",
        "recipe_fingerprint": "4ec1be0011223344",
        "data": {"files": 2, "bytes": 41234567, "fingerprint": "da7a001122334455"},
        "match": "parameters",
        "budget": {"parameters": 20481, "flops": None if missing else 40960},
        "trials": 2 if trials else 0,
        "seeds": SEEDS,
        "confidence": 0.95,
        "seconds": 4834.5,
        "examples": {"train": 40321, "validate": 6012, "eval": 12077},
        "groups": None if missing else {"key": "personId", "count": 1283},
        "test_reads": {"here": 42, "all": 57},
        "tasks": {task: TASKS[task] for task in names},
        "twins": "single_task",
        "chosen": {
            "method": "ple on dcn_v2",
            "significant": True,
            "why": "ple on dcn_v2 has the lowest validation score of 14 methods.",
        },
        "methods": methods,
    }


def _method(name, effects, chance, trials, truth, missing):
    body, _, balancer = name.partition(" + ")
    architecture, _, backbone = body.partition(" on ")
    tasks = list(effects[name])
    index = list(effects).index(name)
    base = 0.9312 - 0.006 * sum(effects[name].values()) / len(tasks)
    others = {"single_task": "single_task", "shared_bottom": "shared_bottom"} | ({"fixed": body} if balancer else {})
    against = {
        key: {task: _gain(task, effects[name][task] - effects.get(other, effects["ple"])[task]) for task in tasks}
        for key, other in others.items()
        if other != name
    }
    changes = {"training.learning_rate": 0.001 * (1 + index % 3)} if trials and index % 4 else {}
    return {
        "name": name,
        "architecture": architecture,
        "backbone": backbone or "none",
        "balancer": balancer or "fixed",
        "asked": name not in ("single_task", "shared_bottom"),
        "overrides": [f"model.architecture={architecture}", f"model.options.{architecture}.units={40 + index}"],
        "changes": changes,
        "trials": _trials(changes, base, index) if trials else [],
        "parameters": 20481 + 13 * index,
        "off_budget": 13 * index / 20481,
        "flops": None if missing else 40960 + 512 * ((index * 5) % 14),
        "validation_score": {"mean": base, "by_seed": [base - 0.0011, base, base + 0.0011]},
        "metrics": {task: _metrics(task, effects[name][task]) for task in tasks},
        "against": against,
        "delta_m": None if name == "single_task" else gain(0.02 * sum(effects[name].values()) / len(tasks), 0.019),
        "cost": {
            "seconds_per_pass": 1.21 + 0.17 * ((index * 3) % 7),
            "seconds": 71.3 + 3.1 * index,
            "peak_memory": None if missing else 1.2e9 + 3.1e7 * index,
            "page_ms": None if missing else {"p50": 1.12 + 0.11 * index, "p99": 2.31 + 0.21 * index},
        },
        "gates": {task: _shares(chance, 4) for task in tasks} if architecture in ("mmoe", "ple", "omoe") else {},
        "task_weights": {task: [1.0, 0.9 + 0.05 * place, 0.8 + 0.1 * place] for place, task in enumerate(tasks)}
        if balancer and balancer != "pcgrad"
        else {},
        "truth": {task: {"log_loss_gap": 0.0113 + 0.0007 * index} for task in tasks if task != "minutes"}
        if truth
        else None,
        "pareto": False,
    }


def _gain(task, effect):
    if TASKS[task]["metric"] == "rmse":
        found = gain(effect * 0.041, 0.041)
        return found | {"relative": found["gain"] / LEVELS[task]}
    return gain(effect * VISIBLE, twin=LEVELS[task])


def _metrics(task, effect):
    if TASKS[task]["metric"] == "rmse":
        return {"rmse": _mean(LEVELS[task] - effect * 0.041), "mae": _mean(2.9 - effect * 0.02)}
    return {
        "auc": _mean(LEVELS[task] + effect * VISIBLE),
        "log_loss": _mean(0.3121 - effect * 0.001),
        "normalized_entropy": _mean(0.9321 - effect * 0.003),
    }


def _mean(value):
    return {"mean": value, "by_seed": [value - 0.0007, value + 0.0002, value + 0.0005]}


def _trials(changes, base, index):
    return [
        {"changes": {}, "score": base + 0.0031, "rounds": 8, "seconds": 12.1 + index, "stopped": False},
        {
            "changes": changes or {"training.learning_rate": 0.01},
            "score": None if index == 5 else base + (0.0 if changes else 0.01),
            "rounds": 3,
            "seconds": 5.2 + index,
            "stopped": True,
        },
    ]


def _shares(chance, experts):
    parts = [chance.uniform(0.2, 1.0) for _ in range(experts)]
    return [part / sum(parts) for part in parts]
