"""Errors that a user can fix. Any other exception is a defect of gatewise and keeps its traceback."""

from __future__ import annotations

import re

_SHOWN = 200
_LONGEST_LINE = 2000

_IN_URL = re.compile(
    r"""(?<=://)(?:
        [^\s'"<>/]*@                               # user@, user:password@
        | [^\s'"<>/@:]*:(?!\d{1,5}/)[^\s'"<>]*@   # key:secret@ of a secret with slashes; :8080/ is a port
    )""",
    re.VERBOSE,
)
_IN_QUERY = re.compile(
    r"""(?<=[?&;\#])([\w.-]*(?:key|secret|signature|sig|token|password|passwd|pwd|credential|auth|jwt|session|cookie)[\w.-]*)=
        [^\s&;\#'"<>]+""",
    re.VERBOSE | re.IGNORECASE,
)


def masked(text: str) -> str:
    """Masks secrets of URLs in a text: `://***@` for credentials, `***` for keys, signatures and tokens."""
    if "://" in text:
        text = _IN_URL.sub("***@", text)
    return _IN_QUERY.sub(r"\1=***", text) if "=" in text else text


def shown(value: object) -> str:
    """The `repr` of a value for a message, truncated, with secrets masked before truncation."""
    if isinstance(value, str):
        value = masked(value)
    if isinstance(value, str | bytes):
        return f"{value[:_SHOWN]!r}{'...' if len(value) > _SHOWN else ''}"
    text = masked(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _bounded(line: str) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    left = len(line) - _LONGEST_LINE
    return f"{line[: _LONGEST_LINE // 2]} ... [{left:,} characters left out] ... {line[-_LONGEST_LINE // 2 :]}"


class GatewiseError(Exception):
    """Base of the errors that are shown without a traceback.

    Masks secrets in URLs (`masked`) and shortens very long lines. `exit_code` is the exit code of the command line.
    """

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        super().__init__("\n".join(_bounded(line) for line in masked(str(message)).split("\n")))


class InputError(GatewiseError):
    """A recipe, a log file or an option is wrong. The message says where, what was expected and received, and what to do."""

    exit_code = 1


class TrainingError(GatewiseError):
    """The training cannot continue, such as after a NaN loss. The message names the task and the step."""

    exit_code = 1


class NoVerdictError(GatewiseError):
    """A check of a model did not finish: it was killed, or ran out of memory or time. The model itself may be fine, so the
    stage fails without a result, and the same command tries again."""

    exit_code = 3
