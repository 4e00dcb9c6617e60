"""One JSON object per line for Cloud Logging; what a line may hold is decided here.

No token, no message text, no full address; docs/operations.md says what else. A number or an e-mail address is
hidden here, in the message and in all fields but `worker`: records may be called by their customer's number.
Special keys: https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import re
import sys
import threading
import traceback
from contextvars import ContextVar

_TRACE: ContextVar[str | None] = ContextVar("log_trace", default=None)
_WRITING = threading.Lock()
# An address begins where a word does: tried at every letter of a long word, this would take the square of its length.
_EMAIL = re.compile(
    r"(?<![^\s@,;:()<>\"'])[^\s@,;:()<>\"']+@[^\s@,;:()<>\"']*[^\s@,;:()<>\"'.]"
)
_ID = r"[A-Z]{2}[0-9a-fA-F]{32}|c-[0-9a-f]{20}"  # of Twilio's and of ours, whatever digits are in it
_NO_ADDRESS = re.compile(_ID)
_EMAIL_OR_NUMBER = re.compile(
    rf"\b(?:{_ID})\b|" + _EMAIL.pattern + r"|\+?\d[\d\s().-]{5,}\d"
)
_READABLE = {"worker", "function", "stack_trace", "@type"}
_REPORTED = (
    "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
)


def trace_from(header: str | None, project: str | None) -> None:
    """Ties the lines of this request together; `header` is X-Cloud-Trace-Context."""
    trace = (header or "").partition("/")[0]
    well_formed = re.fullmatch(r"[0-9a-fA-F]{32}", trace) is not None
    _TRACE.set(
        f"projects/{project}/traces/{trace}" if well_formed and project else None
    )


def info(message: str, **fields: object) -> None:
    _write("INFO", message, fields)


def warning(message: str, **fields: object) -> None:
    _write("WARNING", message, fields)


def error(message: str, **fields: object) -> None:
    _write("ERROR", message, {"@type": _REPORTED, **fields})


def crash(message: str, **fields: object) -> None:
    """An error that nobody foresaw: with the traceback, which Error Reporting groups by.

    The traceback's own message line is left out: a library may have put a value into it.
    """
    kind = sys.exc_info()[0]
    frames = "".join(traceback.format_tb(sys.exc_info()[2]))
    name = kind.__name__ if kind else "Exception"
    _write(
        "ERROR",
        message,
        {
            "stack_trace": f"Traceback (most recent call last):\n{frames}{name}",
            **fields,
        },
    )


def masked(address: str | None) -> str:
    """An address with all but its end hidden: enough to recognise, too little to write to."""
    if not address:
        return ""
    channel, colon, rest = address.rpartition(":")
    name, at, domain = rest.rpartition("@")
    return (
        f"{channel}{colon}{name[:1]}…{at}{domain}"
        if at
        else f"{channel}{colon}…{rest[-2:]}"
    )


def _write(severity: str, message: str, fields: dict[str, object]) -> None:
    line: dict[str, object] = {
        "severity": severity,
        "message": _hidden(message, fields.get("worker")),
    }
    if trace := _TRACE.get():
        line["logging.googleapis.com/trace"] = trace
    given = {name: value for name, value in fields.items() if value is not None}
    line |= {
        name: value if name in _READABLE else _hidden(value)
        for name, value in given.items()
    }
    text = (
        json.dumps(line, ensure_ascii=False, default=str)
        .encode(errors="backslashreplace")
        .decode()
    )
    with _WRITING:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _hidden(value: object, worker: object = None) -> object:
    """A text without addresses. The worker whom the line is about stays readable."""
    if not isinstance(value, str) or _NO_ADDRESS.fullmatch(value):
        return value

    def shown(found: re.Match[str]) -> str:
        is_readable = found[0] == worker or _NO_ADDRESS.fullmatch(found[0])
        return found[0] if is_readable else masked(found[0])

    return _EMAIL.sub(
        shown, _EMAIL_OR_NUMBER.sub(shown, value)
    )  # twice: a number may have stood right before one
