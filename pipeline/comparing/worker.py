"""The process that trains one method of a comparison: python -m pipeline.comparing.worker SPEC.json PARENT.

SPEC has the protocol, the method and the file of the result. Each line of the standard output is a JSON object about a finished training:
{"what", "score", "seconds", "now", "error"}. It ends with its parent.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from components.probe.process import end_with
from models.recipe.errors import GatewiseError


def main(spec: str, parent: str) -> int:
    """Trains the method. Returns the exit code of the process."""
    end_with(int(parent))
    content = json.loads(Path(spec).read_text(encoding="utf-8"))
    # What libraries print goes to the log; the pipe has only our lines.
    lines = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def told(what: str, record: Any, now: bool) -> None:
        about = {"what": what, "score": record.score, "seconds": record.seconds, "now": now, "error": record.error}
        print(json.dumps(about), file=lines)

    from models.training.devices import take_memory_as_needed
    from pipeline.comparing.methods import Method
    from pipeline.comparing.protocol import Protocol, run_method
    from pipeline.compiled_steps import compiled_steps_kept

    protocol = Protocol.from_json(content["protocol"])
    with compiled_steps_kept(Path(protocol.folder) / "compiled"):
        take_memory_as_needed()
        try:
            run_method(protocol, Method(**content["method"]), Path(content["result"]), told)
        except GatewiseError as error:
            print(json.dumps({"refused": str(error)}), file=lines)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
