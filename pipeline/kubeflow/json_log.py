"""Logs a step as JSON lines for the cluster's log store."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from typing import Any

from models.recipe.errors import masked


class JsonLines(logging.Formatter):
    """Formats a record as one line: time, level, stage, logger, message, the record's `facts`, and a traceback if present.

    Secrets in URLs are masked.

    Args:
        stage: name of the step.
    """

    def __init__(self, stage: str) -> None:
        super().__init__()
        self._stage = stage

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        line: dict[str, Any] = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "stage": self._stage,
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(stage: str) -> None:
    """Sends all log records to standard output as JSON lines."""
    handler = logging.StreamHandler(stream=sys.stdout)
    handler.setFormatter(JsonLines(stage))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("models", "components", "pipeline"):
        logging.getLogger(name).setLevel(logging.INFO)
