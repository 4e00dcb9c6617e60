"""The Firestore client, the few calls through which everything goes (read, find, count, commit), and a collection."""

from __future__ import annotations

import contextvars
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, overload

from domain.field_names import Named
from providers import clock, configuration, log

if TYPE_CHECKING:
    from google.cloud.firestore import (
        Client,
        DocumentReference,
        DocumentSnapshot,
        Query,
        WriteBatch,
    )

    Snapshot: TypeAlias = DocumentSnapshot[DocumentReference]

Conditions: TypeAlias = Iterable[tuple[str, str, Any]]  # field, operator, value
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
_MAKING = threading.Lock()
MOST_ALTERNATIVES = 30  # Firestore's limit for array_contains_any
_MOST_VALUES = 120
_PATIENCE = (
    4.0  # seconds for one call; Firestore answers in milliseconds or is in trouble
)


class LostRace(Exception):
    """Somebody else changed a document between our read and our commit: read again and decide again."""


class Unwritable(Exception):
    """Firestore does not take what we want to write: as a rule a record that is as large as a record may be."""


class AlreadyThere(LostRace):
    """The document that we wanted to create exists."""


def client() -> Client:
    """The client of the project in the environment; opens no connection before the first call."""
    with _MAKING:
        return _client(configuration.firestore())


@cache
def _client(where: configuration.Firestore) -> Client:
    # Everywhere from the package, never from a module in it: two first requests that enter it at different
    # places while it is imported make each other fail.
    from google.cloud import firestore

    return firestore.Client(project=where.project, database=where.database)


@cache
def _side_by_side() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=32, thread_name_prefix="firestore")


def read(*references: DocumentReference) -> list[Snapshot]:
    """Documents in one round trip, in the order asked for; the same one twice is read once."""
    wanted = list(dict.fromkeys(references))
    found = _unless_unavailable(
        lambda **bounds: list(client().get_all(wanted, **bounds))
    )
    by_path = {snapshot.reference.path: snapshot for snapshot in found}
    return [by_path[reference.path] for reference in references]


def find(query: Query) -> list[Snapshot]:
    return _unless_unavailable(lambda **bounds: list(query.stream(**bounds)))


def count(query: Query, up_to: int) -> int:
    """How many documents match, counted by Firestore up to a bound, so that the cost has one too."""
    counting: Any = query.limit(up_to).count()  # the library's own types are wrong here
    return _unless_unavailable(lambda **bounds: int(counting.get(**bounds)[0][0].value))


def _unless_unavailable(call: Callable[..., T]) -> T:
    """Makes a call, from its beginning again while Firestore is unavailable and the caller waits.

    The call is handed its timeout, and a retry that never retries. Left to itself get_all tries for 5 minutes, and a
    commit for one (googleapis/python-api-core#654), past every deadline; a query of google-cloud-firestore 2.34 looks
    for a default one that is not there when it fails, and raises AttributeError instead of what went wrong.
    """
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    unavailable, patience = (
        if_exception_type(ServiceUnavailable),
        clock.remaining(_PATIENCE),
    )
    again = Retry(predicate=unavailable, initial=0.05, maximum=0.5, timeout=patience)
    never = Retry(predicate=if_exception_type())
    return again(lambda: call(retry=never, timeout=clock.remaining(_PATIENCE)))()


def commit(batch: WriteBatch) -> list[Any]:
    """All writes of the batch or none; returns each document's new version.

    Raises LostRace when a precondition does not hold. A commit whose answer was lost is sent again and then fails
    its own precondition, so after a LostRace the caller must look whether it was its own.
    """
    from google.api_core import exceptions

    try:
        return [written.update_time for written in _unless_unavailable(batch.commit)]
    except exceptions.AlreadyExists as there:
        raise AlreadyThere(str(there)) from there
    except exceptions.InvalidArgument as error:
        raise Unwritable(str(error)) from error
    except (
        exceptions.FailedPrecondition,
        exceptions.NotFound,
        exceptions.Aborted,
    ) as lost:
        raise LostRace(str(lost)) from lost


def trouble(error: Exception) -> str | None:
    """What kept Firestore from answering, in words that go on a function's name; None: this is no error of its.

    A missing index is told with Google's own words, for the address in them makes it; nothing of a record is in them.
    """
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, exceptions.FailedPrecondition):
        return f"was refused by Firestore: {str(error.message).splitlines()[0][:1000]}"
    if isinstance(error, exceptions.PermissionDenied):
        where = configuration.firestore().database
        return f"may not use the database {where}: its service account lacks roles/datastore.user there."
    if isinstance(error, exceptions.GoogleAPIError | GoogleAuthError):
        return f"could not reach Firestore: {type(error).__name__}."
    return None


def renaming(named: Named) -> dict[str, Any]:
    """The changes of a record whose fields were typed under other names: each value under its own name."""
    from google.cloud.firestore import DELETE_FIELD

    path = client().field_path
    removed: dict[str, Any] = {path(typed): DELETE_FIELD for typed in named.renamed}
    return removed | {name: named.data[name] for name in named.renamed.values()}


def until_it_holds(step: Callable[[], T]) -> T:
    """Runs a step that reads, decides and commits; from its reading on again when it lost a race.

    Raises LostRace only when the caller's time is over.
    """
    while True:
        try:
            return step()
        except LostRace:
            if clock.is_time_over():
                raise
            time.sleep(random.uniform(0.0, 0.02))  # noqa: S311 - jitter, not a secret


def put(
    batch: WriteBatch,
    reference: DocumentReference,
    fields: dict[str, Any],
    version: object,
) -> None:
    """Adds a compare-and-set: written only if the document is still at this version, or, for None, is not there."""
    if version is None:
        batch.create(reference, fields)
    else:
        batch.update(
            reference, fields, option=client().write_option(last_update_time=version)
        )


def write(
    reference: DocumentReference, fields: dict[str, Any], version: object
) -> object:
    """One compare-and-set by itself; returns the new version. Raises LostRace, and then nothing is written."""
    batch = client().batch()
    put(batch, reference, fields, version)
    (written,) = commit(batch)
    return written


@overload
def together(first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def together(
    first: Callable[[], A], second: Callable[[], B], third: Callable[[], C], /
) -> tuple[A, B, C]: ...
def together(first: Callable[[], Any], *others: Callable[[], Any]) -> tuple[Any, ...]:
    """Independent reads side by side; the first runs on this thread, an error of any is raised."""
    running = [
        _side_by_side().submit(contextvars.copy_context().run, call) for call in others
    ]
    return (first(), *(future.result() for future in running))


def filtered(
    collection: str,
    conditions: Conditions,
    any_of: Conditions = (),
    order: Sequence[str] = (),
) -> Query:
    """A query with these (field, operator, value) conditions, and with one of `any_of`, if any are given; in this order
    (a minus sign: descending)."""
    from google.cloud.firestore import FieldFilter, Or

    query: Any = client().collection(collection)
    for field, operator, value in conditions:
        query = query.where(filter=FieldFilter(field, operator, value))
    either: list[Any] = [FieldFilter(*condition) for condition in any_of]
    if either:
        query = query.where(filter=Or(either) if either[1:] else either[0])
    for field in order:
        direction = "DESCENDING" if field[0] == "-" else "ASCENDING"
        query = query.order_by(field.removeprefix("-"), direction=direction)
    found: Query = query
    return found


class Readable(Protocol):
    @property
    def problem(self) -> str | None: ...


R = TypeVar("R", bound=Readable)


class Collection(Generic[R]):
    """One collection, read through its one typed reader: parse(name, data or None, version or None)."""

    def __init__(
        self, name: str, parse: Callable[[str, dict[str, Any] | None, object], R]
    ) -> None:
        self.name = name
        self._parse = parse

    def reference(self, name: str) -> DocumentReference:
        reference: DocumentReference = client().collection(self.name).document(name)
        return reference

    def of(self, snapshot: Snapshot) -> R:
        version = snapshot.update_time if snapshot.exists else None
        return self._parse(snapshot.id, snapshot.to_dict(), version)

    def load(self, name: str) -> R:
        return self.of(read(self.reference(name))[0])

    def load_all(self, names: Iterable[str]) -> list[R]:
        """These in one round trip, also those without a record."""
        wanted = list(map(self.reference, names))
        return list(map(self.of, read(*wanted))) if wanted else []

    def find(
        self,
        conditions: Conditions,
        order: Sequence[str],
        limit: int,
        any_of: Conditions = (),
    ) -> list[R]:
        """Matching records, each once, as `filtered` has them; the first `limit` of them."""
        return list(
            map(
                self.of,
                find(filtered(self.name, conditions, any_of, order).limit(limit)),
            )
        )

    def having_any(self, field: str, values: Sequence[str], limit: int) -> dict[str, R]:
        """Records whose list in this field has one of these values, by name, with no other field: for 120 values at
        most, and `limit` records for each 30 of them."""
        found: dict[str, R] = {}
        for first in range(0, len(values[:_MOST_VALUES]), MOST_ALTERNATIVES):
            few = values[first : first + MOST_ALTERNATIVES]
            query = filtered(self.name, [(field, "array_contains_any", few)]).select(
                [field]
            )
            found |= {record.id: self.of(record) for record in find(query.limit(limit))}
        return found

    def after(
        self,
        name: str | None,
        limit: int,
        conditions: Conditions = (),
        any_of: Conditions = (),
    ) -> list[R]:
        """Matching records in the order of their names, from behind that one, for going through all in turns."""
        behind = [("__name__", ">", self.reference(name))] if name else []
        return self.find([*conditions, *behind], ("__name__",), limit, any_of)

    def checked(self, snapshot: Snapshot) -> R:
        """The record; what makes no sense in it is told there, in `problem`, until it is mended."""
        value = self.of(snapshot)
        data = snapshot.to_dict()
        if data is not None and data.get("problem") != value.problem:
            _tell(snapshot, value.problem)
        return value


def _tell(snapshot: Snapshot, problem: str | None) -> None:
    from google.cloud.firestore import DELETE_FIELD

    try:
        write(
            snapshot.reference,
            {"problem": problem or DELETE_FIELD},
            snapshot.update_time,
        )
    except LostRace:
        return  # somebody is editing the record; the next reader looks again
    except Unwritable:
        problem = f"it is too large to be written to. {problem}"
    if problem:
        log.warning(f"The record {snapshot.reference.path} is not right: {problem}")
