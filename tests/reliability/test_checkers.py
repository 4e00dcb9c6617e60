"""The checkers themselves: each kind of breach is seen, and a sound state is left alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proof import invariants, replay
from proof.invariants import World
from proof.journal import Written
from proof.replay import Replay, Tolerance

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ANN = {"status": "Available", "pools": ["default"], "active": 1, "full": False}
CUSTOMER = {"identity": None, "messaging_binding": {"address": "+15550000001"}}


def person(identity: str) -> dict[str, Any]:
    return {"identity": identity, "messaging_binding": None}


def at_twilio(state: str, *identities: str) -> dict[str, Any]:
    return {
        "sid": "CH1",
        "state": state,
        "participants": [CUSTOMER, *map(person, identities)],
    }


SOUND = World(
    conversations={
        "CH1": {"state": "assigned", "worker": "ann", "mode": "pool", "pool": "default"}
    },
    pending={},
    workers={"ann": ANN},
    pools={},
    twilio={"CH1": at_twilio("active", "ann")},
    given={"CH1": frozenset({"ann"})},
    now=NOW,
)
QUEUED = replace(
    SOUND,
    conversations={
        "CH1": {"state": "queued", "worker": None, "mode": "pool", "pool": "default"}
    },
    pending={"CH1": {"pool": "default"}},
    workers={"ann": ANN | {"active": 0, "status": "Unavailable"}},
    twilio={"CH1": at_twilio("active")},
)
FREE = {"ann": ANN | {"active": 0}}
ASKED = NOW - timedelta(seconds=120)
AWAITED = dict(SOUND.conversations["CH1"]) | {
    "awaiting_since": ASKED,
    "assigned_at": ASKED,
    "address": "+15550000001",
}
PATIENT = {"default": {"answer_within": 60}}


def said(*authors: str) -> dict[str, Any]:
    return at_twilio("active", "ann") | {
        "messages": [{"author": author} for author in authors]
    }


WAITS = dict(QUEUED.conversations["CH1"])
FOR_ANN, FOR_BEN = ({"pool": None, "for_worker": name} for name in ("ann", "ben"))
NOWHERE, OF_SALES = (
    {"ann": FREE["ann"] | {"pools": pools}} for pools in ([], ["sales"])
)


def told(*tokens: str) -> dict[str, Any]:
    """With the service's own texts in it."""
    texts = [
        {"author": "system", "attributes": json.dumps({"service_text": token})}
        for token in tokens
    ]
    return at_twilio("active", "ann") | {"messages": texts}


def written(*messages: tuple[str, str]) -> dict[str, Any]:
    return at_twilio("active") | {
        "messages": [{"author": who, "body": text} for who, text in messages]
    }


STOPPED = ("+15550000001", "STOP")
LEFT_OUT = replace(
    SOUND,
    conversations={"CH1": {"state": "unrouted", "mode": "none", "left_out": True}},
    workers=FREE,
    twilio={"CH1": written(STOPPED)},
)
TEXT = {
    "author": "system",
    "body": "Hi",
    "attributes": json.dumps({"service_text": "queued 1 x"}),
}


def test_a_conversation_with_only_an_opt_out_is_sound_only_if_unrouted() -> None:
    assert invariants.broken(LEFT_OUT) == []
    asked = replace(
        LEFT_OUT, twilio={"CH1": written(STOPPED, ("+15550000001", "Hello"))}
    )
    waiting = replace(QUEUED, twilio={"CH1": written(STOPPED)})
    for world in (asked, waiting):
        assert [breach.kind for breach in invariants.lost(world)] == ["lost"]


def test_a_text_after_an_opt_out_is_a_breach_until_start() -> None:
    after_stop = written(STOPPED)
    after_stop["messages"] += [TEXT]
    assert [
        breach.kind
        for breach in invariants.unwanted(replace(SOUND, twilio={"CH1": after_stop}))
    ] == ["unwanted"]
    lifted = written(STOPPED, ("+15550000001", "start"))
    lifted["messages"] += [TEXT]
    assert list(invariants.unwanted(replace(SOUND, twilio={"CH1": lifted}))) == []


EXCLUDED = {
    "pool": "default",
    "excluded_workers": ["ann"],
    "excluded_until": NOW + timedelta(minutes=1),
}


@pytest.mark.parametrize(
    "world",
    [
        SOUND,
        QUEUED,
        replace(QUEUED, workers=FREE, pending={"CH1": EXCLUDED}),
        replace(QUEUED, workers={"ann": FREE["ann"] | {"pools": ["sales"]}}),
        replace(
            QUEUED,
            conversations={"CH1": WAITS | {"for_worker": "ben"}},
            pending={"CH1": FOR_BEN},
            workers=FREE,
        ),
        replace(
            QUEUED,
            pending={"CH1": {"pool": "default", "due_at": NOW - timedelta(seconds=59)}},
        ),
        replace(QUEUED, workers={"ann": FREE["ann"] | {"capacity": 0, "full": True}}),
        replace(SOUND, twilio={"CH1": at_twilio("active", "ann", "by hand")}),
        replace(
            SOUND,
            conversations={"CH1": AWAITED},
            twilio={"CH1": said("+15550000001", "system")},
        ),
        replace(SOUND, twilio={"CH1": said("+15550000001", "ann")}, pools=PATIENT),
        replace(
            SOUND, conversations={"CH1": AWAITED | {"assigned_at": NOW}}, pools=PATIENT
        ),
    ],
)
def test_a_sound_state_is_left_alone(world: World) -> None:
    assert invariants.broken(world) == []


@pytest.mark.parametrize(
    ("kind", "world"),
    [
        ("lost", replace(SOUND, conversations={}, workers=FREE)),
        ("lost", replace(SOUND, twilio={"CH1": at_twilio("active")})),
        ("lost", replace(SOUND, twilio={"CH1": at_twilio("closed", "ann")})),
        ("lost", replace(SOUND, twilio={"CH1": at_twilio("inactive", "ann")})),
        ("lost", replace(SOUND, twilio={})),
        ("lost", replace(SOUND, conversations={"CH1": {"state": "assigning", "worker": "ann"}})),
        ("lost", replace(SOUND, conversations={"CH1": {"state": "closed", "worker": "ann"}}, workers=FREE)),
        ("doubled", replace(SOUND, twilio={"CH1": at_twilio("active", "ann", "ben")},
                            given={"CH1": frozenset({"ann", "ben"})})),
        ("torn", replace(QUEUED, pending={})),
        ("torn", replace(SOUND, pending={"CH1": {"pool": "sales"}})),
        ("torn", replace(QUEUED, pending={"CH1": {"pool": "sales"}})),
        ("torn", replace(QUEUED, pending={"CH1": {"pool": None, "for_worker": "ben"}})),
        ("stuck", replace(QUEUED, conversations={"CH1": WAITS | {"for_worker": "ann"}},
                          pending={"CH1": FOR_ANN}, workers=NOWHERE)),
        ("stuck", replace(QUEUED, pending={"CH1": {"pool": "default", "open_to": ["sales"]}}, workers=OF_SALES)),
        ("overdue", replace(QUEUED, pending={"CH1": {"pool": "default", "due_at": NOW - timedelta(minutes=1)}})),
        ("miscounted", replace(SOUND, workers={"ann": ANN | {"active": 2}})),
        ("miscounted", replace(SOUND, workers={})),
        ("miscounted", replace(SOUND, workers={"ann": ANN | {"capacity": 1}})),
        ("stuck", replace(QUEUED, workers=FREE)),
        ("unconfirmed", replace(SOUND, workers={"ann": ANN | {"made_by": "service", "confirmed": False}})),
        ("unconfirmed", replace(SOUND, workers={"ann": ANN | {"key": "ann"}})),
        ("unconfirmed", replace(QUEUED, conversations={"CH1": WAITS | {"others": ["visitor-1"]}})),
        ("misheard", replace(SOUND, conversations={"CH1": AWAITED}, twilio={"CH1": said("+15550000001", "ann")})),
        ("misheard", replace(SOUND, twilio={"CH1": said("ann", "+15550000001")})),
        ("repeated", replace(SOUND, twilio={"CH1": told("queued T1 a", "assigned T1 b", "queued T1 a")})),
        ("repeated", replace(SOUND, twilio={"CH1": told("queued T1 a", "queued T2 b", "queued T2 c")})),
        ("forgotten", replace(SOUND, conversations={"CH1": AWAITED}, pools=PATIENT)),
        ("stuck", replace(QUEUED, workers=FREE, pending={"CH1": EXCLUDED | {"excluded_until": NOW}})),
    ],
)  # fmt: skip
def test_each_kind_of_breach_is_seen(kind: str, world: World) -> None:
    assert [breach.kind for breach in invariants.broken(world)] == [kind]


def wrote(
    at: int, path: str, before: dict[str, Any] | None, after: dict[str, Any]
) -> Written:
    collection, _, name = path.partition("/")
    return Written(at * 10**9, collection, name, before, after)


def waiting(minute: int) -> dict[str, Any]:
    return {"state": "queued", "worker": None, "mode": "pool", "pool": "default", "priority": 0,
            "queued_at": NOW + timedelta(minutes=minute)}  # fmt: skip


def claim(
    at: int, sid: str, before: dict[str, Any], worker: dict[str, Any]
) -> list[Written]:
    taken = before | {"state": "assigning", "worker": "ann"}
    return [
        wrote(at, f"conversations/{sid}", before, taken),
        wrote(at, "workers/ann", None, worker),
    ]


def moved(at: int, sid: str, fields: dict[str, Any]) -> list[Written]:
    entry = {"pool": "default", "priority": 0} | fields
    return [wrote(at, f"pending_conversations/{sid}", None, entry)]


def handed_over(at: int, heir: dict[str, Any]) -> list[Written]:
    """To somebody who is full; those who wait have nothing to do with it."""
    before = {"state": "assigned", "worker": "ben", "mode": "pool", "pool": "default"}
    return claim(at, "CH3", before, heir)


OPEN = {"pool": "sales", "open_to": ["default"]}
START = [
    [wrote(1, "conversations/CH1", None, waiting(1))],
    [wrote(2, "conversations/CH2", None, waiting(2))],
]


@pytest.mark.parametrize(
    ("kinds", "commits"),
    [
        ([], [*START, claim(9, "CH1", waiting(1), ANN)]),
        (["out of turn"], [*START, claim(9, "CH2", waiting(2), ANN)]),
        ([], [*START, moved(3, "CH2", {"priority": 1}), claim(9, "CH2", waiting(2), ANN)]),
        (["out of turn"], [*START, moved(3, "CH2", {"priority": 1}), claim(9, "CH1", waiting(1), ANN)]),
        ([], [*START, moved(3, "CH1", {"pool": "sales"}), claim(9, "CH2", waiting(2), ANN)]),
        ([], [[wrote(1, "conversations/CH1", None, waiting(1) | {"for_worker": "ben"})], START[1],
              claim(9, "CH2", waiting(2), ANN)]),
        (["out of turn"], [[wrote(1, "conversations/CH1", None, waiting(1) | OPEN)], START[1],
                           claim(9, "CH2", waiting(2), ANN)]),
        ([], [*START, handed_over(9, ANN | {"capacity": 0})]),
        (["unavailable"], [*START, claim(9, "CH1", waiting(1), ANN | {"status": "available"})]),
        (["over capacity"], [*START, claim(9, "CH1", waiting(1), ANN | {"capacity": 0})]),
        (["miscounted"], [*START, claim(9, "CH1", waiting(1), ANN | {"active": 2})]),
        ([], [claim(9, "CH3", {"state": "unrouted", "mode": "custom"}, ANN | {"capacity": 0})]),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_step_is_seen(
    kinds: list[str], commits: list[list[Written]]
) -> None:
    assert [breach.kind for breach in replay.broken(commits)] == kinds


@pytest.mark.parametrize("twilio", [{}, {"CH1": at_twilio("closed", "ann")}])
def test_who_is_gone_at_twilio_is_lost_to_the_log_but_not_forgotten(
    twilio: dict[str, Any],
) -> None:
    gone = replace(SOUND, conversations={"CH1": AWAITED}, pools=PATIENT, twilio=twilio)
    assert [breach.kind for breach in invariants.broken(gone)] == ["lost"]


def test_one_that_is_moved_back_while_it_is_being_claimed_goes_by_its_place_before() -> (
    None
):
    """CH2 was first until a moment ago; who claims it now had looked before. By its new place it is CH1's turn."""
    first = waiting(2) | {"priority": 1}
    commits = [
        *START,
        moved(3, "CH2", {"priority": 1}),
        moved(8, "CH2", {"priority": 0}),
    ]
    seen_before = [*commits, claim(9, "CH2", first, ANN)]
    assert Replay(Tolerance(places=1, seconds=1)).all(seen_before) == []
    assert [
        one.kind for one in Replay(Tolerance(places=1, seconds=0.9)).all(seen_before)
    ] == ["out of turn"]
    seen_now = [*commits, claim(9, "CH2", waiting(2), ANN)]
    assert [
        one.kind for one in Replay(Tolerance(places=1, seconds=1)).all(seen_now)
    ] == ["out of turn"]


def test_an_edit_of_the_queue_is_as_new_to_who_pulls_as_an_arrival() -> None:
    """CH2 has waited for 7 s, but goes before CH1 only since it was edited."""
    edited = [
        *START,
        moved(8, "CH2", {"priority": 1}),
        claim(9, "CH1", waiting(1), ANN),
    ]
    assert Replay(Tolerance(places=1, seconds=1)).all(edited) == []
    assert len(Replay(Tolerance(places=1, seconds=0.9)).all(edited)) == 1


def test_what_a_person_writes_into_a_record_is_counted_afterwards_and_else_nothing_is() -> (
    None
):
    theirs = {"state": "assigned", "worker": "ann", "mode": "pool", "pool": "default"}
    edited = [
        [
            wrote(1, "conversations/CH1", None, theirs),
            wrote(1, "workers/ann", None, ANN),
        ],
        [wrote(2, "conversations/CH1", theirs, theirs | {"worker": "ben"})],
        [wrote(3, "workers/ann", ANN, ANN | {"full": True})],
    ]
    assert Replay(by_hand={"CH1"}).all(edited) == []
    assert [one.kind for one in Replay().all(edited)] == ["miscounted"]
    counted = [*edited, [wrote(4, "workers/ann", ANN, ANN | {"active": 0})]]
    again = [*counted, [wrote(5, "workers/ann", ANN, ANN)]]
    assert Replay(by_hand={"CH1"}).all(counted) == []
    assert [one.kind for one in Replay(by_hand={"CH1"}).all(again)] == ["miscounted"]


def test_a_tolerance_is_for_one_place_and_for_who_has_just_come() -> None:
    late = [
        *START,
        claim(9, "CH2", waiting(2), ANN),
    ]  # CH1 has been in the queue for 8 s
    assert Replay(Tolerance(places=1, seconds=8)).all(late) == []
    assert len(Replay(Tolerance(places=1, seconds=7.9)).all(late)) == 1
    assert len(Replay(Tolerance(places=0, seconds=8)).all(late)) == 1


def test_a_claim_goes_before_any_number_of_newcomers_but_none_is_passed_again() -> None:
    third = [*START, [wrote(3, "conversations/CH3", None, waiting(3))]]
    before_two = [*third, claim(9, "CH3", waiting(3), ANN)]
    assert Replay(Tolerance(1, 60)).all(before_two) == []
    assert [breach.kind for breach in Replay(Tolerance(1, 5)).all(before_two)] == [
        "out of turn"
    ]
    passed_twice = [
        *third,
        claim(8, "CH2", waiting(2), ANN),
        claim(9, "CH3", waiting(3), ANN | {"active": 2}),
    ]
    assert [breach.kind for breach in Replay(Tolerance(1, 60)).all(passed_twice)] == [
        "out of turn"
    ]
    assert Replay(Tolerance(2, 60)).all(passed_twice) == []
