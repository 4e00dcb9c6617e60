"""One JSON object per line for Cloud Logging, without personal data.

No token, no message text, no full address; docs/operations.md has the whole list. This module masks phone numbers and
e-mail addresses in the message and in all fields but `worker`: a record's id may be its customer's number.
Special keys: https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from contextvars import ContextVar

_TRACE: ContextVar[str | None] = ContextVar("log_trace", default=None)
_WRITING = threading.Lock()
# An address begins where a word does: tried at every letter of a long word, this would take the square of its length.
_EMAIL = re.compile(
    r"(?<![^\s@,;:()<>\"'])[^\s@,;:()<>\"']+@[^\s@,;:()<>\"']*[^\s@,;:()<>\"'.]"
)
_ID = r"[A-Z]{2}[0-9a-fA-F]{32}|c-[0-9a-f]{20}"  # Twilio's SIDs and our ids, which may look like numbers
_NO_ADDRESS = re.compile(_ID)
_EMAIL_OR_NUMBER = re.compile(
    rf"\b(?:{_ID})\b|" + _EMAIL.pattern + r"|\+?\d[\d\s().-]{5,}\d"
)
_READABLE = {"worker", "function", "stack_trace", "@type"}
_REPORTED = (
    "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
)


def trace_from(header: str | None, project: str | None) -> None:
    """Group the lines of this request; `header` is X-Cloud-Trace-Context."""
    trace = (header or "").partition("/")[0]
    is_usable = project and re.fullmatch(r"[0-9a-fA-F]{32}", trace)
    _TRACE.set(f"projects/{project}/traces/{trace}" if is_usable else None)


def info(message: str, **fields: object) -> None:
    """Log an ordinary event."""
    _write("INFO", message, fields)


def fact(fields: Mapping[str, object]) -> None:
    """Log a fact for reports, as docs/facts.md describes it: its values are hashed already and stay as they are."""
    _write("INFO", f"fact: {fields.get('kind')}", {"fact": dict(fields)})


def warning(message: str, **fields: object) -> None:
    """Log an event that an administrator may want to look into."""
    _write("WARNING", message, fields)


def error(message: str, **fields: object) -> None:
    """Log an error, which Error Reporting groups by its message."""
    _write("ERROR", message, {"@type": _REPORTED, **fields})


def crash(message: str, **fields: object) -> None:
    """Log an unexpected error with its traceback, by which Error Reporting groups.

    The traceback's message line is left out: a library may have put a value into it.
    """
    kind, _, trace = sys.exc_info()
    frames = "".join(traceback.format_tb(trace))
    name = kind.__name__ if kind else "Exception"
    stack_trace = f"Traceback (most recent call last):\n{frames}{name}"
    _write("ERROR", message, {"stack_trace": stack_trace, **fields})


def masked(address: str | None) -> str:
    """Hide all of an address but its end: enough to recognise it, too little to write to it."""
    if not address:
        return ""
    channel, colon, rest = address.rpartition(":")
    name, at, domain = rest.rpartition("@")
    if at:
        return f"{channel}{colon}{name[:1]}…{at}{domain}"
    return f"{channel}{colon}…{rest[-2:]}"


def _write(severity: str, message: str, fields: dict[str, object]) -> None:
    """Write one line, masked; a field that is None is left out."""
    line: dict[str, object] = {
        "severity": severity,
        "message": _hidden(message, fields.get("worker")),
    }
    if trace := _TRACE.get():
        line["logging.googleapis.com/trace"] = trace
    for name, value in fields.items():
        if value is not None:
            line[name] = value if name in _READABLE else _hidden(value)
    raw = json.dumps(line, ensure_ascii=False, default=str)
    text = raw.encode(errors="backslashreplace").decode()
    with _WRITING:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _hidden(value: object, worker: object = None) -> object:
    """Mask the addresses in a text, except the identity of the line's worker."""
    if not isinstance(value, str) or _NO_ADDRESS.fullmatch(value):
        return value

    def mask(match: re.Match[str]) -> str:
        is_readable = match[0] == worker or _NO_ADDRESS.fullmatch(match[0])
        return match[0] if is_readable else masked(match[0])

    # Twice: a number may have stood directly before an e-mail address.
    return _EMAIL.sub(mask, _EMAIL_OR_NUMBER.sub(mask, value))
