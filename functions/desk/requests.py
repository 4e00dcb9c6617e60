"""What the desk's page sends, as typed values."""

from __future__ import annotations

from typing import Any

from functions.http.requests import RequestModel


class Save(RequestModel):
    """The changed fields of a record. `version`: of the record as it was read; None makes a new one. A field that is
    null is removed."""

    version: str | None = None
    fields: dict[str, Any]
