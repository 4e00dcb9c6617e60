"""Several at once choose different workers; one alone chooses the first; nobody is left out by a hint."""

from __future__ import annotations

import threading

import pytest
from google.cloud.firestore import Client

from assignment import rivals
from domain.worker import Worker
from tests.core import forms, records
from tests.service import Service

ANN, BEN, CAL = (Worker(f"{name}@example.com") for name in ("ann", "ben", "cal"))


def test_one_alone_chooses_the_first_again_and_again() -> None:
    for _ in range(3):
        with rivals.choosing("alone") as choice:
            assert (choice.rivals, choice.first([ANN, BEN])) == (0, ANN)


def test_several_at_once_choose_different_ones() -> None:
    with (
        rivals.choosing("sales") as one,
        rivals.choosing("sales") as two,
        rivals.choosing("other") as other,
    ):
        assert (one.rivals, two.rivals, other.rivals) == (0, 1, 0)
        assert one.first([ANN, BEN]) == ANN
        assert two.first([ANN, BEN]) == BEN


def test_whoever_was_claimed_since_the_look_is_passed_over_for_their_record_has_changed() -> (
    None
):
    with rivals.choosing("sales") as slow:
        with rivals.choosing("sales") as quick:
            assert quick.first([ANN, BEN, CAL]) == ANN
        assert slow.first([ANN, BEN, CAL]) == BEN


def test_if_others_are_after_all_of_them_any_will_do() -> None:
    with rivals.choosing("sales") as one, rivals.choosing("sales") as two:
        assert one.first([ANN]) == ANN
        assert two.first([ANN]) == ANN


def test_an_error_on_the_way_leaves_nothing_behind() -> None:
    with pytest.raises(RuntimeError), rivals.choosing("sales") as choice:
        choice.first([ANN])
        raise RuntimeError
    with rivals.choosing("sales") as next_one:
        assert (next_one.rivals, next_one.first([ANN, BEN])) == (0, ANN)


def test_conversations_at_once_go_to_a_worker_each(
    service: Service, db: Client
) -> None:
    names = [f"w{n}@example.com" for n in range(6)]
    for name in names:
        records.worker(db, name, capacity=1)
    service.settle()
    service.standin.set_autocreate(forms.PROXY)
    service.standin.configure_webhooks(pre_url=None, post_url=None)
    sids = [_written(service, f"+1555000000{number}") for number, _ in enumerate(names)]
    home = service.standin.default_service_sid
    routed = [
        forms.routed(sid, f"+1555000000{n}", ConversationServiceSid=home)
        for n, sid in enumerate(sids)
    ]
    threads = [
        threading.Thread(target=service.post, args=("routing", form)) for form in routed
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    service.settle()
    found = [records.conversation(db, sid) for sid in sids]
    assert {one["state"] for one in found} == {"assigned"}
    assert sorted(one["worker"] for one in found) == names


def _written(service: Service, address: str) -> str:
    sid = service.standin.inbound(address, forms.PROXY, "Hello").conversation_sid
    assert sid is not None
    return sid
