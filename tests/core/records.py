"""Records as a person types them into the console, and as tests read them."""

from __future__ import annotations

from typing import Any

from google.cloud.firestore import Client


def worker(db: Client, identity: str, status: str = "Available", **fields: Any) -> None:
    db.collection("workers").document(identity).set(
        {"status": status, "pools": ["default"], **fields}
    )


def set_status(db: Client, identity: str, status: str) -> None:
    db.collection("workers").document(identity).update({"status": status})


def pool(db: Client, pool_id: str, **fields: Any) -> None:
    db.collection("pools").document(pool_id).set(fields)


def routing(db: Client, **fields: Any) -> None:
    db.collection("settings").document("routing").set(fields)


def customer(db: Client, customer_id: str, **fields: Any) -> None:
    db.collection("customers").document(customer_id).set(fields)


def read(db: Client, collection: str, name: str) -> dict[str, Any]:
    """The record; an empty one where there is none."""
    return db.collection(collection).document(name).get().to_dict() or {}


def conversation(db: Client, sid: str) -> dict[str, Any]:
    return read(db, "conversations", sid)


def active(db: Client, identity: str) -> int:
    return int(read(db, "workers", identity).get("active", 0))


def is_pending(db: Client, sid: str) -> bool:
    return bool(db.collection("pending_conversations").document(sid).get().exists)


def workers_in(standin: Any, sid: str) -> list[str]:
    return [p["identity"] for p in standin.participants(sid) if p.get("identity")]
