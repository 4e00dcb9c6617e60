"""A Firestore event as production sends it, made without a database."""

from __future__ import annotations

import uuid

from google.events.cloud import firestore

Headers = tuple[tuple[str, str], ...]


def availability(project: str, path: str) -> tuple[Headers, bytes]:
    """The document was made just now, with status Available."""
    name = f"projects/{project}/databases/(default)/documents/{path}"
    data = firestore.DocumentEventData()._pb
    data.value.name = name
    data.value.fields["status"].string_value = "Available"
    headers = {
        "ce-specversion": "1.0",
        "ce-id": str(uuid.uuid4()),
        "ce-type": "google.cloud.firestore.document.v1.written",
        "ce-source": f"//firestore.googleapis.com/projects/{project}/databases/(default)",
        "ce-subject": f"documents/{path}",
        "ce-document": path,
        "ce-time": "2026-11-23T10:00:00Z",
        "content-type": "application/protobuf",
    }
    return tuple(headers.items()), data.SerializeToString()
