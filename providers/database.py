"""The Firestore client, the few calls that everything uses (read, find, count, commit), and a collection."""

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
_PATIENCE = 4.0  # seconds for one call; a healthy Firestore answers in milliseconds


class LostRace(Exception):
    """A document was changed between our read and our commit: read again and decide again."""


class Unwritable(Exception):
    """Firestore refuses a write, usually because the record has reached the largest size."""


class AlreadyThere(LostRace):
    """The document that we wanted to create exists."""


def client() -> Client:
    """Return the client of the project in the environment; it opens no connection before the first call."""
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
    """Return documents in one round trip, in the order of the references; a repeated one is read once."""
    unique = list(dict.fromkeys(references))
    snapshots = _unless_unavailable(
        lambda **bounds: list(client().get_all(unique, **bounds))
    )
    by_path = {snapshot.reference.path: snapshot for snapshot in snapshots}
    return [by_path[reference.path] for reference in references]


def find(query: Query) -> list[Snapshot]:
    """Return all documents that match the query."""
    return _unless_unavailable(lambda **bounds: list(query.stream(**bounds)))


def count(query: Query, up_to: int) -> int:
    """Return how many documents match; Firestore counts up to a bound, which limits the cost."""
    counting: Any = query.limit(up_to).count()  # the library's own types are wrong here
    return _unless_unavailable(lambda **bounds: int(counting.get(**bounds)[0][0].value))


def _unless_unavailable(call: Callable[..., T]) -> T:
    """Make a call, and repeat it from its beginning while Firestore is unavailable and the caller waits.

    The call gets its timeout, and a retry policy that never retries. Left to itself get_all tries for 5 minutes, and a
    commit for one (googleapis/python-api-core#654), past every deadline; a query of google-cloud-firestore 2.34 looks
    for a default one that is not there when it fails, and raises AttributeError instead of what went wrong.
    """
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    again = Retry(
        predicate=if_exception_type(ServiceUnavailable),
        initial=0.05,
        maximum=0.5,
        timeout=clock.remaining(_PATIENCE),
    )
    never = Retry(predicate=if_exception_type())
    return again(lambda: call(retry=never, timeout=clock.remaining(_PATIENCE)))()


def commit(batch: WriteBatch) -> list[Any]:
    """Write all of the batch or nothing; return each document's new version.

    Raises LostRace when a precondition does not hold. If the answer to a commit is lost, the commit is sent again and
    then fails its own precondition: after a LostRace the caller must check whether its own write was done.
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
    """Describe a Firestore failure, phrased to follow a function's name; None if the error is not Firestore's.

    A missing index is reported in Google's own words, which hold the address that creates it and no record's data.
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
    """Return the changes that move each value of a record from its typed field name to the right one."""
    from google.cloud.firestore import DELETE_FIELD

    path = client().field_path
    removed: dict[str, Any] = {path(typed): DELETE_FIELD for typed in named.renamed}
    return removed | {name: named.data[name] for name in named.renamed.values()}


def until_it_holds(step: Callable[[], T]) -> T:
    """Run a step that reads, decides and commits; repeat it, with its read, when it lost a race.

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
    """Add a compare-and-set to the batch: it fails unless the document is at this version (None: does not exist)."""
    if version is None:
        batch.create(reference, fields)
    else:
        batch.update(
            reference, fields, option=client().write_option(last_update_time=version)
        )


def write(
    reference: DocumentReference, fields: dict[str, Any], version: object
) -> object:
    """Commit one compare-and-set; return the new version. Raises LostRace, and then nothing is written."""
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
    """Run independent reads in parallel, the first on this thread; raise the error of any."""
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
    """Return a query with all of the `conditions` and at least one of `any_of`, if there are any.

    A condition is (field, operator, value). `order`: field names; a minus sign means descending.
    """
    from google.cloud.firestore import FieldFilter, Or

    query: Any = client().collection(collection)
    for field, operator, value in conditions:
        query = query.where(filter=FieldFilter(field, operator, value))
    alternatives: list[Any] = [FieldFilter(*condition) for condition in any_of]
    if len(alternatives) == 1:
        query = query.where(filter=alternatives[0])
    elif alternatives:
        query = query.where(filter=Or(alternatives))
    for field in order:
        direction = "DESCENDING" if field[0] == "-" else "ASCENDING"
        query = query.order_by(field.removeprefix("-"), direction=direction)
    ready: Query = query
    return ready


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
        """Return the reference of the document of this name."""
        reference: DocumentReference = client().collection(self.name).document(name)
        return reference

    def of(self, snapshot: Snapshot) -> R:
        """Return the record in this snapshot, with its version if it exists."""
        version = snapshot.update_time if snapshot.exists else None
        return self._parse(snapshot.id, snapshot.to_dict(), version)

    def load(self, name: str) -> R:
        """Read one record; one that does not exist has no version."""
        return self.of(read(self.reference(name))[0])

    def load_all(self, names: Iterable[str]) -> list[R]:
        """Return these in one round trip, including those without a record."""
        references = list(map(self.reference, names))
        return list(map(self.of, read(*references))) if references else []

    def find(
        self,
        conditions: Conditions,
        order: Sequence[str],
        limit: int,
        any_of: Conditions = (),
    ) -> list[R]:
        """Return the first `limit` records that match, each once; the arguments are those of `filtered`."""
        query = filtered(self.name, conditions, any_of, order)
        return list(map(self.of, find(query.limit(limit))))

    def having_any(self, field: str, values: Sequence[str], limit: int) -> dict[str, R]:
        """Return the records that have one of these values in this list field, by name, with no other field.

        For 120 values at most, and `limit` records for each 30 of them.
        """
        matches: dict[str, R] = {}
        for first in range(0, len(values[:_MOST_VALUES]), MOST_ALTERNATIVES):
            few = values[first : first + MOST_ALTERNATIVES]
            query = filtered(self.name, [(field, "array_contains_any", few)])
            for record in find(query.select([field]).limit(limit)):
                matches[record.id] = self.of(record)
        return matches

    def after(
        self,
        name: str | None,
        limit: int,
        conditions: Conditions = (),
        any_of: Conditions = (),
    ) -> list[R]:
        """Return matching records in the order of their names, after this one: one page of all."""
        rest = [("__name__", ">", self.reference(name))] if name else []
        return self.find([*conditions, *rest], ("__name__",), limit, any_of)

    def checked(self, snapshot: Snapshot) -> R:
        """Return the record; invalid entries are reported in its field `problem` until they are corrected."""
        value = self.of(snapshot)
        data = snapshot.to_dict()
        if data is not None and data.get("problem") != value.problem:
            _report(snapshot, value.problem)
        return value


def _report(snapshot: Snapshot, problem: str | None) -> None:
    """Write `problem` into the record, or remove it for None, and log a problem."""
    from google.cloud.firestore import DELETE_FIELD

    try:
        write(
            snapshot.reference,
            {"problem": problem or DELETE_FIELD},
            snapshot.update_time,
        )
    except LostRace:
        return  # the record was edited meanwhile; the next reader checks it again
    except Unwritable:
        problem = f"it is too large to be written to. {problem}"
    if problem:
        log.warning(f"The record {snapshot.reference.path} is not right: {problem}")
