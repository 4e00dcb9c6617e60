"""Reads and writes customers by the thousand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import AlreadyExists, FailedPrecondition

from providers import customers

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud.firestore import Client

_PAGE = (
    1000  # records per query, each far shorter than the minute that a query may take
)
_WRITES = 400  # per commit
_BYTES = 4_000_000  # per commit; Firestore takes 10 MiB
_SIDE_BY_SIDE = 4
_PATIENCE = 30.0  # seconds for one call
Records = dict[str, dict[str, Any]]
Chunk = list[tuple[str, Mapping[str, Any]]]


def key(db: Client) -> bytes:
    """What ids are made with; made here if it was not needed before."""
    found = db.document(customers.THE_KEY).get(timeout=_PATIENCE)
    if known := customers.key_of(found.to_dict()):
        return known
    with suppress(
        AlreadyExists, FailedPrecondition
    ):  # the service made one a moment ago
        if found.exists:
            unchanged = db.write_option(last_update_time=found.update_time)
            found.reference.update(
                customers.new_key(), option=unchanged, timeout=_PATIENCE
            )
        else:
            found.reference.create(customers.new_key(), timeout=_PATIENCE)
    return key(db)


def how_many(db: Client) -> int:
    query: Any = db.collection(
        "customers"
    )  # the library's own types are wrong for count
    counted = query.count().get(retry=_retry(), timeout=_PATIENCE)
    return int(counted[0][0].value)


def _retry() -> Retry:
    """One of our own: google-cloud-firestore 2.34 fails with AttributeError where it looks for its default."""
    from google.api_core.retry import Retry

    return Retry(timeout=_PATIENCE)


def read_all(db: Client) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every customer, by id."""
    first: Any = db.collection("customers").order_by("__name__").limit(_PAGE)
    query = first
    while True:
        page = list(query.stream(retry=_retry(), timeout=_PATIENCE))
        for snapshot in page:
            yield snapshot.id, snapshot.to_dict() or {}
        if len(page) < _PAGE:
            return
        query = first.start_after([page[-1].id])


def write_all(
    db: Client, changes: Mapping[str, Mapping[str, Any]], done: Callable[[int], None]
) -> None:
    """Writes the named fields of each record; `done` hears how many are finished. Raises Firestore's errors."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        running = [pool.submit(_commit, db, chunk) for chunk in _chunks(changes)]
        try:
            for finished in as_completed(running):
                done(finished.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _commit(db: Client, chunk: Chunk) -> int:
    batch = db.batch()
    for customer_id, fields in chunk:
        reference = db.collection("customers").document(customer_id)
        batch.set(reference, dict(fields), merge=[_quoted(name) for name in fields])
    batch.commit(timeout=_PATIENCE)
    return len(chunk)


def _quoted(name: str) -> str:
    from google.cloud.firestore_v1.field_path import FieldPath

    return FieldPath(name).to_api_repr()


def _chunks(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[Chunk]:
    chunk: Chunk = []
    size = 0
    for customer_id, fields in changes.items():
        length = len(str(fields).encode())
        if chunk and (len(chunk) == _WRITES or size + length > _BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((customer_id, fields))
        size += length
    if chunk:
        yield chunk
