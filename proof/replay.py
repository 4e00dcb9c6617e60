"""What only the history shows: the journal's commits, replayed in their order and checked one by one.

Written from the contract alone, as proof/invariants.py.
"""

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from proof.contract import HELD, Breach, Record, capacity, held_by, is_confirmed, is_for
from proof.journal import Written


@dataclass(frozen=True)
class Tolerance:
    """How far the order of the queue may be off.

    A conversation may go before older ones that have been in the queue for at most so many `seconds`: they came in
    while the claim was under way, which had read the queue before, so it can be any number of them. None of them may be
    passed more often than `places`. A conversation that was moved back in the queue so lately may go by its old place.
    """

    places: int = 0
    seconds: float = 0.0


IN_TURN = Tolerance()


def broken(commits: list[list[Written]]) -> list[Breach]:
    """Every breach of invariants 4, 5, 7 and 12 at any commit, with the order to the letter."""
    return Replay().all(commits)


class Replay:
    """The state of the database, commit by commit."""

    def __init__(
        self, tolerance: Tolerance = IN_TURN, by_hand: Container[str] = ()
    ) -> None:
        """`by_hand`: conversations in whose records a person has written another worker, or nobody."""
        self.tolerance = tolerance
        self.by_hand = by_hand
        self.documents: dict[str, dict[str, Record]] = {
            name: {}
            for name in ("workers", "conversations", "pools", "pending_conversations")
        }
        self.tolerated: list[
            tuple[int, float]
        ] = []  # claims out of turn within the tolerance: places, seconds
        self._queued_since: dict[
            str, datetime
        ] = {}  # as it waits now: in this pool, with this priority, for these
        self._uncounted: set[str] = (
            set()
        )  # workers whom a person has written into a record, or out of it
        self._passed: Counter[str] = Counter()

    def all(self, commits: list[list[Written]]) -> list[Breach]:
        """Every breach of invariants 4, 5, 7 and 12 at any of these."""
        return [breach for commit in commits for breach in self.step(commit)]

    def step(self, commit: list[Written]) -> list[Breach]:
        claims = [w for w in commit if w.collection == "conversations" and _is_claim(w)]
        taken_over = [
            breach for claim in claims for breach in self._out_of_turn(claim, commit)
        ]
        self._note_edits(commit)
        for written in commit:
            waited_so = self._how_it_waits(written.name)
            self.documents[written.collection][written.name] = written.after
            self._note_queue(written, waited_so)
        too_much = [
            breach for claim in claims for breach in self._too_much(claim, commit)
        ]
        strangers = [
            breach for claim in claims for breach in self._of_a_stranger(claim)
        ]
        return [*taken_over, *too_much, *strangers, *self._miscounted(commit)]

    def _note_queue(
        self, written: Written, waited_so: tuple[object, ...] | None
    ) -> None:
        sid, is_record = written.name, written.collection == "conversations"
        if is_record and written.after["state"] != "queued":
            self._queued_since.pop(sid, None)
            self._passed.pop(sid, None)
        elif (is_record and sid not in self._queued_since) or (
            sid in self._queued_since and self._how_it_waits(sid) != waited_so
        ):
            self._queued_since[sid] = _moment(written.at)

    def _how_it_waits(self, sid: str) -> tuple[object, ...] | None:
        """What decides who may take it, and before whom; None for one that is unknown."""
        if sid not in self.documents["conversations"]:
            return None
        record = self._waiting(sid)
        who_may = (
            record.get("pool"),
            record.get("for_worker"),
            tuple(record.get("open_to") or ()),
        )
        return (*who_may, *_turn(record))

    def _note_edits(self, commit: list[Written]) -> None:
        """A person who writes another worker into a record changes no counts: the service counts afresh, later."""
        counted = {
            written.name for written in commit if written.collection == "workers"
        }
        for written in commit:
            if written.collection == "conversations" and written.name in self.by_hand:
                was, now = _holder(written.before or {}), _holder(written.after)
                self._uncounted |= {
                    name for name in (was, now) if name and was != now
                } - counted

    def _too_much(self, claim: Written, commit: list[Written]) -> Iterator[Breach]:
        """5: whom pool routing chose was exactly Available, and is not past capacity by it."""
        if not _by_pool(claim):
            return
        identity = claim.after["worker"]
        worker = _of(commit, identity)
        if worker is None or worker.get("status") != "Available":
            status = None if worker is None else worker.get("status")
            yield Breach(
                5,
                "unavailable",
                claim.name,
                f"was given to {identity}, whose status is {status!r}",
            )
        elif worker["active"] > capacity(worker, self.documents["pools"]):
            sentence = f"makes {worker['active']} for {identity}"
            yield Breach(5, "over capacity", claim.name, sentence)

    def _of_a_stranger(self, claim: Written) -> Iterator[Breach]:
        """12: whoever is given a conversation is a confirmed worker."""
        identity = claim.after["worker"]
        if not is_confirmed(self.documents["workers"].get(identity)):
            yield Breach(
                12,
                "unconfirmed",
                claim.name,
                f"was given to {identity}, who is no confirmed worker",
            )

    def _out_of_turn(self, claim: Written, commit: list[Written]) -> Iterator[Breach]:
        """7: nobody who had waited longer, with the same priority or a larger one, could have gone to this worker."""
        if not _by_pool(claim):
            return
        identity = claim.after["worker"]
        mine = _turn(
            self._waiting(claim.name)
            if claim.name in self._queued_since
            else claim.before or claim.after
        )
        worker = _of(commit, identity) or {}
        waiting = [sid for sid in self._queued_since if sid != claim.name]
        ahead = [sid for sid in waiting if self._is_ahead(sid, mine, identity, worker)]
        if not ahead:
            return
        at = _moment(claim.at)
        own = (at - self._queued_since.get(claim.name, at)).total_seconds()
        seen = _turn(
            claim.after
        )  # as whoever claims it saw it in the queue, before somebody moved it there
        was_its_turn = seen < mine and not any(
            self._is_ahead(sid, seen, identity, worker) for sid in waiting
        )
        if was_its_turn and own <= self.tolerance.seconds:
            self.tolerated.append((1, own))
            return
        self._passed.update(ahead)
        places = max(self._passed[sid] for sid in ahead)
        since = min(self._queued_since[sid] for sid in ahead)
        waited = (at - since).total_seconds()
        if places <= self.tolerance.places and waited <= self.tolerance.seconds:
            self.tolerated.append((places, waited))
            return
        sentence = f"went to {identity} before {len(ahead)} older, in the queue for up to {waited:.2f} s"
        sentence += f", and passed by so many until now: {max(self._passed[sid] for sid in ahead)}"
        sentence += f"; it had its own place for {own:.2f} s, and was seen with priority {claim.after.get('priority')}"
        yield Breach(7, "out of turn", claim.name, sentence)

    def _is_ahead(
        self, sid: str, mine: tuple[int, datetime], identity: str, worker: Record
    ) -> bool:
        record = self._waiting(sid)
        return _turn(record) < mine and is_for(record, identity, worker, now=None)

    def _waiting(self, sid: str) -> Record:
        """What waits as the queue has it: a person may have moved it there."""
        record, entry = (
            self.documents["conversations"][sid],
            self.documents["pending_conversations"].get(sid, {}),
        )
        return {
            **record,
            **{
                name: entry[name]
                for name in ("pool", "priority")
                if entry.get(name) is not None
            },
        }

    def _miscounted(self, commit: list[Written]) -> Iterator[Breach]:
        """4: at every commit, not only in the end."""
        touched = {
            w.name
            for w in commit
            if w.collection == "workers" and w.after.get("active") is not None
        }
        if not touched:
            return
        held = held_by(self.documents["conversations"].values())
        for identity in touched:
            active = self.documents["workers"][identity]["active"]
            if active == len(held.get(identity, [])):
                self._uncounted.discard(identity)
            elif identity not in self._uncounted:
                sentence = (
                    f"holds {len(held.get(identity, []))}, but active became {active}"
                )
                yield Breach(4, "miscounted", identity, sentence)


def _is_claim(written: Written) -> bool:
    """Whether this commit gave the conversation to a worker who is still to be added."""
    before, after = written.before or {}, written.after
    same = before.get("state") in HELD and before.get("worker") == after.get("worker")
    return after["state"] == "assigning" and not same


def _holder(record: Record) -> str | None:
    return record.get("worker") if record.get("state") in HELD else None


def _by_pool(claim: Written) -> bool:
    """Whether the pool's rules chose the worker: not a customer's own worker, nor one who is in it anyway or whom a
    person has written into its record, nor one to whom another worker handed it over, nor one who had answered while it
    was being taken from them."""
    before = claim.before or {}
    has_answered = claim.after.get("answered_at") != before.get("answered_at")
    if has_answered and before.get("taken_from") == claim.after["worker"]:
        return False
    if before.get("state") in HELD and before.get("worker") != claim.after["worker"]:
        return False
    if (
        before.get("state") in ("inactive", "queued")
        and before.get("worker") == claim.after["worker"]
    ):
        return False
    return before.get("state") == "queued" or claim.after.get("mode") == "pool"


def _turn(record: Record) -> tuple[int, datetime]:
    since = (
        record.get("queued_at")
        or record.get("created_at")
        or datetime.max.replace(tzinfo=UTC)
    )
    return (-int(record.get("priority") or 0), since)


def _of(commit: list[Written], identity: str) -> Record | None:
    return next(
        (w.after for w in commit if w.collection == "workers" and w.name == identity),
        None,
    )


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
