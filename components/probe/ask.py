"""The process that asks: `python -m components.probe.ask QUESTION ANSWER`, both JSON files.

It knows nothing but the files, as a server would: the exported model, and the raw eval examples.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.probe.answers import differences, faults
from components.probe.requests import read_requests
from models.errors import GatewiseError
from models.whole_file import write_whole


def ask(model: str, files: Sequence[str], tasks: dict[str, str], tolerance: float) -> dict[str, Any]:
    """Asks the model about real examples, one by one and as one batch, and about one with nothing in it.

    Args:
        model: folder of the SavedModel.
        files: Parquet files of the raw eval examples.
        tasks: {task: "binary" or "regression"}.
        tolerance: largest allowed difference to the trainer's predictions.

    Returns:
        {"requests": number of examples asked about, "faults": [what is wrong, in words]}.

    Raises:
        InputError: no such model, or its examples are not among the files.
    """
    from models.serving import load_server
    from models.serving_inputs import read_expected, read_inputs, serialize_examples

    inputs, expected = read_inputs(model)["inputs"], read_expected(model)
    ids, predictions = expected["example_ids"], expected["predictions"]
    requests = serialize_examples(read_requests([Path(file) for file in files], ids, list(inputs)), inputs)
    server = load_server(model)
    found = faults(server(serialize_examples([{}], inputs)), tasks, 1, "a request with nothing in it")
    batch = server(requests)
    singles = [server([request]) for request in requests]
    for number, answer in enumerate(singles):
        found += faults(answer, tasks, 1, f"request {number} (example {ids[number]})")
    found += faults(batch, tasks, len(requests), "all requests as one batch")
    if not found:
        joined = {task: [answer[task][0] for answer in singles] for task in tasks}
        found += differences(joined, predictions, ids, tolerance, "one by one")
        found += differences(batch, predictions, ids, tolerance, "as one batch")
    return {"requests": len(requests), "faults": found}


def main(question: str, answer: str) -> None:
    """Reads the arguments of `ask` from one file and writes what it returns into the other."""
    arguments = json.loads(Path(question).read_text(encoding="utf-8"))
    try:
        result = ask(**arguments)
    except GatewiseError as error:
        result = {"requests": 0, "faults": [str(error)]}
    write_whole(answer, json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
