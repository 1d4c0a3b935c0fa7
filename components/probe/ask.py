"""The process that queries the model: `python -m components.probe.ask QUESTION ANSWER PARENT` (two JSON files, a process id).

Like a server, it has only the files: the exported model and the raw validate examples.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.probe.answers import differences, faults
from components.probe.limits import latency, over_limits, size_mib
from components.probe.named import ask_rank, ask_raw
from components.probe.plan import ProbePlan
from components.probe.process import end_with, is_of_the_machine
from components.probe.requests import read_requests
from models.files.whole_file import write_whole
from models.recipe.errors import GatewiseError

WARM_UP_ROWS = 10
"""Number of real rows in the warm-up requests of TensorFlow Serving."""


def ask(model: str, files: Sequence[str], plan: ProbePlan, warm_up: str | None = None) -> dict[str, Any]:
    """Sends real and unusual requests to the model, through every signature that a client uses.

    `serving_default` and `raw`: the examples one by one and as one batch, and an empty example. `rank`: each
    example's user with all examples as candidates, and the unusual requests of `components.probe.named`.

    Args:
        model: folder of the SavedModel.
        files: Parquet files of the raw validate examples.
        plan: plan of the recipe.
        warm_up: file for the warm-up requests of TensorFlow Serving; not written if there are faults.

    Returns:
        {"requests": number of examples, "faults": [messages], "latency_ms": {"p50", "p99"} of `rank` with the plan's page of
        candidates, "size_mib": size of the model's files}.

    Raises:
        InputError: the model does not exist, or its examples are not in the files.
    """
    from models.serving import warm_up as warming
    from models.serving.inference import RANK, RAW, load_named, load_server
    from models.serving.inputs import read_expected, read_inputs, serialize_examples

    notes, expected = read_inputs(model), read_expected(model)
    inputs, tasks = notes["inputs"], dict(plan.tasks)
    ids, predictions = expected["example_ids"], expected["predictions"]
    rows = read_requests([Path(file) for file in files], ids, list(inputs))
    requests = serialize_examples(rows, inputs)
    server = load_server(model)
    found = faults(server(serialize_examples([{}], inputs)), tasks, 1, "an empty request")
    batch = server(requests)
    singles = [server([request]) for request in requests]
    for number, answer in enumerate(singles):
        found += faults(answer, tasks, 1, f"request {number} (example {ids[number]})")
    found += faults(batch, tasks, len(requests), "all requests as one batch")
    report: dict[str, Any] = {"requests": len(requests)}
    if not found:
        joined = {task: [answer[task][0] for answer in singles] for task in tasks}
        found += differences(joined, predictions, ids, plan.tolerance, "one by one")
        found += differences(batch, predictions, ids, plan.tolerance, "as one batch")
    if not found:
        raw, rank = load_named(model, RAW, RANK)
        found += ask_raw(raw, rows, inputs, plan, predictions, ids)
        found += ask_rank(rank, server, rows, inputs, plan, predictions, ids)
        report |= {"latency_ms": latency(rank, rows, inputs, plan.page), "size_mib": size_mib(model)}
        found += over_limits(report, plan)
    if warm_up is not None and not found:
        warming.write(Path(warm_up), warming.requests(rows[:WARM_UP_ROWS], inputs, notes["weights"]))
    return {**report, "faults": found}


def main(question: str, answer: str) -> None:
    """Reads the arguments of `ask` from one file and writes its result to the other.

    An error of the model is a result, too. An error of the machine ends the process without one; the next probe may succeed.
    """
    arguments = json.loads(Path(question).read_text(encoding="utf-8"))
    try:
        result = ask(**{**arguments, "plan": ProbePlan.model_validate(arguments["plan"])})
    except GatewiseError as error:
        result = {"requests": 0, "faults": [str(error)]}
    except Exception as error:
        if is_of_the_machine(error):
            raise
        traceback.print_exc()
        result = {"requests": 0, "faults": [f"the model failed: {type(error).__name__}: {error}"]}
    write_whole(answer, json.dumps(result))


if __name__ == "__main__":
    end_with(int(sys.argv[3]))
    main(*sys.argv[1:3])
