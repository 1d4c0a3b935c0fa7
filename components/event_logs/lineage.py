"""Which files the examples come from: `files.json` beside the accounts, whose `read` it splits by file."""

from __future__ import annotations

import json
import os

from components.event_logs.listed_files import ListedFiles
from components.event_logs.plan import EventLogsPlan
from components.event_logs.tally import Tally
from components.storage.writing import write_text

FILES = "files.json"


def write_files(folder: str, listed: ListedFiles, plan: EventLogsPlan, tally: Tally) -> None:
    """Writes {path relative to `data`: {"bytes", "fingerprint", "read": {stream: rows}}} of every file.

    The fingerprint is the content's BLAKE2b; at a URL, and where no assembly saw the file, "@" and the nanoseconds since
    1970 of its last change. The `read` of a stream's files sum to that of its account.
    """
    files = {
        name: {
            "bytes": size,
            "fingerprint": content,
            "read": {stream.name: rows for stream in plan.streams if (rows := tally.counts["file", stream.name, name])},
        }
        for name, (size, content) in listed.identities.items()
    }
    write_text(os.path.join(folder, FILES), json.dumps(files, indent=2, ensure_ascii=False))
